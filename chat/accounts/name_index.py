"""The rows that are stored beside a username to search, sort and compare it. Missing ones are made again.

`users.username_key` never changes after the registration, so that everybody can log in as before. In accounts that are older
than the table username_skeletons it is usernames.former_key, in all others usernames.canonical.
"""
from ..errors import Duplicate, Locked
from . import usernames

PEOPLE_AT_ONCE = 100        # in one transaction
ROW_BYTES = 32              # of the syntax and the number of a row in SQL, at most
MAX_ATTEMPTS = 100          # at one transaction: other processes that start at the same time do the same work


def statements_for_new(key, username):
    """Return the statements that store the rows of a new user, in the transaction that has just stored the user itself."""
    select = "SELECT %s, id FROM users WHERE username_key = %s"
    return [(f"INSERT INTO {table} ({column}, user_id) " + " UNION ALL ".join([select] * len(values)),
             [parameter for value in values for parameter in (value, key)])
            for table, column, values in _values(username) if values]


def _values(username):
    key = usernames.search_key(username)
    return (("username_suffixes", "suffix", sorted({key[start:] for start in range(len(key))})),
            ("username_sort_keys", "sort_key", [usernames.sort_key(username)]),
            ("username_skeletons", "skeleton", usernames.skeletons(username)))


def is_taken(database, username):
    """Tell whether somebody has this name, or one that looks like it."""
    keys, skeletons = [usernames.canonical(username), usernames.former_key(username)], usernames.skeletons(username)
    return bool(database.query(
        f"SELECT id FROM users WHERE username_key IN ({_placeholders(keys)})"
        f" UNION ALL SELECT user_id FROM username_skeletons WHERE skeleton IN ({_placeholders(skeletons)}) LIMIT 1", (*keys, *skeletons)))


def _placeholders(values):
    return ", ".join(["%s"] * len(values))


def complete(database):
    """Store the rows that are missing: for accounts of an older version, or from a backup. Nobody's name or key changes.

    If two of these names look alike, the older account gets the skeleton; no third name like them can be registered. Several
    processes may do this at the same time: each transaction stores the rows of some people or, if another process was faster, none.
    """
    after, attempts = 0, 0
    while people := _people_without_rows(database, after):
        try:
            database.transaction(_statements_for(database, people))
            after, attempts = people[-1][0], 0
        except (Duplicate, Locked):
            attempts += 1
            if attempts == MAX_ATTEMPTS:
                raise


def _people_without_rows(database, after):
    return database.query(
        "SELECT u.id, u.username FROM users u LEFT JOIN username_sort_keys o ON o.user_id = u.id"
        f" WHERE u.id > %s AND o.user_id IS NULL ORDER BY u.id LIMIT {PEOPLE_AT_ONCE}", (after,),
        lambda row: (row["id"], row["username"]))


def _statements_for(database, people):
    ids = [user_id for user_id, _username in people]
    rows = {}       # {(table, column): {(value, user id)}}
    for user_id, username in people:
        for table, column, values in _values(username):
            rows.setdefault((table, column), {}).update(dict.fromkeys((value, user_id) for value in values))
    owners = {}     # skeleton -> the first user who has it, without the skeletons that are stored already
    for skeleton, user_id in rows["username_skeletons", "skeleton"]:
        owners.setdefault(skeleton, user_id)
    for part in _parts(sorted(owners), database.max_statement_bytes):
        for row in database.query(f"SELECT skeleton FROM username_skeletons WHERE skeleton IN ({_placeholders(part)})", part):
            del owners[row["skeleton"]]
    rows["username_skeletons", "skeleton"] = owners.items()
    # An older version may have stored other suffixes.
    statements = [(f"DELETE FROM username_suffixes WHERE user_id IN ({_placeholders(ids)})", ids)]
    for (table, column), pairs in rows.items():
        pairs = sorted(pairs)       # in the same order everywhere, so that deadlocks between processes are rare
        for part in _parts(pairs, database.max_statement_bytes, lambda pair: pair[0]):
            statements.append((f"INSERT INTO {table} ({column}, user_id) VALUES {', '.join(['(%s, %s)'] * len(part))}",
                               [value for pair in part for value in pair]))
    return statements


def _parts(items, max_bytes, text=str):
    """Yield lists of the items, of as many as one statement holds; `text(item)` is what takes its room."""
    part, size = [], 0
    for item in items:
        item_bytes = len(text(item).encode()) + ROW_BYTES
        if part and size + item_bytes > max_bytes:
            yield part
            part, size = [], 0
        part.append(item)
        size += item_bytes
    if part:
        yield part

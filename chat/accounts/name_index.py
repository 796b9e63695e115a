"""What is stored beside a username to find it, sort it and compare it: made anew whenever it is not there.

`users.username_key` stays what it was when its account was made, so that everybody gets in as before: of accounts that are
older than username_skeletons it is usernames.former_key, of the others usernames.canonical.
"""
from ..errors import Duplicate, Locked
from . import usernames

PEOPLE_AT_ONCE = 100        # in one transaction
MAX_ROWS = 1000             # in one INSERT
MAX_TRIES = 100             # of one transaction: other processes that start at the same time do the same work


def statements_for_new(key, username):
    """Return the statements that store what belongs to somebody whose row is stored by the statement before them."""
    one = "SELECT %s, id FROM users WHERE username_key = %s"
    return [(f"INSERT INTO {table} ({column}, user_id) " + " UNION ALL ".join([one] * len(values)),
             [parameter for value in values for parameter in (value, key)])
            for table, column, values in _values(username) if values]


def _values(username):
    search = usernames.searchable(username)
    return (("username_suffixes", "suffix", sorted({search[start:] for start in range(len(search))})),
            ("username_sort_keys", "sort_key", [usernames.sort_key(username)]),
            ("username_skeletons", "skeleton", usernames.skeletons(username)))


def is_taken(database, username):
    """Tell whether somebody has that name or, which is as bad, one that looks like it."""
    keys, skeletons = [usernames.canonical(username), usernames.former_key(username)], usernames.skeletons(username)
    return bool(database.query(
        f"SELECT id FROM users WHERE username_key IN ({_places(keys)})"
        f" UNION ALL SELECT user_id FROM username_skeletons WHERE skeleton IN ({_places(skeletons)}) LIMIT 1", (*keys, *skeletons)))


def _places(values):
    return ", ".join(["%s"] * len(values))


def complete(database):
    """Make what is missing: of the accounts of an older version, or out of a backup. Everybody keeps their name and key.

    Where two of them look alike, the older one gets the skeleton, and no third comes to them. Several processes may do it
    at once: each transaction makes some people's rows or, where another process was faster, none.
    """
    after, tries = 0, 0
    while people := _without_order(database, after):
        try:
            database.transaction(_statements_for(database, people))
            after, tries = people[-1][0], 0
        except (Duplicate, Locked):
            tries += 1
            if tries == MAX_TRIES:
                raise


def _without_order(database, after):
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
    owners = {}     # of each skeleton the first who has it, but for those that somebody has already
    for skeleton, user_id in rows["username_skeletons", "skeleton"]:
        owners.setdefault(skeleton, user_id)
    for row in database.query(f"SELECT skeleton FROM username_skeletons WHERE skeleton IN ({_places(owners)})", list(owners)):
        del owners[row["skeleton"]]
    rows["username_skeletons", "skeleton"] = owners.items()
    statements = [(f"DELETE FROM username_suffixes WHERE user_id IN ({_places(ids)})", ids)]     # as the older version made them
    for (table, column), pairs in rows.items():
        pairs = sorted(pairs)       # in one order, so that two processes seldom lock each other out
        for start in range(0, len(pairs), MAX_ROWS):
            part = pairs[start:start + MAX_ROWS]
            statements.append((f"INSERT INTO {table} ({column}, user_id) VALUES {', '.join(['(%s, %s)'] * len(part))}",
                               [value for pair in part for value in pair]))
    return statements

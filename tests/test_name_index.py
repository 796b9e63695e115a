"""Accounts of an older version: they stay as they are, get in, and nobody new looks like them."""
import threading
import unicodedata

import pytest

from chat.accounts import name_index, usernames
from chat.conversations.conversation_list import list_conversations
from chat.accounts.user import User
from tests.conftest import SECRET_KEY
from tests.databases import BackgroundCall, beside, call, create_first_tables, open_mariadb, open_sqlite, settings_of
from tests.people import Person, PASSWORD
from chat.storage.database import open_database
from chat.accounts.passwords import hash_password
from tools.backup import backup, restore

SMALL_STATEMENT_BYTES = 4096        # of a server whose max_allowed_packet is small

# Two that differed then and do not now, what could be typed then only, and look-alikes of each other.
OLD_NAMES = ["Anna Maria", "Anna  Maria", "O'Brien", "O’Brien", "Alice", "ɑlice", "Alice\U000E0100", "Ångström", "Łukasz", "Zoe", "user 1",
             "user l", "𐌰𐌱", "Jean–Luc", "\u3164\u3164a", "Ian", "Lan", "ΟΔΥΣΣΕΥΣ", "İrem", "\u2800.a"]


@pytest.fixture(params=["sqlite", "mariadb"])
def old(request, tmp_path):
    """A database of version 1: no sort keys, no skeletons, suffixes of its own; and how it is opened again."""
    if request.param == "sqlite":
        database = open_sqlite(tmp_path / "old", prepare=create_first_tables)
    else:
        database = open_mariadb(request.getfixturevalue("mariadb"), prepare=create_first_tables)
    old_account(database, *OLD_NAMES)
    database.settings = settings_of(database)
    yield database
    database.engine.close()


def old_key(name):
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def old_account(database, *names, password="a hash"):
    for name in names:
        key = old_key(name)
        database.execute("INSERT INTO users (username, username_key, password, created_at) VALUES (%s, %s, %s,"
                         " '2024-07-07 15:04:17.601')", (name, key, password))
        parts = unicodedata.normalize("NFKD", key)
        search = unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))
        user_id = database.query("SELECT id FROM users WHERE username_key = %s", (key,))[0]["id"]
        for ending in {search[start:] for start in range(len(search))}:
            database.execute("INSERT INTO name_endings (ending, user_id) VALUES (%s, %s)", (ending, user_id))


def opened(old):
    return open_database(old.settings, call, name_index.complete)


def rows(database):
    return {table: database.query(f"SELECT * FROM {table} ORDER BY {order}") for table, order in
            (("users", "id"), ("username_suffixes", "user_id, suffix"), ("username_sort_keys", "user_id"), ("username_skeletons", "skeleton"))}


def test_it_works(old):
    before = old.query("SELECT * FROM users ORDER BY id")
    database = opened(old)
    assert database.query("SELECT * FROM users ORDER BY id") == [{**row, "face": 0} for row in before], "everybody keeps their name and their key"
    for name in OLD_NAMES:
        assert User.named(database, name).username == name, "whoever typed it before still gets to their own account"
    for name in ("Anna \u2003Maria", "O´Brien", "ａlice", "AIice", "Jean-Luc", "user I", "odysseys", "jan", "lukasz"):
        taken = name not in ("odysseys", "jan", "lukasz")
        assert name_index.is_taken(database, usernames.validate(name)) == taken, name
    for text, name in (("lukasz", "Łukasz"), ("angstrom", "Ångström"), ("anna maria", "Anna  Maria"), ("o'b", "O’Brien")):
        assert name in [user.username for user in User.search(database, text, 0)]
    everybody = [summary.username for summary in list_conversations(database, 0, limit=100)]
    assert User.named(database, "x" * 1000) is None and User.named(database, "") is None
    assert everybody == sorted(everybody, key=usernames.sort_key) and set(everybody) == set(OLD_NAMES)
    database.engine.close()


def test_the_next_start_changes_nothing(old):
    opened(old).engine.close()
    before = rows(old)
    database = opened(old)
    assert rows(database) == before
    database.engine.close()


def test_what_an_earlier_version_stored_is_made_anew(old):
    database = opened(old)
    wanted = rows(database)
    database.execute("DELETE FROM username_skeletons")
    database.execute("DELETE FROM username_suffixes")
    database.execute("INSERT INTO username_suffixes (suffix, user_id) SELECT 'as it was', id FROM users")
    database.execute("DELETE FROM schema_migrations WHERE version >= 7")
    database.engine.close()
    database = opened(old)
    assert rows(database) == wanted
    database.engine.close()


def test_what_was_broken_off_goes_on(old, monkeypatch):
    monkeypatch.setattr(name_index, "PEOPLE_AT_ONCE", 3)
    made = []

    def broken(database, people):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(people)
        return statements_for(database, people)
    statements_for = name_index._statements_for
    monkeypatch.setattr(name_index, "_statements_for", broken)
    with pytest.raises(KeyboardInterrupt):
        opened(old)
    monkeypatch.setattr(name_index, "_statements_for", statements_for)
    assert len(old.query("SELECT * FROM username_sort_keys")) == 6
    database = opened(old)
    assert len(rows(database)["username_sort_keys"]) == len(OLD_NAMES)
    database.engine.close()


@pytest.mark.slow
def test_several_processes_start_at_once(old, monkeypatch):
    monkeypatch.setattr(name_index, "PEOPLE_AT_ONCE", 3)
    old.create_tables()
    gate = threading.Barrier(4)

    def start(database):
        gate.wait(10)
        name_index.complete(database)
    others = [beside(old) for _n in range(4)]
    for background_call in [BackgroundCall(lambda database=database: start(database)) for database in others]:
        background_call.outcome()
    together = rows(old)
    assert len(together["username_sort_keys"]) == len(OLD_NAMES)
    for table in ("username_sort_keys", "username_skeletons"):
        old.execute(f"DELETE FROM {table}")
    name_index.complete(old)
    assert rows(old) == together, "as one alone would have made it"
    for database in others:
        database.engine.close()


@pytest.mark.slow
def test_more_than_one_transaction_holds(old):
    old_account(old, *(f"somebody {number}" for number in range(2 * name_index.PEOPLE_AT_ONCE + 1)))
    database = opened(old)
    assert len(rows(database)["username_sort_keys"]) == len(OLD_NAMES) + 2 * name_index.PEOPLE_AT_ONCE + 1
    database.engine.close()


def test_no_statement_is_longer_than_the_server_takes(tmp_path):
    """A hundred long names have more suffixes than the smallest server takes in one."""
    database = open_sqlite(tmp_path / "long", prepare=create_first_tables)
    names = [f"{number:03}" + "ᾳ" * 29 for number in range(name_index.PEOPLE_AT_ONCE)]
    old_account(database, *names)
    database.create_tables()
    database.engine.max_statement_bytes = SMALL_STATEMENT_BYTES
    lengths, query = [], database.query
    database.query = lambda sql, params=(), *how: (lengths.append(length(sql, params)), query(sql, params, *how))[1]
    statements = name_index._statements_for(database, name_index._people_without_rows(database, 0))
    lengths += [length(*statement) for statement in statements]
    assert len(statements) > 4 and max(lengths) <= SMALL_STATEMENT_BYTES, lengths
    name_index.complete(database)
    assert len(rows(database)["username_suffixes"]) == sum(len(set(usernames.search_key(name)[at:] for at in range(len(usernames.search_key(name)))))
                                                           for name in names)
    database.engine.close()


def length(sql, params):
    return len((sql % tuple(repr(param) for param in params)).encode())


def test_a_backup_of_the_older_version_is_restored(old, tmp_path):
    backup(old, tmp_path / "file")
    fresh = open_sqlite(tmp_path / "fresh")
    restore(fresh, tmp_path / "file")
    assert [user["username"] for user in fresh.query("SELECT username FROM users ORDER BY id")] == OLD_NAMES
    assert all(User.named(fresh, name).username == name for name in OLD_NAMES)
    assert name_index.is_taken(fresh, "AIice") and [u.username for u in User.search(fresh, "lukasz", 0)] == ["Łukasz"]
    fresh.engine.close()


def test_they_log_in_and_newcomers_who_look_like_them_are_refused(old, start_server):
    old.execute("UPDATE users SET password = %s", (hash_password(PASSWORD, 4),))
    server = start_server(SECRET_KEY=SECRET_KEY, RATELIMIT_ENABLED="0", **{key: value for key, value in old.settings.items() if value})
    for name in ("Anna  Maria", "anna maria", "O’Brien", "o'brien", "ɑlice", "Alice\U000E0100", "jean-luc"):
        assert Person(server.url, name).log_in().status_code == 302, name
    for name in ("AIice", "O‛Brien", "Anna Rnaria", "Jean—Luc"):
        answer = Person(server.url, name).register()
        assert answer.status_code == 400 and "too similar" in answer.text, name

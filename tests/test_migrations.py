"""Databases of earlier versions: they come up with everything, once, whatever is killed, and nobody else's is touched."""
import hashlib
import os
import re
import subprocess
import sys
import uuid

import pytest

from chat.storage import lease, migrations, schema
from chat.accounts import name_index
from chat.storage.database import SCHEMA
from chat.accounts.user import User
from config import ConfigError
from tests.conftest import SECRET_KEY
from tests.databases import BackgroundCall, beside, create_first_tables, open_mariadb, open_sqlite, settings_of
from tests.killed_migration import is_killed_after
from tests.old_databases import (NAMES, by_migrations_alone, create_filled, create_tried_out, records, rows, shape, tables_of_schema)
from tests.server import ROOT

pytestmark = pytest.mark.slow

KEPT = ("users", "conversations", "members", "messages")
ALL_ROWS = (*KEPT, "receipts", "username_skeletons", "username_sort_keys", "username_suffixes")
FIRST_TABLES = "16e0fbc03992fd7b0f58e266673ab98b8ec0bd553265580159aaa40d51385236"      # SHA-256 of the file, with Unix' line ends
UPGRADED = [(1, "0001_first_tables", "found"), *((version, path.stem, "done") for version, path in migrations.files().items() if version > 1)]


def nothing(database):
    pass


@pytest.fixture(params=["sqlite", "mariadb"])
def make(request, tmp_path, monkeypatch):
    """Return a function that makes a database by `prepare(database)`."""
    monkeypatch.setattr(lease, "POLL_INTERVAL", 0.02)
    made = []

    def make(prepare):
        if request.param == "sqlite":
            database = open_sqlite(tmp_path / uuid.uuid4().hex, prepare=prepare)
        else:
            database = open_mariadb(request.getfixturevalue("mariadb"), prepare=prepare)
        made.append(database)
        return database
    yield make
    for database in made:
        database.engine.close()


def as_of_version_1(database, before):
    """Return the rows of a database with the tables and columns that `before` has."""
    after = {**rows(database, *KEPT), "marks": rows(database, "receipts")["receipts"]}
    return {table: [row[:len(found[0])] for row in after[table]] for table, found in before.items()}


def upgrade(database):
    """Open it as the server does, in place."""
    database.create_tables()
    name_index.complete(database)


def environment(database):
    return {**os.environ, "SECRET_KEY": SECRET_KEY, **settings_of(database)}


def migrate(database, *arguments):
    return subprocess.run([sys.executable, "-m", "tools.migrate", *arguments], cwd=ROOT, env=environment(database),
                          capture_output=True, text=True, timeout=60)


# --- what comes up ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("create", [create_filled, create_tried_out])
def test_it_works(make, create):
    database = make(create)
    before = rows(database, *KEPT, "marks")
    upgrade(database)
    assert as_of_version_1(database, before) == before
    assert {face for face, in (row[len(before["users"][0]):] for row in rows(database, "users")["users"])} == {0}, "the face that they had"
    assert set(migrations.inspect(database.engine, SCHEMA).tables) == tables_of_schema()
    assert records(database) == UPGRADED
    for name in NAMES:
        assert User.named(database, name).username == name
        assert name in [user.username for user in User.search(database, name[1:], 0)]


def test_the_migrations_lead_to_what_the_schema_says(make):
    assert shape(make(by_migrations_alone)) == shape(make(lambda database: database.create_tables()))


def test_a_column_that_the_migrations_forget_is_noticed(make):
    def other(database):
        database.create_tables()
        database.execute("ALTER TABLE members ADD COLUMN nickname VARCHAR(16)")
    assert shape(make(by_migrations_alone)) != shape(make(other))


def test_the_first_tables_are_what_they_were(make):
    assert hashlib.sha256(migrations.files()[1].read_text(encoding="utf-8").encode()).hexdigest() == FIRST_TABLES, "databases of that time are out there"
    assert list(migrations.files()) == list(range(1, migrations.newest() + 1))


def test_an_empty_database_is_of_the_newest_version_at_once(make):
    database = make(upgrade)
    assert records(database) == [(migrations.newest(), "schema.sql", "done")]


def test_the_next_start_changes_nothing_and_locks_nothing(make, monkeypatch):
    database = make(create_filled)
    upgrade(database)
    before, recorded = rows(database, *ALL_ROWS), records(database)
    monkeypatch.delattr(type(database.engine), "exclusive")
    upgrade(database)
    assert (rows(database, *ALL_ROWS), records(database)) == (before, recorded)


def test_tables_that_were_imported_by_hand(make):
    def import_by_hand(database):
        create_first_tables(database, SCHEMA)
    database = make(import_by_hand)
    upgrade(database)
    assert records(database) == UPGRADED
    assert shape(database) == shape(make(upgrade))


def test_tables_that_were_imported_by_hand_beside_those_of_version_1(make):
    """Receipts were written into both: each is there once."""
    database = make(create_filled)
    before = rows(database, *KEPT, "marks")
    create_first_tables(database, SCHEMA)
    database.execute("INSERT INTO receipts SELECT * FROM marks WHERE seq = 3")
    database.execute("DELETE FROM marks WHERE seq = 3 AND user_id = 1")
    upgrade(database)
    assert as_of_version_1(database, before) == before


def test_a_table_that_was_lost_is_made_again(make):
    database = make(upgrade)
    database.execute("DROP TABLE receipts")
    upgrade(database)
    assert rows(database, "receipts") == {"receipts": []}


# --- what is refused --------------------------------------------------------------------------------------------------

def test_a_newer_database_is_refused_in_one_sentence(make):
    database = make(upgrade)
    for state in ("running", "done"):
        database.execute("DELETE FROM schema_migrations WHERE version = 99")
        database.execute("INSERT INTO schema_migrations VALUES (99, 'later', %s, '2030-01-01 00:00:00.000')", (state,))
        before = shape(database), records(database)
        for arguments in ((), ("--list",)):
            done = migrate(database, *arguments)
            assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1
            assert done.stderr.startswith("The database is of version 99 and this program knows versions up to")
        with pytest.raises(ConfigError, match="version 99"):
            database.create_tables()
        assert (shape(database), records(database)) == before


@pytest.mark.parametrize("table", [
    "users (id INTEGER, email VARCHAR(9))", "marks (id INTEGER, mark VARCHAR(9))", "schema_migrations (version VARCHAR(99))",
    "receipts (id INTEGER, total INTEGER)"])
def test_tables_of_another_program_are_left_alone(make, table):
    database = make(lambda database: database.execute(f"CREATE TABLE {table}"))
    before = shape(database)
    with pytest.raises(ConfigError, match=f"^The database cannot be used: its table {table.split()[0]} is another program's[^\n]*$"):
        upgrade(database)
    assert shape(database) == before


def test_other_tables_beside_the_chats_do_not_matter(make):
    def shared(database):
        create_filled(database)
        database.execute("CREATE TABLE name_order (id INTEGER, position INTEGER)")
    database = make(shared)
    upgrade(database)
    assert records(database) == UPGRADED
    assert database.query("SELECT id, position FROM name_order") == []


def test_a_table_that_somebody_changed_is_one_sentence(make):
    database = make(upgrade)
    database.execute("ALTER TABLE members ADD COLUMN colour VARCHAR(9)")
    with pytest.raises(ConfigError, match="^The database cannot be used: its table members is not as version [^\n]*colour[^\n]*$"):
        upgrade(database)


# --- what is broken off -----------------------------------------------------------------------------------------------

@pytest.mark.slow
@pytest.mark.parametrize("create", [nothing, create_tried_out])
def test_the_next_start_goes_on_wherever_one_was_killed(make, create, monkeypatch):
    monkeypatch.setattr(lease, "MAX_UNCHANGED_POLLS", 2)    # its holder is dead, so nobody could renew it: waiting longer shows nothing
    whole = make(create)
    upgrade(whole)
    wanted, killed = (rows(whole, *ALL_ROWS), shape(whole)), 0
    for statements in range(1, 100):
        database = make(create)
        if not is_killed_after(environment(database), statements):
            break
        killed += 1
        upgrade(database)
        assert (rows(database, *ALL_ROWS), shape(database)) == wanted, f"killed after statement {statements}"
        # A lease that its process could not give back any more keeps nobody who has nothing to change.
        assert {state for version, _name, state in records(database) if version != migrations.LEASE} <= {"found", "done"}
    assert killed >= 8


def test_an_error_in_the_middle_gives_the_lease_back(make, monkeypatch):
    database, tries = make(create_filled), []

    def fail_at_the_third(condition, there):
        tries.append(condition)
        if len(tries) == 3:
            raise KeyboardInterrupt
        return holds(condition, there)
    holds = schema.holds
    monkeypatch.setattr(schema, "holds", fail_at_the_third)
    monkeypatch.setattr(lease, "MAX_UNCHANGED_POLLS", 10 ** 9)        # who waited for it would wait for ever
    with pytest.raises(KeyboardInterrupt):
        upgrade(database)
    upgrade(database)
    assert records(database) == UPGRADED


# --- several at once --------------------------------------------------------------------------------------------------

@pytest.mark.slow
@pytest.mark.parametrize("create", [nothing, create_filled])
def test_of_several_processes_one_does_it(make, create):
    database = make(create)
    started = [subprocess.Popen([sys.executable, "-m", "tools.migrate"], cwd=ROOT, env=environment(database), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _n in range(4)]
    said = [process.communicate(timeout=100) for process in started]
    assert [process.returncode for process in started] == [0] * 4, said
    assert sum(out.count("is brought to version 2") for out, _error in said) == (create is create_filled)
    alone = make(create)
    upgrade(alone)
    assert (rows(database, *ALL_ROWS), shape(database), records(database)) == (rows(alone, *ALL_ROWS), shape(alone), records(alone))


def test_who_waits_for_a_transaction_of_sqlite_goes_on_after_it(tmp_path):
    database = open_sqlite(tmp_path, prepare=create_filled)
    other = beside(database)
    with other.engine.exclusive("SELECT 1"):
        waiting = BackgroundCall(lambda: upgrade(database))
        waiting.thread.join(1.5)        # longer than SQLite itself waits
        assert waiting.thread.is_alive() and not waiting.error
    waiting.outcome()
    assert records(database) == UPGRADED
    for each in (database, other):
        each.engine.close()


# --- the command ------------------------------------------------------------------------------------------------------

def test_the_list_is_readable_and_changes_nothing(make):
    database = make(create_filled)
    before = shape(database)
    first, *others = (path.stem for path in migrations.files().values())
    done = migrate(database, "--list")
    assert done.returncode == 0 and shape(database) == before
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines == [["version", "name", "state", "at", "(UTC)"], ["1", first, "found"],
                     *([str(version), name, "to", "come"] for version, name in enumerate(others, 2))]
    done = migrate(database)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"The database is of version {migrations.newest()}."
    listed = migrate(database, "--list").stdout
    assert re.search(rf"^1 +{first} +found +\d{{4}}-", listed, re.M)
    assert all(re.search(rf"^{version} +{name} +done +\d{{4}}-", listed, re.M) for version, name in enumerate(others, 2))
    assert len(User.search(database, "anna", 0)) == 1, "what is stored beside a username is there too"


def test_the_list_of_a_database_that_was_empty(make):
    listed = migrate(make(upgrade), "--list").stdout
    assert re.search(r"^1 +\w+ +not needed$", listed, re.M)
    assert re.search(rf"^{migrations.newest()} +schema\.sql +done +\d{{4}}-", listed, re.M)


def test_a_database_that_is_not_there_is_one_sentence(tmp_path):
    env = {**os.environ, "SECRET_KEY": SECRET_KEY, "DATABASE_URL": "mysql://root@127.0.0.1:9/chat"}
    done = subprocess.run([sys.executable, "-m", "tools.migrate"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "cannot be used" in done.stderr


# --- what stands in the files -----------------------------------------------------------------------------------------

def test_a_condition_names_what_is_there_and_what_is_not():
    there = {"marks": {"seq"}, "members": {"user_id"}}
    for condition, holds in (("", True), ("marks", True), ("receipts", False), ("marks.seq", True), ("marks.at", False),
                             ("receipts.seq", False), ("no receipts", True), ("no marks", False), ("no members.role", True),
                             ("marks and no members.role", True), ("marks and receipts", False)):
        assert schema.holds(condition, there) == holds, condition


def test_a_condition_belongs_to_the_statement_below_it_alone(tmp_path):
    (tmp_path / "file").write_text("-- words\n-- if a and no b\nALTER TABLE a\n  RENAME TO b;   -- if c\n\nSELECT ';';\n", encoding="utf-8")
    assert schema.steps(tmp_path / "file") == (schema.Step("ALTER TABLE a\n  RENAME TO b", "a and no b"), schema.Step("SELECT ';'"))


def test_no_step_speaks_for_one_engine_alone(make):
    """Each is run twice, on tables of version 1 and on those that it leads to."""
    database = make(by_migrations_alone)
    before = shape(database)
    with database.engine.exclusive(migrations._create_statement(migrations.RECORDS, SCHEMA)) as (cursor, check_lease):
        for path in list(migrations.files().values())[1:]:
            migrations._apply(database.engine, cursor, path, check_lease)
    assert shape(database) == before


def test_a_column_is_renamed_as_docs_upgrading_says(make, tmp_path):
    (tmp_path / "file").write_text("-- if members.read_seq\n/*! ALTER TABLE members CHANGE read_seq seen INTEGER NOT NULL DEFAULT 0 */;\n"
                                   "-- if members.read_seq\nALTER TABLE members RENAME COLUMN read_seq TO seen;\n", encoding="utf-8")
    database = make(create_filled)
    before = rows(database, "members")
    for _time in range(2):
        with database.engine.exclusive(migrations._create_statement(migrations.RECORDS, SCHEMA)) as (cursor, check_lease):
            migrations._apply(database.engine, cursor, tmp_path / "file", check_lease)
    assert rows(database, "members") == before
    assert database.query("SELECT seen FROM members LIMIT 1")

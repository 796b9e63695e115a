"""Backup and restore: into an empty database of either kind, and what is there is what was there."""
import gzip
import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import tracemalloc

import pymysql
import pytest

from chat.storage import migrations, schema
from chat.accounts import name_index
from chat.errors import Unavailable
from chat.clock import now
from chat.conversations.change import PIN, REACT, Change
from chat.conversations.change_writer import ChangeWriter
from chat.conversations.conversation import Conversation
from chat.conversations.file import File
from chat.conversations.room import Room
from chat.storage.database import SCHEMA
from chat.conversations.message import Message
from chat.accounts.user import User
from tests.conftest import SECRET_KEY
from tests.databases import Sender, database, open_mariadb, open_sqlite, person, server_with, settings_of     # noqa: F401: a fixture
from tests.old_databases import create_filled, shape
from tests.people import PASSWORD
from tests.server import ROOT
from tools import backup as module
from tools import backup_file
from tools.backup import BackupError, backup, restore

pytestmark = pytest.mark.slow

TEXTS = ["bonjour", "table", "rows", '{"rows": 1}', "two\nlines", "\\ ' \" %s %", "日本語 😀", "x" * 4000]


@pytest.fixture(params=["sqlite", "mariadb"])
def empty(request, tmp_path):
    """An empty database of each kind."""
    fresh = open_sqlite(tmp_path / "empty") if request.param == "sqlite" else open_mariadb(request.getfixturevalue("mariadb"))
    yield fresh
    fresh.engine.close()


def content(database):
    """Return all rows of all tables."""
    return {table: database.query(f"SELECT * FROM {table} ORDER BY {order}") for table, order in module.LAYOUTS[module.NEWEST].items()}


@pytest.fixture
def filled(database):
    """People who talk, with marks, and more rows than fit into one INSERT."""
    sender, people = Sender(database), [person(database) for _n in range(4)]
    for one in people[1:]:
        for number in range(80):
            sender.send(people[0], one, TEXTS[number % len(TEXTS)])
        conversation = Conversation.between(database, people[0].id, one.id)
        conversation.mark_delivered(database, one.id, 3)
        conversation.mark_read(database, one.id, 2)
    room = Room.create(database, people[0].id, {"name": "maths", "topic": "sets"})
    draft = Message.draft(people[0], None, "@Bob and @all", "to-the-room", room.id)
    draft.seq, draft.timestamp, draft.mentions = 1, now(), ((people[1].id, 0, 4), (0, 9, 4))
    Message.insert(database, [draft])
    file = File(people[0].id, "plan", "0" * 64, "plan.txt", "text/plain", 12, created_at=now())
    file.insert(database)
    draft = Message.draft(people[0], None, "", "with-a-file", room.id, has_files=True)
    draft.seq, draft.timestamp, draft.files, draft.file_count = 2, now(), (file,), 1
    Message.insert(database, [draft])
    writer = ChangeWriter(database, lambda change, sid: None, threading.Event, None)
    for kind in (REACT, PIN):
        writer.store(Change(room.id, 1, kind, people[1].id, f"change-{kind}", emoji="👍"))
    return database


def test_it_works(filled, empty, tmp_path):
    file = tmp_path / "chat.backup.gz"
    counts = backup(filled, file)
    assert restore(empty, file) == counts
    before, after = content(filled), content(empty)
    assert after == before and all(before.values()), "every table had something in it"
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600, "it holds what people wrote to each other"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [file.name]


def test_the_chat_goes_on_where_it_was(filled, empty, tmp_path):
    backup(filled, tmp_path / "file")
    restore(empty, tmp_path / "file")
    one, other = (type("Person", (), row) for row in filled.query("SELECT * FROM users ORDER BY id LIMIT 2"))
    last = Message.page(empty, Conversation.between(empty, one.id, other.id).id)[-1]
    sent = Sender(empty).send(one, other, "after the restore")
    assert sent.seq == last.seq + 1 and sent.id > last.id


def test_it_is_of_one_moment(filled, tmp_path, monkeypatch):
    """Somebody new comes and writes after the users were read: neither the message nor its conversation is in the file."""
    class Interrupted(dict):
        def items(self):
            for number, item in enumerate(super().items()):
                if number == 1:
                    Sender(filled).send(person(filled), person(filled))
                yield item
    before = {table: len(rows) for table, rows in content(filled).items()}
    monkeypatch.setitem(module.LAYOUTS, module.NEWEST, Interrupted(module.LAYOUTS[module.NEWEST]))
    assert backup(filled, tmp_path / "file") == before


def lines_of(file):
    return gzip.decompress(file.read_bytes()).splitlines(keepends=True)


def cut(file):
    file.write_bytes(file.read_bytes()[:-40])


def lose_a_row(file):
    lines = lines_of(file)
    del lines[len(lines) // 2]
    file.write_bytes(gzip.compress(b"".join(lines)))


def lose_the_end(file):
    file.write_bytes(gzip.compress(b"".join(lines_of(file)[:-1])))


def another_format(file):
    file.write_bytes(gzip.compress(json.dumps({"format": "chat-backup-0"}).encode() + b"\n"))


def no_archive(file):
    file.write_text("not compressed")


@pytest.mark.parametrize("damage", [cut, lose_a_row, lose_the_end, another_format, no_archive, os.remove])
def test_a_file_that_is_not_whole_changes_nothing(filled, empty, tmp_path, damage):
    file = tmp_path / "file"
    backup(filled, file)
    damage(file)
    with pytest.raises(BackupError):
        restore(empty, file)
    assert not any(content(empty).values())


def test_a_database_with_something_in_it_is_left_alone(filled, empty, tmp_path):
    backup(filled, tmp_path / "file")
    person(empty, "somebody")
    before = content(empty)
    with pytest.raises(BackupError, match="not empty: there is something in users"):
        restore(empty, tmp_path / "file")
    assert content(empty) == before


def test_a_backup_that_fails_leaves_the_older_one(filled, tmp_path, monkeypatch):
    file = tmp_path / "file"
    backup(filled, file)
    older = file.read_bytes()
    monkeypatch.setitem(module.LAYOUTS, module.NEWEST, {"users": "id", "no_such_table": "id"})
    with pytest.raises(Exception):
        backup(filled, file)
    assert file.read_bytes() == older


@pytest.fixture
def own_mariadb(mariadb, monkeypatch):
    """A database of its own that the commands' settings name."""
    own = open_mariadb(mariadb)
    (host, port), = own.engine.hosts
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("DATABASE_URL", f"mysql://root@{host}:{port}/{own.engine.name}")
    yield own
    own.engine.close()


def test_a_connection_that_breaks_in_a_backup_is_one_sentence(own_mariadb, mariadb, tmp_path, monkeypatch, capsys):
    def cut_connections(_progress):
        with mariadb.connect() as root, root.cursor() as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (own_mariadb.engine.name,))
            for connection, in cursor.fetchall():
                cursor.execute("KILL %s", (connection,))
    whole = module.backup
    monkeypatch.setattr(module, "PROGRESS_EVERY", 1)
    monkeypatch.setattr(module, "backup", lambda database, path, store: whole(database, path, cut_connections))
    person(own_mariadb)
    assert module.main("backup", tmp_path / "file") == 1
    said = capsys.readouterr().err
    assert said.startswith("The backup broke off: ") and len(said.splitlines()) == 1, said
    assert not (tmp_path / "file").exists()


def test_what_a_database_does_not_take_is_one_sentence(own_mariadb, tmp_path, capsys):
    one = open_sqlite(tmp_path)
    person(one)
    backup(one, tmp_path / "file")
    one.engine.close()
    lines = lines_of(tmp_path / "file")
    lines[2:3] *= 2
    lines[-1] = lines[-1].replace(b'"users": 1', b'"users": 2')
    (tmp_path / "file").write_bytes(gzip.compress(b"".join(lines)))
    assert module.main("restore", tmp_path / "file") == 1
    said = capsys.readouterr().err
    assert said.startswith("The restore broke off: ") and len(said.splitlines()) == 1, said


def test_a_restore_that_breaks_off_leaves_nothing(filled, empty, tmp_path):
    """The last row of all is one that was there before."""
    backup(filled, tmp_path / "file")
    lines = lines_of(tmp_path / "file")
    lines.insert(-1, lines[-2])
    counts = json.loads(lines[-1])
    counts["rows"]["message_files"] += 1
    (tmp_path / "file").write_bytes(gzip.compress(b"".join(lines[:-1]) + json.dumps(counts).encode() + b"\n"))
    with pytest.raises((pymysql.IntegrityError, sqlite3.IntegrityError)):
        restore(empty, tmp_path / "file")
    assert not any(content(empty).values())


def test_a_file_that_changes_while_it_is_restored_leaves_nothing(filled, empty, tmp_path, monkeypatch):
    """It is whole both times, and somebody else's the second time."""
    backup(filled, tmp_path / "file")
    person(filled)
    backup(filled, tmp_path / "later")
    counted = module.counts_of

    def replace_after(path):
        counts = counted(path)
        os.replace(tmp_path / "later", path)
        return counts
    monkeypatch.setattr(module, "counts_of", replace_after)
    with pytest.raises(BackupError, match="was changed while it was read"):
        restore(empty, tmp_path / "file")
    assert not any(content(empty).values())
    monkeypatch.undo()
    restore(empty, tmp_path / "file")


def test_names_that_cannot_be_indexed_after_a_restore_are_left_to_the_next_start(filled, empty, tmp_path, monkeypatch):
    backup(filled, tmp_path / "file")
    said = []
    with monkeypatch.context() as away:
        away.setattr(name_index, "complete", lambda _database: (_ for _ in ()).throw(Unavailable()))
        restore(empty, tmp_path / "file", said.append)
    assert len(said) == 1 and said[0].endswith("when it starts.")
    name_index.complete(empty)
    assert content(empty) == content(filled)


def test_a_restore_into_a_server_that_takes_small_statements(mariadb, filled, tmp_path):
    """XAMPP's takes 1 MB: 240 long messages are more than that."""
    sender, one, other = Sender(filled), person(filled), person(filled)
    for number in range(240):
        sender.send(one, other, ("\U0001f600" if number % 2 else "'") * 4000)
    backup(filled, tmp_path / "file")
    for packet in (1024 * 1024, 64 * 1024):
        with server_with(mariadb, max_allowed_packet=packet):
            fresh = open_mariadb(mariadb)
            restore(fresh, tmp_path / "file")
            assert content(fresh) == content(filled)
            fresh.engine.close()


# --- files that somebody has made ------------------------------------------------------------------------------------

def replaced(old, new):
    return lambda lines: [line.replace(old, new) for line in lines]


def first_row(change):
    """Change the first person's row."""
    def with_another(lines):
        row = json.loads(lines[2])
        change(row)
        return [*lines[:2], json.dumps(row).encode() + b"\n", *lines[3:]]
    return with_another


HOSTILE = {
    "a table of another name": replaced(b'{"table": "users"', b'{"table": "users (id) SELECT 1; --"'),
    "a table of the database's own": replaced(b'{"table": "users"', b'{"table": "sqlite_master"'),
    "a table that is a list": replaced(b'{"table": "users"', b'{"table": ["users"]'),
    "a column of another name": replaced(b'"username_key"', b'"password) VALUES (1); --"'),
    "a column that is a number": replaced(b'"username_key"', b"1"),
    "a column that is a list": replaced(b'"username_key"', b'["username_key"]'),
    "a column twice": replaced(b'"username_key"', b'"username"'),
    "columns that are text": replaced(b'"columns": [', b'"columns": "'),
    "no header": lambda lines: [lines[0], *lines[2:]],
    "a table twice": lambda lines: [lines[0], lines[1], *lines[1:]],
    "tables in another order": lambda lines: [lines[0], *lines[-3:-1], *lines[1:-3], lines[-1]],
    "a row after the end": lambda lines: [*lines, lines[2]],
    "a row that is too long": first_row(lambda row: row.append(1)),
    "a row that is too short": first_row(lambda row: row.pop()),
    "a number that is text": first_row(lambda row: row.__setitem__(0, "1")),
    "a number that is true": first_row(lambda row: row.__setitem__(0, True)),
    "a number that is broken": first_row(lambda row: row.__setitem__(0, 1.5)),
    "a number that is too great": first_row(lambda row: row.__setitem__(0, 2**31)),
    "an id that means the next one": first_row(lambda row: row.__setitem__(0, 0)),
    "a text that is too long": first_row(lambda row: row.__setitem__(1, "x" * 65)),
    "a text that is a list": first_row(lambda row: row.__setitem__(1, ["x"])),
    "a text that is nothing": first_row(lambda row: row.__setitem__(1, None)),
    "half of a surrogate pair": first_row(lambda row: row.__setitem__(1, "\ud800")),
    "a NUL": first_row(lambda row: row.__setitem__(1, "a\0b")),
    "a 30th of February": first_row(lambda row: row.__setitem__(4, "2024-02-30 00:00:00.000")),
    "a time that is none": first_row(lambda row: row.__setitem__(4, "yesterday")),
    "a line that is a number": lambda lines: [lines[0], b"1\n", *lines[1:]],
    "a line that is nested": lambda lines: [lines[0], b"[" * 200_000 + b"]" * 200_000 + b"\n", *lines[1:]],
    "a number without end": lambda lines: [*lines[:2], b"[" + b"9" * 100_000 + b"]\n", *lines[2:]],
    "no JSON": lambda lines: [lines[0], b"DROP TABLE users\n", *lines[1:]],
    "no UTF-8": lambda lines: [*lines[:2], b'["\xff"]\n', *lines[2:]],
    "counts that are a list": lambda lines: [*lines[:-1], b'{"rows": []}\n'],
}


@pytest.fixture(scope="module")
def two_people(tmp_path_factory):
    """The lines of a backup of two people and a message."""
    folder = tmp_path_factory.mktemp("two")
    one = open_sqlite(folder)
    alice, bob = person(one), person(one)
    Sender(one).send(alice, bob)
    backup(one, folder / "file")
    one.engine.close()
    return lines_of(folder / "file")


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_somebody_made_is_refused_in_one_sentence(two_people, empty, tmp_path, kind):
    lines = HOSTILE[kind](two_people)
    assert lines != two_people
    (tmp_path / "file").write_bytes(gzip.compress(b"".join(lines)))
    with pytest.raises(BackupError) as told:
        restore(empty, tmp_path / "file")
    assert "\n" not in str(told.value) and str(told.value).endswith(".")
    assert not any(content(empty).values())


def test_the_file_before_somebody_changed_it(two_people, empty, tmp_path):
    (tmp_path / "file").write_bytes(gzip.compress(b"".join(two_people)))
    assert restore(empty, tmp_path / "file")["users"] == 2


@pytest.mark.parametrize("line", [b"0" * 1_000_000, b'["' + b"x" * 1_000_000, b"\n" * 1_000_000])
def test_a_small_file_that_unpacks_to_a_gigabyte_takes_little_memory(two_people, tmp_path, line):
    with gzip.open(tmp_path / "file", "wb") as file:
        file.writelines(two_people[:2])
        for _n in range(100):
            file.write(line)
    empty = open_sqlite(tmp_path)
    tracemalloc.start()
    with pytest.raises(BackupError):
        restore(empty, tmp_path / "file")
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    empty.engine.close()


def test_a_file_whose_packing_is_damaged_is_one_sentence(two_people, empty, tmp_path):
    packed = bytearray(gzip.compress(b"".join(two_people)))
    for place in range(12, len(packed)):
        damaged = packed.copy()
        damaged[place] ^= 0x55
        (tmp_path / "file").write_bytes(damaged)
        with pytest.raises(BackupError):
            restore(empty, tmp_path / "file")
    assert not any(content(empty).values())


# --- of an earlier version ------------------------------------------------------------------------------------------

FILE_OF_VERSION_1 = ROOT / "tests" / "schemas" / "version1.backup.jsonl"     # as the program of that time wrote it


def test_a_file_of_version_1_is_restored(empty, tmp_path):
    lines = FILE_OF_VERSION_1.read_bytes()
    (tmp_path / "file").write_bytes(gzip.compress(lines))
    counts = restore(empty, tmp_path / "file")
    rows, table = {}, None
    for line in map(json.loads, lines.splitlines()[1:-1]):
        if isinstance(line, dict):
            table = rows[line["table"]] = []
        else:
            table.append(tuple(line))
    assert counts == {name: len(rows[name]) for name in rows}
    rows["receipts"] = rows.pop("marks")
    restored = {table: [tuple(row.values())[:len(rows[table][0])] for row in content(empty)[table]] for table in rows if table != "name_endings"}
    assert all(rows.values()) and restored == {table: rows[table] for table in restored}, "columns that are newer have their defaults"
    assert [user.username for user in User.search(empty, "emile", 0)] == ["Émile"], "found by what is made anew"


def test_a_database_of_version_1_is_backed_up_as_it_is(database, empty, tmp_path):
    """Its own program restores the file."""
    old = open_sqlite(tmp_path / "old", prepare=create_filled) if database.name == "sqlite" else open_mariadb(
        type("Server", (), {"url": settings_of(database)["DATABASE_URL"].replace(database.engine.name, "chat")}), prepare=create_filled)
    before = shape(old)
    counts = backup(old, tmp_path / "file")
    assert shape(old) == before and [json.loads(line) for line in lines_of(tmp_path / "file")[:1]] == [{"format": "chat-backup-1"}]
    assert list(counts) == list(module.LAYOUTS[1]) == [json.loads(line)["table"] for line in FILE_OF_VERSION_1.read_text().splitlines()
                                                      if line.startswith('{"table"')]
    assert restore(empty, tmp_path / "file") == counts
    old.create_tables()
    name_index.complete(old)
    assert content(old) == content(empty) and all(content(empty)[table] for table in counts if table in content(empty))
    old.engine.close()


@pytest.mark.parametrize("damage", [
    lambda lines: [line.replace(b'"table": "marks"', b'"table": "receipts"') for line in lines],
    lambda lines: [line for line in lines if b'"name_endings"' not in line],
    lambda lines: [line.replace(b'"kind", "seq"', b'"seq"') for line in lines],
    lambda lines: [line.replace(b'"delivered", 3', b'"delivered", "3"') for line in lines],
    lambda lines: [line.replace(b"chat-backup-1", b"chat-backup-01") for line in lines]])
def test_a_file_of_version_1_that_somebody_made_is_refused(empty, tmp_path, damage):
    lines = FILE_OF_VERSION_1.read_bytes().splitlines(keepends=True)
    assert damage(lines) != lines
    (tmp_path / "file").write_bytes(gzip.compress(b"".join(damage(lines))))
    with pytest.raises(BackupError):
        restore(empty, tmp_path / "file")
    assert not any(content(empty).values())


def test_a_file_of_a_newer_version_is_one_sentence(two_people, empty, tmp_path):
    lines = [json.dumps({"format": f"chat-backup-{module.NEWEST + 1}"}).encode() + b"\n", *two_people[1:]]
    (tmp_path / "file").write_bytes(gzip.compress(b"".join(lines)))
    with pytest.raises(BackupError, match="was written by a newer version of the chat"):
        restore(empty, tmp_path / "file")


def test_every_table_has_its_place():
    assert module.NEWEST == migrations.newest()
    assert {*module.LAYOUTS[module.NEWEST], *backup_file.LEFT_OUT} == schema.tables(SCHEMA).keys()
    for version, layout in module.LAYOUTS.items():
        renamed = {backup_file.RENAMED.get(version, {}).get(table, table) for table in layout} - {None}
        assert renamed <= module.LAYOUTS[module.NEWEST].keys(), version


def test_a_backup_of_an_upgrade_that_is_not_finished_is_one_sentence(own_mariadb, tmp_path, capsys):
    own_mariadb.execute("UPDATE schema_migrations SET name = '0002_table_names', state = 'running'")
    own_mariadb.execute("INSERT INTO schema_migrations VALUES (1, '0001_first_tables', 'found', '2024-07-07 15:04:17.601')")
    assert module.main("backup", tmp_path / "file") == 1
    assert "is not finished" in capsys.readouterr().err and not (tmp_path / "file").exists()


def test_the_commands_leave_an_old_database_to_its_program(mariadb, tmp_path, monkeypatch):
    """`backup` before an upgrade, with the new program already in its place."""
    old = open_mariadb(mariadb, prepare=create_filled)
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    before = shape(old)
    assert "messages: 24." in command("backup", tmp_path / "file", **settings_of(old))
    assert shape(old) == before
    old.engine.close()


def test_from_the_embedded_mode_to_mariadb(start_server, arrive, server_mode_settings, tmp_path):
    """By the commands, from a server that runs to another one: people log in there and find what they wrote."""
    embedded = start_server()
    alice, bob = arrive(embedded), arrive(embedded)
    alice.tab().send(bob, "from the embedded mode")
    history = alice.history(bob)
    settings = {**server_mode_settings, "DATABASE_URL": server_mode_settings["DATABASE_URL"].replace("/chat", "/moved")}
    said = command("backup", tmp_path / "file", INSTANCE_PATH=embedded.directory.name)
    assert "people: 2, conversations: 1, messages: 1." in said
    command("restore", tmp_path / "file", **settings)
    moved = start_server(**settings)
    alice.url = bob.url = moved.url
    assert alice.log_in(PASSWORD).status_code == 302
    assert alice.history(bob) == history


def command(name, file, **settings):
    done = subprocess.run([sys.executable, "-m", "tools.backup", name, str(file)], cwd=ROOT, env={**os.environ, **settings},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout

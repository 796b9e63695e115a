"""The tables: one file for all engines, and an index for every question that the chat asks."""
import shutil
import sqlite3
import threading
import subprocess
import uuid

import pytest

from chat.accounts import name_index, usernames
from chat.conversations import members, mentions, receipts, room_list
from chat.clock import now
from chat.conversations.conversation import Conversation
from chat.conversations.file import MAX_PAGE, File
from chat.conversations.conversation_list import list_conversations, search_people
from chat.conversations.gate import Gate
from chat.storage.database import SCHEMA
from chat.conversations.message import EVERYBODY, Message
from chat.conversations.room import Room
from chat.accounts.user import User
from chat.conversations.batch_writer import Pending
from chat.conversations.change import DELETE, EDIT, PIN, REACT, UNPIN, UNREACT, Change, pinned
from chat.conversations.change_writer import ChangeWriter
from tests.databases import Sender, database, draft, person  # noqa: F401
from tests.people import Person

LARGE = {"users", "username_suffixes", "username_sort_keys", "username_skeletons", "conversations", "members", "messages", "receipts",
         "mentions", "changes", "reactions", "pins", "files", "message_files"}
ALL = LARGE | {"schema_migrations", "content_removals"}
PEOPLE, PARTNERS, LONG = 1500, 60, 400     # people, conversations of one of them, messages in one conversation
ROOMS, CROWD = 300, 900     # rooms, of which one person is in every second, and the members of the first one
FIRST_ROOM = 1_000_000      # its id
THEN = "2024-07-07 15:04:17.601"


def rows_of(database, sql, values, batch=1000):
    """Insert many rows; `sql` ends before VALUES."""
    values = list(values)
    for start in range(0, len(values), batch):
        part = values[start:start + batch]
        one = f"({', '.join(['%s'] * len(part[0]))})"
        database.insert(f"{sql} VALUES {', '.join([one] * len(part))}", [v for row in part for v in row], rows=len(part))


def crowd(database, first_id, how_many, prefix):
    """Store many people with their suffixes, as registering would; return their ids."""
    ids = range(first_id, first_id + how_many)
    name = {user_id: f"{prefix}{user_id}" for user_id in ids}
    rows_of(database, "INSERT INTO users (id, username, username_key, password, created_at)",
            [(i, name[i], name[i], "x", "2024-07-07 15:04:17.601") for i in ids])
    rows_of(database, "INSERT INTO username_suffixes (suffix, user_id)",
            sorted((name[i][start:], i) for i in ids for start in range(len(name[i]))))
    rows_of(database, "INSERT INTO username_sort_keys (sort_key, user_id)", [(usernames.sort_key(name[i]), i) for i in ids])
    rows_of(database, "INSERT INTO username_skeletons (skeleton, user_id)",
            [(skeleton, i) for i in ids for skeleton in usernames.skeletons(name[i])])
    return list(ids)


def talk(database, one, other, how_many):
    """Store a conversation of so many messages, written in turns."""
    conversation = Conversation.open_between(database, one, other)
    rows_of(database, "INSERT INTO messages (conversation_id, seq, sender_id, receiver_id, message, timestamp, client_id)",
            [(conversation.id, seq, *((one, other) if seq % 2 else (other, one)), f"message {seq}",
              "2024-07-07 15:04:17.601", uuid.uuid4().hex) for seq in range(1, how_many + 1)])
    rows_of(database, "INSERT INTO receipts (conversation_id, user_id, kind, seq, at)",
            [(conversation.id, user_id, kind, seq, "2024-07-07 15:04:17.601")
             for user_id in (one, other) for kind in ("delivered", "read") for seq in range(1, how_many, 2)])
    return conversation


def fill_rooms(database, me, ids):
    """Store many rooms with members, messages and mentions: `me` is in every second one, and the first one is large and long."""
    rooms = range(FIRST_ROOM, FIRST_ROOM + ROOMS)
    rows_of(database, "INSERT INTO conversations (id, kind, name, open, created_by, created_at)",
            [(room, "room", f"room {room}", int(room % 3 == 0), ids[0], THEN) for room in rooms])
    people = {room: [ids[(room + n) % len(ids)] for n in range(CROWD if room == FIRST_ROOM else 4)] for room in rooms}
    rows_of(database, "INSERT INTO members (conversation_id, user_id, role, joined_at)",
            [(room, user_id, "member" if n else "owner", THEN) for room in rooms
             for n, user_id in enumerate([*people[room], me] if room % 2 == 0 else people[room])])
    said = [(room, seq, people[room][seq % 4]) for room in rooms for seq in range(1, 1 + (LONG if room == FIRST_ROOM else 5))]
    rows_of(database, "INSERT INTO messages (conversation_id, seq, sender_id, message, timestamp, client_id)",
            [(room, seq, sender, f"message {seq}", THEN, uuid.uuid4().hex) for room, seq, sender in said])
    rows_of(database, "INSERT INTO mentions (user_id, conversation_id, seq, sender_id)",
            [(whom, room, seq, sender) for room, seq, sender in said for whom in (EVERYBODY, me, people[room][0]) if (seq + whom) % 3 == 0])


def fill_changes(database, ids):
    """Store changes of many messages, of some of them often, reactions to them and pins."""
    changes = [(room, number, 1 + number % 50, "react", ids[number % 9], uuid.uuid4().hex, THEN)
               for room in range(FIRST_ROOM, FIRST_ROOM + ROOMS) for number in range(1, 1 + (500 if room == FIRST_ROOM else 4))]
    rows_of(database, "INSERT INTO changes (conversation_id, number, seq, kind, actor_id, client_id, at)", changes)
    database.execute("UPDATE messages SET last_change = COALESCE((SELECT MAX(number) FROM changes c"
                     " WHERE c.conversation_id = messages.conversation_id AND c.seq = messages.seq), 0) WHERE conversation_id >= %s", (FIRST_ROOM,))
    places = sorted({(room, seq) for room, _number, seq, *_rest in changes})
    rows_of(database, "INSERT INTO reactions (conversation_id, seq, user_id, emoji, at)",
            [(*place, ids[n], emoji, THEN) for place in places for n in range(3) for emoji in ("👍", "🎉")])
    rows_of(database, "INSERT INTO pins (conversation_id, seq, user_id, at)", [(*place, ids[0], THEN) for place in places[::2]])


def fill_files(database, ids):
    """Store files of many people, one with each message of the large room and many elsewhere, and some that no message holds."""
    held = range(1, 2000)
    rows_of(database, "INSERT INTO files (id, user_id, client_id, hash, name, type, size, created_at, unheld_since)",
            [(number, ids[number % 9], uuid.uuid4().hex, f"{number // 2:064x}", f"file {number}", "text/plain", 10, THEN, None if number in held else THEN)
             for number in range(1, 2100)])
    rows_of(database, "INSERT INTO message_files (conversation_id, seq, position, file_id)",
            [(FIRST_ROOM, number, 0, number) if number <= LONG else (FIRST_ROOM + 1 + number % (ROOMS - 1), 1, number // (ROOMS - 1), number) for number in held])
    database.execute("UPDATE messages SET files = 1 WHERE conversation_id >= %s AND EXISTS (SELECT 1 FROM message_files l"
                     " WHERE l.conversation_id = messages.conversation_id AND l.seq = messages.seq)", (FIRST_ROOM,))


@pytest.fixture(scope="module")
def town(database):
    """A filled database and, in it, `me` who talks with many, at length with the first."""
    me = person(database, "me in the town")
    ids = crowd(database, 1000, PEOPLE, "citizen")
    for number, other_id in enumerate(ids[:PARTNERS]):
        talk(database, me.id, other_id, 5 if number else LONG)
    for one, other in zip(ids[PARTNERS::2], ids[PARTNERS + 1::2]):
        talk(database, one, other, 3)
    fill_rooms(database, me.id, ids)
    fill_changes(database, ids)
    fill_files(database, ids)
    if database.name == "mariadb":
        for table in LARGE:
            database.query(f"ANALYZE TABLE {table}")
    else:
        database.execute("ANALYZE")
    database.me, database.ids = me, ids
    return database


def every_question(database):
    """Drive the nouns through all they can ask; return {statement: parameters}."""
    me, ids = database.me, database.ids
    database.statements.clear()
    every_question_of_rooms(database, me)
    every_question_of_changes(database, me)
    every_question_of_files(database, me)
    User.by_id(database, me.id)
    User.named(database, "CITIZEN1003")
    User.named(database, "NOBODY")
    name_index.is_taken(database, "CITIZEN1003")
    name_index.complete(database)
    person(database)
    for after in (None, ids[3]):
        User.search(database, "zen10", me.id, after)
        search_people(database, me.id, "zen10", after)
    for after in (None, ids[3], ids[-1]):
        list_conversations(database, me.id, after)
    conversation = Conversation.between(database, me.id, ids[0])
    conversation.last_numbers(database)
    conversation.read_seqs(database)
    conversation.mark_read(database, me.id, 7)
    conversation.mark_delivered(database, me.id, LONG)
    receipts.of_message(database, Message.by_seq(database, conversation.id, 9))
    for bounds in ({}, {"before": 100}, {"after": 100}, {"after": 100, "before": 200}):
        Message.page(database, conversation.id, **bounds)
    Message.since_id(database, Message.highest_id(database) - 3)
    sender, again = Sender(database), draft(me, Citizen(ids[-1]))
    for _time in range(2):      # a new conversation, then a resend
        sender.writer.store(again)
    return dict(database.statements)


def every_question_of_rooms(database, me):
    """Ask all that is asked of rooms, by a member of the large one."""
    room, gate, conversation = Room.by_id(database, FIRST_ROOM), Gate(database), Conversation(FIRST_ROOM)
    access = gate.to_room(me, room.id)
    page = room_list.list_rooms(database, me.id)
    assert len(page) == room_list.PAGE and sum(summary.unread for summary in page) > 0 and sum(summary.mentions for summary in page) > 0
    room_list.list_rooms(database, me.id, page[-1].last.id)
    assert room_list.summary(database, me.id, room.id).unread == room_list.MAX_UNREAD
    for after in (0, FIRST_ROOM + 30):
        assert len(room_list.open_rooms(database, me.id, after)) > 10
    first = members.people(database, room.id)
    assert len(first) == members.PAGE == len(members.people(database, room.id, first[-1].id))
    assert room.id in members.room_ids(database, [me.id, *database.ids[:200]])[me.id]
    assert mentions.find(database, access, f"@{first[0].username} and @nobody of that name, @{first[1].username}")
    conversation.mark_read(database, me.id, 3)
    conversation.read_seqs(database)
    conversation.read_seq_of(database, me.id)
    receipts.of_message(database, Message.by_seq(database, room.id, 9))
    for bounds in ({}, {"before": 100}, {"after": 100}):
        Message.page(database, room.id, **bounds)
    members.set_notify(database, room.id, me.id, members.ALL)
    members.set_role(database, room.id, first[1].id, members.OWNER)
    assert members.count(database, room.id) == CROWD + 1
    Sender(database).writer.store(Message.draft(me, None, "hello", uuid.uuid4().hex, room.id))


def every_question_of_changes(database, me):
    """Ask all that is asked of messages that have changed, and change one in every way."""
    room = Conversation(FIRST_ROOM)
    assert room.last_numbers(database) == (LONG + 1, 500) and room.numbers_and_unread_from(database, me.id) == (LONG + 1, 500, 0)
    assert len(Change.changed_since(database, room.id, 400, 200)) == 50
    assert len(pinned(database, room.id)) == 25
    message = Message.by_seq(database, room.id, 9)
    for look in (Change.last_edit, Change.first_deletion, lambda *of: Change.of_text_after(*of, 0)):
        look(database, message)
    Change.since_id(database, Change.highest_id(database) - 3)
    room.mark_unread(database, me.id, 2)
    reply = Message.draft(me, None, "yes", uuid.uuid4().hex, room.id)
    reply.reply_to = 7
    stored = Sender(database).writer.store(reply)
    assert Message.by_seq(database, room.id, stored.seq).quote.seq == 7
    writer = ChangeWriter(database, lambda change, sid: None, threading.Event, None)
    again = [Change(room.id, stored.seq, kind, me.id, uuid.uuid4().hex, emoji="👍", text="no", mentions=((me.id, 0, 1),))
             for kind in (REACT, EDIT, PIN, UNREACT, UNPIN, DELETE)]
    for change in [*again, *again]:
        writer.store(change)


def every_question_of_files(database, me):
    """Ask all that is asked of files but the sum of all, which is believed for a minute; upload one, send it, delete the message."""
    file = File(me.id, uuid.uuid4().hex, "f" * 64, "plan", "text/plain", 5, created_at=now())
    file.insert(database)
    assert File.by_id(database, file.id) == File.by_client_id(database, me.id, file.client_id) == file
    assert File.usage(database, me.id)[:2] == (5, 5) and File.with_hash(database, file.hash) and not File.with_hash(database, file.hash, file.id)
    draft = Message.draft(me, None, "", uuid.uuid4().hex, FIRST_ROOM, has_files=True)
    draft.files, draft.file_count = File.claim(database, me.id, [file.id]), 1
    stored = Sender(database).writer.store(draft)
    [told] = Message.by_seq(database, FIRST_ROOM, stored.seq).files
    assert told.id == file.id and told.is_shown_to(database, me.id)
    for before in (None, 200):
        assert len(File.page(database, FIRST_ROOM, before)) == MAX_PAGE - 1
    writer = ChangeWriter(database, lambda change, sid: None, threading.Event, None)
    writer.store(Change(FIRST_ROOM, stored.seq, DELETE, me.id, uuid.uuid4().hex))
    due = File.due(database, 10)
    assert len(due) == 10 and due[0].is_due(database) and due[0].delete(database)
    assert not File.release(database, me.id, "no such upload")


class Citizen:
    def __init__(self, user_id):
        self.id = user_id


@pytest.mark.slow
def test_it_works(town):
    questions = every_question(town)
    reads = {sql: params for sql, params in questions.items() if sql.lstrip().startswith("SELECT")}
    assert len(reads) >= 15
    assert {table for table in LARGE if any(table in sql for sql in reads)} == LARGE
    check = plan_of_sqlite if town.name == "sqlite" else plan_of_mariadb
    for sql, params in questions.items():
        if sql.lstrip().startswith(("SELECT", "UPDATE")):
            check(town, sql, params)


@pytest.mark.slow
def test_a_question_without_an_index_is_noticed(town):
    check = plan_of_sqlite if town.name == "sqlite" else plan_of_mariadb
    for sql in ("SELECT id FROM messages WHERE message = %s", "SELECT id FROM users WHERE username = %s",
                "SELECT id FROM users WHERE password = %s ORDER BY created_at"):
        with pytest.raises(AssertionError):
            check(town, sql, ("x",))


def plan_of_sqlite(database, sql, params):
    """Check that each large table is searched by an index; a page of users by name may walk along one."""
    small = {"n", "CONSTANT", *(["c"] if ") c" in sql else [])}      # derived tables, and no tables
    for row in database.query(f"EXPLAIN QUERY PLAN {sql}", params):
        step = row["detail"]
        if "c.open = 1" in sql and " c " in step:      # of all conversations the rooms alone
            assert "lower_id=? AND higher_id=?" in step or "higher_id=? AND lower_id=?" in step, (step, sql)
        if step.startswith("SCAN"):
            assert "USING INDEX" in step or "COVERING INDEX" in step or step.split()[1] in small, (step, sql)
            walks_for_a_page = "LIMIT" in sql and "ORDER BY" in sql
            assert "INDEX" not in step or walks_for_a_page, (step, sql)


def plan_of_mariadb(database, sql, params):
    """Check that each large table is reached by an index, and that nothing is sorted but what an index has picked."""
    for row in database.query(f"EXPLAIN {sql}", params):
        if row["table"] is None or row["table"].startswith(("<derived", "<union", "<subquery")):
            continue        # a derived table holds one page of rows, or the conversations of one person
        assert row["type"].split("|")[0] in ("const", "eq_ref", "ref", "ref_or_null", "range", "index", "index_merge"), (row, sql)
        assert row["key"], (row, sql)
        if row["table"] == "c" and "c.open = 1" in sql:     # of all conversations the rooms alone
            assert row["type"] in ("ref", "range") and row["key"] in ("lower_id", "higher_id"), (row, sql)
        if row["table"] == "f":     # the other suffixes of one name
            assert row["key"] == "user_id", (row, sql)
        if row["type"] == "index":      # walks along an index, as far as a page goes
            assert "LIMIT" in sql and int(row["rows"]) <= 500, (row, sql)
        most = members.MAX_MEMBERS if row["table"] == "m" else PEOPLE / 3       # a page of a room's members is picked from all of them
        assert "filesort" not in (row["Extra"] or "") or int(row["rows"]) <= most, (row, sql)


# --- the file --------------------------------------------------------------------------------------------------


def test_it_is_imported_by_hand_and_again(mariadb, start_server):
    name = f"by_hand_{uuid.uuid4().hex[:8]}"
    with mariadb.connect() as root, root.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")       # with the server's own character set, as phpMyAdmin may
    client = shutil.which("mariadb") or shutil.which("mysql")
    for _time in range(2):
        done = subprocess.run([client, "--no-defaults", "-h127.0.0.1", f"-P{mariadb.port}", "-uroot", name],
                              input=SCHEMA.read_bytes(), capture_output=True)
        errors = [line for line in done.stderr.splitlines() if not line.startswith(b"WARNING: ")]   # of a login without a password, from MariaDB 11.4 on
        assert (done.returncode, errors) == (0, [])
    server = start_server(DATABASE_URL=mariadb.url.replace("/chat", f"/{name}"), SECRET_KEY="x" * 32)
    alice, bob = Person(server.url), Person(server.url)
    assert (alice.register().status_code, bob.register().status_code) == (302, 302)
    assert alice.send(bob, "🎉 é").json()["message"] == "🎉 é"


def test_every_table_of_mysql_is_utf8mb4_and_innodb(mariadb, database):
    if database.name == "mariadb":
        rows = database.query("SELECT engine, table_collation AS collation FROM information_schema.tables"
                              " WHERE table_schema = %s", (database.engine.name,))
        assert [tuple(row.values()) for row in rows] == [("InnoDB", "utf8mb4_bin")] * len(ALL)


def test_the_tables_are_made_once_and_kept(database):
    person(database, "somebody who stays")
    database.create_tables()
    assert User.named(database, "somebody who stays")


def test_sqlite_reads_the_file_as_it_is(tmp_path):
    with sqlite3.connect(tmp_path / "by hand.sqlite3") as connection:
        for _time in range(2):
            connection.executescript(SCHEMA.read_text(encoding="utf-8"))
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert tables == ALL


# --- how many statements -----------------------------------------------------------------------------------------


def test_a_full_batch_is_one_statement(database):
    author, receivers = person(database), [person(database) for _n in range(20)]
    sender = Sender(database)
    for receiver in receivers:
        sender.send(author, receiver)
    batch = waiting(sender, [draft(author, receiver) for receiver in receivers for _n in range(5)])
    [(insert, _params)] = database.asked_by(sender.writer._commit, batch)
    assert insert.startswith("INSERT INTO messages")
    assert [w.stored.seq for w in batch[:5]] == [2, 3, 4, 5, 6]


def test_a_refused_batch_costs_the_same_for_one_conversation_and_for_many(database):
    counts = []
    for how_many in (1, 20):
        author, receivers = person(database), [person(database) for _n in range(how_many)]
        slow, fast = Sender(database), Sender(database)
        for sender in (slow, fast):
            for receiver in receivers:
                sender.send(author, receiver)
        batch = waiting(slow, [draft(author, receiver) for receiver in receivers])
        counts.append(len(database.asked_by(slow.writer._commit, batch)))
        assert {w.stored.seq for w in batch} == {3}
    assert counts == [4, 4], "the refused INSERT, the resends, where things stand, the INSERT"


def waiting(sender, drafts):
    return [Pending(one, None, sender.writer.new_event()) for one in drafts]


@pytest.mark.slow
@pytest.mark.parametrize("ask", [
    lambda db, me, other: list_conversations(db, me),
    lambda db, me, other: search_people(db, me, "e"),
    lambda db, me, other: Message.page(db, Conversation.between(db, me, other).id),
    lambda db, me, other: User.search(db, "e", me)])
def test_a_page_costs_the_same_number_of_statements_whatever_its_size(town, ask):
    me, ids = town.me.id, town.ids
    for one, other in ((me, ids[0]), (ids[PARTNERS], ids[PARTNERS + 1])):
        assert 1 <= len(town.asked_by(ask, town, one, other)) <= 3

"""The database dies, refuses, is full, is locked, or its answer is lost."""
import contextlib
import sqlite3
import time
import uuid

from .. import namespace
from .registry import BESIDES, BOTH, SERVER, TAIL_SECONDS, fault

HELD_SECONDS = 2.5          # longer than the chat waits for a lock
REFUSING_SECONDS = 2
FULL_SECONDS = 3
LONG_TEXT = "x" * 3_900     # characters: fills a small disk
WAIT_SECONDS = 5


@fault("database restarted", SERVER)
def restarted(world):
    world.mariadb.restart()
    world.wait_until_ready()


@fault("database killed", SERVER)
def killed(world):
    world.mariadb.kill()
    time.sleep(world.dice.random())
    world.mariadb.start()
    world.wait_until_ready()


@fault("COMMIT with a lost answer", SERVER)
def answer_lost(world):
    happened = world.database_proxy.lose_answer(b"INSERT INTO messages")
    world.anna.write(world.accounts["bert"].id)
    happened.wait(WAIT_SECONDS)


@fault("database read-only", SERVER)
def read_only(world):
    with world.mariadb.connect() as root, root.cursor() as cursor:
        cursor.execute("SET GLOBAL read_only = 1")
        try:
            time.sleep(REFUSING_SECONDS)
            expect_history(world, "read-only")
        finally:
            cursor.execute("SET GLOBAL read_only = 0")


@fault("database full", BOTH, needs=lambda world: world.has_small_disk)
def full(world):
    namespace.fill(world.disk)
    try:
        until = time.monotonic() + FULL_SECONDS
        while time.monotonic() < until:
            for peer_id in world.anna.peers:
                world.anna.write(peer_id, LONG_TEXT)
            time.sleep(0.05)
        expect_history(world, "full")
    finally:
        namespace.free(world.disk)
    world.wait_until_ready()


@fault("database locked")
def locked(world):
    """Another session holds what the next message of one conversation needs."""
    with hold_sqlite(world) if world.mode == "embedded" else hold_mariadb(world):
        time.sleep(HELD_SECONDS)
        expect_history(world, "locked")


@fault("a COMMIT beside ours, late", SERVER, times=BESIDES, catch_up=TAIL_SECONDS, is_quiet=True)
def late_commit(world):
    """Another process stores a message: its id is smaller than those that became visible before its COMMIT."""
    anna, bert, dirk = (world.accounts[name] for name in ("anna", "bert", "dirk"))
    with world.mariadb.connect(database="chat") as other, other.cursor() as cursor:
        conversation_id, seq = last_seq(cursor, anna, bert)
        client_id, text = uuid.uuid4().hex, "from another process"
        world.note_written(anna, bert, text, client_id, "another process")
        other.begin()
        cursor.execute("INSERT INTO messages (conversation_id, seq, sender_id, receiver_id, message, timestamp, client_id)"
                       " VALUES (%s, %s, %s, %s, %s, UTC_TIMESTAMP(3), %s)",
                       (conversation_id, seq + 1, anna.id, bert.id, text, client_id))
        world.anna.write(dirk.id)
        world.wait_for_calm()
        other.commit()
        world.note_acknowledged(anna, {"clientId": client_id, "seq": seq + 1}, "another process")


def last_seq(cursor, one, other):
    """Return (the id of the conversation, its last seq)."""
    cursor.execute("SELECT c.id, MAX(m.seq) FROM conversations c JOIN messages m ON m.conversation_id = c.id"
                   " WHERE c.lower_id = %s AND c.higher_id = %s GROUP BY c.id", sorted((one.id, other.id)))
    return cursor.fetchone()


@contextlib.contextmanager
def hold_sqlite(world):
    with contextlib.closing(sqlite3.connect(world.disk / "instance" / "chat.sqlite3", timeout=10)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


@contextlib.contextmanager
def hold_mariadb(world):
    with world.mariadb.connect(database="chat") as other, other.cursor() as cursor:
        conversation_id, _seq = last_seq(cursor, world.accounts["anna"], world.accounts["bert"])
        other.begin()
        cursor.execute("SELECT seq FROM messages WHERE conversation_id = %s ORDER BY seq DESC LIMIT 1 FOR UPDATE",
                       (conversation_id,))
        yield
        other.rollback()


def expect_history(world, state):
    """Reading goes on while nothing can be written."""
    answer = world.bert.person.get(f"/messages/{world.accounts['anna'].username}?limit=5")
    if answer.status_code != 200:
        world.record.note("breach", promise="P1", text=f"database {state}: the history was answered {answer.status_code}")

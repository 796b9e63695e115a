"""The database is killed, refuses to write, is full or locked, or its answer is lost."""
import contextlib
import sqlite3
import time
import uuid

from .. import namespace
from .registry import TIMES_RARE, BOTH, SERVER, HEARTBEAT_CATCH_UP_SECONDS, fault

HELD_SECONDS = 2.5          # longer than the chat's lock timeout
REFUSING_SECONDS = 2
FULL_SECONDS = 3
LONG_TEXT = "x" * 3_900     # characters; these messages fill a small disk
WAIT_SECONDS = 5


@fault("database restarted", SERVER)
def restarted(environment):
    environment.mariadb.restart()
    environment.wait_until_ready()


@fault("database killed", SERVER)
def killed(environment):
    environment.mariadb.kill()
    time.sleep(environment.rng.random())
    environment.mariadb.start()
    environment.wait_until_ready()


@fault("COMMIT with a lost answer", SERVER)
def answer_lost(environment):
    happened = environment.database_proxy.lose_answer(b"INSERT INTO messages")
    environment.anna.write(environment.accounts["bert"].id)
    happened.wait(WAIT_SECONDS)


@fault("database read-only", SERVER)
def read_only(environment):
    with environment.mariadb.connect() as root, root.cursor() as cursor:
        cursor.execute("SET GLOBAL read_only = 1")
        try:
            time.sleep(REFUSING_SECONDS)
            expect_history(environment, "read-only")
        finally:
            cursor.execute("SET GLOBAL read_only = 0")


@fault("database full", BOTH, needs=lambda environment: environment.has_small_disk)
def full(environment):
    namespace.fill(environment.disk)
    try:
        until = time.monotonic() + FULL_SECONDS
        while time.monotonic() < until:
            for peer_id in environment.anna.peers:
                environment.anna.write(peer_id, LONG_TEXT)
            time.sleep(0.05)
        expect_history(environment, "full")
    finally:
        namespace.free(environment.disk)
    environment.wait_until_ready()


@fault("database locked")
def locked(environment):
    """Another session holds the lock that the next message of one conversation needs."""
    with hold_sqlite(environment) if environment.mode == "embedded" else hold_mariadb(environment):
        time.sleep(HELD_SECONDS)
        expect_history(environment, "locked")


@fault("a late COMMIT of another process", SERVER, times=TIMES_RARE, catch_up=HEARTBEAT_CATCH_UP_SECONDS, is_quiet=True)
def late_commit(environment):
    """Another process stores a message and commits late: ids that are larger than its own are visible before it."""
    anna, bert, dirk = (environment.accounts[name] for name in ("anna", "bert", "dirk"))
    with environment.mariadb.connect(database="chat") as other, other.cursor() as cursor:
        conversation_id, seq = last_seq(cursor, anna, bert)
        client_id, text = uuid.uuid4().hex, "from another process"
        environment.note_written(anna, bert, text, client_id, "another process")
        other.begin()
        cursor.execute("INSERT INTO messages (conversation_id, seq, sender_id, receiver_id, message, timestamp, client_id)"
                       " VALUES (%s, %s, %s, %s, %s, UTC_TIMESTAMP(3), %s)",
                       (conversation_id, seq + 1, anna.id, bert.id, text, client_id))
        environment.anna.write(dirk.id)
        environment.wait_until_sent()
        other.commit()
        environment.note_acknowledged(anna, {"clientId": client_id, "seq": seq + 1}, "another process")


def last_seq(cursor, one, other):
    """Return (the id of the conversation, its last seq)."""
    cursor.execute("SELECT c.id, MAX(m.seq) FROM conversations c JOIN messages m ON m.conversation_id = c.id"
                   " WHERE c.lower_id = %s AND c.higher_id = %s GROUP BY c.id", sorted((one.id, other.id)))
    return cursor.fetchone()


@contextlib.contextmanager
def hold_sqlite(environment):
    with contextlib.closing(sqlite3.connect(environment.disk / "instance" / "chat.sqlite3", timeout=10)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


@contextlib.contextmanager
def hold_mariadb(environment):
    with environment.mariadb.connect(database="chat") as other, other.cursor() as cursor:
        conversation_id, _seq = last_seq(cursor, environment.accounts["anna"], environment.accounts["bert"])
        other.begin()
        cursor.execute("SELECT seq FROM messages WHERE conversation_id = %s ORDER BY seq DESC LIMIT 1 FOR UPDATE",
                       (conversation_id,))
        yield
        other.rollback()


def expect_history(environment, state):
    """The history can be read while nothing can be written."""
    answer = environment.bert.person.get(f"/messages/{environment.accounts['anna'].username}?limit=5")
    if answer.status_code != 200:
        environment.note_violation("P1", f"database {state}: the history was answered {answer.status_code}")

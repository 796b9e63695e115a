"""Database: one method to ask and one to change, alike over SQLite and MariaDB, and what happens when they go away."""
import contextlib
import itertools
import sqlite3
import threading
import time

import pymysql
import pytest

from chat import clock
from chat.storage import mysql, pool, sqlite
from chat.storage.database import Database, MySQLEngine, SQLiteEngine
from chat.errors import Duplicate, Invalid, Locked, Unavailable
from tests import services
from tests.databases import PATIENCE, BackgroundCall, beside, call, database, open_mariadb  # noqa: F401
from tests.waiting import wait_for

BACK = 15       # seconds in which the database serves again after it has returned
INSERT = "INSERT INTO users (username, username_key, password, created_at) VALUES (%s, %s, 'x', %s)"
MEMBER = "INSERT INTO members (conversation_id, user_id) VALUES (%s, %s)"
MEMBERS = "SELECT user_id FROM members WHERE conversation_id = %s ORDER BY user_id"


@pytest.fixture(scope="module")
def own_mariadb():
    """A server that these tests may stop, kill and freeze."""
    with services.MariaDB() as server:
        yield server


def stamp():
    return clock.to_db(clock.now())


def test_it_works(database):
    created_at = stamp()
    [new_id] = database.insert(INSERT, ("Zoé 🎉", "zoé 🎉", created_at), rows=1)
    rows = database.query("SELECT id, username, created_at FROM users WHERE username_key = %s", ("zoé 🎉",))
    assert rows == [{"id": new_id, "username": "Zoé 🎉", "created_at": created_at}]


def test_a_row_becomes_what_the_callback_makes_of_it(database):
    assert database.query("SELECT %s AS a, %s AS b", (1, "two"), lambda row: (row["b"], row["a"])) == [("two", 1)]


def test_a_unique_constraint_raises_duplicate_and_the_database_goes_on(database):
    database.execute(MEMBER, (1, 1))
    for _time in range(3):
        with pytest.raises(Duplicate):
            database.execute(MEMBER, (1, 1))
    assert database.query(MEMBERS, (1,)) == [{"user_id": 1}]


def test_half_a_surrogate_pair_is_refused_before_the_engine_sees_it(database):
    half = "a\ud800"
    for refused in (lambda: database.query("SELECT %s AS a", (half,)), lambda: database.execute(INSERT, (half, half, stamp())),
                    lambda: database.insert(INSERT, (half, half, stamp()), rows=1),
                    lambda: database.transaction([(MEMBER, (9, 1)), (INSERT, (half, half, stamp()))])):
        with pytest.raises(Invalid, match="cannot be saved"):
            refused()
    assert database.query(MEMBERS, (9,)) == []


def test_a_transaction_is_stored_whole_or_not_at_all(database):
    with pytest.raises(Duplicate):
        database.transaction([(MEMBER, (2, 1)), (MEMBER, (2, 2)), (MEMBER, (2, 1))])
    assert database.query(MEMBERS, (2,)) == []
    assert beside(database).query(MEMBERS, (2,)) == []
    assert database.transaction([(MEMBER, (2, 1)), (MEMBER, (2, 2))]) == 1
    assert len(beside(database).query(MEMBERS, (2,))) == 2


def test_execute_returns_how_many_rows_a_where_found(database):
    database.transaction([(MEMBER, (3, 1)), (MEMBER, (3, 2))])
    assert database.execute("UPDATE members SET read_seq = 0 WHERE conversation_id = 3") == 2
    assert database.execute("UPDATE members SET read_seq = 0 WHERE conversation_id = 4") == 0


@pytest.mark.parametrize("value", [{"$gt": ""}, ["a", "b"], True, 1.5, ("a",), {1}])
def test_what_is_not_one_plain_value_is_refused_before_it_reaches_the_database(database, value):
    for ask in (database.query, database.execute, lambda *what: database.insert(*what, rows=1)):
        with pytest.raises(TypeError):
            ask("SELECT 1 FROM users WHERE username = %s", (value,))


def test_a_literal_percent_sign(database):
    assert database.query("SELECT 'a%%' AS a, %s AS b", ("%s",)) == [{"a": "a%", "b": "%s"}]


def test_what_is_equal_is_decided_by_python_alone(database):
    for key in ("équal", "equal", "EQUAL"):
        database.insert(INSERT, (key, key, stamp()), rows=1)
    assert len(database.query("SELECT id FROM users WHERE username_key = %s", ("equal",))) == 1


def test_a_change_is_read_at_once_by_everybody(database):
    other = beside(database)
    assert other.query(MEMBERS, (5,)) == []
    database.execute(MEMBER, (5, 1))
    assert other.query(MEMBERS, (5,)) == [{"user_id": 1}]


def insert_three(database):
    """Insert three rows in one statement; return their ids after checking that each names its row."""
    ids = database.insert(INSERT.partition("VALUES")[0] + "VALUES " + ", ".join(["(%s, %s, 'x', %s)"] * 3),
                          [value for name in ("c", "a", "b") for value in (name, f"ids {name}", stamp())], rows=3)
    names = {row["id"]: row["username"] for row in database.query("SELECT id, username FROM users")}
    assert [names[new_id] for new_id in ids] == ["c", "a", "b"]
    return list(ids)


def test_new_ids_are_those_of_the_rows_in_order(database):
    first, *_rest = ids = insert_three(database)
    assert ids == [first, first + 1, first + 2]


def test_new_ids_in_a_cluster_of_three(mariadb):
    with mariadb.connect() as root, root.cursor() as cursor:
        cursor.execute("SET GLOBAL auto_increment_increment = 3, GLOBAL auto_increment_offset = 2")
        try:
            cluster = open_mariadb(mariadb)
            first, *_rest = ids = insert_three(cluster)
        finally:
            cursor.execute("SET GLOBAL auto_increment_increment = 1, GLOBAL auto_increment_offset = 1")
    assert ids == [first, first + 3, first + 6]
    cluster.engine.close()


@pytest.mark.slow
def test_many_threads_read_and_write_at_once(database):
    def work(number):
        for user_id in range(20):
            database.execute(MEMBER, (100 + number, user_id))
            assert len(database.query(MEMBERS, (100 + number,))) == user_id + 1
    for background_call in [BackgroundCall(lambda number=number: work(number)) for number in range(20)]:
        background_call.outcome()


# --- MySQL and MariaDB: the pool -------------------------------------------------------------------------------


def connections(server, database):
    """How many connections the server has for that database."""
    with server.connect() as root, root.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE db = %s", (database.engine.name,))
        return cursor.fetchone()[0]


def test_the_pool_is_bounded_and_nothing_leaks(mariadb):
    database, book = open_mariadb(mariadb), []     # 1 for each connection made, -1 for each thrown away
    connect = database.engine.pool.connect

    def connect_and_note():
        connection = connect()
        close = connection._force_close

        def note_and_close():
            book.append(-1)
            close()
        connection._force_close = note_and_close
        book.append(1)
        return connection
    # Counted on this side: the server goes on listing a connection for a moment after its end.
    database.engine.pool.connect = connect_and_note

    def work():
        for _n in range(3):
            database.query("SELECT SLEEP(0.02)")
            with pytest.raises(TypeError):
                database.query("SELECT %s", ([],))
            with pytest.raises(pymysql.ProgrammingError):
                database.query("SELECT nonsense FROM nowhere")
    for background_call in [BackgroundCall(work) for _n in range(3 * pool.POOL_SIZE)]:
        background_call.outcome()
    assert 1 < max(itertools.accumulate(book)) <= pool.POOL_SIZE
    database.engine.close()
    assert sum(book) == 0
    wait_until(lambda: connections(mariadb, database) == 0)


def test_a_refused_row_costs_no_new_connection(mariadb):
    database = open_mariadb(mariadb)
    database.execute(MEMBER, (1, 1))
    before = database.query("SELECT CONNECTION_ID() AS id")
    with pytest.raises(Duplicate):
        database.transaction([(MEMBER, (1, 2)), (MEMBER, (1, 1))])
    assert database.query("SELECT CONNECTION_ID() AS id") == before
    assert database.query(MEMBERS, (1,)) == [{"user_id": 1}]
    database.engine.close()


def test_the_database_is_made_where_it_is_missing(mariadb):
    database = open_mariadb(mariadb)
    assert database.query("SELECT default_character_set_name AS name FROM information_schema.schemata"
                          " WHERE schema_name = %s", (database.engine.name,)) == [{"name": "utf8mb4"}]
    again = beside(database)
    again.engine.create_database()
    again.create_tables()
    database.engine.close()


# --- MySQL and MariaDB: locks -----------------------------------------------------------------------------------


def count_tries(database, statements):
    """Run them as a transaction; return the error and how often it was tried."""
    tries = []

    def work(cursor):
        tries.append(1)
        for sql, params in statements:
            cursor.execute(sql, params)
    try:
        database.engine.run(work, writes=2)
    except Exception as error:
        return error, len(tries)
    return None, len(tries)


@pytest.mark.slow
def test_a_locked_row_is_tried_three_times_and_others_go_on(mariadb):
    database = open_mariadb(mariadb)
    database.execute(MEMBER, (1, 1))
    database.execute(MEMBER, (2, 1))
    change = "UPDATE members SET read_seq = 5 WHERE conversation_id = %s AND user_id = 1"
    with database.engine._connect() as holder:
        holder.begin()
        holder.cursor().execute(change, (1,))
        trying = BackgroundCall(lambda: count_tries(database, [(change, (1,))]))
        assert database.execute(change, (2,)) == 1
        assert database.query("SELECT read_seq FROM members WHERE conversation_id = 1") == [{"read_seq": 0}]
        error, tries = trying.outcome()
    assert isinstance(error, Locked) and tries == mysql.LOCK_ATTEMPTS == 3
    assert database.execute(change, (1,)) == 1, "free again"
    database.engine.close()


def test_the_victim_of_a_deadlock_tries_again(mariadb):
    database = open_mariadb(mariadb)
    for number in (1, 2):
        database.execute(MEMBER, (number, 1))
    change = "UPDATE members SET read_seq = read_seq + 1 WHERE conversation_id = %s"
    first_tries, meeting = [], threading.Barrier(2, timeout=10)

    def both(one, other):
        def work(cursor):
            cursor.execute(change, (one,))
            if len(first_tries) < 2:
                first_tries.append(1)
                meeting.wait()
            cursor.execute(change, (other,))
        return lambda: database.engine.run(work, writes=2)
    for background_call in [BackgroundCall(both(1, 2)), BackgroundCall(both(2, 1))]:
        background_call.outcome()
    assert [row["read_seq"] for row in database.query("SELECT read_seq FROM members")] == [2, 2]
    database.engine.close()


def test_a_locked_sqlite_file_is_read_and_not_written(tmp_path):
    path = str(tmp_path / "chat.sqlite3")
    database, holder = Database(SQLiteEngine(path, call)), SQLiteEngine(path, call)
    database.create_tables()
    holder.writer.execute("BEGIN IMMEDIATE")
    writing = BackgroundCall(lambda: database.execute(MEMBER, (1, 1)))
    assert database.query(MEMBERS, (1,)) == []
    with pytest.raises(Unavailable):
        writing.outcome()
    holder.writer.execute("ROLLBACK")
    assert database.execute(MEMBER, (1, 1)) == 1
    holder.close()
    database.engine.close()


def test_sqlite_is_read_while_a_change_waits_for_the_disk(tmp_path):
    writing, go_on = threading.Event(), threading.Event()

    def run_blocking(function, *arguments):
        writing.set()
        assert go_on.wait(10)
        return function(*arguments)
    database = Database(SQLiteEngine(str(tmp_path / "chat.sqlite3"), run_blocking))
    go_on.set()
    database.create_tables()
    go_on.clear()
    writing.clear()
    change = BackgroundCall(lambda: database.execute(MEMBER, (1, 1)))
    assert writing.wait(10)
    assert database.query(MEMBERS, (1,)) == []
    go_on.set()
    assert change.outcome() == 1
    database.engine.close()


class Disk:
    """A `run_blocking` that can be held: what comes meanwhile waits, and how often it was gone to is counted."""

    def __init__(self):
        self.is_free, self.is_asked, self.visits = threading.Event(), threading.Event(), 0
        self.is_free.set()

    def __call__(self, function, *arguments):
        self.visits += 1
        self.is_asked.set()
        assert self.is_free.wait(PATIENCE)
        return function(*arguments)


@pytest.fixture
def disk(tmp_path):
    """A held disk with one write on its way to it, and the database on it."""
    held = Disk()
    held.database = Database(SQLiteEngine(str(tmp_path / "chat.sqlite3"), held))
    held.database.create_tables()
    held.is_free.clear()
    held.is_asked.clear()
    held.first = BackgroundCall(lambda: held.database.execute(MEMBER, (1, 1)))
    assert held.is_asked.wait(PATIENCE)
    held.visits = 0
    yield held
    held.database.engine.close()


def write_behind(disk, works):
    """Have these done while the disk is held, in this order; then free it, and return a BackgroundCall for each."""
    calls = []
    for work in works:
        before = len(disk.database.engine.waiting)
        calls.append(BackgroundCall(work))
        assert wait_for(lambda before=before: len(disk.database.engine.waiting) > before, PATIENCE)
    disk.is_free.set()
    return calls


def test_writes_that_wait_for_sqlite_are_committed_together(disk):
    calls = write_behind(disk, [lambda n=n: disk.database.execute(MEMBER, (2, n)) for n in range(1, 31)])
    assert [call.outcome() for call in calls] == [1] * 30
    assert len(disk.database.query(MEMBERS, (2,))) == 30 and disk.visits == 1


def test_one_that_fails_takes_no_other_with_it(disk):
    def stumbles(cursor):
        cursor.execute("INSERT INTO members (conversation_id, user_id) VALUES (2, 7)")
        raise TypeError("half way")
    calls = write_behind(disk, [lambda: disk.database.execute(MEMBER, (2, 1)), lambda: disk.database.execute(MEMBER, (2, 1)),
                                lambda: disk.database.engine.run(stumbles, writes=1), lambda: disk.database.execute(MEMBER, (2, 2))])
    assert calls[0].outcome() == calls[3].outcome() == 1
    with pytest.raises(Duplicate):
        calls[1].outcome()
    with pytest.raises(TypeError, match="half way"):
        calls[2].outcome()
    assert [row["user_id"] for row in disk.database.query(MEMBERS, (2,))] == [1, 2] and disk.visits == 1


def test_what_ends_the_transaction_is_acknowledged_to_nobody(disk):
    def fills_the_disk(cursor):
        cursor.execute("ROLLBACK")      # as SQLite does by itself
        raise sqlite3.OperationalError("database or disk is full")
    calls = write_behind(disk, [lambda: disk.database.execute(MEMBER, (2, 1)), lambda: disk.database.engine.run(fills_the_disk, writes=1),
                                lambda: disk.database.execute(MEMBER, (2, 2))])
    for each in calls:
        with pytest.raises(Unavailable) as refused:
            each.outcome()
        assert "disk is full" in str(refused.value.__cause__)
    assert disk.database.query(MEMBERS, (2,)) == []
    assert disk.database.execute(MEMBER, (2, 1)) == 1


def test_a_transaction_that_cannot_begin_is_acknowledged_to_nobody(disk, tmp_path):
    holder = SQLiteEngine(str(tmp_path / "chat.sqlite3"), call)
    holder.writer.execute("BEGIN IMMEDIATE")
    calls = [disk.first, *write_behind(disk, [lambda n=n: disk.database.execute(MEMBER, (2, n)) for n in (2, 3)])]
    for each in calls:
        with pytest.raises(Unavailable):
            each.outcome()
    holder.writer.execute("ROLLBACK")
    holder.close()
    assert disk.database.query("SELECT * FROM members") == []


def test_more_than_fit_together_are_committed_one_batch_after_the_other(disk):
    count = sqlite.MAX_TOGETHER + 5
    calls = write_behind(disk, [lambda n=n: disk.database.execute(MEMBER, (2, n)) for n in range(1, count + 1)])
    assert [each.outcome() for each in calls] == [1] * count
    assert len(disk.database.query(MEMBERS, (2,))) == count and disk.visits == 2


# --- MySQL and MariaDB: away and back ---------------------------------------------------------------------------


def wait_until(holds, seconds=BACK):
    """Return how long it took until `holds()` was true."""
    start = time.monotonic()
    while not holds():
        assert time.monotonic() - start < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - start


def answers(database):
    try:
        return database.query("SELECT 1 AS one") == [{"one": 1}]
    except Unavailable:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_database_that_went_away_is_back_without_a_restart(own_mariadb, end):
    database = open_mariadb(own_mariadb)
    for background_call in [BackgroundCall(lambda: database.query("SELECT SLEEP(0.1)")) for _n in range(5)]:
        background_call.outcome()     # five connections that will be stale
    database.execute(MEMBER, (1, 1))
    getattr(own_mariadb, end)()
    for ask in (lambda: database.query("SELECT 1"), lambda: database.execute(MEMBER, (2, 2))):
        with pytest.raises(Unavailable):
            ask()
    own_mariadb.start()
    wait_until(lambda: answers(database))
    assert database.query(MEMBERS, (1,)) == [{"user_id": 1}]
    assert database.execute(MEMBER, (2, 2)) == 1
    database.engine.close()


@pytest.mark.slow
def test_connections_that_the_server_closed_are_not_used_again(own_mariadb, monkeypatch):
    database = open_mariadb(own_mariadb)
    for background_call in [BackgroundCall(lambda: database.query("SELECT SLEEP(0.1)")) for _n in range(5)]:
        background_call.outcome()
    with own_mariadb.connect() as root, root.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = 'root' AND id <> CONNECTION_ID()")
        for (connection_id,) in cursor.fetchall():
            with contextlib.suppress(pymysql.OperationalError):     # it has ended by itself
                cursor.execute(f"KILL {connection_id}")
    monkeypatch.setattr(mysql, "CHECK_INTERVAL", 0)
    assert answers(database)
    database.engine.close()


@pytest.mark.slow
def test_a_frozen_database_counts_as_away_and_keeps_nobody_long(own_mariadb, monkeypatch):
    monkeypatch.setattr(mysql, "CHECK_INTERVAL", 0)
    database = open_mariadb(own_mariadb)
    for background_call in [BackgroundCall(lambda: database.query("SELECT SLEEP(0.1)")) for _n in range(pool.POOL_SIZE)]:
        background_call.outcome()     # asking each of these whether it lives would take a timeout each
    own_mariadb.pause()
    start = time.monotonic()
    background_calls = [BackgroundCall(lambda: database.query("SELECT 1")) for _n in range(2 * pool.POOL_SIZE)]
    for background_call in background_calls:
        with pytest.raises(Unavailable):
            background_call.outcome()
    assert time.monotonic() - start < 3 * mysql.ANSWER_TIMEOUT + 1
    own_mariadb.resume()
    wait_until(lambda: answers(database))
    database.engine.close()


def test_a_connection_is_not_shared_by_two_threads(mariadb):
    database = open_mariadb(mariadb)

    def work(number):
        for _n in range(30):
            assert database.query("SELECT %s AS n", (number,)) == [{"n": number}]
    for background_call in [BackgroundCall(lambda number=number: work(number)) for number in range(30)]:
        background_call.outcome()
    database.engine.close()


def test_the_pool_survives_threads_that_race_for_its_last_connection():
    class Dead:
        def ping(self, reconnect):
            raise OSError

        def _force_close(self):
            pass
    engine = MySQLEngine("mysql://root@127.0.0.1/chat")

    def take():
        for _n in range(3000):
            engine.pool.idle.append((Dead(), 0))
            engine.pool._take_idle()
            engine.close()
    for background_call in [BackgroundCall(take) for _n in range(4)]:
        background_call.outcome()

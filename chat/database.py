"""Database, as the report's diagram has it: one method to ask, one to change, over MySQL, MariaDB or SQLite.

Queries are written once, in the SQL that all of them speak, with `%s` placeholders. What differs between the
engines is data: how to connect, how a placeholder looks, which exception means what.
"""
import contextlib
import functools
import logging
import re
import sqlite3
import threading
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pymysql
import pymysql.cursors
from pymysql.constants import CLIENT, FIELD_TYPE
from pymysql.converters import conversions

from config import ConfigError

from .errors import Duplicate, Unavailable
from .pool import ANSWER_TIMEOUT, LOCK_ERRORS, Pool

log = logging.getLogger(__name__)

SCHEMA = Path(__file__).parent.parent / "sql" / "schema.sql"

LOCK_TIMEOUT = 1            # second; waiting for another session's row lock
LOCK_TRIES = 3              # a deadlock's victim, or a lock that was not had in time, tries again
MYSQL_UNKNOWN_DATABASE = 1049

PARAMETER_TYPES = (str, int, bytes, type(None))


class Database:
    """Runs SQL on one engine and turns rows into objects.

    Raises Duplicate where a UNIQUE constraint refuses, and Unavailable where the engine does not answer.
    """

    def __init__(self, engine):
        self.engine = engine

    def query(self, sql, params=(), callback=dict):
        """Return the rows of a SELECT, each passed through `callback` as a dict of its columns."""
        def read(cursor):
            cursor.execute(self.engine.placeholders(sql), _checked(params))
            names = [column[0] for column in cursor.description]
            return [callback(dict(zip(names, row))) for row in cursor.fetchall()]
        return self.engine.run(read)

    def execute(self, sql, params=()):
        """Run one statement that changes rows, committed on return; return how many it changed."""
        return self.transaction([(sql, params)])

    def transaction(self, statements):
        """Run (sql, params) pairs all or nothing; return how many rows the last of them changed."""
        def write(cursor):
            for sql, params in statements:
                cursor.execute(self.engine.placeholders(sql), _checked(params))
            return cursor.rowcount
        return self.engine.run(write, writes=len(statements))

    def insert(self, sql, params, rows):
        """Run one INSERT of that many rows, committed on return; return their new ids in order."""
        def write(cursor):
            cursor.execute(self.engine.placeholders(sql), _checked(params))
            return self.engine.new_ids(cursor, rows)
        return self.engine.run(write, writes=1)

    def create_tables(self):
        """Run `sql/schema.sql`; tables that exist are left as they are."""
        schema = re.sub(r"--.*", "", SCHEMA.read_text(encoding="utf-8"))
        self.transaction([(statement, ()) for statement in schema.split(";") if statement.strip()])


class Locked(Unavailable):
    """Another session holds what the statement needs; whatever else the database has is free."""


def unavailable(error, kind=Unavailable):
    """Return what people are told; the driver's own words, which may name hosts and users, go to the log."""
    log.warning("the database does not answer: %s", error)
    return kind()


def _checked(params):
    """Refuse what the drivers would turn into something else than one plain value."""
    for value in params:
        if isinstance(value, bool) or not isinstance(value, PARAMETER_TYPES):
            raise TypeError(f"{type(value).__name__} is no SQL parameter")
    return tuple(params)


class SQLiteEngine:
    """One file, for the embedded mode.

    Reads are made directly: they take microseconds. Changes wait for the disk, so they are made in a real thread, one
    at a time, over a connection of their own; nobody else waits meanwhile.
    """

    def __init__(self, path, wait_for):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path, self.wait_for = path, wait_for
        self.reading, self.writing = threading.RLock(), threading.RLock()
        self.reader, self.writer = self._connect(path), self._connect(path)

    @staticmethod
    def _connect(path):
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=LOCK_TIMEOUT)
        # FULL: an acknowledged message outlives a power cut too, not only the end of the process.
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
        return connection

    @staticmethod
    @functools.lru_cache(maxsize=500)
    def placeholders(sql):
        return sql.replace("%s", "?").replace("%%", "%")

    @staticmethod
    def new_ids(cursor, rows):
        return range(cursor.lastrowid - rows + 1, cursor.lastrowid + 1)     # SQLite names the last one

    def run(self, work, writes=0):
        try:
            if writes:
                with self.writing:
                    return self.wait_for(self._write, work)
            with self.reading, contextlib.closing(self.reader.cursor()) as cursor:
                return work(cursor)
        except sqlite3.IntegrityError as error:
            raise Duplicate(str(error)) from error
        except sqlite3.OperationalError as error:
            raise unavailable(error) from error

    def _write(self, work):
        with contextlib.closing(self.writer.cursor()) as cursor:
            try:
                cursor.execute("BEGIN IMMEDIATE")
                result = work(cursor)
                cursor.execute("COMMIT")
                return result
            finally:
                if self.writer.in_transaction:
                    self.writer.rollback()

    @contextlib.contextmanager
    def snapshot(self):
        """Lend a cursor of its own, all of whose SELECTs see the same moment."""
        with contextlib.closing(self._connect(self.path)) as connection:
            connection.execute("BEGIN")
            yield connection.cursor()

    def close(self):
        self.reader.close()
        self.writer.close()


class MySQLEngine:
    """MySQL or MariaDB through PyMySQL, with a small pool that throws away what has failed."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.name = unquote(parts.path.strip("/")) or "chat"
        host = parts.hostname or "127.0.0.1"
        self.options = {
            "host": host, "port": parts.port or 3306,
            "user": unquote(parts.username or "root"), "password": unquote(parts.password or ""),
            "charset": "utf8mb4", "autocommit": True,
            "connect_timeout": ANSWER_TIMEOUT, "read_timeout": ANSWER_TIMEOUT, "write_timeout": ANSWER_TIMEOUT,
            "init_command": f"SET SESSION innodb_lock_wait_timeout={LOCK_TIMEOUT}, time_zone='+00:00'",
            # rowcount tells the rows that a WHERE found, as SQLite does, and not only those that it altered
            "client_flag": CLIENT.FOUND_ROWS,
            # a timestamp stays the text that SQLite gives too
            "conv": {kind: how for kind, how in conversions.items() if kind != FIELD_TYPE.DATETIME},
            # each TLS context costs 25 ms of CPU, and nobody listens on the loopback address
            "ssl_disabled": host in ("127.0.0.1", "localhost", "::1"),
        }
        self.pool = Pool(self._connect)

    @staticmethod
    def placeholders(sql):
        return sql

    @staticmethod
    def new_ids(cursor, rows):
        step = cursor.connection.id_step
        return range(cursor.lastrowid, cursor.lastrowid + rows * step, step)    # MySQL names the first one

    def run(self, work, writes=0):
        for last_try in (False,) * (LOCK_TRIES - 1) + (True,):
            try:
                with self.pool.connection() as connection, connection.cursor() as cursor:
                    if writes < 2:      # one statement is a transaction of its own
                        return work(cursor)
                    connection.begin()
                    result = work(cursor)
                    connection.commit()
                    return result
            except pymysql.IntegrityError as error:
                raise Duplicate(str(error)) from error
            except pymysql.OperationalError as error:
                if error.args[0] not in LOCK_ERRORS:
                    raise unavailable(error) from error
                if last_try:
                    raise unavailable(error, Locked) from error
            except (pymysql.InterfaceError, OSError) as error:
                raise unavailable(error) from error

    @contextlib.contextmanager
    def snapshot(self):
        """Lend a cursor of its own, all of whose SELECTs see the same moment; rows come as they are read."""
        with self._connect() as connection:
            connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            yield connection.cursor(pymysql.cursors.SSCursor)

    def _connect(self):
        connection = pymysql.connect(database=self.name, **self.options)
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@auto_increment_increment")     # 1, or the number of nodes in a cluster
            connection.id_step = cursor.fetchone()[0]
        return connection

    def create_database(self):
        """Make the database that the URL names if the server does not have it."""
        try:
            self._connect().close()
        except pymysql.OperationalError as error:
            if error.args[0] != MYSQL_UNKNOWN_DATABASE:
                raise
            with pymysql.connect(**self.options) as connection, connection.cursor() as cursor:
                name = self.name.replace("`", "``")
                cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4")

    def close(self):
        self.pool.clear()


def open_database(settings, wait_for):
    """Return the Database that the settings name, made with its tables where they are missing.

    `wait_for(function, *arguments)` runs what waits for a disk without keeping others waiting.
    Raises ConfigError with one sentence where it cannot be reached or used.
    """
    try:
        if settings["DATABASE_URL"]:
            engine = MySQLEngine(settings["DATABASE_URL"])
            engine.create_database()
        else:
            engine = SQLiteEngine(str(Path(settings["INSTANCE_PATH"]) / "chat.sqlite3"), wait_for)
        database = Database(engine)
        database.create_tables()
    except (Unavailable, pymysql.MySQLError, sqlite3.Error, OSError, ValueError) as error:
        cause = error.__cause__ or error
        raise ConfigError(f"The database cannot be used: {cause.args[-1] if cause.args else cause}") from error
    return database

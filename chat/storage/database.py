"""Database, as the report's diagram has it: one method to ask, one to change, over MySQL, MariaDB or SQLite.

Queries are written once, in the SQL that all of them speak, with `%s` placeholders. What differs between the
engines is data: how to connect, how a placeholder looks, which exception means what.
"""
import sqlite3
from pathlib import Path

import pymysql

from config import ConfigError

from ..errors import Unavailable
from . import migrations
from .mysql import MySQLEngine
from .sqlite import SQLiteEngine

SCHEMA = Path(__file__).parent.parent.parent / "sql" / "schema.sql"

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
        """Run one INSERT of that many rows, committed on return; return their new ids in order, None where only a look tells."""
        def write(cursor):
            cursor.execute(self.engine.placeholders(sql), _checked(params))
            return self.engine.new_ids(cursor, rows)
        return self.engine.run(write, writes=1)

    def create_tables(self):
        """Make the tables of `sql/schema.sql`, or bring those of an earlier version up to it; the rows stay.

        Raises ConfigError where they are somebody else's, or of a newer version.
        """
        migrations.bring_up(self.engine, SCHEMA)

    def look_at_version(self):
        """Return what `create_tables` would find, and change nothing: a migrations.Found. Raises ConfigError as it does."""
        return migrations.look(self.engine, SCHEMA)

    def bulk_load(self, batches):
        """Run the INSERTs that `batches` yields as (sql, params): all of them or, where one fails or it raises an error, none."""
        with self.engine.bulk_load() as cursor:
            for sql, params in batches:
                cursor.execute(self.engine.placeholders(sql), _checked(params))

    @property
    def max_statement_bytes(self):
        """How long an INSERT of several rows may be; the server of MySQL says what it takes."""
        return self.engine.max_statement_bytes


def _checked(params):
    """Refuse what the drivers would turn into something else than one plain value."""
    for value in params:
        if isinstance(value, bool) or not isinstance(value, PARAMETER_TYPES):
            raise TypeError(f"{type(value).__name__} is no SQL parameter")
    return tuple(params)


def open_database(settings, run_blocking, complete=lambda database: None, prepare=Database.create_tables):
    """Return the Database that the settings name, made where it is missing, with its tables as `prepare(database)` leaves them.

    `run_blocking(function, *arguments)` runs what waits for a disk without keeping others waiting; `complete(database)` makes
    the rows that tables of an older version lack.
    Raises ConfigError with one sentence where it cannot be reached or used.
    """
    try:
        if settings["DATABASE_URL"]:
            engine = MySQLEngine(settings["DATABASE_URL"])
            engine.create_database()
        else:
            engine = SQLiteEngine(str(Path(settings["INSTANCE_PATH"]) / "chat.sqlite3"), run_blocking)
        try:
            database = Database(engine)
            prepare(database)
            complete(database)
        except BaseException:
            engine.close()
            raise
    except (Unavailable, pymysql.MySQLError, sqlite3.Error, OSError, ValueError) as error:
        cause = error.__cause__ or error
        raise ConfigError(f"The database cannot be used: {cause.args[-1] if cause.args else cause}") from error
    return database

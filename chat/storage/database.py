"""Database, as in the report's diagram: one method to read and one to write, on MySQL, MariaDB or SQLite.

Queries are written once, in the SQL that all of them understand, with `%s` as placeholder. An engine knows the rest: how to
connect, what a placeholder looks like, and what each exception means.
"""
import sqlite3
from pathlib import Path

import pymysql

from config import ConfigError

from ..errors import Unavailable
from . import migrations
from .mysql import MySQLEngine
from .parameters import checked
from .sqlite import SQLiteEngine

SCHEMA = Path(__file__).parent.parent.parent / "sql" / "schema.sql"


class Database:
    """Runs SQL on one engine and turns rows into objects.

    Raises Duplicate if a UNIQUE constraint is violated, Unavailable if the engine does not answer, and Invalid for a text that no
    database stores.
    """

    def __init__(self, engine):
        self.engine = engine

    def query(self, sql, params=(), callback=dict):
        """Return the rows of a SELECT, each passed through `callback` as a dict of its columns."""
        params = checked(params)

        def read(cursor):
            cursor.execute(self.engine.placeholders(sql), params)
            names = [column[0] for column in cursor.description]
            return [callback(dict(zip(names, row))) for row in cursor.fetchall()]
        return self.engine.run(read)

    def execute(self, sql, params=()):
        """Run one statement that changes rows, and commit it. Return how many rows it has changed."""
        return self.transaction([(sql, params)])

    def transaction(self, statements):
        """Run (sql, params) pairs in one transaction. Return how many rows the last one has changed."""
        statements = [(sql, checked(params)) for sql, params in statements]

        def write(cursor):
            for sql, params in statements:
                cursor.execute(self.engine.placeholders(sql), params)
            return cursor.rowcount
        return self.engine.run(write, writes=len(statements))

    def insert(self, sql, params, rows, then=None):
        """Run one INSERT of `rows` rows, and commit it. Return their new ids in order, or None if only a SELECT would tell them.

        `then(ids)` returns (sql, params) pairs that belong to the same transaction.
        """
        params = checked(params)

        def write(cursor):
            cursor.execute(self.engine.placeholders(sql), params)
            ids = self.engine.new_ids(cursor, rows)
            for more_sql, more_params in then(ids) if then else ():
                cursor.execute(self.engine.placeholders(more_sql), checked(more_params))
            return ids
        return self.engine.run(write, writes=2 if then else 1)

    def create_tables(self):
        """Create the tables of `sql/schema.sql`, or upgrade those of an earlier version; their rows stay.

        Raises ConfigError if the tables are another program's, or of a newer version.
        """
        migrations.upgrade(self.engine, SCHEMA)

    def inspect_schema(self):
        """Return the migrations.SchemaState of the database. Raises ConfigError as `create_tables` does."""
        return migrations.inspect(self.engine, SCHEMA)

    def bulk_load(self, batches):
        """Run the INSERTs that `batches` yields as (sql, params), in one transaction."""
        with self.engine.bulk_load() as cursor:
            for sql, params in batches:
                cursor.execute(self.engine.placeholders(sql), checked(params))

    @property
    def max_statement_bytes(self):
        """How long an INSERT of several rows may be, in bytes. A server of MySQL has a limit of its own."""
        return self.engine.max_statement_bytes


def open_database(settings, run_blocking, complete=lambda database: None, prepare=Database.create_tables):
    """Return the Database that the settings name. It is created if it does not exist.

    `prepare(database)` sees to its tables, then `complete(database)` to rows that an older version did not store.
    `run_blocking(function, *arguments)` runs a function that waits for a disk, while the others go on.
    Raises ConfigError with one sentence if the database cannot be reached or used.
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

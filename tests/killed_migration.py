"""A process that brings a database up and is killed on the way: after the Nth statement that changes it.

Python starts and imports once, in a process that forks for each N (multiprocessing's `forkserver`).
"""
import contextlib
import multiprocessing
import os
import signal

import config
from chat.storage.database import Database, open_database
from chat.storage.mysql import MySQLEngine
from chat.storage.sqlite import SQLiteEngine

MAX_SECONDS = 60        # for one process


class KillingCursor:
    """A cursor that counts what is executed with it."""

    def __init__(self, cursor, left):
        self.cursor, self.left = cursor, left

    def execute(self, sql, *params):
        result = self.cursor.execute(sql, *params)
        if not sql.lstrip().startswith("SELECT"):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return result

    def __getattr__(self, name):
        return getattr(self.cursor, name)


def killing(engine_class, left):
    exclusive = engine_class.exclusive

    @contextlib.contextmanager
    def with_killing_cursor(self, prepare):
        with exclusive(self, prepare) as (cursor, check_lease):
            yield KillingCursor(cursor, left), check_lease
    engine_class.exclusive = with_killing_cursor


def _migrate(environment, statements):
    """Open the database of these settings, and die by SIGKILL after so many statements."""
    for engine_class in (MySQLEngine, SQLiteEngine):
        killing(engine_class, statements)
    open_database(config.load(environment), lambda function, *arguments: function(*arguments), prepare=Database.create_tables)


def is_killed_after(environment, statements):
    """Return whether a process that opens the database was killed after so many statements: there may be fewer."""
    forkserver = multiprocessing.get_context("forkserver")
    forkserver.set_forkserver_preload([__name__])
    process = forkserver.Process(target=_migrate, args=(environment, statements))
    process.start()
    process.join(MAX_SECONDS)
    assert process.exitcode in (0, -signal.SIGKILL), "what it printed says why"
    return process.exitcode != 0

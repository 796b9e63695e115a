"""python -m tests.killed_migration N: open the database of the settings, and die by SIGKILL after the Nth statement that changes it."""
import contextlib
import os
import signal
import sys

import config
from chat.storage.database import Database, open_database
from chat.storage.mysql import MySQLEngine
from chat.storage.sqlite import SQLiteEngine


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


if __name__ == "__main__":
    for engine_class in (MySQLEngine, SQLiteEngine):
        killing(engine_class, int(sys.argv[1]))
    open_database(config.load(), lambda function, *arguments: function(*arguments), prepare=Database.create_tables)

"""SQLite, for the embedded mode: one file."""
import contextlib
import functools
import sqlite3
import threading
from pathlib import Path

from ..errors import Duplicate, unavailable
from .private_files import private_file, private_folder

LOCK_TIMEOUT = 1            # second; to wait for another process that writes
MAX_STATEMENT_BYTES = 256 * 1024    # of an INSERT of several rows


class SQLiteEngine:
    """One file, for the embedded mode.

    Reads run directly, because they take microseconds. Writes wait for the disk, so they run in a real thread, one at a time, on
    a connection of their own: meanwhile the event loop goes on, reads included. `run_blocking(function, *arguments)` runs a
    function in such a thread.
    """

    max_statement_bytes = MAX_STATEMENT_BYTES

    def __init__(self, path, run_blocking):
        private_folder(Path(path).parent)
        private_file(path)      # SQLite creates its journals with the same mode
        self.path, self.run_blocking = path, run_blocking
        self.read_lock, self.write_lock = threading.RLock(), threading.RLock()
        self.reader = self._connect(path)
        try:
            self.writer = self._connect(path)
        except BaseException:
            self.reader.close()
            raise

    @staticmethod
    def _connect(path):
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=LOCK_TIMEOUT)
        try:
            # FULL: an acknowledged message survives a power cut too, not only the end of the process.
            connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
        except BaseException:
            connection.close()      # the file is locked, or no database
            raise
        return connection

    @staticmethod
    @functools.lru_cache(maxsize=500)
    def placeholders(sql):
        return sql.replace("%s", "?").replace("%%", "%")

    @staticmethod
    def new_ids(cursor, rows):
        return range(cursor.lastrowid - rows + 1, cursor.lastrowid + 1)     # SQLite returns the last id

    def run(self, work, writes=0):
        try:
            if writes:
                with self.write_lock:
                    return self.run_blocking(self._write, work)
            with self.read_lock, contextlib.closing(self.reader.cursor()) as cursor:
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
        """Lend a cursor on a connection of its own, whose SELECTs all see the same moment."""
        with contextlib.closing(self._connect(self.path)) as connection:
            connection.execute("BEGIN")
            yield connection.cursor()

    @contextlib.contextmanager
    def bulk_load(self):
        """Lend a cursor on a connection of its own, in one transaction: an error rolls everything back."""
        with contextlib.closing(self._connect(self.path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection.cursor()
            connection.execute("COMMIT")

    @contextlib.contextmanager
    def exclusive(self, prepare):
        """Lend a cursor on a connection of its own to one process at a time, and a function that does nothing; the others wait.

        It is one transaction, changes of tables included: an error rolls everything back. `prepare` is its first statement.
        MySQLEngine lends `check_lease` in place of the function.
        """
        with contextlib.closing(self._connect(self.path)) as connection:
            while not connection.in_transaction:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError as error:
                    if "locked" not in str(error):
                        raise
            connection.execute(prepare)
            yield connection.cursor(), lambda: None
            connection.execute("COMMIT")

    @staticmethod
    def columns(cursor):
        """Return (table, column) for every column in the database."""
        return cursor.execute("SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c").fetchall()

    def close(self):
        self.reader.close()
        self.writer.close()

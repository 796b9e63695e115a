"""SQLite, for the embedded mode: one file."""
import contextlib
import functools
import sqlite3
import threading
from collections import deque
from pathlib import Path

from ..errors import Duplicate, Unavailable, unavailable
from .private_files import private_file, private_folder

LOCK_TIMEOUT = 1            # second; to wait for another process that writes
MAX_TOGETHER = 100          # writes in one transaction
MAX_STATEMENT_BYTES = 256 * 1024    # of an INSERT of several rows


class Write:
    """What somebody wants to write: `work(cursor)`, and what became of it once `is_done`."""

    __slots__ = ("work", "is_done", "result", "error")

    def __init__(self, work):
        self.work = work
        self.is_done = False
        self.result = self.error = None

    def settle(self, result=None, error=None):
        self.result, self.error, self.is_done = result, error, True


class SQLiteEngine:
    """One file, for the embedded mode.

    Reads run directly, because they take microseconds. Writes wait for the disk, so they run in a real thread, on a connection of
    their own: meanwhile the event loop goes on, reads included. `run_blocking(function, *arguments)` runs a function in such a
    thread. Writes that arrive while one is under way are committed together: to wait for the disk takes longer than the rest,
    and a class that reads a message is forty marks at once. Each is a savepoint, so one that fails takes no other with it.
    """

    max_statement_bytes = MAX_STATEMENT_BYTES

    def __init__(self, path, run_blocking):
        private_folder(Path(path).parent)
        private_file(path)      # SQLite creates its journals with the same mode
        self.path, self.run_blocking = path, run_blocking
        self.read_lock, self.write_lock = threading.RLock(), threading.RLock()
        self.waiting = deque()      # Write: those that wait for the lock
        self.has_written = True     # the process before may have left a log
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
            # And a text that was deleted is overwritten in the file.
            connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;")
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
                return self._write_with_others(Write(work))
            with self.read_lock, contextlib.closing(self.reader.cursor()) as cursor:
                return work(cursor)
        except sqlite3.IntegrityError as error:
            raise Duplicate(str(error)) from error
        except sqlite3.OperationalError as error:
            raise unavailable(error) from error

    def _write_with_others(self, write):
        """Commit a write, and with it those that have come meanwhile, unless another has taken it along. Return its result."""
        self.waiting.append(write)
        with self.write_lock:
            while not write.is_done:
                batch = [self.waiting.popleft() for _n in range(min(len(self.waiting), MAX_TOGETHER))]
                if not batch:       # whoever took it along was stopped: it may be stored or not
                    raise Unavailable()
                self.run_blocking(self._commit, batch)
        if write.error:
            raise write.error
        return write.result

    def _commit(self, writes):
        """Run writes in one transaction, and settle them."""
        self.has_written = True
        with contextlib.closing(self.writer.cursor()) as cursor:
            try:
                outcomes = []
                cursor.execute("BEGIN IMMEDIATE")
                if len(writes) == 1:
                    outcomes.append((writes[0].work(cursor), None))
                else:
                    outcomes += [self._run_in_savepoint(cursor, write.work) for write in writes]
                cursor.execute("COMMIT")
            except BaseException as error:      # nothing of it is stored
                outcomes = [(None, error)] * len(writes)
            finally:
                if self.writer.in_transaction:
                    self.writer.rollback()
        for write, (result, error) in zip(writes, outcomes):
            write.settle(result, error)

    def _run_in_savepoint(self, cursor, work):
        """Return (result, None) or (None, error). Raises an error that has ended the transaction, as a full disk does."""
        cursor.execute("SAVEPOINT one")
        try:
            outcome = work(cursor), None
        except Exception as error:
            if not self.writer.in_transaction:
                raise
            cursor.execute("ROLLBACK TO one")
            outcome = None, error
        cursor.execute("RELEASE one")
        return outcome

    def erase_log(self):
        """Empty the write-ahead log into the file: it keeps each page as it was written, with texts that were deleted since."""
        with self.write_lock:
            if self.has_written:
                self.run_blocking(self._erase_log)

    def _erase_log(self):
        self.writer.execute("PRAGMA busy_timeout=0")        # a backup may be reading; the next time then
        try:
            is_busy, _pages, _moved = self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self.has_written = bool(is_busy)
        finally:
            self.writer.execute(f"PRAGMA busy_timeout={LOCK_TIMEOUT * 1000}")

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

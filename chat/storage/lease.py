"""A lease on the schema: a row that one process holds at a time, and renews while it changes tables.

It is no GET_LOCK, because in a Galera cluster each node of MySQL has its own locks. A row is the same on all nodes.
"""
import contextlib
import logging
import threading
import time
import uuid

from ..clock import now, to_db
from ..errors import Duplicate, Unavailable

POLL_INTERVAL = 0.2         # seconds between two reads of another process's lease
RENEW_INTERVAL = 1          # second
MAX_UNCHANGED_POLLS = 50    # 10 seconds; then the holder has ended without releasing the lease
POLLS_BEFORE_WARNING = 5    # then the log says what this process waits for
WHERE = "WHERE version = 0"

log = logging.getLogger(__name__)


class LeaseLost(Unavailable):
    """Another process has taken the lease over: this one did not renew it for too long."""

    def __init__(self):
        super().__init__("another process has taken over the change of the schema")


class Lease:
    """A context manager: it waits for the lease on entry and releases it on exit. `run(work, writes)` is an engine's method."""

    def __init__(self, run):
        self.run = run
        self.owner = uuid.uuid4().hex
        self.stopped = threading.Event()
        self.renewing = threading.Thread(target=self._renew_loop, daemon=True)

    def __enter__(self):
        polls, unchanged, last_row = 0, 0, None
        while not self._insert():
            # The clocks of two machines are never compared: a lease has expired if it did not change during so many polls.
            # Only quick polls count: a change of the schema may stop a whole cluster, and then nobody can renew the lease.
            started = time.monotonic()
            row = self._read()
            is_quick = time.monotonic() - started < RENEW_INTERVAL
            unchanged = unchanged + 1 if row and row == last_row and is_quick else 0
            polls, last_row = polls + 1, row
            if polls == POLLS_BEFORE_WARNING:
                log.warning("another process changes the tables of the database; this one waits for it")
            if unchanged >= MAX_UNCHANGED_POLLS and self._take_over(row):
                break
            time.sleep(POLL_INTERVAL)
        self.renewing.start()
        return self

    def __exit__(self, *_error):
        self.stopped.set()
        self.renewing.join()
        with contextlib.suppress(Unavailable):
            self._write(f"DELETE FROM schema_migrations {WHERE} AND name = %s", (self.owner,))

    def check(self):
        """Renew the lease. Raises LeaseLost if another process has taken it over."""
        if not self._write(f"UPDATE schema_migrations SET at = %s {WHERE} AND name = %s", (to_db(now()), self.owner)):
            raise LeaseLost()

    def _renew_loop(self):
        while not self.stopped.wait(RENEW_INTERVAL):
            with contextlib.suppress(Unavailable):      # the holder notices it when it calls `check` before its next step
                self.check()

    def _insert(self):
        with contextlib.suppress(Duplicate, Unavailable):
            return self._write("INSERT INTO schema_migrations (version, name, state, at) VALUES (0, %s, 'lease', %s)",
                               (self.owner, to_db(now())))
        return self._is_mine()      # an earlier attempt may have been stored although its answer was lost

    def _is_mine(self):
        row = self._read()
        return bool(row) and row[0] == self.owner

    def _take_over(self, row):
        with contextlib.suppress(Unavailable):
            return self._write(f"UPDATE schema_migrations SET name = %s, at = %s {WHERE} AND name = %s AND at = %s",
                               (self.owner, to_db(now()), *row))

    def _read(self):
        def read(cursor):
            cursor.execute(f"SELECT name, at FROM schema_migrations {WHERE}")
            return cursor.fetchone()
        with contextlib.suppress(Unavailable):
            return self.run(read)

    def _write(self, sql, params):
        def write(cursor):
            cursor.execute(sql, params)
            return cursor.rowcount
        return self.run(write, writes=1)

"""The right to change the schema, which one process has at a time: a row, renewed while its holder lives.

MySQL's GET_LOCK would be each node's own in a Galera cluster. A row is the same on all of them.
"""
import contextlib
import logging
import threading
import time
import uuid

from ..clock import now, to_db
from ..errors import Duplicate, Unavailable

POLL_INTERVAL = 0.2         # seconds between two looks at another's lease
RENEW_INTERVAL = 1          # second
MAX_UNCHANGED = 50          # looks, 10 seconds: the holder has ended without giving it back
LOOKS_IN_SILENCE = 5        # then the log says what is waited for
WHERE = "WHERE version = 0"

log = logging.getLogger(__name__)


class LeaseLost(Unavailable):
    """Another process has taken it over: this one stood still for too long."""

    def __init__(self):
        super().__init__("another process has taken over the change of the schema")


class Lease:
    """Waits for the lease on entry and gives it back on exit; `run(work, writes)` is an engine's."""

    def __init__(self, run):
        self.run = run
        self.owner = uuid.uuid4().hex
        self.stopped = threading.Event()
        self.renewing = threading.Thread(target=self._renew_loop, daemon=True)

    def __enter__(self):
        looks, unchanged, seen = 0, 0, None
        while not self._insert():
            # No clock is compared: a lease is as good as gone when it did not change in so many looks, one soon after the
            # other. While a change of the schema stops a whole cluster, nobody can renew it, and nobody can look.
            begun = time.monotonic()
            row = self._read()
            is_quick = time.monotonic() - begun < RENEW_INTERVAL
            unchanged = unchanged + 1 if row and row == seen and is_quick else 0
            looks, seen = looks + 1, row
            if looks == LOOKS_IN_SILENCE:
                log.warning("another process changes the tables of the database; this one waits for it")
            if unchanged >= MAX_UNCHANGED and self._take_over(row):
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
        """Renew it. Raises LeaseLost where another process has it."""
        if not self._write(f"UPDATE schema_migrations SET at = %s {WHERE} AND name = %s", (to_db(now()), self.owner)):
            raise LeaseLost()

    def _renew_loop(self):
        while not self.stopped.wait(RENEW_INTERVAL):
            with contextlib.suppress(Unavailable):      # the holder finds out, at its next step
                self.check()

    def _insert(self):
        with contextlib.suppress(Duplicate, Unavailable):
            return self._write("INSERT INTO schema_migrations (version, name, state, at) VALUES (0, %s, 'lease', %s)",
                               (self.owner, to_db(now())))
        return self._is_mine()      # the answer was lost, not the row

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

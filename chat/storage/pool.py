"""A small pool of MySQL connections that drops the ones that have failed."""
import contextlib
import threading
import time

import pymysql

from ..errors import Unavailable

POOL_SIZE = 10              # connections; XAMPP's server allows 151 in all
ANSWER_TIMEOUT = 4          # seconds; a database that takes longer counts as unavailable
LOCK_ERRORS = {1205, 1213}  # lock wait timeout, deadlock


class Pool:
    """Lends each connection to one task at a time.

    `connect()` returns a new connection; `check(connection, idle_seconds)` raises if an idle one is no longer usable.
    """

    def __init__(self, connect, check):
        self.connect = connect
        self.check = check
        self.idle = []      # (connection, when it was returned), the latest last
        self.slots = threading.BoundedSemaphore(POOL_SIZE)

    @contextlib.contextmanager
    def connection(self):
        """Lend a connection. Raises Unavailable if none is returned in time."""
        with self._slot():
            connection = self._take_idle() or self.connect()
            try:
                yield connection
            except BaseException as error:
                if _is_statement_error(error) and _rolled_back(connection):
                    self.idle.append((connection, time.monotonic()))
                else:
                    connection._force_close()
                    if isinstance(error, (pymysql.OperationalError, pymysql.InterfaceError, OSError)):
                        self.clear()    # the server may have restarted: then the other connections are lost too
                raise
            self.idle.append((connection, time.monotonic()))

    @contextlib.contextmanager
    def _slot(self):
        if not self.slots.acquire(timeout=ANSWER_TIMEOUT):
            raise Unavailable()     # all connections wait for the database
        try:
            yield
        finally:
            self.slots.release()

    def _take_idle(self):
        with contextlib.suppress(IndexError):
            connection, returned_at = self.idle.pop()
            try:
                self.check(connection, time.monotonic() - returned_at)
                return connection
            except Exception:
                connection._force_close()
                self.clear()    # to check the others too would take one timeout for each
        return None

    def clear(self):
        """Close the idle connections."""
        with contextlib.suppress(IndexError):   # not `while self.idle`: another thread may take the last one
            while True:
                self.idle.pop()[0]._force_close()


def _rolled_back(connection):
    """Roll back; return whether that was possible. A node that has left its cluster refuses even this."""
    try:
        connection.rollback()
        return True
    except (pymysql.OperationalError, pymysql.InterfaceError, OSError):
        return False


def _is_statement_error(error):
    """Tell whether only the statement has failed, and the connection is still usable."""
    return isinstance(error, pymysql.IntegrityError) or (
        isinstance(error, pymysql.OperationalError) and error.args[0] in LOCK_ERRORS)

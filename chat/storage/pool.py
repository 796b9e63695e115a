"""A small pool of MySQL connections that throws away what has failed."""
import contextlib
import threading
import time

import pymysql

from ..errors import Unavailable

POOL_SIZE = 10              # connections; XAMPP allows 151 in all
ANSWER_TIMEOUT = 4          # seconds; a database that takes longer counts as away
LOCK_ERRORS = {1205, 1213}  # a lock that was not had in time, a deadlock


class Pool:
    """Lends a connection to one at a time; `connect()` makes a new one, `check(connection, rested)` raises where it is none any more."""

    def __init__(self, connect, check):
        self.connect = connect
        self.check = check
        self.idle = []      # (connection, when it was put back), the freshest last
        self.places = threading.BoundedSemaphore(POOL_SIZE)

    @contextlib.contextmanager
    def connection(self):
        """Lend a connection. Raises Unavailable where all are lent for too long."""
        with self._place():
            connection = self._rested() or self.connect()
            try:
                yield connection
            except BaseException as error:
                if _is_refusal(error) and _rolled_back(connection):
                    self.idle.append((connection, time.monotonic()))
                else:
                    connection._force_close()
                    if isinstance(error, (pymysql.OperationalError, pymysql.InterfaceError, OSError)):
                        self.clear()    # a server that restarted has dropped the others too
                raise
            self.idle.append((connection, time.monotonic()))

    @contextlib.contextmanager
    def _place(self):
        if not self.places.acquire(timeout=ANSWER_TIMEOUT):
            raise Unavailable()     # every connection to the database is waiting
        try:
            yield
        finally:
            self.places.release()

    def _rested(self):
        with contextlib.suppress(IndexError):
            connection, rested_since = self.idle.pop()
            try:
                self.check(connection, time.monotonic() - rested_since)
                return connection
            except Exception:
                connection._force_close()
                self.clear()    # asking each of the others in turn would take a timeout each
        return None

    def clear(self):
        """Close the connections that rest."""
        with contextlib.suppress(IndexError):   # not `while self.idle`: another thread may take the last one
            while True:
                self.idle.pop()[0]._force_close()


def _rolled_back(connection):
    """Undo what was begun; return whether that was possible. A node that falls out of its cluster refuses even this."""
    try:
        connection.rollback()
        return True
    except (pymysql.OperationalError, pymysql.InterfaceError, OSError):
        return False


def _is_refusal(error):
    """Tell whether the server said no to a statement, and the connection is as good as before."""
    return isinstance(error, pymysql.IntegrityError) or (
        isinstance(error, pymysql.OperationalError) and error.args[0] in LOCK_ERRORS)

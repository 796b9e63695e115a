"""Deadlines: how long a request's head and its answer may take, in all three async modes. The times of bodies are in bodies.py.

None of the three servers has all of these deadlines. Here each connection is stored with its deadline, and one task aborts those
that have missed theirs. A step of a request costs one entry in a dict, and no timer.
"""
import contextlib
import functools
import math
import socket
import threading
import time
import weakref
from collections import OrderedDict

from ..storage.limits import network_of

HEAD_SECONDS = 10           # from accepting a connection to the end of the head of its first request
IDLE_SECONDS = 30           # from the end of one request to the end of the head of the next one
ANSWER_SECONDS = 30         # for a client to receive what is written to it in one call
SWEEP_INTERVAL = 0.5        # seconds
ABORT_BATCH = 20        # connections; each wakes what serves it, and other people's requests come in between
PAUSE_SECONDS = 0.005       # until the next ones
MAX_WAITING = 1000          # connections of one address that wait for the same: a head, a body, a reader; with more the oldest one is aborted
FAIR_SECONDS = 1            # that each connection has for it, even then
MAX_WAITING_AT_ONCE = 3000  # connections of one address; beyond this FAIR_SECONDS does not count
CONNECTION = "chat.connection"      # in the environ: the connection by which the request came


def locked(method):
    """Run a method while holding its object's lock: in the threading mode each connection has its own thread."""
    @functools.wraps(method)
    def run(self, *arguments):
        with self.lock:
            return method(self, *arguments)
    return run


class Deadlines:
    """The deadlines of all connections. The servers call `await_head`, `await_reader` and `forget`; `sweep_loop` runs beside them.

    `client` is whose connection it is: an IPv4 address, or the network of an IPv6 address.
    """

    def __init__(self, clock=time.monotonic):
        self.clock = clock
        self.lock = threading.RLock()
        self.by_connection = {}     # connection -> (its deadline, the group in which it waits)
        self.waiting = {}           # group (client, what is awaited, seconds) -> {connection: since when it waits}, the oldest first
        self.aborted = weakref.WeakSet()    # connections, until the server has noticed
        self.counts = {"head": 0, "answer": 0, "waiting": 0}    # aborted connections, by what they missed; waiting: one of too many

    def await_head(self, connection, client, seconds):
        """Set the deadline for the head of a request, in seconds from now.

        First requests and later ones are counted separately: a flood of new connections aborts no old one.
        """
        self._await(connection, client, "head", seconds)

    def await_reader(self, connection, client):
        """Set the deadline for the client to receive what is written now."""
        self._await(connection, client, "answer", ANSWER_SECONDS)

    @contextlib.contextmanager
    def awaiting_body(self, environ):
        """Count a connection whose body is read now. Its time is limited where it is read."""
        connection = environ.get(CONNECTION)        # None in Flask's test client
        if connection is not None:
            self._await(connection, client_of(environ), "body", math.inf)
        try:
            yield
        finally:
            self.forget(connection)

    @locked
    def _await(self, connection, client, what, seconds):
        self.forget(connection)
        now = self.clock()
        group = client, what, seconds
        self.by_connection[connection] = now + seconds, group
        waiting = self.waiting.setdefault(group, OrderedDict())
        waiting[connection] = now
        while len(waiting) > MAX_WAITING:
            oldest, began_to_wait = next(iter(waiting.items()))
            has_had_its_time = now - began_to_wait >= FAIR_SECONDS
            if not has_had_its_time and len(waiting) <= MAX_WAITING_AT_ONCE:
                break
            self.forget(oldest)
            self._abort(oldest, "waiting")

    @locked
    def forget(self, connection):
        """Remove the deadline: what was awaited has come, or the connection has ended."""
        _deadline, group = self.by_connection.pop(connection, (None, None))
        waiting = self.waiting.get(group)
        if waiting is not None:
            waiting.pop(connection, None)
            if not waiting:
                self.waiting.pop(group, None)

    @locked
    def is_aborted(self, connection):
        return connection in self.aborted

    def sweep(self, sleep=lambda seconds: None):
        """Abort the connections that have missed their deadline, some at a time."""
        for number, connection in enumerate(self._overdue(), 1):
            self._abort_overdue(connection)
            if not number % ABORT_BATCH:
                sleep(PAUSE_SECONDS)

    @locked
    def _overdue(self):
        now = self.clock()
        return [connection for connection, (deadline, _group) in self.by_connection.items() if deadline <= now]

    @locked
    def _abort_overdue(self, connection):
        """Abort a connection, unless what was awaited has come meanwhile."""
        deadline, group = self.by_connection.get(connection, (None, None))
        if deadline is not None and deadline <= self.clock():
            self.forget(connection)
            _client, what, _seconds = group
            self._abort(connection, what)

    def sweep_loop(self, sleep):
        while True:
            sleep(SWEEP_INTERVAL)
            self.sweep(sleep)

    def _abort(self, connection, reason):
        self.counts[reason] += 1
        self.aborted.add(connection)
        try:
            connection.shutdown(socket.SHUT_RDWR)       # the task that reads or writes wakes up at its end
        except OSError:
            pass    # it has ended by itself


def client_of(environ):
    """Return whose request it is, as the limits count it; behind a proxy, whom the proxy names."""
    return network_of(environ.get("REMOTE_ADDR", ""))


class AbortableHead:
    """A mixin for the handlers of http.server: an aborted head is no request.

    At the end of the connection they would take a cut header for the last one, and answer.
    """

    deadlines = None    # of the process: the server sets it

    def parse_request(self):
        is_request = not self.deadlines.is_aborted(self.connection) and super().parse_request()
        if self.deadlines.is_aborted(self.connection):
            self.close_connection = True
            return False
        return is_request


class TimedWriter:
    """A file that writes to a connection, with a deadline for each call. `environ` is of the request that is answered."""

    def __init__(self, file, connection, deadlines, address):
        self.file, self.connection, self.deadlines = file, connection, deadlines
        self.environ = {"REMOTE_ADDR": address}     # until the first request is known

    def write(self, data):
        return self._timed(self.file.write, data)

    def writelines(self, lines):
        return self._timed(self.file.writelines, lines)

    def flush(self):
        return self._timed(self.file.flush)

    def _timed(self, method, *arguments):
        self.deadlines.await_reader(self.connection, client_of(self.environ))
        try:
            return method(*arguments)
        finally:
            self.deadlines.forget(self.connection)

    def __getattr__(self, name):
        return getattr(self.file, name)

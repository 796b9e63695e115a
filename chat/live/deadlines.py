"""Deadlines: how long a request's head, its body and its answer may take, in all three async modes.

No server that ASYNC_MODE chooses from has all of them. Here each connection is noted with the time at which it is cut,
and one task cuts those whose time has come: an addition to a dict for each step, and no timer.
"""
import functools
import io
import socket
import threading
import time
from collections import OrderedDict

from ..web.headers import protected

HEAD_SECONDS = 10           # from accepting a connection to the end of its first request's head
IDLE_SECONDS = 30           # the same for each further request, the rest between two of them included
BODY_SECONDS = 10           # for a body, and beyond that
BODY_BYTES_PER_SECOND = 16 * 1024   # … as long as this rate needs for its size
ANSWER_SECONDS = 30         # for a client to take what is written to it at once
SWEEP_SECONDS = 0.5         # between two looks
MAX_WAITING = 1000          # connections of one address whose request has not come; one more cuts the one that waits longest
FAIR_SECONDS = 1            # that everybody has for a request, also in a flood
MAX_WAITING_AT_ONCE = 5000  # connections of one address, whatever the second
MAX_DISCARDED = 1024 * 1024     # bytes of a body that is too large, read so that its sender sees the answer
MAX_LENGTH_DIGITS = 12


def locked(method):
    """Run a method under its object's lock: in the threading mode each connection has a thread of its own."""
    @functools.wraps(method)
    def run(self, *arguments):
        with self.lock:
            return method(self, *arguments)
    return run


class Deadlines:
    """Who is cut when. The servers call the three verbs, `serve` runs `sweep_loop` beside them."""

    def __init__(self, clock=time.monotonic):
        self.clock = clock
        self.lock = threading.RLock()
        self.noted = {}         # connection -> (when it is cut, the group it waits in or None)
        self.waiting = {}       # group -> its connections whose request has not come, the longest waiting first
        self.counts = {"head": 0, "answer": 0, "waiting": 0}    # what was cut, by what it failed to do

    @locked
    def await_head(self, connection, address, seconds):
        """Note that the head of a request has to come within so many seconds.

        First requests and further ones are groups of their own: a flood of new connections costs nobody an old one.
        """
        self.forget(connection)
        group = address, seconds
        self.noted[connection] = self.clock() + seconds, group
        waiting = self.waiting.setdefault(group, OrderedDict())
        waiting[connection] = True
        while len(waiting) > MAX_WAITING:
            longest = next(iter(waiting))
            waited = self.clock() + seconds - self.noted[longest][0]
            if waited < FAIR_SECONDS and len(waiting) <= MAX_WAITING_AT_ONCE:
                break
            self.forget(longest)
            self._cut(longest, "waiting")

    @locked
    def await_reader(self, connection):
        """Note that the client has to take what is now written within ANSWER_SECONDS."""
        self.forget(connection)
        self.noted[connection] = self.clock() + ANSWER_SECONDS, None

    @locked
    def forget(self, connection):
        """Note that what was awaited has come, or that the connection is over."""
        _when, group = self.noted.pop(connection, (None, None))
        waiting = self.waiting.get(group)
        if waiting is not None:
            waiting.pop(connection, None)
            if not waiting:
                self.waiting.pop(group, None)

    @locked
    def sweep(self):
        """Cut the connections whose time has come."""
        now = self.clock()
        for connection, (when, group) in list(self.noted.items()):
            if when <= now:
                self.forget(connection)
                self._cut(connection, "head" if group else "answer")

    def sweep_loop(self, sleep):
        while True:
            sleep(SWEEP_SECONDS)
            self.sweep()

    def _cut(self, connection, reason):
        self.counts[reason] += 1
        try:
            connection.shutdown(socket.SHUT_RDWR)       # whoever waits for it wakes up with an end
        except OSError:
            pass    # it has ended by itself


class TimedWriter:
    """A connection's file to write to, whose reader has a deadline."""

    def __init__(self, file, connection, deadlines):
        self.file, self.connection, self.deadlines = file, connection, deadlines

    def write(self, data):
        return self._timed(self.file.write, data)

    def writelines(self, lines):
        return self._timed(self.file.writelines, lines)

    def flush(self):
        return self._timed(self.file.flush)

    def _timed(self, method, *arguments):
        self.deadlines.await_reader(self.connection)
        try:
            return method(*arguments)
        finally:
            self.deadlines.forget(self.connection)

    def __getattr__(self, name):
        return getattr(self.file, name)


class Bodies:
    """WSGI middleware, the outermost: takes a request's body in, in time, before anybody is asked to answer it.

    A body without a length is refused: no browser sends one, and a server would read its chunk sizes without end.
    `/socket.io` reads its own.
    """

    def __init__(self, application, runtime, own_reader="/socket.io"):
        self.application = application
        self.runtime = runtime
        self.own_reader = own_reader

    def __call__(self, environ, start_response):
        length = environ.get("CONTENT_LENGTH") or "0"
        if "HTTP_TRANSFER_ENCODING" in environ:
            return self._refuse("400 Bad Request", "A body needs a Content-Length.", environ, start_response)
        if not (length.isascii() and length.isdigit() and len(length) <= MAX_LENGTH_DIGITS):
            return self._refuse("400 Bad Request", "Content-Length is a number.", environ, start_response)
        reads_itself = environ["REQUEST_METHOD"] == "POST" and environ.get("PATH_INFO", "").startswith(self.own_reader)
        if int(length) and not reads_itself:
            taken = min(int(length), MAX_DISCARDED)
            try:
                body = self.runtime.read_in_time(environ, taken, BODY_SECONDS + taken / BODY_BYTES_PER_SECOND)
            except OSError:
                return self._refuse("408 Request Timeout", "The body did not arrive in time.", environ, start_response)
            if len(body) < taken:
                return self._refuse("400 Bad Request", "The body is not whole.", environ, start_response)
            if taken < int(length):
                body = b""      # its length alone is enough to refuse it
                self.runtime.close_after_answer(environ)
            environ["wsgi.input"] = io.BytesIO(body)
        return self.application(environ, start_response)

    def _refuse(self, status, reason, environ, start_response):
        self.runtime.close_after_answer(environ)
        protected(start_response)(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(reason))),
                                           ("Connection", "close")])
        return [reason.encode()]

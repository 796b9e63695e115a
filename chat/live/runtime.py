"""Runtime: what the chat asks of a concurrency library, whichever ASYNC_MODE names.

Nothing outside wsgi.py and chat/live/ imports eventlet or gevent. Background tasks, green sleeping and green events come from
Flask-SocketIO, which knows all three modes; the rest is here, with one file for each library.
"""
import os
import socket
import threading

from ..budgets import IMAGES_WAITING, LOGINS_WAITING, REGISTRATIONS_WAITING
from ..errors import Unavailable
from .deadlines import Deadlines
from .process_tuning import raise_fd_limit, shorten_switch_interval, tune_gc

LISTEN_BACKLOG = 1024       # connections that wait to be accepted


def library_for(mode):
    """Return the library of an ASYNC_MODE. Only that one is imported: gevent need not be installed, and eventlet warns."""
    if mode == "eventlet":
        from .eventlet_server import Eventlet
        return Eventlet()
    if mode == "gevent":
        from .gevent_server import Gevent
        return Gevent()
    from .threading_server import Threading
    return Threading()


class BoundedQueue:
    """A semaphore with `slots` places and a bounded queue: where `limit` tasks hold it or wait for it, entering raises Unavailable."""

    def __init__(self, limit, slots=1):
        self.limit = limit
        self.waiting = 0
        self.semaphore = threading.BoundedSemaphore(slots)

    def __enter__(self):
        if self.waiting >= self.limit:
            raise Unavailable()
        self.waiting += 1
        self.semaphore.acquire()

    def __exit__(self, *_error):
        self.semaphore.release()
        self.waiting -= 1


class Runtime:
    """The concurrency of one process: calls that block, real threads, deadlines of connections, and the server."""

    def __init__(self, mode):
        self.deadlines = Deadlines()
        self.library = library_for(mode)
        # One core stays free for everybody else while passwords are hashed.
        slots = max(1, (os.cpu_count() or 1) - 1)
        self.cpu_slots = threading.BoundedSemaphore(slots)
        self.logins = BoundedQueue(LOGINS_WAITING.limit, slots)
        self.logins_of_known = BoundedQueue(LOGINS_WAITING.limit, slots)
        self.registrations = BoundedQueue(REGISTRATIONS_WAITING.limit)
        self.images = BoundedQueue(IMAGES_WAITING.limit)

    def run_blocking(self, function, *arguments):
        """Return function(*arguments), for a function that waits for a disk; the others go on meanwhile."""
        return self.library.run_blocking(function, *arguments)

    def run_cpu_bound(self, function, *arguments):
        """Return function(*arguments), for a long computation; the others go on meanwhile."""
        with self.cpu_slots:
            return self.library.run_blocking(function, *arguments)

    def run_registration_work(self, function, *arguments):
        """Return function(*arguments), for a long computation that anybody may ask for without an account.

        They run one at a time, beside those of `run_cpu_bound`, so that no login waits for them. Raises Unavailable where too
        many wait already.
        """
        with self.registrations:
            return self.library.run_blocking(function, *arguments)

    def turn_to_log_in(self, is_known):
        """Return a context manager in which the password of a login is compared. Entering it raises Unavailable where too many wait.

        Whoever guesses from many addresses fills one queue; a browser that the person has logged in from before has another one.
        """
        return self.logins_of_known if is_known else self.logins

    def run_image_work(self, function, *arguments):
        """Return function(*arguments), which decodes an image: one at a time, because each may need 100 MB for a moment."""
        with self.images:
            return self.library.run_blocking(function, *arguments)

    def read_in_time(self, environ, length, seconds):
        """Return the `length` bytes of a request's body. Raises OSError if they do not arrive within so many seconds."""
        with self.deadlines.awaiting_body(environ):
            return self.library.read_in_time(environ, length, seconds)

    def read_some(self, environ, length, seconds):
        """Return what has come of a request's body, `length` bytes at most; no byte at its end. Raises OSError if none comes in time."""
        with self.deadlines.awaiting_body(environ):
            return self.library.read_some(environ, length, seconds)

    def stop_reading(self, environ):
        """Read nothing more of a body that did not arrive in time. Its sender still gets the answer."""
        self.library.stop_reading(environ)

    def close_after_answer(self, environ):
        """Close the connection after the answer to this request: the rest of its body is not read."""
        self.library.close_after_answer(environ)

    def socket_of(self, environ):
        """Return the socket that a request came in by, or None where the server hides it."""
        return self.library.socket_of(environ)

    def hang_up(self, environ):
        """End the connection of a WebSocket that is over."""
        self.library.hang_up(environ)

    def new_event(self):
        """Return an event with set(), is_set() and wait(seconds)."""
        return self.library.new_event()

    def start_thread(self, target):
        """Run `target` in a real thread, which may block."""
        self.library.start_thread(target)

    @property
    def thread_sleep(self):
        """The `sleep(seconds)` of a real thread."""
        return self.library.thread_sleep

    def listen(self, host, port):
        """Return a listening socket. Raises OSError where the port is taken."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        # After a restart, connections of the former process may still hold the port. On Windows, SO_REUSEADDR would let two
        # servers share it.
        listener.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR), 1)
        # Accepted sockets inherit it. Without it a message would wait up to 40 ms for the TCP acknowledgement of the one before.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((host, port))
            listener.listen(LISTEN_BACKLOG)
        except OSError:
            listener.close()
            raise
        return listener

    def serve(self, application, listener):
        """Serve for ever."""
        raise_fd_limit()
        tune_gc()
        shorten_switch_interval()
        self.library.serve(application, listener, self.deadlines)

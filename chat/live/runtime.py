"""The one module, beside `wsgi.py`, that knows which concurrency library is running.

Everything else is written for all of them: background tasks, sleeping and events come from Flask-SocketIO.
"""
import contextlib
import gc
import os
import socket
import threading
import time

from ..budgets import REGISTRATIONS_WAITING
from ..errors import Unavailable
from .deadlines import HEAD_SECONDS, IDLE_SECONDS, Deadlines, TimedWriter
from .select_hub import SELECT_HUB, BoundedListener

LONGEST_QUEUE = 1024        # connections that wait to be accepted
MOST_CONNECTIONS = 10_000   # eventlet's own bound of 1,024 would leave the next one waiting for ever
SHORTEST_WAIT = 0.001       # seconds; none at all would mean not to wait
# New objects until the youngest are looked at, how many such looks until the older ones are, and how many of those until all are.
# What is there for good is frozen and costs nothing. With (20,000, 20, 50) all were looked at after 20 million: attackers' requests
# left 170 MB of cycles behind in ten minutes.
GARBAGE_THRESHOLDS = 5_000, 10, 2
ANSWERED_BY = "chat.answered_by"    # in eventlet's environ: the headers by which it decides whether to go on
FILES_NEEDED = (20_000, 10_000, 4_000)      # open files, a socket each: the most that the machine gives


class Threads:
    """The standard library's threads; the server is Werkzeug's."""

    new_signal = staticmethod(threading.Event)
    thread_sleep = staticmethod(time.sleep)
    has_shortcuts = False

    def run_blocking(self, function, *arguments):
        return function(*arguments)

    def start_thread(self, target):
        threading.Thread(target=target, daemon=True).start()

    def read_in_time(self, environ, length, seconds):
        connection, source, body = socket_of(environ), environ["wsgi.input"], b""
        if connection is None:
            return source.read(length)      # there is no network that could be late: Flask's test client
        before, until = connection.gettimeout(), time.monotonic() + seconds
        try:
            while len(body) < length:
                connection.setblocking(False)
                part = source.read1(length - len(body))
                body += part or b""
                if not part:    # waited for beside the buffer: a read that times out leaves that one unusable
                    connection.settimeout(max(until - time.monotonic(), SHORTEST_WAIT))
                    if not connection.recv(1, socket.MSG_PEEK):
                        break
            return body
        except TimeoutError:
            connection.shutdown(socket.SHUT_RD)     # Werkzeug would read on until the other side has had enough
            raise
        finally:
            connection.settimeout(before)

    def serve(self, application, listener, deadlines):
        from werkzeug.serving import WSGIRequestHandler, make_server

        class QuietHandler(WSGIRequestHandler):
            """Werkzeug's handler of one connection; each serves one request."""

            def setup(self):
                super().setup()
                self.wfile = TimedWriter(self.wfile, self.connection, deadlines)
                deadlines.await_head(self.connection, self.client_address[0], HEAD_SECONDS)

            def make_environ(self):
                deadlines.forget(self.connection)
                try:
                    return super().make_environ()
                except ValueError as error:     # an address that is none, as http://[
                    self.send_error(400)
                    raise ConnectionAbortedError from error     # which Werkzeug takes as the end, and does not log

            def finish(self):
                deadlines.forget(self.connection)
                super().finish()

            def log_request(self, code="-", size="-"):
                pass

            def version_string(self):
                return "chat"
        host, port = listener.getsockname()[:2]
        server = make_server(host, port, application, threaded=True, request_handler=QuietHandler, fd=listener.fileno())
        self.start_thread(lambda: deadlines.sweep_loop(time.sleep))
        server.serve_forever()


class Eventlet:
    """Green threads; a long computation goes to a pool of real ones."""

    has_shortcuts = True        # those of shortcuts.py

    def __init__(self):
        from eventlet import patcher
        from eventlet.event import Event
        self.thread_sleep = patcher.original("time").sleep

        class Signal(Event):
            """An event that is awaited once; a green threading.Event makes three locks of its own and takes five times as long."""

            is_set = Event.ready

            def set(self):
                if not self.ready():
                    self.send(True)
        self.new_signal = Signal

    def run_blocking(self, function, *arguments):
        from eventlet import tpool
        return tpool.execute(function, *arguments)

    def start_thread(self, target):
        from eventlet import patcher
        patcher.original("threading").Thread(target=target, daemon=True).start()

    def read_in_time(self, environ, length, seconds):
        import eventlet
        with eventlet.Timeout(seconds, TimeoutError):
            return environ["wsgi.input"].read(length)

    def serve(self, application, listener, deadlines):
        import eventlet.wsgi

        class QuietProtocol(eventlet.wsgi.HttpProtocol):
            rbufsize = 1024     # bytes; a WebSocket keeps its buffer for as long as it is open

            def setup(self):
                super().setup()
                self.wfile = TimedWriter(self.wfile, self.connection, deadlines)
                deadlines.await_head(self.connection, self.client_address[0], HEAD_SECONDS)

            def handle_one_request(self):
                super().handle_one_request()
                deadlines.await_head(self.connection, self.client_address[0], IDLE_SECONDS)

            def finish(self):
                deadlines.forget(self.connection)
                try:
                    super().finish()
                finally:    # it ends before this one where the last words cannot be written, and the descriptor would stay open
                    self.rfile.close()

            def version_string(self):
                return "chat"

            def get_environ(self):
                deadlines.forget(self.connection)
                environ = super().get_environ()
                # A WebSocket would keep all headers three times over; answering needs no more than this one.
                del environ["headers_raw"]
                self.headers = environ[ANSWERED_BY] = {"Connection": environ.get("HTTP_CONNECTION", "")}
                return environ
        eventlet.spawn(deadlines.sweep_loop, eventlet.sleep)
        pool = eventlet.GreenPool(MOST_CONNECTIONS)
        if eventlet.hubs.get_hub().__class__.__module__ == SELECT_HUB:
            listener = BoundedListener(listener, pool)
        eventlet.wsgi.server(listener, application, log_output=False, custom_pool=pool, keepalive=IDLE_SECONDS,
                             socket_timeout=None, debug=False, protocol=QuietProtocol)


class Gevent:
    """Green threads of another make."""

    new_signal = staticmethod(threading.Event)      # gevent's own, once it has patched them
    has_shortcuts = False

    def __init__(self):
        from gevent import monkey
        self.thread_sleep = monkey.get_original("time", "sleep")

    def run_blocking(self, function, *arguments):
        import gevent

        def attempt():
            try:
                return function(*arguments), None
            except Exception as error:      # the pool would also print it, though it is answered here
                return None, error
        result, error = gevent.get_hub().threadpool.apply(attempt)
        if error:
            raise error
        return result

    def start_thread(self, target):
        from gevent import monkey
        monkey.get_original("_thread", "start_new_thread")(target, ())

    def read_in_time(self, environ, length, seconds):
        import gevent
        with gevent.Timeout(seconds, TimeoutError):
            return environ["wsgi.input"].read(length)

    def serve(self, application, listener, deadlines):
        import gevent
        from gevent import pywsgi

        class TimedHandler(pywsgi.WSGIHandler):
            def handle(self):
                connection = self.socket        # which the library deletes at the end
                deadlines.await_head(connection, self.client_address[0], HEAD_SECONDS)
                try:
                    super().handle()
                except ConnectionError:
                    pass        # the client has gone before its refusal: the library would print it
                finally:
                    deadlines.forget(connection)

            def handle_one_request(self):
                try:
                    result = super().handle_one_request()
                    is_upgrade = (getattr(self, "environ", None) or {}).get("HTTP_UPGRADE", "").lower() == "websocket"
                    return None if is_upgrade else result       # what is left of its frames is no further request
                finally:
                    deadlines.await_head(self.socket, self.client_address[0], IDLE_SECONDS)

            def get_environ(self):
                deadlines.forget(self.socket)
                return super().get_environ()

            def _sendall(self, data):
                deadlines.await_reader(self.socket)
                try:
                    super()._sendall(data)
                finally:
                    deadlines.forget(self.socket)
        gevent.spawn(deadlines.sweep_loop, gevent.sleep)
        pywsgi.WSGIServer(listener, application, log=None, handler_class=TimedHandler).serve_forever()


class BoundedQueue:
    """Lets one in at a time, and keeps few waiting. Raises Unavailable for those beyond."""

    def __init__(self, most):
        self.most = most
        self.waiting = 0
        self.slot = threading.Lock()

    def __enter__(self):
        if self.waiting >= self.most:
            raise Unavailable()
        self.waiting += 1
        self.slot.acquire()

    def __exit__(self, *_error):
        self.slot.release()
        self.waiting -= 1


class Runtime:
    """What the chat asks of the concurrency library that ASYNC_MODE names."""

    def __init__(self, mode):
        self.deadlines = Deadlines()
        self.library = {"eventlet": Eventlet, "gevent": Gevent, "threading": Threads}[mode]()
        # One core stays free for everybody else while passwords are hashed.
        self.cores = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) - 1))
        self.registrations = BoundedQueue(REGISTRATIONS_WAITING.limit)

    def wait_for(self, function, *arguments):
        """Return what a function returns that waits for a disk, without keeping others waiting."""
        return self.library.run_blocking(function, *arguments)

    def compute(self, function, *arguments):
        """Return what a long computation returns, without keeping others waiting."""
        with self.cores:
            return self.library.run_blocking(function, *arguments)

    def compute_apart(self, function, *arguments):
        """The same for what strangers may ask for: one at a time, so that no login waits for it. Raises Unavailable where too many wait."""
        with self.registrations:
            return self.library.run_blocking(function, *arguments)

    def read_in_time(self, environ, length, seconds):
        """Return the body of a request. Raises OSError where it does not arrive within so many seconds."""
        return self.library.read_in_time(environ, length, seconds)

    @staticmethod
    def close_after_answer(environ):
        """Close the connection after the answer to this request: what is left of its body is read by nobody."""
        if ANSWERED_BY in environ:      # the others look at the answer's own header
            environ[ANSWERED_BY]["Connection"] = "close"
        source = environ["wsgi.input"]
        if hasattr(source, "chunked_input"):    # eventlet's and gevent's would read on to the end of the body
            source.chunked_input, source.content_length = False, source.position

    def new_signal(self):
        """Return an event with set(), is_set() and wait(seconds)."""
        return self.library.new_signal()

    def start_thread(self, target):
        """Run `target` in a real thread, which may block."""
        self.library.start_thread(target)

    @property
    def thread_sleep(self):
        """What a real thread sleeps by, seconds."""
        return self.library.thread_sleep

    def listen(self, host, port):
        """Return a listening socket. Raises OSError where the port is taken."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        # A restart need not wait for connections of the process before it. On Windows SO_REUSEADDR would let two servers share a port.
        listener.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR), 1)
        # Accepted sockets inherit it: a message must not wait 40 ms for the acknowledgement of the one before.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((host, port))
            listener.listen(LONGEST_QUEUE)
        except OSError:
            listener.close()
            raise
        return listener

    def serve(self, application, listener):
        """Serve for ever."""
        allow_many_files()
        rest_from_collecting()
        self.library.serve(application, listener, self.deadlines)


def socket_of(environ):
    """Return the socket that a request came in by, or None where the server hides it."""
    if "eventlet.input" in environ:
        return environ["eventlet.input"].get_socket()
    return environ.get("werkzeug.socket")


def hang_up(environ):
    """End the connection of a WebSocket that is over: Werkzeug would read its last frames as the next request."""
    connection = environ.get("werkzeug.socket")
    if connection:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass    # the other side was faster


def rest_from_collecting():
    """Look for garbage in cycles less often, and not among what is there for good: each look visits every object and stops everybody."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def allow_many_files():
    """Ask for as many open files as this machine lets us have: 1,024 is the usual start, a socket each."""
    try:
        import resource
    except ImportError:     # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in FILES_NEEDED:
        wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            return
        with contextlib.suppress(ValueError, OSError):      # macOS has a bound of its own beside the one that it tells
            return resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

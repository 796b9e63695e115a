"""ASYNC_MODE=eventlet: green threads, and eventlet's WSGI server. Only runtime.py imports this file, and only in this mode."""
import eventlet
import eventlet.wsgi
from eventlet import patcher, tpool
from eventlet.event import Event

from ..storage.limits import network_of
from .deadlines import CONNECTION, HEAD_SECONDS, IDLE_SECONDS, AbortableHead, TimedWriter
from .select_hub import SELECT_HUB, BoundedListener

MAX_CONNECTIONS = 10_000    # eventlet's default is 1,024, and the next connection would wait for ever
READ_BUFFER_BYTES = 1024    # of each connection; a WebSocket keeps it for as long as it is open
ANSWER_HEADERS = "chat.answer_headers"      # in the environ: the headers by which eventlet decides whether to keep the connection


class GreenEvent(Event):
    """An event that is awaited once. A green threading.Event makes three locks and takes five times as long."""

    is_set = Event.ready

    def set(self):
        if not self.ready():
            self.send(True)


class Eventlet:
    """What Runtime asks of a library, with green threads; a call that blocks goes to eventlet's pool of real threads."""

    has_shortcuts = True        # those of fast_engineio.py
    new_event = GreenEvent
    thread_sleep = staticmethod(patcher.original("time").sleep)

    def run_blocking(self, function, *arguments):
        return tpool.execute(function, *arguments)

    def start_thread(self, target):
        patcher.original("threading").Thread(target=target, daemon=True).start()

    def read_in_time(self, environ, length, seconds):
        with eventlet.Timeout(seconds, TimeoutError):
            return environ["wsgi.input"].read(length)

    def read_some(self, environ, length, seconds):
        source = environ["wsgi.input"]
        with eventlet.Timeout(seconds, TimeoutError):
            return source._do_read(source.rfile.read1, length)      # its own `read` waits for all of them

    def stop_reading(self, environ):
        pass    # close_after_answer does it

    def close_after_answer(self, environ):
        if ANSWER_HEADERS in environ:
            environ[ANSWER_HEADERS]["Connection"] = "close"
        source = environ["wsgi.input"]
        if hasattr(source, "chunked_input"):    # otherwise eventlet would read the rest of the body first
            source.chunked_input, source.content_length = False, source.position

    def socket_of(self, environ):
        source = environ.get("eventlet.input")
        return source and source.get_socket()

    def hang_up(self, environ):
        pass    # eventlet serves no further request on a connection that was a WebSocket

    def serve(self, application, listener, deadlines):
        eventlet.spawn(deadlines.sweep_loop, eventlet.sleep)
        pool = eventlet.GreenPool(MAX_CONNECTIONS)
        if eventlet.hubs.get_hub().__class__.__module__ == SELECT_HUB:
            listener = BoundedListener(listener, pool)
        protocol = type("TimedProtocol", (Protocol,), {"deadlines": deadlines})
        eventlet.wsgi.server(listener, application, log_output=False, custom_pool=pool, keepalive=IDLE_SECONDS,
                             socket_timeout=None, debug=False, protocol=protocol)


class Protocol(AbortableHead, eventlet.wsgi.HttpProtocol):
    """One connection, with a deadline for each request's head and for each answer."""

    rbufsize = READ_BUFFER_BYTES

    def setup(self):
        super().setup()
        self.wfile = TimedWriter(self.wfile, self.connection, self.deadlines, self.client_address[0])
        self.network = network_of(self.client_address[0])
        self.deadlines.await_head(self.connection, self.network, HEAD_SECONDS)

    def handle_one_request(self):
        super().handle_one_request()
        self.deadlines.await_head(self.connection, self.network, IDLE_SECONDS)

    def finish(self):
        self.deadlines.forget(self.connection)
        try:
            super().finish()
        finally:    # eventlet's `finish` raises where the last bytes cannot be written, and would leave the descriptor open
            self.rfile.close()

    def version_string(self):
        return "chat"

    def get_environ(self):
        self.deadlines.forget(self.connection)
        environ = self.wfile.environ = super().get_environ()
        environ[CONNECTION] = self.connection
        # A WebSocket would keep all its headers three times. To answer, eventlet needs only this one.
        del environ["headers_raw"]
        self.headers = environ[ANSWER_HEADERS] = {"Connection": environ.get("HTTP_CONNECTION", "")}
        return environ

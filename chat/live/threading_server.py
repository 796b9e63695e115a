"""ASYNC_MODE=threading: the standard library's threads, and Werkzeug's server."""
import contextlib
import socket
import threading
import time

from werkzeug.serving import WSGIRequestHandler, make_server

from ..storage.limits import network_of
from .deadlines import CONNECTION, HEAD_SECONDS, AbortableHead, TimedWriter, client_of

MIN_WAIT_SECONDS = 0.001    # a timeout of 0 would mean not to wait at all
READ_BUFFER_BYTES = 8192    # of each connection; from Python 3.14 on it would be 128 KB


class Threading:
    """What Runtime asks of a library, with threads: whatever blocks, blocks only its own thread."""

    has_shortcuts = False
    new_event = staticmethod(threading.Event)
    thread_sleep = staticmethod(time.sleep)

    def run_blocking(self, function, *arguments):
        return function(*arguments)

    def start_thread(self, target):
        threading.Thread(target=target, daemon=True).start()

    def read_in_time(self, environ, length, seconds):
        connection, source, body = self.socket_of(environ), environ["wsgi.input"], b""
        if connection is None:
            return source.read(length)      # Flask's test client: there is no network that could be slow
        timeout_before, deadline = connection.gettimeout(), time.monotonic() + seconds
        try:
            while len(body) < length:
                connection.setblocking(False)
                part = source.read1(length - len(body))
                body += part or b""
                if not part:    # wait on the socket, not on the buffer: a buffer whose read has timed out is unusable
                    connection.settimeout(max(deadline - time.monotonic(), MIN_WAIT_SECONDS))
                    if not connection.recv(1, socket.MSG_PEEK):
                        break
            return body
        finally:
            connection.settimeout(timeout_before)

    def read_some(self, environ, length, seconds):
        connection, source = self.socket_of(environ), environ["wsgi.input"]
        if connection is None:
            return source.read(length)
        timeout_before = connection.gettimeout()
        connection.settimeout(seconds)
        try:
            return source.read1(length)
        finally:
            connection.settimeout(timeout_before)

    def stop_reading(self, environ):
        connection = self.socket_of(environ)
        if connection:
            with contextlib.suppress(OSError):      # the client has hung up first
                connection.shutdown(socket.SHUT_RD)     # otherwise Werkzeug would read on until the client stops sending

    def close_after_answer(self, environ):
        pass    # Werkzeug closes every connection after its answer

    def socket_of(self, environ):
        return environ.get("werkzeug.socket")

    def hang_up(self, environ):
        # Werkzeug would read the last frames of a WebSocket as the next request.
        connection = self.socket_of(environ)
        if connection:
            with contextlib.suppress(OSError):      # the client has hung up first
                connection.shutdown(socket.SHUT_RDWR)

    def serve(self, application, listener, deadlines):
        host, port = listener.getsockname()[:2]
        handler = type("TimedHandler", (Handler,), {"deadlines": deadlines})
        server = make_server(host, port, application, threaded=True, request_handler=handler, fd=listener.fileno())
        self.start_thread(lambda: deadlines.sweep_loop(time.sleep))
        server.serve_forever()


class LingeringWriter(TimedWriter):
    """Leaves the deadline when an answer is written: Werkzeug then reads what is left of the body, for as long as the client waits."""

    def _timed(self, method, *arguments):
        self.deadlines.await_reader(self.connection, client_of(self.environ))
        return method(*arguments)


class Handler(AbortableHead, WSGIRequestHandler):
    """One connection, which serves one request."""

    rbufsize = READ_BUFFER_BYTES

    def setup(self):
        super().setup()
        self.wfile = LingeringWriter(self.wfile, self.connection, self.deadlines, self.client_address[0])
        self.deadlines.await_head(self.connection, network_of(self.client_address[0]), HEAD_SECONDS)

    def make_environ(self):
        self.deadlines.forget(self.connection)
        try:
            environ = self.wfile.environ = super().make_environ()
        except ValueError as error:     # an invalid URL, as http://[
            self.send_error(400)
            raise ConnectionAbortedError from error     # Werkzeug ends the connection and logs nothing
        environ[CONNECTION] = self.connection
        return environ

    def finish(self):
        self.deadlines.forget(self.connection)
        super().finish()

    def log_request(self, code="-", size="-"):
        pass

    def version_string(self):
        return "chat"

"""ASYNC_MODE=gevent: gevent's green threads and its WSGI server. Only runtime.py imports this file, and only in this mode."""
import threading

import gevent
from gevent import monkey, pywsgi

from ..storage.limits import network_of
from .deadlines import CONNECTION, HEAD_SECONDS, IDLE_SECONDS, client_of

READ_BUFFER_BYTES = 8192    # of each connection; from Python 3.14 on it would be 128 KB


class Gevent:
    """What Runtime asks of a library, with green threads; a call that blocks goes to gevent's pool of real threads."""

    has_shortcuts = False
    new_event = staticmethod(threading.Event)      # gevent has patched it
    thread_sleep = staticmethod(monkey.get_original("time", "sleep"))

    def run_blocking(self, function, *arguments):
        def attempt():
            try:
                return function(*arguments), None
            except Exception as error:      # raised below: the pool would print its traceback, although the caller handles it
                return None, error
        result, error = gevent.get_hub().threadpool.apply(attempt)
        if error:
            raise error
        return result

    def start_thread(self, target):
        monkey.get_original("_thread", "start_new_thread")(target, ())

    def read_in_time(self, environ, length, seconds):
        with gevent.Timeout(seconds, TimeoutError):
            return environ["wsgi.input"].read(length)

    def read_some(self, environ, length, seconds):
        source = environ["wsgi.input"]
        source._send_100_continue()
        with gevent.Timeout(seconds, TimeoutError):
            part = source.rfile.read1(min(length, source.content_length - source.position))     # its own `read` waits for all of them
        source.position += len(part)
        return part

    def stop_reading(self, environ):
        pass    # close_after_answer does it

    def close_after_answer(self, environ):
        source = environ["wsgi.input"]
        if hasattr(source, "chunked_input"):    # otherwise gevent would read the rest of the body first
            source.chunked_input, source.content_length = False, source.position
            source.rfile.close()                # … and then as the next request

    def socket_of(self, environ):
        return None     # gevent puts it nowhere into the environ

    def hang_up(self, environ):
        pass    # Handler.handle_one_request ends the connection

    def serve(self, application, listener, deadlines):
        gevent.spawn(deadlines.sweep_loop, gevent.sleep)
        handler = type("TimedHandler", (Handler,), {"deadlines": deadlines})
        pywsgi.WSGIServer(listener, application, log=None, handler_class=handler).serve_forever()


class Handler(pywsgi.WSGIHandler):
    """One connection, with a deadline for each request's head and for each answer."""

    deadlines = None    # of the process: `serve` sets it

    def __init__(self, connection, address, server):
        super().__init__(connection, address, server, connection.makefile("rb", READ_BUFFER_BYTES))

    def handle(self):
        connection = self.socket        # gevent deletes the attribute at the end
        self.network = network_of(self.client_address[0])
        self.deadlines.await_head(connection, self.network, HEAD_SECONDS)
        try:
            super().handle()
        except ConnectionError:
            pass        # the client has gone before it got its refusal: gevent would print a traceback
        finally:
            self.deadlines.forget(connection)

    def handle_one_request(self):
        try:
            result = super().handle_one_request()
            is_websocket = (getattr(self, "environ", None) or {}).get("HTTP_UPGRADE", "").lower() == "websocket"
            return None if is_websocket else result     # the rest of a WebSocket's frames is no further request
        finally:
            self.deadlines.await_head(self.socket, self.network, IDLE_SECONDS)

    def get_environ(self):
        self.deadlines.forget(self.socket)
        environ = super().get_environ()
        environ[CONNECTION] = self.socket
        return environ

    def finalize_headers(self):
        if self.rfile.closed and not self.close_connection:
            self.response_headers.append((b"Connection", b"close"))
        super().finalize_headers()

    def _sendall(self, data):
        environ = getattr(self, "environ", None)    # None where a request's head could not be read
        self.deadlines.await_reader(self.socket, client_of(environ) if environ else self.network)
        try:
            super()._sendall(data)
        finally:
            self.deadlines.forget(self.socket)

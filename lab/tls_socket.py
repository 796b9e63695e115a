"""A TLS connection that one thread reads while another one writes, as a client of Socket.IO does.

Python's SSLSocket takes no lock before 3.13.1: where both threads are inside OpenSSL, one of them sees an end of the connection that nobody
has sent (https://github.com/python/cpython/issues/124984).
"""
import select
import ssl
import threading


class TlsSocket:
    """Wraps a connected SSLSocket. At most one thread is inside it, and none of them waits there."""

    def __init__(self, sock):
        self.sock, self.lock, self.timeout = sock, threading.Lock(), sock.gettimeout()
        sock.setblocking(False)

    def __getattr__(self, name):
        return getattr(self.sock, name)

    def settimeout(self, seconds):
        self.timeout = seconds

    def gettimeout(self):
        return self.timeout

    def setblocking(self, is_blocking):
        self.timeout = None if is_blocking else 0

    def recv(self, size):
        return self._attempt(self.sock.recv, size)

    def send(self, data):
        return self._attempt(self.sock.send, data)

    def sendall(self, data):
        view = memoryview(data)
        while view:
            view = view[self.send(view):]

    def _attempt(self, call, argument):
        """Call until it has not to wait. Raises TimeoutError."""
        while True:
            try:
                with self.lock:
                    return call(argument)
            except ssl.SSLWantReadError:
                ready = select.select([self.sock], [], [], self.timeout)
            except ssl.SSLWantWriteError:
                ready = select.select([], [self.sock], [], self.timeout)
            if not any(ready):
                raise TimeoutError("timed out")

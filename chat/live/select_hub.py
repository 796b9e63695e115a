"""On Windows eventlet uses select(), which accepts 512 sockets and ends the process at the next one. Others are refused here."""
import contextlib
import socket

SELECT_HUB = "eventlet.hubs.selects"
MAX_CONNECTIONS = 440       # of clients; the rest are for the database and Redis
MAX_REFUSALS = 20           # that are answered at the same time; further connections are closed without an answer
REFUSAL_SECONDS = 1         # for a browser to read the answer
REFUSAL = (b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 10\r\nConnection: close\r\n\r\n"
           b"Too many people are connected. Try again in a moment.\n")


class BoundedListener:
    """A listening socket that accepts at most MAX_CONNECTIONS at a time. `pool` runs one greenlet for each of them."""

    def __init__(self, listener, pool):
        self.listener, self.pool, self.refusals = listener, pool, 0

    def __getattr__(self, name):
        return getattr(self.listener, name)

    def accept(self):
        """Return the next connection that is not refused."""
        import eventlet
        while True:
            connection, address = self.listener.accept()
            if self.pool.running() < MAX_CONNECTIONS:
                return connection, address
            if self.refusals < MAX_REFUSALS:
                self.refusals += 1
                eventlet.spawn_n(self._refuse, connection)
            else:
                connection.close()

    def _refuse(self, connection):
        import eventlet
        try:
            with contextlib.suppress(OSError), eventlet.Timeout(REFUSAL_SECONDS, False):
                connection.sendall(REFUSAL)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1024):        # with unread data left, close() would reset the connection and lose the answer
                    pass
            connection.close()
        finally:
            self.refusals -= 1

"""Windows has only select() for eventlet, which takes 512 sockets and ends the process at the next one: visitors beyond are refused."""
import contextlib
import socket

SELECT_HUB = "eventlet.hubs.selects"
MAX_CONNECTIONS = 440       # of visitors; the others are those to the database and to Redis
MAX_REFUSALS = 20           # at a time that are refused in words; those beyond are closed
REFUSAL_SECONDS = 1         # for a browser to read why
REFUSAL = (b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 10\r\nConnection: close\r\n\r\n"
           b"Too many people are connected. Try again in a moment.\n")


class BoundedListener:
    """A listening socket that gives the server no more connections than `pool` may run greenlets for, one each."""

    def __init__(self, listener, pool):
        self.listener, self.pool, self.refusals = listener, pool, 0

    def __getattr__(self, name):
        return getattr(self.listener, name)

    def accept(self):
        """Return the next connection that there is room for."""
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
                while connection.recv(1024):        # what is left unread would make the system throw the answer away
                    pass
            connection.close()
        finally:
            self.refusals -= 1

"""One socket of the proxy. Everything here runs in the proxy's thread."""
import os
import selectors
import socket
import struct

CHUNK = 256 * 1024                          # bytes of one read
AT_ONCE = struct.pack("ii", 1, 0)           # SO_LINGER on, 0 seconds: close with a RST


def abort(connection):
    """Close with a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    connection.close()


class End:
    """One socket: what waits to be written to it, and how far each direction is; `carrier` hears what it says."""

    def __init__(self, connection, carrier, connected=True):
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.carrier = carrier
        self.connected = connected
        self.waiting = bytearray()
        self.heard_all = False      # the program at this end has closed its direction
        self.told_all = False       # nothing is said to it beyond what waits
        self.shut = False           # and it knows that
        self.watched = 0            # what the proxy's selector waits for

    @classmethod
    def towards(cls, address, carrier):
        """A new connection to an address, which is still being made."""
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        end = cls(connection, carrier, connected=False)
        try:
            connection.connect(address)
        except BlockingIOError:
            pass
        except OSError:
            connection.close()
            raise
        return end

    def events(self):
        """What to wait for: room for more is only made where the other side takes what it is given."""
        reading = self.connected and not self.heard_all and self.carrier.has_room(self)
        writing = self.waiting or not self.connected
        return (selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if writing else 0)

    def handle(self, events):
        """Do what the selector says can be done."""
        if self.socket.fileno() < 0:    # closed by what happened just before
            return
        try:
            if events & selectors.EVENT_WRITE:
                self._write_on()
            if events & selectors.EVENT_READ:
                self._read()
        except BlockingIOError:
            pass
        except OSError as error:
            self.carrier.broken(error)
        self.carrier.settle()

    def write(self, data):
        """Say something as soon as it can be taken."""
        if self.connected and not self.waiting:
            data = data[self._send(data):]
        self.waiting += data

    def finish(self):
        """Say nothing more than what waits."""
        self.told_all = True
        self._shut_if_done()

    def _write_on(self):
        if not self.connected:
            self._check_connection()
            self.connected = True
            self.carrier.connected(self)
        if self.waiting:
            del self.waiting[:self._send(self.waiting)]
        self._shut_if_done()

    def _read(self):
        if data := self.socket.recv(CHUNK):
            self.carrier.heard(self, data)
        else:
            self.heard_all = True
            self.carrier.heard_all(self)

    def _send(self, data):
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0

    def _shut_if_done(self):
        if self.told_all and self.connected and not self.waiting and not self.shut:
            self.shut = True
            self.socket.shutdown(socket.SHUT_WR)

    def _check_connection(self):
        error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        # With nobody listening there, a port of the range for outgoing connections can meet itself.
        if self.socket.getsockname() == self.socket.getpeername():
            raise ConnectionRefusedError

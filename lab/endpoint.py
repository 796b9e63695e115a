"""One socket of the proxy. Everything here runs in the proxy's thread."""
import os
import selectors
import socket
import struct

CHUNK = 256 * 1024                          # bytes per read
RESET_ON_CLOSE = struct.pack("ii", 1, 0)    # SO_LINGER with 0 seconds: close() sends a RST


def abort(connection):
    """Close a connection with a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    connection.close()


class Endpoint:
    """One socket with its send buffer and the state of both directions. Events on it are reported to its `channel`."""

    def __init__(self, connection, channel, connected=True):
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self.channel = channel
        self.connected = connected
        self.send_buffer = bytearray()
        self.read_closed = False    # the program at this end has sent EOF
        self.write_closing = False  # send EOF after what is in the buffer
        self.write_closed = False   # EOF was sent
        self.watched_events = 0     # what the proxy's selector waits for

    @classmethod
    def towards(cls, address, channel):
        """Begin to connect to an address."""
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        end = cls(connection, channel, connected=False)
        try:
            connection.connect(address)
        except BlockingIOError:
            pass
        except OSError:
            connection.close()
            raise
        return end

    def events(self):
        """Return what to wait for. Reading waits until the other side has taken what was read before."""
        reading = self.connected and not self.read_closed and self.channel.has_room(self)
        writing = self.send_buffer or not self.connected
        return (selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if writing else 0)

    def handle(self, events):
        """React to an event of the selector."""
        if self.socket.fileno() < 0:    # closed by an earlier event of the same round
            return
        try:
            if events & selectors.EVENT_WRITE:
                self._write_on()
            if events & selectors.EVENT_READ:
                self._read()
        except BlockingIOError:
            pass
        except OSError as error:
            self.channel.on_error(error)
        self.channel.update()

    def write(self, data):
        """Send data as soon as the socket accepts it."""
        if self.connected and not self.send_buffer:
            data = data[self._send(data):]
        self.send_buffer += data

    def finish(self):
        """Send EOF after what is in the buffer."""
        self.write_closing = True
        self._shut_if_done()

    def _write_on(self):
        if not self.connected:
            self._check_connection()
            self.connected = True
            self.channel.on_connected(self)
        if self.send_buffer:
            del self.send_buffer[:self._send(self.send_buffer)]
        self._shut_if_done()

    def _read(self):
        if data := self.socket.recv(CHUNK):
            self.channel.on_data(self, data)
        else:
            self.read_closed = True
            self.channel.on_eof(self)

    def _send(self, data):
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0

    def _shut_if_done(self):
        if self.write_closing and self.connected and not self.send_buffer and not self.write_closed:
            self.write_closed = True
            self.socket.shutdown(socket.SHUT_WR)

    def _check_connection(self):
        error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        # If nobody listens on a port of the ephemeral range, a connection can end up connected to itself.
        if self.socket.getsockname() == self.socket.getpeername():
            raise ConnectionRefusedError

"""Shortcuts under the skin of eventlet's WebSockets and of Engine.IO: the same packets, for less of the processor.

Each class says what the library does and what is done here instead. Together they took the CPU of a stored and delivered
message from 228 to 137 µs (docs/performance.md). SHORTCUTS=0 switches all of them off. `tests/test_shortcuts.py` notices when a library
no longer is what they were written for.
"""
import contextlib
import functools
import logging
import time
from collections import deque

from engineio.exceptions import SocketIsClosedError, UnknownPacketError
from engineio.packet import MESSAGE, NOOP, PING, PONG, UPGRADE, Packet
from engineio.socket import Socket

log = logging.getLogger(__name__)

WHOLE_TEXT = 0x81           # the first byte of a text that is not fragmented
MASKED, MASK_SIZE = 0x80, 4
READ_SIZE = 4096            # bytes asked for at once
MESSAGE_DIGIT = str(MESSAGE)
PING_STEP = 0.25            # seconds between looks at whose ping is due


class BufferedSocket:
    """A socket that reads ahead. eventlet asks the kernel for 2, 4 and n bytes of each frame."""

    __slots__ = ("socket", "unread")

    def __init__(self, socket):
        self.socket = socket
        self.unread = b""

    def recv(self, most):
        data = self.unread or self.more()
        self.unread = data[most:]
        return data[:most]

    def more(self):
        """Wait for what comes next and return it; the library asks first, as a rule in vain."""
        self.socket._read_trampoline()
        return self.socket.recv(READ_SIZE)

    def __getattr__(self, name):
        return getattr(self.socket, name)


class DirectWebSocket:
    """To be mixed into eventlet's WebSocket: unmasks in one step, and writes at once what the kernel takes at once."""

    closing = False

    def begin(self, start_task):
        self.socket = BufferedSocket(self.socket)
        self.start_task = start_task
        self.backlog = deque()      # frames, or what is left of one, that wait until the client reads

    def wait(self):
        """Return the next message. One that came whole, as nearly all do, is taken apart here; the rest is the library's."""
        buffer = self.socket
        data = buffer.unread = buffer.unread or buffer.more()
        if len(data) > 6 and data[0] == WHOLE_TEXT:
            length, start = data[1] & 0x7F, 2
            if length == 126:
                length, start = data[2] << 8 | data[3], 4
            end = start + MASK_SIZE + length
            if length != 127 and data[1] & MASKED and end <= len(data):
                buffer.unread = data[end:]
                return self._apply_mask(data[start + MASK_SIZE:end], data[start:start + MASK_SIZE]).decode()
        return super().wait()

    def unsent_bytes(self):
        return sum(map(len, self.backlog))

    @staticmethod
    def _apply_mask(data, mask, length=None, offset=0):
        """One XOR of two large integers; eventlet makes an object for each byte."""
        shift = offset % MASK_SIZE
        key = bytes(mask[shift:] + mask[:shift]) * (len(data) // MASK_SIZE + 1)
        return (int.from_bytes(data, "big") ^ int.from_bytes(key[:len(data)], "big")).to_bytes(len(data), "big")

    def _send(self, frame):
        """Write, and never wait: whoever has news for a slow client has other things to do."""
        if self.closing:
            return
        if self.backlog:
            self.backlog.append(frame)
            return
        try:
            sent = self.socket.fd.send(frame)       # the socket below eventlet's, which does not block
        except BlockingIOError:
            sent = 0
        except OSError:     # the other side has gone: whoever reads from it learns it too
            return
        if sent < len(frame):
            self.backlog.append(frame[sent:])
            self.start_task(self._write_backlog)

    def _write_backlog(self):
        try:
            while self.backlog:
                self.socket.sendall(self.backlog[0])
                self.backlog.popleft()
        except OSError:
            self.backlog.clear()
        if self.closing:
            super().close()

    def close(self, close_data=None):
        if self.closing:
            return
        if self.backlog:    # what was said before is said before the farewell
            self.closing = True
        else:
            super().close(close_data)
            self.closing = True


@functools.cache
def direct(kind):
    """Return eventlet's class of WebSockets with the shortcuts mixed in."""
    return type("Direct" + kind.__name__, (DirectWebSocket, kind), {})


class Connection(Socket):
    """An Engine.IO connection without a queue, a writing task and a pinging task of its own once it is a WebSocket.

    The library puts each packet into a queue from which a second green thread takes it, with a timer for each wait, and
    starts a third one to sleep until the next ping.
    """

    websocket = None    # that packets are written to

    def send(self, packet):
        if not self.websocket:
            super().send(packet)
        elif self.check_ping_timeout():
            frame = vars(packet).get("frame")
            if frame is None:       # made once, whoever else gets this packet
                frame = packet.frame = self.websocket._pack_message(packet.encode())
            self.websocket._send(frame)

    def close(self, wait=True, abort=False, reason=None):
        super().close(wait=wait and not self.websocket, abort=abort, reason=reason)
        if self.websocket:
            self.websocket.close()

    def schedule_ping(self):
        if self.last_ping:
            self.last_ping = None
            self.server.pings.later(self)

    def _websocket_handler(self, websocket):
        websocket.begin(self.server.start_background_task)
        if self.connected and not self._upgraded(websocket):
            return []
        self.connected, self.upgraded = True, True
        while self.queue.qsize() or self.poll.pending:     # what was said while the client had no WebSocket
            for packet in self.poll():
                websocket.send(packet.encode())
        self.websocket = websocket
        try:
            self._read(websocket)
        except (OSError, ValueError, EOFError, SocketIsClosedError):
            pass    # it is over, or it sent what is no packet
        except Exception:
            log.exception("a WebSocket ended by an error")
        self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_CLOSE)
        return []

    def _read(self, websocket):
        take = self.server.handlers["message"]
        while (data := websocket.wait()) is not None:
            if data[:1] == MESSAGE_DIGIT:
                take(self.sid, data[1:])
            else:
                with contextlib.suppress(UnknownPacketError):
                    self.receive(Packet(encoded_packet=data))

    def _upgraded(self, websocket):
        """Go over from polling, in the library's steps; return whether the client did."""
        self.upgrading = True       # polls are answered with nothing from now on
        websocket.socket.settimeout(self.server.ping_interval + self.server.ping_timeout)
        try:
            if not _says(websocket.wait(), PING, "probe"):
                return False
            websocket.send(Packet(PONG, data="probe").encode())
            self.queue.put(Packet(NOOP))    # ends the poll
            return _says(websocket.wait(), UPGRADE) and not self.websocket     # the first one has it
        finally:
            self.upgrading = False
            websocket.socket.settimeout(None)   # from here on pings tell who has gone: a timer for each wait is not needed


def _says(data, packet_type, text=None):
    packet = Packet(encoded_packet=data) if data else None
    return packet and packet.packet_type == packet_type and (text is None or packet.data == text)


class Pings:
    """One task that sends all pings and looks for their answers; the library starts one for each, and one to look after them."""

    def __init__(self, server):
        self.server = server
        self.due = deque()          # (when, connection), the next one first: all of them wait equally long
        self.expected = deque()     # the same of those whose answer must have come by then

    def later(self, connection):
        self.due.append((time.monotonic() + self.server.ping_interval, connection))

    def run(self):
        while True:
            self.server.sleep(PING_STEP)
            for work, waiting in ((self._ping, self.due), (Connection.check_ping_timeout, self.expected)):
                for connection in _taken(waiting):
                    try:
                        work(connection)
                    except Exception:
                        log.exception("pings go on after an error")

    def _ping(self, connection):
        connection.last_ping = time.time()
        connection.send(Packet(PING))
        self.expected.append((time.monotonic() + self.server.ping_timeout, connection))


def _taken(waiting):
    """Take those whose time has come from the queue, and return those of them that are still open."""
    now, found = time.monotonic(), []
    while waiting and waiting[0][0] <= now:
        _when, connection = waiting.popleft()
        if not connection.closing and not connection.closed:
            found.append(connection)
    return found


class Shortcuts:
    """Puts the shortcuts into one Socket.IO server that runs on eventlet."""

    def __init__(self, server):
        self.engine = server.eio
        self.engine.pings = Pings(self.engine)
        self.engine.start_service_task = False
        self.engine._async = {**self.engine._async, "websocket": _direct_server(self.engine._async["websocket"])}

    def start(self):
        self.engine.start_background_task(self.engine.pings.run)

    def take(self, connection):
        """Make a new connection of the library's one of ours; it offers no way to name another class."""
        connection.__class__ = Connection


def _direct_server(kind):
    class DirectServer(kind):
        def _handle_hybi_request(self, environ):
            websocket = super()._handle_hybi_request(environ)
            websocket.__class__ = direct(type(websocket))
            return websocket
    return DirectServer


class NoShortcuts:
    """SHORTCUTS=0, and the modes other than eventlet: the libraries as they are."""

    def start(self):
        pass

    def take(self, connection):
        pass

"""Faster Engine.IO connections on eventlet's WebSockets: the same packets, without a queue and two tasks for each connection.

With fast_websocket.py it took the CPU of a stored and delivered message from 228 to 137 µs (docs/performance.md). SHORTCUTS=0
leaves both out. `tests/test_fast_websocket.py` fails when a library has changed where this file relies on it.
"""
import contextlib
import functools
import logging
import time
from collections import deque

from engineio.exceptions import SocketIsClosedError, UnknownPacketError
from engineio.packet import MESSAGE, NOOP, PING, PONG, UPGRADE, Packet
from engineio.socket import Socket

from .fast_websocket import fast
from .packets import is_costly

log = logging.getLogger(__name__)

MESSAGE_DIGIT = str(MESSAGE)
PING_CHECK_INTERVAL = 0.25      # seconds; a ping is late by this much at most


class FastConnection(Socket):
    """An Engine.IO connection that writes directly to its WebSocket.

    The library puts each packet into a queue, from which a second green thread takes it, with a timer for each wait. A third
    green thread sleeps until the next ping.
    """

    websocket = None    # set once packets are written to it

    def send(self, packet):
        if not self.websocket:
            super().send(packet)
        elif self.check_ping_timeout():
            self.websocket._send(self._frame(packet))

    def send_batch(self, batch):
        """Send a Batch by one call of the kernel. Whether the client answers pings is checked when they are due."""
        if self.websocket:
            if batch.frames is None:    # joined once, however many connections get this batch
                batch.frames = b"".join(map(self._frame, batch.packets))
            self.websocket._send(batch.frames)
        else:
            send_packets(self, batch)

    def _frame(self, packet):
        """Return the packet as a frame, packed once, however many connections get it."""
        frame = vars(packet).get("frame")
        if frame is None:
            frame = packet.frame = self.websocket._pack_message(packet.encode())
        return frame

    def close(self, wait=True, abort=False, reason=None):
        super().close(wait=wait and not self.websocket, abort=abort, reason=reason)
        if self.websocket:
            self.websocket.close()

    def schedule_ping(self):
        if self.last_ping:
            self.last_ping = None
            self.server.pings.schedule(self)

    def _websocket_handler(self, websocket):
        websocket.begin(self.server.start_background_task)
        if self.connected and not self._upgrade(websocket):
            return []
        self.connected, self.upgraded = True, True
        while self.queue.qsize() or self.poll.pending:      # packets from before the upgrade
            for packet in self.poll():
                websocket.send(packet.encode())
        self.websocket = websocket
        try:
            self._receive_loop(websocket)
        except (OSError, ValueError, EOFError, SocketIsClosedError):
            pass    # the client has gone, or it has sent an invalid packet
        except Exception:
            log.exception("a WebSocket ended by an error")
        self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_CLOSE)
        return []

    def _receive_loop(self, websocket):
        on_message = self.server.handlers["message"]
        while (data := websocket.wait()) is not None:
            if data[:1] == MESSAGE_DIGIT:
                on_message(self.sid, data[1:])
            else:
                with contextlib.suppress(UnknownPacketError):
                    self.receive(_control_packet(data))

    def _upgrade(self, websocket):
        """Switch from polling to the WebSocket, in the library's steps; return whether the client did."""
        self.upgrading = True       # from now on, polls are answered with NOOP
        websocket.socket.settimeout(self.server.ping_interval + self.server.ping_timeout)
        try:
            if not _is_packet(websocket.wait(), PING, "probe"):
                return False
            websocket.send(Packet(PONG, data="probe").encode())
            self.queue.put(Packet(NOOP))    # ends the poll that is open
            return _is_packet(websocket.wait(), UPGRADE) and not self.websocket     # of two WebSockets the first one wins
        finally:
            self.upgrading = False
            websocket.socket.settimeout(None)   # from now on pings find out who has gone, without a timer for each wait


def send_packets(connection, batch):
    """Send a Batch as the library does, packet by packet."""
    for packet in batch.packets:
        connection.send(packet)


def _control_packet(data):
    """Return a packet. One that would be parsed as JSON for nothing is refused before."""
    if is_costly(data):
        raise ValueError("no packet of a client")
    return Packet(encoded_packet=data)


def _is_packet(data, packet_type, text=None):
    packet = _control_packet(data) if data else None
    return packet and packet.packet_type == packet_type and (text is None or packet.data == text)


class Pings:
    """One task that sends all pings and checks their answers. The library starts a task for each ping, and one that checks."""

    def __init__(self, server):
        self.server = server
        self.due = deque()          # (when, connection), the earliest first: all wait equally long
        self.unanswered = deque()   # (when the answer must have come, connection), likewise

    def schedule(self, connection):
        self.due.append((time.monotonic() + self.server.ping_interval, connection))

    def loop(self):
        while True:
            self.server.sleep(PING_CHECK_INTERVAL)
            for work, queue in ((self._ping, self.due), (FastConnection.check_ping_timeout, self.unanswered)):
                for connection in _pop_due(queue):
                    try:
                        work(connection)
                    except Exception:
                        log.exception("pings go on after an error")

    def _ping(self, connection):
        connection.last_ping = time.time()
        connection.send(Packet(PING))
        self.unanswered.append((time.monotonic() + self.server.ping_timeout, connection))


def _pop_due(queue):
    """Remove the entries whose time has come; return their connections, but for those that are closed."""
    now, connections = time.monotonic(), []
    while queue and queue[0][0] <= now:
        _when, connection = queue.popleft()
        if not connection.closing and not connection.closed:
            connections.append(connection)
    return connections


class Shortcuts:
    """Puts the faster classes into one Socket.IO server that runs on eventlet."""

    def __init__(self, server):
        self.engine = server.eio
        self.engine.pings = Pings(self.engine)
        self.engine.start_service_task = False
        self.engine._async = {**self.engine._async, "websocket": _fast_server(self.engine._async["websocket"])}

    def start(self):
        self.engine.start_background_task(self.engine.pings.loop)

    def accelerate(self, connection):
        """Change the class of a new connection: the library has no setting that names another one."""
        connection.__class__ = FastConnection

    def batch_sender(self, connection):
        """Return the function that sends a Batch to a connection."""
        return connection.send_batch


def _fast_server(websocket_server):
    class FastServer(websocket_server):
        def _handle_hybi_request(self, environ):
            websocket = super()._handle_hybi_request(environ)
            websocket.__class__ = fast(type(websocket))
            return websocket
    return FastServer


class NoShortcuts:
    """SHORTCUTS=0, and the modes other than eventlet: the libraries as they are."""

    def start(self):
        pass

    def accelerate(self, connection):
        pass

    def batch_sender(self, connection):
        return functools.partial(send_packets, connection)

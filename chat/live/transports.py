"""Engine.IO's transports: how many an address may open, how much each may send, and when one has to be closed."""
import functools
import time

from engineio.packet import MESSAGE

from ..budgets import ADDRESS_HANDSHAKES, ADDRESS_TRANSPORTS, PACKETS
from ..storage.limits import network_of
from .packets import CONNECT_DIGIT, MAX_BODY_BYTES, limit_poll_size, poll_once_at_a_time
from .websocket_limits import close_on_error, limit_frames, refuse_costly_packets

CONNECT_TIMEOUT = 10            # seconds from opening a transport to the Socket.IO connection
REFUSAL_SECONDS = 1             # for a polling client to fetch its refusal before the transport is closed
MAX_UNSENT_BYTES = 1024 * 1024  # for a client that does not read; with more its transport is closed
PACKET_BYTES = 100              # that an unsent packet takes besides its text
PACKETS_PER_SECOND = 50         # of one transport, after a burst: a browser that reconnects sends at once what waited
YIELD_EVERY = 20                # packets of one transport, then the others have their turn


class Transport:
    """An open transport: its address, its deadline to connect, and a token bucket for its packets."""

    __slots__ = ("address", "connect_deadline", "refused", "packets", "tokens", "refilled_at")

    def __init__(self, address, connect_deadline):
        self.address = address      # None once somebody has logged in by it
        self.connect_deadline = connect_deadline    # time.monotonic
        self.refused = False
        self.packets = 0            # that were received
        self.tokens = PACKETS.limit
        self.refilled_at = time.monotonic()

    def take_token(self):
        """Count a packet; return whether it is allowed: PACKETS.limit at once, then PACKETS_PER_SECOND."""
        now = time.monotonic()
        self.tokens = min(PACKETS.limit, self.tokens + (now - self.refilled_at) * PACKETS_PER_SECOND) - 1
        self.refilled_at = now
        return self.tokens >= 0


class Transports:
    """The open transports of this process: counted by address, and closed when they only cost."""

    def __init__(self, server, guard, shortcuts, budgets):
        self.server = server
        self.guard = guard
        self.shortcuts = shortcuts
        self.budgets = budgets
        self.opened = {}                # Engine.IO session id -> its Transport
        self.anonymous = {}             # address -> how many of its transports nobody has logged in by
        self.closed_for_flooding = 0    # since the process started
        libraries = server.eio._async
        websocket = libraries["websocket"]
        server.eio._async = {**libraries, "websocket": lambda handler, eio: websocket(self._limited(handler), eio)}
        server.eio.on("connect", self.open)
        server.eio.on("message", self.receive)
        server.eio.on("disconnect", self.closed)

    def _limited(self, handler):
        """Return an Engine.IO connection's handler of its WebSocket, with all limits."""
        count_frame = functools.partial(self.count_control_packet, handler.__self__.sid)
        return limit_frames(refuse_costly_packets(close_on_error(handler)), MAX_BODY_BYTES, count_frame)

    def start(self):
        """Start the background tasks."""
        self.shortcuts.start()

    def open(self, eio_sid, environ):
        """Let a new transport in, or return the reason why not."""
        address = network_of(environ.get("REMOTE_ADDR", ""))
        if self.budgets.is_spent(ADDRESS_TRANSPORTS, self.anonymous.get(address, 0)) or self.budgets.hit(ADDRESS_HANDSHAKES, address):
            return "Too many connections from this address."
        self.opened[eio_sid] = Transport(address, time.monotonic() + CONNECT_TIMEOUT)
        self.guard.opened(eio_sid, environ)
        self.anonymous[address] = self.anonymous.get(address, 0) + 1
        connection = self.server.eio.sockets[eio_sid]
        self.shortcuts.accelerate(connection)
        connection.poll = limit_poll_size(connection.poll)
        connection.handle_get_request = poll_once_at_a_time(connection, connection.handle_get_request, self.server.sleep)
        connection.receive = self._count_control_packets(connection.sid, connection.receive)
        return self.server._handle_eio_connect(eio_sid, environ)

    def receive(self, eio_sid, data):
        """Pass a packet on to Socket.IO. One that is malformed or exceeds the budget closes its transport, and logs nothing."""
        transport = self._count_packet(eio_sid)
        if not transport:
            return      # the packet before closed it; the library would open a connection that nobody ends
        try:
            self.server._handle_eio_message(eio_sid, data)
        except (ValueError, TypeError, IndexError, KeyError, AttributeError, RecursionError):
            self.close(eio_sid)
        if eio_sid not in self.opened:
            self._remove_leftovers(eio_sid)       # it was closed while the library opened the connection
        elif data[:1] == CONNECT_DIGIT and not self.server.manager.sid_from_eio_sid(eio_sid, "/"):
            self._close_refused(eio_sid, transport)

    def count_control_packet(self, eio_sid):
        """Count what is no message; return whether the transport is still open."""
        return self._count_packet(eio_sid) is not None

    def _count_packet(self, eio_sid):
        """Count a packet, and let others have their turn after some; return its transport, or None if that is closed, also by this packet."""
        transport = self.opened.get(eio_sid)
        if not transport:
            return None
        transport.packets += 1
        if self.budgets.enabled and not transport.take_token():
            self._close_flooding(eio_sid)
            return None
        if transport.packets % YIELD_EVERY == 0:
            self.server.sleep(0)
        return self.opened.get(eio_sid)

    def _count_control_packets(self, eio_sid, receive):
        """Return a connection's `receive` so that packets that are no messages count too; messages count where they arrive."""
        def receive_counted(packet):
            if packet.packet_type == MESSAGE or self.count_control_packet(eio_sid):
                receive(packet)
        return receive_counted

    def _close_flooding(self, eio_sid):
        self.budgets.refused[PACKETS.name] += 1
        self.closed_for_flooding += 1
        self.close(eio_sid)

    def _close_refused(self, eio_sid, transport):
        """Close a transport whose connection was refused: a WebSocket at once, a polling one after it could fetch the refusal."""
        if transport.refused or self.server.eio.sockets[eio_sid].upgraded:
            self.close(eio_sid)
        transport.refused, transport.connect_deadline = True, time.monotonic() + REFUSAL_SECONDS

    def logged_in(self, eio_sid):
        """Stop counting a transport by its address: its user's connections are counted instead."""
        transport = self.opened.get(eio_sid)
        if transport:
            self._uncount(transport)

    def _uncount(self, transport):
        address, transport.address = transport.address, None
        if address is not None:
            self.anonymous[address] -= 1
            if not self.anonymous[address]:
                del self.anonymous[address]

    def _remove_leftovers(self, eio_sid):
        """Remove the library's entries of a connection that was closed while the library was still opening it."""
        manager = self.server.manager
        for namespace in list(manager.get_namespaces()):
            sid = manager.sid_from_eio_sid(eio_sid, namespace)
            if sid:
                if manager.is_pre_connected(sid, namespace):
                    manager.connect(sid, namespace)
                manager.disconnect(sid, namespace, ignore_queue=True)
        self.server.environ.pop(eio_sid, None)
        self.server._binary_packet.pop(eio_sid, None)
        self.guard.sessions.pop(eio_sid, None)

    def closed(self, eio_sid, reason):
        """Engine.IO's event `disconnect`: a transport has ended."""
        self.guard.closed(eio_sid)
        transport = self.opened.pop(eio_sid, None)
        if transport:
            self._uncount(transport)
        self.server._handle_eio_disconnect(eio_sid, reason)

    def close(self, eio_sid):
        """Close a transport; what waits for its client is still sent if the client reads."""
        connection = self.server.eio.sockets.get(eio_sid)
        if connection:
            connection.close(wait=False)

    def reap(self):
        """Close the transports that never connected, and those whose client does not read. Called once a second."""
        self.guard.forget_closed()
        connected = {eio_sid for _sid, eio_sid in self.server.manager.get_participants("/", None)}
        now = time.monotonic()
        for eio_sid, transport in list(self.opened.items()):
            if transport.connect_deadline < now and eio_sid not in connected:
                self.close(eio_sid)
        for eio_sid, connection in list(self.server.eio.sockets.items()):
            if connection.closed:
                self.guard.abort_websocket(eio_sid)
                self.server.eio.sockets.pop(eio_sid, None)
            elif _unsent_bytes(connection) > MAX_UNSENT_BYTES:
                self.close(eio_sid)
                self.guard.abort_websocket(eio_sid)

    def entries(self):
        """Return how many entries all tables of transports have together. It would grow if something was not removed."""
        rooms = sum(len(members) for rooms in list(self.server.manager.rooms.values()) for members in list(rooms.values()))
        return sum(map(len, (self.opened, self.anonymous, self.guard.sessions, self.guard.websockets, self.server.environ,
                             self.server.eio.sockets, self.server.manager.pending_connect))) + rooms

    def unsent_bytes(self):
        """Return how many bytes wait for clients that do not read."""
        return sum(_unsent_bytes(connection) for connection in list(self.server.eio.sockets.values()))


def _unsent_bytes(connection):
    unsent = connection.websocket.unsent_bytes() if getattr(connection, "websocket", None) else 0
    if connection.queue.qsize() > 1:
        packets = list(getattr(connection.queue, "queue", ()))
        unsent += sum(len(packet.data.encode()) for packet in packets if packet is not None and isinstance(packet.data, str))
        unsent += len(packets) * PACKET_BYTES
    return unsent

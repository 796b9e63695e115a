"""What stands between the network and Socket.IO: it refuses what the library would stumble over.

The checks are WSGI, in front of the library, because the library answers some of these requests with "yes" and drops
them, or never answers at all. Each comment names what would happen without the check.
"""
import binascii
import io
import re
import socket
import time
from urllib.parse import parse_qs, urlsplit

from engineio.payload import Payload
from socketio.packet import BINARY_ACK, BINARY_EVENT, EVENT, Packet

from ..budgets import ADDRESS_HANDSHAKES, ADDRESS_TRANSPORTS, PACKETS
from ..storage.limits import network_of
from ..web.headers import protected
from .runtime import bounded, hang_up, socket_of

MOST_BODY = 64 * 1024           # bytes of one frame or one polling body
MOST_ANSWERED = 16              # packets in one polling answer: python-socketio's client drops an answer with more
MOST_PACKETS = 500              # packets of one polling body; the library's own 16 swallow a browser's burst
CLIENT_PACKETS = "1345"         # Engine.IO packets that a client sends by polling: close, pong, message, upgrade
BODY_TIMEOUT = 0.6              # seconds for a polling body to arrive
CONNECT_TIMEOUT = 10            # seconds from the transport to the Socket.IO connection
MOST_WAITING = 1024 * 1024      # bytes that wait for a client that does not read
PACKETS_PER_SECOND = 50         # of one transport, after a burst: a browser that comes back sends what waited at once
PACKETS_IN_A_ROW = 20           # of one transport, before others have their turn
FAREWELL_TIME = 1               # second for a refusal to reach who polls
REMEMBERED = 30                 # seconds for which requests that were under way to a closed transport are answered
CONNECT_DIGIT = "0"             # what a Socket.IO packet begins with that opens a connection
CLOSE_PACKET = b"1"             # Engine.IO's farewell in a polling answer
OPENED = "chat.opened"          # in the environ of a WebSocket: the Engine.IO session ids that run over it
WEBSOCKET_VERSION = "13"        # of RFC 6455; eventlet would speak drafts that nothing here bounds
KEY_BYTES = 16                  # of a WebSocket's key
HEADER_NAME, CONTROLS = re.compile("HTTP_[-!#$%&'*+.^_`|~0-9A-Za-z]+"), re.compile("[\0-\x08\n-\x1f\x7f]")
DEFAULT_PORTS = {"http": 80, "https": 443}

RESERVED = ("connect", "disconnect", "*")      # what python-socketio would take for its own when a client sends it

Payload.max_decode_packets = MOST_PACKETS


class TextPacket(Packet):
    """A Socket.IO packet without binary attachments: the contract has none, so none is waited for."""

    def decode(self, encoded_packet):
        if not isinstance(encoded_packet, str) or encoded_packet[:1] in (str(BINARY_EVENT), str(BINARY_ACK)):
            raise ValueError("binary packets are not part of the protocol")
        attachments = super().decode(encoded_packet)
        if self.packet_type == EVENT and self.data[0] in RESERVED:
            self.data[0] = "reserved"       # an event that nobody handles: it is refused like any other
        return attachments

    @classmethod
    def data_is_binary(cls, data):
        return False    # the library would walk through every payload in search of bytes


class Guard:
    """WSGI middleware for /socket.io: turns away foreign origins and malformed bodies, knows each WebSocket's socket."""

    def __init__(self, application, runtime, session_of, is_logged_in, https=False, path="/socket.io"):
        self.application = application
        self.runtime = runtime
        self.session_of = session_of    # session_of(environ): the session id that a request carries, or None
        self.is_logged_in = is_logged_in    # is_logged_in(session id): whether somebody is
        self.https = https
        self.sessions = {}      # Engine.IO session id -> the session that opened it
        self.path = path
        self.websockets = {}    # Engine.IO session id -> the socket that its WebSocket runs over
        self.ended = {}         # Engine.IO session id -> when its transport was closed

    def __call__(self, environ, start_response):
        if not environ.get("PATH_INFO", "").startswith(self.path):
            return self.application(environ, start_response)
        start_response = protected(start_response)
        reason = foreign(environ, self.https) or malformed_upgrade(environ) or malformed(environ, self.runtime)
        if reason:
            self.runtime.close_after_answer(environ)
            return refuse_request(reason, start_response)
        # Compressing messages of 100 bytes costs 100 KB for each connection, and CPU.
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        named = parse_qs(environ.get("QUERY_STRING", "")).get("sid", [])[:1]
        if self.ended.keys() & named and not _upgrades(environ):
            return farewell(environ, start_response)
        for eio_sid in named:
            if self.sessions.get(eio_sid, self.session_of(environ)) != self.session_of(environ):
                return self._answer_other_session(environ, start_response)
            if eio_sid in self.websockets and _upgrades(environ):
                # A second one would take the place of the one that can be cut.
                return refuse_request("This transport has its WebSocket.", start_response)
        if not _upgrades(environ):
            return self.application(environ, start_response)
        opened = environ[OPENED] = named
        for eio_sid in opened:
            self.websockets[eio_sid] = socket_of(environ)
        try:
            return self.application(environ, start_response)    # returns when the WebSocket has ended
        finally:
            for eio_sid in opened:
                self.websockets.pop(eio_sid, None)
            hang_up(environ)


    def _answer_other_session(self, environ, start_response):
        """Let nobody speak by a transport that another session opened: its id is no key, it stands in addresses and logs.

        Whoever is logged in is refused. Who is not may be the same browser, which has logged out meanwhile: it is told
        that the transport is closed.
        """
        if _upgrades(environ) or self.is_logged_in(self.session_of(environ)):
            return refuse_request("This transport belongs to another session.", start_response)
        return farewell(environ, start_response)


def refuse_request(reason, start_response):
    start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")])
    return [reason.encode()]


def _upgrades(environ):
    return environ.get("HTTP_UPGRADE", "").lower() == "websocket"


def farewell(environ, start_response):
    """Answer what reaches a transport that was just closed: a poll is told so, and what is sent is taken and dropped.

    The library's 400 would stand on the browser's console: the client answers its end with a packet and another poll.
    """
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"OK" if environ["REQUEST_METHOD"] == "POST" else CLOSE_PACKET]


def foreign(environ, https):
    """Return why the request's Origin is refused, or None. Form tokens never reach /socket.io: this is its defence.

    `https` says that people reach the site by it, though a proxy that ends TLS reaches this server by http.
    """
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return "A WebSocket needs an Origin." if _upgrades(environ) else None
    try:
        parts = urlsplit(origin)
        default = DEFAULT_PORTS.get(parts.scheme)
        host = urlsplit("//" + environ.get("HTTP_HOST", ""))
        schemes = ("https",) if https or environ["wsgi.url_scheme"] == "https" else ("http", "https")
        same = parts.scheme in schemes and (parts.hostname, parts.port or default) == (host.hostname, host.port or default)
    except ValueError:
        same = False
    return None if same else "This Origin is not this site."


def malformed_upgrade(environ):
    """Return why a WebSocket's handshake is refused, or None.

    The libraries answer one that is not as RFC 6455 has it with an error of their own, and an old draft's with a WebSocket that
    nobody knows.
    """
    if not _upgrades(environ):
        return None
    connection = environ.get("HTTP_CONNECTION", "").lower()
    if environ["REQUEST_METHOD"] != "GET" or "upgrade" not in map(str.strip, connection.split(",")) or not environ.get("HTTP_HOST"):
        return "A WebSocket begins with GET, Host and Connection: Upgrade."
    if parse_qs(environ.get("QUERY_STRING", "")).get("transport", [])[:1] != ["websocket"]:
        return "This transport is no WebSocket."
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != WEBSOCKET_VERSION:
        return f"Sec-WebSocket-Version is {WEBSOCKET_VERSION}."
    try:
        if len(binascii.a2b_base64(environ.get("HTTP_SEC_WEBSOCKET_KEY", ""))) != KEY_BYTES:
            return f"Sec-WebSocket-Key has {KEY_BYTES} bytes."
    except ValueError:
        return "Sec-WebSocket-Key is Base64."
    if any(name.startswith("HTTP_") and (not HEADER_NAME.fullmatch(name) or CONTROLS.search(value)) for name, value in environ.items()):
        return "A header has characters that none has."
    return None


def malformed(environ, runtime):
    """Return why a polling body is refused, or None; the body that was read is put back.

    A packet of unknown type, and a body over the limit, would wait for ever in the library and keep a place taken.
    """
    if environ["REQUEST_METHOD"] != "POST":
        return None
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isascii() or not length.isdigit():
        return "Content-Length is needed."
    if int(length) > MOST_BODY:
        return f"At most {MOST_BODY} bytes."
    try:
        body = runtime.read_in_time(environ, int(length), BODY_TIMEOUT)
    except OSError:
        return "The body did not arrive in time."
    try:
        packets = body.decode("utf-8").split("\x1e")
    except UnicodeDecodeError:
        return "Not UTF-8."
    if len(body) < int(length) or len(packets) > MOST_PACKETS or any(p[:1] not in CLIENT_PACKETS or not p for p in packets):
        return "Not an Engine.IO payload."
    environ["wsgi.input"] = io.BytesIO(body)
    return None


class Transport:
    """An open transport: where it came from, until when it has to connect, and how many packets it may still send."""

    __slots__ = ("address", "connects_until", "refused", "packets", "allowed", "counted_at")

    def __init__(self, address, connects_until):
        self.address = address      # None once somebody has logged in by it
        self.connects_until = connects_until
        self.refused = False
        self.packets = 0
        self.allowed = PACKETS.limit
        self.counted_at = time.monotonic()

    def has_turn(self):
        """Count a packet; return whether there may be one more: a burst at once, and then so many a second."""
        now = time.monotonic()
        self.allowed = min(PACKETS.limit, self.allowed + (now - self.counted_at) * PACKETS_PER_SECOND) - 1
        self.counted_at = now
        return self.allowed >= 0


class Transports:
    """The open transports of this process: counted for each address, and closed when they only cost."""

    def __init__(self, server, guard, shortcuts, budgets):
        self.server = server
        self.guard = guard
        self.shortcuts = shortcuts
        self.budgets = budgets
        self.refused_floods = 0 # transports that were closed because they sent too much
        self.opened = {}        # Engine.IO session id -> its Transport
        self.count = {}         # address -> how many that nobody has logged in by
        libraries = server.eio._async
        websocket = libraries["websocket"]
        server.eio._async = {**libraries, "websocket": lambda handler, eio: websocket(bounded(closing(handler), MOST_BODY), eio)}
        server.eio.on("connect", self.open)
        server.eio.on("message", self.receive)
        server.eio.on("disconnect", self.closed)

    def open(self, eio_sid, environ):
        address = network_of(environ.get("REMOTE_ADDR", ""))
        if self.budgets.is_spent(ADDRESS_TRANSPORTS, self.count.get(address, 0)) or self.budgets.hit(ADDRESS_HANDSHAKES, address):
            return "Too many connections from this address."
        self.opened[eio_sid] = Transport(address, time.monotonic() + CONNECT_TIMEOUT)
        self.guard.sessions[eio_sid] = self.guard.session_of(environ)
        self.count[address] = self.count.get(address, 0) + 1
        if OPENED in environ:       # a WebSocket from the start: its id is made just now
            environ[OPENED].append(eio_sid)
            self.guard.websockets[eio_sid] = socket_of(environ)
        connection = self.server.eio.sockets[eio_sid]
        self.shortcuts.take(connection)
        connection.poll = in_portions(connection.poll)
        return self.server._handle_eio_connect(eio_sid, environ)

    def receive(self, eio_sid, data):
        """Pass a packet on; one that cannot be read, or is one too many, closes its connection instead of filling the log."""
        transport = self.opened.get(eio_sid)
        if not transport:
            return      # packets that came with the one that closed it: the library would open a connection that nobody ends
        transport.packets += 1
        if self.budgets.enabled and not transport.has_turn():
            self.budgets.refused[PACKETS.name] += 1
            self.refused_floods += 1
            return self.close(eio_sid)
        try:
            self.server._handle_eio_message(eio_sid, data)
        except (ValueError, TypeError, IndexError, KeyError, AttributeError, RecursionError):
            self.close(eio_sid)
        if eio_sid not in self.opened:
            self._forget(eio_sid)       # it ended while the library was letting it in
        elif data[:1] == CONNECT_DIGIT and not self.server.manager.sid_from_eio_sid(eio_sid, "/"):
            self._refused(eio_sid, transport)
        if transport.packets % PACKETS_IN_A_ROW == 0:
            self.server.sleep(0)

    def _refused(self, eio_sid, transport):
        """Close a transport whose connection was refused: a WebSocket has been told, a poll is on its way."""
        if transport.refused or self.server.eio.sockets[eio_sid].upgraded:
            self.close(eio_sid)
        transport.refused, transport.connects_until = True, time.monotonic() + FAREWELL_TIME

    def logged_in(self, eio_sid):
        """Count a transport by its person from now on, and no longer by its address."""
        transport = self.opened.get(eio_sid)
        if transport:
            self._uncount(transport)

    def _uncount(self, transport):
        address, transport.address = transport.address, None
        if address is not None:
            self.count[address] -= 1
            if not self.count[address]:
                del self.count[address]

    def _forget(self, eio_sid):
        """Take back what the library has noted of a connection that ended while it began."""
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

    def start(self):
        """Start the background tasks."""
        self.shortcuts.start()

    def entries(self):
        """Return how much is noted of all connections together: what is begun and not undone would let it grow."""
        rooms = sum(len(members) for rooms in self.server.manager.rooms.values() for members in rooms.values())
        return sum(map(len, (self.opened, self.count, self.guard.sessions, self.guard.websockets, self.server.environ,
                             self.server.eio.sockets, self.server.manager.pending_connect))) + rooms

    def closed(self, eio_sid, reason):
        self.guard.ended[eio_sid] = time.monotonic()
        transport = self.opened.pop(eio_sid, None)
        if transport:
            self._uncount(transport)
        self.guard.sessions.pop(eio_sid, None)
        self.server._handle_eio_disconnect(eio_sid, reason)

    def close(self, eio_sid):
        """Close a connection at the transport; what waits for it is still sent if it reads."""
        connection = self.server.eio.sockets.get(eio_sid)
        if connection:
            connection.close(wait=False)

    def reap(self):
        """Close the transports that never connected, and those that do not read. Called once a second."""
        forgotten = time.monotonic() - REMEMBERED
        for eio_sid in [eio_sid for eio_sid, ended_at in list(self.guard.ended.items()) if ended_at < forgotten]:
            del self.guard.ended[eio_sid]
        connected = {eio_sid for _sid, eio_sid in self.server.manager.get_participants("/", None)}
        now = time.monotonic()
        for eio_sid, transport in list(self.opened.items()):
            if transport.connects_until < now and eio_sid not in connected:
                self.close(eio_sid)
        for eio_sid, connection in list(self.server.eio.sockets.items()):
            if connection.closed:
                self._cut(eio_sid)
                self.server.eio.sockets.pop(eio_sid, None)
            elif _waiting_bytes(connection) > MOST_WAITING:
                self.close(eio_sid)
                self._cut(eio_sid)

    def waiting_bytes(self):
        """Return how much waits for clients that do not read."""
        return sum(_waiting_bytes(connection) for connection in list(self.server.eio.sockets.values()))

    def _cut(self, eio_sid):
        """End a WebSocket whose client does not take the closing either."""
        raw = self.guard.websockets.pop(eio_sid, None)
        if raw:
            try:
                raw.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass    # it has ended by itself


def closing(handler):
    """Make Engine.IO's handler of a WebSocket close its connection where what came is no packet, or its client has gone.

    The library would raise, into the log, and leave the connection half upgraded, or with a task that writes to nobody.
    """
    def handle(websocket):
        try:
            return handler(websocket)
        except (ValueError, OSError):       # or nobody is there any more to be answered
            handler.__self__.close(wait=False, abort=True)
            return []
    return handle


def in_portions(poll):
    """Return a `poll` that hands out what waits for a client in portions that every client takes."""
    held = []

    def portion():
        if not held:
            held.extend(poll())
        taken = held[:MOST_ANSWERED]
        del held[:MOST_ANSWERED]
        return taken
    portion.held = held
    return portion


def _waiting_bytes(connection):
    waiting = connection.websocket.waiting_bytes() if getattr(connection, "websocket", None) else 0
    if connection.queue.qsize() > 1:
        packets = list(getattr(connection.queue, "queue", ()))
        waiting += sum(len(packet.data.encode()) for packet in packets if packet is not None and isinstance(packet.data, str))
    return waiting

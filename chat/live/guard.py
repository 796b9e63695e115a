"""The WSGI guard of /socket.io: it refuses requests that Engine.IO would mishandle.

It runs before the library, because the library accepts some of these requests and then drops them, or never answers them.
The comment at each check says what would happen without it.
"""
import binascii
import io
import re
import socket
import time
from urllib.parse import parse_qs

from ..web.headers import with_security_headers
from ..web.origin import is_this_site
from .packets import CLIENT_PACKETS, CLOSE_PACKET, MAX_BODY_BYTES, MAX_BODY_PACKETS, SEPARATOR, is_costly

BODY_TIMEOUT = 0.6              # seconds for a polling body to arrive
CLOSED_TTL = 30                 # seconds for which requests that were under way to a closed transport are answered
WEBSOCKET_SIDS = "chat.websocket_sids"      # in the environ of a WebSocket: the Engine.IO session ids that run over it
WEBSOCKET_VERSION = "13"        # of RFC 6455; eventlet would accept older drafts, whose frames nothing here limits
KEY_BYTES = 16                  # of a WebSocket's key
HEADER_NAME, CONTROLS = re.compile("HTTP_[-!#$%&'*+.^_`|~0-9A-Za-z]+"), re.compile("[\0-\x08\n-\x1f\x7f]")


class Guard:
    """WSGI middleware for /socket.io: refuses other sites and malformed requests, and knows each WebSocket's socket.

    `session_id_of(environ)` returns the value of the session cookie, or an empty string; `is_logged_in(session_id)` tells whether that
    session is somebody's; `https` says that people reach the site by HTTPS.
    """

    def __init__(self, application, runtime, session_id_of, is_logged_in, https=False, path="/socket.io"):
        self.application = application
        self.runtime = runtime
        self.session_id_of = session_id_of
        self.is_logged_in = is_logged_in
        self.https = https
        self.path = path
        self.sessions = {}      # Engine.IO session id -> the session that opened it
        self.websockets = {}    # Engine.IO session id -> the socket under its WebSocket, None where the server hides it
        self.closed_at = {}     # Engine.IO session id -> when its transport was closed (time.monotonic)

    def __call__(self, environ, start_response):
        if not environ.get("PATH_INFO", "").startswith(self.path):
            return self.application(environ, start_response)
        start_response = with_security_headers(start_response, environ, self.https)
        error = origin_error(environ, self.https) or upgrade_error(environ) or payload_error(environ, self.runtime)
        if error:
            self.runtime.close_after_answer(environ)
            return bad_request(error, start_response)
        # No compression: for messages of 100 bytes it costs 100 KB of memory per connection, and CPU.
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        [eio_sid] = parse_qs(environ.get("QUERY_STRING", "")).get("sid", [])[:1] or [None]
        if eio_sid in self.closed_at and not is_upgrade(environ):
            return closed_transport_response(environ, start_response)
        session_id = self.session_id_of(environ)
        if self.sessions.get(eio_sid, session_id) != session_id:
            return self._answer_other_session(environ, start_response)
        if not is_upgrade(environ):
            return self.application(environ, start_response)
        if eio_sid in self.websockets:      # a second one would replace the one that can be aborted
            return bad_request("This transport has its WebSocket.", start_response)
        return self._serve_websocket(environ, start_response, eio_sid)

    def _serve_websocket(self, environ, start_response, eio_sid):
        environ[WEBSOCKET_SIDS] = []
        if eio_sid:
            self._note_websocket(environ, eio_sid)
        try:
            return self.application(environ, start_response)    # returns when the WebSocket has ended
        finally:
            for ended_sid in environ[WEBSOCKET_SIDS]:
                self.websockets.pop(ended_sid, None)
            self.runtime.hang_up(environ)

    def _note_websocket(self, environ, eio_sid):
        environ[WEBSOCKET_SIDS].append(eio_sid)
        self.websockets[eio_sid] = self.runtime.socket_of(environ)

    def _answer_other_session(self, environ, start_response):
        """Answer a request whose transport was opened by another session.

        The transport's id is no secret (it is in URLs and logs), so it must not be enough to speak for somebody. A logged-in
        user is refused. Without a login it may be the same browser after its logout: it learns that the transport is closed.
        """
        if is_upgrade(environ) or self.is_logged_in(self.session_id_of(environ)):
            return bad_request("This transport belongs to another session.", start_response)
        return closed_transport_response(environ, start_response)

    def opened(self, eio_sid, environ):
        """Note the session that opened a transport, and its socket if the transport began as a WebSocket."""
        self.sessions[eio_sid] = self.session_id_of(environ)
        if WEBSOCKET_SIDS in environ:
            self._note_websocket(environ, eio_sid)

    def closed(self, eio_sid):
        """Note that a transport is closed: for CLOSED_TTL seconds, late requests to it get a valid answer."""
        self.closed_at[eio_sid] = time.monotonic()
        self.sessions.pop(eio_sid, None)

    def forget_closed(self):
        """Forget the transports that were closed more than CLOSED_TTL seconds ago."""
        oldest = time.monotonic() - CLOSED_TTL
        for eio_sid in [eio_sid for eio_sid, closed_at in list(self.closed_at.items()) if closed_at < oldest]:
            del self.closed_at[eio_sid]

    def abort_websocket(self, eio_sid):
        """Shut down the socket of a WebSocket whose client does not read the closing frame either."""
        raw = self.websockets.pop(eio_sid, None)
        if raw:
            try:
                raw.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass    # it has ended by itself


def is_upgrade(environ):
    """Tell whether a request asks for a WebSocket."""
    return environ.get("HTTP_UPGRADE", "").lower() == "websocket"


def bad_request(reason, start_response):
    """Answer 400 with the reason as text."""
    start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")])
    return [reason.encode()]


def closed_transport_response(environ, start_response):
    """Answer a request to a transport that was just closed: a poll gets CLOSE, a POST is accepted and dropped.

    The library would answer 400, which browsers show on the console: after a close, the client still sends a packet and a poll.
    """
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"OK" if environ["REQUEST_METHOD"] == "POST" else CLOSE_PACKET]


def origin_error(environ, https):
    """Return why the request's Origin is refused, or None. CSRF tokens never reach /socket.io; this check replaces them."""
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return "A WebSocket needs an Origin." if is_upgrade(environ) else None
    return None if is_this_site(origin, environ, https) else "This Origin is not this site."


def upgrade_error(environ):
    """Return why a WebSocket's handshake is refused, or None.

    The libraries answer an invalid handshake with an error of their own, and open a WebSocket for an old draft that this guard
    would not know.
    """
    if not is_upgrade(environ):
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


def payload_error(environ, runtime):
    """Return why a polling body is refused, or None. A body that is accepted is put back into the environ.

    The library would wait for ever after a packet of unknown type or a body over its limit, and one connection of the server
    would stay taken.
    """
    if environ["REQUEST_METHOD"] != "POST":
        return None
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isascii() or not length.isdigit():
        return "Content-Length is needed."
    if int(length) > MAX_BODY_BYTES:
        return f"At most {MAX_BODY_BYTES} bytes."
    try:
        body = runtime.read_in_time(environ, int(length), BODY_TIMEOUT)
    except OSError:
        return "The body did not arrive in time."
    try:
        packets = body.decode("utf-8").split(SEPARATOR)
    except UnicodeDecodeError:
        return "Not UTF-8."
    if len(body) < int(length) or len(packets) > MAX_BODY_PACKETS or any(p[:1] not in CLIENT_PACKETS or not p or is_costly(p) for p in packets):
        return "Not an Engine.IO payload."
    environ["wsgi.input"] = io.BytesIO(body)
    return None

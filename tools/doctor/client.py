"""A visitor with a browser's cookies. Each request uses a new connection, so that a proxy may send it to another process."""
import http.client
import json
import re
import secrets
import socket
import ssl
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode, urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Message, Request, TextMessage

TIMEOUT_SECONDS = 10        # for an answer
PASSWORD = secrets.token_urlsafe(24)
SOCKET_PATH = "/socket.io/?EIO=4&transport="


class Refused(Exception):
    """The chat, or a proxy in front of it, has not given the expected answer; `status` and `text` are what it answered."""

    def __init__(self, what, status, text):
        super().__init__(f"{what} was answered with {status}")
        self.status, self.text = status, text


@dataclass
class Answer:
    """The answer to one request."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    def json(self):
        """Return the answer's JSON object; {} if it is none."""
        with suppress(ValueError):
            if isinstance(came := json.loads(self.text), dict):
                return came
        return {}


class Visitor:
    """Somebody with a browser who uses one address. Network errors are OSError or HTTPException."""

    def __init__(self, url):
        self.parts = urlsplit(url)
        self.https = self.parts.scheme == "https"
        self.origin = f"{self.parts.scheme}://{self.parts.netloc}"
        self.name = f"doctor-{secrets.token_hex(4)}"
        self.cookies = {}
        self.rejected_cookies = set()      # Secure cookies received over http: a browser would not send them back

    def ask(self, method, path, body=None, headers=()):
        """Make one request over a new connection."""
        kind = http.client.HTTPSConnection if self.https else http.client.HTTPConnection
        connection = kind(self.parts.netloc, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, {"Cookie": self.cookie(), "Accept": "text/html", **dict(headers)})
            came = connection.getresponse()
            answer = Answer(came.status, came.headers, came.read().decode("utf-8", "replace"))
        finally:
            connection.close()
        self._keep(answer.headers.get_all("Set-Cookie") or ())
        return answer

    def _keep(self, lines):
        for line in lines:
            with suppress(CookieError):     # a proxy's own cookie, which Python cannot parse
                for name, morsel in SimpleCookie(line).items():
                    if morsel["secure"] and not self.https:
                        self.rejected_cookies.add(name)
                    else:
                        self.cookies[name] = morsel.value

    def cookie(self):
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def register(self):
        """Register, which also logs in. Raises Refused."""
        page = self.ask("GET", "/register")
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
        if page.status != 200 or not token:
            raise Refused("the page to register", page.status, page.text)
        form = urlencode({"username": self.name, "password": PASSWORD, "csrf_token": token[1]})
        answer = self.ask("POST", "/register", form, {
            "Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin})
        if answer.status != 302:
            raise Refused("registering", answer.status, answer.text)

    def home(self):
        """Return the page after the login. Raises Refused if it is the login page."""
        page = self.ask("GET", "/")
        if page.status != 200:
            raise Refused("the home page", page.status, page.text)
        return page

    def own_id(self):
        return int(re.search(r'data-user-id="(\d+)"', self.home().text)[1])


class Tab:
    """A live connection, in Engine.IO packets. Subclasses implement `write` and `read`."""

    def __init__(self, visitor):
        self.visitor = visitor
        self.events_received = []        # (event, payload)
        self.calls = 0

    def connect(self):
        """Connect to the namespace and wait for the confirmation. Raises Refused."""
        self.write("40")
        answer = self._until("4[04]")
        if answer.startswith("44"):
            raise Refused("the live connection", 401, answer[2:])

    def call(self, event, payload):
        """Emit an event and return its acknowledgement."""
        self.calls += 1
        self.write(f"42{self.calls}{json.dumps([event, payload])}")
        return json.loads(self._until(f"43{self.calls}")[2 + len(str(self.calls)):])[0]

    def wait_for(self, event):
        """Return the payload of the next event of that name. Raises TimeoutError."""
        for packets in self._in_time():
            self._take(packets)
            for number, (name, payload) in enumerate(self.events_received):
                if name == event:
                    return self.events_received.pop(number)[1]

    def _until(self, beginning):
        for packets in self._in_time():
            found = self._take(packets, beginning)
            if found is not None:
                return found

    def _in_time(self):
        """Yield the packets that are here, then those that arrive. Raises TimeoutError, even if other packets keep arriving."""
        until = time.monotonic() + TIMEOUT_SECONDS
        yield ()
        while time.monotonic() < until:
            yield self.read()
        raise TimeoutError(f"what was waited for did not come in {TIMEOUT_SECONDS} s")

    def _take(self, packets, beginning=None):
        found = None
        for packet in packets:
            if packet == "2":
                self.write("3")
            elif beginning and re.match(beginning, packet):
                found = packet
            elif packet.startswith("42"):
                self.events_received.append(json.loads(packet[2:]))
        return found


class PollingTab(Tab):
    """Long polling; each request uses a new connection."""

    def __init__(self, visitor):
        super().__init__(visitor)
        self.path = SOCKET_PATH + "polling"
        (opened,) = self.read()
        self.path += "&sid=" + json.loads(opened[1:])["sid"]

    def write(self, packet):
        self._ask("POST", packet)

    def read(self):
        return self._ask("GET").split("\x1e")

    def _ask(self, method, body=None):
        answer = self.visitor.ask(method, self.path, body, {"Origin": self.visitor.origin})
        if answer.status != 200:
            raise Refused("long polling", answer.status, answer.text)
        return answer.text


class WebSocketTab(Tab):
    """A WebSocket without a preceding polling transport. Raises Refused if something on the way does not support it."""

    def __init__(self, visitor):
        super().__init__(visitor)
        parts = visitor.parts
        self.socket = socket.create_connection((parts.hostname, parts.port or (443 if visitor.https else 80)), TIMEOUT_SECONDS)
        if visitor.https:
            self.socket = ssl.create_default_context().wrap_socket(self.socket, server_hostname=parts.hostname)
        self.protocol, self.events = WSConnection(ConnectionType.CLIENT), deque()
        self._send(Request(host=parts.netloc, target=SOCKET_PATH + "websocket", extra_headers=[
            (b"Origin", visitor.origin.encode()), (b"Cookie", visitor.cookie().encode())]))
        status, text = None, ""
        while not isinstance(event := self._next(), AcceptConnection):
            status = getattr(event, "status_code", status)
            text += getattr(event, "data", b"").decode("utf-8", "replace")
            if isinstance(event, CloseConnection) or getattr(event, "body_finished", not getattr(event, "has_body", True)):
                raise Refused("a WebSocket", status, text)
        self.read()     # the opening packet

    def write(self, packet):
        self._send(Message(data=packet))

    def read(self):
        while not isinstance(event := self._next(), TextMessage):
            pass
        return [event.data]

    def close(self):
        self.socket.close()

    def _send(self, event):
        self.socket.sendall(self.protocol.send(event))

    def _next(self):
        """Wait for the next event and return it. Raises ConnectionError at the end of the connection."""
        while not self.events:
            data = self.socket.recv(65536)
            self.protocol.receive_data(data or None)
            self.events.extend(self.protocol.events())
            if not data and not self.events:
                raise ConnectionError("the connection ended")
        return self.events.popleft()

"""The server that is attacked, and how an attacker reaches it: from any source address, with or without TLS."""
import contextlib
import http.client
import json
import re
import socket
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import websocket

from .registry import ANSWER_SECONDS, Refused

POLLING = "/socket.io/?EIO=4&transport=polling"
JSON = {"Accept": "application/json"}


@dataclass
class Account:
    """An account that the attackers have registered; `peer` is another one of theirs."""

    name: str
    id: int
    cookie: str
    token: str
    peer: str = ""
    peer_id: int = 0


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes
    cookie: str = ""        # all cookies that the answer sets, as a browser would send them back

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


@dataclass
class Target:
    """Addresses and accounts. `sources` are the addresses from which the attackers connect."""

    url: str
    cafile: str
    sources: list
    accounts: list
    victim: str        # the attackers guess this person's password
    sids: list = field(default_factory=list)    # Engine.IO session ids of other people
    hold_seconds: float = 15                    # how long an attack waits for the server to end its connections

    def __post_init__(self):
        parts = urlsplit(self.url)
        self.host, self.port, self.netloc, self.is_tls = parts.hostname, parts.port, parts.netloc, parts.scheme == "https"
        self.accounts = [Account(**account) if isinstance(account, dict) else account for account in self.accounts]
        self.context = ssl.create_default_context(cafile=self.cafile) if self.is_tls else None

    def connect(self, source, receive_buffer=0, timeout=ANSWER_SECONDS):
        """Return a bare connection."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.settimeout(timeout)
            sock.bind((source, 0))
            sock.connect((self.host, self.port))
            return self.context.wrap_socket(sock, server_hostname=self.host) if self.context else sock
        except BaseException:
            sock.close()
            raise

    def request(self, method, path, source, body=None, headers=None, host=None):
        """Send one request over a new connection; return the answer."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=ANSWER_SECONDS)
        connection.sock = self.connect(source)
        own_headers = {"Host": self.netloc if host is None else host}
        with contextlib.closing(connection):
            connection.request(method, path, body.encode() if isinstance(body, str) else body, {**own_headers, **(headers or {})})
            try:
                answer = connection.getresponse()
                headers = answer.getheaders()
                cookie = "; ".join(value.partition(";")[0] for name, value in headers if name.lower() == "set-cookie")
                return Answer(answer.status, {name.lower(): value for name, value in headers}, answer.read(), cookie)
            except http.client.HTTPException as error:
                raise ConnectionError(str(error)) from error

    def head(self, method, path, *lines):
        """Return the bytes of a request's head, without the empty line at its end."""
        return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {self.netloc}", *lines]).encode() + b"\r\n"

    def websocket(self, source, cookie="", sid="", receive_buffer=0):
        """Open a WebSocket; with a `sid`, as the upgrade of that transport. Raises OSError if it is refused."""
        address = f"{self.url.replace('http', 'ws', 1)}/socket.io/?EIO=4&transport=websocket" + f"&sid={sid}" * bool(sid)
        sock = self.connect(source, receive_buffer)
        try:
            return websocket.create_connection(address, socket=sock, cookie=cookie or None, origin=self.url, timeout=ANSWER_SECONDS)
        except websocket.WebSocketBadStatusException as error:
            sock.close()
            raise Refused(error.status_code) from error
        except websocket.WebSocketException as error:
            sock.close()
            raise ConnectionError(str(error)) from error
        except BaseException:
            sock.close()
            raise

    def joined(self, source, account, receive_buffer=0):
        """Return a WebSocket on which that account is connected. Raises OSError if it is refused."""
        ws = self.websocket(source, account.cookie, receive_buffer=receive_buffer)
        try:
            ws.recv()
            ws.send("40")
            while not (packet := ws.recv()).startswith(("40", "44")):
                if packet == "2":       # a ping came first, because the connection took so long; a message may come first too
                    ws.send("3")
        except websocket.WebSocketException as error:
            ws.shutdown()
            raise ConnectionError(str(error)) from error
        if not packet.startswith("40"):
            ws.shutdown()
            code = re.search(r'"code":"(\w+)"', packet)
            raise Refused(code[1] if code else packet[:40])
        return ws


class Polling:
    """A long-polling transport."""

    def __init__(self, target, source, cookie=""):
        self.target, self.source = target, source
        self.headers = {"Cookie": cookie} if cookie else {}
        answer = target.request("GET", POLLING, source, headers=self.headers)
        if answer.status != 200:
            raise Refused(answer.status)
        self.sid = json.loads(answer.text.split("\x1e")[0][1:])["sid"]
        self.path = f"{POLLING}&sid={self.sid}"

    def post(self, body):
        return self.target.request("POST", self.path, self.source, body, self.headers)

    def poll(self):
        return self.target.request("GET", self.path, self.source, headers=self.headers)

    def is_closed(self):
        """Poll until the transport is closed; return False if it stays open."""
        for _n in range(40):
            answer = self.poll()
            if answer.status != 200 or "1" in answer.text.split("\x1e"):
                return True
            if "2" in answer.text.split("\x1e"):
                return False        # a ping: the transport is alive
        return False

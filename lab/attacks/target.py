"""The server that is attacked, and how an attacker reaches it: from addresses of their own, with or without TLS."""
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
    """Somebody whom the attackers have registered; `peer` is another one of them."""

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
    cookie: str = ""        # all that the answer sets, as a browser sends it back

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


@dataclass
class Target:
    """Addresses and accounts; `sources` are the attackers' own addresses."""

    url: str
    cafile: str
    sources: list
    accounts: list
    victim: str                     # whose password is guessed
    sids: list = field(default_factory=list)        # Engine.IO session ids of other people
    hold_seconds: float = 15        # how long an attack waits for the end of what it holds

    def __post_init__(self):
        parts = urlsplit(self.url)
        self.host, self.port, self.netloc, self.is_tls = parts.hostname, parts.port, parts.netloc, parts.scheme == "https"
        self.accounts = [Account(**account) if isinstance(account, dict) else account for account in self.accounts]
        self.context = ssl.create_default_context(cafile=self.cafile) if self.is_tls else None

    def connect(self, source, receive_buffer=0, timeout=ANSWER_SECONDS):
        """Return a bare connection, to send on it what no browser would."""
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

    def ask(self, method, path, source, body=None, headers=None, host=None):
        """Return the answer to one request, by a connection of its own."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=ANSWER_SECONDS)
        connection.sock = self.connect(source)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", self.netloc if host is None else host)
            if self.is_tls:
                connection.putheader("Referer", f"{self.url}/")     # without it no form counts, and nothing behind the forms is reached
            data = body.encode() if isinstance(body, str) else body
            if data is not None:
                connection.putheader("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            connection.endheaders(data)
            try:
                answer = connection.getresponse()
                headers = answer.getheaders()
                cookie = "; ".join(value.partition(";")[0] for name, value in headers if name.lower() == "set-cookie")
                return Answer(answer.status, {name.lower(): value for name, value in headers}, answer.read(), cookie)
            except http.client.HTTPException as error:
                raise ConnectionError(str(error)) from error

    def head(self, method, path, *lines):
        """Return the bytes of a request's head without its end."""
        return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {self.netloc}", *lines]).encode() + b"\r\n"

    def websocket(self, source, cookie="", sid="", receive_buffer=0):
        """Open a WebSocket; with a `sid` as the upgrade of that transport. Raises OSError where it is refused."""
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
        """Return a WebSocket on which that account is connected. Raises OSError where it is refused."""
        ws = self.websocket(source, account.cookie, receive_buffer=receive_buffer)
        try:
            ws.recv()
            ws.send("40")
            while (told := ws.recv()) == "2":
                ws.send("3")        # it took so long that it was asked whether it lives
        except websocket.WebSocketException as error:
            ws.shutdown()
            raise ConnectionError(str(error)) from error
        if not told.startswith("40"):
            ws.shutdown()
            code = re.search(r'"code":"(\w+)"', told)
            raise Refused(code[1] if code else told[:40])
        return ws


class Polling:
    """A polling transport, packet by packet."""

    def __init__(self, target, source, cookie=""):
        self.target, self.source = target, source
        self.headers = {"Cookie": cookie} if cookie else {}
        answer = target.ask("GET", POLLING, source, headers=self.headers)
        if answer.status != 200:
            raise Refused(answer.status)
        self.sid = json.loads(answer.text.split("\x1e")[0][1:])["sid"]
        self.path = f"{POLLING}&sid={self.sid}"

    def post(self, body):
        return self.target.ask("POST", self.path, self.source, body, self.headers)

    def poll(self):
        return self.target.ask("GET", self.path, self.source, headers=self.headers)

    def is_closed(self):
        """Poll until the transport has been closed; False where the server goes on."""
        for _n in range(40):
            answer = self.poll()
            if answer.status != 200 or "1" in answer.text.split("\x1e"):
                return True
            if "2" in answer.text.split("\x1e"):
                return False        # it is pinged: it lives
        return False

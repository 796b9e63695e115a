"""Plays dialogues on bare sockets, which can send what no client library would."""
import contextlib
import json
import os
import socket
import uuid
from urllib.parse import urlsplit

from tests.people import Person

from ..http_bytes import is_complete_response, status_of

ANSWER_SECONDS = 5          # for an answer that must come
REQUEST_SECONDS = 1         # for the answer to a request that seems complete
QUIET_SECONDS = 0.03        # for an answer that need not come: to a poll, to half a request, to a frame
MAX_READ = 1024 * 1024      # bytes of one answer
ENGINE = "/socket.io/?EIO=4&transport="
EMPTY = (0, b"")            # a missing answer


def encoded(text):
    """Return the bytes of a dialogue's text, in which \\udc80 to \\udcff stand for bytes that are not UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def packed(step, text):
    """Return the bytes of a WebSocket frame."""
    announced = len(text) if step["announced"] is None else step["announced"]
    wide = step["wide"] or (127 if announced > 65535 else 126 if announced > 125 else 0)
    head = bytes([step["fin"] << 7 | step["rsv"] << 4 | step["opcode"], (step["masked"] << 7) | (wide or announced)])
    head += announced.to_bytes(8, "big") if wide == 127 else (announced & 0xFFFF).to_bytes(2, "big") if wide else b""
    if not step["masked"]:
        return head + text
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))


class Client:
    """The client of one dialogue: its session, its polling transport and its WebSocket. `answers` are [(status, step)]."""

    def __init__(self, url, cookie, token, person, peer):
        self.url, self.person = url, person
        parts = urlsplit(url)
        self.place = parts.hostname, parts.port
        self.names = {"host": parts.netloc, "cookie": cookie, "token": token, "peer": peer.username, "peerId": str(peer.id),
                      "ownId": str(person.id if person else 0), "sid": "unknown"}
        self.websocket, self.sids, self.answers = None, [], []

    def play(self, steps):
        """Take all steps, whatever the results are, and leave."""
        for step in steps:
            with contextlib.suppress(OSError):
                getattr(self, "_" + step["do"])(step)
        self.leave()

    def leave(self):
        """Close what is still open, as a browser does when a tab is closed."""
        self._close()
        for sid in self.sids:
            with contextlib.suppress(OSError):
                self._send_request("POST", f"{ENGINE}polling&sid={sid}", [], b"1")

    def substituted(self, text):
        """Return a text as bytes, with this client's values in place of <<names>>."""
        for name, value in {**self.names, "clientId": uuid.uuid4().hex}.items():
            text = text.replace(f"<<{name}>>", value)
        return encoded(text)

    # --- the steps

    def _request(self, step):
        body = self.substituted(step["body"])
        length = str(len(body)) if step["length"] == "right" else step["length"]
        headers = [*step["headers"], *([["Content-Length", length]] if body and length is not None else [])]
        line = f"{step['method']} {step['path']} {step['version']}\r\n"
        head = self.substituted(line + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n")
        whole = step["cut"] is None and step["length"] == "right" and "/socket.io" not in step["path"]
        self._note(step, self._exchange((head + body)[:step["cut"]], REQUEST_SECONDS if whole else QUIET_SECONDS))

    def _open(self, step):
        status, body = self._send_request("GET", f"{ENGINE}polling{step['query']}", seconds=QUIET_SECONDS if step["query"] else ANSWER_SECONDS, step=step)
        with contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
            self.names["sid"] = json.loads(body[body.index(b"{"):].split(b"\x1e")[0])["sid"]
            self.sids.append(self.names["sid"])

    def _post(self, step):
        self._send_request("POST", f"{ENGINE}polling&sid={self.names['sid']}", [("Content-Type", "text/plain")], self.substituted(step["text"]), step)

    def _poll(self, step):
        self._send_request("GET", f"{ENGINE}polling&sid={self.names['sid']}", seconds=QUIET_SECONDS, step=step)

    def _websocket(self, step):
        self._close()
        head = {"Host": "<<host>>", "Cookie": "session=<<cookie>>", "Origin": "http://<<host>>", "Connection": "Upgrade", "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", **dict(step["headers"])}
        text = f"GET {ENGINE}websocket{step['query']} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in head.items() if v is not None) + "\r\n"
        sock = self.websocket = socket.create_connection(self.place, timeout=ANSWER_SECONDS)
        sock.sendall(self.substituted(text))
        sock.settimeout(0.5)
        self._note(step, (status_of(sock.recv(4096)), b""))

    def _frame(self, step):
        if self.websocket:
            self.websocket.sendall(packed(step, self.substituted(step["text"])))

    def _read(self, _step):
        if self.websocket:
            self.websocket.settimeout(QUIET_SECONDS)
            self.websocket.recv(65536)

    def _close(self, _step=None):
        if self.websocket:
            with contextlib.suppress(OSError):
                self.websocket.close()
        self.websocket = None

    def _logout(self, step):
        form = f"csrf_token={self.names['token']}".encode()
        self._send_request("POST", "/logout", [("Content-Type", "application/x-www-form-urlencoded")], form, step)

    # --- HTTP

    def _send_request(self, method, path, headers=(), body=b"", step=None, seconds=ANSWER_SECONDS):
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        text = f"{method} {path} HTTP/1.1\r\nHost: <<host>>\r\nCookie: session=<<cookie>>\r\nConnection: close\r\n{head}Content-Length: {len(body)}\r\n\r\n"
        answer = self._exchange(self.substituted(text) + body, seconds)
        self._note(step or {"do": method, "path": path}, answer)
        return answer

    def _exchange(self, data, seconds):
        """Send bytes over a new connection; return (status, body), or (0, b"") if there is no answer."""
        answer = b""
        with socket.create_connection(self.place, timeout=ANSWER_SECONDS) as sock, contextlib.suppress(OSError):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(data)
            sock.settimeout(seconds)
            while len(answer) < MAX_READ and not is_complete_response(answer) and (part := sock.recv(65536)):
                answer += part
        return status_of(answer), answer.partition(b"\r\n\r\n")[2]

    def _note(self, step, answer):
        self.answers.append((answer[0], step))


class Players:
    """The fuzzer's clients: strangers without a session, a member whose session continues, and newcomers with new sessions."""

    def __init__(self, url, peer):
        self.url, self.peer = url, peer
        self.member = Person(url)
        self.member.register()
        self.stranger = Person(url)

    def client(self, who):
        """Return a client for one dialogue."""
        person = self.member if who == "member" else Person(self.url)
        if who == "newcomer":
            person.username = self.member.username
            person._id = self.member.id
        if who == "newcomer" or who == "member" and person.get("/").status_code != 200:     # a dialogue may have logged the member out
            person.http.cookies.clear()
            person.log_in()
        token = person.token("/" if who != "stranger" else "/login")
        cookie = person.http.cookies.get("session", "")
        person.http.close()
        return Client(self.url, cookie, token, None if who == "stranger" else self.member, self.peer)

    def play(self, dialogue):
        """Play a dialogue; return its answers."""
        client = self.client(dialogue["who"])
        client.play(dialogue["steps"])
        return client.answers

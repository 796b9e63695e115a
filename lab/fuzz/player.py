"""Plays dialogues on bare sockets: the fuzzer's client, which sends what no library would."""
import contextlib
import json
import os
import socket
import uuid
from urllib.parse import urlsplit

from tests.people import Person

ANSWER_SECONDS = 5          # for what has to be answered
REQUEST_SECONDS = 1         # for a request that is whole, as far as the fuzzer knows
QUIET_SECONDS = 0.03        # for what need not be: a poll, half a request, a frame
MAX_READ = 1024 * 1024      # bytes of one answer
ENGINE = "/socket.io/?EIO=4&transport="
EMPTY = (0, b"")            # what stands for an answer that did not come


def encoded(text):
    """Return the bytes of a text of a dialogue, in which \\udc80 to \\udcff stand for bytes that are no UTF-8."""
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
    """One client of one dialogue: its session, its polling transport and its WebSocket. `answers` are [(status, step)]."""

    def __init__(self, url, cookie, token, person, peer):
        self.url, self.person = url, person
        parts = urlsplit(url)
        self.place = parts.hostname, parts.port
        self.names = {"host": parts.netloc, "cookie": cookie, "token": token, "peer": peer.username, "peerId": str(peer.id),
                      "ownId": str(person.id if person else 0), "sid": "unknown"}
        self.websocket, self.sids, self.answers = None, [], []

    def play(self, steps):
        """Take the steps one after the other, whatever comes of them, and leave."""
        for step in steps:
            with contextlib.suppress(OSError):
                getattr(self, "_" + step["do"])(step)
        self.leave()

    def leave(self):
        """End what is still open, as a browser does whose tab is closed."""
        self._close()
        for sid in self.sids:
            with contextlib.suppress(OSError):
                self._ask("POST", f"{ENGINE}polling&sid={sid}", [], b"1")

    def filled(self, text):
        """Return a text with the values of this client in the place of <<names>>, as bytes."""
        for name, value in {**self.names, "clientId": uuid.uuid4().hex}.items():
            text = text.replace(f"<<{name}>>", value)
        return encoded(text)

    # --- the steps

    def _request(self, step):
        body = self.filled(step["body"])
        length = str(len(body)) if step["length"] == "right" else step["length"]
        headers = [*step["headers"], *([["Content-Length", length]] if body and length is not None else [])]
        line = f"{step['method']} {step['path']} {step['version']}\r\n"
        head = self.filled(line + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n")
        whole = step["cut"] is None and step["length"] == "right" and "/socket.io" not in step["path"]
        self._note(step, self._exchange((head + body)[:step["cut"]], REQUEST_SECONDS if whole else QUIET_SECONDS))

    def _open(self, step):
        status, body = self._ask("GET", f"{ENGINE}polling{step['query']}", seconds=QUIET_SECONDS if step["query"] else ANSWER_SECONDS, step=step)
        with contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
            self.names["sid"] = json.loads(body[body.index(b"{"):].split(b"\x1e")[0])["sid"]
            self.sids.append(self.names["sid"])

    def _post(self, step):
        self._ask("POST", f"{ENGINE}polling&sid={self.names['sid']}", [("Content-Type", "text/plain")], self.filled(step["text"]), step)

    def _poll(self, step):
        self._ask("GET", f"{ENGINE}polling&sid={self.names['sid']}", seconds=QUIET_SECONDS, step=step)

    def _websocket(self, step):
        self._close()
        head = {"Host": "<<host>>", "Cookie": "session=<<cookie>>", "Origin": "http://<<host>>", "Connection": "Upgrade", "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", **dict(step["headers"])}
        text = f"GET {ENGINE}websocket{step['query']} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in head.items() if v is not None) + "\r\n"
        sock = self.websocket = socket.create_connection(self.place, timeout=ANSWER_SECONDS)
        sock.sendall(self.filled(text))
        sock.settimeout(0.5)
        self._note(step, (_status(sock.recv(4096)), b""))

    def _frame(self, step):
        if self.websocket:
            self.websocket.sendall(packed(step, self.filled(step["text"])))

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
        self._ask("POST", "/logout", [("Content-Type", "application/x-www-form-urlencoded")], form, step)

    # --- HTTP

    def _ask(self, method, path, headers=(), body=b"", step=None, seconds=ANSWER_SECONDS):
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        text = f"{method} {path} HTTP/1.1\r\nHost: <<host>>\r\nCookie: session=<<cookie>>\r\nConnection: close\r\n{head}Content-Length: {len(body)}\r\n\r\n"
        answer = self._exchange(self.filled(text) + body, seconds)
        self._note(step or {"do": method, "path": path}, answer)
        return answer

    def _exchange(self, data, seconds):
        """Send bytes on a connection of their own; return (status, the answer), (0, b"") where none comes."""
        answer = b""
        with socket.create_connection(self.place, timeout=ANSWER_SECONDS) as sock, contextlib.suppress(OSError):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(data)
            sock.settimeout(seconds)
            while len(answer) < MAX_READ and not _is_whole(answer) and (part := sock.recv(65536)):
                answer += part
        return _status(answer), answer.partition(b"\r\n\r\n")[2]

    def _note(self, step, answer):
        self.answers.append((answer[0], step))


def _status(answer):
    first = answer.partition(b"\r\n")[0].split()
    return int(first[1]) if len(first) > 1 and first[0].startswith(b"HTTP/") and first[1].isdigit() else 0


def _is_whole(answer):
    head, ended, body = answer.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n") if ended else ():
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return False


class Players:
    """Who the fuzzer's clients are: a stranger, a member whose session goes on, and newcomers with sessions of their own."""

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

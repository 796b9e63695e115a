"""Attacks by HTTP requests: endless bodies, unfinished requests, answers that are not read."""
import contextlib
import json
import uuid

from ..http_bytes import status_of
from ..sockets import is_closed_by_peer
from .forms import Form
from .registry import CUT, Attack, OpenConnections, attack
from .target import JSON

MAX_CHUNK_BYTES = 4 * 1024 * 1024   # sent of one body; the server reads only a small part
MAX_HELD = 2500                     # open connections of one attack
LONG_TEXT = "\U0001F600" * 4000     # 16 KB in UTF-8
LONG_MESSAGES = 25                  # a person may send 30 in 10 s
DEPTH = 20_000
DANGEROUS = "%1b[2J%1b]0;owned%07%c2%85%e2%80%a8%e2%80%ae%e2%81%a6%0AINFO:%20all%20is%20well"
IN_LOG = ("\x1b", "\x07", "\x85", "\u2028", "\u202e", "\u2066")     # must not reach a terminal
SMALL_BUFFER = 4096         # bytes
END_SECONDS = 5             # for the connection to end after the bytes that have arrived


def read_status(sock):
    """Read from a bare connection; return the status of the response."""
    return str(status_of(sock.recv(1000)) or CUT)


@attack
class EndlessChunks(Form):
    name = "chunk sizes and chunked bodies without end"
    allowed = frozenset({"400", "408", "411", "413", "501", CUT})
    required = frozenset({"400"})

    def attempt(self):
        path = self.rng.choice(["/login", "/healthz", "/socket.io/?EIO=4&transport=polling"])
        with self.target.connect(self.source(), timeout=15) as sock:
            sock.sendall(self.target.head("POST", path, "Transfer-Encoding: chunked") + b"\r\n")
            piece = b"1" * 65536 if self.rng.random() < 0.5 else b"8000\r\n" + b"a" * 0x8000 + b"\r\n"
            with contextlib.suppress(OSError):
                for _n in range(MAX_CHUNK_BYTES // len(piece)):
                    sock.sendall(piece)
            return read_status(sock)


class HalfRequests(Form):
    """Opens many connections per second and keeps them. Counts those that the server ends, and those that it keeps too long."""

    burst = 20
    per_second = 5
    allowed = frozenset({CUT, "400", "408", "429", "open at the end"})
    required = frozenset({CUT, "400", "408"})
    limit = MAX_HELD
    too_long = 35        # seconds

    def prepare(self):
        self.connections = OpenConnections()
        self.origin = self.source()

    def bytes(self):
        raise NotImplementedError

    def attempt(self):
        """Open some more connections, and check the older ones."""
        for _n in range(self.burst):
            if len(self.connections) >= self.limit:
                break
            with contextlib.suppress(OSError):
                sock = self.target.connect(self.origin, timeout=5)
                sock.sendall(self.bytes())
                self.connections.add(sock)
                self.sent += 1
        for sock in self.connections.older_than(0.5):
            outcome = self._ended(sock)
            if outcome:
                self.counts[outcome] += 1
                self.connections.drop(sock)
        for sock in self.connections.older_than(self.too_long):
            self.counts["kept too long"] += 1
            self.connections.drop(sock)

    @staticmethod
    def _ended(sock):
        try:
            return read_status(sock)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            return None if "did not complete" in str(error) else CUT

    def close(self):
        for sock in list(self.connections.sockets):
            outcome = self._ended(sock)
            self.counts[outcome or "open at the end"] += 1
        self.connections.close()


@attack
class HalfHeads(HalfRequests):
    name = "heads of requests that are never finished"

    def bytes(self):
        return self.rng.choice([b"", b"GET / HT", b"GET / HTTP/1.1\r\nHos", self.target.head("GET", "/", "A: b")])


@attack
class HalfForms(HalfRequests):
    name = "forms that are never finished"
    burst = 5
    limit = 500

    def bytes(self):
        path = self.rng.choice(["/login", "/register", "/messages/somebody"])
        return self.target.head("POST", path, "Content-Length: 1000") + b"\r\nusername="


@attack
class UnreadAnswers(HalfRequests):
    """Requests pages of long messages with a small receive buffer, and does not read them."""

    name = "answers of /messages that nobody reads"
    burst = 1
    limit = 60
    too_long = 60
    required = frozenset()

    def prepare(self):
        super().prepare()
        self.account = self.target.accounts[0]
        for _n in range(LONG_MESSAGES):
            self.target.request("POST", f"/messages/{self.account.peer}", self.origin,
                            json.dumps({"message": LONG_TEXT, "clientId": uuid.uuid4().hex}),
                            {"Cookie": self.account.cookie, "X-CSRFToken": self.account.token, "Content-Type": "application/json"})

    def attempt(self):
        if len(self.connections) < self.limit:
            sock = self.target.connect(self.origin, SMALL_BUFFER)
            sock.sendall(self.target.head("GET", f"/messages/{self.account.peer}?limit=200", "Accept: application/json",
                                          f"Cookie: {self.account.cookie}") + b"\r\n")
            self.connections.add(sock)
            self.sent += 1
        for sock in self.connections.older_than(self.too_long):
            self.counts[CUT if is_closed_by_peer(sock, END_SECONDS) else "kept too long"] += 1
            self.connections.drop(sock)

    def close(self):
        if self.connections.sockets:
            self.counts["open at the end"] += len(self.connections)
        self.connections.close()


@attack
class Searches(Attack):
    name = "GET /users?q=a in a loop"
    per_second = 10
    allowed = frozenset({"200", "429"})
    required = frozenset({"200"})

    def attempt(self):
        account, text = self.rng.choice(self.target.accounts), self.rng.choice(["a", "a" * 3000, "%cc%95%cc%80" * 500, "%25", "_", "'"])
        return str(self.target.request("GET", f"/users?q={text}", self.rng.choice(self.target.sources),
                                   headers={**JSON, "Cookie": account.cookie}).status)


@attack
class DeepJson(Attack):
    name = "JSON of 20,000 levels"
    allowed = frozenset({"400", "413"})
    required = frozenset({"400"})

    def attempt(self):
        account, sign = self.rng.choice(self.target.accounts), self.rng.choice(["[", '{"message":', "[{\"a\":"])
        return str(self.target.request(
            "POST", f"/messages/{account.peer}", self.rng.choice(self.target.sources), (sign * DEPTH)[:200_000],
            {"Cookie": account.cookie, "X-CSRFToken": account.token, "Content-Type": "application/json", **JSON}).status)


@attack
class EscapesInLog(Attack):
    """At the end the run checks that the log has no control characters."""

    name = "escape and bidi characters for the log"
    allowed = required = frozenset({"400"})

    def attempt(self):
        return str(self.target.request("GET", f"/socket.io/?EIO=4&transport=polling&sid=a{DANGEROUS}", self.rng.choice(self.target.sources),
                                   headers={"User-Agent": "\x1b[2J"}).status)


@attack
class BrokenBodies(Attack):
    """Polling bodies that are too large, incomplete, or not Engine.IO."""

    name = "malformed polling bodies"
    per_second = 5
    allowed = frozenset({"400", "408", "413", CUT})
    required = frozenset({"400"})
    BODIES = (b"9", b"", b"0", b"40\x1e", b"4\xff", b"4" + b"x" * 70_000, b"\x1e".join([b"3"] * 501))

    def attempt(self):
        source, path = self.rng.choice(self.target.sources), "/socket.io/?EIO=4&transport=polling&sid=unknown"
        if self.rng.random() < 0.7:
            return str(self.target.request("POST", path, source, self.rng.choice(self.BODIES)).status)
        with self.target.connect(source) as sock:
            sock.sendall(self.target.head("POST", path, "Content-Length: 100") + b"\r\n40")
            return read_status(sock)

"""Attacks by HTTP requests: bodies without end, requests that are never finished, answers that nobody reads."""
import contextlib
import json
import uuid

from .forms import Form
from .registry import CUT, Attack, Held, attack
from .target import JSON

MAX_CHUNK_BYTES = 4 * 1024 * 1024   # sent of one body; the server takes few of them
MAX_HELD = 2500             # connections of one attack at the same time
LONG_TEXT = "\U0001F600" * 4000     # 16 KB in UTF-8
LONG_MESSAGES = 25          # a person may send 30 in 10 s
DEPTH = 20_000
DANGEROUS = "%1b[2J%1b]0;owned%07%c2%85%e2%80%a8%e2%80%ae%e2%81%a6%0AINFO:%20all%20is%20well"
IN_LOG = ("\x1b", "\x07", "\x85", "\u2028", "\u202e", "\u2066")     # what must not reach a terminal
SMALL_BUFFER = 4096         # bytes


def status_of(sock):
    """Return the status of the answer that comes by a bare connection."""
    first = sock.recv(1000).partition(b"\r\n")[0].split()
    return first[1].decode() if len(first) > 1 else CUT


@attack
class EndlessChunks(Form):
    name = "chunk sizes and chunked bodies without end"
    accepted = frozenset({"400", "408", "411", "413", "501", CUT})
    needed = frozenset({"400"})

    def once(self):
        path = self.dice.choice(["/login", "/healthz", "/socket.io/?EIO=4&transport=polling"])
        with self.target.connect(self.source(), timeout=15) as sock:
            sock.sendall(self.target.head("POST", path, "Transfer-Encoding: chunked") + b"\r\n")
            piece = b"1" * 65536 if self.dice.random() < 0.5 else b"8000\r\n" + b"a" * 0x8000 + b"\r\n"
            with contextlib.suppress(OSError):
                for _n in range(MAX_CHUNK_BYTES // len(piece)):
                    sock.sendall(piece)
            return status_of(sock)


class HalfRequests(Form):
    """Opens connections that stay, many a second; what the server ends is counted, and what it keeps too long."""

    burst = 20
    per_second = 5
    accepted = frozenset({CUT, "400", "408", "429", "open at the end"})
    needed = frozenset({CUT, "400", "408"})
    limit = MAX_HELD
    too_long = 35           # seconds

    def prepare(self):
        self.held = Held()
        self.origin = self.source()

    def bytes(self):
        raise NotImplementedError

    def once(self):
        """Open some more, and see which of the older ones have been ended."""
        for _n in range(self.burst):
            if len(self.held) >= self.limit:
                break
            with contextlib.suppress(OSError):
                sock = self.target.connect(self.origin, timeout=5)
                sock.sendall(self.bytes())
                self.held.add(sock)
                self.sent += 1
        for sock in self.held.older_than(0.5):
            outcome = self._ended(sock)
            if outcome:
                self.counts[outcome] += 1
                self.held.drop(sock)
        for sock in self.held.older_than(self.too_long):
            self.counts["kept too long"] += 1
            self.held.drop(sock)

    @staticmethod
    def _ended(sock):
        try:
            return status_of(sock)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            return None if "did not complete" in str(error) else CUT

    def close(self):
        for sock in list(self.held.sockets):
            outcome = self._ended(sock)
            self.counts[outcome or "open at the end"] += 1
        self.held.close()


@attack
class HalfHeads(HalfRequests):
    name = "heads of requests that are never finished"

    def bytes(self):
        return self.dice.choice([b"", b"GET / HT", b"GET / HTTP/1.1\r\nHos", self.target.head("GET", "/", "A: b")])


@attack
class HalfForms(HalfRequests):
    name = "forms that are never finished"
    burst = 5
    limit = 500

    def bytes(self):
        path = self.dice.choice(["/login", "/register", "/messages/somebody"])
        return self.target.head("POST", path, "Content-Length: 1000") + b"\r\nusername="


@attack
class UnreadAnswers(HalfRequests):
    """Pages of long messages, asked for with a small receive buffer and not read."""

    name = "answers of /messages that nobody reads"
    burst = 1
    limit = 60
    too_long = 60
    needed = frozenset()

    def prepare(self):
        super().prepare()
        self.account = self.target.accounts[0]
        for _n in range(LONG_MESSAGES):
            self.target.ask("POST", f"/messages/{self.account.peer}", self.origin,
                            json.dumps({"message": LONG_TEXT, "clientId": uuid.uuid4().hex}),
                            {"Cookie": self.account.cookie, "X-CSRFToken": self.account.token, "Content-Type": "application/json"})

    def once(self):
        if len(self.held) < self.limit:
            sock = self.target.connect(self.origin, SMALL_BUFFER)
            sock.sendall(self.target.head("GET", f"/messages/{self.account.peer}?limit=200", "Accept: application/json",
                                          f"Cookie: {self.account.cookie}") + b"\r\n")
            self.held.add(sock)
            self.sent += 1
        for sock in self.held.older_than(self.too_long):
            self.counts[self._read_to_end(sock)] += 1
            self.held.drop(sock)

    @staticmethod
    def _read_to_end(sock):
        """Whether the rest of the answer was dropped: what the kernel holds is read, and then the end comes."""
        sock.settimeout(5)
        try:
            while sock.recv(1 << 20):
                pass
        except TimeoutError:
            return "kept too long"
        except OSError:
            pass
        return CUT

    def close(self):
        if self.held.sockets:
            self.counts["open at the end"] += len(self.held)
        self.held.close()


@attack
class Searches(Attack):
    name = "GET /users?q=a in a loop"
    per_second = 10
    accepted = frozenset({"200", "429"})
    needed = frozenset({"200"})

    def once(self):
        account, text = self.dice.choice(self.target.accounts), self.dice.choice(["a", "a" * 3000, "%cc%95%cc%80" * 500, "%25", "_", "'"])
        return str(self.target.ask("GET", f"/users?q={text}", self.dice.choice(self.target.sources),
                                   headers={**JSON, "Cookie": account.cookie}).status)


@attack
class DeepJson(Attack):
    name = "JSON of 20,000 levels"
    accepted = frozenset({"400", "413"})
    needed = frozenset({"400"})

    def once(self):
        account, sign = self.dice.choice(self.target.accounts), self.dice.choice(["[", '{"message":', "[{\"a\":"])
        return str(self.target.ask(
            "POST", f"/messages/{account.peer}", self.dice.choice(self.target.sources), (sign * DEPTH)[:200_000],
            {"Cookie": account.cookie, "X-CSRFToken": account.token, "Content-Type": "application/json", **JSON}).status)


@attack
class EscapesInLog(Attack):
    """Whether the log is still text, the run looks up when it is over."""

    name = "escape and bidi characters for the log"
    accepted = needed = frozenset({"400"})

    def once(self):
        return str(self.target.ask("GET", f"/socket.io/?EIO=4&transport=polling&sid=a{DANGEROUS}", self.dice.choice(self.target.sources),
                                   headers={"User-Agent": "\x1b[2J"}).status)


@attack
class BrokenBodies(Attack):
    """Polling bodies that are too large, half sent, or no Engine.IO."""

    name = "malformed polling bodies"
    per_second = 5
    accepted = frozenset({"400", "408", "413", CUT})
    needed = frozenset({"400"})
    BODIES = (b"9", b"", b"0", b"40\x1e", b"4\xff", b"4" + b"x" * 70_000, b"\x1e".join([b"3"] * 501))

    def once(self):
        source, path = self.dice.choice(self.target.sources), "/socket.io/?EIO=4&transport=polling&sid=unknown"
        if self.dice.random() < 0.7:
            return str(self.target.ask("POST", path, source, self.dice.choice(self.BODIES)).status)
        with self.target.connect(source) as sock:
            sock.sendall(self.target.head("POST", path, "Content-Length: 100") + b"\r\n40")
            return status_of(sock)

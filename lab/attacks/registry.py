"""The list of attacks: each is a small class; `once` sends one and returns what came of it as a word."""
import threading
import time
from collections import Counter

ATTACKS = []
MAX_TIMES = 50_000          # of one attack in one run
CUT, NO_ANSWER = "cut", "no answer"
BUDGET_SPENT = "not let in: rate_limited"       # the attackers share a few accounts, whose ten connections each are taken: as it should be
ANSWER_SECONDS = 30         # for an answer


class Attack:
    """One row of the table. `accepted` are the outcomes that a guarded server gives, `needed` those of which one has to be seen."""

    name = ""
    workers = 1             # threads that send it
    per_second = 2          # of each worker
    accepted = frozenset()
    needed = frozenset()
    modes = ("embedded", "server")
    behind_front = True     # whether it makes sense at a reverse proxy too

    def __init__(self, target, dice):
        self.target, self.dice = target, dice
        self.counts = Counter()     # outcome -> times
        self.sent = 0

    def prepare(self):
        """Called once before the first time."""

    def once(self):
        """Send it once; return the outcome. An OSError counts as "cut", a TimeoutError as "no answer".

        What holds connections counts by itself what it sent and what came of it, and returns None.
        """
        raise NotImplementedError

    def close(self):
        """Let go of everything that is still held."""

    def has_shown(self):
        """Tell whether it was sent, and answered either as a guarded server answers it, or as none may."""
        seen = set(self.counts)
        return bool(self.sent) and (not self.needed or bool(seen & self.needed or seen - self.accepted))

    def run(self, ending, rate=1):
        """Send it again and again until `ending` is set, `rate` times as often as it would."""
        try:
            self.prepare()
        except (OSError, ValueError, KeyError) as error:
            self.counts[f"not prepared: {type(error).__name__}"] += 1
        while not ending.wait(self.dice.expovariate(self.per_second * rate)) and self.sent * self.workers < MAX_TIMES:
            outcome = self._outcome()
            if outcome:
                self.sent += 1
                self.counts[outcome] += 1
        self.close()

    def _outcome(self):
        try:
            return self.once()
        except Refused as refused:
            return f"not let in: {refused}"
        except TimeoutError:
            return NO_ANSWER
        except OSError:
            return CUT


class Refused(OSError):
    """The server refused the opening of a connection; the text says how."""


def attack(kind):
    """Put a class into the list."""
    ATTACKS.append(kind)
    return kind


class Held:
    """Connections that stay open; `reap` tells how many the other side has ended meanwhile."""

    def __init__(self):
        self.sockets, self.lock = {}, threading.Lock()

    def add(self, sock):
        sock.setblocking(False)
        with self.lock:
            self.sockets[sock] = time.monotonic()

    def __len__(self):
        return len(self.sockets)

    def older_than(self, seconds):
        """Return those that are open for longer."""
        until = time.monotonic() - seconds
        return [sock for sock, since in self.sockets.items() if since < until]

    def drop(self, sock):
        with self.lock:
            self.sockets.pop(sock, None)
        sock.close()

    def close(self):
        for sock in list(self.sockets):
            self.drop(sock)

"""The list of attacks. Each is a small class whose `attempt` sends the attack once and returns the outcome as a text."""
import threading
import time
from collections import Counter

ATTACKS = []
MAX_TIMES = 50_000          # of one attack in one run
CUT, NO_ANSWER = "cut", "no answer"
BUDGET_SPENT = "refused: rate_limited"  # expected: the attackers share a few accounts with ten connections each
ANSWER_SECONDS = 30                     # for an answer


class Attack:
    """One row of the table. `allowed` are the outcomes of a guarded server; at least one of those in `required` must occur."""

    name = ""
    workers = 1     # threads that send it
    per_second = 2  # attempts of each worker
    allowed = frozenset()
    required = frozenset()
    modes = ("embedded", "server")
    behind_front = True     # whether it also makes sense against a reverse proxy

    def __init__(self, target, rng):
        self.target, self.rng = target, rng
        self.counts = Counter()     # outcome -> times
        self.sent = 0

    def prepare(self):
        """Called once before the first attempt."""

    def attempt(self):
        """Send the attack once; return the outcome. An OSError counts as "cut", a TimeoutError as "no answer".

        An attack that holds connections open counts its own attempts and outcomes, and returns None.
        """
        raise NotImplementedError

    def close(self):
        """Close every connection that is still open."""

    def is_answered(self):
        """Tell whether it was sent and got an answer that decides: a required one, or one that is not allowed."""
        seen = set(self.counts)
        return bool(self.sent) and (not self.required or bool(seen & self.required or seen - self.allowed))

    def run(self, ending, rate=1):
        """Send it again and again until `ending` is set, `rate` times as often as usual."""
        try:
            self.prepare()
        except (OSError, ValueError, KeyError) as error:
            self.counts[f"not prepared: {type(error).__name__}"] += 1
        while not ending.wait(self.rng.expovariate(self.per_second * rate)) and self.sent * self.workers < MAX_TIMES:
            outcome = self._outcome()
            if outcome:
                self.sent += 1
                self.counts[outcome] += 1
        self.close()

    def _outcome(self):
        try:
            return self.attempt()
        except Refused as refused:
            return f"refused: {refused}"
        except TimeoutError:
            return NO_ANSWER
        except OSError:
            return CUT


class Refused(OSError):
    """The server refused a connection; the text says why."""


def attack(kind):
    """Class decorator: add an attack to the list."""
    ATTACKS.append(kind)
    return kind


class OpenConnections:
    """Connections that an attack keeps open."""

    def __init__(self):
        self.sockets, self.lock = {}, threading.Lock()

    def add(self, sock):
        sock.setblocking(False)
        with self.lock:
            self.sockets[sock] = time.monotonic()

    def __len__(self):
        return len(self.sockets)

    def older_than(self, seconds):
        """Return the connections that have been open for longer."""
        until = time.monotonic() - seconds
        return [sock for sock, since in self.sockets.items() if since < until]

    def drop(self, sock):
        with self.lock:
            self.sockets.pop(sock, None)
        sock.close()

    def close(self):
        for sock in list(self.sockets):
            self.drop(sock)

"""Recently submitted forms: they tell the second half of a double click from a new submission."""
import hashlib
import threading
import time

WINDOW_SECONDS = 30         # in which the same form is taken for the second half of a double click
MAX_REMEMBERED = 10_000     # forms


class Clicks:
    """Remembers forms for WINDOW_SECONDS, by a digest of the CSRF token and the fields."""

    def __init__(self, clock=time.monotonic):
        self.clock = clock
        self.expiries = {}      # digest -> when it is forgotten, the earliest first
        self.lock = threading.Lock()

    def note(self, *parts):
        """Remember a form; return whether it was submitted before."""
        digest, now = _digest(parts), self.clock()
        with self.lock:
            while self.expiries and (next(iter(self.expiries.values())) <= now or len(self.expiries) > MAX_REMEMBERED):
                del self.expiries[next(iter(self.expiries))]
            is_known = digest in self.expiries
            self.expiries.setdefault(digest, now + WINDOW_SECONDS)
            return is_known

    def forget(self, *parts):
        """Forget a form that was refused: the next submission counts as a new one."""
        with self.lock:
            self.expiries.pop(_digest(parts), None)


def _digest(parts):
    return hashlib.sha256(repr(parts).encode()).digest()

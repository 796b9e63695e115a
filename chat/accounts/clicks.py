"""Recently submitted forms: they tell the second half of a double click from a new submission."""
import hashlib
import threading
import time

WINDOW_SECONDS = 30         # in which the same form is taken for the second half of a double click
MAX_REMEMBERED = 10_000     # forms


class Clicks:
    """Remembers forms for 30 seconds, by a digest of the CSRF token and the fields."""

    def __init__(self, clock=time.monotonic):
        self.clock = clock
        self.until = {}     # digest -> when it is forgotten, the next one first
        self.lock = threading.Lock()

    def note(self, *parts):
        """Remember a form; return whether it came before."""
        digest, now = _digest(parts), self.clock()
        with self.lock:
            while self.until and (next(iter(self.until.values())) <= now or len(self.until) > MAX_REMEMBERED):
                del self.until[next(iter(self.until))]
            came_before = digest in self.until
            self.until.setdefault(digest, now + WINDOW_SECONDS)
            return came_before

    def forget(self, *parts):
        """Forget a form that led to nothing: once more, it is a new one."""
        with self.lock:
            self.until.pop(_digest(parts), None)


def _digest(parts):
    return hashlib.sha256(repr(parts).encode()).digest()

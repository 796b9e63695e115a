"""Forms that were submitted lately: both halves of a double click are one registration."""
import hashlib
import threading
import time

WINDOW_SECONDS = 30         # in which the same form is the other half of a double click
MAX_REMEMBERED = 10_000     # forms
WAIT_SECONDS = 10           # for the other half
POLL_SECONDS = 0.02


class Click:
    """One form, however often it was submitted: `user` is who was registered by it, or None."""

    def __init__(self, digest, expires_at):
        self.digest = digest
        self.expires_at = expires_at
        self.registering = 0    # submissions that are being tried
        self.user = None


class Clicks:
    """Remembers forms for WINDOW_SECONDS, by a digest of the CSRF token and the fields."""

    def __init__(self, clock=time.monotonic):
        self.clock = clock
        self.by_digest = {}     # digest -> Click, the earliest first
        self.lock = threading.Lock()

    def begin(self, *parts):
        """Return the Click of a form that is submitted now; `end` has to follow."""
        digest, now = hashlib.sha256(repr(parts).encode()).digest(), self.clock()
        with self.lock:
            while self.by_digest and (self._earliest().expires_at <= now or len(self.by_digest) > MAX_REMEMBERED):
                del self.by_digest[self._earliest().digest]
            click = self.by_digest.setdefault(digest, Click(digest, now + WINDOW_SECONDS))
            click.registering += 1
            return click

    def end(self, click, user):
        """Note that a submission registered `user`, or nobody. A form that registered nobody counts as new the next time."""
        with self.lock:
            click.registering -= 1
            click.user = click.user or user
            if not click.user and not click.registering:
                self.by_digest.pop(click.digest, None)

    def registered(self, click):
        """Return who was registered by this form, or None: the other half of a double click may still be under way."""
        until = time.monotonic() + WAIT_SECONDS
        while not click.user and click.registering and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        return click.user

    def _earliest(self):
        return next(iter(self.by_digest.values()))

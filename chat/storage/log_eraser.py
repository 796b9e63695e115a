"""Empties the log of the database from time to time, so that a deleted text is soon nowhere in the instance's folder."""
import logging

ERASE_INTERVAL = 10     # seconds

log = logging.getLogger(__name__)


class LogEraser:
    """A background task. `engine` is a Database's."""

    def __init__(self, engine):
        self.engine = engine

    def loop(self, sleep):
        """Erase for ever."""
        while True:
            sleep(ERASE_INTERVAL)
            self.erase()

    def erase(self):
        """Empty the log once. What fails is tried again the next time; returns True."""
        try:
            self.engine.erase_log()
        except Exception:
            log.exception("the log of the database could not be emptied")
        return True

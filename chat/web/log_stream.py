"""The log: text from outside is escaped, and a real thread prints it, so that nobody waits for the terminal."""
import atexit
import logging
import re
import sys
import time
from _queue import SimpleQueue       # the C one: eventlet replaces queue.SimpleQueue by one for green threads only

MAX_WAITING = 1000          # pieces of text; with more the newest are dropped, for a terminal that nobody reads
DRAIN_SECONDS = 1           # to print what waits when the process ends
POLL_INTERVAL = 0.01        # seconds
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def printable(text):
    """Return the text with control characters, line separators and direction marks escaped; \\n and \\t stay."""
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class OneLine(logging.Formatter):
    """Keeps a log message on one line: after a line break it could imitate another entry. Tracebacks keep their lines."""

    def formatMessage(self, record):
        return super().formatMessage(record).replace("\n", "\\n")


class LogStream:
    """A replacement for stderr: it accepts text at once, and a real thread writes it to `stream`."""

    encoding = "utf-8"

    def __init__(self, stream, start_thread):
        self.stream = stream
        self.waiting = SimpleQueue()
        start_thread(self._print)

    def write(self, text):
        if self.waiting.qsize() < MAX_WAITING:
            self.waiting.put(printable(text))
        return len(text)

    def flush(self):
        pass    # the thread flushes

    def isatty(self):
        return False

    def drain(self):
        """Wait until all text is printed, for DRAIN_SECONDS at most."""
        until = time.monotonic() + DRAIN_SECONDS
        while self.waiting.qsize() and time.monotonic() < until:
            time.sleep(POLL_INTERVAL)

    def _print(self):
        while True:
            text = self.waiting.get()
            try:
                self.stream.write(text)
                self.stream.flush()
            except (OSError, ValueError):
                return      # the terminal was closed


def drain():
    """Print what waits, before the process ends by os._exit."""
    if isinstance(sys.stderr, LogStream):
        sys.stderr.drain()


def start_logging(start_thread):
    """Send all logging, that of libraries too, through a LogStream. `start_thread(target)` starts a real thread."""
    sys.stderr = LogStream(sys.stderr, start_thread)
    atexit.register(sys.stderr.drain)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    for library in ("engineio.server", "socketio.server"):
        logging.getLogger(library).setLevel(logging.ERROR)      # with a level set, they add no handler of their own

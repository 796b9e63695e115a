"""A log is text, and nobody waits for it: what comes from outside is escaped, and a real thread prints it."""
import atexit
import logging
import re
import sys
import time
from _queue import SimpleQueue       # the C one: what eventlet makes of queue.SimpleQueue serves green threads alone

MAX_WAITING = 1000          # pieces of text; a terminal that nobody reads costs these, and stops nobody
DRAIN_SECONDS = 1           # for what waits to be printed when the process ends
STEP = 0.01                 # seconds between looks
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def printable(text):
    """Return a text whose control characters, line separators and direction signs are escapes; \\n and \\t stay."""
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class OneLine(logging.Formatter):
    """Keeps what was logged on one line: a line break in it could look like an entry of its own. Tracebacks follow as they are."""

    def formatMessage(self, record):
        return super().formatMessage(record).replace("\n", "\\n")


class LogStream:
    """Stands for stderr: takes text at once, and a real thread writes it to where it belongs."""

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
        pass    # the thread does

    def isatty(self):
        return False

    def drain(self):
        """Wait until what was written is printed, but not for long."""
        until = time.monotonic() + DRAIN_SECONDS
        while self.waiting.qsize() and time.monotonic() < until:
            time.sleep(STEP)

    def _print(self):
        while True:
            text = self.waiting.get()
            try:
                self.stream.write(text)
                self.stream.flush()
            except (OSError, ValueError):
                return      # the terminal was closed


def drain():
    """Let what was logged be printed before the process ends without looking back."""
    if isinstance(sys.stderr, LogStream):
        sys.stderr.drain()


def start_logging(start_thread):
    """Let everything that is logged, by libraries too, go through a LogStream; `start_thread` starts a real one."""
    sys.stderr = LogStream(sys.stderr, start_thread)
    atexit.register(sys.stderr.drain)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    for library in ("engineio.server", "socketio.server"):
        logging.getLogger(library).setLevel(logging.ERROR)      # which also keeps them from printing by a handler of their own

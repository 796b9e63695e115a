"""Prints each message as one line on the server's terminal, as in the report."""
import json
from _queue import Empty, SimpleQueue     # the C one: eventlet replaces queue.SimpleQueue by one for green threads only

from ..web.log_stream import printable

MAX_WAITING_LINES = 10_000  # with more the newest lines are dropped; the messages are stored all the same
FLUSH_INTERVAL = 0.05       # seconds: a thread that wakes up for each line would slow down the others


class MessageLog:
    """Prints stored messages in a thread of its own, so that a slow terminal, or a pipe that nobody reads, delays nobody."""

    def __init__(self, runtime):
        self.runtime = runtime
        self.messages = SimpleQueue()
        self.started = False

    def show(self, message):
        if not self.started:
            self.started = True
            self.runtime.start_thread(self._print_loop)
        if self.messages.qsize() < MAX_WAITING_LINES:
            self.messages.put(message)

    def _print_loop(self):
        sleep = self.runtime.thread_sleep
        while True:
            lines = [line(self.messages.get())]
            try:
                while True:
                    lines.append(line(self.messages.get_nowait()))
            except Empty:
                pass
            try:
                print("\n".join(lines), flush=True)
            except (OSError, ValueError):   # the terminal was closed
                return
            sleep(FLUSH_INTERVAL)


def line(message):
    """Return a message as one line of JSON, in which line breaks are escaped."""
    return printable(json.dumps({"sender": message.sender, "senderId": message.sender_id, "receiverId": message.receiver_id,
                       "message": message.message, "timestamp": message.timestamp}, ensure_ascii=False))


class NoMessageLog:
    """LOG_MESSAGES=0: private messages stay out of the log."""

    def show(self, message):
        pass

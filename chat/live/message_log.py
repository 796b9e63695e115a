"""The line that the server's terminal shows for each message, as in the report."""
import json
from _queue import Empty, SimpleQueue     # the C one: what eventlet makes of queue.SimpleQueue serves green threads alone

from ..web.log_stream import printable

MAX_WAITING_LINES = 10_000  # with more the newest lines are dropped; the messages are stored all the same
FLUSH_INTERVAL = 0.05       # seconds: a thread that wakes up for each line would slow down the others


class MessageLog:
    """Prints stored messages from a thread of its own: a slow console, or a pipe that nobody reads, delays nobody."""

    def __init__(self, runtime):
        self.runtime = runtime
        self.messages = SimpleQueue()
        self.started = False

    def show(self, message):
        if not self.started:
            self.started = True
            self.runtime.start_thread(self._print)
        if self.messages.qsize() < MAX_WAITING_LINES:
            self.messages.put(message)

    def _print(self):
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
    """Return a message as one line: JSON keeps one with line breaks on one."""
    return printable(json.dumps({"sender": message.sender, "senderId": message.sender_id, "receiverId": message.receiver_id,
                       "message": message.message, "timestamp": message.timestamp}, ensure_ascii=False))


class NoMessageLog:
    """LOG_MESSAGES=0: the text of private messages does not belong in a log."""

    def show(self, message):
        pass

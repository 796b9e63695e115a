"""The line that the server's terminal shows for each message, as in the report."""
import json
from _queue import SimpleQueue     # the C one: what eventlet makes of queue.SimpleQueue serves green threads alone

MOST_WAITING = 10_000       # lines; a terminal that takes none costs lines, never messages


class Terminal:
    """Prints stored messages from a thread of its own: a slow console, or a pipe that nobody reads, delays nobody."""

    def __init__(self, runtime):
        self.runtime = runtime
        self.lines = SimpleQueue()
        self.started = False

    def show(self, message):
        if not self.started:
            self.started = True
            self.runtime.start_thread(self._print)
        if self.lines.qsize() < MOST_WAITING:
            # JSON keeps a message with line breaks on one line.
            self.lines.put(json.dumps(
                {"sender": message.sender, "senderId": message.sender_id, "receiverId": message.receiver_id,
                 "message": message.message, "timestamp": message.timestamp}, ensure_ascii=False))

    def _print(self):
        while True:
            try:
                print(self.lines.get(), flush=True)
            except (OSError, ValueError):   # the terminal was closed
                return


class Silence:
    """LOG_MESSAGES=0: the text of private messages does not belong in a log."""

    def show(self, message):
        pass

"""The chat with fail points: `python -m lab.instrumented_server`.

The product contains nothing of this; its functions are wrapped from outside. LAB_CONTROL names a directory. A file in it
with the name of a fail point triggers that fail point once.
"""
import gc
import json
import os
import signal
import threading
from pathlib import Path

import wsgi

from . import mutants

CONTROL = Path(os.environ.get("LAB_CONTROL", "/nonexistent"))
BEFORE_COMMIT, AFTER_COMMIT, BEFORE_ANSWER, LOSE_PUSH = "before-commit", "after-commit", "before-answer", "lose-push"


def consume_fail_point(point):
    """Tell whether this fail point was armed, and disarm it."""
    try:
        os.unlink(CONTROL / point)
        return True
    except FileNotFoundError:
        return False


def exit_at(point):
    if consume_fail_point(point):
        os.kill(os.getpid(), signal.SIGKILL)


def install_fail_points():
    from chat.conversations.message import Message
    from chat.live.sockets import Socket
    insert, send_message, receive_message = Message.insert, Socket.send_message, Socket.receive_message

    def failing_insert(database, messages):
        exit_at(BEFORE_COMMIT)
        insert(database, messages)
        exit_at(AFTER_COMMIT)

    def failing_send(self, sid, data):
        answer = send_message(self, sid, data)
        exit_at(BEFORE_ANSWER)
        return answer

    def failing_receive(self, message, sender_sid=None):
        if not consume_fail_point(LOSE_PUSH):
            receive_message(self, message, sender_sid)
    Message.insert = staticmethod(failing_insert)
    Socket.send_message = failing_send
    Socket.receive_message = failing_receive


def report_counts_on_signal():
    """On SIGUSR1, write the numbers of threads and greenlets to a file."""
    def count(_signal, _frame):
        from greenlet import greenlet
        gc.collect()
        alive = sum(isinstance(thing, greenlet) and not thing.dead for thing in gc.get_objects())
        partial = CONTROL / "counts.new"
        partial.write_text(json.dumps({"threads": threading.active_count(), "greenlets": alive}))
        partial.rename(CONTROL / "counts")
    signal.signal(signal.SIGUSR1, count)


def main():
    patch = wsgi.patch

    def patch_and_break(mode):
        patch(mode)
        install_fail_points()
        mutants.install_in_server(os.environ.get("LAB_MUTANT", ""))
        report_counts_on_signal()
    wsgi.patch = patch_and_break
    wsgi.main()


if __name__ == "__main__":
    main()

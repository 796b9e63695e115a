"""The chat with fail points: `python -m lab.instrumented_server`.

The product contains nothing of this; its functions are wrapped from outside. LAB_CONTROL names a directory. A file in it
with the name of a fail point triggers that fail point once.
"""
import functools
import gc
import json
import os
import signal
import threading
import time
from pathlib import Path

import wsgi

from . import mutants
from .versions import KNOWN_AT

CONTROL = Path(os.environ.get("LAB_CONTROL", "/nonexistent"))
BEFORE_COMMIT, AFTER_COMMIT, BEFORE_ANSWER, LOSE_PUSH = "before-commit", "after-commit", "before-answer", "lose-push"
SLOW_COMMIT, SLOW_SECONDS = "slow-commit", 1
OF_CHANGE, OF_FILE = "-of-change", "-of-file"       # at the end of the name of a fail point: that of a change or an upload, not of a message


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
    from chat.conversations.change import Change
    from chat.conversations.message import Message
    from chat.live.events import Events
    from chat.live.sockets import Socket
    for point_of, noun, handlers, handler, push in (("", Message, Socket, "send_message", "receive_message"),
                                                    (OF_CHANGE, Change, Events, "change_message", "tell_change")):
        noun.insert = staticmethod(failing_insert(noun.insert, point_of))
        setattr(handlers, handler, failing_answer(getattr(handlers, handler), point_of))
        setattr(Socket, push, failing_push(getattr(Socket, push), point_of))


    from chat.conversations.uploads import Uploads
    Uploads.finish = failing_upload(Uploads.finish)


def failing_upload(finish):
    def failing(self, *arguments, **options):
        file = finish(self, *arguments, **options)
        exit_at(BEFORE_ANSWER + OF_FILE)
        return file
    return failing


def failing_insert(insert, point_of):
    def failing(database, *rows):
        exit_at(BEFORE_COMMIT + point_of)
        if consume_fail_point(SLOW_COMMIT + point_of):
            time.sleep(SLOW_SECONDS)
        insert(database, *rows)
        exit_at(AFTER_COMMIT + point_of)
    return failing


def failing_answer(handle, point_of):
    def failing(self, sid, data):
        answer = handle(self, sid, data)
        exit_at(BEFORE_ANSWER + point_of)
        return answer
    return failing


def failing_push(push, point_of):
    def failing(self, stored, sender_sid=None):
        if not consume_fail_point(LOSE_PUSH + point_of):
            push(self, stored, sender_sid)
    return failing


def note_when_known():
    """Add to each message the moment at which the process last made sure of it: the start of the statement that read or stored it.

    A text that is read, or stored, a moment before its deletion is acknowledged elsewhere may still be on its way then. What is told
    by a statement that began afterwards, or from memory, is told too late, and the log shows it however late it arrives.
    """
    from chat.conversations.message import Message
    from chat.storage.database import Database
    as_json, query, statement = Message.as_json, Database.query, threading.local()      # of the thread or the greenlet

    class ReadMessage(Message):
        began_at = 0

    def timed_query(self, sql, params=(), callback=dict):
        statement.began_at = began_at = time.monotonic()

        def timed(row):
            found = callback(row)
            if isinstance(found, ReadMessage):
                found.began_at = began_at
            return found
        return query(self, sql, params, timed)

    def timed_write(write):
        def timed(self, *arguments, **options):
            statement.began_at = time.monotonic()
            return write(self, *arguments, **options)
        return timed

    def told(self):
        return {**as_json(self), KNOWN_AT: getattr(self, "began_at", getattr(statement, "began_at", 0))}
    Database.query, Database.insert, Database.transaction = timed_query, timed_write(Database.insert), timed_write(Database.transaction)
    Message.from_row, Message.as_json = functools.partial(Message.from_row.__func__, ReadMessage), told


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
        note_when_known()
        mutants.install_in_server(os.environ.get("LAB_MUTANT", ""))
        report_counts_on_signal()
    wsgi.patch = patch_and_break
    wsgi.main()


if __name__ == "__main__":
    main()

"""SIGTERM and Ctrl+C: what was taken in is finished, then the process ends."""
import os
import signal
import sys
import time

from ..web.log_stream import drain

LONGEST = 5     # seconds for the messages under way and for the farewells
STEP = 0.05     # seconds between looks


def stop_on_signals(app):
    """Make both signals end the process politely; a second one ends it at once."""
    state = {"stopping": False}

    def begin(_signal, _frame):
        if state["stopping"]:
            os._exit(1)
        state["stopping"] = True
        app.chat.server.start_background_task(stop, app.chat)
    signal.signal(signal.SIGTERM, begin)
    signal.signal(signal.SIGINT, begin)


def stop(chat):
    """Finish the writer's work, close every connection, and end the process."""
    until = time.monotonic() + LONGEST
    chat.messaging.is_stopping = True
    while not chat.writer.idle() and time.monotonic() < until:
        chat.server.sleep(STEP)
    chat.connections.close_all()
    while chat.connections and time.monotonic() < until:
        chat.server.sleep(STEP)
    chat.server.sleep(STEP)
    sys.stdout.flush()
    drain()
    os._exit(0)

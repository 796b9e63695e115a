"""SIGTERM and Ctrl+C: messages under way are stored, connections are closed, then the process ends."""
import os
import signal
import sys
import time

from ..storage.log_eraser import LogEraser
from ..web.log_stream import drain

MAX_SHUTDOWN_SECONDS = 5    # to store the messages under way and to close the connections
POLL_INTERVAL = 0.05        # seconds


def stop_on_signals(app):
    """Shut down on both signals. A second signal ends the process at once."""
    state = {"stopping": False}

    def begin(_signal, _frame):
        if state["stopping"]:
            os._exit(1)
        state["stopping"] = True
        app.chat.server.start_background_task(stop, app.chat)
    signal.signal(signal.SIGTERM, begin)
    signal.signal(signal.SIGINT, begin)


def stop(chat):
    """Wait for the writer, close every connection, and end the process with code 0."""
    deadline = time.monotonic() + MAX_SHUTDOWN_SECONDS
    chat.messaging.is_stopping = True
    while not (chat.writer.idle() and chat.change_writer.idle()) and time.monotonic() < deadline:
        chat.server.sleep(POLL_INTERVAL)
    chat.connections.close_all()
    while chat.connections and time.monotonic() < deadline:
        chat.server.sleep(POLL_INTERVAL)
    chat.server.sleep(POLL_INTERVAL)
    erased = []     # in a task of its own: a disk that hangs must not keep the process
    chat.server.start_background_task(lambda: erased.append(LogEraser(chat.database.engine).erase()))
    while not erased and time.monotonic() < deadline:
        chat.server.sleep(POLL_INTERVAL)
    sys.stdout.flush()
    drain()
    os._exit(0)

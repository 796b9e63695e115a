"""A real server process: `wsgi.py` on a free port, with its own instance folder."""
import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from tests.private_server import free_ports

ROOT = Path(__file__).parent.parent
START_SECONDS = 60
STOP_SECONDS = 15

# What a test run must not inherit from the machine it runs on.
OWN_SETTINGS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "HOST", "PORT", "INSTANCE_PATH", "LOG_MESSAGES", "HTTPS",
                "PROXIES", "DEBUG", "SHORTCUTS", "BCRYPT_ROUNDS", "RATELIMIT_ENABLED")


# Nobody goes offline for want of connections, and no session is found ended, before a test is long over.
PATIENT = {"chat.live.presence.GRACE_SECONDS": 3600, "chat.live.connections.SWEEP_INTERVAL": 3600}


class Server:
    """Start it with settings; `url` is its address, `lines` what its terminal has shown.

    `tuned` are other timings, {"chat.live.presence.GRACE_SECONDS": 600}.
    """

    program = ("wsgi.py",)      # what Python is started with
    announcement = "The chat is at"     # the line with its address

    def __init__(self, tuned=None, **settings):
        self.directory = tempfile.TemporaryDirectory(prefix="chat-test-")
        self.settings = {"PORT": str(free_ports()), "INSTANCE_PATH": self.directory.name, "BCRYPT_ROUNDS": "4",
                         "RATELIMIT_ENABLED": "0", "LOG_MESSAGES": "1", **settings}
        if tuned:
            self.program = ("-m", "tests.tuned_server")
            self.settings["TUNED"] = json.dumps(tuned)
        self.process = self.reader = None
        self.url = None
        self.lines = queue.Queue()
        self.seen = []

    def start(self):
        """Start the process and wait until it says where it is. Raises RuntimeError with what it said instead."""
        if self.reader:     # a second start: what the first process said is no longer waited for
            self.reader.join()
            self.process.stdout.close()
            self.lines = queue.Queue()
        environ = {k: v for k, v in os.environ.items() if k not in OWN_SETTINGS}
        self.process = subprocess.Popen(
            self.command(), cwd=ROOT, env={**environ, **self.settings}, text=True,
            encoding="utf-8", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout, self.lines), daemon=True)
        self.reader.start()
        try:
            self.url = re.search(r"http://\S+", self.line_with(self.announcement)).group()
        except queue.Empty:
            self.kill()
            raise RuntimeError("".join(self.seen)) from None
        self.settings["PORT"] = self.url.rsplit(":", 1)[1]      # a restarted server keeps its address
        return self

    def command(self):
        return [sys.executable, "-W", "ignore", *self.program]

    def _read(self, stream, lines):
        for line in stream:
            self.seen.append(line)
            lines.put(line)
        lines.put(None)

    def line_with(self, text, timeout=START_SECONDS):
        """Return the next line of the terminal that contains the text. Raises queue.Empty where none comes."""
        while True:
            line = self.lines.get(timeout=timeout)
            if line is None:
                raise queue.Empty
            if text in line:
                return line.strip()

    def stop(self):
        """Ask the process to end, as Ctrl+C or a service manager does; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_error):
        self.kill()
        if self.reader:
            self.reader.join()
            self.process.stdout.close()
        self.directory.cleanup()

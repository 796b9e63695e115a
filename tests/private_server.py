"""A server process of the tests' own: a free port, a temporary directory, and an end with the tests."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from tools.children import ending_with_parent

START_SECONDS = 60
STOP_SECONDS = 15
LOG_CHARACTERS = 2000
# Below the ports that the system gives to outgoing connections: while a server is restarted, nobody else gets its port. Each of the
# processes that run tests at once, gw0, gw1 …, has ports of its own.
PORTS_OF_ALL, PORTS_EACH = range(20_000, 32_000), 2_000
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
PORTS = PORTS_OF_ALL[int(WORKER) * PORTS_EACH:][:PORTS_EACH] or PORTS_OF_ALL if WORKER else PORTS_OF_ALL
HOST = "127.0.0.1"
DIRECTORY_PREFIX = "chat-services-"


def free_ports(count=1):
    """Return the first of so many ports in a row that nobody gets while their server is down."""
    for first in random.sample(PORTS, 20):
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in range(first, first + count):
                held.enter_context(socket.create_server((HOST, port)))
            return first
    raise RuntimeError(f"no {count} ports in a row are free")


class Service:
    """A server process with a directory, made in `parent`, and a port of its own. Use it as a context manager."""

    def __init__(self, parent=None):
        self.parent = parent
        self.port = None
        self.process = None
        self._directory = None

    @property
    def directory(self):
        """The temporary directory: data, socket and log."""
        return Path(self._directory.name)

    @property
    def url(self):
        """The address as DATABASE_URL or REDIS_URL takes it."""
        raise NotImplementedError

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        """Start the server and wait until it answers. The first start chooses the port, later ones keep it."""
        if self._directory is None:
            _remove_leftovers()
            self._directory = tempfile.TemporaryDirectory(prefix=f"{DIRECTORY_PREFIX}{os.getpid()}-", dir=self.parent)
            self._log.touch()
            self._prepare()
        candidates = [self.port] if self.port else random.sample(PORTS, 20)
        for self.port in candidates:
            if self._start_on_port():
                return self
        port, self.port = self.port, None
        said = self._log.read_text(encoding="utf-8", errors="replace")[-LOG_CHARACTERS:]
        raise RuntimeError(f"{type(self).__name__} did not start, last on port {port}:\n{said}")

    def stop(self):
        """Stop the server politely; its data and its port stay, so start() continues where it was."""
        self._end(signal.SIGTERM)

    def kill(self):
        """Kill the server as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self):
        """Stop and start again on the same port with the same data."""
        self.stop()
        self.start()

    def pause(self):
        """Freeze the server: its connections stay open and nothing answers. On a busy machine its threads go on until one has taken the signal."""
        self.process.send_signal(signal.SIGSTOP)
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, self.pid, os.WSTOPPED)

    def resume(self):
        """End the freeze."""
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        """End the server and remove its data."""
        self.kill()
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_exception):
        self.close()

    def _prepare(self):
        """Fill the new directory before the first start."""

    def _command(self):
        """The program and its arguments."""
        raise NotImplementedError

    @property
    def _environment(self):
        """Its environment variables; None for those of this process."""
        return None

    def _greet(self):
        """Speak to the server on its socket; it listens already and answers as soon as it is ready."""
        raise NotImplementedError

    def _answers(self):
        """Ask on the socket in the server's own directory: there, unlike on a port, no other server can answer."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self._socket))
            except OSError:
                return False
        self._greet()
        return True

    @property
    def _socket(self):
        return self.directory / "socket"

    def _start_on_port(self):
        """Whether the server came up; one whose port is taken ends by itself."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command(), env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=ending_with_parent()
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if self._answers():
                return True
            time.sleep(0.02)
        self.kill()
        return False

    def _end(self, number):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
            # A frozen process cannot end.
            self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    @property
    def _log(self):
        return self.directory / "log"


def _remove_leftovers():
    """Remove the directories of tests that were killed before they could."""
    for path in Path(tempfile.gettempdir()).glob(f"{DIRECTORY_PREFIX}*-*"):
        owner = int(path.name.removeprefix(DIRECTORY_PREFIX).split("-")[0])
        if not _is_alive(owner):
            shutil.rmtree(path, ignore_errors=True)


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True

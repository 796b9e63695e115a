"""Several server processes behind HAProxy, as one command: `python3 manage.py run --processes N`.

A process that has ended is started again. SIGHUP restarts one after the other, so that the chat is always available.
"""
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import config
from tools import ROOT, programs
from tools.addresses import PORTS_TRIED, WILDCARDS, addresses, note, other_port
from tools.children import ending_with_parent
from tools.haproxy import configuration

READY_SECONDS = 30          # for a process to serve, or for HAProxy to listen
STOP_SECONDS = 8            # for processes to finish; they take at most 5
HAPROXY_STOP_SECONDS = 1    # for HAProxy to forward the last answers
RESTART_DELAY = 1           # seconds before a process that has ended is started again
POLL_INTERVAL = 0.2         # seconds between checks whether all processes are alive
HOST = "127.0.0.1"          # of the processes; people reach them through HAProxy only
# Ctrl+C goes to this process only, because a child has a session of its own. A child gets SIGTERM when this process dies.
CHILD_OPTIONS = {"start_new_session": True, "preexec_fn": ending_with_parent(signal.SIGTERM)}


class CannotStart(Exception):
    """One sentence for the person at the terminal."""


class Worker:
    """One server process. It keeps its port; its output is printed with its name in front."""

    options = CHILD_OPTIONS        # of Popen

    def __init__(self, name, port, settings):
        self.name = name
        self.settings = {**settings, "HOST": HOST, "PORT": str(port)}
        self.process = None
        self.ready = threading.Event()
        self.output = []        # lines before it was ready: they say why it does not start
        self.reported = None    # what was printed about them already
        self.started_at = 0

    @property
    def port(self):
        return self.settings["PORT"]

    def start(self):
        self.ready.clear()
        self.output.clear()
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(ROOT / "wsgi.py")], env={**os.environ, **self.settings, "PYTHONIOENCODING": "utf-8"},
            text=True, encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, **self.options)
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self.reader.start()

    def _read(self, output):
        for line in output:
            if not self.ready.is_set() and "The chat is at" in line:
                self.ready.set()
            elif self.ready.is_set():
                print(f"{self.name}: {line}", end="", flush=True)
            else:
                self.output.append(line)

    def wait_until_ready(self, pending_signals):
        """Raise CannotStart with the process's output if it ends. Returns early if a signal to end has arrived."""
        until = time.monotonic() + READY_SECONDS
        while not self.ready.wait(POLL_INTERVAL) and "end" not in pending_signals:
            if not self.is_alive() or time.monotonic() > until:
                raise CannotStart(self.last_output() or f"{self.name} did not start in {READY_SECONDS} s.")

    def last_output(self):
        """Return the output of a process that did not become ready."""
        self.reader.join(POLL_INTERVAL)
        return "".join(self.output[-3:]).strip()

    def restart(self):
        """Start a process that has ended by itself. If it does not start, the reason is printed once, not every second."""
        if self.ready.is_set():
            print(f"{self.name} has ended; it is started again.", flush=True)
            self.reported = None
        elif (why := self.last_output()) != self.reported:
            print(f"{self.name} does not start; it is tried again until it does. {why or 'It prints nothing.'}", flush=True)
            self.reported = why
        self.start()

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def terminate(self):
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)

    def wait_until_stopped(self, until):
        try:
            self.process.wait(max(0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Supervisor:
    """Starts and watches the workers and the HAProxy in front of them."""

    def __init__(self, settings, count):
        self.settings = settings
        self.pending_signals = []        # names of the signals that have arrived
        shared = {"PROXIES": str(settings["PROXIES"] + 1)}
        self.workers = [Worker(f"process {n}", free_port(settings["PORT"] + n), shared) for n in range(1, count + 1)]
        self.haproxy = None
        self.file, self.log = (Path(settings["INSTANCE_PATH"]) / f"haproxy.{kind}" for kind in ("cfg", "log"))

    def run(self):
        """Serve until a signal ends it."""
        for number, signal_name in ((signal.SIGTERM, "end"), (signal.SIGINT, "end"), (signal.SIGHUP, "restart")):
            signal.signal(number, lambda _number, _frame, signal_name=signal_name: self.pending_signals.append(signal_name))
        try:
            for worker in self.workers:
                worker.start()
            for worker in self.workers:
                worker.wait_until_ready(self.pending_signals)
            if "end" in self.pending_signals:
                return
            self._start_haproxy()
            if not self.settings["PROXIES"]:
                note(self.settings["INSTANCE_PATH"], self.settings["HOST"], self.settings["PORT"])
            print(f"The chat is at {addresses(self.settings['HOST'], self.settings['PORT'])} in {len(self.workers)} processes"
                  " (Ctrl+C ends it, SIGHUP restarts one after the other)", flush=True)
            print("\n".join(f"{worker.name} is at {HOST}:{worker.port}" for worker in self.workers), flush=True)
            self._watch()
        finally:
            self._stop()

    def _watch(self):
        while "end" not in self.pending_signals:
            if "restart" in self.pending_signals:
                self.pending_signals.remove("restart")
                self._restart_in_turn()
            for worker in self.workers:
                if not worker.is_alive() and time.monotonic() - worker.started_at > RESTART_DELAY:
                    worker.restart()
            if self.haproxy.poll() is not None:
                print("HAProxy has ended; it is started again.", flush=True)
                self._start_haproxy()
            time.sleep(POLL_INTERVAL)

    def _restart_in_turn(self):
        for worker in self.workers:
            if "end" in self.pending_signals:
                return
            worker.terminate()
            worker.wait_until_stopped(time.monotonic() + STOP_SECONDS)
            if "end" in self.pending_signals:
                return
            worker.start()
            try:
                worker.wait_until_ready(self.pending_signals)
            except CannotStart as error:        # the other processes go on
                print(f"{worker.name} does not start again, the others are left alone: {error}", flush=True)
                return
            if "end" in self.pending_signals:
                return
            time.sleep(RESTART_DELAY)        # HAProxy checks twice in this time
            print(f"{worker.name} is restarted.", flush=True)

    def _start_haproxy(self):
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(configuration(self.settings, self.workers), encoding="utf-8")
        with open(self.log, "w", encoding="utf-8") as log:
            self.haproxy = subprocess.Popen([programs.HAPROXY.path(), "-db", "-f", str(self.file)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, **CHILD_OPTIONS)
        until = time.monotonic() + READY_SECONDS
        while not listens(self.settings["HOST"], self.settings["PORT"]):
            if self.haproxy.poll() is not None or time.monotonic() > until:
                alerts = [line for line in self.log.read_text(encoding="utf-8").splitlines() if "[ALERT]" in line]
                raise CannotStart(f"HAProxy cannot listen on {self.settings['HOST']}:{self.settings['PORT']}. {' '.join(alerts[:1])}")
            time.sleep(POLL_INTERVAL)

    def _stop(self):
        """Stop the workers while HAProxy still forwards their last answers. Send SIGTERM only once: a second one would mean "at once"."""
        until = time.monotonic() + STOP_SECONDS
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            if worker.process:
                worker.wait_until_stopped(until)
        if self.haproxy:
            self.haproxy.send_signal(signal.SIGUSR1)    # finish connections first; SIGTERM would close them at once
            try:
                self.haproxy.wait(HAPROXY_STOP_SECONDS)
            except subprocess.TimeoutExpired:        # somebody keeps a connection open, or reads nothing
                self.haproxy.kill()
                self.haproxy.wait()


def free_port(wanted=0):
    """Return that port if it is free, otherwise another one."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError, OverflowError), socket.create_server((HOST, port)) as taken:
            return taken.getsockname()[1]
    raise CannotStart("no port is free.")


def listens(host, port):
    """Tell whether somebody accepts connections there."""
    try:
        socket.create_connection((WILDCARDS.get(host, host), port), READY_SECONDS).close()
        return True
    except OSError:
        return False


def chosen_port(settings):
    """Return PORT, or where nothing fixes it the next one that is free. Raises CannotStart."""
    host, first = settings["HOST"], settings["PORT"]
    for port in range(first, first + (1 if settings["PORT_FIXED"] else PORTS_TRIED)):
        if not listens(host, port):
            if port != first:
                print(other_port(first, port), flush=True)
            return port
    raise CannotStart(f"cannot listen on {host}:{first}: it is in use. Where another program uses the port, PORT=5001 chooses another.")


def main(count):
    try:
        settings = config.load()
        if not settings["DATABASE_URL"] or not settings["REDIS_URL"]:
            raise CannotStart("several processes share a database and a Redis: set DATABASE_URL and REDIS_URL.")
        Supervisor({**settings, "PORT": chosen_port(settings)}, count).run()
    except (config.ConfigError, CannotStart, OSError) as error:
        sys.exit(f"chat: {str(error).removeprefix('chat: ')}")


if __name__ == "__main__":
    main(int(sys.argv[1]))

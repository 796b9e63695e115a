"""Several server processes behind HAProxy, as one command: `python3 manage.py run --processes N`.

One that ends is started again. SIGHUP restarts one after the other, so that there is always somebody to go to.
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
from tools.children import ending_with_parent
from tools.haproxy import configuration
from wsgi import addresses

READY_SECONDS = 30          # until a process serves, or HAProxy listens
STOP_SECONDS = 8            # for processes to finish what they have; they take 5 at most
FAREWELL_SECONDS = 1        # for HAProxy to pass on what they said last
REST_SECONDS = 1            # before a process that ended by itself is started again
LOOK_SECONDS = 0.2          # between looks whether all are alive
HOST = "127.0.0.1"          # of the processes; people come in through HAProxy alone
# Of a child: Ctrl+C is for this process alone, whose end, however it comes, is the child's too.
APART = {"start_new_session": True, "preexec_fn": ending_with_parent(signal.SIGTERM)}


class CannotStart(Exception):
    """One sentence for the person at the terminal."""


class Member:
    """One server process: its port is kept, its words are shown with its name before them."""

    options = APART             # of Popen

    def __init__(self, name, port, settings):
        self.name = name
        self.settings = {**settings, "HOST": HOST, "PORT": str(port)}
        self.process = None
        self.ready = threading.Event()
        self.words = []             # said before it was ready: why it is not
        self.told = None            # of these, what the terminal has shown
        self.rested_at = 0

    @property
    def port(self):
        return self.settings["PORT"]

    def start(self):
        self.ready.clear()
        self.words.clear()
        self.rested_at = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(ROOT / "wsgi.py")], env={**os.environ, **self.settings, "PYTHONIOENCODING": "utf-8"},
            text=True, encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, **self.options)
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self.reader.start()

    def _read(self, words):
        for line in words:
            if not self.ready.is_set() and "The chat is at" in line:
                self.ready.set()
            elif self.ready.is_set():
                print(f"{self.name}: {line}", end="", flush=True)
            else:
                self.words.append(line)

    def wait_until_ready(self, orders):
        """Raise CannotStart, with what it said, where it ends instead. The order to end cuts the waiting short."""
        until = time.monotonic() + READY_SECONDS
        while not self.ready.wait(LOOK_SECONDS) and "end" not in orders:
            if not self.is_alive() or time.monotonic() > until:
                raise CannotStart(self.last_words() or f"{self.name} did not start in {READY_SECONDS} s.")

    def last_words(self):
        """Return what it said instead of being ready."""
        self.reader.join(LOOK_SECONDS)
        return "".join(self.words[-3:]).strip()

    def start_again(self):
        """Start what has ended by itself. Why it did not even begin to serve is told once, not each second."""
        if self.ready.is_set():
            print(f"{self.name} has ended; it is started again.", flush=True)
            self.told = None
        elif (why := self.last_words()) != self.told:
            print(f"{self.name} does not start; it is tried again until it does. {why or 'It says nothing.'}", flush=True)
            self.told = why
        self.start()

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def ask_to_end(self):
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)

    def wait_for_end(self, until):
        try:
            self.process.wait(max(0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Cluster:
    """The members and the HAProxy in front of them."""

    def __init__(self, settings, count):
        self.settings = settings
        self.orders = []            # signals that came, as words
        shared = {"PROXIES": str(settings["PROXIES"] + 1)}
        self.members = [Member(f"process {n}", free_port(settings["PORT"] + n), shared) for n in range(1, count + 1)]
        self.haproxy = None
        self.file, self.log = (Path(settings["INSTANCE_PATH"]) / f"haproxy.{kind}" for kind in ("cfg", "log"))

    def run(self):
        """Serve until a signal ends it."""
        for number, order in ((signal.SIGTERM, "end"), (signal.SIGINT, "end"), (signal.SIGHUP, "restart")):
            signal.signal(number, lambda _number, _frame, order=order: self.orders.append(order))
        try:
            for member in self.members:
                member.start()
            for member in self.members:
                member.wait_until_ready(self.orders)
            if "end" in self.orders:
                return
            self._start_haproxy()
            print(f"The chat is at {addresses(self.settings['HOST'], self.settings['PORT'])} in {len(self.members)} processes"
                  " (Ctrl+C ends it, SIGHUP restarts one after the other)", flush=True)
            print("\n".join(f"{member.name} is at {HOST}:{member.port}" for member in self.members), flush=True)
            self._look_after()
        finally:
            self._end()

    def _look_after(self):
        while "end" not in self.orders:
            if "restart" in self.orders:
                self.orders.remove("restart")
                self._restart_in_turn()
            for member in self.members:
                if not member.is_alive() and time.monotonic() - member.rested_at > REST_SECONDS:
                    member.start_again()
            if self.haproxy.poll() is not None:
                print("HAProxy has ended; it is started again.", flush=True)
                self._start_haproxy()
            time.sleep(LOOK_SECONDS)

    def _restart_in_turn(self):
        for member in self.members:
            if "end" in self.orders:
                return
            member.ask_to_end()
            member.wait_for_end(time.monotonic() + STOP_SECONDS)
            if "end" in self.orders:
                return
            member.start()
            try:
                member.wait_until_ready(self.orders)
            except CannotStart as error:        # the others go on as they are
                print(f"{member.name} does not start again, the others are left alone: {error}", flush=True)
                return
            if "end" in self.orders:
                return
            time.sleep(REST_SECONDS)            # HAProxy looks twice in this time
            print(f"{member.name} is restarted.", flush=True)

    def _start_haproxy(self):
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(configuration(self.settings, self.members), encoding="utf-8")
        with open(self.log, "w", encoding="utf-8") as log:
            self.haproxy = subprocess.Popen([programs.HAPROXY.path(), "-db", "-f", str(self.file)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, **APART)
        until = time.monotonic() + READY_SECONDS
        while not listens(self.settings["HOST"], self.settings["PORT"]):
            if self.haproxy.poll() is not None or time.monotonic() > until:
                alerts = [line for line in self.log.read_text(encoding="utf-8").splitlines() if "[ALERT]" in line]
                raise CannotStart(f"HAProxy cannot listen on {self.settings['HOST']}:{self.settings['PORT']}. {' '.join(alerts[:1])}")
            time.sleep(LOOK_SECONDS)

    def _end(self):
        """Let the processes finish while HAProxy still carries their farewells. Each is asked once: a second time means at once."""
        until = time.monotonic() + STOP_SECONDS
        for member in self.members:
            member.ask_to_end()
        for member in self.members:
            if member.process:
                member.wait_for_end(until)
        if self.haproxy:
            self.haproxy.send_signal(signal.SIGUSR1)    # end when all is passed on; SIGTERM would be at once
            try:
                self.haproxy.wait(FAREWELL_SECONDS)
            except subprocess.TimeoutExpired:           # somebody keeps a connection open, or takes nothing
                self.haproxy.kill()
                self.haproxy.wait()


def free_port(wanted=0):
    """Return that port where it is free, else another."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError, OverflowError), socket.create_server((HOST, port)) as taken:
            return taken.getsockname()[1]
    raise CannotStart("no port is free.")


def listens(host, port):
    """Tell whether somebody takes connections there."""
    try:
        anywhere = {"0.0.0.0": HOST, "": HOST, "::": "::1"}
        socket.create_connection((anywhere.get(host, host), port), READY_SECONDS).close()
        return True
    except OSError:
        return False


def main(count):
    try:
        settings = config.load()
        if not settings["DATABASE_URL"] or not settings["REDIS_URL"]:
            raise CannotStart("several processes share a database and a Redis: set DATABASE_URL and REDIS_URL.")
        if listens(settings["HOST"], settings["PORT"]):
            raise CannotStart(f"cannot listen on {settings['HOST']}:{settings['PORT']}: it is in use."
                              " Where another program uses the port, PORT=5001 chooses another.")
        Cluster(settings, count).run()
    except (config.ConfigError, CannotStart, OSError) as error:
        sys.exit(f"chat: {str(error).removeprefix('chat: ')}")


if __name__ == "__main__":
    main(int(sys.argv[1]))

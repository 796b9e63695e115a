"""The environment of a run that injects faults: proxies, a small disk and a clock that can fail, and people at scripted and real tabs."""
import contextlib
import json
import os
import signal
import time
from dataclasses import replace

import requests

from tests.people import Person
from tests.private_server import free_ports
from tests.waiting import wait_for
from tools import processes

from . import cluster, namespace
from .browser import Browsers
from .client import scripted
from .cluster import LabCluster
from .environment import SETTLE_SECONDS, Environment
from .fake_clock import FakeClock
from .proxy import Proxy
from .record import conversation_of
from .rooms import MembershipChanges, make_rooms
from .server import SECRET_KEY, LabServer

READY_SECONDS = 30
SMALL_DISK_MB = {"embedded": 384, "server": 768, "cluster": 64}
BROWSER_USER_RATE = 1       # messages per second of each person at a real browser
NEED_THE_BEGINNING = {"gaps", "cursor"}     # omissions with which a tab never shows the first messages of a room: it gets none
SENT_SECONDS = 20           # for everything that was written to be sent
COUNT_SECONDS = 5           # for the server to answer SIGUSR1


class FaultEnvironment(Environment):
    """One mode of the chat, with everything around it that can fail."""

    def __init__(self, mode, rng, record, directory, mutant="", omissions=(), browsers=True):
        super().__init__(mode, rng, record, directory)
        self.mutant, self.omissions, self.with_browsers = mutant, omissions, browsers
        self.database_proxy = None
        self.proxies = {}        # name of a person -> the proxy between this person and the server
        self.counts = {}

    def set_up(self):
        self.control = self.directory / "control"
        self.control.mkdir()
        self.disk = self.directory / "disk"
        self.disk.mkdir()
        self.has_small_disk = namespace.small_disk(self.disk, SMALL_DISK_MB[self.mode])
        self.callback(namespace.remove_disk, self.disk)
        self.clock = FakeClock(self.directory)
        settings = {"PORT": str(free_ports(cluster.PROCESSES + 1)), "LAB_CONTROL": str(self.control), "LAB_MUTANT": self.mutant, "LOG_MESSAGES": "0"}
        settings |= SETTINGS_OF_MODE[self.mode](self)
        self.start((LabCluster if self.mode == "cluster" else LabServer)(**settings))
        self._open_tabs()

    def _embedded_mode(self):
        return {**self.use_sqlite(self.disk / "instance"), **self.clock.environment()}

    def _server_mode(self):
        settings = self.use_mariadb_and_redis(self.disk if self.has_small_disk else None)
        # The server gets an account of its own: root could write while the database is read-only.
        with self.mariadb.connect() as root, root.cursor() as cursor:
            cursor.execute("GRANT ALL ON chat.* TO chat@'127.0.0.1' IDENTIFIED BY 'chat'")
        self.database_proxy = self.enter_context(Proxy(self.mariadb.port))
        return {**settings, "DATABASE_URL": f"mysql://chat:chat@127.0.0.1:{self.database_proxy.port}/chat", **self.clock.environment()}

    def _cluster_mode(self):
        return {**cluster.start_services(self), "SECRET_KEY": SECRET_KEY}

    def _open_tabs(self):
        """Give Anna and Bert scripted tabs, Carla and Dirk real ones. They share three conversations and two rooms; each has a proxy.

        Carla stays in her room; Dirk comes and goes in his.
        """
        port = int(self.server.settings["PORT"])
        for name in ("anna", "bert", "carla", "dirk", "eva"):
            self.proxies[name] = self.enter_context(Proxy(port))
            self.accounts[name] = self.register(Person(self.server.url, name))
        anna, bert, carla, dirk = (self.accounts[name] for name in ("anna", "bert", "carla", "dirk"))
        self.places = make_rooms(self)
        self.rooms = [place.room_id for place in self.places]
        self.membership = MembershipChanges(self, self.places, self.rng.random())
        self.anna = self.open_scripted_tab("anna/1", [bert, dirk])
        self.bert = self.open_scripted_tab("bert/1", [anna, carla], transports=("polling",))
        self.tabs = [self.anna, self.open_scripted_tab("anna/2", [bert, dirk], transports=("polling",)), self.bert]
        for tab in self.tabs:
            self.callback(tab.close)
        if self.with_browsers:
            maths, physics = self.places
            self.places.append(replace(physics, username=dirk.username))
            self.browsers = self.enter_context(Browsers(self.record, self.rng.random()))
            self.browser_users = {
                "carla": self.browsers.open(carla, bert, tabs=2, rooms=[maths.room_id], url=self.url_of("carla")),
                "dirk": self.browsers.open(dirk, anna, rooms=[physics.room_id], websockets=False, url=self.url_of("dirk"))}

    def open_scripted_tab(self, tab, peers, **options):
        """Return a scripted tab named `person/n`, with a login of its own."""
        person = tab.split("/")[0]
        rooms = () if NEED_THE_BEGINNING & set(self.omissions) else self.rooms
        return scripted(self.record, self.accounts[person], self.url_of(person), tab, peers,
                        **{"omissions": self.omissions, "rooms": rooms, **options})

    def url_of(self, name):
        return f"http://127.0.0.1:{self.proxies[name].port}"

    # --- who writes when

    def start_writing(self, speed):
        """Let everybody write; the scripted tabs write `speed` messages per second together."""
        self.speed = speed
        for user in self.browser_users.values():
            user.rate = BROWSER_USER_RATE

    def stop_writing(self):
        self.speed = 0
        for user in self.browser_users.values():
            user.rate = 0

    def wait_until_sent(self):
        """Wait until no message of a scripted tab is pending."""
        wait_for(lambda: not any(tab.pending_count() for tab in self.tabs), SENT_SECONDS)

    @contextlib.contextmanager
    def quiet_period(self):
        """Inside, nobody writes on their own, and all earlier messages were sent."""
        speed = self.speed
        self.stop_writing()
        try:
            self.wait_until_sent()
            yield
        finally:
            self.start_writing(speed)

    def settle(self, seconds=SETTLE_SECONDS):
        """Stop writing, and wait until every message has ended and every tab shows what is stored."""
        self.stop_writing()
        return super().settle(seconds)

    def catch_up(self, *arguments, **options):
        """As in Environment; meanwhile nobody joins a room or leaves one."""
        with self.membership.paused():
            return super().catch_up(*arguments, **options)

    def write_at_each_tab(self):
        """Write a message at each scripted tab, to a random peer."""
        for tab in self.tabs:
            tab.write(self.rng.choice(list(tab.peers)))

    def log_in(self, name):
        """Return the person with a new login, through their proxy."""
        person = Person(self.url_of(name), name)
        person._id = self.accounts[name].id
        person.log_in()
        return person

    def count(self, what):
        """Return how often this was called for `what`."""
        self.counts[what] = self.counts.get(what, 0) + 1
        return self.counts[what]

    # --- what is noted

    def note_written(self, sender, receiver, text, client_id, tab):
        self.record.note("written", person=sender.id, tab=tab, clientId=client_id, text=text,
                         conversation=conversation_of(sender.id, receiver.id))

    def note_acknowledged(self, sender, message, tab):
        self.record.note("answered", person=sender.id, tab=tab, clientId=message["clientId"], outcome="acknowledged",
                         message=message, code=None)

    def note_violation(self, invariant, text):
        self.record.note("violation", invariant=invariant, text=text)

    # --- the server process

    def kill_server(self):
        self.server.kill()

    def stop_server(self):
        """Send the server SIGTERM; return how many seconds it took to end."""
        begun = time.monotonic()
        self.server.stop()
        return time.monotonic() - begun

    def start_server(self):
        self.server.start()

    def arm(self, point):
        """Make the server fail when it next reaches this fail point."""
        (self.control / point).touch()

    def is_armed(self, point):
        """Tell whether a fail point was not reached yet."""
        return (self.control / point).exists()

    def wait_until_ended(self, seconds=10):
        """Wait until the server process has ended; return whether it did."""
        with contextlib.suppress(Exception):
            self.server.process.wait(seconds)
        return self.server.process.poll() is not None

    def wait_until_ready(self):
        """Wait until /readyz answers 200; return whether it did."""
        return bool(wait_for(self._is_ready, READY_SECONDS))

    def _is_ready(self):
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.server.url}/readyz", timeout=1).status_code == 200
        return False

    def footprint(self):
        """Return what the server process uses: memory in MB, open files, threads, greenlets."""
        counts, pid = self.control / "counts", self.server.process.pid
        counts.unlink(missing_ok=True)
        os.kill(pid, signal.SIGUSR1)
        counted = wait_for(lambda: counts.exists() and counts.read_text(), COUNT_SECONDS)
        return {"memory": int(processes.memory_kb(pid)) // 1024, "files": processes.open_files(pid), **json.loads(counted or "{}")}


SETTINGS_OF_MODE = {"embedded": FaultEnvironment._embedded_mode, "server": FaultEnvironment._server_mode,
                    "cluster": FaultEnvironment._cluster_mode}

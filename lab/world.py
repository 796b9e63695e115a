"""The world of one run: the chat with what it stands on, proxies that can fail, and the people who use it."""
import contextlib
import json
import os
import signal
import time
from pathlib import Path

import requests

from tests.people import Person
from tests.private_server import free_ports
from tests.server import Server
from tests.services import MariaDB, Redis
from tests.waiting import wait_for

from . import cluster, namespace
from .browser import Browsers
from .client import scripted
from .cluster import LabCluster
from .fake_clock import FakeClock
from .proxy import Proxy
from .record import conversation_of
from .set_up_stack import SetUpStack
from .store import mariadb_store, sqlite_store

SECRET_KEY = "for the laboratory alone: thirty-two bytes and more"
READY_SECONDS = 30
SMALL_DISK_MB = {"embedded": 384, "server": 768, "cluster": 64}
SITTER_RATE = 1             # message a second of each person at a real browser
CALM_SECONDS = 20
PATIENCE_SECONDS = 60       # longest wait for everybody to catch up; what takes longer is a breach


class LabServer(Server):
    """The chat with the laboratory's fail points."""

    program = ("-m", "lab.served")


class World(SetUpStack):
    """One mode of the chat with everything around it; a context manager."""

    def __init__(self, mode, dice, record, directory, mutant="", lapses=(), browsers=True):
        super().__init__()
        self.mode, self.dice, self.record, self.directory = mode, dice, record, Path(directory)
        self.mutant, self.lapses, self.with_browsers = mutant, lapses, browsers
        self.mariadb = self.redis = self.database_proxy = None
        self.tabs, self.sitters, self.accounts, self.proxies = [], {}, {}, {}
        self.speed = 0              # messages a second that the scripted tabs write together
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
        settings |= STANDS_ON[self.mode](self)
        self.server = (LabCluster if self.mode == "cluster" else LabServer)(**settings)
        self.callback(self.server.__exit__)
        self.server.start()
        self._seat_people()

    def _embedded_mode(self):
        self.store = sqlite_store(self.disk / "instance")
        return {"INSTANCE_PATH": str(self.disk / "instance"), **self.clock.environment()}

    def _server_mode(self):
        self.mariadb = self.enter_context(MariaDB(self.disk) if self.has_small_disk else MariaDB())
        self.redis = self.enter_context(Redis())
        with self.mariadb.connect() as root, root.cursor() as cursor:       # root may write though it is read-only
            cursor.execute("GRANT ALL ON chat.* TO chat@'127.0.0.1' IDENTIFIED BY 'chat'")
        self.store = mariadb_store(self.mariadb)
        self.database_proxy = self.enter_context(Proxy(self.mariadb.port))
        return {"DATABASE_URL": f"mysql://chat:chat@127.0.0.1:{self.database_proxy.port}/chat",
                "REDIS_URL": self.redis.url, "SECRET_KEY": SECRET_KEY, **self.clock.environment()}

    def _cluster_mode(self):
        return {**cluster.stand_up(self), "SECRET_KEY": SECRET_KEY}

    def _seat_people(self):
        """Anna and Bert at scripted tabs, Carla and Dirk at real ones: in three conversations, a proxy for each person."""
        port = int(self.server.settings["PORT"])
        for name in ("anna", "bert", "carla", "dirk", "eva"):
            self.proxies[name] = self.enter_context(Proxy(port))
            person = self.accounts[name] = Person(self.server.url, name)
            person.register()
            person.id       # noqa: B018 - asked while the server is there
        anna, bert, carla, dirk = (self.accounts[name] for name in ("anna", "bert", "carla", "dirk"))
        self.anna = self.sit_scripted("anna/1", [bert, dirk])
        self.anna_too = self.sit_scripted("anna/2", [bert, dirk], transports=("polling",))
        self.bert = self.sit_scripted("bert/1", [anna, carla], transports=("polling",))
        self.tabs = [self.anna, self.anna_too, self.bert]
        for tab in self.tabs:
            self.callback(tab.close)
        if self.with_browsers:
            self.browsers = self.enter_context(Browsers(self.record, self.dice.random()))
            self.sitters = {"carla": self.browsers.sit_down(carla, bert, tabs=2, url=self.url_of("carla")),
                            "dirk": self.browsers.sit_down(dirk, anna, websockets=False, url=self.url_of("dirk"))}

    def sit_scripted(self, tab, peers, **options):
        """Return a scripted tab named `person/n`, with a login of its own."""
        person = tab.split("/")[0]
        return scripted(self.record, self.accounts[person], self.url_of(person), tab, peers,
                        **{"lapses": self.lapses, **options})

    def url_of(self, name):
        return f"http://127.0.0.1:{self.proxies[name].port}"

    # --- what people do besides

    @contextlib.contextmanager
    def silence(self):
        """Nobody writes by themselves meanwhile, and what was written has arrived before."""
        speed = self.speed
        self.hush()
        try:
            self.wait_for_calm()
            yield
        finally:
            self.go(speed)

    def wait_for_calm(self):
        """Wait until nothing is on its way to the server any more."""
        wait_for(lambda: not any(tab.waiting() for tab in self.tabs), CALM_SECONDS)

    def go(self, speed):
        """Let everybody write: the scripted tabs `speed` messages a second together."""
        self.speed = speed
        for sitter in self.sitters.values():
            sitter.rate = SITTER_RATE

    def hush(self):
        """Let nobody write any more."""
        self.speed = 0
        for sitter in self.sitters.values():
            sitter.rate = 0

    def unsettled(self):
        """Return how many messages have not ended yet."""
        return (sum(tab.waiting() for tab in self.tabs)
                + sum(len(sitter.unsent().result(PATIENCE_SECONDS)) for sitter in self.sitters.values()))

    def guest(self, name):
        """Return the person at a browser of their own, logged in, at their proxy's address."""
        guest = Person(self.url_of(name), name)
        guest._id = self.accounts[name].id
        guest.log_in()
        return guest

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1
        return self.counts[what]

    def note_written(self, sender, receiver, text, client_id, tab):
        self.record.note("written", person=sender.id, tab=tab, clientId=client_id, text=text,
                         conversation=conversation_of(sender.id, receiver.id))

    def note_acknowledged(self, sender, message, tab):
        self.record.note("answered", person=sender.id, tab=tab, clientId=message["clientId"], outcome="acknowledged",
                         message=message, code=None)

    # --- the server process

    def kill_server(self):
        self.server.kill()

    def stop_server(self):
        """Ask the server to end; return how many seconds it took."""
        begun = time.monotonic()
        self.server.stop()
        return time.monotonic() - begun

    def start_server(self):
        self.server.start()

    def arm(self, point):
        """Spring a fail point when the server next comes to it."""
        (self.control / point).touch()

    def wait_for_end(self, seconds=10):
        """Wait until the server process has ended; tell whether it did."""
        with contextlib.suppress(Exception):
            self.server.process.wait(seconds)
        return self.server.process.poll() is not None

    def wait_until_ready(self):
        """Wait until the server says that it and what it stands on answer; return whether it did."""
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.server.url}/readyz", timeout=1).status_code == 200:
                    return True
            time.sleep(0.05)
        return False

    def footprint(self):
        """Return what the server process holds: memory in MB, open files, threads, greenlets."""
        (self.control / "counts").unlink(missing_ok=True)
        pid = self.server.process.pid
        os.kill(pid, signal.SIGUSR1)
        counted = wait_for(lambda: (self.control / "counts").exists() and (self.control / "counts").read_text(), 5)
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return {"memory": memory // 1024, "files": len(os.listdir(f"/proc/{pid}/fd")), **json.loads(counted or "{}")}

    # --- who has caught up

    def behind(self, heads, since):
        """Return what is not yet as it should be: tabs short of those heads, messages unsettled from before `since`."""
        lacking = [f"{view.tab} shows {view.last} of {heads[view.conversation]} in {view.conversation}"
                   for tab in self.tabs for view in tab.views.values() if view.last < heads.get(view.conversation, 0)]
        lacking += [f"{tab.name} waits for {tab.waiting(since)} answers" for tab in self.tabs if tab.waiting(since)]
        for name, sitter in self.sitters.items():
            conversation = conversation_of(sitter.person.id, sitter.peer.id)
            lacking += [f"{tab} shows {sitter.head(tab)} of {heads[conversation]}" for tab in sitter.tabs
                        if sitter.head(tab) < heads.get(conversation, 0)]
        return lacking

    def catch_up(self, since, patience=PATIENCE_SECONDS):
        """Wait until every tab shows what is stored by now; return (seconds that it took, what was lacking at the last)."""
        begun = time.monotonic()
        heads = self.store.heads()
        latest = []
        while (lacking := self.behind(heads, since)) and time.monotonic() < begun + patience:
            latest = lacking
            time.sleep(0.05)
        return time.monotonic() - begun, lacking or latest


STANDS_ON = {"embedded": World._embedded_mode, "server": World._server_mode, "cluster": World._cluster_mode}

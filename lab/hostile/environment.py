"""The environment of a hostile run: the chat, a reverse proxy if asked for, ordinary people, and the attackers' accounts."""
import random
import re
import statistics
import time

import requests

from tests.private_server import free_ports
from tests.waiting import wait_for
from tools import processes

from ..attacks.target import Account
from ..environment import Environment
from ..record import conversation_of
from ..run import Load
from ..server import LabServer
from ..store import Store
from .addresses import Addresses, SourcedPerson
from .ordinary_users import PageLoader, SourcedTab

SPEED = 4                   # messages per second of all tabs together; one person may send 3
ATTACKER_ACCOUNTS = 10
OPEN_SECONDS = 20                   # for every tab to be connected
SAMPLES, LOOK_SECONDS = 10, 0.4     # resource usage is the median of 10 samples, 0.4 s apart
TABS = (("anna/1", ("bert", "dirk"), ("websocket",)), ("anna/2", ("bert", "dirk"), ("polling",)),
        ("bert/1", ("anna", "carla"), ("websocket",)), ("carla/1", ("bert", "dirk"), ("polling",)),
        ("dirk/1", ("anna", "carla"), ("websocket",)), ("dirk/2", ("anna", "carla"), ("websocket",)))
PAGE_LOADERS = ("emil", "fay", "gus")


class HostileEnvironment(Environment):
    """`server` is the process that is measured, `url` is where people find it."""

    def __init__(self, options, record, directory):
        super().__init__(options["mode"], random.Random(options["seed"]), record, directory)
        self.options, self.page_loaders = options, []

    def set_up(self):
        self.addresses = Addresses(self.options["ipv6"])
        settings = {"HOST": self.addresses.host, "PORT": str(free_ports(1)), "RATELIMIT_ENABLED": "1", "BCRYPT_ROUNDS": "12",
                    "LOG_MESSAGES": "1", "ASYNC_MODE": self.options["async_mode"], "LAB_MUTANT": self.options["mutant"]}
        settings |= self.use_sqlite(self.directory / "instance") if self.mode == "embedded" else self.use_mariadb_and_redis()
        self.store = OwnStore(self.store.connect, self.accounts)
        front = self.options["front"]
        self.start(LabServer(**settings, **({"HTTPS": "1", "PROXIES": "1"} if front else {})))
        self.url, self.cafile = self.server.url, ""
        if front:
            from tests.fronts import FRONTS, Front, make_certificate
            certificate = make_certificate(self.directory)
            self.cafile = str(certificate / "cert.pem")
            started = self.enter_context(Front(FRONTS[front], self.directory, certificate, [int(self.server.settings["PORT"])]))
            self.url = started.https
        self._open_tabs()

    # --- people

    def _open_tabs(self):
        for name in ("anna", "bert", "carla", "dirk"):
            self.accounts[name] = self._registered(name)
        for name, peers, transports in TABS:
            owner = self.accounts[name.split("/")[0]]
            person = SourcedPerson(self.url, owner.username, self.addresses.next(), self.cafile)
            person._id = owner.id
            person.log_in()
            tab = SourcedTab(self.record, person, name, [self.accounts[peer] for peer in peers], transports=transports)
            self.tabs.append(tab.start())
            self.callback(tab.close)
        self.page_loaders = [PageLoader(self._registered(name), "anna", self.rng.random()) for name in PAGE_LOADERS]
        self.load = Load(self, self.rng.random())
        if not wait_for(lambda: all(tab.connected.is_set() for tab in self.tabs), OPEN_SECONDS):
            raise RuntimeError("not every tab was connected: " + ", ".join(tab.name for tab in self.tabs if not tab.connected.is_set()))

    def _registered(self, name):
        return self.register(SourcedPerson(self.url, name, self.addresses.next(), self.cafile))

    def attackers(self):
        """Register the attackers' accounts, each with another one as its peer; return them as dicts."""
        found = []
        for n in range(ATTACKER_ACCOUNTS):
            person = self._registered(f"mallory{n}")
            token = re.search(r'<meta name="csrf-token" content="([^"]+)"', person.get("/").text)
            found.append(Account(person.username, person.id, person.cookie(), token[1] if token else person.token("/")))
        for account, peer in zip(found, found[1:] + found[:1]):
            account.peer, account.peer_id = peer.name, peer.id
        return [vars(account) for account in found]

    def begin_load(self):
        """Let everybody write and load pages."""
        self.speed = SPEED
        self.load.start()
        for loader in self.page_loaders:
            loader.start()

    def end_load(self):
        self.speed = 0
        for loader in self.page_loaders:
            loader.end()
        self.load.end()

    def log_in(self, name):
        """Return the person, who is logged in already."""
        return self.accounts[name]

    def sids(self):
        """Return the Engine.IO session ids of the people who are connected."""
        return [tab.client.eio.sid for tab in self.tabs if tab.client and tab.client.eio.sid]

    # --- resource usage

    def resource_usage(self):
        """Return the resource usage of the server process, the median of some samples."""
        samples = []
        for _n in range(SAMPLES):
            samples.append(self.sample())
            time.sleep(LOOK_SECONDS)
        return {name: statistics.median(sample[name] for sample in samples) for name in samples[0]}

    def processor_seconds(self):
        """Return the CPU time that the server process has used."""
        return processes.cpu_seconds(self.server.process.pid)

    def sample(self):
        """Return what the server process uses now: memory in KB, descriptors, threads, transport entries."""
        pid = self.server.process.pid
        metrics = requests.get(f"{self.server.url}/metrics", timeout=60).text
        return {"memory": processes.memory_kb(pid), "descriptors": processes.open_files(pid), "threads": processes.thread_count(pid),
                "entries": float(re.search(r"^chat_transport_entries (\S+)", metrics, re.M)[1])}


class OwnStore(Store):
    """The chat's database without the messages between attackers."""

    def __init__(self, connect, accounts):
        super().__init__(connect)
        self.accounts = accounts

    def _own(self):
        ids = {account.id for account in self.accounts.values()}
        return {conversation_of(one, other) for one in ids for other in ids if one != other}

    def conversations(self):
        own = self._own()
        return {name: rows for name, rows in super().conversations().items() if name in own}

    def last_seqs(self):
        own = self._own()
        return {name: last_seq for name, last_seq in super().last_seqs().items() if name in own}

"""What one hostile run stands on: the chat with its database, a reverse proxy if asked for, people, and the attackers."""
import os
import random
import re
import statistics
import time
from pathlib import Path

import requests

from tests.private_server import free_ports
from tests.services import MariaDB, Redis
from tests.waiting import wait_for

from ..attacks.target import Account
from ..record import conversation_of
from ..run import Load
from ..set_up_stack import SetUpStack
from ..store import Store, mariadb_store, sqlite_store
from ..world import SECRET_KEY, LabServer
from .addresses import Addresses, Resident
from .bystander import Browser, SourcedTab

SPEED = 4                   # messages a second that the tabs write together; a person may send 3 a second
ATTACKER_ACCOUNTS = 10
OPEN_SECONDS = 20           # for every tab to be connected
LOOKS, LOOK_SECONDS = 10, 0.4       # of what the process holds: the median of so many, so long apart
TABS = (("anna/1", ("bert", "dirk"), ("websocket",)), ("anna/2", ("bert", "dirk"), ("polling",)),
        ("bert/1", ("anna", "carla"), ("websocket",)), ("carla/1", ("bert", "dirk"), ("polling",)),
        ("dirk/1", ("anna", "carla"), ("websocket",)), ("dirk/2", ("anna", "carla"), ("websocket",)))
BROWSERS = ("emil", "fay", "gus")


class Environment(SetUpStack):
    """A context manager; `server` is the process that is looked at, `url` where people find it."""

    sitters = {}            # nobody at a real browser: what gather() asks for

    def __init__(self, options, record, directory):
        super().__init__()
        self.options, self.record, self.directory = options, record, Path(directory)
        self.mode, self.dice = options["mode"], random.Random(options["seed"])
        self.tabs, self.browsers, self.accounts = [], [], {}
        self.speed = 0

    def set_up(self):
        self.addresses = Addresses(self.options["ipv6"])
        settings = {"HOST": self.addresses.host, "PORT": str(free_ports(1)), "RATELIMIT_ENABLED": "1", "BCRYPT_ROUNDS": "12",
                    "LOG_MESSAGES": "1", "ASYNC_MODE": self.options["async_mode"], "LAB_MUTANT": self.options["mutant"]}
        settings |= self._embedded_mode() if self.mode == "embedded" else self._server_mode()
        front = self.options["front"]
        self.server = LabServer(**settings, **({"HTTPS": "1", "PROXIES": "1"} if front else {}))
        self.callback(self.server.__exit__)
        self.server.start()
        self.url, self.cafile = self.server.url, ""
        if front:
            from tests.fronts import FRONTS, Front, make_certificate
            certificate = make_certificate(self.directory)
            self.cafile = str(certificate / "cert.pem")
            started = self.enter_context(Front(FRONTS[front], self.directory, certificate, [int(self.server.settings["PORT"])]))
            self.url = started.https
        self._seat_people()

    def _embedded_mode(self):
        instance = self.directory / "instance"
        self.store = OwnStore(sqlite_store(instance).connect, self.accounts)
        return {"INSTANCE_PATH": str(instance)}

    def _server_mode(self):
        mariadb, redis = self.enter_context(MariaDB()), self.enter_context(Redis())
        self.store = OwnStore(mariadb_store(mariadb).connect, self.accounts)
        return {"DATABASE_URL": mariadb.url, "REDIS_URL": redis.url, "SECRET_KEY": SECRET_KEY}

    # --- people

    def _seat_people(self):
        for name in ("anna", "bert", "carla", "dirk"):
            self.accounts[name] = self._registered(name)
        for name, peers, transports in TABS:
            owner = self.accounts[name.split("/")[0]]
            person = Resident(self.url, owner.username, self.addresses.next(), self.cafile)
            person._id = owner.id
            person.log_in()
            tab = SourcedTab(self.record, person, name, [self.accounts[peer] for peer in peers], transports=transports)
            self.tabs.append(tab.start())
            self.callback(tab.close)
        self.browsers = [Browser(self._registered(name), "anna", self.dice.random()) for name in BROWSERS]
        self.load = Load(self, self.dice.random())
        if not wait_for(lambda: all(tab.connected.is_set() for tab in self.tabs), OPEN_SECONDS):
            raise RuntimeError("not every tab was connected: " + ", ".join(tab.name for tab in self.tabs if not tab.connected.is_set()))

    def _registered(self, name):
        person = Resident(self.url, name, self.addresses.next(), self.cafile)
        person.register()
        person.id       # noqa: B018 - asked while the server is there
        return person

    def attackers(self):
        """Register the attackers' accounts, each with another one to write to; return them as dicts."""
        found = []
        for n in range(ATTACKER_ACCOUNTS):
            person = self._registered(f"mallory{n}")
            token = re.search(r'<meta name="csrf-token" content="([^"]+)"', person.get("/").text)
            found.append(Account(person.username, person.id, person.cookie(), token[1] if token else person.token("/")))
        for account, peer in zip(found, found[1:] + found[:1]):
            account.peer, account.peer_id = peer.name, peer.id
        return [vars(account) for account in found]

    def begin_load(self):
        """Let everybody write and open pages."""
        self.speed = SPEED
        self.load.start()
        for browser in self.browsers:
            browser.start()

    def end_load(self):
        self.speed = 0
        for browser in self.browsers:
            browser.end()
        self.load.end()

    def guest(self, name):
        """Return the person at the browser that they have registered with."""
        return self.accounts[name]

    def sids(self):
        """Return the Engine.IO session ids of the people who are connected."""
        return [tab.client.eio.sid for tab in self.tabs if tab.client and tab.client.eio.sid]

    def unsettled(self):
        return sum(tab.waiting() for tab in self.tabs)

    def behind(self):
        """Return the tabs that do not show yet what is stored."""
        heads = self.store.heads()
        return [view for tab in self.tabs for view in tab.views.values() if view.last < heads.get(view.conversation, 0)]

    # --- what the process holds

    def held(self):
        """Return what the server process holds, the median of some looks: memory in KB, descriptors, threads, transport entries."""
        looks = []
        for _n in range(LOOKS):
            looks.append(self.look())
            time.sleep(LOOK_SECONDS)
        return {name: statistics.median(look[name] for look in looks) for name in looks[0]}

    def processor_seconds(self):
        """Return how much time of a processor the server process has used."""
        fields = Path(f"/proc/{self.server.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def look(self):
        """Return what the server process holds now."""
        process = Path(f"/proc/{self.server.process.pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        metrics = requests.get(f"{self.server.url}/metrics", timeout=60).text
        return {"memory": int(status["VmRSS"].split()[0]), "descriptors": len(list((process / "fd").iterdir())),
                "threads": int(status["Threads"]), "entries": float(re.search(r"^chat_transport_entries (\S+)", metrics, re.M)[1])}


class OwnStore(Store):
    """The chat's database without what attackers have written to each other."""

    def __init__(self, connect, accounts):
        super().__init__(connect)
        self.accounts = accounts

    def _own(self):
        ids = {account.id for account in self.accounts.values()}
        return {conversation_of(one, other) for one in ids for other in ids if one != other}

    def conversations(self):
        own = self._own()
        return {name: rows for name, rows in super().conversations().items() if name in own}

    def heads(self):
        own = self._own()
        return {name: head for name, head in super().heads().items() if name in own}

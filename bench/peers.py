"""What the chat is compared with: the report's stack in one process and in several, and the baseline."""
import subprocess
import tempfile
import time
from pathlib import Path

import requests

from tests.private_server import free_ports
from tests.server import Server
from tools import ROOT, haproxy, node, programs
from tools.cluster import listens

from .subjects import PASSWORD, PROCESSES, Subject

PEER = ROOT / "bench" / "peer"
HOST, HAPROXY_SECONDS = "127.0.0.1", 10     # of the peer's cluster; seconds until its HAProxy listens


class PeerServer(Server):
    announcement = "The peer is at"

    def command(self):
        return [*node.node_command(), str(PEER / "server.mjs")]


class Peer(Subject):
    """The report's stack: Express, Socket.IO, mysql2."""

    name = "peer"

    def __init__(self, services):
        super().__init__()
        self.services = services
        self.accounted_services = (("database", services.mariadb), ("Redis", services.redis))
        self.settings = {"NODE_ENV": "production", "MYSQL_PORT": str(services.mariadb.port), "REDIS_URL": services.redis.url}

    def __enter__(self):
        super().__enter__()
        self.make_tables()
        files = self.enter_context(tempfile.TemporaryDirectory())
        return self.start(PeerServer(FILES=files, **self.settings))

    def make_tables(self):
        with self.services.mariadb.connect() as connection, connection.cursor() as cursor:
            cursor.execute("DROP DATABASE IF EXISTS peer")
            cursor.execute("CREATE DATABASE peer CHARACTER SET utf8mb4")
            cursor.execute("USE peer")
            for statement in (PEER / "schema.sql").read_text(encoding="utf-8").partition("\n")[2].split(";"):
                if statement.strip():
                    cursor.execute(statement)

    def arrive(self, n):
        answer = requests.post(f"{self.url}/register", {"username": f"person{n}", "password": PASSWORD}, timeout=10)
        return {"id": answer.json()["id"], "cookie": answer.headers["Set-Cookie"].partition(";")[0], "username": f"person{n}"}

    def make_room(self, room_id, people):
        with self.services.mariadb.connect(database="peer") as connection, connection.cursor() as cursor:
            cursor.executemany("INSERT IGNORE INTO members (room_id, user_id) VALUES (%s, %s)",
                               [(room_id, person["id"]) for person in people])


class PeerWorker(PeerServer):
    """A process of the PeerCluster, as HAProxy's configuration names it."""

    def __init__(self, number, **settings):
        super().__init__(**settings)
        self.name = f"process {number}"
        self.settings["HOST"] = HOST

    @property
    def port(self):
        return self.settings["PORT"]


class PeerCluster(Peer):
    """The peer in several processes that share their rooms through Redis, behind the same HAProxy as the chat's."""

    def __enter__(self):
        super(Peer, self).__enter__()
        self.make_tables()
        self.workers = [self.enter_context(PeerWorker(n, ADAPTER="redis", **self.settings)) for n in range(1, PROCESSES + 1)]
        self.url = f"http://{HOST}:{self._start_haproxy()}"
        return self

    def _start_haproxy(self):
        """Start HAProxy; return its port."""
        port = free_ports()
        file = Path(self.enter_context(tempfile.TemporaryDirectory())) / "haproxy.cfg"
        file.write_text(haproxy.configuration({"HOST": HOST, "PORT": port, "PROXIES": 0, "HTTPS": False}, self.workers), encoding="utf-8")
        self.haproxy = subprocess.Popen([programs.HAPROXY.path(), "-db", "-f", str(file)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.callback(self.haproxy.wait)
        self.callback(self.haproxy.kill)
        until = time.monotonic() + HAPROXY_SECONDS
        while not listens(HOST, port):
            if time.monotonic() > until:
                raise RuntimeError("HAProxy does not listen.")
            time.sleep(0.1)
        return port

    @property
    def pids(self):
        return [*(worker.process.pid for worker in self.workers), self.haproxy.pid]


class BaselineServer(Server):
    announcement = "The baseline is at"
    program = ("-m", "bench.baseline")


class Baseline(Subject):
    """A relay over bare eventlet WebSockets."""

    name = "baseline"

    def __enter__(self):
        super().__enter__()
        return self.start(BaselineServer())

    def arrive(self, n):
        return {"id": n, "cookie": f"user={n}", "username": f"person{n}"}

"""The servers that are measured: the chat in either mode, the report's stack, and the baseline, each with its users."""
import contextlib
import functools
import io
import re
import secrets
import shutil
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

import requests

from chat.storage.database import Database, open_database
from chat.accounts.passwords import hash_password
from chat.live.presence import RedisRegistry
from chat.storage.session_stores import PREFIX, USER, FileSessions, JsonFiles
from chat.web.sessions import LIFETIME
from chat.accounts.user import User
from tests.private_server import free_ports
from tests.server import Server
from tests.services import MariaDB, Redis
from tools import ROOT, haproxy, node, programs
from tools.cluster import listens
from tools.processes import cpu_seconds, memory_kb

from . import seed_data

SECRET_KEY = "for the benchmark alone: thirty-two bytes and more"
PASSWORD = "correct horse 9 battery"
BCRYPT_ROUNDS = 12
HASHED = hash_password(PASSWORD, BCRYPT_ROUNDS)
PEER = ROOT / "bench" / "peer"
PROCESSES = 4               # of the cluster that is compared with one process
HOST, HAPROXY_SECONDS = "127.0.0.1", 10     # of the peer's cluster; seconds until its HAProxy listens


class BigMariaDB(MariaDB):
    """A database that keeps ten million messages in memory, so that the disk does not influence the comparison."""

    def _command(self):
        return [*super()._command(), "--innodb-buffer-pool-size=4G", "--innodb-log-file-size=1G"]


class SharedServices(contextlib.ExitStack):
    """The MariaDB and the Redis that all subjects use."""

    def __enter__(self):
        super().__enter__()
        self.mariadb = self.enter_context(BigMariaDB())
        self.redis = self.enter_context(Redis())
        return self

    def url(self, database):
        return self.mariadb.url.replace("/chat", f"/{database}")


class Subject(contextlib.ExitStack):
    """A running server; `url` is its address."""

    name = ""
    accounted_services = ()      # services whose CPU time counts too: (name, service)

    def __init__(self):
        super().__init__()
        self.known = {}     # number -> the person with that number

    def start(self, server):
        self.server = self.enter_context(server)
        self.url, self.pid = server.url, server.process.pid
        return self

    @property
    def pids(self):
        """The processes whose trees are the server."""
        return [self.pid]

    def people(self, number, first=1):
        """Return so many people, numbered from `first`, each with a session. The same number is always the same person."""
        for n in range(first, first + number):
            if n not in self.known:
                self.known[n] = self.arrive(n)
        return [self.known[n] for n in range(first, first + number)]

    def arrive(self, n):
        """Return a new person as {id, cookie, username}."""
        raise NotImplementedError

    def make_room(self, room_id, people):
        """Store a room of these people, where it is not there. They have no connection yet."""
        raise NotImplementedError

    def form_headers(self, person):
        """Return the headers that a form of this person needs."""
        return {}

    def cpu_seconds(self):
        """Return {part: CPU seconds so far}."""
        return {"server": sum(map(cpu_seconds, self.pids)), **{name: cpu_seconds(service.pid) for name, service in self.accounted_services}}

    def memory_kb(self):
        return memory_kb(self.pid)


class Chat(Subject):
    """The chat: on MariaDB and Redis, or embedded if there are no services."""

    program = Server
    prepare = staticmethod(Database.create_tables)      # its database, for what this process asks of it

    def __init__(self, services=None, database="chat", **settings):
        super().__init__()
        self.name = "chat" if services else "chat, embedded"
        self.services, self.database_name, self.settings = services, database, settings
        self.accounted_services = (("database", services.mariadb), ("Redis", services.redis)) if services else ()

    def __enter__(self):
        super().__enter__()
        settings = {"BCRYPT_ROUNDS": str(BCRYPT_ROUNDS), "LOG_MESSAGES": "", **self.settings}
        if self.services:
            settings.update(DATABASE_URL=self.services.url(self.database_name), REDIS_URL=self.services.redis.url,
                            SECRET_KEY=SECRET_KEY)
        self.start(self.program(**settings))
        self.database = open_database(
            {"DATABASE_URL": settings.get("DATABASE_URL", ""), "INSTANCE_PATH": self.server.directory.name},
            lambda function, *arguments: function(*arguments), prepare=self.prepare)
        self.callback(self.database.engine.close)
        return self

    def restart(self):
        """Replace the process by a new one, as if it had been down until everybody was offline."""
        self.server.kill()
        with self.services.redis.connect() as client:
            client.delete(RedisRegistry.KEY)
        self.server.start()
        self.pid = self.server.process.pid

    def arrive(self, n):
        name = f"person{n}"
        user = User.named(self.database, name) or User.register(self.database, name, HASHED)
        return {"id": user.id, "cookie": f"session={self.session_of(user.id)}", "username": name}

    def form_headers(self, person):
        page = requests.get(f"{self.url}/", headers={"Cookie": person["cookie"]}, timeout=60).text
        return {"X-CSRFToken": re.search(r'<meta name="csrf-token" content="([^"]+)"', page)[1]}

    def make_room(self, room_id, people):
        seed_data.room(self, room_id, [person["id"] for person in people])

    def run(self, sql, params=None, bulk=False):
        """Run a statement that may take minutes, longer than the timeouts of the chat's own connections."""
        with self.services.mariadb.connect(database=self.database_name) as connection, connection.cursor() as cursor:
            if bulk:
                cursor.execute("SET unique_checks = 0, foreign_key_checks = 0")
            cursor.execute(sql, params)

    def session_of(self, user_id):
        """Store a session as a login does, and return its id. Five hundred real logins would take two minutes of bcrypt."""
        session_id, session = secrets.token_urlsafe(32), {USER: str(user_id), "_fresh": True, "_permanent": True}
        seconds = int(LIFETIME.total_seconds())
        if self.services:
            with self.services.redis.connect() as client:
                client.setex(PREFIX + session_id, seconds, JsonFiles.serializer.encode(session))
        else:
            sessions = FileSessions(str(Path(self.server.directory.name) / "sessions"))
            sessions.files.set(PREFIX + session_id, session, seconds)
        return session_id


class FormerChat(Chat):
    """The chat of an earlier commit, which is taken from git."""

    prepare = staticmethod(lambda database: None)       # it stays as that commit has made it

    def __init__(self, services, database, commit):
        super().__init__(services, database)
        self.commit = commit

    def __enter__(self):
        self.sources = tempfile.TemporaryDirectory()
        packed = subprocess.run(["git", "archive", self.commit], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(self.sources.name)
        # What was built is not in git. It is another version's, but no page is opened here.
        shutil.copytree(ROOT / "chat" / "static" / "build", f"{self.sources.name}/chat/static/build")
        self.program = functools.partial(FormerServer, f"{self.sources.name}/wsgi.py")
        super().__enter__()
        self.callback(self.sources.cleanup)
        return self

    @staticmethod
    def has(commit):
        """Tell whether git is here and knows a commit."""
        command = ["git", "cat-file", "-e", commit]
        return bool(shutil.which("git")) and subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0


class FormerServer(Server):
    def __init__(self, program, **settings):
        super().__init__(**settings)
        self.program = (program,)


class Processes(Server):
    """`run --processes N` on a fixed port, which HAProxy needs."""

    def __init__(self, processes, **settings):
        super().__init__(**{**settings, "PORT": str(free_ports(processes + 1))})
        self.program = ("-m", "tools.cluster", str(processes))


class Cluster(Chat):
    """The chat in several processes. Its CPU time and memory include all of them and HAProxy."""

    def __init__(self, services, database, processes=PROCESSES):
        super().__init__(services, database)
        self.processes = processes
        self.program = functools.partial(Processes, processes)


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

"""What is measured: the chat in either mode, the report's stack, and the floor; each a server with people who may connect."""
import contextlib
import functools
import os
import secrets
import subprocess
import sys
from pathlib import Path

import requests

from chat.storage.database import open_database
from chat.accounts.passwords import hash_password
from chat.live.presence import RedisRegistry
from chat.storage.session_stores import PREFIX, USER, FileSessions, JsonFiles
from chat.web.sessions import LIFETIME
from chat.accounts.user import User
from tests.private_server import free_ports
from tests.server import Server
from tests.services import MariaDB, Redis
from tools import ROOT, node

from .processes import cpu_seconds, memory_kb

SECRET_KEY = "for the benchmark alone: thirty-two bytes and more"
PASSWORD = "correct horse 9 battery"
BCRYPT_ROUNDS = 12
HASHED = hash_password(PASSWORD, BCRYPT_ROUNDS)
PEER = ROOT / "bench" / "peer"
PROCESSES = 4               # of the cluster that is held against one process


class BigMariaDB(MariaDB):
    """A database with room for ten million messages in memory: what is compared is the chat, not the disk."""

    def _command(self):
        return [*super()._command(), "--innodb-buffer-pool-size=4G", "--innodb-log-file-size=1G"]


class Grounds(contextlib.ExitStack):
    """The database and the Redis that all subjects stand on."""

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
    stands_on = ()      # services whose CPU counts too: (name, service)

    def __init__(self):
        super().__init__()
        self.known = {}     # number -> the person of that number

    def people(self, number, first=1):
        """Return so many people, numbered from `first`, each with a session; a person keeps theirs."""
        for n in range(first, first + number):
            if n not in self.known:
                self.known[n] = self.arrive(n)
        return [self.known[n] for n in range(first, first + number)]

    def arrive(self, n):
        """Return a new person as {id, cookie, username}."""
        raise NotImplementedError

    def cpu_seconds(self):
        """Return {part: CPU seconds so far}."""
        return {"server": cpu_seconds(self.pid), **{name: cpu_seconds(service.pid) for name, service in self.stands_on}}

    def memory_kb(self):
        return memory_kb(self.pid)


class Chat(Subject):
    """The chat itself: on MariaDB and Redis, or embedded where there are no grounds."""

    program = Server

    def __init__(self, grounds=None, database="chat", **settings):
        super().__init__()
        self.name = "chat" if grounds else "chat, embedded"
        self.grounds, self.database_name, self.settings = grounds, database, settings
        self.stands_on = (("database", grounds.mariadb), ("Redis", grounds.redis)) if grounds else ()

    def __enter__(self):
        super().__enter__()
        settings = {"BCRYPT_ROUNDS": str(BCRYPT_ROUNDS), "LOG_MESSAGES": "", **self.settings}
        if self.grounds:
            settings.update(DATABASE_URL=self.grounds.url(self.database_name), REDIS_URL=self.grounds.redis.url,
                            SECRET_KEY=SECRET_KEY)
        self.server = self.enter_context(self.program(**settings))
        self.url, self.pid = self.server.url, self.server.process.pid
        self.database = open_database(
            {"DATABASE_URL": settings.get("DATABASE_URL", ""), "INSTANCE_PATH": self.server.directory.name},
            lambda function, *arguments: function(*arguments))
        self.callback(self.database.engine.close)
        return self

    def restart(self):
        """Start a new process in the place of the old one, as if it had been away until all had gone."""
        self.server.kill()
        with self.grounds.redis.connect() as client:
            client.delete(RedisRegistry.KEY)
        self.server.start()
        self.pid = self.server.process.pid

    def arrive(self, n):
        name = f"person{n}"
        user = User.named(self.database, name) or User.register(self.database, name, HASHED)
        return {"id": user.id, "cookie": f"session={self.session_of(user.id)}", "username": name}

    def run(self, sql, params=None, bulk=False):
        """Run a statement that may take minutes, which the chat's own connections would not wait for."""
        with self.grounds.mariadb.connect(database=self.database_name) as connection, connection.cursor() as cursor:
            if bulk:
                cursor.execute("SET unique_checks = 0, foreign_key_checks = 0")
            cursor.execute(sql, params)

    def session_of(self, user_id):
        """Store a session as the login does and return its id: five hundred logins would be two minutes of bcrypt."""
        session_id, session = secrets.token_urlsafe(32), {USER: str(user_id), "_fresh": True, "_permanent": True}
        seconds = int(LIFETIME.total_seconds())
        if self.grounds:
            with self.grounds.redis.connect() as client:
                client.setex(PREFIX + session_id, seconds, JsonFiles.serializer.encode(session))
        else:
            sessions = FileSessions(str(Path(self.server.directory.name) / "sessions"))
            sessions.files.set(PREFIX + session_id, session, seconds)
        return session_id


class Processes(Server):
    """`run --processes N`, on a port that HAProxy can be told."""

    def __init__(self, processes, **settings):
        super().__init__(**{**settings, "PORT": str(free_ports(processes + 1))})
        self.program = ("-m", "tools.cluster", str(processes))


class Cluster(Chat):
    """The chat in several processes: what it uses is that of all of them, and of HAProxy."""

    def __init__(self, grounds, database, processes=PROCESSES):
        super().__init__(grounds, database)
        self.processes = processes
        self.program = functools.partial(Processes, processes)


class Program(Subject):
    """A server that says its address in its first line."""

    def start(self, command, **settings):
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)
        self.callback(self._end)
        self.url = self.process.stdout.readline().split()[-1]
        self.pid = self.process.pid
        return self

    def _end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Peer(Program):
    """The report's stack: Express, Socket.IO, mysql2."""

    name = "peer"

    def __init__(self, grounds):
        super().__init__()
        self.grounds = grounds
        self.stands_on = (("database", grounds.mariadb), ("Redis", grounds.redis))

    def __enter__(self):
        super().__enter__()
        with self.grounds.mariadb.connect() as connection, connection.cursor() as cursor:
            cursor.execute("DROP DATABASE IF EXISTS peer")
            cursor.execute("CREATE DATABASE peer CHARACTER SET utf8mb4")
            cursor.execute("USE peer")
            for statement in (PEER / "schema.sql").read_text(encoding="utf-8").partition("\n")[2].split(";"):
                if statement.strip():
                    cursor.execute(statement)
        return self.start([*node.node_command(), str(PEER / "server.mjs")], NODE_ENV="production",
                          MYSQL_PORT=str(self.grounds.mariadb.port), REDIS_URL=self.grounds.redis.url)

    def arrive(self, n):
        answer = requests.post(f"{self.url}/register", {"username": f"person{n}", "password": PASSWORD}, timeout=10)
        return {"id": answer.json()["id"], "cookie": answer.headers["Set-Cookie"].partition(";")[0], "username": f"person{n}"}


class Floor(Program):
    """A relay over bare eventlet WebSockets."""

    name = "floor"

    def __enter__(self):
        super().__enter__()
        return self.start([sys.executable, "-W", "ignore", "-m", "bench.floor"])

    def arrive(self, n):
        return {"id": n, "cookie": f"user={n}", "username": f"person{n}"}

"""The servers that are measured, each with its users: the chat in either mode, in several processes, and of an earlier commit. peers.py has the others."""
import contextlib
import functools
import io
import re
import secrets
import shutil
import subprocess
import tarfile
import tempfile
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
from tools import ROOT
from tools.processes import cpu_seconds, memory_kb

from . import seed_data

SECRET_KEY = "for the benchmark alone: thirty-two bytes and more"
PASSWORD = "correct horse 9 battery"
BCRYPT_ROUNDS = 12
HASHED = hash_password(PASSWORD, BCRYPT_ROUNDS)
PROCESSES = 4               # of the cluster that is compared with one process


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

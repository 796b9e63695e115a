"""A private MariaDB and a private Redis for the tests, on free ports and with temporary data.

They never outlive the tests: leaving the context stops them, and the kernel kills them when the tests' process dies.
"""

import getpass
import os
import subprocess

import pymysql
import redis

from chat.storage.redis_client import EVERY_SERVER
from tests.private_server import HOST, START_SECONDS, Service
from tools import programs


class MariaDB(Service):
    """MariaDB as XAMPP has it: root without a password, every answer flushed to the disk before it is given."""

    host = HOST

    def __init__(self, parent=None):
        super().__init__(parent)
        self.user = getpass.getuser()       # mariadbd refuses to run as root unless it is told to

    @property
    def url(self):
        return f"mysql://root@{self.host}:{self.port}/chat"

    def connect(self, **options):
        """A PyMySQL connection as root, with autocommit."""
        return pymysql.connect(host=self.host, port=self.port, user="root", autocommit=True, ssl_disabled=True, **options)

    def _prepare(self):
        command = [
            programs.MARIADB_INSTALL.path(),
            "--no-defaults",
            f"--datadir={self._data}",
            f"--user={self.user}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        ]
        done = subprocess.run(command, env=self._environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")

    def _command(self):
        return [
            programs.MARIADB.path(),
            "--no-defaults",
            f"--user={self.user}",
            f"--datadir={self._data}",
            f"--socket={self._socket}",
            f"--pid-file={self.directory / 'pid'}",
            f"--bind-address={self.host}",
            f"--port={self.port}",
            "--skip-name-resolve",
            "--innodb-flush-log-at-trx-commit=1",
            "--innodb-buffer-pool-size=64M",
            "--max-connections=200",
        ]

    @property
    def _environment(self):
        """A directory of its own for temporary tables: at its start a server removes all that it finds, those of another one too."""
        return {**os.environ, "TMPDIR": str(self.directory)}

    def _greet(self):
        pymysql.connect(unix_socket=str(self._socket), user="root", connect_timeout=START_SECONDS).close()

    @property
    def _data(self):
        return self.directory / "data"


class Redis(Service):
    """Redis that keeps nothing on the disk."""

    @property
    def url(self):
        return f"redis://{HOST}:{self.port}/0"

    def connect(self, **options):
        """A client of this server."""
        return redis.Redis(host=HOST, port=self.port, **EVERY_SERVER, **options)

    def _command(self):
        return [
            programs.REDIS.path(),
            *("--port", str(self.port)),
            *("--bind", HOST),
            *("--unixsocket", str(self._socket)),
            *("--dir", str(self.directory)),
            *("--save", ""),
            *("--appendonly", "no"),
        ]

    def _greet(self):
        with redis.Redis(unix_socket_path=str(self._socket), **EVERY_SERVER) as client:
            client.ping()

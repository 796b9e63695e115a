"""What stands behind the chat several times over: the nodes of a Galera cluster, and Redis with a replica and Sentinels."""
import contextlib
import os
import random
import shutil
import sys
from collections import Counter
from pathlib import Path

import pymysql
import redis

from tests.private_server import HOST, PORTS, Service
from tests.services import MariaDB, Redis
from tools import programs

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
NODES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
PORT_TRIES = 3              # of each node's ports any may be taken
SYNCED = "4"                # of wsrep_local_state
SENTINELS = 3
# Of the Redis servers and the Sentinels: addresses of their own where the system has more than one, so that each can be cut off alone.
REDIS_HOSTS = [f"127.0.0.{n}" if sys.platform == "linux" else HOST for n in (11, 12)]
SENTINEL_HOSTS = [f"127.0.0.{n}" if sys.platform == "linux" else HOST for n in range(21, 21 + SENTINELS)]
DOWN_AFTER_MS = 1000        # without an answer, until a Sentinel takes a server for dead


def is_galera_there():
    """Tell whether this machine has what a cluster is made of; Linux alone answers on all of 127.0.0.0/8."""
    return PROVIDER.exists() and shutil.which("rsync") is not None


class GaleraNode(MariaDB):
    """One node; `others` are the addresses by which it finds the cluster, none for the one that begins it."""

    def __init__(self, host, ports, others=()):
        super().__init__()
        self.host, self.others = host, others
        self.port, self.group_port, self.transfer_port, self.increment_port = ports
        if os.geteuid() == 0:
            self.user = "mysql"     # as root, rsync's receiver is refused and a joining node gives up

    def _prepare(self):
        self._data.mkdir()
        if os.geteuid() == 0:
            for path in (self.directory, self._data, self._log):
                shutil.chown(path, self.user)
        if not self.others:         # whoever joins gets everything from another node
            super()._prepare()

    def _answers(self):
        try:
            return super()._answers()
        except pymysql.OperationalError:
            return False            # while it joins, it closes what it has accepted

    def _command(self):
        peers = ",".join(f"{host}:{self.group_port}" for host in self.others)
        options = {"gmcast.listen_addr": f"tcp://{self.host}:{self.group_port}", "ist.recv_addr": f"{self.host}:{self.increment_port}",
                   "evs.keepalive_period": "PT0.5S", "evs.suspect_timeout": "PT2S", "evs.inactive_timeout": "PT4S"}
        return [*super()._command(), "--wsrep-on=1", f"--wsrep-provider={PROVIDER}", f"--wsrep-cluster-address=gcomm://{peers}",
                f"--wsrep-node-address={self.host}:{self.group_port}", f"--wsrep-node-incoming-address={self.host}:{self.port}",
                f"--wsrep-provider-options={';'.join(f'{name}={value}' for name, value in options.items())}",
                "--wsrep-sst-method=rsync", f"--wsrep-sst-receive-address={self.host}:{self.transfer_port}",
                "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2"]


class Galera(contextlib.ExitStack):
    """Three nodes of one cluster; `url` names them all."""

    def __enter__(self):
        super().__enter__()
        for last_try in (False,) * (PORT_TRIES - 1) + (True,):
            try:
                self._start(random.sample(PORTS, 4))
                break
            except RuntimeError:
                if last_try:
                    raise
        for node in self.nodes:     # whoever starts again joins the others
            node.others = [host for host in NODES if host != node.host]
        return self

    def _start(self, ports):
        self.nodes = []
        with contextlib.ExitStack() as undo:
            for host in NODES:
                known = [node.host for node in self.nodes]
                self.nodes.append(undo.enter_context(GaleraNode(host, ports, known)))
            self.push(undo.pop_all())

    def connect(self):
        """Return a connection to the first node that is synced, which shows what any of them has committed."""
        node = next((node for node in self.nodes if self.is_synced(node)), self.nodes[0])
        connection = node.connect(database="chat")
        connection.query("SET SESSION wsrep_sync_wait = 1")
        return connection

    def is_synced(self, node):
        """Tell whether a node is there and has what the others have, as far as it knows."""
        return self._view(node).get("wsrep_local_state") == SYNCED

    def is_whole(self):
        """Tell whether all nodes are synced with each other: one that was away does not know at once that the others went on without it."""
        first, *others = (self._view(node) for node in self.nodes)
        return (first.get("wsrep_cluster_size"), first.get("wsrep_local_state")) == (str(len(NODES)), SYNCED) and others == [first] * 2

    @staticmethod
    def _view(node):
        """Return what a node says of its cluster and its place in it, {} where it does not answer."""
        with contextlib.suppress(pymysql.Error, OSError), \
                contextlib.closing(node.connect(connect_timeout=1, read_timeout=2)) as root, root.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_cluster_conf_id', 'wsrep_cluster_size', 'wsrep_local_state')")
            return dict(cursor.fetchall())
        return {}

    @property
    def url(self):
        return f"mysql://root@{','.join(f'{node.host}:{node.port}' for node in self.nodes)}/chat"


class WatchedServer(Redis):
    """A Redis at an address of its own, by which it asks others as well; with a master it begins as that one's replica."""

    def __init__(self, host, master=None):
        super().__init__()
        self.host, self.master = host, master

    def _command(self):
        follow = ("--replicaof", self.master.host, str(self.master.port)) if self.master else ()
        return [*super()._command(), *at(self.host), *follow]


class Sentinel(Service):
    """Watches a Redis and, with the others, makes its replica the master when it is dead."""

    def __init__(self, host, master):
        super().__init__()
        self.host, self.master = host, master

    def _prepare(self):
        self.configuration = self.directory / "sentinel.conf"      # it keeps in there what it learns
        self.configuration.write_text(
            f"sentinel monitor mymaster {self.master.host} {self.master.port} {SENTINELS // 2 + 1}\n"
            f"sentinel down-after-milliseconds mymaster {DOWN_AFTER_MS}\n"
            "sentinel failover-timeout mymaster 3000\n")

    def _command(self):
        return [programs.REDIS.path(), str(self.configuration), "--sentinel", "--port", str(self.port), *at(self.host),
                "--unixsocket", str(self._socket), "--dir", str(self.directory)]

    def _greet(self):
        with redis.Redis(unix_socket_path=str(self._socket)) as client:
            client.ping()


def at(host):
    """Return what has a Redis or a Sentinel listen at that address, and connect to others from there."""
    return "--bind", host, "--bind-source-addr", host, "--protected-mode", "no"     # which takes 127.0.0.1 alone for this machine


def client_of(service):
    """Return a client of a Redis or a Sentinel, to be closed after its use."""
    return contextlib.closing(redis.Redis(service.host, service.port, socket_connect_timeout=1, socket_timeout=1))


class WatchedRedis(contextlib.ExitStack):
    """A Redis, its replica, and three Sentinels; `url` names the Sentinels."""

    def __enter__(self):
        super().__enter__()
        with contextlib.ExitStack() as undo:
            first = undo.enter_context(WatchedServer(REDIS_HOSTS[0]))
            self.servers = [first, undo.enter_context(WatchedServer(REDIS_HOSTS[1], first))]
            self.sentinels = [undo.enter_context(Sentinel(host, first)) for host in SENTINEL_HOSTS]
            self.push(undo.pop_all())
        return self

    @property
    def url(self):
        return f"redis+sentinel://{','.join(f'{sentinel.host}:{sentinel.port}' for sentinel in self.sentinels)}/mymaster/0"

    def is_watched(self):
        """Tell whether the replica follows the master, and all Sentinels see them and each other: only then can it take its place."""
        master = self.master()
        for server in self.servers:
            with contextlib.suppress(redis.RedisError), client_of(server) as client:
                told = client.info("replication")
                if (told["role"] == "master") != (server is master) or told.get("master_link_status", "up") != "up":
                    return False
                continue
            return False
        return all(self._knows_all(sentinel) for sentinel in self.sentinels)

    @staticmethod
    def _knows_all(sentinel):
        with contextlib.suppress(redis.RedisError), client_of(sentinel) as client:
            master = client.sentinel_master("mymaster")
            lost = [one for one in client.sentinel_slaves("mymaster") + client.sentinel_sentinels("mymaster") if one["is_sdown"]]
            return (master["num-slaves"] >= 1 and master["num-other-sentinels"] == SENTINELS - 1
                    and not master["is_sdown"] and not master["is_odown"] and not lost)
        return False

    def master(self):
        """Return the Service that is the master now, as most Sentinels tell."""
        told = Counter()
        for sentinel in self.sentinels:
            with contextlib.suppress(redis.RedisError), client_of(sentinel) as client:
                _host, port = client.sentinel_get_master_addr_by_name("mymaster")
                told[int(port)] += 1
        port = told.most_common(1)[0][0]
        return next(server for server in self.servers if server.port == port)

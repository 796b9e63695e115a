"""The chat as a cluster: three processes behind HAProxy, three Galera nodes, Redis with a replica and three Sentinels."""
import os
import signal
import subprocess

from tests.clusters import Galera, WatchedRedis
from tests.server import Server

from . import namespace
from .grouped_workers import group_of
from .store import Store

PROCESSES = 3
NUMBERS = range(1, PROCESSES + 1)


class LabCluster(Server):
    """`run --processes 3`, with access to its processes for the faults."""

    program = ("-m", "lab.grouped_workers", str(PROCESSES))

    def start(self):
        super().start()
        self.ports = {n: int(self.line_with(f"process {n} is at").rsplit(":", 1)[1]) for n in NUMBERS}
        return self

    def children(self, name, *options):
        """Return the ids of the child processes whose command contains `name`."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid), *options, "-f", name], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    def processes(self):
        return self.children("wsgi.py")

    def process_id(self, n):
        """Return the current id of the n-th process; a restart changes it."""
        return self.children("wsgi.py", "-G", str(group_of(n)))[0]

    def haproxy(self):
        return self.children("haproxy")

    def restart_in_turn(self):
        """Send SIGHUP; return when every process was restarted."""
        self.process.send_signal(signal.SIGHUP)
        for n in NUMBERS:
            self.line_with(f"process {n} is restarted")


def start_services(environment):
    """Start the database and Redis of an environment in cluster mode; return the server's settings."""
    if namespace.group_cut_possible():
        environment.enter_context(namespace.groups_marked([group_of(n) for n in NUMBERS]))
    environment.galera = environment.enter_context(Galera())
    environment.redis_cluster = environment.enter_context(WatchedRedis())
    environment.store = Store(environment.galera.connect)
    return {"DATABASE_URL": environment.galera.url, "REDIS_URL": environment.redis_cluster.url}


def why_not():
    """Return why this machine cannot run the cluster; an empty string if it can."""
    from tests.clusters import is_galera_there
    if os.geteuid():
        return "a Galera node copies its data as the user mysql, and only root may start a process as that user"
    return "" if is_galera_there() else "this machine has no Galera"

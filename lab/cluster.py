"""The chat as a cluster: three processes behind HAProxy, three Galera nodes, Redis with a replica and three Sentinels."""
import os
import signal
import subprocess

from tests.clusters import Galera, WatchedRedis
from tests.server import Server

from . import namespace
from .grouped import group_of
from .store import Store

PROCESSES = 3
NUMBERS = range(1, PROCESSES + 1)


class LabCluster(Server):
    """`run --processes 3`, with what a fault has to reach of it."""

    program = ("-m", "lab.grouped", str(PROCESSES))

    def start(self):
        super().start()
        self.ports = {n: int(self.line_with(f"process {n} is at").rsplit(":", 1)[1]) for n in NUMBERS}
        return self

    def children(self, name, *options):
        """Return the process ids of those that it has started, by a part of their command."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid), *options, "-f", name], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    def processes(self):
        return self.children("wsgi.py")

    def process_id(self, n):
        """Return the id of the n-th process, which may have been started again."""
        return self.children("wsgi.py", "-G", str(group_of(n)))[0]

    def haproxy(self):
        return self.children("haproxy")

    def restart_in_turn(self):
        """Ask for it, and return when all have been restarted."""
        self.process.send_signal(signal.SIGHUP)
        for n in NUMBERS:
            self.line_with(f"process {n} is restarted")


def stand_up(world):
    """Start everything of a world in cluster mode but the server; return its settings."""
    if namespace.group_cut_possible():
        world.enter_context(namespace.groups_marked([group_of(n) for n in NUMBERS]))
    world.galera = world.enter_context(Galera())
    world.watched = world.enter_context(WatchedRedis())
    world.store = Store(world.galera.connect)
    return {"DATABASE_URL": world.galera.url, "REDIS_URL": world.watched.url}


def why_not():
    """Return why there can be no cluster here, or an empty string."""
    from tests.clusters import is_galera_there
    if os.geteuid():
        return "a Galera node hands over its data as the user mysql, which takes root to become"
    return "" if is_galera_there() else "this machine has no Galera"

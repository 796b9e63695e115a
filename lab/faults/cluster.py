"""A part of the cluster dies, freezes, or is cut off from the others, while two more of its kind go on."""
import os
import signal
import time

from tests.waiting import wait_for

from .. import namespace
from ..cluster import PROCESSES
from .registry import fault

CLUSTER = ("cluster",)
TIMES = 10
DEAD_SECONDS = 3            # at most, until it is started again
FROZEN_SECONDS = 8          # Galera takes a node for dead after 4, a Sentinel a Redis after 1, HAProxy a process after 1
CUT_SECONDS = 8
BACK_SECONDS = 60           # for what was broken to be one of its kind again


def cluster_fault(name, **options):
    return fault(name, CLUSTER, times=TIMES, **options)


def rest(world):
    time.sleep(world.dice.random() * DEAD_SECONDS)


def expect_back(world, what, is_so):
    """Wait until something is whole again; a cluster that does not heal is a breach."""
    if not wait_for(is_so, BACK_SECONDS):
        world.record.note("breach", promise="faults", text=f"{what} did not come back in {BACK_SECONDS} s")


# --- the processes and who stands before them

@cluster_fault("one of three processes killed")
def process_killed(world):
    for tab in world.tabs:
        tab.write(world.dice.choice(list(tab.peers)))
    os.kill(world.dice.choice(world.server.processes()), signal.SIGKILL)
    expect_back(world, "a process", lambda: len(world.server.processes()) == PROCESSES)


@cluster_fault("one of three processes frozen 8 s")
def process_frozen(world):
    pid = world.dice.choice(world.server.processes())
    os.kill(pid, signal.SIGSTOP)
    time.sleep(FROZEN_SECONDS)
    os.kill(pid, signal.SIGCONT)


@cluster_fault("rolling restart")
def rolling_restart(world):
    world.server.restart_in_turn()


@cluster_fault("HAProxy killed")
def haproxy_killed(world):
    dead = world.server.haproxy()
    for pid in dead:
        os.kill(pid, signal.SIGKILL)
    expect_back(world, "HAProxy", lambda: world.server.haproxy() not in ([], dead))
    world.wait_until_ready()


# --- the database

@cluster_fault("one of three database nodes killed")
def node_killed(world):
    node = world.dice.choice(world.galera.nodes)
    node.kill()
    rest(world)
    node.start()
    expect_back(world, "a node", world.galera.is_whole)


@cluster_fault("one of three database nodes frozen 8 s")
def node_frozen(world):
    node = world.dice.choice(world.galera.nodes)
    node.pause()
    time.sleep(FROZEN_SECONDS)
    node.resume()
    expect_back(world, "a node", world.galera.is_whole)


@cluster_fault("one of three database nodes cut off 8 s", needs=lambda world: namespace.loss_possible())
def node_cut_off(world):
    """It answers the chat and hears nothing of the other nodes."""
    node = world.dice.choice(world.galera.nodes)
    with namespace.cut_off(node.host, node.group_port):
        time.sleep(CUT_SECONDS)
    expect_back(world, "a node", world.galera.is_whole)


# --- Redis and its Sentinels

@cluster_fault("Redis' master killed")
def master_killed(world):
    master = world.watched.master()
    master.kill()
    expect_back(world, "a master", lambda: world.watched.master() is not master)
    rest(world)
    master.start()
    world.wait_until_ready()
    expect_back(world, "a replica", world.watched.is_watched)


@cluster_fault("Redis' master frozen 8 s")
def master_frozen(world):
    master = world.watched.master()
    master.pause()
    time.sleep(FROZEN_SECONDS)
    master.resume()
    expect_back(world, "a replica", world.watched.is_watched)
    world.wait_until_ready()


@cluster_fault("Redis' master cut off 8 s", needs=lambda world: namespace.loss_possible())
def master_cut_off(world):
    """Nobody reaches it, and it is up all the same."""
    master = world.watched.master()
    with namespace.cut_off("127.0.0.1", master.port):
        time.sleep(CUT_SECONDS)
    expect_back(world, "a replica", world.watched.is_watched)
    world.wait_until_ready()


@cluster_fault("Redis' replica killed")
def replica_killed(world):
    master = world.watched.master()
    replica = next(server for server in world.watched.servers if server is not master)
    replica.kill()
    rest(world)
    replica.start()
    expect_back(world, "a replica", world.watched.is_watched)


@cluster_fault("one of three Sentinels killed")
def sentinel_killed(world):
    sentinel = world.dice.choice(world.watched.sentinels)
    sentinel.kill()
    rest(world)
    sentinel.start()
    expect_back(world, "a Sentinel", world.watched.is_watched)

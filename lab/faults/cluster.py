"""A part of the cluster dies, freezes, or is cut off from the others, while two more of its kind go on."""
import os
import signal
import time

from tests.clusters import client_of
from tests.private_server import HOST
from tests.waiting import wait_for

from .. import namespace
from ..cluster import NUMBERS, PROCESSES
from ..grouped import group_of
from .registry import fault

CLUSTER = ("cluster",)
TIMES = 10
DEAD_SECONDS = 3            # at most, until it is started again
FROZEN_SECONDS = 8          # Galera takes a node for dead after 4, a Sentinel a Redis after 1, HAProxy a process after 1
CUT_SECONDS = 8
DOORLESS_SECONDS = 5        # of HAProxy: TCP sends again ever more seldom, so a longer cut would end up to 6 s later for some
BACK_SECONDS = 60           # for what was broken to be one of its kind again


def cluster_fault(name, **options):
    return fault(name, CLUSTER, times=TIMES, **options)


def cut_fault(name):
    """Put one into the matrix that cuts something off by its address."""
    return cluster_fault(name, needs=lambda world: namespace.loss_possible())


def in_turn(world, what, those):
    """Return another of those each time, so that each of them has its turn."""
    return those[(world.count(what) - 1) % len(those)]


def rest(world):
    time.sleep(world.dice.random() * DEAD_SECONDS)


def expect_back(world, what, is_so):
    """Wait until something is whole again; a cluster that does not heal is a breach."""
    if not wait_for(is_so, BACK_SECONDS):
        breach(world, f"{what} did not come back in {BACK_SECONDS} s")


def breach(world, text):
    world.record.note("breach", promise="faults", text=text)


# --- the processes and who stands before them

@cluster_fault("one of three processes killed")
def process_killed(world):
    for tab in world.tabs:
        tab.write(world.dice.choice(list(tab.peers)))
    os.kill(world.server.process_id(in_turn(world, "process killed", NUMBERS)), signal.SIGKILL)
    expect_back(world, "a process", lambda: len(world.server.processes()) == PROCESSES)


@cluster_fault("one of three processes frozen 8 s")
def process_frozen(world):
    pid = world.server.process_id(in_turn(world, "process frozen", NUMBERS))
    os.kill(pid, signal.SIGSTOP)
    time.sleep(FROZEN_SECONDS)
    os.kill(pid, signal.SIGCONT)


@cut_fault("one of three processes cut off from HAProxy 8 s")
def process_cut_off(world):
    """It reaches its database and Redis, and goes on for people who have gone to the others."""
    with namespace.cut_off(HOST, world.server.ports[in_turn(world, "process cut off", NUMBERS)]):
        time.sleep(CUT_SECONDS)


@cluster_fault("one of three processes cut off from database and Redis 8 s", needs=lambda world: namespace.group_cut_possible())
def process_alone(world):
    """HAProxy finds it healthy, and its people stay with it."""
    services = [*world.galera.nodes, *world.watched.servers, *world.watched.sentinels]
    with namespace.group_cut_off(group_of(in_turn(world, "process alone", NUMBERS)), [service.port for service in services]):
        time.sleep(CUT_SECONDS)


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


@cut_fault("HAProxy cut off 5 s")
def haproxy_cut_off(world):
    """Nobody reaches it, and it finds all processes well."""
    with namespace.cut_off(HOST, int(world.server.settings["PORT"])):
        time.sleep(DOORLESS_SECONDS)


# --- the database

@cluster_fault("one of three database nodes killed")
def node_killed(world):
    node = in_turn(world, "node killed", world.galera.nodes)
    node.kill()
    rest(world)
    node.start()
    expect_back(world, "a node", world.galera.is_whole)


@cluster_fault("one of three database nodes frozen 8 s")
def node_frozen(world):
    node = in_turn(world, "node frozen", world.galera.nodes)
    node.pause()
    time.sleep(FROZEN_SECONDS)
    node.resume()
    expect_back(world, "a node", world.galera.is_whole)


@cut_fault("one of three database nodes cut off 8 s")
def node_cut_off(world):
    """It answers the chat and hears nothing of the other nodes."""
    node = in_turn(world, "node cut off", world.galera.nodes)
    with namespace.cut_off(node.host, node.group_port):
        time.sleep(CUT_SECONDS)
    expect_back(world, "a node", world.galera.is_whole)


# --- Redis and its Sentinels

def replica_of(world):
    master = world.watched.master()
    return next(server for server in world.watched.servers if server is not master)


def hears_master(replica):
    """Tell whether something came lately: the chat writes every second, and the replica believes in a silent line for a minute."""
    with client_of(replica) as client:
        return client.info("replication").get("master_last_io_seconds_ago", -1) in (0, 1)


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


@cut_fault("Redis' master cut off 8 s")
def master_cut_off(world):
    """Nobody reaches it, and it is up all the same."""
    master = world.watched.master()
    with namespace.cut_off(master.host):
        time.sleep(CUT_SECONDS)
    expect_back(world, "a replica", world.watched.is_watched)
    world.wait_until_ready()


@cluster_fault("Redis' replica killed")
def replica_killed(world):
    replica = replica_of(world)
    replica.kill()
    rest(world)
    replica.start()
    expect_back(world, "a replica", world.watched.is_watched)


@cut_fault("Redis' replica cut off 8 s")
def replica_cut_off(world):
    """It hears neither the master nor the Sentinels, and must not take the master's place."""
    replica = replica_of(world)
    with namespace.cut_off(replica.host):
        time.sleep(CUT_SECONDS)
    expect_back(world, "a replica", lambda: world.watched.is_watched() and hears_master(replica))
    if replica_of(world) is not replica:
        breach(world, "what nobody reached became Redis' master")


@cluster_fault("one of three Sentinels killed")
def sentinel_killed(world):
    sentinel = in_turn(world, "Sentinel killed", world.watched.sentinels)
    sentinel.kill()
    rest(world)
    sentinel.start()
    expect_back(world, "a Sentinel", world.watched.is_watched)


@cut_fault("one of three Sentinels cut off 8 s")
def sentinel_cut_off(world):
    """It takes everything for dead, and must not change anything by itself."""
    master = world.watched.master()
    with namespace.cut_off(in_turn(world, "Sentinel cut off", world.watched.sentinels).host):
        time.sleep(CUT_SECONDS)
    expect_back(world, "a Sentinel", world.watched.is_watched)
    if world.watched.master() is not master:
        breach(world, "one Sentinel alone changed Redis' master")

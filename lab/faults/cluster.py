"""A part of the cluster is killed, frozen, or disconnected from the others, while two more of its kind keep running."""
import os
import signal
import time

from tests.clusters import client_of
from tests.private_server import HOST
from tests.waiting import wait_for

from .. import namespace
from ..cluster import NUMBERS, PROCESSES
from ..grouped_workers import group_of
from .registry import fault

CLUSTER = ("cluster",)
TIMES = 10
MAX_DOWN_SECONDS = 3        # until a killed service is started again
FROZEN_SECONDS = 8          # longer than the timeouts: Galera removes a node after 4 s, a Sentinel a Redis and HAProxy a process after 1 s
CUT_SECONDS = 8
HAPROXY_CUT_SECONDS = 5     # short, because TCP doubles the time between its retries: a longer cut would end up to 6 s later for some
RECOVERY_SECONDS = 60       # until the part that failed takes part again


def cluster_fault(name, **options):
    return fault(name, CLUSTER, times=TIMES, **options)


def cut_fault(name):
    """Register a fault that disconnects an address. It needs a machine on which packets can be dropped."""
    return cluster_fault(name, needs=lambda environment: namespace.loss_possible())


def next_of(environment, what, candidates):
    """Return the next candidate, round robin for each `what`."""
    return candidates[(environment.count(what) - 1) % len(candidates)]


def wait_a_moment(environment):
    time.sleep(environment.rng.random() * MAX_DOWN_SECONDS)


def kill_and_start(environment, service):
    service.kill()
    wait_a_moment(environment)
    service.start()


def freeze(service):
    service.pause()
    time.sleep(FROZEN_SECONDS)
    service.resume()


def cut_off(host, port=None, seconds=CUT_SECONDS):
    """Drop every packet from and to an address for that time."""
    with namespace.cut_off(host, port):
        time.sleep(seconds)


def expect_recovery(environment, what, is_recovered):
    """Wait until the cluster is whole again. If that takes too long, it is a violation."""
    if not wait_for(is_recovered, RECOVERY_SECONDS):
        environment.note_violation("faults", f"{what} did not come back in {RECOVERY_SECONDS} s")


# --- the processes, and HAProxy in front of them

@cluster_fault("one of three processes killed")
def process_killed(environment):
    environment.write_at_each_tab()
    os.kill(environment.server.process_id(next_of(environment, "process killed", NUMBERS)), signal.SIGKILL)
    expect_recovery(environment, "a process", lambda: len(environment.server.processes()) == PROCESSES)


@cluster_fault("one of three processes frozen 8 s")
def process_frozen(environment):
    pid = environment.server.process_id(next_of(environment, "process frozen", NUMBERS))
    os.kill(pid, signal.SIGSTOP)
    time.sleep(FROZEN_SECONDS)
    os.kill(pid, signal.SIGCONT)


@cut_fault("one of three processes cut off from HAProxy 8 s")
def process_cut_off(environment):
    """It still reaches its database and Redis. Its people move to the other processes."""
    cut_off(HOST, environment.server.ports[next_of(environment, "process cut off", NUMBERS)])


@cluster_fault("one of three processes cut off from database and Redis 8 s", needs=lambda environment: namespace.group_cut_possible())
def process_alone(environment):
    """HAProxy considers it healthy, so its people stay with it."""
    services = [*environment.galera.nodes, *environment.redis_cluster.servers, *environment.redis_cluster.sentinels]
    with namespace.group_cut_off(group_of(next_of(environment, "process alone", NUMBERS)), [service.port for service in services]):
        time.sleep(CUT_SECONDS)


@cluster_fault("rolling restart")
def rolling_restart(environment):
    environment.server.restart_in_turn()


@cluster_fault("HAProxy killed")
def haproxy_killed(environment):
    dead = environment.server.haproxy()
    for pid in dead:
        os.kill(pid, signal.SIGKILL)
    expect_recovery(environment, "HAProxy", lambda: environment.server.haproxy() not in ([], dead))
    environment.wait_until_ready()


@cut_fault("HAProxy cut off 5 s")
def haproxy_cut_off(environment):
    """Nobody reaches it, while its health checks of all processes succeed."""
    cut_off(HOST, int(environment.server.settings["PORT"]), HAPROXY_CUT_SECONDS)


# --- the database

@cluster_fault("one of three database nodes killed")
def node_killed(environment):
    kill_and_start(environment, next_of(environment, "node killed", environment.galera.nodes))
    expect_recovery(environment, "a node", environment.galera.is_whole)


@cluster_fault("one of three database nodes frozen 8 s")
def node_frozen(environment):
    freeze(next_of(environment, "node frozen", environment.galera.nodes))
    expect_recovery(environment, "a node", environment.galera.is_whole)


@cut_fault("one of three database nodes cut off 8 s")
def node_cut_off(environment):
    """It answers the chat, but does not hear the other nodes."""
    node = next_of(environment, "node cut off", environment.galera.nodes)
    cut_off(node.host, node.group_port)
    expect_recovery(environment, "a node", environment.galera.is_whole)


# --- Redis and its Sentinels

def replica_of(environment):
    master = environment.redis_cluster.master()
    return next(server for server in environment.redis_cluster.servers if server is not master)


def hears_master(replica):
    """Tell whether the replica has just received something. The chat writes every second; the replica's own timeout is a minute."""
    with client_of(replica) as client:
        return client.info("replication").get("master_last_io_seconds_ago", -1) in (0, 1)


@cluster_fault("Redis' master killed")
def master_killed(environment):
    master = environment.redis_cluster.master()
    master.kill()
    expect_recovery(environment, "a master", lambda: environment.redis_cluster.master() is not master)
    wait_a_moment(environment)
    master.start()
    environment.wait_until_ready()
    expect_recovery(environment, "a replica", environment.redis_cluster.is_watched)


@cluster_fault("Redis' master frozen 8 s")
def master_frozen(environment):
    freeze(environment.redis_cluster.master())
    expect_recovery(environment, "a replica", environment.redis_cluster.is_watched)
    environment.wait_until_ready()


@cut_fault("Redis' master cut off 8 s")
def master_cut_off(environment):
    """It keeps running, but nobody reaches it."""
    cut_off(environment.redis_cluster.master().host)
    expect_recovery(environment, "a replica", environment.redis_cluster.is_watched)
    environment.wait_until_ready()


@cluster_fault("Redis' replica killed")
def replica_killed(environment):
    kill_and_start(environment, replica_of(environment))
    expect_recovery(environment, "a replica", environment.redis_cluster.is_watched)


@cut_fault("Redis' replica cut off 8 s")
def replica_cut_off(environment):
    """It hears neither the master nor the Sentinels, and must not become the master."""
    replica = replica_of(environment)
    cut_off(replica.host)
    expect_recovery(environment, "a replica", lambda: environment.redis_cluster.is_watched() and hears_master(replica))
    if replica_of(environment) is not replica:
        environment.note_violation("faults", "the replica that nobody reached became Redis' master")


@cluster_fault("one of three Sentinels killed")
def sentinel_killed(environment):
    kill_and_start(environment, next_of(environment, "Sentinel killed", environment.redis_cluster.sentinels))
    expect_recovery(environment, "a Sentinel", environment.redis_cluster.is_watched)


@cut_fault("one of three Sentinels cut off 8 s")
def sentinel_cut_off(environment):
    """It considers every server dead, and must not change anything alone."""
    master = environment.redis_cluster.master()
    cut_off(next_of(environment, "Sentinel cut off", environment.redis_cluster.sentinels).host)
    expect_recovery(environment, "a Sentinel", environment.redis_cluster.is_watched)
    if environment.redis_cluster.master() is not master:
        environment.note_violation("faults", "one Sentinel alone changed Redis' master")

"""The server process dies or is asked to end."""
import time

from ..served import AFTER_COMMIT, BEFORE_ANSWER, BEFORE_COMMIT, LOSE_PUSH
from .registry import BESIDES, TAIL_SECONDS, fault

MIDST_SECONDS = 0.05        # the kill falls at most so long after an emit
LONGEST_FAREWELL = 10       # seconds
WAIT_SECONDS = 5
SEEN_SECONDS = 1.5          # for everybody to be told that somebody came


@fault("server killed mid-send")
def killed(world):
    for tab in world.tabs:
        tab.write(world.dice.choice(list(tab.peers)))
    time.sleep(world.dice.random() * MIDST_SECONDS)
    world.kill_server()
    restart(world)


def die_at(world, point):
    world.arm(point)
    world.anna.write(world.accounts["bert"].id)
    if not world.wait_for_end():
        raise RuntimeError(f"the fail point {point} was not reached")
    restart(world)


@fault("killed before COMMIT")
def killed_before_commit(world):
    die_at(world, BEFORE_COMMIT)


@fault("killed after COMMIT")
def killed_after_commit(world):
    die_at(world, AFTER_COMMIT)


@fault("killed before the answer")
def killed_before_answer(world):
    die_at(world, BEFORE_ANSWER)


@fault("killed while somebody leaves", times=BESIDES)
def killed_while_leaving(world):
    """Nobody is left who could tell that Eva has gone."""
    eva = world.sit_scripted("eva/" + str(world.count("eva")), [world.accounts["anna"]], lapses=())
    eva.connected.wait(WAIT_SECONDS)
    time.sleep(SEEN_SECONDS)
    world.kill_server()
    eva.close()
    restart(world)


@fault("server stopped politely")
def stopped(world):
    for tab in world.tabs:
        tab.write(world.dice.choice(list(tab.peers)))
    seconds = world.stop_server()
    if seconds > LONGEST_FAREWELL:
        world.record.note("breach", promise="P1", text=f"SIGTERM took {seconds:.1f} s")
    restart(world)


@fault("a push lost", times=BESIDES, catch_up=TAIL_SECONDS, is_quiet=True)
def push_lost(world):
    """The last message of a silence is stored and nobody is told: only the heartbeat shows it."""
    world.arm(LOSE_PUSH)
    world.anna.write(world.accounts["bert"].id)
    world.wait_for_calm()


def restart(world):
    world.start_server()
    world.wait_until_ready()

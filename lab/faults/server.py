"""The server process is killed or stopped."""
import time

from ..instrumented_server import AFTER_COMMIT, BEFORE_ANSWER, BEFORE_COMMIT, LOSE_PUSH
from .registry import TIMES_RARE, HEARTBEAT_CATCH_UP_SECONDS, fault

MAX_DELAY_SECONDS = 0.05    # the process is killed at most so long after a message was sent
MAX_SHUTDOWN_SECONDS = 10   # for SIGTERM
WAIT_SECONDS = 5
SEEN_SECONDS = 1.5          # for everybody to see that somebody came online


@fault("server killed mid-send")
def killed(environment):
    environment.write_at_each_tab()
    time.sleep(environment.rng.random() * MAX_DELAY_SECONDS)
    environment.kill_server()
    restart(environment)


def exit_at(environment, point):
    environment.arm(point)
    environment.anna.write(environment.accounts["bert"].id)
    if not environment.wait_until_ended():
        raise RuntimeError(f"the fail point {point} was not reached")
    restart(environment)


@fault("killed before COMMIT")
def killed_before_commit(environment):
    exit_at(environment, BEFORE_COMMIT)


@fault("killed after COMMIT")
def killed_after_commit(environment):
    exit_at(environment, AFTER_COMMIT)


@fault("killed before the answer")
def killed_before_answer(environment):
    exit_at(environment, BEFORE_ANSWER)


@fault("killed while somebody leaves", times=TIMES_RARE)
def killed_while_leaving(environment):
    """The process that would report that Eva went offline is gone."""
    eva = environment.open_scripted_tab("eva/" + str(environment.count("eva")), [environment.accounts["anna"]], omissions=())
    eva.connected.wait(WAIT_SECONDS)
    time.sleep(SEEN_SECONDS)
    environment.kill_server()
    eva.close()
    restart(environment)


@fault("server stopped by SIGTERM")
def stopped(environment):
    environment.write_at_each_tab()
    seconds = environment.stop_server()
    if seconds > MAX_SHUTDOWN_SECONDS:
        environment.note_violation("P1", f"SIGTERM took {seconds:.1f} s")
    restart(environment)


@fault("a push lost", times=TIMES_RARE, catch_up=HEARTBEAT_CATCH_UP_SECONDS, is_quiet=True)
def push_lost(environment):
    """A message is stored but not pushed to its receiver, and no later message follows: only the heartbeat can find it."""
    environment.arm(LOSE_PUSH)
    environment.anna.write(environment.accounts["bert"].id)
    environment.wait_until_sent()


def restart(environment):
    environment.start_server()
    environment.wait_until_ready()

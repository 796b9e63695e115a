"""The list of faults. Each is a function that causes a fault, ends it, and returns."""
import math
from dataclasses import dataclass
from typing import Callable

BOTH, SERVER = ("embedded", "server"), ("server",)
TIMES_COMMON, TIMES_SLOW, TIMES_RARE = 20, 3, 8     # times in a full run; slow faults take 30 s or more
CATCH_UP_SECONDS = 5                    # from the end of the fault until every tab shows what is stored
HEARTBEAT_CATCH_UP_SECONDS = 15 + 5     # if only the heartbeat can find what is missing


@dataclass(frozen=True)
class Fault:
    """One fault. `run(environment)` returns when the fault is over."""

    name: str
    run: Callable
    modes: tuple
    times: int
    catch_up: float
    needs: Callable
    is_quiet: bool        # nobody writes during the fault, and until every tab has caught up

    @property
    def is_quick(self):
        return self.times != TIMES_SLOW

    def times_in(self, mode):
        """How often it is injected in one mode: its modes share the number."""
        return math.ceil(self.times / len(self.modes))


FAULTS = []


def fault(name, modes=BOTH, times=TIMES_COMMON, catch_up=CATCH_UP_SECONDS, needs=lambda environment: True, is_quiet=False):
    """Function decorator: add a fault. `needs(environment)` tells whether this machine can inject it."""
    def register(run):
        FAULTS.append(Fault(name, run, modes, times, catch_up, needs, is_quiet))
        return run
    return register

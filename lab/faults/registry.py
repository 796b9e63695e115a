"""The list of faults: each is a function that breaks something, heals it, and returns."""
import math
from dataclasses import dataclass
from typing import Callable

BOTH, SERVER = ("embedded", "server"), ("server",)
OFTEN, SELDOM, BESIDES = 20, 3, 8       # times in a full run; SELDOM what lasts 30 s or more, BESIDES what is uncommon
CATCH_UP_SECONDS = 5            # from the fault's end until every tab shows what is stored
TAIL_SECONDS = 15 + 5           # where only the heartbeat can tell


@dataclass(frozen=True)
class Fault:
    """One row of the matrix. `run(world)` returns when it is healed; what it returns is noted."""

    name: str
    run: Callable
    modes: tuple
    times: int
    catch_up: float
    needs: Callable
    is_quiet: bool          # nobody writes meanwhile, and until everybody has caught up

    @property
    def is_quick(self):
        return self.times != SELDOM

    def times_in(self, mode):
        """How often it falls in one mode: both run at once, and each gets its share."""
        return math.ceil(self.times / len(self.modes))


FAULTS = []


def fault(name, modes=BOTH, times=OFTEN, catch_up=CATCH_UP_SECONDS, needs=lambda world: True, is_quiet=False):
    """Put a function into the matrix. `needs(world)` tells whether this machine can do it."""
    def register(run):
        FAULTS.append(Fault(name, run, modes, times, catch_up, needs, is_quiet))
        return run
    return register

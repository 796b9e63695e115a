"""The mutants, each tried with the fault that brings it to light."""
import random
import tempfile
import time
from pathlib import Path

from .checkers import PRESENCE_SECONDS, SEEING_SECONDS, check
from .evidence import gather
from .faults import FAULTS
from .mutants import MUTANTS
from .record import Record
from .run import break_and_heal, settle
from .world import World

TRIES = 3
SETTLE_SECONDS = 2          # a mutant may never come to rest


def try_mutant(mutant, seed=1):
    """Return {name, caught_by, seconds}: the promise that the evidence says is broken, or None."""
    fault = next(fault for fault in FAULTS if fault.name == mutant.fault)
    with tempfile.TemporaryDirectory() as directory:
        record, begun = Record(Path(directory) / "log.jsonl"), time.monotonic()
        with World(mutant.mode, random.Random(seed), record, directory, mutant.server, mutant.lapses, browsers=False) as world:
            found = {}
            for n in range(1, TRIES + 1):
                for tab in world.tabs:
                    tab.write(next(iter(tab.peers)))
                break_and_heal(world, fault, n, give_up=fault.catch_up + 1)
                if mutant.promise == "P6":
                    time.sleep(PRESENCE_SECONDS + SEEING_SECONDS)
                settle(world, SETTLE_SECONDS)
                found = check(gather(world, time.monotonic()))
                if mutant.promise in found:
                    break
        record.close()
    return {"name": mutant.name, "caught_by": mutant.promise if mutant.promise in found else None,
            "seconds": time.monotonic() - begun, "others": sorted(found)}


def try_mutants(tell, only=()):
    """Try each of them, or those of these names, and return what became of it."""
    outcomes = []
    for mutant in (mutant for mutant in MUTANTS if not only or mutant.name in only):
        outcomes.append(try_mutant(mutant))
        tell("{name}: {caught_by}, after {seconds:.1f} s".format(**outcomes[-1]))
    return outcomes

"""Runs each mutant with the fault that makes it visible."""
import random
import tempfile
import time
from pathlib import Path

from . import fake_clock
from .checkers import PRESENCE_SECONDS, SNAPSHOT_SECONDS, check
from .evidence import collect
from .fault_environment import FaultEnvironment
from .faults import FAULTS
from .mutants import MUTANTS
from .record import Record
from .run import inject_fault

TRIES = 3
SETTLE_SECONDS = 2          # short, because a mutant may never settle


def try_mutant(mutant, seed=1):
    """Return {name, caught_by, seconds}; `caught_by` is the violated invariant, or None."""
    fault = next(fault for fault in FAULTS if fault.name == mutant.fault)
    with tempfile.TemporaryDirectory() as directory:
        record, begun = Record(Path(directory) / "log.jsonl"), time.monotonic()
        with FaultEnvironment(mutant.mode, random.Random(seed), record, directory, mutant.server, mutant.omissions, browsers=False) as environment:
            found = {}
            for n in range(1, TRIES + 1):
                for tab in environment.tabs:
                    tab.write(next(iter(tab.peers)))
                inject_fault(environment, fault, n, give_up=fault.catch_up + 1)
                if mutant.invariant == "P6":
                    time.sleep(PRESENCE_SECONDS + SNAPSHOT_SECONDS)
                environment.settle(SETTLE_SECONDS)
                found = check(collect(environment, time.monotonic()))
                if mutant.invariant in found:
                    break
        record.close()
    return {"name": mutant.name, "caught_by": mutant.invariant if mutant.invariant in found else None,
            "seconds": time.monotonic() - begun, "others": sorted(found)}


def possible_here():
    """Return the mutants that this machine can make visible."""
    return [mutant for mutant in MUTANTS if not (mutant.needs_clock and fake_clock.missing())]


def try_mutants(log, only=()):
    """Run every mutant, or those of these names; return the outcomes."""
    outcomes = []
    for mutant in (mutant for mutant in possible_here() if not only or mutant.name in only):
        outcomes.append(try_mutant(mutant))
        log("{name}: {caught_by}, after {seconds:.1f} s".format(**outcomes[-1]))
    return outcomes

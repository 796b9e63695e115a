"""One run of one mode: the load goes on, one fault after the other breaks and heals, then everything is checked."""
import contextlib
import json
import random
import sys
import threading
import time
import traceback
from pathlib import Path

from tests.waiting import wait_for

from .checkers import check
from .evidence import gather
from .faults import FAULTS
from .record import Record
from .verdict import rows_of_table
from .world import PATIENCE_SECONDS, World

SPEED = {"embedded": 70, "server": 70, "cluster": 30}       # messages a second that the scripted tabs write together
TO_THE_FIRST = 0.8          # of them go to a tab's first peer: that conversation no browser has to draw
MOST_WAITING = 60           # in the outboxes, a second of writing; then the load holds on: on a slow machine sending it would be the catch-up
RESEND_EVERY = 40           # messages: one of so many is sent again, with another text
FULL_MESSAGES = {"embedded": 51_000, "server": 51_000}      # written in a full run, at least: who is done with the faults sooner begins anew
BETWEEN_SECONDS = 0.3       # from one fault to the next
END_SECONDS = 30            # for every message to end as sent or as not sent
RETURN_SECONDS = 40         # for what a process holds to return to where it was
SETTLED_SECONDS = 3
QUICK_PATIENCE = 4          # times the catch-up that is promised: a quick run shares its machine with other tests


def schedule(mode, dice, quick, world, only=()):
    """Return the faults of one run in a seeded order: each as often as the full matrix asks, or once."""
    faults = [f for f in FAULTS if mode in f.modes and (not only or f.name in only) and (f.is_quick or only or not quick)]
    possible = [f for f in faults if f.needs(world)]
    todo = [(f, n) for f in possible for n in range(1, (1 if quick else f.times_in(mode)) + 1)]
    dice.shuffle(todo)
    return todo


def rounds(*arguments):
    """Yield the faults of one schedule after the other, without end where there are any."""
    while todo := schedule(*arguments):
        yield from todo


OUTLIVED = ("connections reset", "a client that never reads")     # by the server process


class Load(threading.Thread):
    """Writes `world.speed` messages a second at the scripted tabs, and now and then sends one again."""

    def __init__(self, world, seed):
        super().__init__(daemon=True)
        self.world, self.dice, self.ended = world, random.Random(seed), threading.Event()

    def run(self):
        written = 0
        while not self.ended.wait(self.dice.expovariate(self.world.speed) if self.world.speed else 0.1):
            tab = self.dice.choice(self.world.tabs)
            if self.world.speed and tab.waiting() < MOST_WAITING / len(self.world.tabs):
                first, *others = tab.peers
                tab.write(first if self.dice.random() < TO_THE_FIRST else self.dice.choice(others))
                written += 1
                if written % RESEND_EVERY == 0:
                    tab.resend_some(self.dice)

    def end(self):
        self.ended.set()
        self.join()


def break_and_heal(world, fault, n, patience=1, give_up=PATIENCE_SECONDS):
    """Run one fault and note how long it took until everybody had caught up."""
    with world.silence() if fault.is_quiet else contextlib.nullcontext():
        return _break_and_heal(world, fault, n, patience, give_up)


def _break_and_heal(world, fault, n, patience, give_up):
    begun = time.monotonic()
    try:
        fault.run(world)
    except Exception:
        world.record.note("breach", promise="faults", text=f"{fault.name} #{n}: {traceback.format_exc(limit=-3)}")
        if not world.wait_until_ready():
            world.server.kill()
            world.start_server()
    healed = time.monotonic()
    catch_up, lacking = world.catch_up(healed, give_up)
    world.record.note("read_marks", marks={str(key): seq for key, seq in world.store.read_marks().items()})
    return world.record.note("fault", name=fault.name, n=n, begun=begun, healed=healed, catch_up=catch_up,
                             lacking=lacking[:5], limit=patience * fault.catch_up)


def settle(world, seconds=END_SECONDS):
    """Stop writing, and wait until every message has ended and every tab shows the same."""
    world.hush()
    wait_for(lambda: not world.unsettled(), seconds)
    return world.catch_up(time.monotonic(), seconds)


def measure_footprint(world, faults, patience):
    """Note what a fresh server process holds before and after some faults that it outlives."""
    world.kill_server()
    world.start_server()
    world.catch_up(time.monotonic())
    time.sleep(SETTLED_SECONDS)
    before = world.footprint()
    for fault in faults:
        break_and_heal(world, fault, 0, patience)
    settle(world)

    def returned():
        after = world.footprint()
        return after if after["files"] <= before["files"] and after["greenlets"] <= before["greenlets"] else None
    world.record.note("footprint", before=before, after=wait_for(returned, RETURN_SECONDS) or world.footprint())


def run(mode, seed, directory, quick=False, hours=0, only=(), tell=print):
    """Return the outcome of a run as a dict that JSON can carry."""
    dice, begun, patience = random.Random(seed), time.monotonic(), QUICK_PATIENCE if quick else 1
    record = Record(Path(directory) / "log.jsonl")
    with World(mode, dice, record, directory, browsers=not quick) as world:
        load = Load(world, dice.random())
        world.go(SPEED[mode])
        load.start()
        matrix = len(schedule(mode, random.Random(), quick, world, only))
        messages = 0 if quick or only else FULL_MESSAGES.get(mode, 0)
        for done, (fault, n) in enumerate(rounds(mode, dice, quick, world, only), 1):
            if done > matrix and time.monotonic() - begun >= hours * 3600 and len(record.of("written")) >= messages:
                break
            time.sleep(BETWEEN_SECONDS)
            event = break_and_heal(world, fault, n, patience)
            tell(f"{done}/{max(done, matrix)} {fault.name} #{n}: {event['healed'] - event['begun']:.1f} s, caught up in {event['catch_up']:.1f} s")
        if not only and mode != "cluster":
            measure_footprint(world, [f for f in FAULTS if f.name in OUTLIVED], patience)
        settle(world)
        load.end()
        evidence = gather(world, time.monotonic())
        possible = {fault.name for fault, _n in schedule(mode, dice, quick, world, only)}
    record.close()
    breaches = check(evidence)
    return {"mode": mode, "seed": seed, "seconds": time.monotonic() - begun, "rows": rows_of_table(evidence, breaches),
            "breaches": {promise: found[:20] for promise, found in breaches.items()},
            "not_injected": [f.name for f in FAULTS if mode in f.modes and f.name not in possible and (f.is_quick or not quick)],
            "footprints": evidence.footprints, "log": str(Path(directory) / "log.jsonl")}


def main():
    """`python -m lab.run '{"mode": …}'`: the last line printed is the outcome as JSON."""
    outcome = run(**json.loads(sys.argv[1]), tell=lambda line: print(line, flush=True))
    print(json.dumps(outcome, default=str), flush=True)


if __name__ == "__main__":
    main()

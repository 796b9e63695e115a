"""One run of one mode: under a constant load, one fault after the other is injected. At the end the invariants are checked."""
import contextlib
import random
import tempfile
import threading
import time
import traceback
from pathlib import Path

from tests.waiting import wait_for

from .checkers import check
from .environment import PATIENCE_SECONDS
from .evidence import collect
from .fault_environment import FaultEnvironment
from .faults import FAULTS
from .record import Record
from .summary import rows_of_table
from .thread_failures import ThreadFailures

SPEED = 30                  # messages and changes per second of all scripted tabs together: as many as two Chromium on two processors can show
QUICK_SPEED = 25            # of a quick run, which leaves the machine to others
ROOM_SHARE = 0.2            # of the messages go to rooms
MENTION_SHARE = 0.2         # of these mention somebody
CHANGE_SHARE = 0.25         # of what is done is a change of a message
REPLY_SHARE = 0.1           # of the messages answer another one
FILE_SHARE = 0.02           # of the messages have files
MENTIONS = ("@anna", "@bert", "@carla and @dirk", "@all")
FIRST_PEER_SHARE = 0.8      # of the others go to a tab's first peer, whose conversation no browser has to draw
MAX_PENDING = 60            # messages in all outboxes; above it the load waits, so that a slow machine does not measure its own backlog
RESEND_EVERY = 40           # every 40th message is sent again with another text, and a change as another one
FULL_MESSAGES = {"embedded": 51_000, "server": 51_000}      # a full run writes at least so many, and repeats the faults until then
PAUSE_SECONDS = 0.3         # between two faults
RETURN_SECONDS = 40         # for the resource usage to return to its old value
SETTLED_SECONDS = 3
QUICK_PATIENCE = 4          # factor for the catch-up time: a quick run shares its machine with other tests


def schedule(mode, rng, quick, environment, only=()):
    """Return the faults of one run in a seeded order, each as often as the full matrix asks for, or once."""
    faults = [f for f in FAULTS if mode in f.modes and (not only or f.name in only) and (f.is_quick or only or not quick)]
    possible = [f for f in faults if f.needs(environment)]
    todo = [(f, n) for f in possible for n in range(1, (1 if quick else f.times_in(mode)) + 1)]
    rng.shuffle(todo)
    return todo


def rounds(*arguments):
    """Yield the faults of one schedule after the other, for ever if there are any."""
    while todo := schedule(*arguments):
        yield from todo


SURVIVED_FAULTS = ("connections reset", "a client that never reads")     # faults after which the same server process goes on


class Load(threading.Thread):
    """Writes and changes `environment.speed` messages per second at the scripted tabs. Sometimes it sends one again."""

    def __init__(self, environment, seed):
        super().__init__(daemon=True)
        self.environment, self.rng, self.ended = environment, random.Random(seed), threading.Event()

    def run(self):
        written = 0
        while not self.ended.wait(self.rng.expovariate(self.environment.speed) if self.environment.speed else 0.1):
            tab = self.rng.choice(self.environment.tabs)
            if self.environment.speed and tab.pending_count() < MAX_PENDING / len(self.environment.tabs):
                self._write(tab)
                written += 1
                if written % RESEND_EVERY == 0:
                    tab.resend_random(self.rng)
                    tab.resend_change(self.rng)

    def _write(self, tab):
        """Write a message at a tab, or change one."""
        key, mention = self._conversation(tab), ""
        if self.rng.random() < CHANGE_SHARE:
            if tab.change_random(self.rng, key):
                return
        if tab.conversations[key].is_room and self.rng.random() < MENTION_SHARE:
            mention = f" {self.rng.choice(MENTIONS)}"
        reply_to = None
        if self.rng.random() < REPLY_SHARE:
            reply_to = self.rng.choice(tab.changeable(key) or [None])
        uploads = tab.random_uploads(self.rng) if self.rng.random() < FILE_SHARE else ()
        tab.write(key, tab.next_text() + mention, reply_to, uploads)

    def _conversation(self, tab):
        """Return the key of the conversation in which something is done next."""
        rooms = tab.rooms.keys()
        if rooms and self.rng.random() < ROOM_SHARE:
            return self.rng.choice(rooms)
        first, *others = tab.peers
        return first if self.rng.random() < FIRST_PEER_SHARE else self.rng.choice(others)

    def end(self):
        self.ended.set()
        self.join()


def inject_fault(environment, fault, n, patience=1, give_up=PATIENCE_SECONDS):
    """Inject one fault, and note how long every tab then took to catch up."""
    with environment.quiet_period() if fault.is_quiet else contextlib.nullcontext():
        return _inject_fault(environment, fault, n, patience, give_up)


def _inject_fault(environment, fault, n, patience, give_up):
    begun = time.monotonic()
    try:
        fault.run(environment)
    except Exception:
        environment.note_violation("faults", f"{fault.name} #{n}: {traceback.format_exc(limit=-3)}")
        if not environment.wait_until_ready():
            environment.server.kill()
            environment.start_server()
    recovered = time.monotonic()
    catch_up, lagging = environment.catch_up(recovered, give_up)
    environment.record.note("read_marks", marks={str(key): seq for key, seq in environment.store.read_marks().items()})
    return environment.record.note("fault", name=fault.name, n=n, begun=begun, recovered=recovered, catch_up=catch_up,
                             lagging=lagging[:5], limit=patience * fault.catch_up)


def measure_footprint(environment, faults, patience):
    """Note the resource usage of a fresh server process before and after some faults that it survives."""
    environment.kill_server()
    environment.start_server()
    environment.catch_up(time.monotonic())
    time.sleep(SETTLED_SECONDS)
    before = environment.footprint()
    for fault in faults:
        inject_fault(environment, fault, 0, patience)
    environment.settle()

    def returned():
        after = environment.footprint()
        return after if after["files"] <= before["files"] and after["greenlets"] <= before["greenlets"] else None
    environment.record.note("footprint", before=before, after=wait_for(returned, RETURN_SECONDS) or environment.footprint())


def log_line(mode, line):
    print(f"[{mode}] {line}", flush=True)


def run(mode, seed, directory, quick=False, hours=0, only=(), log=print):
    """Return the outcome of a run as a dict. Its log goes into a new folder in `directory`."""
    directory = tempfile.mkdtemp(prefix=f"{mode}-", dir=directory)
    rng, begun, patience = random.Random(seed), time.monotonic(), QUICK_PATIENCE if quick else 1
    record = Record(Path(directory) / "log.jsonl")
    with (ThreadFailures() as thread_failures,
          FaultEnvironment(mode, rng, record, directory, browsers=not quick) as environment):
        load = Load(environment, rng.random())
        environment.start_writing(QUICK_SPEED if quick else SPEED)
        load.start()
        environment.membership.start()
        matrix = len(schedule(mode, random.Random(), quick, environment, only))
        messages = 0 if quick or only else FULL_MESSAGES.get(mode, 0)
        for done, (fault, n) in enumerate(rounds(mode, rng, quick, environment, only), 1):
            if done > matrix and time.monotonic() - begun >= hours * 3600 and len(record.of("written")) >= messages:
                break
            time.sleep(PAUSE_SECONDS)
            event = inject_fault(environment, fault, n, patience)
            thread_failures.raise_any()
            log(f"{done}/{max(done, matrix)} {fault.name} #{n}: {event['recovered'] - event['begun']:.1f} s,"
                f" caught up in {event['catch_up']:.1f} s")
        if not only and mode != "cluster":
            measure_footprint(environment, [f for f in FAULTS if f.name in SURVIVED_FAULTS], patience)
        environment.membership.end()
        environment.settle()
        load.end()
        thread_failures.raise_any()
        evidence = collect(environment, time.monotonic())
        possible = {fault.name for fault, _n in schedule(mode, rng, quick, environment, only)}
    record.close()
    violations = check(evidence)
    return {"mode": mode, "seed": seed, "seconds": time.monotonic() - begun, "rows": rows_of_table(evidence),
            "violations": {invariant: found[:20] for invariant, found in violations.items()},
            "not_injected": [f.name for f in FAULTS if mode in f.modes and f.name not in possible and (f.is_quick or not quick)],
            "footprints": evidence.footprints, "log": str(Path(directory) / "log.jsonl")}

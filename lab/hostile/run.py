"""One hostile run of one mode: ordinary load, a warm-up, all attacks at once, a rest, and the comparison with the thresholds."""
import os
import time
from pathlib import Path

from tests.waiting import wait_for

from ..checkers import check
from ..evidence import collect
from ..record import Record
from ..summary import rows_of_table
from .attackers import Attackers, rows_of_attacks
from .thresholds import evaluate, has_returned
from .ordinary_users import failed
from .environment import HostileEnvironment

PHASES = {"full": {"load": 20, "warm_up": 30, "attack": 600, "rest": 60}, "quick": {"load": 3, "warm_up": 4, "attack": 13, "rest": 0}}    # seconds
QUICK_PATIENCE_SECONDS = 60     # for each attack to be sent and answered once, on a busy machine
RETURN_SECONDS = 60             # longest wait for the resource usage to return
QUICK_PATIENCE = 150            # factor for the time thresholds: in CI the machine is shared, so times decide nothing
MAX_FAILED_PAGES = 4            # in the report


def target_of(environment):
    return {"url": environment.url, "cafile": environment.cafile, "sources": environment.addresses.attackers,
            "accounts": environment.attackers(), "victim": "anna"}


def measure_before_attacks(environment, attackers, phase, log):
    """Return the resource usage under ordinary load, after a warm-up with each attack: first use allocates memory for good."""
    environment.begin_load()
    time.sleep(phase["load"])
    calm = environment.resource_usage()
    attackers.attack_for(phase["warm_up"], environment.sids(), seed="warm-up")
    wait_for(lambda: has_returned(calm, environment.sample(), ("entries",)), RETURN_SECONDS)
    time.sleep(phase["rest"] / 2)
    before = environment.resource_usage()
    log(f"before the attacks: {shown(before)}")
    return before


def run(options, directory, log=print):
    """Return the outcome of a run as a dict."""
    phase, started = PHASES["quick" if options["quick"] else "full"], time.monotonic()
    phase = {**phase, "attack": options["seconds"] or phase["attack"]}
    record = Record(Path(directory) / "log.jsonl")
    with HostileEnvironment(options, record, directory) as environment:
        attackers = Attackers(target_of(environment), options)
        before = measure_before_attacks(environment, attackers, phase, log)
        used = environment.processor_seconds()
        begun, ended, results = attackers.attack_for(phase["attack"], environment.sids(), seed="all at once",
                                                  patience=QUICK_PATIENCE_SECONDS * options["quick"])
        log(f"attacked for {ended - begun:.0f} s: {sum(row['sent'] for row in results.values()):,} times")
        used = environment.processor_seconds() - used
        time.sleep(phase["rest"])
        if options["quick"]:
            wait_for(lambda: has_returned(before, environment.sample(), quick=True), RETURN_SECONDS)
        after = environment.resource_usage()
        log(f"after the attacks: {shown(after)}")
        environment.end_load()
        environment.settle()
        evidence = collect(environment, time.monotonic())
        violations = {name: found for name, found in check(evidence).items() if name != "P10"}
        totals = rows_of_table(evidence)[-1]
        thresholds = evaluate(environment, (begun, ended), (before, after), totals, violations, QUICK_PATIENCE if options["quick"] else 1)
        rows = rows_of_attacks(results, environment.server.seen)
        pages = [sample for loader in environment.page_loaders for sample in loader.samples if begun <= sample.at <= ended]
        traceback = any("Traceback" in line for line in environment.server.seen)
        (Path(directory) / "server.log").write_text("".join(environment.server.seen), encoding="utf-8")
    record.close()
    return {"mode": options["mode"], "options": options, "seconds": time.monotonic() - started, "attacked": ended - begun, "processor": used,
            "load_average": os.getloadavg()[1], "rows": rows,
            "thresholds": [vars(threshold) for threshold in thresholds], "violations": violations, "messages": totals["tried"], "pages": len(pages),
            "failed_pages": [(sample.page, sample.status, round(sample.seconds, 2)) for sample in failed(pages)][:MAX_FAILED_PAGES],
            "traceback": traceback, "log": str(Path(directory)), "missed": missed(rows, thresholds, traceback)}


def missed(rows, thresholds, traceback):
    """Return, as texts, everything that is not as expected."""
    return ([f"{row['attack']}: {', '.join(row['wrong'])}" for row in rows if row["wrong"]]
            + [f"{threshold.name}: {threshold.measured}, at most {threshold.limit}" for threshold in thresholds if not threshold.is_met]
            + ["a traceback in the server's log"] * traceback)


def shown(usage):
    return (f"{usage['memory'] / 1024:.0f} MB, {usage['descriptors']:.0f} descriptors, {usage['threads']:.0f} threads,"
            f" {usage['entries']:.0f} transport entries")

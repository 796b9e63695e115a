"""One hostile run of one mode: ordinary load, a warm-up, all attacks at once, a rest, and the verdict."""
import os
import time
from pathlib import Path

from tests.waiting import wait_for

from ..checkers import check
from ..evidence import gather
from ..record import Record
from ..verdict import rows_of_table
from .attackers import Attackers, rows_of_attacks
from .bars import judge, within
from .bystander import failed
from .environment import Environment

PHASES = {"full": {"load": 20, "warm_up": 30, "attack": 600, "rest": 60}, "quick": {"load": 3, "warm_up": 4, "attack": 13, "rest": 0}}    # seconds
QUICK_PATIENCE_SECONDS = 60 # for each attack to be sent and answered once, on a machine that does something else
RETURN_SECONDS = 60         # longest time for what the process holds to return
SETTLE_SECONDS = 30
QUICK_PATIENCE = 50         # times the bars of time: in CI the machine is shared, and decides nothing
SAMPLES = 4                 # failed pages that the report names


def settle(environment):
    """Wait until every message has ended and every tab shows what is stored."""
    return wait_for(lambda: not environment.unsettled() and not environment.behind(), SETTLE_SECONDS)


def target_of(environment):
    return {"url": environment.url, "cafile": environment.cafile, "sources": environment.addresses.attackers,
            "accounts": environment.attackers(), "victim": "anna"}


def before_attacks(environment, attackers, phase, tell):
    """Return what the process holds with ordinary load on, after each attack has been tried a little: a first use loads what stays."""
    environment.begin_load()
    time.sleep(phase["load"])
    calm = environment.held()
    attackers.attack_for(phase["warm_up"], environment.sids(), seed="warm-up")
    wait_for(lambda: within(calm, environment.look(), ("entries",)), RETURN_SECONDS)
    time.sleep(phase["rest"] / 2)
    before = environment.held()
    tell(f"before the attacks: {shown(before)}")
    return before


def run(options, directory, tell=print):
    """Return the outcome of a run as a dict."""
    phase, started = PHASES["quick" if options["quick"] else "full"], time.monotonic()
    phase = {**phase, "attack": options["seconds"] or phase["attack"]}
    record = Record(Path(directory) / "log.jsonl")
    with Environment(options, record, directory) as environment:
        attackers = Attackers(target_of(environment), options)
        before = before_attacks(environment, attackers, phase, tell)
        used = environment.processor_seconds()
        begun, ended, told = attackers.attack_for(phase["attack"], environment.sids(), seed="all at once",
                                                  patience=QUICK_PATIENCE_SECONDS * options["quick"])
        tell(f"attacked for {ended - begun:.0f} s: {sum(row['sent'] for row in told.values()):,} times")
        used = environment.processor_seconds() - used
        time.sleep(phase["rest"])
        if options["quick"]:
            wait_for(lambda: within(before, environment.look(), quick=True), RETURN_SECONDS)
        after = environment.held()
        tell(f"after the attacks: {shown(after)}")
        environment.end_load()
        settle(environment)
        evidence = gather(environment, time.monotonic())
        violations = {name: found for name, found in check(evidence).items() if name != "P10"}
        totals = rows_of_table(evidence, violations)[-1]
        bars = judge(environment, (begun, ended), (before, after), totals, violations, QUICK_PATIENCE if options["quick"] else 1)
        rows = rows_of_attacks(told, environment.server.seen)
        pages = [look for browser in environment.browsers for look in browser.looks if begun <= look[0] <= ended]
        traceback = any("Traceback" in line for line in environment.server.seen)
        (Path(directory) / "server.log").write_text("".join(environment.server.seen), encoding="utf-8")
    record.close()
    return {"mode": options["mode"], "options": options, "seconds": time.monotonic() - started, "attacked": ended - begun, "processor": used, "load_average": os.getloadavg()[1], "rows": rows,
            "bars": [vars(bar) for bar in bars], "violations": violations, "messages": totals["tried"], "pages": len(pages),
            "failed_pages": [(look[1], look[3], round(look[2], 2)) for look in failed(pages)][:SAMPLES], "traceback": traceback,
            "log": str(Path(directory)), "missed": missed(rows, bars, traceback)}


def missed(rows, bars, traceback):
    """Return in words what is not as it should be."""
    return ([f"{row['attack']}: {', '.join(row['wrong'])}" for row in rows if row["wrong"]]
            + [f"{bar.name}: {bar.measured}, at most {bar.limit}" for bar in bars if not bar.is_kept]
            + ["a traceback in the server's log"] * traceback)


def shown(held):
    return f"{held['memory'] / 1024:.0f} MB, {held['descriptors']:.0f} descriptors, {held['threads']:.0f} threads, {held['entries']:.0f} transport entries"



"""`python3 manage.py prove`: both modes, a table each, and docs/delivery-report.md."""
import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading

from tools import command_line

from . import cluster, fake_clock, namespace, report
from .hostile import command as hostile
from .trial import try_mutants

LONGEST_QUICK, LONGEST_FULL = 3, 60     # minutes


def parse(arguments):
    parser = argparse.ArgumentParser(prog=command_line("prove"), description="Break the chat in every way and check what it promises.",
                                     epilog="--hostile and --soak attack it instead, and have options of their own: prove --hostile --help")
    parser.add_argument("--quick", action="store_true", help=f"each short fault once, at scripted tabs, with more patience: under {LONGEST_QUICK} minutes; no report is written")
    parser.add_argument("--hours", type=float, default=0, help="go on for so long; without it the full matrix runs once, and begins anew until enough was written")
    parser.add_argument("--seed", type=int, help="repeat the run of that seed")
    parser.add_argument("--mode", choices=["embedded", "server"], action="append", help="this mode alone")
    parser.add_argument("--only", action="append", default=[], metavar="FAULT", help="this fault alone, as the table names it; with --mutants this mutant")
    parser.add_argument("--cluster", action="store_true", help="three processes behind HAProxy on three database nodes and Redis with Sentinels, each part of which fails")
    parser.add_argument("--mutants", action="store_true", help="only show that each mutant is caught")
    return parser.parse_args(arguments)


def start(mode, options, directory):
    """Start one mode in a process of its own; its lines are shown as they come, the last one is the outcome."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "lab.run", json.dumps({"mode": mode, "directory": directory, **options})],
        stdout=subprocess.PIPE, text=True, encoding="utf-8")
    lines = []

    def read():
        for line in process.stdout:
            lines.append(line)
            if not line.startswith("{"):
                print(f"[{mode}] {line}", end="", flush=True)
    reader = threading.Thread(target=read)
    reader.start()

    def outcome():
        reader.join()
        process.wait()
        if not lines or not lines[-1].startswith("{"):
            raise SystemExit(f"The {mode} run ended without an outcome.")
        return json.loads(lines[-1])
    return outcome


def main(arguments=None):
    if hostile.is_meant(sys.argv[1:] if arguments is None else arguments):
        return hostile.main(sys.argv[1:] if arguments is None else arguments)
    asked = parse(arguments)
    namespace.enter([sys.executable, "-m", "lab", *(sys.argv[1:] if arguments is None else arguments)])
    if asked.mutants:
        return 0 if all(found["caught_by"] for found in try_mutants(print, asked.only)) else 1
    seed = asked.seed if asked.seed is not None else random.randrange(10 ** 6)
    modes = ["cluster"] if asked.cluster else asked.mode or ["embedded", "server"]
    if asked.cluster and cluster.why_not():
        raise SystemExit(f"There is no cluster here: {cluster.why_not()}.")
    command = command_line("prove") + " --cluster" * asked.cluster + " --quick" * asked.quick + f" --hours {asked.hours:g}" * bool(asked.hours)
    print(f"{command} --seed {seed}", flush=True)
    options = {"seed": seed, "quick": asked.quick, "hours": asked.hours, "only": asked.only}
    kept = tempfile.mkdtemp(prefix="chat-prove-")

    def begin(mode):
        return start(mode, options, tempfile.mkdtemp(prefix=f"{mode}-", dir=kept))
    if asked.quick:     # both at once, and with more patience; in a full run each has the machine to itself
        outcomes = [outcome() for outcome in [begin(mode) for mode in modes]]
    else:
        outcomes = [begin(mode)() for mode in modes]
    for outcome in outcomes:
        print(f"\n{report.NAMES[outcome['mode']]}\n{report.as_text(outcome)}")
        for promise, texts in outcome["breaches"].items():
            print(f"NOT KEPT {promise}:", *texts[:10], sep="\n  ")
        print("Not injected here: " + (", ".join(outcome["not_injected"]) or "nothing"))
    if not asked.quick and not asked.only:
        path = report.CLUSTER_REPORT if asked.cluster else report.REPORT
        mutants = () if asked.cluster else try_mutants(print)
        report.write(outcomes, command + f" --seed {seed}", [] if asked.cluster else namespace.missing() + fake_clock.missing(), mutants, path)
        print(f"\nWritten: {path}")
    if any(outcome["breaches"] for outcome in outcomes):
        print(f"\nTo repeat it: {command} --seed {seed}" + "".join(f" --only {name!r}" for name in asked.only)
              + f"\nThe logs: {' '.join(outcome['log'] for outcome in outcomes)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

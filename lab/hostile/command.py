"""`manage.py prove --hostile` and `prove --soak`: the options, one run after the other, the tables, the exit code."""
import argparse
import functools
import random
import sys
import tempfile
from pathlib import Path

from config import ASYNC_MODES
from tools import command_line

from .. import namespace
from ..attacks import ATTACKS
from . import report
from .run import run
from .soak import soak

SOAK_MINUTES = 60


def is_meant(arguments):
    return "--hostile" in arguments or any(argument.partition("=")[0] == "--soak" for argument in arguments)


def parse(arguments):
    parser = argparse.ArgumentParser(prog=command_line("prove"), description="Attack the chat while people use it, and measure what they notice.")
    parser.add_argument("--hostile", action="store_true", help="all attacks at once for ten minutes")
    parser.add_argument("--quick", action="store_true", help="a quarter of a minute instead, with much more patience; no report is written")
    parser.add_argument("--seed", type=int, help="repeat the run of that seed")
    parser.add_argument("--mode", choices=["embedded", "server"], action="append", help="this mode alone")
    parser.add_argument("--async-mode", choices=ASYNC_MODES, default="eventlet", help="the server's ASYNC_MODE")
    parser.add_argument("--front", choices=["nginx", "haproxy"], help="through deploy/'s configuration of it, in server mode")
    parser.add_argument("--ipv6", action="store_true", help="on ::1, from a /64 for each person")
    parser.add_argument("--only", action="append", default=[], metavar="ATTACK", help="this attack alone, as the table names it")
    parser.add_argument("--seconds", type=int, default=0, help="attack for so long")
    parser.add_argument("--mutant", default="", help="take a guard out of the server, to see that the run fails: a name in lab/mutants.py")
    parser.add_argument("--soak", type=int, nargs="?", const=SOAK_MINUTES, metavar="MINUTES",
                        help=f"instead: half of the load malformed for so long ({SOAK_MINUTES}), with a plot of what the process holds")
    parser.add_argument("--folder", metavar="FOLDER", default=report.DOCS / "performance", help="where the table and the plot of --soak go")
    parser.add_argument("--report", metavar="FILE", help="write the report there")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.only) - {kind.name for kind in ATTACKS}:
        parser.error(f"no attack is called {', '.join(unknown)}; there are: {'; '.join(kind.name for kind in ATTACKS)}")
    if asked.front:
        asked.mode = ["server"]
    return asked


def _tell(mode, line):
    print(f"[{mode}] {line}", flush=True)


def main(arguments):
    asked = parse(arguments)
    namespace.enter([sys.executable, "-W", "ignore", "-m", "lab", *arguments])
    seed = asked.seed if asked.seed is not None else random.randrange(10 ** 6)
    without_seed = [word for n, word in enumerate(arguments) if word != "--seed" and arguments[n - 1:n] != ["--seed"]]
    command = f"{command_line('prove')} {' '.join(without_seed)} --seed {seed}"
    print(command, flush=True)
    kept, outcomes = tempfile.mkdtemp(prefix="chat-hostile-"), []
    for mode in asked.mode or ["embedded", "server"]:
        options = {"mode": mode, "seed": seed, "quick": asked.quick, "only": asked.only, "async_mode": asked.async_mode, "front": asked.front,
                   "ipv6": asked.ipv6, "mutant": asked.mutant, "seconds": asked.seconds}
        tell = functools.partial(_tell, mode)
        directory = tempfile.mkdtemp(prefix=f"{mode}-", dir=kept)
        if asked.soak:
            outcomes.append(soak(options, asked.soak, directory, Path(asked.folder), tell))
            continue
        outcome = run(options, directory, tell)
        outcomes.append(outcome)
        print(f"\n{report.as_text(outcome)}\n", flush=True)
        for name, texts in outcome["violations"].items():
            print(f"NOT KEPT {name}:", *texts[:5], sep="\n  ")
        if asked.report or not (asked.quick or asked.only or asked.mutant):
            path = Path(asked.report) if asked.report else report.REPORT
            report.write(outcomes, command, path)
            print(f"Written: {path}", flush=True)
    for outcome in outcomes:
        for words in outcome["missed"]:
            print(f"MISSED [{outcome['mode']}] {words}")
        if outcome["missed"] and "failed_pages" in outcome:
            print(f"[{outcome['mode']}] pages that failed: {outcome['failed_pages']}; the log: {outcome['log']}")
    return 1 if any(outcome["missed"] for outcome in outcomes) else 0

"""`manage.py prove --hostile` and `prove --soak`: the options, the runs, the tables, and the exit code."""
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
from ..run import log_line
from . import report
from .run import run
from .soak import soak

SOAK_MINUTES = 60


def is_requested(arguments):
    return "--hostile" in arguments or any(argument.partition("=")[0] == "--soak" for argument in arguments)


def parse(arguments):
    parser = argparse.ArgumentParser(prog=command_line("prove"), description="Attack the chat while ordinary people use it, and measure what they notice.")
    parser.add_argument("--hostile", action="store_true", help="all attacks at once for ten minutes")
    parser.add_argument("--quick", action="store_true", help="15 seconds instead, with much longer time limits; writes no report")
    parser.add_argument("--seed", type=int, help="repeat the run with that seed")
    parser.add_argument("--mode", choices=["embedded", "server"], action="append", help="only this mode")
    parser.add_argument("--async-mode", choices=ASYNC_MODES, default="eventlet", help="the server's ASYNC_MODE")
    parser.add_argument("--front", choices=["nginx", "haproxy"], help="through deploy/'s configuration of it, in server mode")
    parser.add_argument("--ipv6", action="store_true", help="on ::1; each person connects from a /64 of their own")
    parser.add_argument("--only", action="append", default=[], metavar="ATTACK", help="only this attack, by its name in the table")
    parser.add_argument("--seconds", type=int, default=0, help="attack for so long")
    parser.add_argument("--mutant", default="",
                        help="remove a guard from the server, to see that the run fails: a name in lab/mutants.py")
    parser.add_argument("--soak", type=int, nargs="?", const=SOAK_MINUTES, metavar="MINUTES",
                        help=f"instead: half of the load malformed for so long ({SOAK_MINUTES}), with a plot of the resource usage")
    parser.add_argument("--folder", metavar="FOLDER", default=report.DOCS / "performance", help="folder for the table and the plot of --soak")
    parser.add_argument("--report", metavar="FILE", help="file for the report")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.only) - {kind.name for kind in ATTACKS}:
        parser.error(f"no attack is called {', '.join(unknown)}; there are: {'; '.join(kind.name for kind in ATTACKS)}")
    if asked.front and asked.ipv6:
        parser.error("a front listens on 127.0.0.1: leave out --front, or --ipv6")
    if asked.front:
        asked.mode = ["server"]
    return asked


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
        log = functools.partial(log_line, mode)
        directory = tempfile.mkdtemp(prefix=f"{mode}-", dir=kept)
        if asked.soak:
            outcomes.append(soak(options, asked.soak, directory, Path(asked.folder), log))
            continue
        outcome = run(options, directory, log)
        outcomes.append(outcome)
        print(f"\n{report.as_text(outcome)}\n", flush=True)
        for name, texts in outcome["violations"].items():
            print(f"VIOLATED {name}:", *texts[:5], sep="\n  ")
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

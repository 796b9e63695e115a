"""`python3 manage.py fuzz`: sends the chat malformed input, and reports what harmed it, with a file that repeats it."""
import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from tools import command_line

from .run import ROUND, Run

DEFAULT_MINUTES = 5
MODES = ("eventlet", "gevent", "threading")
REPLAYS = 3                 # how often a finding is played again


def parse(arguments):
    parser = argparse.ArgumentParser(prog=command_line("fuzz"), description="Send the chat what no client would, and watch who takes harm.")
    parser.add_argument("--hours", type=float, default=DEFAULT_MINUTES / 60, help=f"go on for so long; {DEFAULT_MINUTES} minutes where it is not given")
    parser.add_argument("--seed", type=int, help="repeat the run of that seed")
    parser.add_argument("--mode", choices=MODES, default=MODES[0], help="how the server runs")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="play what was found once more")
    return parser.parse_args(arguments)


def explore(run, number, hours):
    """Play rounds of dialogues, each with its own seed, until the time is over."""
    until = time.monotonic() + hours * 3600
    while time.monotonic() < until:
        run.explore(ROUND, number, until)
        print(f"seed {number}: {run.played} dialogues, {run.requests} requests and frames, {len(run.found)} findings", flush=True)
        number += 1


def replay(run, file):
    """Play the dialogues of a finding. If they do harm again, that is a finding."""
    for _n in range(REPLAYS):
        for dialogue in json.loads(file.read_text(encoding="utf-8"))["dialogues"]:
            run.step(dialogue)
        run.check_bystanders()


def main(arguments=None):
    asked = parse(arguments)
    number = asked.seed if asked.seed is not None else random.randrange(10 ** 6)
    what = ("--replay", str(asked.replay)) if asked.replay else ("--hours", f"{asked.hours:.3g}", "--seed", str(number))
    print(command_line("fuzz", "--mode", asked.mode, *what), flush=True)
    directory = None if asked.replay else tempfile.mkdtemp(prefix="chat-fuzz-")
    with Run(asked.mode, directory) as run:
        if asked.replay:
            replay(run, asked.replay)
        else:
            explore(run, number, asked.hours)
        found = run.finish()
    print(f"{run.played} dialogues, {len(found)} findings" + (f" in {directory}" if found and directory else ""))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

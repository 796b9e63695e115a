"""The programs that `manage.py prove` and `bench` become, run as they are and without their set-up."""
import shutil
import subprocess
import sys

from lab.mutation_test import possible_here
from tools import ROOT

MOST_SECONDS = 1500     # for one run, on a machine that is slow and does something else
# One mutant for each invariant; `prove --mutants` and the full run try all. Without those of presence, which take long, and those of the
# clock: another test may move the machine's fake clock meanwhile.
SHORT = list({mutant.invariant: mutant for mutant in reversed(possible_here()) if mutant.invariant != "P6" and not mutant.needs_clock}.values())
GENTLY = ["nice", "-n", "5"] if shutil.which("nice") else []      # a benchmark takes all that it gets; tests beside it go first


def printed_by(module, *arguments):
    """Return what a run printed. Raises AssertionError with its end where it failed."""
    done = subprocess.run([*GENTLY, sys.executable, "-W", "ignore", "-m", module, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", timeout=MOST_SECONDS)
    assert done.returncode == 0, done.stdout[-6_000:]
    return done.stdout

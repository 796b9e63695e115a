"""The fault laboratory itself: a quick run keeps every promise, and each mutant is caught by the checker meant for it."""
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab.mutants import MUTANTS
from tools import ROOT

pytestmark = pytest.mark.slow

QUICK_SECONDS = 180
MOST_SECONDS = 2 * QUICK_SECONDS        # on a machine that does other work as well
# The lease of a process that was killed takes as long to end as all others together: the full run tries that one too.
SHORT = [mutant for mutant in MUTANTS if mutant.promise != "P6"]
LANES = 3           # mutants tried at once: most of their time they wait for a heartbeat or a pause to end


def prove(*arguments):
    """Run `manage.py prove` with these arguments, without its set-up; what it printed is shown where it fails."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "lab", *arguments], cwd=ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=MOST_SECONDS)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    return done.stdout


@pytest.fixture(scope="module")
def trials():
    """What `prove --mutants` says of each, by its name: tried in a few lanes at once, beside the quick run."""
    with ThreadPoolExecutor(LANES) as lanes:
        yield {mutant.name: lanes.submit(prove, "--mutants", "--only", mutant.name) for mutant in SHORT}


@pytest.mark.timeout(MOST_SECONDS)
def test_it_works(trials):
    assert "connections reset" in prove("--quick", "--seed", "1")


@pytest.mark.parametrize("mutant", SHORT, ids=[mutant.name for mutant in SHORT])
def test_each_mutant_is_caught(mutant, trials):
    assert f"{mutant.name}: {mutant.promise}," in trials[mutant.name].result()

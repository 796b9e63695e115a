"""The fault laboratory itself: a quick run keeps every promise, and each mutant is caught by the checker meant for it."""
import subprocess
import sys

import pytest

from lab.mutants import MUTANTS
from lab.trial import try_mutant
from tools import ROOT

pytestmark = pytest.mark.slow

QUICK_SECONDS = 180


def test_it_works():
    """`manage.py prove --quick`, as the README has it; what it prints is shown where it fails."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "lab", "--quick", "--seed", "1"], cwd=ROOT,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2 * QUICK_SECONDS)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert "connections reset" in done.stdout


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_each_mutant_is_caught(mutant):
    assert try_mutant(mutant)["caught_by"] == mutant.promise

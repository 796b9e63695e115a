"""`prove --hostile`: a quick run."""
import subprocess
import sys

import pytest

from tests.server import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

GUARDS = {      # a guard -> the attack that it stops, and what a run without it reports
    "no_packet_budget": ("a person who is logged in sends typing and unknown events without end", "goes on"),
    "endless_guessing": ("wrong passwords against one person", "never: 429"),
}


def missed(said):
    return [line.partition("] ")[2] for line in said.splitlines() if line.startswith("MISSED")]


def hostile(*arguments):
    """Return the exit code of a quick run in the embedded mode, and what it printed."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "lab", "--hostile", "--quick", "--seed", "1", "--mode", "embedded", *arguments],
                          cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8")
    return done.returncode, done.stdout + done.stderr


def test_nobody_notices_the_attackers():
    _code, said = hostile()
    assert "times sent" in said and missed(said) == [], said


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_that_is_missing_is_noticed(guard):
    attack, words = GUARDS[guard]
    code, said = hostile("--only", attack, "--mutant", guard)
    assert code == 1 and any(words in line for line in missed(said)), said

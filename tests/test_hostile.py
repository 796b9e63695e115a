"""`prove --hostile`: a quick run, in which times decide nothing, and guards taken out, each of which turns its row red."""
import subprocess
import sys

import pytest

from tests.server import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

GUARDS = {      # a guard -> the attack that it is against, and what is said then
    "no_packet_budget": ("a person who is logged in sends typing and unknown events without end", "goes on"),
    "sid_is_a_key": ("other people's transport ids", "200"),
    "endless_guessing": ("wrong passwords against one person", "never: 429"),
    "entries_stay": ("packets that end a transport, with CONNECT behind them", "transport entries"),
}


def missed(said):
    return [line.partition("] ")[2] for line in said.splitlines() if line.startswith("MISSED")]


def hostile(*arguments):
    """Return the exit code of a quick run in the embedded mode, and what it printed."""
    mode = [] if "--soak" in arguments else ["--hostile", "--quick"]
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "lab", *mode, "--seed", "1", *arguments],
                          cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8")
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("mode", ["embedded", "server"])
def test_nobody_notices_the_attackers(mode):
    _code, said = hostile("--mode", mode)
    assert "times sent" in said and missed(said) == [], said


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_that_is_missing_is_noticed(guard):
    attack, words = GUARDS[guard]
    code, said = hostile("--mode", "embedded", "--only", attack, "--mutant", guard)
    assert code == 1 and any(words in line for line in missed(said)), said


def test_a_soak_writes_a_table_and_a_plot(tmp_path):
    """One minute tells whether it works, and not whether something grows."""
    _code, said = hostile("--soak", "1", "--mode", "embedded", "--folder", str(tmp_path))
    assert missed(said) == [], said
    head, row = (tmp_path / "soak-embedded.csv").read_text().splitlines()
    told = dict(zip(head.split(","), map(float, row.split(","))))
    assert told["memory_mb"] > 20 and told["ordinary"] > 100 and told["malformed"] > 100
    assert "transport entries" in (tmp_path / "soak-embedded.svg").read_text()

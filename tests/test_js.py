"""The rules of the browser's side, outbox and log, run in Node; how they look in a browser is tests/browser."""

import os
import subprocess

import pytest

from tools import ROOT, node

FEW_SCHEDULES = "1000"      # with --fast; the script's own number is for the whole run
MOST_SECONDS = 900          # 100,000 schedules are a minute and a half of one core


@pytest.mark.timeout(MOST_SECONDS)
def test_it_works(pytestconfig):
    few = {"SCHEDULES": FEW_SCHEDULES} if pytestconfig.getoption("--fast") else {}
    tests = sorted(str(path) for path in (ROOT / "tests" / "js").glob("*.test.js"))
    assert tests
    result = subprocess.run([*node.node_command(), "--test", *tests], cwd=ROOT, env={**few, **os.environ},
                            capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr

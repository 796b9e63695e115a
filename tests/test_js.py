"""The rules of the browser's side, outbox and log, run in Node; how they look in a browser is tests/browser."""

import os
import subprocess

import pytest

from tools import ROOT, node

SCHEDULES = {"fast": "500", "whole": "100000"}     # the whole takes a minute and a half of one core
MOST_SECONDS = 900          # on a machine that does other work as well


@pytest.mark.timeout(MOST_SECONDS)
def test_it_works(pytestconfig):
    schedules = SCHEDULES["fast" if pytestconfig.getoption("--fast") else "whole"]
    tests = sorted(str(path) for path in (ROOT / "tests" / "js").glob("*.test.js"))
    assert tests
    result = subprocess.run([*node.node_command(), "--test", *tests], cwd=ROOT, env={"SCHEDULES": schedules, **os.environ},
                            capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr

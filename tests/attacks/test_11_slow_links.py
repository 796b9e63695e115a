"""Messages in which it takes long to find the addresses: 190 ms of every reader's tab for one of 4,000 characters."""
import json
import subprocess
from pathlib import Path

import pytest

from tools import ROOT, node

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parent / "slow_links.mjs"
TIMEOUT = 60            # seconds
MAX_MS_PER_KB = 1
KB = 64                 # of text in each measurement, TEXTS messages
TEXTS = 16
MAX_GROWTH = 8          # of the work for the same text in one piece instead of sixteen; 16 where it is quadratic


@pytest.fixture(scope="module")
def times():
    """Return {kind of text: [ms of the processor for sixteen texts of 4,000 characters, ms for one of 64,000]}."""
    result = subprocess.run([*node.node_command(), str(SCRIPT)], cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_no_text_takes_long(times, record):
    assert len(times) > 10
    record(None, "slowest search for links", max(ms for ms, _in_one in times.values()) / TEXTS, "ms a message")
    assert {kind: ms for kind, (ms, _in_one) in times.items() if ms > KB * MAX_MS_PER_KB} == {}


def test_the_work_grows_with_the_text_alone(times):
    assert {kind: in_one / in_sixteen for kind, (in_sixteen, in_one) in times.items() if in_one > MAX_GROWTH * in_sixteen} == {}

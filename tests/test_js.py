"""The rules of the browser's side, outbox and log, run in Node; how they look in a browser is tests/browser."""

import subprocess

from tools import ROOT, node


def test_it_works():
    tests = sorted(str(path) for path in (ROOT / "tests" / "js").glob("*.test.js"))
    assert tests
    result = subprocess.run([*node.node_command(), "--test", *tests], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr

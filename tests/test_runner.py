"""The run of all tests: what fails beside others runs once more, alone."""
import subprocess
import sys
from pathlib import Path

import pytest

from tests.__main__ import MAX_REPEATED

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent

FAILS_ONCE = """
from pathlib import Path
def test_once():
    seen = Path(__file__).with_suffix(".seen")
    was_seen = seen.exists()
    seen.touch()
    assert was_seen
"""
FAILS_AT_THE_END_ONCE = """
import pytest
from pathlib import Path
@pytest.fixture
def closing():
    yield
    seen = Path(__file__).with_suffix(".seen")
    was_seen = seen.exists()
    seen.touch()
    assert was_seen
def test_once(closing): pass
"""
FAILS = "def test_it(): assert 0"
DO_NOT_IMPORT = "import nothing_of_this_name"
PASSES = "def test_it(): pass"


@pytest.fixture
def run(tmp_path):
    """Run files of tests, each given by its source, as `manage.py test` does."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n", encoding="utf-8")

    def run(sources, *arguments):
        for number, source in enumerate(sources):
            (tmp_path / f"test_{number}.py").write_text(source, encoding="utf-8")
        return subprocess.run([sys.executable, ROOT / "tests" / "__main__.py", *arguments], cwd=tmp_path, capture_output=True,
                              encoding="utf-8", timeout=120)
    return run


@pytest.mark.parametrize("source", [FAILS_ONCE, FAILS_AT_THE_END_ONCE])
def test_what_fails_once_passes_and_is_named(run, source):
    ran = run([source, PASSES])
    assert ran.returncode == 0, ran.stdout
    assert "assert was_seen" in ran.stdout, "the traceback of the first time"
    assert "passed alone" in ran.stdout and ran.stdout.splitlines()[-1].strip() == "test_0.py::test_once"


@pytest.mark.parametrize("sources, code", [([FAILS, FAILS_ONCE], 1), ([DO_NOT_IMPORT, PASSES], 1), ([PASSES], 0)])
def test_what_fails_twice_fails(run, sources, code):
    ran = run(sources)
    assert (ran.returncode != 0) == (code != 0) and "passed alone" not in ran.stdout


def test_many_failures_are_not_repeated(run):
    ran = run([FAILS_ONCE] * (MAX_REPEATED + 1))
    assert ran.returncode == 1 and "Once more" not in ran.stdout


def test_a_run_of_some_tests_repeats_nothing(run):
    ran = run([FAILS_ONCE, PASSES], "-k", "once")
    assert ran.returncode == 1 and "Once more" not in ran.stdout

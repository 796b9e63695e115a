"""The units in which the tests are given to pytest's processes: what shares a server stays together, what takes long starts first."""
import pytest

from tests.scheduling import LABORATORY, LONG, start_rank, unit_of
from tools import ROOT


@pytest.mark.parametrize("test, unit", [
    ("tests/test_forms.py::test_clicks_are_forgotten", "tests/test_forms.py"),
    ("tests/test_forms.py::test_it_works[embedded]", "tests/test_forms.py embedded"),
    ("tests/test_forms.py::test_a_planted_cookie[server-a.b]", "tests/test_forms.py server"),
    ("tests/test_pages.py::test_it[/login-threading-3]", "tests/test_pages.py threading"),
    ("tests/test_pages.py::test_it[no server here]", "tests/test_pages.py"),
    (f"{LABORATORY[0]}::test_it_works", "the laboratory"), (f"{LABORATORY[1]}::test_it[embedded]", "the laboratory")])
def test_it_works(test, unit):
    assert unit_of(test) == unit


def test_what_takes_long_starts_first():
    units = ["tests/test_forms.py server", f"{LONG[1]} embedded", "tests/test_auth.py", LONG[0], "the laboratory"]
    assert sorted(units, key=start_rank) == ["the laboratory", LONG[0], f"{LONG[1]} embedded", "tests/test_forms.py server",
                                             "tests/test_auth.py"]


@pytest.mark.parametrize("file", LABORATORY + LONG)
def test_the_files_that_are_named_exist(file):
    assert (ROOT / file).exists()

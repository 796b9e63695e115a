"""The units in which the tests are given to pytest's processes: what shares a server stays together, what takes long starts first."""
import pytest

from tests.scheduling import LONG, SEPARATE, start_rank, unit_of
from tools import ROOT


@pytest.mark.parametrize("test, unit", [
    ("tests/test_forms.py::test_clicks_are_forgotten", "tests/test_forms.py"),
    ("tests/test_forms.py::test_it_works[embedded]", "tests/test_forms.py embedded"),
    ("tests/test_forms.py::test_a_planted_cookie[server-a.b]", "tests/test_forms.py server"),
    ("tests/test_pages.py::test_it[/login-threading-3]", "tests/test_pages.py threading"),
    ("tests/test_pages.py::test_it[no server here]", "tests/test_pages.py"),
    (f"{SEPARATE[0]}::test_it_works", f"{SEPARATE[0]}::test_it_works")])
def test_it_works(test, unit):
    assert unit_of(test) == unit


def test_what_takes_long_starts_first():
    units = ["tests/test_forms.py server", LONG[1], "tests/test_auth.py", LONG[0], f"{SEPARATE[1]}::b", f"{SEPARATE[0]}::a"]
    assert sorted(units, key=start_rank) == [f"{SEPARATE[0]}::a", f"{SEPARATE[1]}::b", LONG[0], LONG[1], "tests/test_forms.py server",
                                             "tests/test_auth.py"]


@pytest.mark.parametrize("file", SEPARATE + LONG)
def test_the_files_that_are_named_exist(file):
    assert (ROOT / file).exists()

"""The fault laboratory itself: a quick run keeps every promise, and each mutant is caught by its checker. See laboratory.py."""
import pytest

from tests.laboratory import MOST_SECONDS, SHORT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(MOST_SECONDS)]


def test_it_works(laboratory):
    assert "connections reset" in laboratory.result("quick")


@pytest.mark.parametrize("mutant", SHORT, ids=[mutant.name for mutant in SHORT])
def test_each_mutant_is_caught(mutant, laboratory):
    assert f"{mutant.name}: {mutant.promise}," in laboratory.result(mutant.name)

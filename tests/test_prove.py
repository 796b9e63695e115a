"""The fault-injection suite itself: a quick run violates no invariant, and each mutant is caught by its checker."""
import pytest

from tests.laboratory import MOST_SECONDS, SHORT, printed_by

pytestmark = [pytest.mark.slow, pytest.mark.timeout(MOST_SECONDS)]


def test_it_works():
    assert "connections reset" in printed_by("lab", "--quick", "--seed", "1")


@pytest.mark.parametrize("mutant", SHORT, ids=[mutant.name for mutant in SHORT])
def test_each_mutant_is_caught(mutant):
    assert f"{mutant.name}: {mutant.invariant}," in printed_by("lab", "--mutants", "--only", mutant.name)

"""Guessing at somebody's password without end: the browsers that this person has logged in from before are not locked out."""
import pytest

from tests.people import Person
from tests.test_guessing import strict_server    # noqa: F401 (a fixture)

GUESSES = 8     # more than an account has in a minute


@pytest.fixture
def people(strict_server):      # noqa: F811
    """Return `people(name)`: a browser of its own at one server, whose person has that name, or one of their own."""
    server, opened = strict_server(), []

    def person(name=None):
        opened.append(Person(server.url, name))
        return opened[-1]
    yield person
    for one in opened:
        one.leave()


def guess(attacker):
    answers = [attacker.log_in("a wrong password").status_code for _n in range(GUESSES)]
    assert answers[-1] == 429, "the account is closed to who was never in it"


def test_the_owners_browser_has_tries_of_its_own(people):
    owner = people()
    owner.register()
    owner.log_out()
    guess(people(owner.username))
    assert owner.log_in("mistyped, once").status_code == 401
    assert owner.log_in().status_code == 302
    owner.log_out()
    guess_again = people(owner.username).log_in()
    assert guess_again.status_code == 429, "a browser that was never in is still refused"


def test_the_owners_browser_may_not_guess_without_end(people):
    owner = people()
    owner.register()
    owner.log_out()
    guess(owner)


def test_a_browser_that_others_use_too_knows_each_of_them(people):
    shared, names = people(), [people().username for _n in range(2)]
    for name in names:
        shared.username = name
        shared.register()
        shared.log_out()
    for name in names:
        guess(people(name))
        shared.username = name
        assert shared.log_in().status_code == 302
        shared.log_out()


def test_having_an_account_opens_no_tries_at_anothers(people):
    owner, attacker = people(), people()
    owner.register()
    attacker.register()
    attacker.log_out()
    attacker.username = owner.username
    guess(attacker)


@pytest.mark.parametrize("cookie", ["", "x", "WyJ4IixbMV1d.forged", "." * 4000])
def test_a_forged_cookie_is_no_device(people, cookie):
    owner = people()
    owner.register()
    attacker = people(owner.username)
    [name] = [name for name in owner.http.cookies.keys() if name.startswith("device")]
    attacker.http.cookies.set(name, cookie)
    guess(attacker)

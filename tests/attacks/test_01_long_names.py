"""Names and passwords of runs of accents: Unicode's normalisation is quadratic in them, 14 seconds for 160 KB."""
import pytest

from chat.accounts import passwords, usernames
from tests.people import Person

ACCENTS = "\u0315\u0300" * 40_000
MAX_CPU = 1             # second; 14 before the length was looked at first


@pytest.mark.parametrize("path", ["/login", "/register"])
@pytest.mark.parametrize("field", ["username", "password"])
def test_a_long_run_of_accents_stops_nobody(embedded, bystander, path, field):
    stranger = Person(embedded.url)
    fields = {"username": "somebody", "password": "not their password", "csrf_token": stranger.token(path), field: ACCENTS}
    body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()     # not in %, which is three times as long
    with bystander(embedded) as watching:
        answer = stranger.post(path, body, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code in (400, 401)
    assert watching.cpu < MAX_CPU


@pytest.mark.parametrize("work", [usernames.canonical, usernames.search_key])
def test_a_name_that_is_too_long_is_nobodys(work):
    assert work(ACCENTS) == ""
    assert work("e\u0301" * usernames.MAX_LENGTH) != ""


def test_a_password_that_is_too_long_opens_nothing():
    assert not passwords.verify("x" * (passwords.MAX_LENGTH + 1), passwords.hash_password("", 4), 4)
    assert passwords.verify("", passwords.hash_password("", 4), 4)

"""Registrations at once, again and again: each costs a hash, and tells whether a name is taken."""
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from chat.budgets import ADDRESS_REGISTRATIONS, REGISTRATIONS
from chat.errors import Unavailable
from chat.storage.limits import network_of
from chat.live.runtime import BoundedQueue
from tests.people import Person

AT_ONCE = 30
HASH_ROUNDS = "10"


def test_a_login_does_not_wait_behind_registrations(start_server, arrive, record):
    server = start_server(RATELIMIT_ENABLED="1", BCRYPT_ROUNDS=HASH_ROUNDS)
    alice = arrive(server)
    alice.log_out()
    strangers = [Person(server.url) for _n in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [pool.submit(stranger.register) for stranger in strangers]
        next(iter(answers)).result()        # the others wait
        started = time.monotonic()
        assert alice.log_in().status_code == 302
        record(server, "login", time.monotonic() - started, "s")
        done = sum(answer.done() for answer in answers)
        assert [answer.result().status_code for answer in answers] == [302] * AT_ONCE
    record(server, "registrations before the login", done, f"of {AT_ONCE}")
    assert done <= AT_ONCE // 3, "the others were still waiting when the login was through"


def test_names_are_not_asked_for_without_end(embedded):
    stranger = Person(embedded.url, "x")       # too short for a name: refused at once, and counted
    token = stranger.token("/register")
    answers = [stranger.post("/register", {"username": "x", "password": "y", "csrf_token": token})
               for _n in range(ADDRESS_REGISTRATIONS.limit + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {400}
    assert answers[-1].status_code == 429 and 1 <= int(answers[-1].headers["Retry-After"]) <= 600
    assert "Too many" in answers[-1].text
    assert ADDRESS_REGISTRATIONS.limit < REGISTRATIONS.limit


def test_few_wait():
    queue = BoundedQueue(1)
    with queue, pytest.raises(Unavailable):
        with queue:
            pass
    with queue:
        pass


@pytest.mark.parametrize("address, place", [
    ("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("::ffff:192.0.2.1", "192.0.2.1"), ("", "")])
def test_an_ipv6_network_is_one_place(address, place):
    assert network_of(address) == place

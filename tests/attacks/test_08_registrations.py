"""Registrations at once, again and again: each costs a hash, and tells whether a name is taken."""
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest

import config
from chat import create_app
from chat.budgets import ADDRESS_REGISTRATIONS, LOGINS_WAITING, REGISTRATIONS
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
        wait(answers, return_when=FIRST_COMPLETED)      # the others wait, in no order
        started = time.monotonic()
        assert alice.log_in().status_code == 302
        record(server, "login", time.monotonic() - started, "s")
        done = sum(answer.done() for answer in answers)
        assert [answer.result().status_code for answer in answers] == [302] * AT_ONCE
    for stranger in strangers:
        stranger.leave()
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


def test_who_guesses_from_many_addresses_keeps_no_known_browser_out(tmp_path):
    app = create_app(config.load({"INSTANCE_PATH": str(tmp_path), "ASYNC_MODE": "threading", "BCRYPT_ROUNDS": "4"}))
    app.config["WTF_CSRF_ENABLED"] = False
    form, known, unknown = {"username": "alice", "password": "correct horse 9"}, app.test_client(), app.test_client()
    assert known.post("/register", data=form).status_code == 302
    known.post("/logout")
    app.runtime.logins.waiting = LOGINS_WAITING.limit
    refused = unknown.post("/login", data=form)
    assert refused.status_code == 503 and str(Unavailable().message) in refused.text
    assert known.post("/login", data=form).status_code == 302
    app.chat.database.engine.close()


def test_as_many_have_their_turn_as_there_are_slots():
    queue = BoundedQueue(3, slots=2)
    with queue, queue:
        assert queue.waiting == 2 and not queue.semaphore.acquire(blocking=False)
    assert not queue.waiting


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

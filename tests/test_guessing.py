"""Passwords and guessing at them: what opens an account, who learns what, and how often one may try."""
import html
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from chat.accounts import passwords
from chat.budgets import LOGINS
from chat.errors import Invalid
from tests.people import ANSWER_SECONDS, PASSWORD, Person


@pytest.fixture
def visitor(chat):
    person = Person(chat.url)
    yield person
    person.leave()


@pytest.fixture(params=["embedded", "server"])
def strict_server(request, start_server):
    """Start a server that limits, in either mode; what earlier tests counted is forgotten."""
    def start(**settings):
        if request.param == "server":
            redis_server = request.getfixturevalue("redis_server")
            with redis_server.connect(db=1) as client:
                client.flushdb()
            settings = {**request.getfixturevalue("server_mode_settings"), **settings,
                        "REDIS_URL": redis_server.url.removesuffix("0") + "1"}
        return start_server(RATELIMIT_ENABLED="1", **settings)
    return start


def test_it_works(chat, visitor):
    assert visitor.register().status_code == 302
    visitor.log_out()
    assert visitor.log_in("not the password").status_code == 401
    assert visitor.log_in().status_code == 302


# --- passwords ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("password", ["8 chars!", "x" * 63 + "y", "with  spaces inside ", "pässwörter 密码 🔑", "é" * 64,
                                      "q" * 100, "nothing\0is special"])
def test_a_password_of_any_characters_opens_its_account(chat, visitor, password):
    assert visitor.register(password).status_code == 302
    visitor.log_out()
    assert visitor.log_in(password[:-1]).status_code == 401
    assert visitor.log_in(password).status_code == 302


def test_two_passwords_that_differ_at_byte_90_open_different_accounts(chat, visitor):
    common = "a long sentence " * 5
    assert visitor.register(common + "123456789A tail").status_code == 302
    visitor.log_out()
    assert visitor.log_in(common + "123456789B tail").status_code == 401


def test_the_same_password_typed_on_another_system_opens(chat, visitor):
    assert visitor.register("caf\u00e9 au lait").status_code == 302
    visitor.log_out()
    assert visitor.log_in("cafe\u0301 au lait").status_code == 302


@pytest.mark.parametrize("password, status", [("x" * 73, 401), ("x" * 10_000, 401), ("é" * 20_000, 401), ("", 401)])
def test_a_long_password_is_wrong_and_no_failure(chat, visitor, alice, password, status):
    visitor.username = alice.username
    assert visitor.log_in(password).status_code == status


def test_a_form_that_is_too_large_is_refused(chat, visitor):
    token = visitor.token("/login")
    assert visitor.post("/login", {"username": "x", "password": "x" * 300_000, "csrf_token": token}).status_code == 413


# --- who exists, and guessing ---------------------------------------------------------------------------------

def refused_page(person, username, password="not the password"):
    """Return status and page of a refused login, without what differs in any two pages."""
    person.username = username
    answer = person.log_in(password)
    page = re.sub(r'(name="csrf_token"[^>]*value=|name="csrf-token" content=)"[^"]+"', "", answer.text)
    return answer.status_code, page.replace(html.escape(username), "NAME")


def test_nobody_learns_who_exists_by_logging_in(chat, visitor, alice):
    known = refused_page(visitor, alice.username)
    assert known[0] == 401
    assert known == refused_page(visitor, "nobody of this name") == refused_page(visitor, "another name")


@pytest.mark.slow
def test_nobody_learns_who_exists_by_waiting(start_server, arrive):
    server = start_server(BCRYPT_ROUNDS="10")
    alice, guessing = arrive(server), Person(server.url)
    token = guessing.token("/login")
    taken = {alice.username: [], "nobody of this name": []}
    for attempt in range(1, 101):
        for username, seconds in taken.items():
            started = time.perf_counter()
            guessing.post("/login", {"username": username, "password": "not the password", "csrf_token": token})
            seconds.append(time.perf_counter() - started)
        known, unknown = (min(seconds) for seconds in taken.values())      # what else the machine does only adds
        if attempt > 20 and 0.7 < known / unknown < 1.4:        # a busy machine needs more of them until each had it to itself once
            break
    guessing.leave()
    assert known > 0.02, "the hash was computed"
    assert 0.7 < known / unknown < 1.4


def test_five_failures_a_minute_for_an_account(strict_server, arrive):
    server = strict_server()
    alice, guessing = arrive(server), Person(server.url)
    tab = alice.tab()
    guessing.username = alice.username
    answers = [guessing.log_in(f"guess number {n}") for n in range(5)]
    assert [answer.status_code for answer in answers] == [401] * 5
    for password in ("one more guess", PASSWORD):
        guessing.username = alice.username.upper()
        answer = guessing.log_in(password)
        assert answer.status_code == 429 and 1 <= int(answer.headers["Retry-After"]) <= 60
        assert "Too many attempts" in answer.text and f'value="{guessing.username}"' in answer.text
    assert alice.get("/").status_code == 200 and tab.call("nothing")["error"]["code"] == "unknown_event"
    other = arrive(server)
    other.log_out()
    assert other.log_in().status_code == 302, "only the account that was guessed at waits"
    guessing.leave()


def test_a_right_password_is_no_failure(strict_server, arrive):
    alice = arrive(strict_server())
    for _n in range(7):
        alice.log_out()
        assert alice.log_in().status_code == 302


def test_right_passwords_are_counted_too(strict_server, arrive):
    """Each takes a hash and leaves a session; nobody else is kept out by them."""
    server = strict_server()
    alice, bob = arrive(server), arrive(server)
    answers = []
    for _n in range(LOGINS.limit + 1):
        alice.log_out()
        answers.append(alice.log_in())
    assert {answer.status_code for answer in answers[:-1]} == {302}
    assert answers[-1].status_code == 429 and 1 <= int(answers[-1].headers["Retry-After"]) <= LOGINS.window
    bob.log_out()
    assert bob.log_in().status_code == 302


def test_twenty_failures_a_minute_for_an_address_whatever_it_claims_to_be(strict_server):
    guessing = Person(strict_server().url)
    statuses = []
    for n in range(22):
        guessing.username = f"name number {n}"
        guessing.http.headers.update({"X-Forwarded-For": f"198.51.100.{n}", "X-Real-IP": f"198.51.100.{n}",
                                      "Forwarded": f"for=198.51.100.{n}"})
        statuses.append(guessing.log_in("a guess, any guess").status_code)
    guessing.leave()
    assert statuses == [401] * 20 + [429] * 2


def test_tries_at_the_same_time_count_too(strict_server, arrive):
    server = strict_server(BCRYPT_ROUNDS="8")
    alice, guessing = arrive(server), Person(server.url)
    form = {"username": alice.username, "csrf_token": guessing.token("/login")}
    headers = {"Cookie": guessing.cookie()}

    def guess(number):
        return requests.post(server.url + "/login", {**form, "password": f"guess number {number}"}, headers=headers,
                             timeout=ANSWER_SECONDS).status_code
    with ThreadPoolExecutor(15) as pool:
        statuses = sorted(pool.map(guess, range(15)))
    guessing.leave()
    assert statuses == [401] * 5 + [429] * 10


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_others_are_answered_while_passwords_are_hashed(start_server, arrive, mode):
    server = start_server(BCRYPT_ROUNDS="13", ASYNC_MODE=mode)
    guessing = Person(server.url, "nobody of this name")
    form = {"username": guessing.username, "password": PASSWORD, "csrf_token": guessing.token("/login")}
    hashing = threading.Thread(target=guessing.post, args=("/login", form))
    hashing.start()
    answers = 0
    while hashing.is_alive():
        requests.get(server.url + "/healthz", timeout=ANSWER_SECONDS)
        answers += 1
    guessing.leave()
    assert answers > 10, "each hash takes half a second and more, in which nobody else would have an answer"


@pytest.mark.parametrize("password", ["jennifer", "chocolate", "september", "87654321", "0987654321", "123123123", "00000000",
                                      "aaaaaaaa", "testtest", "password1", "Password1", "qwertyuiop", "1q2w3e4r", "        "])
def test_what_everybody_tries_first_is_refused(password):
    with pytest.raises(Invalid):
        passwords.validate(password)


@pytest.mark.parametrize("password", ["correct horse", "my dog eats", "xk29fjq1", "l'été dernier", "sieben Zwerge", "p" + "a" * 60])
def test_what_nobody_tries_first_is_accepted(password):
    passwords.validate(password)

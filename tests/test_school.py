"""A school behind one address: those who use the chat as it is meant count by person, however many they are."""
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.people import Person
from tests.server import Server

pytestmark = pytest.mark.slow

PEOPLE, CLASS = 60, 40


@pytest.fixture(scope="module")
def school():
    with Server(RATELIMIT_ENABLED="1", BCRYPT_ROUNDS="8") as server:       # so that a hash takes a while, as those of people do
        people = [Person(server.url) for _n in range(PEOPLE)]
        with ThreadPoolExecutor(CLASS) as at_once:
            assert [answer.status_code for answer in at_once.map(Person.register, people)] == [302] * PEOPLE
        yield people
        for person in people:
            person.leave()


def test_sixty_people_chat(school):
    tabs = [person.tab() for person in school]
    for number, tab in enumerate(tabs):
        assert tab.send(school[(number + 1) % PEOPLE], f"from {number}")["ok"]
    for number, tab in enumerate(tabs):
        assert tab.wait_for("receiveMessage")["message"] == f"from {(number - 1) % PEOPLE}"
        tab.close()


def test_a_class_logs_in_at_once_though_some_mistype(school):
    for person in school[:CLASS]:
        person.log_out()
    with ThreadPoolExecutor(CLASS) as at_once:
        assert [answer.status_code for answer in at_once.map(lambda person: person.log_in("mistyped, and long"), school[:CLASS])] == [401] * CLASS
        assert [answer.status_code for answer in at_once.map(Person.log_in, school[:CLASS])] == [302] * CLASS


def test_sixty_people_log_in_at_once_on_browsers_that_nobody_knows(school):
    fresh = [Person(person.url, person.username) for person in school]
    with ThreadPoolExecutor(PEOPLE) as at_once:
        assert [answer.status_code for answer in at_once.map(Person.log_in, fresh)] == [302] * PEOPLE
    for person in fresh:
        person.leave()

"""The account forms take text: JSON and files bring values of any other kind, which nothing behind the form expects."""
import json

import pytest

from tests.people import PASSWORD, Person

ODD = [5, True, None, 1e999, {"a": 1}, ["x"], [[]], "\ud800"]


def post_json(person, path, value):
    body = value if isinstance(value, str) else json.dumps(value)
    return person.post(path, body, headers={"X-CSRFToken": person.token("/login"), "Content-Type": "application/json", "Accept": "text/html"})


@pytest.mark.parametrize("path, refused", [("/login", (401,)), ("/register", (400,))])
@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_a_field_of_another_kind_is_as_none(embedded_once, path, refused, field, odd):
    sent = {"username": "somebody", "password": PASSWORD, field: odd}
    assert post_json(Person(embedded_once.url), path, sent).status_code in refused


@pytest.mark.parametrize("path", ["/login", "/register"])
@pytest.mark.parametrize("body", ["[1,2]", '"abc"', "5", "null", "tru", "", "[" * 100_000])
def test_json_that_is_no_object_is_as_an_empty_form(embedded_once, path, body):
    assert post_json(Person(embedded_once.url), path, body).status_code in (400, 401)


@pytest.mark.parametrize("odd", [5, ["/"], {"a": 1}, "\ud800"])
def test_where_to_go_next_is_text_too(embedded_once, arrive, odd):
    alice = arrive(embedded_once)
    again = Person(embedded_once.url, alice.username)
    answer = post_json(again, "/login", {"username": alice.username, "password": PASSWORD, "next": odd})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


@pytest.mark.parametrize("path, refused", [("/login", 401), ("/register", 400)])
def test_a_file_is_no_username(embedded_once, path, refused):
    person = Person(embedded_once.url)
    answer = person.post(path, {"password": PASSWORD, "csrf_token": person.token(path)}, files={"username": ("name", b"somebody")})
    assert answer.status_code == refused


@pytest.mark.parametrize("name", ['name="\\"', 'name=', 'nam="x"', 'name="\\"; filename="f"', ""])
@pytest.mark.parametrize("path", ["/login", "/register", "/logout"])
def test_a_part_without_a_name_is_refused(embedded_once, path, name):
    person = Person(embedded_once.url)
    headers = {"X-CSRFToken": person.token("/login"), "Content-Type": "multipart/form-data; boundary=b"}
    parts = f"--b\r\nContent-Disposition: form-data; {name}\r\n\r\nx\r\n--b--\r\n"
    assert person.post(path, parts, headers=headers).status_code < 500
    del headers["X-CSRFToken"]
    assert person.post(path, parts, headers=headers).status_code in (302, 400)


@pytest.fixture(scope="module")
def embedded_once():
    from tests.server import Server
    with Server() as server:
        yield server

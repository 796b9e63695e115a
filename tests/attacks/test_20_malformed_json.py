"""JSON that no program would write, over HTTP and in Redis: it is refused in words, and leaves no traceback."""
import pytest

from chat.storage.session_stores import PREFIX
from tests.people import Person

DEPTH = 100_000

MALFORMED = {
    "lists": b"[" * DEPTH, "closed lists": b"[" * DEPTH + b"]" * DEPTH, "objects": b'{"a":' * (DEPTH // 3), "a number": b"1" * DEPTH,
    "half of a pair": b'"\\ud800"', "no UTF-8": b'{"message":"\xff"}', "nothing": b"", "not a number": b"NaN", "too great": b"1e999",
    "inside": b'{"message":' + b"[" * DEPTH + b"]" * DEPTH + b',"clientId":"x"}'}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_body_that_cannot_be_read_is_refused_in_words(chat, alice, bob, body):
    headers = {"Content-Type": "application/json", "X-CSRFToken": alice.token("/")}
    answer = alice.post(f"/messages/{bob.username}", body, headers=headers)
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "invalid"
    assert not any("Traceback" in line for line in chat.seen)


@pytest.mark.parametrize("stored", [
    b"{}", b'"1e5"', b"[" * 3000 + b"]" * 3000, b'{"a":' * 3000 + b"1" + b"}" * 3000, b'{"_user_id":"1e5"}', b'{"_user_id":1}',
    b'{"_user_id":"1","csrf_token":7}', b'{"_user_id":{}}', b"\x80\x04N.", b""])
def test_what_lies_in_redis_instead_of_a_session_is_none(start_server, server_mode_settings, redis_server, stored):
    server = start_server(**server_mode_settings)
    person = Person(server.url)
    assert person.register().status_code == 302
    with redis_server.connect() as client:
        client.set(PREFIX + person.http.cookies["session"], stored)
    assert person.get("/").headers["Location"].startswith("/login")
    assert person.get("/login").status_code == 200
    assert not any("Traceback" in line for line in server.seen)
    person.leave()

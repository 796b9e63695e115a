"""Forms that are asked for a thousand times: they open no session in the store, and none is swept while somebody waits."""
import re
from pathlib import Path

import pytest
import requests
from itsdangerous import URLSafeSerializer

pytestmark = pytest.mark.slow

FORMS = 200


def stored(chat, redis_server):
    """Return how many sessions the store of a running chat has."""
    if "REDIS_URL" not in chat.settings:
        return len(list(Path(chat.settings["INSTANCE_PATH"], "sessions").iterdir()))
    client = redis_server.connect()
    try:
        return sum(1 for _key in client.scan_iter("session:*"))
    finally:
        client.close()


@pytest.mark.parametrize("path", ["/login", "/register", "/", "/nowhere", "/login?next=/chat/x"])
def test_a_bare_form_opens_no_session(chat, redis_server, record, path):
    before = stored(chat, redis_server)
    for _n in range(FORMS):
        assert requests.get(chat.url + path, timeout=10).status_code in (200, 404)
    assert record(chat, "sessions stored", stored(chat, redis_server) - before, f"of {FORMS} forms") == 0


def test_what_is_refused_opens_no_session(chat, redis_server):
    before = stored(chat, redis_server)
    for _n in range(3):
        assert requests.post(chat.url + "/login", data={"username": "x"}, timeout=10).status_code == 400
    with requests.Session() as visitor:
        for _n in range(3):
            assert login(visitor, chat, "nobody here", "a wrong password").status_code == 401
    assert stored(chat, redis_server) == before


def login(visitor, chat, name, password):
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', visitor.get(chat.url + "/login", timeout=10).text)[1]
    return visitor.post(chat.url + "/login", data={"username": name, "password": password, "csrf_token": token}, timeout=10)


@pytest.mark.parametrize("spoil", [lambda cookie: cookie[::-1], lambda cookie: "." + cookie,
                                   lambda cookie: cookie.split(".")[0] + ".", lambda cookie: "." * 3000, lambda cookie: "é." + cookie])
def test_a_cookie_that_was_not_signed_here_says_nothing(chat, spoil):
    with requests.Session() as visitor:
        page = visitor.get(chat.url + "/login", timeout=10)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)[1]
        cookie = visitor.cookies["session"]
    for value, status in ((cookie, 401), (spoil(cookie), 400)):
        answer = requests.post(chat.url + "/login", data={"username": "nobody here", "password": "wrong and long", "csrf_token": token},
                               headers={"Cookie": f"session={value}".encode()}, timeout=10)
        assert answer.status_code == status


def test_a_cookie_that_another_key_signed_opens_nothing(chat, alice):
    forged = URLSafeSerializer("another key", salt="visitor").dumps({"_user_id": "1"})
    answer = requests.get(chat.url + "/", headers={"Cookie": f"session={forged}"}, allow_redirects=False, timeout=10)
    assert answer.status_code == 302 and answer.headers["Location"].startswith("/login")

"""A key file that a full disk left empty, and cookies signed with that key."""
import pytest
import requests
from flask_login import encode_cookie
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer

from tests.people import Person
from tests.server import Server


@pytest.mark.parametrize("content", [b"", b"\n" * 64, b"short", b"\0" * 64, b"0" * 60 + b"\0" * 4, b"\xff" * 64])
def test_a_damaged_key_stops_the_start(start_server, tmp_path, content):
    folder = tmp_path / "instance"
    folder.mkdir()
    (folder / "secret_key").write_bytes(content)
    with pytest.raises(RuntimeError, match="is damaged"):
        start_server(INSTANCE_PATH=str(folder))


def test_the_key_opens_no_account(start_server, arrive, tmp_path):
    folder = tmp_path / "instance"
    server = start_server(INSTANCE_PATH=str(folder))
    alice = arrive(server)
    app = create_app_with((folder / "secret_key").read_text())
    with app.app_context():
        forged = encode_cookie(str(alice.id))
    answer = requests.get(server.url + "/", cookies={"remember_token": forged}, allow_redirects=False, timeout=10)
    assert answer.status_code == 302 and answer.headers["Location"] == "/login"


@pytest.mark.parametrize("key", [b"ab12" * 4 + b"cd34ef56" * 4 + b"\n", bytes(range(200, 248)), b"q8Jw2k\nZ0p+3/" * 6])
def test_a_key_that_an_operator_has_made_is_taken(tmp_path, key):
    """Of hexadecimal digits, of random bytes, of several lines: an earlier start took it."""
    from chat.storage.secret_key import secret_key
    (tmp_path / "secret_key").write_bytes(key)
    assert secret_key({"SECRET_KEY": "", "INSTANCE_PATH": str(tmp_path)}).encode("latin-1") == key


def test_a_forged_cookie_of_a_visitor_is_read(embedded_once):
    """What the next test forges is what the chat takes: here the token of a form."""
    server, folder = embedded_once
    key = (folder / "secret_key").read_text()
    forged = URLSafeSerializer(key, salt="visitor").dumps({"csrf_token": "0" * 40})
    visitor = Person(server.url)
    visitor.http.cookies.set("session", forged)
    assert URLSafeTimedSerializer(key, salt="wtf-csrf-token").loads(visitor.token("/login")) == "0" * 40


@pytest.mark.parametrize("signed", [{"_user_id": "1"}, {"_user_id": "1", "_fresh": True, "csrf_token": "x", "_permanent": True}, ["_user_id"],
                                    {"csrf_token": {"_user_id": "1"}}, "1", None])
def test_a_visitors_cookie_makes_nobody_a_user(embedded_once, signed):
    server, folder = embedded_once
    forged = URLSafeSerializer((folder / "secret_key").read_text(), salt="visitor").dumps(signed)
    for path, status in (("/", 302), ("/login", 200)):
        answer = requests.get(server.url + path, cookies={"session": forged}, allow_redirects=False, timeout=10)
        assert answer.status_code == status


@pytest.fixture(scope="module")
def embedded_once(tmp_path_factory):
    """A server with one user, and its instance folder."""
    folder = tmp_path_factory.mktemp("instance")
    with Server(INSTANCE_PATH=str(folder)) as server:
        alice = Person(server.url)
        assert alice.register().status_code == 302
        yield server, folder
        alice.leave()


def create_app_with(key):
    from flask import Flask
    app = Flask("forger")
    app.secret_key = key
    return app

"""A key file that a full disk left empty, and a cookie signed with that key."""
import pytest
import requests
from flask_login import encode_cookie



@pytest.mark.parametrize("content", [b"", b"\n" * 64, b"short"])
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


def create_app_with(key):
    from flask import Flask
    app = Flask("forger")
    app.secret_key = key
    return app

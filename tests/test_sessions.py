"""Sessions: kept on the server, readable as JSON alone, and gone for good when they end."""
import time
from types import SimpleNamespace

import pytest
from flask import render_template_string, session

import config
from chat import create_app
from chat.live.connections import Connections
from chat.storage.session_stores import MAX_FILES_SWEPT, PREFIX, SWEEP_INTERVAL, FileSessions, JsonSerializer, RedisSessions
from chat.web.sessions import LIFETIME, user_id_of
from tests.people import ANSWER_SECONDS, Person


@pytest.fixture(params=["files", "redis"])
def sessions(request, tmp_path):
    if request.param == "files":
        return FileSessions(str(tmp_path))
    client = request.getfixturevalue("redis_server").connect(db=1)      # none of a running server's
    request.addfinalizer(client.close)
    client.flushdb()
    return RedisSessions(client)


def store(sessions, session_id, value, seconds=60):
    if isinstance(sessions, FileSessions):
        sessions.files.set(PREFIX + session_id, value, seconds)
    else:
        sessions.client.set(PREFIX + session_id, JsonSerializer().encode(value), px=int(seconds * 1000))


@pytest.fixture
def store_of(chat, redis_server, request):
    """The store of the running chat."""
    if chat.mode == "embedded":
        return FileSessions(chat.settings["INSTANCE_PATH"] + "/sessions")
    client = redis_server.connect()
    request.addfinalizer(client.close)
    return RedisSessions(client)


def id_of(person):
    return person.http.cookies["session"]


def test_it_works(sessions):
    store(sessions, "one", {"_user_id": "7"})
    assert sessions.read("one") == {"_user_id": "7"} and user_id_of(sessions, "one") == 7
    sessions.delete("one")
    assert sessions.read("one") is None and user_id_of(sessions, "one") is None


def test_which_sessions_have_ended(sessions):
    for session_id in ("one", "two"):
        store(sessions, session_id, {"_user_id": "7"})
    assert sessions.ended([]) == sessions.ended({"one", "two"}) == set()
    assert sessions.ended({"one", "never", "two"}) == {"never"}


@pytest.mark.parametrize("value", [
    {}, {"_user_id": None}, {"_user_id": 7}, {"_user_id": "x"}, {"_user_id": ["7"]}, {"_user_id": ""}, {"_user_id": "1e5"},
    {"_user_id": "-7"}, {"_user_id": "٧"}, {"_user_id": "7" * 5000}, {"_user_id": "7", "csrf_token": {}}, {"_user_id": True}])
def test_who_is_not_logged_in_is_nobody(sessions, value):
    store(sessions, "one", value)
    assert sessions.read("one") is None and user_id_of(sessions, "one") is None
    assert user_id_of(sessions, None) is user_id_of(sessions, "") is user_id_of(sessions, "../../etc/passwd") is None


@pytest.mark.parametrize("stored", [b"", b"\x80\x04N.", b"[1]", b"null", b"{", b"\xff", b"7", b"\x81\xa1a\x01",
                                    b'"1e5"', b"[" * 3000 + b"]" * 3000, b'{"a":' * 3000 + b"1" + b"}" * 3000, b'{"_user_id": "7", "a": null}'])
def test_what_is_no_json_object_is_no_session(stored):
    assert JsonSerializer().decode(stored) is None


def test_files_of_sessions_are_never_evicted_before_their_time(tmp_path):
    sessions = FileSessions(str(tmp_path))
    for number in range(600):
        store(sessions, str(number), {"_user_id": str(number)})
    assert sessions.ended(str(number) for number in range(600)) == set()


def test_files_of_ended_sessions_are_swept_away_a_few_at_each_writing(tmp_path):
    sessions = FileSessions(str(tmp_path))
    for number in range(3 * MAX_FILES_SWEPT):
        store(sessions, f"ended {number}", {"_user_id": "7"}, seconds=-10)
    sessions.files.swept_at = time.time() - SWEEP_INTERVAL - 1
    left = [len(list(tmp_path.iterdir()))]
    while left[-1] > 1 and len(left) < 10:
        store(sessions, "kept", {"_user_id": "7"})
        left.append(len(list(tmp_path.iterdir())))
    assert left[-1] == 1, left
    assert max(before - after for before, after in zip(left, left[1:])) <= MAX_FILES_SWEPT
    store(sessions, "kept", {"_user_id": "7"})
    assert sessions.files.sweep is None and sessions.files.swept_at > time.time() - 60, "once an hour"
    assert sessions.read("kept") == {"_user_id": "7"}


@pytest.mark.parametrize("transports", [["websocket"], ["polling"]])
def test_a_session_that_is_deleted_closes_its_connections(chat, alice, bob, store_of, transports):
    tab, listening = alice.tab(transports=transports), bob.tab()
    store_of.delete(id_of(alice))
    assert tab.ended.wait(ANSWER_SECONDS)
    assert alice.get("/").status_code == 302
    bob.send(alice, "nobody hears this live")
    assert tab.events.empty() or all(name != "receiveMessage" for name, _payload in list(tab.events.queue))
    assert listening.client.connected


def test_a_session_lasts_for_days(chat, alice, store_of):
    assert LIFETIME.total_seconds() - 60 < seconds_left(store_of, id_of(alice)) <= LIFETIME.total_seconds() + 1


def seconds_left(store, session_id):
    if isinstance(store, RedisSessions):
        return store.client.ttl(PREFIX + session_id)
    with open(store.files._get_filename(PREFIX + session_id), "rb") as file:
        return int.from_bytes(file.read(4), "little") - time.time()


def test_looking_at_pages_does_not_write_the_session(chat, alice, bob, store_of):
    before = store_of.read(id_of(alice))
    for path in ("/", f"/chat/{bob.username}", "/users", f"/messages/{bob.username}"):
        assert "Set-Cookie" not in alice.get(path).headers
    alice.send(bob, "nor does sending")
    assert store_of.read(id_of(alice)) == before


def test_a_request_under_way_does_not_bring_an_ended_session_back(tmp_path):
    app = create_app(config.load({"INSTANCE_PATH": str(tmp_path), "ASYNC_MODE": "threading", "BCRYPT_ROUNDS": "4",
                                  "LOG_MESSAGES": "0"}))
    app.config["WTF_CSRF_ENABLED"] = False
    sessions = app.chat.backends.sessions

    @app.get("/slow")
    def slow():
        sessions.delete(session.sid)        # in another tab, while this page is made
        return render_template_string("{{ current_user.username }} {{ csrf_token() }}")
    browser = app.test_client()
    assert browser.post("/register", data={"username": "Alice", "password": "eight chars and more"}).status_code == 302
    session_id = browser.get_cookie("session").value
    assert user_id_of(sessions, session_id) == 1
    assert browser.get("/slow").text.startswith("Alice")
    assert sessions.read(session_id) is None
    app.chat.database.engine.close()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/avatars/1.svg", "/static/x/build/app.css"])
def test_what_is_nobodys_reads_no_session(chat, alice, store_of, path):
    answer = alice.get(path)
    assert answer.status_code == 200 and "Cookie" not in answer.headers.get("Vary", "")


def test_the_sweep_goes_over_connections_that_come_and_go(caplog):
    """With threads one may end between two steps of a loop: here the first one that is looked at ends another."""
    class Ending:
        eio_sid = "a transport"

        @property
        def session_id(self):
            connections.by_sid.pop("other", None)
            return "ended"

    class Swept(BaseException):
        """The second pause of the loop, which the test ends with it."""

    pauses, looked_for = [None, Swept], []

    def sleep(_seconds):
        if pauses.pop(0):
            raise Swept
    sessions = SimpleNamespace(ended=lambda ids: looked_for.append(ids) or ())
    connections = Connections(SimpleNamespace(sleep=sleep), None, SimpleNamespace(sessions=sessions), SimpleNamespace(reap=lambda: None), *[None] * 5)
    connections.by_sid = {"one": Ending(), "other": Ending()}
    with pytest.raises(Swept):
        connections.sweep_loop()
    assert looked_for == [{"ended"}] and not caplog.records

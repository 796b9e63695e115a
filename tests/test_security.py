"""What keeps people out: each test sends what somebody would send who should not get in."""
import contextlib
import html
import os
import pickle
import re
import socket
import stat
import struct
from urllib.parse import urlsplit

import pytest
import requests
import websocket
from werkzeug.exceptions import NotFound

import config
from chat import create_app
from chat.storage.session_stores import PREFIX, JsonFiles
from tests.conftest import SECRET_KEY
from tests.people import ANSWER_SECONDS, Person, new_client_id

POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
          "font-src 'self'; media-src 'self' blob:; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
JSON = {"Accept": "application/json"}


@pytest.fixture
def visitor(chat):
    person = Person(chat.url)
    yield person
    person.leave()


def test_it_works(chat, alice):
    answer = alice.get("/")
    assert answer.status_code == 200 and answer.headers["Content-Security-Policy"] == POLICY


# --- requests from elsewhere ----------------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/login", "/register", "/logout", "/messages/somebody"])
@pytest.mark.parametrize("token", [None, "", "made up", "ImExNzA5MjQ1OWVkYmJkMjk1NDg1.awL74g.2tQLFZBl6NH"])
def test_a_form_without_its_token_is_refused(chat, alice, path, token):
    fields = {} if token is None else {"csrf_token": token}
    answer = alice.post(path, {"username": "x", "password": "y", "message": "z", "clientId": "1", **fields})
    assert answer.status_code == 400 and "reload the page" in answer.text
    assert alice.get("/").status_code == 200, "nobody was logged out"


def test_json_without_its_token_is_refused(chat, alice, bob):
    sent = {"message": "from elsewhere", "clientId": new_client_id()}
    for headers in ({}, {"X-CSRFToken": "made up"}, {"X-CSRFToken": bob.token("/")}):
        answer = alice.post(f"/messages/{bob.username}", json=sent, headers={**JSON, **headers})
        assert answer.status_code == 400 and answer.json()["error"]["code"] == "invalid"
    assert alice.history(bob)["messages"] == []


@pytest.mark.parametrize("number", [2**31, 2**63, "9" * 5000])
def test_no_address_has_a_number_that_no_database_has(tmp_path, number):
    app = create_app(config.load({"INSTANCE_PATH": str(tmp_path), "ASYNC_MODE": "threading"}))
    addresses = app.url_map
    rules = [rule for rule in addresses.iter_rules() if "<int:" in rule.rule]
    assert len(rules) > 15
    for method, rule in ((method, rule.rule) for rule in rules for method in rule.methods & {"GET", "POST"}):
        path = re.sub("<[^>]*>", "somebody", re.sub("<int:[^>]*>", str(number), rule))
        with contextlib.suppress(NotFound):
            assert addresses.bind("localhost").match(path, method)[0] == "files.get_nothing", path
    app.chat.database.engine.close()


def test_a_name_that_no_database_stores_is_invalid(alice):
    room = alice.make_room()
    answer = alice.post(f"/rooms/{room}/members", '{"username": "\\ud800"}',
                        headers={**JSON, "X-CSRFToken": alice.token("/"), "Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "", "http://127.0.0.1", "http://localhost:1",
                                    "http://127.0.0.1.elsewhere.example", "file://", "http://[", "127.0.0.1",
                                    "{url}.elsewhere.example", "ftp://{host}"])
def test_a_handshake_from_a_foreign_page_is_refused(chat, alice, origin):
    origin = origin.format(url=chat.url, host=urlsplit(chat.url).netloc)
    answer = alice.get("/socket.io/?EIO=4&transport=polling", headers={"Origin": origin})
    assert answer.status_code == 400
    forwarded = {"X-Forwarded-Host": urlsplit(origin).netloc if "[" not in origin else "x", "X-Forwarded-Proto": "https"}
    answer = alice.get("/socket.io/?EIO=4&transport=polling", headers={"Origin": origin, **forwarded})
    assert answer.status_code == 400
    with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
        open_websocket(chat, alice, header=[f"Origin: {origin}"])


def test_a_websocket_needs_an_origin(chat, alice):
    with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
        open_websocket(chat, alice)
    open_websocket(chat, alice, header=[f"Origin: {chat.url}"]).shutdown()
    assert alice.get("/socket.io/?EIO=4&transport=polling").status_code == 200, "a browser's own polling names none"


def open_websocket(chat, person, **options):
    return websocket.create_connection(
        chat.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket", cookie=person.cookie(),
        timeout=ANSWER_SECONDS, suppress_origin=True, **options)


@pytest.mark.slow
@pytest.mark.parametrize("target", [
    "//e", "/\\e", "https:e", "https://e", "\t//e", "/\t/e", "/\n/e", "\\\\e", "e", "javascript:alert(1)", "///e", " //e",
    "/\x00/e", "/\x7f", "", "http:/e", "@e", "?x", "//127.0.0.1@e"])
def test_the_login_leads_to_no_other_site(chat, alice, target):
    alice.log_out()
    assert alice.log_in(next=target).headers["Location"] == "/"
    assert alice.get("/login", params={"next": target}).headers["Location"] == "/"


# --- other people's conversations -----------------------------------------------------------------------------

def test_what_two_people_write_is_theirs(chat, alice, bob, charlie):
    alice.send(bob, "between the two of us")
    for person in (alice, bob):
        assert charlie.history(person) == {"messages": [], "lastSeq": 0, "lastChange": 0, "readSeq": 0}
        assert "between the two of us" not in charlie.get(f"/chat/{person.username}").text
    assert "between the two of us" not in charlie.get("/").text
    assert "between the two of us" not in charlie.get("/users", headers=JSON).text


def test_nobody_sends_as_somebody_else(chat, alice, bob, charlie):
    answer = charlie.post(f"/messages/{bob.username}", headers={"X-CSRFToken": charlie.token("/")},
                          json={"message": "me", "clientId": new_client_id(), "senderId": alice.id, "sender": alice.username})
    assert answer.json()["senderId"] == charlie.id and answer.json()["sender"] == charlie.username
    assert alice.history(bob)["messages"] == []


def test_what_is_not_there_and_what_is_not_ones_own_look_the_same(chat, alice):
    for path in ("/messages/{}", "/chat/{}"):
        own, none = (alice.get(path.format(name), headers=JSON) for name in (alice.username, "nobody of this name"))
        assert own.status_code == none.status_code == 404
        assert own.json() == none.json() and own.json()["error"]["code"] == "not_found"


# --- text is only text ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"'><svg onload=alert(1)>",
                                  "javascript:alert(1)", "</p></template><script>", "{{ 7*7 }}", "&lt;b&gt; only here"])
def test_a_message_is_only_text(chat, alice, bob, text):
    assert alice.send(bob, text).json()["message"] == text
    for page in (bob.get(f"/chat/{alice.username}").text, bob.get("/").text):
        assert_only_text(text, page)
    answer = bob.get(f"/messages/{alice.username}")
    assert answer.headers["Content-Type"] == "application/json" and answer.json()["messages"][0]["message"] == text


@pytest.mark.parametrize("username", ["<svg onload=alert(1)>", "\"'><b>bold", "x' onclick='alert(1)", "{{ 7*7 }}", "a&amp;b"])
def test_a_name_is_only_text(chat, alice, arrive, username):
    username = username + new_client_id()[:6]
    eve = arrive(chat, username)
    alice.send(eve, "hello")
    for person, path in ((alice, "/"), (alice, f"/chat/{requests.utils.quote(username)}"), (eve, "/"), (alice, "/users")):
        page = person.get(path, params={"q": username} if path == "/users" else {}).text
        assert_only_text(username, page)


def assert_only_text(text, page):
    """Find the text in a page, and never as markup."""
    assert html.escape(text) in page.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
    assert text not in page or text == html.escape(text)


# --- headers and errors ---------------------------------------------------------------------------------------

def every_kind_of_answer(chat, alice):
    """Yield (path, answer) for one answer of each kind: pages, JSON, files, refusals, Socket.IO."""
    stylesheet = re.search(r'href="(/static/[^"]+\.css)"', alice.get("/").text)[1]
    for path in ("/", "/nowhere", "/messages/nobody", "/chat/nobody", "/users?after=x", "/logout", stylesheet,
                 f"/avatars/{alice.id}.svg", "/static/x/nothing.css", "/healthz", "/readyz", "/users",
                 "/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=3&transport=polling", "/socket.io/"):
        yield path, alice.get(path)
        yield path, alice.get(path, headers=JSON)
        yield path, alice.post(path, {"x": "y"})
    stranger = Person(chat.url)
    for path in ("/", "/login", "/register", "/users"):
        yield path, stranger.get(path)
    stranger.leave()


def test_every_answer_says_what_a_browser_may_do(chat, alice):
    for path, answer in every_kind_of_answer(chat, alice):
        assert answer.headers.get("Content-Security-Policy") == POLICY, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert answer.headers["Referrer-Policy"] == "same-origin", path
        assert "Strict-Transport-Security" not in answer.headers, "this is no https"


def test_no_answer_tells_a_version_or_a_traceback(chat, alice):
    told = re.compile(r"Traceback|File \"|Werkzeug|eventlet|gevent|Python|Flask|PyMySQL|\b\d+\.\d+\.\d+\b", re.I)
    for path, answer in every_kind_of_answer(chat, alice):
        for name, value in answer.headers.items():
            assert not told.search(value), (path, name, value)
        if answer.status_code >= 400:
            assert not told.search(re.sub(r"<svg.*?</svg>|<head.*?</head>", "", answer.text, flags=re.S)), path


@pytest.mark.parametrize("request_text", ["NONSENSE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /" + "x" * 70_000 + " HTTP/1.1\r\n\r\n",
                                          "GET / HTTP/1.1\r\nX: " + "x" * 70_000 + "\r\n\r\n",
                                          "GET / HTTP/1.1\r\n" + "X: y\r\n" * 300 + "\r\n"])
def test_nonsense_is_told_no_version_either(chat, request_text):
    parts = urlsplit(chat.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=ANSWER_SECONDS) as sock:
        sock.sendall(request_text.encode())
        try:
            answer = sock.recv(5000).decode("latin-1")
        except ConnectionResetError:
            answer = ""
    assert not re.search(r"Werkzeug|eventlet|gevent|Python|BaseHTTP|Traceback", answer, re.I), answer


def test_pages_of_a_person_are_not_kept(chat, alice, bob):
    for path in ("/", f"/chat/{bob.username}", f"/messages/{bob.username}", "/users", "/login"):
        assert alice.get(path).headers["Cache-Control"] == "no-store", path


@pytest.fixture
def application(tmp_path):
    """Make the application in this process, with a view that fails."""
    made = []

    def make(**settings):
        app = create_app(config.load({"INSTANCE_PATH": str(tmp_path), "ASYNC_MODE": "threading", "BCRYPT_ROUNDS": "4",
                                      "LOG_MESSAGES": "0", **settings}))

        @app.get("/broken")
        def broken():
            raise ZeroDivisionError("the secret inside")
        made.append(app)
        return app
    yield make
    for app in made:
        app.chat.database.engine.close()


def test_an_error_that_nobody_foresaw_stays_in_the_log(application, caplog):
    visiting = application().test_client()
    page, told = visiting.get("/broken"), visiting.get("/broken", headers=JSON)
    assert page.status_code == told.status_code == 500
    assert "Something went wrong" in page.text and told.json["error"]["code"] == "internal"
    assert "secret inside" not in page.text + told.text and "Zero" not in page.text + told.text
    assert "the secret inside" in caplog.text and "/broken" in caplog.text


def test_debug_is_off_unless_it_is_asked_for(application, monkeypatch):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    assert not application().debug
    answer = application(DEBUG="1").test_client().get("/broken")
    assert answer.status_code == 500 and "the secret inside" in answer.text
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


# --- what reaches the database, and what is read from the stores ----------------------------------------------

@pytest.mark.parametrize("value", [{"a": 1}, ["a"], True, None, 7, 1.5, {"$ne": ""}, [[]]])
@pytest.mark.parametrize("field", ["message", "clientId"])
def test_only_text_is_taken_where_text_belongs(chat, alice, bob, field, value):
    sent = {"message": "text", "clientId": new_client_id(), field: value}
    answer = alice.post(f"/messages/{bob.username}", json=sent, headers={"X-CSRFToken": alice.token("/")})
    assert answer.status_code == 400
    assert alice.history(bob)["messages"] == []


@pytest.mark.parametrize("text", ["' OR '1'='1", "'; DROP TABLE users; --", "%s %(x)s %%", "\\", "\\'", "x\0y", "\ufffd\u2028",
                                  "1) UNION SELECT 1,2,3,4 -- "])
def test_text_is_never_sql(chat, alice, bob, visitor, text):
    for path in ("/users", "/", f"/chat/{bob.username}"):
        answer = alice.get(path, params={"q": text})
        assert answer.status_code == 200 and bob.username not in re.sub(r"<h1.*?</h1>", "", answer.text) or path != "/users"
    assert alice.get(f"/messages/{requests.utils.quote(text, safe='')}").status_code == 404
    visitor.username = text
    assert visitor.log_in(text).status_code == 401
    if "\0" not in text:
        assert alice.send(bob, text).json()["message"] == text.strip()


class Planted:
    """A pickle that leaves a trace when somebody loads it."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def test_a_pickle_under_a_session_key_is_not_executed(chat, redis_server, tmp_path):
    trace = tmp_path / "executed"
    planted = pickle.dumps(Planted(trace))
    if chat.mode == "embedded":
        files = JsonFiles(chat.settings["INSTANCE_PATH"] + "/sessions")
        with open(files._get_filename(PREFIX + "planted"), "wb") as file:
            file.write(struct.pack("I", 0) + planted)
    else:
        with redis_server.connect() as client:
            client.set(PREFIX + "planted", planted)
    cookie = {"Cookie": "session=planted"}
    person = Person(chat.url)
    assert person.get("/", headers=cookie).status_code == 302
    assert person.get("/login", headers=cookie).status_code == 200
    polling = "/socket.io/?EIO=4&transport=polling"
    sid = re.search(r'"sid":"([^"]+)"', person.get(polling, headers=cookie).text)[1]
    person.post(f"{polling}&sid={sid}", "40", headers=cookie)
    assert "unauthorized" in person.get(f"{polling}&sid={sid}", headers=cookie).text
    person.leave()
    assert not trace.exists()
    pickle.loads(planted)
    assert trace.exists(), "it would have left its trace"


def test_the_embedded_mode_makes_a_secret_key_once_for_its_owner_alone(start_server, tmp_path):
    folder = tmp_path / "instance"
    start_server(INSTANCE_PATH=str(folder)).kill()
    path = folder / "secret_key"
    first = path.read_bytes()
    assert len(first) >= config.SECRET_KEY_BYTES and stat.S_IMODE(path.stat().st_mode) == 0o600
    start_server(INSTANCE_PATH=str(folder)).kill()
    assert path.read_bytes() == first
    for session in (folder / "sessions").iterdir():
        assert stat.S_IMODE(session.stat().st_mode) == 0o600


def test_the_server_mode_does_not_start_without_a_secret_key(start_server, redis_server):
    with pytest.raises(RuntimeError, match="SECRET_KEY must be set"):
        start_server(REDIS_URL=redis_server.url)
    start_server(REDIS_URL=redis_server.url, SECRET_KEY=SECRET_KEY)

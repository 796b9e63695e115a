"""Forms of many small parts: each part costs more than its bytes, so they are counted before the form is taken apart."""
import pytest

from chat import MAX_FORM_BYTES
from chat.web.forms import MAX_FIELDS
from chat.conversations.message_text import MAX_LENGTH
from tests.attacks.conftest import ASYNC_MODES
from tests.conftest import skip_without_gevent
from tests.people import Person, new_client_id
from tests.server import Server
from tests.waiting import shortest_time

pytestmark = pytest.mark.slow

BUDGET = 0.05       # seconds of the event loop, for anything that a client sends
TRIES = 20          # of which the fastest counts: the machine may be busy
FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
PART = '--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n'
COSTLY = {      # 186, 143, 241, 78, 26 and 152 ms if they are parsed
    "pairs": (FORM, "a=&" * (MAX_FORM_BYTES // 3)), "names": (FORM, "a&" * (MAX_FORM_BYTES // 2)), "bytes that are no text": (FORM, "username=" + "%e9" * (MAX_FORM_BYTES // 3 - 9)),
    "parts": (PARTS, PART * 900 + "--b--\r\n"), "files": (PARTS, PART.replace('"f"', '"f"; filename="x"') * 900 + "--b--\r\n"),
    "headers of a part": (PARTS, "--b\r\n" + "a:b\r\n" * 50_000 + "\r\nx\r\n--b--\r\n")}

HEAD = "Content-Disposition: form-data; name=\"f\""
HEADS = {      # of a part; Werkzeug reads one in 199 ms and more, and as long many that are a little shorter
    "parameters": [HEAD + ";a=b" * 60_000], "many of parameters": [HEAD + ";a=b" * 950] * 31, "backslashes": [HEAD + '; a="' + "\\\\" * 60_000 + '"'],
    "many of backslashes": [HEAD + '; a="' + "\\\\" * 1900 + '"'] * 31, "lines": [HEAD + "\ra:b" * 50_000], "many of lines": [HEAD + "\ra:b" * 950] * 31,
    "a head after an empty line": ["\r\n" + HEAD + ";a=b" * 60_000], "boundaries in a head": [HEAD + "--b" + ";a=b" * 60_000]}


@pytest.fixture(scope="module", params=ASYNC_MODES)
def server(request):
    skip_without_gevent(request.param)
    with Server(ASYNC_MODE=request.param) as started:
        yield started


@pytest.mark.parametrize("content_type, body", COSTLY.values(), ids=COSTLY)
def test_a_costly_form_is_refused_within_the_budget(server, record, content_type, body):
    stranger = Person(server.url)
    headers = {"Content-Type": content_type, "X-CSRFToken": stranger.token("/login")}

    def post():
        assert stranger.post("/login", body, headers=headers).status_code == 413
    assert record(server, "fastest refusal", shortest_time(post, BUDGET, TRIES), "s") < BUDGET


@pytest.mark.parametrize("path", ["/login", "/messages/somebody"])
@pytest.mark.parametrize("heads", HEADS.values(), ids=HEADS)
def test_a_part_with_a_costly_head_is_refused_within_the_budget(server, record, path, heads):
    """Also where a form is read while it arrives, as that of a message."""
    stranger = Person(server.url)
    headers = {"Content-Type": PARTS, "X-CSRFToken": stranger.token("/login")}
    body = "".join(f"--b\r\n{head}\r\n\r\nx\r\n" for head in heads) + "--b--\r\n"

    def post():
        assert stranger.post(path, body, headers=headers).status_code in (400, 413)
    assert record(server, "fastest refusal", shortest_time(post, BUDGET, TRIES), "s") < BUDGET


@pytest.mark.parametrize("path, status", [("/login", 401), ("/messages/somebody", 302)])
def test_a_name_with_semicolons_and_backslashes_is_taken(server, path, status):
    """By both readers of forms: the refusal that comes is that of a stranger."""
    stranger = Person(server.url)
    headers = {"Content-Type": PARTS, "X-CSRFToken": stranger.token("/login")}
    name = "\\" * 100 + ";" * 90 + "\u00e9" * 60
    body = PART * 20 + f'--b\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n\r\nx\r\n--b--\r\n'
    assert stranger.post(path, body.encode(), headers=headers).status_code == status


def test_a_boundary_within_a_line_begins_no_part(server):
    stranger = Person(server.url)
    headers = {"Content-Type": PARTS, "X-CSRFToken": stranger.token("/login")}
    text = '--b\r\nContent-Disposition: form-data; name="username"\r\n\r\nhello --bold text\r\n--b--\r\n'
    assert stranger.post("/login", text, headers=headers).status_code == 401


def test_bytes_that_are_no_text_are_refused(server):
    assert Person(server.url).post("/login", "username=%e9", headers={"Content-Type": FORM}).status_code == 400


def test_the_longest_message_is_taken_by_the_form(server, arrive):
    alice, bob = arrive(server), arrive(server)
    text = "\U0001F600" * MAX_LENGTH       # each character is four escapes
    more = {f"more{n}": "" for n in range(MAX_FIELDS - 3)}
    answer = alice.post(f"/messages/{bob.username}", {"message": text, "clientId": new_client_id(), "csrf_token": alice.token("/"), **more})
    assert answer.status_code == 302
    assert alice.history(bob)["messages"][0]["message"] == text

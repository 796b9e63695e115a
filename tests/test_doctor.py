"""The doctor: a correct set-up passes, and each wrong one is named with its fix."""
import http.server
import os
import re
import subprocess
import sys
import threading

import pytest

from tests import services
from tests.conftest import SECRET_KEY
from tests.front_proxy import FrontProxy, without
from tests.server import ROOT, Server
from tests.waiting import LOOK_SECONDS
from tools.doctor import client
from tools.doctor.checks import Stop, check_registration
from tools.doctor.client import Answer, Tab, Visitor

pytestmark = pytest.mark.slow


def consult(*arguments, **settings):
    """Run the doctor; return its exit code and its output."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "tools.doctor", *arguments], cwd=ROOT, capture_output=True,
                          text=True, encoding="utf-8", timeout=60, env={**os.environ, **settings})
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def failed(said):
    """Return the findings that failed, with their fixes."""
    lines = said.splitlines()
    return [line.split(maxsplit=1)[1] + " " + lines[number + 1].strip()
            for number, line in enumerate(lines) if line.startswith("  FAIL")]


def test_a_right_set_up_is_well(chat):
    code, said = consult(chat.url)
    assert (code, failed(said)) == (0, []), said
    for words in ("The chat answers in", "is logged in", "Long polling works", "WebSockets get through",
                  "stored and delivered in", "A file of 2 MB goes there and back", "All is well."):
        assert words in said, said


def test_without_an_address_it_visits_the_server_of_its_folder(start_server, tmp_path):
    """It need not be at the usual port, which another program may use."""
    server = start_server(INSTANCE_PATH=str(tmp_path))
    code, said = consult(INSTANCE_PATH=str(tmp_path), PORT="", HOST="::")
    assert code == 0 and f"visit {server.url}." in said, said
    server.stop()
    (tmp_path / "address").write_text("no address")
    assert "visit http://[::1]:5000." in consult(INSTANCE_PATH=str(tmp_path), PORT="", HOST="::")[1]
    assert "visit http://127.0.0.1:1." in consult(INSTANCE_PATH=str(tmp_path), PORT="1", HOST="0.0.0.0")[1]


def test_a_right_proxy_is_well(chat):
    with FrontProxy(chat.url) as proxy:
        code, said = consult(proxy.url)
    assert (code, failed(said)) == (0, []), said


@pytest.mark.parametrize("lost, named, fix", [
    (("Upgrade", "Connection"), "WebSockets are blocked: a WebSocket was answered with 400", "pass Upgrade and Connection on"),
    (("Origin",), "The Origin of a request is lost", "pass the Origin header on"),
])
def test_a_proxy_that_loses_a_header(chat, lost, named, fix):
    with FrontProxy(chat.url, change=without(*lost)) as proxy:
        code, said = consult(proxy.url)
    (found,) = failed(said)
    assert code == 1 and named in found and fix in found
    assert "stored and delivered" in said, "the chat goes on by long polling"


def test_a_proxy_that_says_another_host(chat):
    with FrontProxy(chat.url, change=lambda head: without("Host")(head) + b"Host: upstream.internal\r\n") as proxy:
        code, said = consult(proxy.url)
    assert code == 1 and all("not the host" in found and "Host on" in found for found in failed(said)), said


def test_a_proxy_without_stickiness(server_mode_settings):
    with Server(**server_mode_settings) as one, Server(**server_mode_settings) as other:
        with FrontProxy(one.url, other.url) as proxy:
            code, said = consult(proxy.url)
    assert code == 1 and "reached another process" in failed(said)[0] and "sticky" in failed(said)[0]


def cut_off(path):
    """Return a change of a request's head that drops requests for that path."""
    def change(head):
        if head.split(b" ", 2)[1].partition(b"?")[0] == path:
            raise ConnectionError
        return head
    return change


@pytest.mark.parametrize("path, named", [
    (b"/readyz", "/readyz is not answered as the chat does"), (b"/register", "Nobody can register"), (b"/", "Nobody can register"),
    (b"/socket.io/", "Long polling does not work"),
])
def test_a_path_that_is_cut_off(chat, path, named):
    with FrontProxy(chat.url, change=cut_off(path)) as proxy:
        code, said = consult(proxy.url)
    assert code == 1 and named in failed(said)[0] and "closed connection without response" in failed(said)[0], said
    assert len(failed(said)) == 1 or "register" not in named, "who cannot register is not sent further"


def test_a_path_that_leads_to_a_page(chat):
    """Like a proxy that answers unknown paths with its first page, and 200."""
    with FrontProxy(chat.url, change=lambda head: re.sub(rb" /socket\.io/\S*", b" /", head)) as proxy:
        code, said = consult(proxy.url)
    polling, websocket = failed(said)
    assert code == 1 and "Long polling does not work: what came is not the chat's answer." in polling and "pass every path on" in polling
    assert "WebSockets are blocked" in websocket


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """Answers everything in the same way, unlike the chat; `answer` is (status, header, its value, body)."""

    def do_GET(self):
        status, header, value, body = self.answer
        self.send_response_only(status)
        self.send_header(header, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


@pytest.mark.parametrize("answer, named", [
    ((200, "Date", "no day", b'{"status": "ok"}'), "/healthz is not answered as the chat does: what came is not the chat's answer."),
    ((200, "Content-Length", "99", b'{"status": "ok"}'), "Nobody answers"),
    ((200, "Set-Cookie", "a,b=1", b'{"status": "ok", "unavailable": []}'), "Nobody can register: the page to register"),
    ((200, "X", "y", b'{"status": "ok", "unavailable": ["moon"]}'), "/readyz is not answered as the chat does"),
    ((200, "X", "y", b'{"status": "ok", "unavailable": 7}'), "/readyz is not answered as the chat does"),
    ((200, "X", "y", b"[]"), "Somebody answers at"),
    ((429, "X", "y", b""), "Somebody answers at"),
])
def test_somebody_else_who_answers_everything(answer, named):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Answering", (Elsewhere,), {"answer": answer})) as server:
        threading.Thread(target=server.serve_forever, args=(LOOK_SECONDS,), daemon=True).start()
        code, said = consult(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert code == 1 and named in failed(said)[0], said


def test_a_limit_is_named_that_nobody_can_register_for():
    class Limited(Visitor):
        def ask(self, *_arguments):
            return Answer(429, {}, "")
    with pytest.raises(Stop) as stop:
        list(check_registration(Limited("http://127.0.0.1")))
    (finding,) = stop.value.args
    assert "too many tries" in finding.words and "ADDRESS_REGISTRATIONS" in finding.fix and "proxy" in finding.fix


def test_a_live_connection_that_says_other_things_for_ever(monkeypatch):
    class Chatterbox(Tab):
        def read(self):
            self.calls += 1
            assert self.calls < 10**6, "it would wait for ever"
            return ["6"]
    monkeypatch.setattr(client, "TIMEOUT_SECONDS", 0.05)
    for wait in (lambda tab: tab.wait_for("receiveMessage"), lambda tab: tab._until("40")):
        with pytest.raises(TimeoutError, match="did not come"):
            wait(Chatterbox(None))


def test_nobody_there_and_somebody_else():
    with FrontProxy("http://127.0.0.1:9") as proxy:
        code, said = consult(proxy.url)
        assert code == 1 and "Nobody answers at" in failed(said)[0]
    with services.Redis() as redis:
        code, said = consult(redis.url.replace("redis:", "http:").rsplit("/", 1)[0])
        assert code == 1 and "Nobody answers" in failed(said)[0]


def test_a_stopped_redis(mariadb):
    with services.Redis() as redis:
        settings = {"DATABASE_URL": mariadb.url, "REDIS_URL": redis.url, "SECRET_KEY": SECRET_KEY}
        with Server(**settings) as server:
            redis.kill()
            code, said = consult(server.url)
    (found,) = failed(said)    # its consequences are not separate findings
    assert code == 1 and "Redis does not answer the server." in found and "REDIS_URL" in found


def test_a_stopped_database_is_no_read_only_one(redis_server):
    with services.MariaDB() as mariadb, Server(DATABASE_URL=mariadb.url, REDIS_URL=redis_server.url, SECRET_KEY=SECRET_KEY) as server:
        mariadb.kill()
        code, said = consult(server.url)
    (found,) = failed(said)
    assert code == 1 and "The database does not answer the server." in found and "DATABASE_URL" in found


def test_a_read_only_database(mariadb, redis_server):
    with mariadb.connect() as root, root.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER reader@'%' IDENTIFIED BY ''")     # root could write in spite of read_only
        cursor.execute("GRANT ALL ON read_only_chat.* TO reader@'%'")
        url = mariadb.url.replace("root@", "reader@").replace("/chat", "/read_only_chat")
        with Server(DATABASE_URL=url, REDIS_URL=redis_server.url, SECRET_KEY=SECRET_KEY) as server:
            cursor.execute("SET GLOBAL read_only = 1")
            try:
                code, said = consult(server.url)
            finally:
                cursor.execute("SET GLOBAL read_only = 0")
                cursor.execute("DROP USER reader@'%'")
    assert code == 1 and "Nobody can register" in failed(said)[-1] and "read-only" in failed(said)[-1]


def test_a_secure_cookie_on_an_address_without_tls(start_server):
    server = start_server(HTTPS="1")
    code, said = consult(server.url)
    assert code == 1 and "Secure, and this address is http" in failed(said)[0] and "HTTPS=0" in failed(said)[0]


@pytest.mark.parametrize("arguments", [("ftp://somewhere",), ("http://one", "http://two"), ("nonsense",), ("http://[",),
                                       ("http://one:99999",), ("http://one..two",)])
def test_arguments_that_are_no_address(arguments):
    assert consult(*arguments)[0] == 2

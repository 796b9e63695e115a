"""The doctor: a right set-up is well, and each wrong one is named with its cure."""
import subprocess
import sys

import pytest

from tests import services
from tests.conftest import SECRET_KEY
from tests.front_proxy import FrontProxy, without
from tests.server import ROOT, Server


pytestmark = pytest.mark.slow


def consult(*arguments):
    """Run the doctor; return its exit code and what it said."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "tools.doctor", *arguments], cwd=ROOT, capture_output=True,
                          text=True, encoding="utf-8", timeout=60)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def ill(said):
    """Return what it found ill, with the cures."""
    lines = said.splitlines()
    return [line.split(maxsplit=1)[1] + " " + lines[number + 1].strip()
            for number, line in enumerate(lines) if line.startswith("  ILL")]


def test_a_right_set_up_is_well(chat):
    code, said = consult(chat.url)
    assert (code, ill(said)) == (0, []), said
    for words in ("The chat answers in", "is logged in", "Long polling works", "WebSockets get through",
                  "stored and delivered in", "All is well."):
        assert words in said, said


def test_a_right_proxy_is_well(chat):
    with FrontProxy(chat.url) as proxy:
        code, said = consult(proxy.url)
    assert (code, ill(said)) == (0, []), said


@pytest.mark.parametrize("lost, named, cure", [
    (("Upgrade", "Connection"), "WebSockets are blocked: a WebSocket was answered with 400", "pass Upgrade and Connection on"),
    (("Origin",), "The Origin of a request is lost", "pass the Origin header on"),
])
def test_a_proxy_that_loses_a_header(chat, lost, named, cure):
    with FrontProxy(chat.url, change=without(*lost)) as proxy:
        code, said = consult(proxy.url)
    (found,) = ill(said)
    assert code == 1 and named in found and cure in found
    assert "stored and delivered" in said, "the chat goes on by long polling"


def test_a_proxy_that_says_another_host(chat):
    with FrontProxy(chat.url, change=lambda head: without("Host")(head) + b"Host: upstream.internal\r\n") as proxy:
        code, said = consult(proxy.url)
    assert code == 1 and all("not the host" in found and "Host on" in found for found in ill(said)), said


def test_a_proxy_without_stickiness(server_mode_settings):
    with Server(**server_mode_settings) as one, Server(**server_mode_settings) as other:
        with FrontProxy(one.url, other.url) as proxy:
            code, said = consult(proxy.url)
    assert code == 1 and "reached another process" in ill(said)[0] and "sticky" in ill(said)[0]


def test_nobody_there_and_somebody_else():
    with FrontProxy("http://127.0.0.1:9") as proxy:
        code, said = consult(proxy.url)
        assert code == 1 and "Nobody answers at" in ill(said)[0]
    with services.Redis() as redis:
        code, said = consult(redis.url.replace("redis:", "http:").rsplit("/", 1)[0])
        assert code == 1 and "Nobody answers" in ill(said)[0]


def test_a_stopped_redis(mariadb):
    with services.Redis() as redis:
        settings = {"DATABASE_URL": mariadb.url, "REDIS_URL": redis.url, "SECRET_KEY": SECRET_KEY}
        with Server(**settings) as server:
            redis.kill()
            code, said = consult(server.url)
    assert code == 1 and "Redis does not answer the server." in ill(said)[0] and "REDIS_URL" in ill(said)[0]


def test_a_read_only_database(mariadb, redis_server):
    with mariadb.connect() as root, root.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER reader@'%' IDENTIFIED BY ''")     # root may write in spite of read_only
        cursor.execute("GRANT ALL ON read_only_chat.* TO reader@'%'")
        url = mariadb.url.replace("root@", "reader@").replace("/chat", "/read_only_chat")
        with Server(DATABASE_URL=url, REDIS_URL=redis_server.url, SECRET_KEY=SECRET_KEY) as server:
            cursor.execute("SET GLOBAL read_only = 1")
            try:
                code, said = consult(server.url)
            finally:
                cursor.execute("SET GLOBAL read_only = 0")
                cursor.execute("DROP USER reader@'%'")
    assert code == 1 and "Nobody can register" in ill(said)[-1] and "read-only" in ill(said)[-1]


def test_a_secure_cookie_on_an_address_without_tls(start_server):
    server = start_server(HTTPS="1")
    code, said = consult(server.url)
    assert code == 1 and "Secure, and this address is http" in ill(said)[0] and "HTTPS=0" in ill(said)[0]


@pytest.mark.parametrize("arguments", [("ftp://somewhere",), ("http://one", "http://two"), ("nonsense",)])
def test_arguments_that_are_no_address(arguments):
    assert consult(*arguments)[0] == 2

"""deploy/: the configurations that people copy, in front of a real chat, with nothing changed but names, ports and files."""
import contextlib
import grp
import http.server
import itertools
import json
import os
import pwd
import queue
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import config
from chat.live import shutdown
from chat.live.deadlines import HEAD_SECONDS, IDLE_SECONDS
from tests.fronts import Front, haproxy, make_certificate, may_become, nginx
from tests.private_server import HOST, free_ports
from tests.server import ROOT
from tests.test_cluster import Cluster
from tests.test_doctor import consult, failed
from tests.waiting import LOOK_SECONDS, wait_for
from tools import cluster
from tools.cluster import listens
from tools.haproxy import configuration

pytestmark = pytest.mark.slow

DEPLOY = ROOT / "deploy"
SECRET_KEY = "for the tests of what stands in front: thirty-two bytes and more"
PATIENCE = 10       # seconds
MANY = 16           # idle connections between a proxy and the chat
CLAIMS = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example",
          "X-Forwarded-Proto": "gopher"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A folder with a certificate for 127.0.0.1: cert.pem, key.pem, and both in chat.pem."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the headers that came."""

    def do_GET(self):
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def echo():
    with http.server.ThreadingHTTPServer((HOST, 0), Echo) as server:
        threading.Thread(target=server.serve_forever, args=(LOOK_SECONDS,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(params=[nginx, haproxy])
def in_front_of(request, tmp_path, certificate):
    """Start the proxy in front of one port or several; return its http and https addresses."""
    with contextlib.ExitStack() as stack:
        def start(*ports):
            front = stack.enter_context(Front(request.param, tmp_path, certificate, ports))
            return front.http, front.https
        yield start


def test_the_doctor_finds_all_well(in_front_of, start_server, certificate, monkeypatch):
    server = start_server(HTTPS="1", PROXIES="1")
    _web, tls = in_front_of(server.url.rsplit(":", 1)[1])
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    code, said = consult(tls)
    assert (code, failed(said)) == (0, []), said


def test_two_processes_are_one_chat(in_front_of, start_server, certificate, monkeypatch, mariadb, redis_server):
    """The doctor polls, and comes again by another connection: only a proxy that keeps people at their process lets that pass."""
    shared = {"DATABASE_URL": mariadb.url.replace("/chat", "/in_front"), "REDIS_URL": redis_server.url, "SECRET_KEY": SECRET_KEY,
              "HTTPS": "1", "PROXIES": "1"}
    ports = [start_server(**shared).url.rsplit(":", 1)[1] for _n in range(2)]
    _web, tls = in_front_of(*ports)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    code, said = consult(tls)
    assert (code, failed(said)) == (0, []), said


def test_a_certificate_that_nobody_signed_is_named(in_front_of, start_server):
    server = start_server(HTTPS="1", PROXIES="1")
    _web, tls = in_front_of(server.url.rsplit(":", 1)[1])
    code, said = consult(tls)
    assert code == 1 and "certificate is not trusted" in failed(said)[0]


def test_what_a_client_claims_to_be_does_not_pass(in_front_of, echo, certificate):
    _web, tls = in_front_of(echo)
    context = ssl.create_default_context(cafile=certificate / "cert.pem")
    request = urllib.request.Request(tls + "/", headers=CLAIMS)
    with urllib.request.urlopen(request, timeout=PATIENCE, context=context) as answer:
        came = {name.lower(): value for name, value in json.load(answer).items()}
    assert (came["x-forwarded-for"], came["x-forwarded-proto"]) == (HOST, "https")
    assert "x-forwarded-host" not in came and "forwarded" not in came
    assert came["host"] == tls.removeprefix("https://")


def test_http_leads_to_https(in_front_of, echo):
    web, _tls = in_front_of(echo)

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_arguments):
            return None
    with pytest.raises(urllib.error.HTTPError) as refused:
        foreign = urllib.request.Request(web + "/chat/somebody?x=1", headers={"Host": "evil.example"})
        urllib.request.build_opener(Stay).open(foreign, timeout=PATIENCE)
    refused.value.close()
    assert refused.value.code == 301
    assert refused.value.headers["Location"] == f"https://{HOST}/chat/somebody?x=1", "to the configured name alone"
    assert not re.search(r"\d", refused.value.headers.get("Server", "")), "it does not say its version"


def test_a_request_that_is_begun_and_never_finished_is_ended(in_front_of, echo, certificate):
    """Both in http and in https, wherever it ends; `timeout client` and nginx's own default would wait for a minute."""
    context = ssl.create_default_context(cafile=certificate / "cert.pem")
    with contextlib.ExitStack() as opened:
        waiting = []
        for url, begun in itertools.product(in_front_of(echo), (b"", b"GET / HTTP/1.1\r\nHos", b"GET / HTTP/1.1\r\nHost: x\r\nA: b")):
            sock = opened.enter_context(socket.create_connection((HOST, urllib.parse.urlsplit(url).port), PATIENCE))
            waiting.append(opened.enter_context(context.wrap_socket(sock, server_hostname=HOST)) if url.startswith("https") else sock)
            waiting[-1].sendall(begun)
        ends_at = time.monotonic() + HEAD_SECONDS + PATIENCE
        for sock in waiting:
            sock.settimeout(max(0.1, ends_at - time.monotonic()))
            with contextlib.suppress(ConnectionError):
                while sock.recv(4096):
                    pass        # 408, and then the end


def test_several_processes_have_the_deadlines_of_the_configuration_to_copy():
    def deadlines(text):
        return re.findall(r"^ +timeout (http-\S+) +(\S+)", text, re.M)
    written = configuration(config.load({}), [])
    assert deadlines(written) == deadlines((DEPLOY / "haproxy.cfg").read_text(encoding="utf-8")) != []


def test_idle_connections_to_the_chat_are_ended_before_the_chat_does(in_front_of, certificate):
    """A request over a connection that is just being closed is lost, and a proxy does not send a POST again."""
    ended, all_here, context = queue.Queue(), threading.Barrier(MANY, timeout=PATIENCE), ssl.create_default_context(cafile=certificate / "cert.pem")

    class Keeping(Echo):
        """Answers when as many requests are there as connections are wanted, and waits for the next one."""

        protocol_version = "HTTP/1.1"

        def do_GET(self):
            if self.path == "/asked":       # and not one of HAProxy's checks
                all_here.wait()
            super().do_GET()

        def handle(self):
            with contextlib.suppress(ConnectionError):
                super().handle()
            if getattr(self, "path", "") == "/asked":
                ended.put(self.client_address)

    def ask(_n):
        with urllib.request.urlopen(tls + "/asked", timeout=PATIENCE, context=context) as answer:
            return answer.status
    with http.server.ThreadingHTTPServer((HOST, 0), Keeping) as server:
        threading.Thread(target=server.serve_forever, args=(LOOK_SECONDS,), daemon=True).start()
        _web, tls = in_front_of(server.server_port)
        with ThreadPoolExecutor(MANY) as pool:
            assert set(pool.map(ask, range(MANY))) == {200}
        ends_at = time.monotonic() + IDLE_SECONDS
        for _n in range(MANY):
            ended.get(timeout=max(0.1, ends_at - time.monotonic()))
        server.shutdown()


@pytest.fixture
def haproxy_with_log(tmp_path, certificate, echo):
    """HAProxy's process, its https address, and the socket that its log comes to."""
    web = free_ports(2)
    tls = web + 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind((HOST, 0))
        log.settimeout(PATIENCE)
        command = haproxy(tmp_path, [echo], web, tls, certificate, log="%s:%s" % log.getsockname())
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            assert wait_for(lambda: listens(HOST, tls), PATIENCE)
            yield process, f"https://{HOST}:{tls}", log
            process.terminate()


def test_haproxy_logs_who_asks_for_what(haproxy_with_log, certificate):
    _process, url, log = haproxy_with_log
    context = ssl.create_default_context(cafile=certificate / "cert.pem")
    urllib.request.urlopen(url + "/looked-for", timeout=PATIENCE, context=context).close()
    while b"/looked-for" not in (line := log.recv(4096)):   # that it has started comes first
        pass
    assert b'"GET' in line and f"{HOST}:".encode() in line


@pytest.mark.skipif(not may_become("haproxy"), reason="this is not root, or there is no user haproxy")
def test_haproxy_does_not_stay_root(haproxy_with_log):
    process, _url, _log = haproxy_with_log
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert re.search(r"^Uid:\s+(\d+)", status, re.M)[1] == str(pwd.getpwnam("haproxy").pw_uid)
    assert re.search(r"^Gid:\s+(\d+)", status, re.M)[1] == str(grp.getgrnam("haproxy").gr_gid)


def unit(name):
    """Return the values of a setting of chat.service."""
    return re.findall(rf"^{name}=(.*)$", (DEPLOY / "chat.service").read_text(encoding="utf-8"), re.M)


def test_systemd_asks_the_supervisor_alone_and_gives_it_the_time_it_takes():
    assert unit("KillMode") == ["mixed"]
    longest = 2 * cluster.STOP_SECONDS + cluster.HAPROXY_STOP_SECONDS
    assert shutdown.MAX_SHUTDOWN_SECONDS < cluster.STOP_SECONDS and longest < int(*unit("TimeoutStopSec"))


def reload(server):
    """Do as `systemctl reload chat` does; return whether it succeeded."""
    commands = [command.replace("${MAINPID}", str(server.process.pid)).replace("$MAINPID", str(server.process.pid)).split()
                for command in unit("ExecReload")]
    return bool(commands) and all(subprocess.run(command).returncode == 0 for command in commands)


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
def test_a_reload_restarts_several_processes(mariadb, redis_server):
    with Cluster(DATABASE_URL=mariadb.url.replace("/chat", "/reloaded"), REDIS_URL=redis_server.url, SECRET_KEY=SECRET_KEY,
                 PORT=str(free_ports(3))) as several:
        assert reload(several)
        assert several.line_with("process 1 is restarted") and several.line_with("process 2 is restarted")


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
def test_a_reload_leaves_a_single_process_alone(start_server):
    server = start_server()
    assert not reload(server)
    with pytest.raises(subprocess.TimeoutExpired):
        server.process.wait(0.5)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="this machine has no systemd")
def test_systemd_understands_the_unit(tmp_path):
    unit = tmp_path / "chat.service"
    unit.write_text((DEPLOY / "chat.service").read_text().replace("/opt/chat", str(ROOT)).replace("User=chat", f"User={os.getuid()}"))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    assert done.returncode == 0 and "chat.service" not in done.stderr, done.stderr


def test_the_containers_are_given_settings_that_exist():
    """Whether they start is tried by hand: that needs an engine for containers and their images."""
    chat = re.search(r"^  chat:\n(.*?)^  \w", (DEPLOY / "compose.yaml").read_text(), re.S | re.M)[1]
    given = set(re.findall(r"^      ([A-Z_]+):", chat, re.M))
    assert given >= {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"} and given <= {setting.name for setting in config.SETTINGS}
    assert (DEPLOY.parent / re.search(r"dockerfile: (.+)", chat)[1]).exists()


def test_the_image_takes_no_secret_along():
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    assert {".env", "deploy/.env", "instance", ".git"} <= set(ignored)

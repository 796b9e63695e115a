"""`run --processes N`: several processes behind HAProxy, as one command and one address."""
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

import config
from tests import services
from tests.people import ANSWER_SECONDS
from tests.private_server import free_ports
from tests.server import Server
from tests.test_doctor import consult, failed
from tests.waiting import wait_for
from tools import cluster, parser

pytestmark = pytest.mark.slow

SECRET_KEY = "for the tests of a cluster: thirty-two bytes and more"
PROCESSES = 2
BACK = 15       # seconds until a killed process, or all restarted processes, serve again


class Cluster(Server):
    """The command, run like another server of the tests."""

    program = ("-m", "tools.cluster", str(PROCESSES))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(BACK)

    @property
    def pids(self):
        """The server processes in their order."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid), "-f", "wsgi.py"], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]


@pytest.fixture(scope="module")
def shared(mariadb, redis_server):
    return {"DATABASE_URL": mariadb.url.replace("/chat", "/cluster"), "REDIS_URL": redis_server.url, "SECRET_KEY": SECRET_KEY,
            "PORT": str(free_ports(PROCESSES + 1))}


@pytest.fixture(scope="module")
def running(shared):
    with Cluster(**shared) as cluster:
        yield cluster


def server_of(person):
    return person.http.cookies.get("SERVERID")


@pytest.fixture
def two(running, arrive):
    """Two people whom HAProxy has sent to different processes."""
    one = arrive(running)
    until = time.monotonic() + BACK
    while server_of(other := arrive(running)) == server_of(one):
        assert time.monotonic() < until, "everybody is sent to the same process"
    return one, other


def test_the_processes_are_where_prometheus_looks_for_them(running):
    """They use the ports after the common one, unless another program uses them."""
    named = [int(running.line_with(f"process {n} is at").rsplit(":", 1)[1]) for n in range(1, PROCESSES + 1)]
    assert requests.get(f"http://127.0.0.1:{named[0]}/metrics", timeout=ANSWER_SECONDS).status_code == 200
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert cluster.free_port(taken.getsockname()[1]) != taken.getsockname()[1]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_two_people_talk_across_processes(two, transport):
    alice, bob = two
    hers, his = alice.tab(transports=[transport]), bob.tab(transports=[transport])
    assert hers.send(bob, "through the front door")["ok"]
    assert his.wait_for("receiveMessage")["message"] == "through the front door"
    assert his.send(alice, "and back")["ok"]
    assert hers.wait_for("receiveMessage")["message"] == "and back"


def test_the_doctor_finds_all_well(running):
    code, said = consult(running.url)
    assert (code, failed(said)) == (0, []), said


def test_what_a_client_claims_to_be_is_not_believed(running):
    answer = requests.get(f"{running.url}/metrics", headers={"X-Forwarded-For": "127.0.0.1"}, timeout=ANSWER_SECONDS)
    assert answer.status_code == 404, "through a proxy nobody is on this machine"


@pytest.mark.slow
def test_a_process_that_dies_is_replaced_and_its_people_go_on(running, two):
    alice, bob = two
    his = bob.tab()
    dead, alive = (running.pids[int(server_of(person)) - 1] for person in two)
    hers = alice.tab()
    os.kill(dead, signal.SIGKILL)
    assert hers.ended.wait(ANSWER_SECONDS)
    back = alice.tab()      # at another process, although her cookie names the dead one
    assert back.send(bob, "I am still here")["ok"]
    assert his.wait_for("receiveMessage")["message"] == "I am still here"
    assert running.line_with("has ended; it is started again", BACK)
    assert wait_for(lambda: len(running.pids) == PROCESSES, BACK)
    assert alive in running.pids and dead not in running.pids


@pytest.mark.slow
def test_sighup_restarts_one_after_the_other_and_nobody_waits(running, two):
    alice, bob = two
    before = set(running.pids)
    running.process.send_signal(signal.SIGHUP)
    texts = []
    for n in range(1, PROCESSES + 1):
        while not said(running, f"process {n} is restarted"):
            texts.append(f"message {len(texts)}")
            assert send(alice, bob, texts[-1])
    assert not before & set(running.pids) and len(running.pids) == PROCESSES
    messages = []
    while page := bob.history(alice, f"?after={len(messages)}&limit=200")["messages"]:
        messages += page
    assert [message["message"] for message in messages][-len(texts):] == texts
    assert [message["seq"] for message in messages] == list(range(1, len(messages) + 1))
    assert alice.get("/").status_code == bob.get("/").status_code == 200, "both are still logged in"


def said(running, text):
    """Tell whether the terminal has shown that since the last call."""
    found = any(text in line for line in running.seen)
    if found:
        running.seen.clear()
    return found


def send(sender, receiver, text):
    """Send by form, and again if the connection is cut; because of the clientId it stays one message."""
    client_id = os.urandom(16).hex()
    for _try in range(20):
        with contextlib.suppress(requests.ConnectionError, AttributeError):     # no page, or one without a form
            answer = sender.send(receiver, text, client_id)
            if answer.status_code == 201:
                return True
            assert answer.status_code in (502, 503), answer.text
    return False


@pytest.mark.slow
def test_why_a_process_does_not_start_again_is_said_once(shared):
    port = str(free_ports(PROCESSES + 1))
    with services.MariaDB() as mariadb, Cluster(**{**shared, "DATABASE_URL": mariadb.url, "PORT": port}) as served:
        mariadb.kill()
        os.kill(served.pids[0], signal.SIGKILL)
        assert served.line_with("process 1 has ended; it is started again.", BACK)
        assert "The database cannot be used" in served.line_with("process 1 does not start", BACK)
        tried = set()
        assert wait_for(lambda: len(tried.update(served.pids) or tried) > PROCESSES + 2, 4 * BACK), "it is tried again and again"
        assert sum("process 1" in line and "start" in line for line in served.seen) == 2
        mariadb.start()
        assert wait_for(lambda: len(served.pids) == PROCESSES, BACK)


# --- start and end --------------------------------------------------------------------------------------------------

@pytest.mark.slow
def test_it_ends_cleanly_with_all_that_it_started(shared):
    with Cluster(**{**shared, "PORT": str(free_ports(PROCESSES + 1))}) as served:
        children = [*served.pids, *map(int, subprocess.run(["pgrep", "-P", str(served.process.pid), "haproxy"],
                                                            capture_output=True, text=True).stdout.split())]
        assert len(children) == PROCESSES + 1
        assert served.stop() == 0
        assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_nothing_is_left_when_the_supervisor_is_killed(shared):
    with Cluster(**{**shared, "PORT": str(free_ports(PROCESSES + 1))}) as served:
        children = served.pids
        served.kill()
        assert wait_for(lambda: not [pid for pid in children if is_running(pid)], BACK)


class Drainer(cluster.Worker):
    """Replaces a server process: it takes a while to end, and prints each SIGTERM."""

    script = ("import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: asked.append(print('asked', flush=True)));"
              "asked = []; print('The chat is at last', flush=True)\nwhile not asked: time.sleep(0.01)\ntime.sleep(1)")

    def __init__(self, name):
        super().__init__(name, 0, {})
        self.begun = 0

    def start(self):
        self.begun += 1
        self.ready.clear()
        self.process = subprocess.Popen([sys.executable, "-c", self.script], stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        self.ready.set()


def make_supervisor(tmp_path, *workers):
    """Return a supervisor of these workers; nothing is started."""
    instance = cluster.Supervisor({**config.load({}), "PORT": free_ports(PROCESSES + 1), "INSTANCE_PATH": str(tmp_path)}, 0)
    instance.workers = workers
    return instance


@pytest.mark.slow
def test_who_finishes_already_is_not_asked_a_second_time(tmp_path):
    """The signal to end comes while a worker is restarted, which then is not started again."""
    one, other = drainers = Drainer("one"), Drainer("other")
    instance = make_supervisor(tmp_path, *drainers)
    for drainer in drainers:
        drainer.start()
    ordering = threading.Timer(0.3, instance.pending_signals.append, ["end"])
    ordering.start()
    instance._restart_in_turn()
    instance._stop()
    ordering.join()
    assert [drainer.begun for drainer in drainers] == [1, 1]
    assert [drainer.process.returncode for drainer in drainers] == [0, 0]
    for drainer in drainers:
        with drainer.process.stdout as said:
            assert said.read() == "asked\n"


@pytest.mark.slow
def test_the_order_to_end_cuts_the_waiting_for_a_start_short():
    worker = cluster.Worker("one", 0, {})
    began = time.monotonic()
    worker.process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with worker.process:
        worker.wait_until_ready(["end"])
    assert time.monotonic() - began < BACK


@pytest.mark.slow
def test_those_that_hang_share_one_time_to_finish(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "STOP_SECONDS", 2)
    drainers = [Drainer(f"number {n}") for n in range(4)]
    instance = make_supervisor(tmp_path, *drainers)
    for drainer in drainers:
        drainer.start()
        drainer.process.stdout.close()
        os.kill(drainer.process.pid, signal.SIGSTOP)
    began = time.monotonic()
    instance._stop()
    assert time.monotonic() - began < 4 * cluster.STOP_SECONDS - 1, "one after the other would take longer"


@pytest.mark.slow
def test_haproxy_passes_on_what_was_said_last(tmp_path, monkeypatch):
    """A response that fills all buffers on its way, for a client that begins to read when the processes have ended."""
    monkeypatch.setattr(cluster, "HAPROXY_STOP_SECONDS", BACK)
    answer = b"HTTP/1.0 200 OK\r\n\r\n" + bytes(30_000_000)
    with socket.create_server((cluster.HOST, 0)) as listening:
        instance = make_supervisor(tmp_path, cluster.Worker("one", listening.getsockname()[1], {}))
        threading.Thread(target=answer_all, args=(listening, answer), daemon=True).start()
        instance._start_haproxy()
        with socket.create_connection((cluster.HOST, instance.settings["PORT"]), ANSWER_SECONDS) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            head = client.recv(1)
            ending = threading.Thread(target=instance._stop)
            ending.start()
            time.sleep(0.3)
            took = len(head) + sum(map(len, iter(lambda: client.recv(1 << 20), b"")))
        ending.join()
        listening.shutdown(socket.SHUT_RDWR)
    assert took >= 30_000_000 and instance.haproxy.returncode == 0


def answer_all(listening, answer):
    """Give that answer to each connection until the listener is closed."""
    def give(connection):
        with contextlib.suppress(OSError), connection:
            connection.recv(4096)
            connection.sendall(answer)
    with contextlib.suppress(OSError):
        while True:
            threading.Thread(target=give, args=(listening.accept()[0],), daemon=True).start()


def is_running(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def refusal(**settings):
    """Return what the command prints instead of serving."""
    cluster = Cluster(**settings)
    try:
        with pytest.raises(RuntimeError) as refused:
            cluster.start()
        return str(refused.value).strip()
    finally:
        cluster.__exit__()


@pytest.mark.parametrize("settings, sentence", [
    ({"REDIS_URL": ""}, "chat: several processes share a database and a Redis: set DATABASE_URL and REDIS_URL."),
    ({"DATABASE_URL": ""}, "chat: several processes share a database and a Redis: set DATABASE_URL and REDIS_URL."),
    ({"DATABASE_URL": "mysql://root@127.0.0.1:1/chat"}, "chat: The database cannot be used"),
])
def test_what_cannot_work_is_one_sentence(shared, settings, sentence):
    words = refusal(**{**shared, "PORT": str(free_ports(PROCESSES + 1)), **settings})
    assert words.startswith(sentence) and len(words.splitlines()) == 1


def test_a_port_that_is_taken_is_one_sentence(shared, running):
    port = running.settings["PORT"]
    assert refusal(**{**shared, "PORT": port}).startswith(f"chat: cannot listen on 127.0.0.1:{port}: it is in use")


def test_where_no_port_is_given_the_next_free_one_is_taken(capsys):
    port = free_ports(2)
    settings = {"HOST": "127.0.0.1", "PORT": port, "PORT_FIXED": False}
    assert (cluster.chosen_port(settings), capsys.readouterr().out) == (port, "")
    with socket.create_server(("127.0.0.1", port)):
        assert cluster.chosen_port(settings) == port + 1
        assert capsys.readouterr().out == f"Port {port} is in use by another program. The chat uses port {port + 1} instead. PORT=... chooses one.\n"
        with pytest.raises(cluster.CannotStart, match="it is in use"):
            cluster.chosen_port({**settings, "PORT_FIXED": True})


# --- the HAProxy configuration --------------------------------------------------------------------------------------

def written(**settings):
    settings = {**config.load({}), **settings}
    return cluster.configuration(settings, [cluster.Worker(f"process {n}", 5000 + n, {}) for n in (1, 2)])


def test_without_a_proxy_in_front_a_claimed_address_is_replaced():
    assert "set-header X-Forwarded-For %[src]" in written() and "forwardfor" not in written()


def test_behind_a_proxy_its_word_comes_first():
    assert "option forwardfor" in written(PROXIES=1) and "set-header" not in written(PROXIES=1)


def test_the_cookie_is_secure_where_people_come_by_https():
    cookie = r"cookie SERVERID insert indirect nocache httponly( secure)?$"
    assert [re.search(cookie, written(HTTPS=https), re.M)[1] for https in (False, True)] == [None, " secure"]


def test_each_process_has_a_port_and_a_cookie_of_its_own():
    servers = re.findall(r"server process-\d 127\.0\.0\.1:(\d+) cookie (\d)", written())
    assert servers == [("5001", "1"), ("5002", "2")]


# --- the command ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("arguments, processes", [([], 1), (["--processes", "3"], 3), (["--processes=3"], 3), (["--processes", "64"], 64)])
def test_the_number_is_understood(arguments, processes):
    assert parser.parse(["run", *arguments])[1].processes == processes


@pytest.mark.parametrize("arguments", [["3"], ["--processes"], ["--processes", "0"], ["--processes", "65"], ["--processes", "x"],
                                       ["--processes", "2", "3"], ["--fast"]])
def test_what_is_no_number_is_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        parser.parse(["run", *arguments])
    assert capsys.readouterr().err.startswith("usage: python3 manage.py run [-h] [--processes N]")

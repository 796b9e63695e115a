"""`run --processes N`: several processes behind HAProxy, as one command and one address."""
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

import config
from tests.people import ANSWER_SECONDS
from tests.server import Server
from tests.test_doctor import consult, ill
from tests.waiting import wait_for
from tools import cluster, commands

SECRET_KEY = "for the tests of a cluster: thirty-two bytes and more"
PROCESSES = 2
BACK = 15       # seconds until a process that died, or all that were asked to, serve again


class Cluster(Server):
    """The command, run as a server of the tests is."""

    program = ("-m", "tools.cluster", str(PROCESSES))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(BACK)

    @property
    def pids(self):
        """The server processes, in their order."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid), "-f", "wsgi.py"], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]


@pytest.fixture(scope="module")
def shared(mariadb, redis_server):
    return {"DATABASE_URL": mariadb.url.replace("/chat", "/cluster"), "REDIS_URL": redis_server.url, "SECRET_KEY": SECRET_KEY,
            "PORT": str(cluster.free_port())}


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
    """Beside the address of all, unless somebody else is there already."""
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
    assert (code, ill(said)) == (0, []), said


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
    back = alice.tab()      # at another process, though her cookie names the dead one
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
    """Tell whether the terminal has shown that since the last question."""
    found = any(text in line for line in running.seen)
    if found:
        running.seen.clear()
    return found


def send(sender, receiver, text):
    """Send by a form's way, and again while the connection is cut in the middle; the clientId keeps it one message."""
    client_id = os.urandom(16).hex()
    for _try in range(20):
        with contextlib.suppress(requests.ConnectionError, AttributeError):     # no page, or one without a form
            answer = sender.send(receiver, text, client_id)
            if answer.status_code == 201:
                return True
            assert answer.status_code in (502, 503), answer.text
    return False


# --- start and end --------------------------------------------------------------------------------------------------

@pytest.mark.slow
def test_it_ends_cleanly_with_all_that_it_started(shared):
    with Cluster(**{**shared, "PORT": str(cluster.free_port())}) as served:
        children = [*served.pids, *map(int, subprocess.run(["pgrep", "-P", str(served.process.pid), "haproxy"],
                                                            capture_output=True, text=True).stdout.split())]
        assert len(children) == PROCESSES + 1
        assert served.stop() == 0
        assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_nothing_is_left_when_the_keeper_is_killed(shared):
    with Cluster(**{**shared, "PORT": str(cluster.free_port())}) as served:
        children = served.pids
        served.kill()
        assert wait_for(lambda: not [pid for pid in children if is_running(pid)], BACK)


def is_running(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def refusal(**settings):
    """Return what the command says instead of serving."""
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
    words = refusal(**{**shared, "PORT": str(cluster.free_port()), **settings})
    assert words.startswith(sentence) and len(words.splitlines()) == 1


def test_a_port_that_is_taken_is_one_sentence(shared, running):
    port = running.settings["PORT"]
    assert refusal(**{**shared, "PORT": port}).startswith(f"chat: cannot listen on 127.0.0.1:{port}: it is in use")


# --- what is written for HAProxy ------------------------------------------------------------------------------------

def written(**settings):
    settings = {**config.load({}), **settings}
    return cluster.configuration(settings, [cluster.Member(f"process {n}", 5000 + n, {}) for n in (1, 2)])


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
    assert commands._processes(arguments) == processes


@pytest.mark.parametrize("arguments", [["3"], ["--processes"], ["--processes", "0"], ["--processes", "65"], ["--processes", "x"],
                                       ["--processes", "2", "3"], ["--fast"]])
def test_what_is_no_number_is_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        commands._processes(arguments)
    assert capsys.readouterr().err.startswith("usage: python3 manage.py run [-h] [--processes N]")

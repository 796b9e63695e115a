"""Requests that are begun and never finished, and answers that nobody reads: each step has a deadline."""
import itertools
import json
import re
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
import requests

from chat.live.bodies import BODY_SECONDS
from chat.live.deadlines import ABORT_BATCH, CONNECTION, FAIR_SECONDS, HEAD_SECONDS, MAX_WAITING, MAX_WAITING_AT_ONCE, Deadlines
from tests.attacks.conftest import ASYNC_MODES, TIMEOUT, connect, measure
from tests.conftest import ASYNC_MODE, skip_without_gevent
from tests.server import ROOT
from tests.waiting import wait_for

SLACK = 5       # seconds that a busy machine may add
SOON = 3        # seconds, in place of ten, after which a server is tuned to cut what does not end


@pytest.fixture(params=ASYNC_MODES)
def server(request, start_server):
    return start_server(ASYNC_MODE=request.param, RATELIMIT_ENABLED="1")


def seconds_until_closed(sock, drip):
    """Return how long a connection stays open, while one byte comes now and then."""
    started = time.monotonic()
    sock.settimeout(1)
    with suppress(ConnectionError):
        while time.monotonic() - started < 60:
            sock.sendall(drip)
            with suppress(TimeoutError):
                if not sock.recv(1000):
                    break
    return time.monotonic() - started


FORM = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nusername="
NEVER_ENDING = {"nothing": (b"", b""), "half a line": (b"GET / HT", b""), "a header in drops": (b"GET / HTTP/1.1\r\nA: b", b"b"),
                "half a form": (FORM, b""), "a form in drops": (FORM, b"a")}


@pytest.mark.slow
def test_what_does_not_end_is_cut(server, record):
    with ExitStack() as opened, ThreadPoolExecutor(len(NEVER_ENDING)) as pool:
        ends = {}
        for name, (begin, drip) in NEVER_ENDING.items():
            sock = opened.enter_context(connect(server))
            sock.sendall(begin)
            ends[name] = pool.submit(seconds_until_closed, sock, drip)
        taken = {name: record(server, f"open with {name}", end.result(), "s") for name, end in ends.items()}
    assert all(HEAD_SECONDS - 2 < seconds < BODY_SECONDS + SLACK for seconds in taken.values()), taken


@pytest.mark.slow
@pytest.mark.parametrize("mode", ASYNC_MODES)
@pytest.mark.parametrize("begun", [b"GET / HTTP/1.1\r\nHos", b"GET /login HTTP/1.1\r\nHost: x\r\nA: b\r\n", FORM])
def test_what_is_cut_leaves_no_descriptor_behind(start_server, record, mode, begun):
    """A head that is cut in the middle looks whole to the server, whose answer can no longer be written.

    Without garbage collection, which would close in its time what was forgotten; and cut soon, for nothing here depends on when.
    """
    tuned = {"chat.live.process_tuning.GC_THRESHOLDS": [0, 0, 0], f"chat.live.{mode}_server.HEAD_SECONDS": SOON,
             "chat.live.bodies.BODY_SECONDS": SOON}
    server = start_server(ASYNC_MODE=mode, RATELIMIT_ENABLED="1", tuned=tuned)
    before = measure(server, "process_open_fds")
    with ExitStack() as opened:
        cut = []
        for _n in range(50):
            cut.append(opened.enter_context(connect(server)))
            cut[-1].sendall(begun)
            cut[-1].settimeout(BODY_SECONDS + 3 * SLACK)
        for sock in cut:
            with suppress(ConnectionError):
                while sock.recv(1000):
                    pass
        wait_for(lambda: measure(server, "process_open_fds") <= before + 5, SLACK)
        left = record(server, "descriptors that stay", measure(server, "process_open_fds") - before, "descriptors")
        assert left <= 5, "they are closed at this end too"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ASYNC_MODES)
def test_who_waits_after_a_refusal_is_cut(start_server, mode):
    """Its body is left, or read to its end: Werkzeug reads ten megabytes of it, which never come."""
    server = start_server(ASYNC_MODE=mode, RATELIMIT_ENABLED="1", tuned={"chat.live.deadlines.ANSWER_SECONDS": SOON})
    with connect(server) as sock:
        sock.sendall(b"POST /socket.io/?EIO=4&transport=polling&sid=nobody HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + b"4" * 200_000)
        answered, answer = time.monotonic(), b""
        sock.settimeout(SOON + SLACK)
        with suppress(ConnectionResetError):
            while part := sock.recv(1000):
                answered, answer = time.monotonic(), answer + part
        assert answer.startswith(b"HTTP/1.1 400") and time.monotonic() < answered + SOON + SLACK


@pytest.mark.slow
def test_10000_half_requests_leave_the_others_served(start_server, bystander):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(20_000, hard) if hard > 0 else 20_000, hard))
    # Their deadline is far away here. With the usual one of 10 s the others would be served in any case, within the time that they have.
    server = start_server(RATELIMIT_ENABLED="1", tuned={f"chat.live.{ASYNC_MODE}_server.HEAD_SECONDS": 600})
    try:
        with bystander(server) as watching, ExitStack() as opened:
            for _n in range(10_050):
                with suppress(OSError):
                    sock = opened.enter_context(connect(server))
                    sock.sendall(b"GET / HTTP/1.1\r\nHos")
            assert requests.get(server.url + "/login", timeout=TIMEOUT).status_code == 200
        assert watching.longest < TIMEOUT, "as long as they are held, nobody was served"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Cut:
    """A connection that only notes that it was cut."""

    def __init__(self):
        self.is_cut = False

    def shutdown(self, _how):
        self.is_cut = True


def await_body(deadlines, connection, client):
    connection.body = deadlines.awaiting_body({CONNECTION: connection, "REMOTE_ADDR": client})     # kept: its end is that of the wait
    connection.body.__enter__()


AWAITED = {"a head": lambda deadlines, connection, client: deadlines.await_head(connection, client, 10), "a body": await_body,
           "a reader": Deadlines.await_reader}


@pytest.mark.parametrize("wait", AWAITED.values(), ids=AWAITED)
def test_who_waits_longest_makes_room(wait):
    clock = itertools.count(0, FAIR_SECONDS)
    deadlines, waiting, other = Deadlines(clock=lambda: next(clock)), [Cut() for _n in range(MAX_WAITING + 1)], Cut()
    wait(deadlines, other, "there")
    for connection in waiting:
        wait(deadlines, connection, "here")
    assert [connection.is_cut for connection in waiting] == [True] + [False] * MAX_WAITING and not other.is_cut
    assert deadlines.counts["waiting"] == 1


def test_those_that_come_at_once_have_no_time_beyond_a_number():
    deadlines, waiting = Deadlines(clock=lambda: 0), [Cut() for _n in range(MAX_WAITING_AT_ONCE + 1)]
    for wait in AWAITED.values():
        for connection in waiting:
            connection.is_cut = False
            wait(deadlines, connection, "here")
        assert [connection.is_cut for connection in waiting] == [True] + [False] * MAX_WAITING_AT_ONCE


@pytest.mark.slow
@pytest.mark.parametrize("mode", ASYNC_MODES)
def test_half_bodies_of_one_address_are_counted(start_server, mode):
    """Behind a proxy by the address that it names: somebody else's body is not cut for those of an attacker."""
    most, bodies = 3, 8
    server = start_server(ASYNC_MODE=mode, RATELIMIT_ENABLED="1", PROXIES="1",
                          tuned={"chat.live.deadlines.MAX_WAITING": most, "chat.live.deadlines.FAIR_SECONDS": 0})
    upload = b"POST /files HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx"
    with ExitStack() as opened:
        def begin(form, address):
            sock = opened.enter_context(connect(server))
            sock.sendall(form.replace(b"\r\n", f"\r\nX-Forwarded-For: {address}\r\n".encode(), 1))
            return sock
        other = begin(FORM, "198.51.100.7")
        for form in (FORM, upload):
            before = measure(server, 'chat_connections_aborted_total{reason="waiting"}')
            for n in range(bodies):
                begin(form, f"2001:db8:1:2::{n}")
            wait_for(lambda: measure(server, 'chat_connections_aborted_total{reason="waiting"}') >= before + bodies - most, SLACK)
        other.settimeout(0.2)
        with pytest.raises(TimeoutError):
            other.recv(100)


# In a process of its own: to import a server's module may patch the libraries of the whole process.
CLIENTS_OF_HEADS = """
import importlib, json, sys

class Noting:
    clients = []
    def await_head(self, _connection, client, _seconds):
        self.clients.append(client)
    def forget(self, _connection):
        pass

mode = sys.argv[1]
module = importlib.import_module(f"chat.live.{mode}_server")
kind = module.Protocol if mode == "eventlet" else module.Handler
handler = kind.__new__(kind)
handler.client_address, handler.deadlines = ("2001:db8:1:2:3:4:5:6", 1), Noting()
handler.connection = handler.socket = handler.wfile = None
steps = [name for name in ("setup", "handle", "handle_one_request") if name in vars(kind)]
for step in steps:
    for base in kind.__mro__[1:]:
        if step in vars(base):
            setattr(base, step, lambda _self: None)
    getattr(handler, step)()
print(json.dumps([len(steps), handler.deadlines.clients]))
"""


@pytest.mark.parametrize("mode", ASYNC_MODES)
def test_half_heads_are_counted_for_a_network(mode):
    """Whoever has one IPv6 address has all of its /64: by single addresses, each would be somebody else."""
    skip_without_gevent(mode)
    said = subprocess.run([sys.executable, "-W", "ignore", "-c", CLIENTS_OF_HEADS, mode], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    count, clients = json.loads(said.splitlines()[-1])
    assert count and clients == ["2001:db8:1:2::/64"] * count


def test_an_answer_that_nobody_reads_is_cut():
    clock = [0]
    deadlines, unread, read = Deadlines(clock=lambda: clock[0]), Cut(), Cut()
    for connection in (unread, read):
        deadlines.await_reader(connection, "here")
    deadlines.forget(read)
    clock[0] += 31
    deadlines.sweep()
    assert unread.is_cut and not read.is_cut
    assert not deadlines.by_connection and not deadlines.waiting


def test_others_come_in_between_where_many_are_cut():
    clock, cut, late = [0], [], [Cut() for _n in range(3 * ABORT_BATCH)]
    deadlines = Deadlines(clock=lambda: clock[0])
    for connection in late:
        deadlines.await_head(connection, "here", 10)
    clock[0] += 11

    def pause(_seconds):
        cut.append(sum(connection.is_cut for connection in late))
        deadlines.forget(late[-1])      # its request has come in the last moment
    deadlines.sweep(pause)
    assert cut == [ABORT_BATCH, 2 * ABORT_BATCH, len(late) - 1]
    assert [connection.is_cut for connection in late] == [True] * (len(late) - 1) + [False]


@pytest.mark.parametrize("mode", ASYNC_MODES)
def test_a_head_that_was_cut_is_no_request(start_server, mode):
    """What has come of it is neither answered nor served: 280 of them at once would keep the others waiting."""
    server = start_server(ASYNC_MODE=mode, tuned={f"chat.live.{mode}_server.HEAD_SECONDS": 0.5})
    heads = [b"GET / HT", b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"GET /readyz HTTP/1.1\r\nHo"]
    for head in heads:
        with connect(server) as sock:
            sock.sendall(head)
            with suppress(OSError):
                assert sock.recv(100) == b""
    requests.get(server.url + "/healthz?last", timeout=TIMEOUT)
    assert not [line for line in server.seen if re.search(r"\b400\b|readyz", line)]      # and not the port 40012


def test_many_threads_note_at_once():
    deadlines = Deadlines()

    def come_and_go(_n):
        for _m in range(300):
            connection = Cut()
            deadlines.await_head(connection, "here", 0)
            deadlines.await_reader(connection, "here")
            deadlines.sweep()
            deadlines.forget(connection)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(come_and_go, range(8)))
    assert not deadlines.by_connection and not deadlines.waiting

"""The faults of the fault-injection suite: the proxy, the network and disks of our own, the clock."""
import contextlib
import http.client
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime, timezone

import pymysql
import pytest

from lab import fake_clock, namespace
from lab.endpoint import abort
from lab.fake_clock import FakeClock
from lab.proxy import Proxy
from tests.fake_programs import make_program
from tests.waiting import LOOK_SECONDS
from tools import ROOT

pytestmark = pytest.mark.slow

ANSWER_SECONDS = 10
MEGABYTE = 1024 * 1024


# --- the proxy ------------------------------------------------------------------------------------------------------

class Line:
    """A proxy in front of a listening socket, and connections through it, each as a client and the target's end."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.target = self.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.target.settimeout(ANSWER_SECONDS)
        self.proxy = self.stack.enter_context(Proxy(self.target.getsockname()[1]))

    def client(self):
        client = socket.create_connection(("127.0.0.1", self.proxy.port), ANSWER_SECONDS)
        return self.stack.enter_context(client)

    def accept(self):
        server = self.stack.enter_context(self.target.accept()[0])
        server.settimeout(ANSWER_SECONDS)
        return server

    def connect(self):
        return self.client(), self.accept()

    def pass_what_can(self):
        """Wait until the proxy has handled its events once: it runs a command after them."""
        self.proxy._run_in_thread(lambda: None)


@pytest.fixture
def line():
    made = Line()
    with made.stack:
        yield made


def read(connection, length):
    """Return that many bytes, or fewer if the other side closes."""
    data = b""
    while len(data) < length and (more := connection.recv(length - len(data))):
        data += more
    return data


def has_nothing(connection):
    """Tell whether there is nothing to read, not even an EOF."""
    connection.setblocking(False)
    try:
        return connection.recv(1) is None
    except BlockingIOError:
        return True
    finally:
        connection.settimeout(ANSWER_SECONDS)


def is_reset(connection):
    try:
        return connection.recv(1) is None
    except ConnectionResetError:
        return True


def test_much_passes_both_ways_at_once_until_each_side_ends(line):
    client, server = line.connect()
    words = {client: os.urandom(8 * MEGABYTE), server: os.urandom(8 * MEGABYTE)}

    def say(connection):
        connection.sendall(words[connection])
        connection.shutdown(socket.SHUT_WR)
    threads = [threading.Thread(target=say, args=(connection,)) for connection in words]
    heard = {client: b"", server: b""}
    threads += [threading.Thread(target=lambda it=it: heard.update({it: read(it, 9 * MEGABYTE)})) for it in words]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {client: words[server], server: words[client]}
    line.pass_what_can()
    assert line.proxy.connections == 0


def test_one_side_may_end_and_go_on_listening(line):
    client, server = line.connect()
    client.shutdown(socket.SHUT_WR)
    assert server.recv(1) == b""
    server.sendall(b"late answer")
    assert read(client, 11) == b"late answer"
    assert line.proxy.connections == 1


def test_a_client_that_does_not_read_holds_the_target_up(line):
    client, server = line.connect()
    server.settimeout(0.2)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 200 * MEGABYTE:
            sent += server.send(bytes(MEGABYTE))
    assert len(read(client, sent)) == sent


def test_a_reset_on_one_side_is_one_on_the_other(line):
    client, server = line.connect()
    abort(client)
    assert is_reset(server)


def test_a_target_that_is_away_closes_the_client_and_is_found_again_when_it_is_back(line):
    port = line.target.getsockname()[1]
    line.target.close()
    with contextlib.suppress(ConnectionResetError):
        assert line.client().recv(1) == b""
    with socket.create_server(("127.0.0.1", port)) as line.target:
        client, server = line.connect()
        client.sendall(b"back")
        assert read(server, 4) == b"back"


def test_during_a_cut_nothing_passes_and_after_it_what_waited(line):
    client, server = line.connect()
    line.proxy.cut()
    client.sendall(b"question")
    server.sendall(b"answer")
    line.pass_what_can()
    assert has_nothing(client) and has_nothing(server)
    assert line.proxy.connections == 1
    line.proxy.heal()
    assert (read(server, 8), read(client, 6)) == (b"question", b"answer")


def test_during_a_cut_nobody_hears_that_another_closed(line):
    client, server = line.connect()
    other_client, other_server = line.connect()
    line.proxy.cut()
    client.sendall(b"last words")
    client.close()
    abort(other_server)
    line.pass_what_can()
    assert has_nothing(server) and has_nothing(other_client)
    line.proxy.heal()
    assert read(server, 11) == b"last words"
    assert is_reset(other_client)


def test_during_a_cut_new_connections_hang(line):
    line.proxy.cut()
    client = line.client()
    client.sendall(b"anybody there?")
    line.pass_what_can()
    line.target.setblocking(False)
    with pytest.raises(BlockingIOError):
        line.target.accept()
    line.target.settimeout(ANSWER_SECONDS)
    line.proxy.heal()
    assert read(line.accept(), 14) == b"anybody there?"


@pytest.mark.parametrize("is_cut", [False, True])
def test_all_connections_can_be_reset(line, is_cut):
    ends = [*line.connect(), *line.connect()]
    if is_cut:
        line.proxy.cut()
        ends.append(line.client())
    line.proxy.reset()
    assert all(is_reset(end) for end in ends)
    assert line.proxy.connections == 0
    line.proxy.heal()
    client, server = line.connect()
    client.sendall(b"again")
    assert read(server, 5) == b"again"


def test_an_answer_is_lost_after_the_target_has_begun_it(line):
    client, server = line.connect()
    happened = line.proxy.lose_answer(b"INSERT INTO messages")
    client.sendall(b"SELECT 1; INSERT INTO ")
    assert read(server, 22) == b"SELECT 1; INSERT INTO "
    server.sendall(b"one")
    assert read(client, 3) == b"one"
    client.sendall(b"messages VALUES (1)")
    assert read(server, 19) == b"messages VALUES (1)"
    line.pass_what_can()
    assert not happened.is_set() and has_nothing(client)
    server.sendall(b"stored")
    assert happened.wait(ANSWER_SECONDS)
    assert client.recv(1) == b""
    assert server.recv(1) == b""
    client, server = line.connect()
    client.sendall(b"INSERT INTO messages")
    assert read(server, 20) == b"INSERT INTO messages"
    server.sendall(b"stored")
    assert read(client, 6) == b"stored"


def test_the_halves_of_two_connections_are_no_match(line):
    happened = line.proxy.lose_answer(b"INSERT")
    pairs = [line.connect(), line.connect()]
    for (client, server), half in zip(pairs, (b"INS", b"ERT")):
        client.sendall(half)
        assert read(server, 3) == half
        server.sendall(b"ok")
        assert read(client, 2) == b"ok"
    assert not happened.is_set()


def test_what_has_not_happened_can_be_forgotten(line):
    happened = line.proxy.lose_answer(b"INSERT")
    line.proxy.repeat(b"POST /")
    line.proxy.disarm()
    client, server = line.connect()
    client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nINSERT")
    assert read(server, 44).endswith(b"INSERT")
    server.sendall(b"ok")
    assert read(client, 2) == b"ok"
    assert not happened.is_set()
    line.target.setblocking(False)
    with pytest.raises(BlockingIOError):
        line.target.accept()


def test_a_commit_with_a_lost_answer_is_stored(mariadb):
    with Proxy(mariadb.port) as proxy, mariadb.connect() as root, root.cursor() as direct:
        direct.execute("CREATE DATABASE lost_answer")
        direct.execute("CREATE TABLE lost_answer.messages (id INT PRIMARY KEY)")
        with contextlib.closing(pymysql.connect(host="127.0.0.1", port=proxy.port, user="root", autocommit=True,
                                                ssl_disabled=True, database="lost_answer")) as connection:
            happened = proxy.lose_answer(b"INSERT INTO messages")
            with connection.cursor() as cursor, pytest.raises(pymysql.OperationalError):
                cursor.execute("INSERT INTO messages VALUES (7)")
        assert happened.wait(ANSWER_SECONDS)
        direct.execute("SELECT id FROM lost_answer.messages")
        assert direct.fetchall() == ((7,),)
        direct.execute("DROP DATABASE lost_answer")


@pytest.fixture
def web(line):
    """A target that is a web server. It answers each POST with a number, but only when two of them have arrived."""
    both_there = threading.Barrier(2)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.answer(b"a page")

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(b"%s, %d" % (body, both_there.wait(ANSWER_SECONDS)))

        def answer(self, body):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words):
            pass
    server = http.server.ThreadingHTTPServer(line.target.getsockname(), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = line.target
    threading.Thread(target=server.serve_forever, args=(LOOK_SECONDS,), daemon=True).start()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", line.proxy.port, timeout=ANSWER_SECONDS)) as client:
        yield client
    server.shutdown()
    server.server_close()


def test_a_request_is_repeated_at_the_same_time(line, web):
    for round_ in (b"first", b"second"):
        happened = line.proxy.repeat(b"POST /messages/")
        web.request("GET", "/messages/bob")
        assert web.getresponse().read() == b"a page"
        assert not happened.is_set()
        text = round_ + b" text" * 10_000
        web.request("POST", "/messages/bob", iter([text[:7], text[7:]]), {"Content-Length": str(len(text))})
        answer = web.getresponse().read()
        assert happened.wait(ANSWER_SECONDS)
        assert line.proxy.repeated.startswith(b"HTTP/1.1 200")
        repeated = line.proxy.repeated.partition(b"\r\n\r\n")[2]
        assert sorted([answer, repeated]) == [text + b", 0", text + b", 1"]


@pytest.mark.parametrize("first", ["client's", "twin's"])
def test_a_repeated_request_is_over_when_both_are_answered(line, first):
    answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    client, server = line.connect()
    happened = line.proxy.repeat(b"POST /")
    client.sendall(b"POST / HTTP/1.1\r\n\r\n")
    twin = line.accept()
    assert read(server, 19) == read(twin, 19) == b"POST / HTTP/1.1\r\n\r\n"
    sooner, later = (server, twin) if first == "client's" else (twin, server)
    sooner.sendall(answer)
    line.pass_what_can()
    assert not happened.is_set() and line.proxy.repeated == b""
    later.sendall(answer)
    assert happened.wait(ANSWER_SECONDS)
    assert read(client, len(answer)) == line.proxy.repeated == answer
    assert twin.recv(1) == b""


def test_a_request_whose_repetition_is_refused_is_still_sent(line):
    client, server = line.connect()
    line.target.close()
    happened = line.proxy.repeat(b"POST /")
    for _again in range(2):
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\ntext")
        assert read(server, 42) == b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\ntext"
    assert not happened.is_set()


def test_orders_to_a_closed_proxy_are_errors():
    with Proxy(1) as proxy:
        pass
    with pytest.raises(RuntimeError):
        proxy.cut()


# --- a network and disks of our own ---------------------------------------------------------------------------------

def run(script, *before, **environment):
    """Return the JSON that a script prints."""
    script = "import json, sys\nfrom lab import namespace\n" + script
    done = subprocess.run([*before, sys.executable, "-c", script], cwd=ROOT, env={**os.environ, **environment},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def inside(script):
    """Return what a script prints that enters namespaces of its own."""
    return run("namespace.enter(sys.orig_argv)\n" + script)


def as_if_outside(script, **environment):
    """Return what a script prints that believes to be outside of any namespace.

    In fact it runs in a namespace, so that a guard that fails does not change the machine's rules or disks.
    """
    return run(script, *namespace._unshare(), **environment)


needs_namespaces = pytest.mark.skipif(namespace._unshare() is None, reason="no namespaces here, as `missing` says")


@needs_namespaces
def test_inside_there_are_a_network_and_file_systems_of_our_own():
    told = inside("""
import os, socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
print(json.dumps([namespace._namespaces(), namespace.inside(), namespace.missing()]))
""")
    assert set(told[0]).isdisjoint(namespace._namespaces())
    assert told[1:] == [True, []]


@needs_namespaces
def test_where_it_is_not_allowed_it_goes_on_and_says_what_is_missing(tmp_path):
    make_program(tmp_path, "unshare", "exit 1")
    told = as_if_outside("""
namespace.enter(sys.orig_argv)
print(json.dumps([namespace.inside(), namespace.loss_possible(), dict(namespace.missing())]))
""", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert told[:2] == [False, False]
    assert list(told[2]) == ["30 % of packets lost", "database full"]


@needs_namespaces
def test_the_machines_own_network_and_disks_are_left_alone(tmp_path):
    told = as_if_outside(f"""
import os, subprocess
from pathlib import Path
path = Path({str(tmp_path)!r})
def refuses(function):
    try:
        function()
    except RuntimeError:
        return True
told = [refuses(namespace.Loss([1], 100).begin), namespace.small_disk(path, 1), os.path.ismount(path)]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "not-ours", path], check=True)
print(json.dumps([*told, refuses(lambda: namespace.fill(path)), os.listdir(path)]))
""")
    assert told == [True, False, False, True, []]


@needs_namespaces
@pytest.mark.parametrize("shared", [0, 1])
def test_with_one_namespace_of_the_machine_we_are_not_inside(shared):
    told = as_if_outside("""
import os
given = ["net:[1]", "mnt:[1]"]
given[%d] = namespace._namespaces()[%d]
os.environ[namespace.OUTSIDE] = " ".join(given)
print(json.dumps(namespace.inside()))
""" % (shared, shared))
    assert told is False


@needs_namespaces
def test_a_small_disk_hides_nothing(tmp_path):
    (tmp_path / "kept").touch()
    assert inside(f"print(json.dumps(namespace.small_disk({str(tmp_path)!r}, 1)))") is False


@needs_namespaces
def test_packets_are_lost_between_begin_and_end():
    lost, text, after = inside("""
import socket
with socket.create_server(("127.0.0.1", 0)) as listener:
    client = socket.create_connection(listener.getsockname())
    server = listener.accept()[0]
    loss = namespace.Loss([listener.getsockname()[1], 1], 100)
    loss.begin()
    client.sendall(b"lost, and sent again by TCP")
    lost = loss.end()
    text = server.recv(100).decode()
    loss.begin()
    print(json.dumps([lost, text, loss.end()]))
""")
    assert (lost, text, after) == (1, "lost, and sent again by TCP", 0)


@needs_namespaces
def test_of_all_packets_in_both_directions_that_share_is_lost():
    lost = inside("""
import socket
with socket.create_server(("127.0.0.1", 0)) as closed:
    port = closed.getsockname()[1]
loss = namespace.Loss([port], 30)
loss.begin()
loss.begin()
for _ in range(2000):
    with socket.socket() as client:
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", port))
print(loss.end())
""")
    # 30 % of the attempts are lost, and of the remaining 70 % another 30 % lose the refusal.
    assert lost == pytest.approx(2000 * (0.3 + 0.7 * 0.3), abs=120)


@needs_namespaces
def test_a_cut_off_address_is_reached_by_nobody_and_reaches_nobody():
    during, after = inside("""
import socket
def reaches(source, host, port):
    with socket.socket() as client:
        client.settimeout(1)
        client.bind((source, 0))
        return client.connect_ex((host, port)) == 0
with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.2", one.getsockname()[1])), \\
        socket.create_server(("127.0.0.1", 0)) as of_another_port:
    port, another = one.getsockname()[1], of_another_port.getsockname()[1]
    ways = [("127.0.0.2", "127.0.0.1", port), ("127.0.0.1", "127.0.0.2", port), ("127.0.0.3", "127.0.0.2", port),
            ("127.0.0.2", "127.0.0.1", another)]
    with namespace.cut_off("127.0.0.1", port):
        during = [reaches(*way) for way in ways]
    print(json.dumps([during, [reaches(*way) for way in ways]]))
""")
    assert (during, after) == ([False, False, True, True], [True] * 4)


@needs_namespaces
def test_an_address_is_cut_off_by_all_its_ports():
    during, after = inside("""
import socket
def reaches(source, host):
    with socket.socket() as client:
        client.settimeout(0.3)
        client.bind((source, 0))
        return client.connect_ex((host, servers[host].getsockname()[1])) == 0
servers = {host: socket.create_server((host, 0)) for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3")}
ways = [("127.0.0.1", "127.0.0.2"), ("127.0.0.2", "127.0.0.1"), ("127.0.0.1", "127.0.0.3")]
with namespace.cut_off("127.0.0.2"):
    during = [reaches(*way) for way in ways]
print(json.dumps([during, [reaches(*way) for way in ways]]))
""")
    assert (during, after) == ([False, False, True], [True] * 3)


MEMBER = """
import socket, sys
old, free = (socket.create_connection(("127.0.0.1", int(port)), 0.3) for port in sys.argv[1:])
for word in sys.stdin:
    old.sendall(word.encode())
    free.sendall(word.encode())
    with socket.socket() as new:
        new.settimeout(1)
        is_reached = new.connect_ex(old.getpeername()) == 0
    try:
        heard = old.recv(100).decode()
    except TimeoutError:
        heard = None
    print(is_reached, heard, flush=True)
"""


@needs_namespaces
@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can give a process another group")
def test_a_group_that_is_cut_off_neither_speaks_nor_hears_by_old_connections_or_new_ones():
    """Other ports are still reachable, and so are all ports for processes of another group."""
    if not inside("print(json.dumps(namespace.group_cut_possible()))"):
        pytest.skip("this kernel does not follow connections, as the table says then")
    told = inside(f"""
import socket, subprocess
MEMBER = {MEMBER!r}
""" + """
def say(word):
    old.sendall(word.encode())
    print(word, file=member.stdin, flush=True)
    return member.stdout.readline().strip()
def hears(connection):
    try:
        return connection.recv(100).decode().strip()
    except TimeoutError:
        return None
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("127.0.0.1", 0)) as other, namespace.groups_marked([42]):
    ports = [str(listener.getsockname()[1]) for listener in (server, other)]
    with subprocess.Popen([sys.executable, "-c", MEMBER, *ports], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True, group=42) as member:
        (old, _), (free, _) = server.accept(), other.accept()
        old.settimeout(0.3), free.settimeout(0.3)
        told = [say("before"), hears(old), hears(free)]
        with namespace.group_cut_off(42, ports[:1]):
            told += [say("during"), hears(old), hears(free)]
            socket.create_connection(server.getsockname(), 0.3).close()
        old.settimeout(10)
        told.append(hears(old))
        member.stdin.close()
print(json.dumps(told))
""")
    assert told == ["True before", "before", "before", "False None", None, "during", "during"]


@needs_namespaces
def test_a_small_disk_can_be_filled_and_freed(tmp_path):
    told = inside(f"""
from pathlib import Path
path = Path({str(tmp_path)!r})
def can_write():
    try:
        (path / "file").write_bytes(bytes(500_000))
        return True
    except OSError as error:
        return error.strerror
    finally:
        (path / "file").unlink()
told = [namespace.small_disk(path, 1), can_write()]
namespace.fill(path)
told.append(can_write())
namespace.free(path)
print(json.dumps([*told, can_write()]))
""")
    assert told == [True, True, "No space left on device", True]
    assert not os.path.ismount(tmp_path)


# --- the clock ------------------------------------------------------------------------------------------------------

HOUR = 3600
JITTER = 0.05       # seconds by which two clocks of a machine differ
needs_clock = pytest.mark.skipif(fake_clock._library() is None, reason="no libfaketime here, as `missing` says")
CLOCKS = """
import warnings
warnings.simplefilter("ignore")
import eventlet
eventlet.monkey_patch()
import time
from eventlet import tpool
from datetime import datetime
while True:
    input()
    began = time.monotonic()
    time.sleep(0.02)
    eventlet.sleep(0.02)
    tpool.execute(eventlet.patcher.original("time").sleep, 0.02)
    print(time.time(), datetime.now().timestamp(), time.monotonic(), time.monotonic() - began, flush=True)
"""


@pytest.fixture
def clock(tmp_path):
    return FakeClock(tmp_path)


@needs_clock
def test_the_wall_clock_of_a_running_process_moves_and_time_passes_as_ever(clock):
    process = subprocess.Popen([sys.executable, "-c", CLOCKS], env={**os.environ, **clock.environment()}, text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        for offset in (0, HOUR, -HOUR, 0.5, 0):
            clock.set(offset)
            begun, wall_before = time.monotonic(), time.time()
            process.stdin.write("\n")
            process.stdin.flush()
            wall, date, monotonic, slept = map(float, process.stdout.readline().split())
            assert wall_before - JITTER < wall - offset <= date - offset + JITTER < time.time() + 2 * JITTER
            assert begun < monotonic < time.monotonic()
            assert 0.06 <= slept < 60, "on a busy machine, but not an hour"
        process.kill()


@needs_clock
@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_the_chat_runs_under_a_clock_that_moves(clock, start_server, arrive, mode):
    server = start_server(ASYNC_MODE=mode, **clock.environment())
    alice, bob = arrive(server), arrive(server)
    tab = bob.tab()
    for seq, offset in enumerate((0, HOUR, -HOUR), start=1):
        clock.set(offset)
        assert alice.tab().send(bob, "what time is it?")["ok"]
        message = tab.wait_for("receiveMessage")
        assert message["seq"] == seq
        shown = datetime.fromisoformat(message["timestamp"].removesuffix("Z")).replace(tzinfo=timezone.utc).timestamp()
        assert shown - time.time() == pytest.approx(offset, abs=5)
    assert server.stop() == 0


def test_without_the_library_there_is_no_clock_to_move_and_that_is_said(clock, monkeypatch):
    monkeypatch.setattr(fake_clock, "LIBRARIES", ())
    monkeypatch.setattr(fake_clock, "missing", fake_clock.missing.__wrapped__)
    assert not clock.possible
    assert clock.environment() == {}
    assert fake_clock.missing() == [("clock one hour off, stepping back", "libfaketime is not installed")]


def test_a_library_that_does_not_do_it_is_not_used(monkeypatch):
    monkeypatch.setattr(fake_clock, "_library", lambda: "/no/such/library.so")
    [(_what, why)] = fake_clock.missing.__wrapped__()
    assert why == "libfaketime does not move the wall clock alone"


def test_what_killed_processes_leave_behind_is_removed(monkeypatch, tmp_path):
    monkeypatch.setattr(fake_clock, "SHARED_MEMORY", tmp_path)
    for name in (f"faketime_shm_{os.getpid()}", "faketime_shm_99999999", "sem.faketime_sem_99999999", "faketime_other"):
        (tmp_path / name).touch()
    fake_clock._remove_leftovers()
    assert sorted(os.listdir(tmp_path)) == sorted([f"faketime_shm_{os.getpid()}", "faketime_other"])

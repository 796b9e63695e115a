"""What the machines of students are like: a port that is taken, a terminal without emoji, Windows' select(), macOS' limits."""
import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys

import pytest

import wsgi
from chat.live import select_hub
from chat.live.process_tuning import raise_fd_limit
from chat.live.runtime import Runtime
from chat.storage import instance
from tests.conftest import SECRET_KEY
from tests.people import ANSWER_SECONDS
from tests.private_server import free_ports
from tests.server import ROOT
from tools import addresses

FOLDER_TAKEN = "A chat runs already with the folder"
BEYOND = 600        # connections; more than select() takes on Windows


# --- the port ---------------------------------------------------------------------------------------------------

def listen(host, port, given=False):
    listener = wsgi.listen(Runtime("threading"), {"HOST": host, "PORT": port, "PORT_FIXED": given})
    with contextlib.closing(listener):
        return listener.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
@pytest.mark.parametrize("others", ["127.0.0.1", "0.0.0.0"])
def test_where_no_port_is_given_the_next_free_one_is_taken(host, others, capsys):
    port = free_ports(3)
    assert (listen(host, port), capsys.readouterr().out) == (port, "")
    with socket.create_server((others, port)), socket.create_server((others, port + 1)):
        assert listen(host, port) == port + 2
        said = capsys.readouterr().out
        assert said == f"Port {port} is in use by another program. The chat uses port {port + 2} instead. PORT=... chooses one.\n"
        with pytest.raises(OSError):
            listen(host, port, given=True)


def test_no_port_at_all_is_free(monkeypatch):
    port = free_ports(1)
    monkeypatch.setattr(wsgi, "PORTS_TRIED", 1)
    with socket.create_server(("127.0.0.1", port)), pytest.raises(OSError):
        listen("127.0.0.1", port)


def test_an_address_that_can_be_clicked(monkeypatch):
    own = {socket.AF_INET: "10.0.0.7", socket.AF_INET6: "fd00::7"}
    monkeypatch.setattr(addresses, "own_address", own.get)
    monkeypatch.setattr(addresses, "_takes_ipv4", lambda: True)
    assert addresses.addresses("0.0.0.0", 5000) == "http://127.0.0.1:5000 and on the network at http://10.0.0.7:5000"
    assert addresses.addresses("::", 5000) == "http://[::1]:5000 and on the network at http://10.0.0.7:5000"
    assert addresses.addresses("::1", 5000) == "http://[::1]:5000" and addresses.addresses("10.0.0.7", 80) == "http://10.0.0.7:80"
    monkeypatch.setattr(addresses, "_takes_ipv4", lambda: False)
    assert addresses.addresses("::", 5000) == "http://[::1]:5000 and on the network at http://[fd00::7]:5000"
    own.clear()
    assert addresses.addresses("0.0.0.0", 5000) == "http://127.0.0.1:5000"


@pytest.mark.parametrize("family, here, loopback", [(socket.AF_INET, "10.0.0.7", "127.0.1.1"), (socket.AF_INET6, "fd00::7", "fe80::7%eth0")])
def test_a_network_without_a_way_out_has_an_address_too(monkeypatch, family, here, loopback):
    """No route leads to the probe; the interfaces, and elsewhere the machine's name, tell it."""
    monkeypatch.setattr(addresses, "PROBES", {family: "no address"})
    monkeypatch.setattr(addresses, "getaddrinfo", lambda *_of: [(family, 1, 6, "", (found, 0)) for found in (loopback, here)])
    monkeypatch.setattr(sys, "platform", "win32")
    assert addresses.own_address(family) == here
    monkeypatch.setattr(addresses, "getaddrinfo", lambda *_of: [(family, 1, 6, "", (loopback, 0))])
    assert addresses.own_address(family) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is asked for its interfaces")
def test_the_interfaces_tell_what_the_route_tells():
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):      # it is on no network
            (by_route,) = addresses._by_route(family)
            assert by_route in addresses._by_interfaces(family)


def test_a_port_is_not_shared_on_windows(monkeypatch):
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_KEEPALIVE, raising=False)      # any that can be looked at here
    with contextlib.closing(Runtime("threading").listen("127.0.0.1", 0)) as listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert not listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)


def test_localhost_is_found_without_the_hosts_file(tmp_path):
    """As on Windows; eventlet asks that file and DNS alone."""
    (tmp_path / "hosts").write_text("# localhost name resolution is handled within DNS itself.\n")
    script = ("import os, wsgi; from eventlet.support import greendns; names = greendns.HostsResolver; begin = names.__init__;"
              f"names.__init__ = lambda self: begin(self, fname={str(tmp_path / 'hosts')!r});"
              "greendns.resolver = greendns.ResolverProxy(hosts_resolver=names());"
              "wsgi.patch('eventlet'); import socket; print(socket.getaddrinfo('localhost', 80, socket.AF_INET)[0][4])")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "('127.0.0.1', 80)\n", done.stderr


# --- one folder ---------------------------------------------------------------------------------------------------

def test_a_second_server_in_the_same_folder_is_refused(start_server, arrive, tmp_path):
    first = start_server(INSTANCE_PATH=str(tmp_path))
    with pytest.raises(RuntimeError, match=FOLDER_TAKEN) as told:
        start_server(INSTANCE_PATH=str(tmp_path))
    assert str(told.value).count("\n") == 1
    assert arrive(first).get("/").status_code == 200
    done = subprocess.run([sys.executable, "-m", "tools.backup", "backup", str(tmp_path / "file")], cwd=ROOT,
                          capture_output=True, text=True, env={**os.environ, "INSTANCE_PATH": str(tmp_path)}, timeout=60)
    assert "people: 1" in done.stdout, done.stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_folder_is_free_as_soon_as_its_server_has_ended(start_server, tmp_path, number):
    for _time in range(3):
        server = start_server(INSTANCE_PATH=str(tmp_path))
        server.process.send_signal(number)
        server.process.wait(ANSWER_SECONDS)


def test_several_servers_with_a_redis_share_a_folder_with_nobody_else(start_server, server_mode_settings, tmp_path):
    """Who has no Redis would hear nothing of the others, and they nothing of it."""
    servers = [start_server(INSTANCE_PATH=str(tmp_path), **server_mode_settings) for _n in range(2)]
    servers.pop().stop()
    with pytest.raises(RuntimeError, match=FOLDER_TAKEN):
        start_server(INSTANCE_PATH=str(tmp_path))
    servers.pop().stop()
    start_server(INSTANCE_PATH=str(tmp_path))
    with pytest.raises(RuntimeError, match=FOLDER_TAKEN):
        start_server(INSTANCE_PATH=str(tmp_path), **server_mode_settings)


class Ranges:
    """Windows' locks: of ranges of bytes, none of them shared."""

    LK_NBLCK = 2

    def __init__(self):
        self.held = {}      # file descriptor -> bytes

    def locking(self, descriptor, _how, count):
        at = os.lseek(descriptor, 0, os.SEEK_CUR)
        wanted = set(range(at, at + count))
        if any(wanted & held for held in self.held.values()):
            raise OSError(errno.EACCES, "Permission denied")
        self.held[descriptor] = wanted


def test_a_folder_is_shared_on_windows_too(monkeypatch, tmp_path):
    ranges = Ranges()
    monkeypatch.setattr(instance, "msvcrt", ranges, raising=False)
    monkeypatch.setattr(instance, "SHARES", 3)
    path = tmp_path / "server.lock"
    with contextlib.ExitStack() as stack:
        one, other, third, fourth = (stack.enter_context(open(path, "a+b")) for _n in range(4))
        instance._lock_on_windows(one, is_shared=False)
        for is_shared in (True, False):
            with pytest.raises(OSError):
                instance._lock_on_windows(other, is_shared)
        ranges.held.clear()
        for file in (one, other, third):
            instance._lock_on_windows(file, is_shared=True)
        for is_shared in (True, False):
            with pytest.raises(OSError):
                instance._lock_on_windows(fourth, is_shared)


# --- the terminal -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_a_terminal_without_emoji_prints_on(start_server, arrive, encoding, mode):
    server = start_server(PYTHONIOENCODING=encoding, PYTHONUTF8="0", ASYNC_MODE=mode)
    alice, bob = arrive(server), arrive(server)
    tab = alice.tab()
    tab.send(bob, "before \U0001f600 \u65e5")
    emoji = "\U0001f600 \u65e5" if encoding == "utf-8" else "\\U0001f600 \\u65e5"
    assert f"before {emoji}" in server.line_with("before")
    tab.send(bob, "after it")
    assert server.line_with("after it")


def test_what_manage_py_starts_prints_on():
    script = ("import os, subprocess, sys; from tools.commands import _hand_over;"
              "os.execv = lambda *_command: sys.exit(subprocess.call([sys.executable, '-c', 'print(chr(128512))'])); _hand_over([])")
    for encoding in ("ascii", "cp1252:strict"):
        done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, encoding="latin-1",
                              env={**os.environ, "PYTHONIOENCODING": encoding}, timeout=60)
        assert done.stdout == "\\U0001f600\n", done.stderr


# --- the limits of systems ----------------------------------------------------------------------------------------

def test_as_many_files_as_the_system_gives(monkeypatch):
    """macOS tells no bound, and refuses what is above one."""
    import resource
    given = []

    def refuse_much(_what, limits):
        if limits[0] > 10_240:
            raise ValueError("current limit exceeds maximum limit")
        given.append(limits)
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse_much)
    raise_fd_limit()
    assert given == [(10_000, resource.RLIM_INFINITY)]
    monkeypatch.setattr(resource, "setrlimit", lambda *_arguments: (_ for _ in ()).throw(OSError))
    raise_fd_limit()
    monkeypatch.setitem(sys.modules, "resource", None)      # Windows has none
    raise_fd_limit()


@pytest.mark.slow
def test_more_connections_than_select_takes(start_server, arrive):
    server = start_server(EVENTLET_HUB="selects")
    alice, bob = arrive(server), arrive(server)
    tab = alice.tab()
    address = ("127.0.0.1", int(server.settings["PORT"]))
    with contextlib.ExitStack() as opened:
        crowd = [opened.enter_context(socket.create_connection(address, ANSWER_SECONDS)) for _n in range(BEYOND)]
        said = refusals(crowd)
        assert said and set(said) == {select_hub.REFUSAL}
        assert tab.send(bob, "who is in goes on")["ok"]
        assert server.process.poll() is None
    assert alice.get("/").status_code == 200, "who comes when they have gone is let in"


def refusals(crowd):
    """Return what those were told that were refused in words."""
    told = []
    for connection in crowd:
        connection.settimeout(0.01)
        with contextlib.suppress(OSError):
            answer = b""
            while part := connection.recv(4096):
                answer += part
            told.append(answer) if answer else None
    return told


@pytest.mark.slow
def test_other_hubs_take_thousands():
    script = "from chat.live.eventlet_server import MAX_CONNECTIONS; print(MAX_CONNECTIONS)"    # eventlet warns at each fork: not here
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert int(done.stdout) > BEYOND > 512 > select_hub.MAX_CONNECTIONS + select_hub.MAX_REFUSALS, done.stderr

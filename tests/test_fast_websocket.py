"""The shortcuts: the libraries are still what they were written for, and with and without them people notice no difference."""
import ast
import hashlib
import json
import random
import socket
import subprocess
import sys
import sysconfig
import threading
from collections import deque
from pathlib import Path

import pytest

from chat.live.fast_websocket import BufferedSocket, FastWebSocket, fast
from tests.people import new_client_id
from tools import ROOT

PACKAGES = Path(sysconfig.get_path("purelib"))

# What the shortcuts replace or rely on, as it was when they were written: the first digits of the digest of its source.
# It is read and not imported: eventlet warns at each fork of a process that has it.
REPLACED = {
    "eventlet/websocket.py": {
        "RFC6455WebSocket._apply_mask": "56544977", "RFC6455WebSocket._send": "3b82c61e", "RFC6455WebSocket._recv_frame": "79c71b83",
        "RFC6455WebSocket._pack_message": "ed2ea2ef", "RFC6455WebSocket.wait": "5eaee24d", "RFC6455WebSocket.close": "c84e45fd",
        "RFC6455WebSocket._send_closing_frame": "49681663", "WebSocketWSGI.__call__": "9504898e", "WebSocketWSGI._handle_hybi_request": "6c0cf3b5"},
    "engineio/async_drivers/eventlet.py": {"WebSocketWSGI.__call__": "7ff4cce2"},
    "engineio/socket.py": {
        "Socket.send": "add5df2e", "Socket.close": "45bbdca6", "Socket.poll": "cebc4307", "Socket.schedule_ping": "ad28edec", "Socket._send_ping": "82390089", "Socket.receive": "f5336b1e",
        "Socket.check_ping_timeout": "dc3c2335", "Socket.handle_get_request": "f73e4aab", "Socket._upgrade_websocket": "b2d04bae", "Socket._websocket_handler": "613e11f7"},
    "engineio/server.py": {"Server._handle_connect": "80eeebd5", "Server._service_task": "7f1e4aff"},
}


def digest(file, name):
    """Return the digest of the source of a method, `Class.method`."""
    source = (PACKAGES / file).read_text(encoding="utf-8")
    class_name, method = name.split(".")
    [found] = [part for body in ast.parse(source).body if isinstance(body, ast.ClassDef) and body.name == class_name
               for part in body.body if isinstance(part, ast.FunctionDef) and part.name == method]
    return hashlib.sha256(ast.get_source_segment(source, found).encode()).hexdigest()[:8]


@pytest.mark.parametrize("shortcuts", ["1", "0"])
def test_it_works(start_server, arrive, shortcuts):
    """Two people talk by WebSocket, by polling, and on the way from one to the other."""
    server = start_server(SHORTCUTS=shortcuts)
    alice, bob = arrive(server), arrive(server)
    for transports in (["websocket"], ["polling"], None):
        sending, receiving = alice.tab(transports=transports), bob.tab(transports=transports)
        for text in ("short", "é🙂" * 1_999, "x" * 126, "y" * 70):
            answer = sending.send(bob, text)
            assert receiving.wait_for("receiveMessage") == answer["message"]
            assert answer["message"]["message"] == text
        sending.close()
        receiving.close()
    assert [m["seq"] for m in bob.history(alice)["messages"]] == list(range(1, 13))


@pytest.mark.parametrize("file, name", [(file, name) for file in REPLACED for name in REPLACED[file]])
def test_the_library_is_what_the_shortcut_was_written_for(file, name):
    assert digest(file, name) == REPLACED[file][name], f"{name} has changed: read it, and compare chat/live/fast_websocket.py and fast_engineio.py"


def test_unmasking():
    dice = random.Random(4)
    for length in (0, 1, 2, 3, 4, 5, 125, 126, 4096, 65_535):
        for offset in range(5):
            data, mask = dice.randbytes(length), tuple(dice.randbytes(4))
            plain = bytes(byte ^ mask[(offset + n) % 4] for n, byte in enumerate(data))
            assert FastWebSocket._apply_mask(data, mask, length, offset) == plain


def test_reading_ahead_gives_every_byte_once():
    dice, (here, there) = random.Random(5), socket.socketpair()
    sent = dice.randbytes(50_000)
    with here, there:
        threading.Thread(target=there.sendall, args=(sent,)).start()
        buffered, received = BufferedSocket(Blocking(here)), b""
        while len(received) < len(sent):
            max_bytes = dice.choice((2, 4, 8, 5_000))
            part = buffered.recv(max_bytes)
            assert 0 < len(part) <= max_bytes
            received += part
    assert received == sent


class Blocking:
    """A socket of the standard library, with what eventlet's have besides."""

    def __init__(self, raw):
        self.recv = raw.recv

    def _read_trampoline(self):
        pass    # recv waits by itself


class SlowSocket:
    """Takes a few bytes, then none, until somebody waits."""

    def __init__(self):
        self.taken, self.room, self.fd = b"", 10, self

    def send(self, data):
        if not self.room:
            raise BlockingIOError
        part, self.room = data[:self.room], 0
        self.taken += part
        return len(part)

    def sendall(self, data):
        self.taken += bytes(data)

    def shutdown(self, how):
        self.taken += b"|"

    def close(self):
        pass


class LibraryWebSocket:
    """As much of eventlet's as the shortcuts call."""

    def __init__(self, socket):
        self.socket = socket

    def close(self, close_data=None):
        self._send(b"farewell")
        self.socket.shutdown(socket.SHUT_WR)


@pytest.fixture
def slow():
    """A WebSocket whose client is slow, and the tasks that it started."""
    raw, tasks = SlowSocket(), deque()
    websocket = fast(LibraryWebSocket)(raw)
    websocket.begin(tasks.append)
    return websocket, raw, tasks


def test_what_the_kernel_does_not_take_waits_and_keeps_its_order(slow):
    websocket, raw, tasks = slow
    frames = [b"first frame", b"second", b"third"]
    for frame in frames:
        websocket._send(frame)
    assert raw.taken == b"first fram" and websocket.unsent_bytes() == len(b"esecondthird") and len(tasks) == 1
    tasks.popleft()()
    assert raw.taken == b"".join(frames) and websocket.unsent_bytes() == 0


def test_the_farewell_comes_after_what_was_said_before(slow):
    websocket, raw, tasks = slow
    websocket._send(b"first frame")
    websocket.close()
    websocket._send(b"too late")
    tasks.popleft()()
    assert raw.taken.startswith(b"first frame") and raw.taken.endswith(b"|") and b"late" not in raw.taken


@pytest.mark.slow
@pytest.mark.parametrize("shortcuts", ["1", "0"])
def test_pings_go_out_and_who_does_not_answer_is_dropped(shortcuts):
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", SILENT_CLIENT, shortcuts], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    pings, ended = json.loads(done.stdout.splitlines()[-1])
    assert pings == 3 and ended, "two were answered, the third was not"


# A server and a client in one process, with pings a hundred times as often as they are.
SILENT_CLIENT = """
import eventlet
eventlet.monkey_patch()
import json, sys, tempfile
import eventlet.wsgi
from websocket import create_connection
import chat, config

chat.SOCKETIO_OPTIONS.update(ping_interval=0.2, ping_timeout=0.5)
app = chat.create_app(config.load({"INSTANCE_PATH": tempfile.mkdtemp(), "SHORTCUTS": sys.argv[1]}))
app.chat.start()
listener = app.runtime.listen("127.0.0.1", 0)
eventlet.spawn(app.runtime.serve, app, listener)
url = "127.0.0.1:%d" % listener.getsockname()[1]
line = create_connection("ws://" + url + "/socket.io/?EIO=4&transport=websocket", origin="http://" + url, timeout=5)
pings = 0
while True:
    said = line.recv()
    if said in ("", "1"):
        break
    if said == "2":
        pings += 1
        if pings < 3:
            line.send("3")
eventlet.sleep(0.1)
print(json.dumps([pings, not app.chat.server.eio.sockets or all(c.closed for c in app.chat.server.eio.sockets.values())]))
"""


def test_a_burst_to_one_tab_comes_whole_and_in_order(start_server, arrive):
    """More than the kernel takes at once: what waits is written when the client reads again."""
    server = start_server()
    alice, bob = arrive(server), arrive(server)
    sending, receiving = alice.tab(transports=["websocket"]), bob.tab(transports=["websocket"])
    for n in range(300):
        sending.client.emit("sendMessage", {"clientId": new_client_id(), "receiverId": bob.id, "message": f"{n} " + "x" * 3_900})
    assert [receiving.wait_for("receiveMessage")["seq"] for _n in range(300)] == list(range(1, 301))

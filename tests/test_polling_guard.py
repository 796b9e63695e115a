"""What stands in front of Socket.IO: malformed, too large and endless requests cost their sender, and nobody else."""
import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import pytest
import websocket

import config
from tests.conftest import MODES
from tests.people import ANSWER_SECONDS, new_client_id

EDGE = 64 * 1024        # bytes of one frame or one polling body
SOON = 5                # seconds within which the refusals answer, on a busy machine; a body has ten
AT_ONCE = 100           # requests that stay unfinished at the same time
REAPED = 13             # seconds within which a transport that never connects is closed: 10, and a look each second

# The long ones stop at the transport: where messages and sessions are kept makes no difference to them.
one_of_each_transport = pytest.mark.parametrize("chat", [mode for mode in MODES if mode != "server"], indirect=True)


class Polling:
    """A polling transport, packet by packet."""

    def __init__(self, person):
        self.person = person
        self.path = "/socket.io/?EIO=4&transport=polling"
        self.sid = json.loads(self.poll()[0][1:])["sid"]
        self.path += "&sid=" + self.sid

    def poll(self):
        """Return the packets of one answer."""
        return self.person.get(self.path).text.split("\x1e")

    def post(self, body):
        return self.person.post(self.path, body)

    def connect(self):
        self.post("40")
        while not any(packet.startswith("40") for packet in self.poll()):
            pass
        return self

    def until_closed(self):
        """Return the packets of all answers up to the one that says that the transport is closed."""
        packets = []
        while "1" not in packets:
            answer = self.person.get(self.path)
            assert answer.status_code == 200, answer.text
            packets += answer.text.split("\x1e")
        return packets

    def acknowledgements(self, count):
        """Return {number: payload} of that many acknowledgements."""
        answers = {}
        while len(answers) < count:
            for packet in self.poll():
                found = re.fullmatch(r"43(\d+)\[(.*)\]", packet)
                if found:
                    answers[int(found[1])] = json.loads(found[2])
        return answers


@pytest.fixture
def raw_websocket():
    """Open a WebSocket on which every frame is one's own; with a Socket.IO connection on it, or without."""
    with ExitStack() as opened:
        def connect(person, join=True, **options):
            ws = websocket.create_connection(
                person.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket", cookie=person.cookie(),
                origin=person.url, timeout=ANSWER_SECONDS, **options)
            opened.callback(ws.shutdown)
            assert ws.recv().startswith("0")
            if join:
                ws.send("40")
                assert ws.recv().startswith("40")
            return ws
        yield connect


def is_closed(ws, within=ANSWER_SECONDS):
    """Read until the server ends the connection; False where it goes on."""
    ends_at = time.monotonic() + within
    try:
        while time.monotonic() < ends_at:
            ws.settimeout(max(0.1, ends_at - time.monotonic()))
            if ws.recv() == "2":
                ws.send("3")
            elif not ws.connected:
                return True
    except websocket.WebSocketTimeoutException:
        return False
    except (websocket.WebSocketException, OSError):
        return True
    return False


@contextmanager
def posting(url, head, body=b"", path="/socket.io/?EIO=4&transport=polling&sid=unknown"):
    """Send a POST byte by byte, so that it may stay unfinished; yield the socket."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=ANSWER_SECONDS) as sock:
        sock.sendall(f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{head}\r\n\r\n".encode() + body)
        yield sock


def send_event(number, event, payload):
    return f"42{number}{json.dumps([event, payload])}"


def test_it_works(chat, alice, bob, raw_websocket):
    polling = Polling(alice).connect()
    packet = send_event(1, "sendMessage", {"clientId": new_client_id(), "receiverId": bob.id, "message": "by hand"})
    assert polling.post(packet).text == "OK"
    assert polling.acknowledgements(1)[1]["ok"]
    ws = raw_websocket(bob)
    assert not is_closed(ws, within=1)


@pytest.mark.parametrize("body", [
    "9", "", "0", "2", "5", "6", "x", '3["a",["b"]]', '4["a",["b"]]', "3probes", "40\x1e", "\x1e40", "40\x1e9", b"4\xff", b"\xc3\x28", "4" + "x" * EDGE,
    "\x1e".join(["3"] * 501)])
def test_a_malformed_body_is_refused_soon(chat, alice, body):
    polling = Polling(alice)
    started = time.monotonic()
    answer = polling.post(body.encode() if isinstance(body, str) else body)
    assert answer.status_code == 400 and answer.text
    assert time.monotonic() - started < SOON
    assert alice.get("/").status_code == 200


@pytest.mark.parametrize("head, body", [
    ("Content-Length: 100", b"40"), ("Content-Length: 100", b""), ("Content-Length: 70000", b"4"),
    ("Content-Length: 99999999999999999999", b"4"), ("Content-Length: x", b"40"), ("Content-Length: -1", b"40"),
    ("Transfer-Encoding: chunked", b"2\r\n40"), ("Accept: */*", b"")])
def test_a_body_that_does_not_come_is_refused_soon(chat, head, body):
    _refused_soon(chat, head, body)


def test_a_burst_in_one_request_is_acknowledged_in_full(chat, alice, bob):
    polling = Polling(alice).connect()
    burst = [send_event(n, "sendMessage", {"clientId": new_client_id(), "receiverId": bob.id, "message": str(n)})
             for n in range(40)]
    assert polling.post("\x1e".join(burst)).status_code == 200
    assert all(answer["ok"] for answer in polling.acknowledgements(40).values())
    assert [m["message"] for m in alice.history(bob)["messages"]] == [str(n) for n in range(40)]


def test_500_packets_in_one_request_are_taken(chat, alice):
    polling = Polling(alice).connect()
    assert polling.post("\x1e".join(send_event(n, "nothing", {}) for n in range(500))).status_code == 200
    assert len(polling.acknowledgements(500)) == 500


@pytest.mark.slow
@one_of_each_transport
@pytest.mark.parametrize("head, body", [("Content-Length: 1", b"9"), ("Content-Length: 70000", b"4")])
def test_1100_refused_bodies_leave_the_server_alive(chat, alice, head, body):
    for _n in range(1100):
        _refused_soon(chat, head, body)
    assert alice.get("/").status_code == 200


@pytest.mark.slow
@one_of_each_transport
def test_1100_bodies_that_do_not_come_leave_the_server_alive(chat, alice):
    with ThreadPoolExecutor(AT_ONCE) as senders:
        list(senders.map(lambda _n: _refused_soon(chat, "Content-Length: 100", b"40"), range(1100)))
    assert alice.get("/").status_code == 200


def _refused_soon(chat, head, body):
    started = time.monotonic()
    with posting(chat.url, head, body) as sock:
        assert b" 400 " in sock.recv(100).partition(b"\r\n")[0]
    assert time.monotonic() - started < SOON


@pytest.mark.slow
@pytest.mark.parametrize("frame", ["4" + "x" * EDGE, '451-["sendMessage",{"_placeholder":true,"num":0}]',
                                   '461-1[{"_placeholder":true,"num":0}]', b"\x01\x02", b"\xb4 bytes",
                                   "42[", "42{}", "4", "4x", "42" + "[" * 60_000])
def test_a_frame_that_cannot_be_read_closes_its_connection_alone(chat, alice, bob, frame, raw_websocket):
    watching = bob.tab()
    ws = raw_websocket(alice)
    ws.send(frame, websocket.ABNF.OPCODE_BINARY if isinstance(frame, bytes) else websocket.ABNF.OPCODE_TEXT)
    assert is_closed(ws)
    assert watching.send(alice, "nobody else notices")["ok"]


def test_a_frame_is_refused_by_what_its_header_announces(chat, alice, raw_websocket):
    ws = raw_websocket(alice)
    ws.sock.sendall(b"\x81\xff" + (2 ** 40).to_bytes(8, "big") + b"mask")
    assert is_closed(ws, within=5)


@pytest.mark.slow
@pytest.mark.parametrize("size, count", [(60 * 1024, 10), (100, 1000), (0, EDGE + 10)])
def test_fragments_without_end_close_their_connection(chat, alice, raw_websocket, size, count):
    if not size and chat.settings["ASYNC_MODE"] == "threading":
        return      # simple-websocket keeps nothing of an empty fragment, so nothing has to end
    ws = raw_websocket(alice)
    kind = websocket.ABNF.OPCODE_TEXT
    with suppress(OSError):
        for _n in range(count):
            ws.send_frame(websocket.ABNF.create_frame("x" * size, kind, fin=0))
            kind = websocket.ABNF.OPCODE_CONT
    assert is_closed(ws, within=5), "before a ping, whose answer would not fit between fragments"
    assert alice.get("/").status_code == 200


def test_a_message_in_fragments_is_read(chat, alice, bob, raw_websocket):
    ws = raw_websocket(alice)
    packet = send_event(5, "sendMessage", {"clientId": new_client_id(), "receiverId": bob.id, "message": "in pieces"})
    for start in range(0, len(packet), 10):
        kind = websocket.ABNF.OPCODE_CONT if start else websocket.ABNF.OPCODE_TEXT
        ws.send_frame(websocket.ABNF.create_frame(packet[start:start + 10], kind, fin=int(start + 10 >= len(packet))))
    while not (packet := ws.recv()).startswith("435"):
        pass
    assert json.loads(packet[3:])[0]["ok"]


def test_a_logout_is_told_to_the_poll_under_way_and_to_what_comes_after_it(chat, alice):
    polling = Polling(alice).connect()
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(polling.until_closed)
        alice.log_out()
        assert told.result()[-1] == "1"
    # A browser shows a 400 as an error: what JavaScript's client sends after DISCONNECT is taken, and dropped.
    assert [polling.post(body).status_code for body in ("1", "40")] == [200, 200]
    assert polling.until_closed() == ["1"]
    assert alice.get(polling.path.replace("sid=", "sid=x")).status_code == 400, "nobody's transport"


@pytest.mark.slow
@pytest.mark.parametrize("chat", ["embedded"], indirect=True)     # 11 s, by what all modes share
def test_a_transport_that_never_connects_is_closed(chat, alice, raw_websocket):
    polling, ws = Polling(alice), raw_websocket(alice, join=False)
    assert is_closed(ws, within=REAPED)
    assert polling.until_closed() == ["1"], "the older one, so not later"


@pytest.mark.slow
@one_of_each_transport
def test_who_never_reads_is_dropped(chat, alice, bob, charlie, raw_websocket):
    watching = charlie.tab()
    ws = raw_websocket(bob, sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])
    watching.wait_for("updateOnlineUsers", lambda p: bob.id in p["online"])
    writing = alice.tab()
    text = "\U0001F600" * 4000      # 16 KB each; what waits in the kernel comes before the 1 MB of the server
    for number in range(800):
        writing.send(bob, text)
        if number % 20 == 0:
            with suppress(OSError):
                ws.send("3")        # it answers the pings that it never reads: it is slow, not gone
        if any(name == "updateOnlineUsers" and bob.id in payload.get("offline", ())
               for name, payload in list(watching.events.queue)):
            break
    else:
        watching.wait_for("updateOnlineUsers", lambda p: bob.id in p.get("offline", ()))
    assert is_closed(ws)
    assert writing.send(charlie, "nobody else notices")["ok"]


def test_a_body_that_comes_in_drops_is_refused_soon(chat):
    with posting(chat.url, "Content-Length: 30") as sock:
        started = time.monotonic()
        sock.settimeout(0.2)
        answer = b""
        while not answer and time.monotonic() - started < SOON:
            sock.sendall(b"4")
            with suppress(TimeoutError):
                answer = sock.recv(100)
        assert answer.startswith(b"HTTP/1.1 400") and time.monotonic() - started < SOON


@pytest.mark.slow
@pytest.mark.parametrize("mode", config.ASYNC_MODES)
def test_a_body_that_does_not_come_is_no_unforeseen_error(start_server, mode):
    server = start_server(ASYNC_MODE=mode)
    for _n in range(2):
        _refused_soon(server, "Content-Length: 100", b"40")
    server.stop()
    server.reader.join()
    assert "Traceback" not in "".join(server.seen)


def test_a_logout_ends_a_websocket_at_the_transport(chat, alice, raw_websocket):
    ws = raw_websocket(alice)
    alice.log_out()
    ws.sock.settimeout(3)
    while ws.sock.recv(1000):
        pass        # what is still sent: disconnect, close; then the end

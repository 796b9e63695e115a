"""WebSockets on which something comes that is no packet, before, during and after the upgrade: the connection ends, in every mode alike."""
import contextlib
import socket
import struct

import pytest
import websocket

from tests.attacks.conftest import ASYNC_MODES, measure
from tests.people import new_client_id
from tests.test_polling_guard import Polling, is_closed
from tests.waiting import wait_for

FORGOTTEN = 5       # seconds, within which a transport that ended is noted nowhere: a ping's time-out takes twenty
NO_PACKETS = ["x", "²", "b=", "😀", '3["a",["b"]]', '4["a",["b"]]']
TRIES = 5


@pytest.fixture(params=ASYNC_MODES)
def server(request, start_server):
    return start_server(ASYNC_MODE=request.param)


def open_websocket(person, more=""):
    return websocket.create_connection(f"{person.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket{more}",
                                       cookie=person.cookie(), origin=person.url, timeout=10)


def live(person):
    opened = open_websocket(person)
    opened.send("40")
    while not opened.recv().startswith("40"):
        pass
    return opened


def upgrading(person):
    return open_websocket(person, "&sid=" + Polling(person).connect().sid)


def probed(person):
    opened = upgrading(person)
    opened.send("2probe")
    assert opened.recv() == "3probe"
    return opened


def test_what_is_no_packet_closes_and_is_forgotten(server, arrive, record):
    alice = arrive(server)
    before = measure(server, "chat_transport_entries")
    for begin in (live, upgrading, probed):
        for text in NO_PACKETS:
            opened = begin(alice)
            opened.send(text)
            if begin is live:
                assert is_closed(opened)
            opened.shutdown()
    alice.log_out()     # closes what goes on by polling
    wait_for(lambda: measure(server, "chat_transport_entries") <= before, FORGOTTEN)
    assert record(server, "entries that stay", measure(server, "chat_transport_entries") - before, "entries") <= 0
    assert not any("Traceback" in line or " failed with " in line for line in server.seen), "".join(server.seen)


def test_who_does_not_answer_the_close_is_hung_up_on(server, arrive):
    """With threads, the one that waits for frames would wait for ever, and keep its connection."""
    alice = arrive(server)
    opened = live(alice)
    alice.log_out()
    opened.sock.settimeout(FORGOTTEN)
    while opened.sock.recv(4096):
        pass    # until the end of the connection
    opened.shutdown()


def test_frames_after_the_end_are_no_further_request(server, arrive):
    alice = arrive(server)
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    for begin in (live, upgrading):
        opened = begin(alice)
        opened.sock.sendall(b"\x81\x81\0\0\0\0x")
        came = opened.sock.recv(4096)       # it says that it closes
        with contextlib.suppress(OSError):
            opened.sock.sendall(request)
            while part := opened.sock.recv(4096):
                came += part
        assert b'"ok"' not in came, "what /healthz says"
        opened.shutdown()


def test_a_message_that_is_sent_again_leaves_the_log_alone(server, arrive):
    alice, bob = arrive(server), arrive(server)
    tab, client_id = alice.tab(), new_client_id()
    assert tab.send(bob, "once", client_id) == tab.send(bob, "twice", client_id)
    tab.close()
    server.stop()
    server.reader.join()
    assert not any("Traceback" in line for line in server.seen)


def test_who_leaves_in_the_middle_of_the_upgrade_is_no_unforeseen_error(server, arrive):
    alice = arrive(server)
    for _n in range(TRIES):
        for said in ([], ["2probe"], ["2probe", "5"]):
            opened = upgrading(alice)
            opened.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            for text in said:
                opened.send(text)
            opened.sock.close()     # with a reset
    assert alice.get("/").status_code == 200
    assert server.stop() is not None
    server.reader.join()
    assert not any("Traceback" in line or " failed with " in line for line in server.seen), "".join(server.seen)


@pytest.mark.parametrize("mode", ASYNC_MODES)
def test_frames_of_the_protocol_itself_have_a_budget(start_server, arrive, mode):
    """A ping, a pong and empty fragments: none of them ever reaches Engine.IO."""
    limited = start_server(ASYNC_MODE=mode, RATELIMIT_ENABLED="1")
    alice = arrive(limited)
    for first, frame in ((b"", b"\x89\x80mask"), (b"", b"\x8a\x80mask"), (b"\x01\x80mask", b"\0\x80mask")):
        opened = live(alice)
        with contextlib.suppress(OSError):
            opened.sock.sendall(first)
            for _n in range(100):
                opened.sock.sendall(frame * 20)
        closed = is_closed(opened, within=FORGOTTEN)
        opened.shutdown()
        assert closed, frame
    assert measure(limited, "chat_transports_closed_for_flooding_total") == 3

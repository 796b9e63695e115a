"""The feed of a room: one order for everybody, no more calls than needed, and nobody waits for a large room or a slow member."""
import json
import logging
from collections import deque
from contextlib import closing

import pytest
import websocket
from engineio.exceptions import SocketIsClosedError

from chat.live import room_feed
from chat.live.bus import LocalBus
from chat.live.packets import TextPacket
from chat.live.room_feed import RoomFeed
from tests.people import new_client_id

ROOM = 7


class Tasks:
    """The server of a feed, as a program of one thread: a task runs when the test says so, and `sleep` lets others have their turn."""

    packet_class = TextPacket

    def __init__(self):
        self.eio = self
        self.sockets = {}       # Engine.IO session id -> list of what it got, one list of texts for each call
        self.tasks = deque()
        self.others = lambda: None
        self.turns = 0          # that others had

    def start_background_task(self, task):
        self.tasks.append(task)

    def run(self):
        while self.tasks:
            self.tasks.popleft()()

    def sleep(self, seconds):
        assert seconds == 0
        self.turns += 1
        self.others()


@pytest.fixture
def server():
    return Tasks()


@pytest.fixture
def feed(server):
    return RoomFeed(server, LocalBus(), lambda calls: lambda batch: calls.append([text_of(packet) for packet in batch.packets]))


def text_of(packet):
    [_event, text] = json.loads(packet.data[1:])
    return text


def enter(server, feed, number):
    for n in range(number):
        server.sockets[n] = []
        feed.join(f"sid {n}", n, {ROOM})


def say(feed, *texts, sender_sid=None):
    for text in texts:
        feed.emit("receiveMessage", text, ROOM, sender_sid)


def test_what_waits_goes_out_in_one_call_and_in_order(server, feed):
    enter(server, feed, 100)
    say(feed, "one", "two")
    say(feed, "three", sender_sid="sid 5")
    assert not server.sockets[0], "a large room is served by a task"
    server.run()
    assert server.sockets[0] == server.sockets[99] == [["one", "two", "three"]]
    assert server.sockets[5] == [["one", "two"]], "its sender has it already"


def test_a_small_room_is_served_at_once(server, feed):
    enter(server, feed, 3)
    say(feed, "one", sender_sid="sid 2")
    assert server.sockets[0] == [["one"]] and server.sockets[2] == [] and not server.tasks


def test_what_comes_meanwhile_comes_after(server, feed):
    enter(server, feed, 1_000)
    said = iter(range(2, 1_000))
    server.others = lambda: say(feed, str(next(said))) if server.turns <= 40 else None
    say(feed, "0", "1")
    server.run()
    for calls in server.sockets.values():
        assert [text for call in calls for text in call] == [str(n) for n in range(42)]
    assert {len(calls) for calls in server.sockets.values()} == {4}, "all that came while a round lasted is one call of the next"


def test_a_thousand_members_delay_others_by_one_chunk(server, feed):
    """Others have their turn after each chunk, and a message to another room goes out behind one round."""
    enter(server, feed, 1_000)
    server.sockets["x"] = small = []
    feed.join("sid x", "x", {ROOM + 1})
    served = []

    def others():
        served.append(sum(map(len, server.sockets.values())))
        if server.turns == 1:
            feed.emit("receiveMessage", "to the small room", ROOM + 1)
            say(feed, "two")
        assert bool(small) == (served[-1] > 1_000), "it comes between the two rounds"
    server.others = others
    say(feed, "one")
    server.run()
    assert small == [["to the small room"]] and sum(map(len, server.sockets.values())) == 2_001
    assert all(later - earlier <= room_feed.CHUNK for earlier, later in zip([0, *served], [*served, 2_001]))


def test_a_batch_has_an_end(server, feed):
    enter(server, feed, 100)
    long = "x" * (room_feed.MAX_BATCH_CHARACTERS // 3)
    say(feed, *[f"{n}{long}" for n in range(7)], long * 5, "short")
    server.run()
    calls = server.sockets[0]
    assert [len(call) for call in calls] == [2, 2, 2, 1, 1, 1]
    assert [text[0] for call in calls for text in call] == [*"0123456", "x", "s"]


def test_what_waits_for_a_room_has_an_end(server, feed, caplog):
    """Members write faster than the room is served. The newest message goes out, so that a tab sees the jump and fetches the rest."""
    enter(server, feed, 200)
    server.sockets["x"] = small = []
    feed.join("sid x", "x", {ROOM + 1})
    long = "x" * 4_000
    seqs = iter(range(2, 10_000))
    waiting = []

    def others():
        if server.turns <= 40:
            feed.emit("conversationChanged", f"change {server.turns}", ROOM)
            say(feed, *[f"{next(seqs)} {long}" for _n in range(100)])
            waiting.append(sum(queue.characters for queue in feed.waiting.values()))
        if server.turns == 1:
            feed.emit("receiveMessage", "to the small room", ROOM + 1)
    server.others = others
    with caplog.at_level(logging.WARNING):
        say(feed, f"1 {long}")
        server.run()
    assert max(waiting) <= room_feed.MAX_WAITING_CHARACTERS < 40 * 100 * 4_000 // 4
    assert not feed.waiting and small == [["to the small room"]], "a room that is quiet loses nothing"
    got = [text for call in server.sockets[0] for text in call]
    changes, heard = [text for text in got if text[0] == "c"], [int(text.split()[0]) for text in got if text[0] != "c"]
    assert changes == [f"change {n}" for n in range(1, 41)], "nobody would fetch these"
    assert heard == sorted(heard) and heard[-1] == 4_001 and len(heard) < 4_001
    assert all(calls == server.sockets[0] for name, calls in server.sockets.items() if name != "x")
    lost = 4_001 - len(heard)
    assert lost == sum(record.args[1] for record in caplog.records) and len(caplog.records) == pytest.approx(lost / 250, abs=2)


def test_who_has_left_gets_nothing_more(server, feed):
    enter(server, feed, 100)
    say(feed, "one")
    feed.leave("sid 3")
    server.run()
    assert server.sockets[3] == [] and server.sockets[4] == [["one"]]
    assert feed.entries() == 1 + 99 + 99


def test_who_has_no_transport_any_more_does_not_enter(feed):
    feed.join("sid", "gone", {ROOM})
    assert feed.entries() == 0


@pytest.mark.parametrize("error, logged", [(SocketIsClosedError(), 0), (OSError("broken"), 1)])
def test_a_connection_that_fails_fails_alone(server, feed, caplog, error, logged):
    enter(server, feed, 3)

    def fail(_batch):
        raise error
    feed.connections[ROOM]["sid 0"] = fail
    with caplog.at_level(logging.ERROR):
        say(feed, "one")
    assert server.sockets[1] == server.sockets[2] == [["one"]] and len(caplog.records) == logged


# --- over the network -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("settings", [{}, {"SHORTCUTS": "0"}, {"ASYNC_MODE": "threading"}], ids=["shortcuts", "library", "threading"])
def test_one_order_for_everybody(start_server, arrive, settings):
    """Several people write at once to a room that is served in chunks of one, to WebSockets and to long polling."""
    server = start_server(tuned={"chat.live.room_feed.CHUNK": 1}, **settings)
    people = [arrive(server) for _n in range(4)]
    room = people[0].make_room("maths", *people[1:])
    tabs = [person.tab(transports=[transport]) for person, transport in zip(people, ("websocket", "polling", "websocket", "polling"))]
    listener = people[0].tab(transports=["websocket"])
    for n in range(30):
        for tab in tabs:
            tab.client.emit("sendMessage", {"clientId": new_client_id(), "conversationId": room, "message": f"{n} " + "x" * (60 * n)})
    heard = [listener.wait_for("receiveMessage") for _n in range(120)]
    assert [message["seq"] for message in heard] == list(range(heard[0]["seq"], heard[0]["seq"] + 120))
    for person, tab in zip(people, tabs):
        assert [tab.wait_for("receiveMessage") for _n in range(90)] == [m for m in heard if m["senderId"] != person.id]


def test_a_member_who_does_not_read_delays_nobody_and_is_cut(start_server, arrive):
    server = start_server(tuned={"chat.live.transports.MAX_UNSENT_BYTES": 100_000, "chat.live.room_feed.CHUNK": 1})
    alice, bob, slow = (arrive(server) for _n in range(3))
    room = alice.make_room("maths", bob, slow)
    writer, reader = (person.tab(transports=["websocket"]) for person in (alice, bob))
    with closing(websocket.create_connection(
            server.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket", origin=server.url, cookie=slow.cookie())) as deaf:
        deaf.send("40")
        while not deaf.recv().startswith("40"):
            pass
        sent = 0
        while metric(alice, "chat_connections") == 3:       # until it is closed, for it never reads again
            for _n in range(100):
                writer.client.emit("sendMessage", {"clientId": new_client_id(), "conversationId": room, "message": "x" * 4_000})
            sent += 100
            heard = [reader.wait_for("receiveMessage")["seq"] for _n in range(100)]
            assert heard == list(range(heard[0], heard[0] + 100))
        assert sent < 100 * 100
    assert metric(alice, "chat_connections") == 2


def metric(person, name):
    """Return the value of one of the server's metrics."""
    lines = person.get("/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(name + " ")))

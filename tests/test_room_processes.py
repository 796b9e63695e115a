"""A room whose members are at two processes: who is in it hears it at both, who is not hears it at neither, and it costs one publish."""
import contextlib
import re
import threading
import time
from types import SimpleNamespace

import pytest

from chat.conversations import members
from chat.live.connections import Connection, Connections
from chat.live.bus import LocalBus
from chat.live.room_feed import RoomFeed
from chat.storage import fast_json
from tests.databases import RecordingDatabase, database, person  # noqa: F401
from tests.people import ANSWER_SECONDS
from tests.test_bus import elsewhere
from tests.two_processes import here, own_redis, shared, there, two  # noqa: F401
from tests.waiting import wait_for

pytestmark = pytest.mark.slow

SHARED = "rooms_of_two_processes", "for the tests of rooms at several processes: thirty-two bytes"
LEFT_SECONDS = 2        # after which who was removed gets nothing
MANY = 12               # members at each process


def texts(tab, count):
    """Return the next texts that a tab hears, without the notices among them."""
    return [tab.wait_for("receiveMessage", lambda message: message["kind"] == "text")["message"] for _n in range(count)]


def test_it_works(two, here, there):
    """Bert hears at both processes what Anna says at one, and she hears what he says at the other."""
    anna, bert = here(), there()
    room = anna.make_room("both", bert)
    hers, his, too = anna.tab(), bert.tab(), elsewhere(bert, two[0]).tab()
    sent = hers.send_to_room(room, "one")["message"]
    for tab in (his, too):
        assert tab.wait_for("receiveMessage", lambda message: message["message"] == "one") == sent
    assert his.send_to_room(room, "two")["message"]["seq"] == sent["seq"] + 1
    assert texts(hers, 1) == texts(too, 1) == ["two"]
    assert hers.heard() == his.heard() == too.heard() == []


def test_typing_and_marks_arrive(here, there):
    anna, bert = here(), there()
    room = anna.make_room("marks", bert)
    hers, his = anna.tab(), bert.tab()
    seq = hers.send_to_room(room, "read me")["message"]["seq"]
    assert his.call("typing", {"conversationId": room})["ok"]
    assert hers.wait_for("typing") == {"userId": bert.id, "username": bert.username, "conversationId": room}
    assert his.call("markRead", {"conversationId": room, "seq": seq})["readSeq"] == seq
    assert hers.wait_for("messagesRead") == {"conversationId": room, "readerId": bert.id, "seq": seq}


def test_who_is_added_hears_what_follows_where_nobody_was_in_the_room_before(here, there):
    """Their process has to subscribe first. What is sent before it has, and is followed by nothing, must come all the same."""
    anna, bert, dora = here(), there(), there()
    hers, his, beside = anna.tab(), bert.tab(), dora.tab()
    for n in range(5):
        room = anna.make_room(f"new {n}")
        adding = threading.Thread(target=anna.ask, args=(f"/rooms/{room}/members",), kwargs={"username": bert.username})
        adding.start()
        for count in range(20):
            last = hers.send_to_room(room, f"{n} {count}")["message"]
        adding.join()
        if n == 0:
            last = hers.send_to_room(room, "the last")["message"]
        seqs, told = set(), his.wait_for("conversationChanged", lambda change: change["conversation"]["id"] == room and "role" in change["conversation"])
        seen = told["conversation"]["lastSeq"]
        while last["seq"] > max({seen, *seqs}):
            seqs.add(his.wait_for("receiveMessage", lambda message: message["conversationId"] == room)["seq"])
        hers.send(dora, f"beside it {n}")
        assert beside.wait_for("receiveMessage")["message"] == f"beside it {n}"


def test_who_joins_there_hears_what_is_said_here(here, there):
    anna, bert = here(), there()
    room = anna.make_room("open", open=True)
    hers, his = anna.tab(), bert.tab()
    assert bert.ask(f"/rooms/{room}/join").json()["role"] == "member"
    hers.send_to_room(room, "welcome")
    assert texts(his, 1) == ["welcome"]


@pytest.mark.parametrize("by_owner", [True, False])
def test_who_is_gone_hears_nothing_at_any_process(two, here, there, by_owner):
    anna, bert, carla = here(), there(), there()
    room = anna.make_room("closed", bert, carla)
    hers, others = anna.tab(), carla.tab()
    his = [bert.tab(), elsewhere(bert, two[0]).tab()]
    hers.send_to_room(room, "before")
    assert [texts(tab, 1) for tab in his] == [["before"]] * 2
    if by_owner:
        anna.ask(f"/rooms/{room}/members/{bert.username}/remove")
    else:
        bert.ask(f"/rooms/{room}/leave")
    until = time.monotonic() + LEFT_SECONDS
    for tab in his:
        assert tab.wait_for("conversationLeft", timeout=max(0, until - time.monotonic())) == {"conversationId": room}
    for tab in (hers, others):
        tab.send_to_room(room, f"after, by {tab.person.username}")
        tab.call("typing", {"conversationId": room})
        tab.call("markRead", {"conversationId": room, "seq": 1000})
    texts(others, 2), texts(hers, 1)        # both have gone round
    hers.send(bert, "besides"), others.send(bert, "besides")
    for tab in his:
        events = [tab.events.get(timeout=ANSWER_SECONDS)]
        while sum(event == "receiveMessage" for event, _payload in events) < 2:
            events.append(tab.events.get(timeout=ANSWER_SECONDS))
        told = [payload for event, payload in events if event not in ("updateOnlineUsers",)]
        assert [payload.get("message") for payload in told] == ["besides"] * 2, "nothing else, of whatever kind"


def test_a_late_word_of_a_membership_lets_nobody_in(own_redis, here, there):
    """Two processes told of the same member at once: what let him in is older than what put him out, and comes after it."""
    anna, bert, carla = here(), there(), there()
    room = anna.make_room("late", bert, carla)
    hers, his, others = anna.tab(), bert.tab(), carla.tab()
    stale = bert.room(room)
    anna.ask(f"/rooms/{room}/members/{bert.username}/remove")
    his.wait_for("conversationLeft")
    with own_redis.connect() as client:
        for inbox in client.execute_command("PUBSUB", "CHANNELS", "chat:bus:0:*"):
            client.publish(inbox, fast_json.dumps(["a third process", ["conversationChanged", {"conversation": stale}, [bert.id], None]]))
    his.wait_for("conversationChanged", lambda change: "role" in change["conversation"])
    until = time.monotonic() + ANSWER_SECONDS
    while True:         # it is looked up in the background: from then on he hears nothing
        assert time.monotonic() < until
        hers.send_to_room(room, "to whom?")
        others.wait_for("receiveMessage", lambda message: message["message"] == "to whom?")
        if not his.heard():
            break
    hers.send_to_room(room, "to those who are in it")
    others.wait_for("receiveMessage", lambda message: message["message"] == "to those who are in it")
    assert his.heard() == []


@contextlib.contextmanager
def published(redis, room):
    """Inside, note the channel of each message that is published in Redis and says "count me"."""
    channels, end = [], threading.Event()

    def watch():
        with redis.connect() as client, client.monitor() as monitor:
            for command in monitor.listen():
                started.set()
                if "the end" in command["command"]:
                    return
                found = re.match(r'"?PUBLISH"? "?(\S+?)"? ', command["command"], re.I)
                if found and "count me" in command["command"]:
                    channels.append(found[1])
    started = threading.Event()
    watching = threading.Thread(target=watch)
    watching.start()
    with redis.connect() as client:
        assert wait_for(lambda: client.echo("begin") and started.is_set(), ANSWER_SECONDS)
        yield channels
        client.echo("the end")
    watching.join(ANSWER_SECONDS)


def test_a_message_is_published_once_however_many_members_there_are(own_redis, here, there):
    """Redis brings it to each process once; the processes bring it to their members."""
    anna = here()
    hers, members_of, counts = anna.tab(), {}, {}
    for many in (1, MANY):
        people = [arriving() for _n in range(many) for arriving in (here, there)]
        room = anna.make_room(f"{many} at each", *people)
        members_of[room] = [somebody.tab() for somebody in people]
    with own_redis.connect() as client:
        for room, tabs in members_of.items():
            with published(own_redis, room) as channels:
                hers.send_to_room(room, "count me")
                assert [texts(tab, 1) for tab in tabs] == [["count me"]] * len(tabs)
            counts[room] = channels
            assert client.execute_command("PUBSUB", "NUMSUB", f"chat:room:0:{room}")[1] == 2, "one for each process"
    assert counts == {room: [f"chat:room:0:{room}"] for room in members_of}


# --- memberships that change while they are read ------------------------------------------------------------------------

class ChangingDatabase(RecordingDatabase):
    """Calls `change()` once, after a reading and before its answer is used."""

    change = None

    def query(self, *arguments):
        answer = super().query(*arguments)
        change, self.change = self.change, None
        if change:
            change()
        return answer


@pytest.fixture
def connections(database):
    """The connections of a process at which one user has a tab, and a room of theirs."""
    database.__class__ = ChangingDatabase
    user = person(database)
    presence = SimpleNamespace(connections_of=lambda user_id: ["a sid"] if user_id == user.id else [])
    server = SimpleNamespace(start_background_task=lambda *_task: None, eio=SimpleNamespace(sockets={"a transport": object()}))
    connections = Connections(server, database, SimpleNamespace(presence=presence), None, None,
                              RoomFeed(server, LocalBus(), lambda _connection: None), None, None, None)
    connections.by_sid["a sid"] = Connection(user, "a session", "a transport", "en")
    [connections.room_id] = database.insert("INSERT INTO conversations (kind) VALUES ('room')", (), rows=1)
    connections.user = user
    yield connections
    database.__class__ = RecordingDatabase


@pytest.mark.parametrize("read", [Connections.resync_rooms, lambda connections: connections.enter_rooms("a sid")], ids=["catch-up", "connect"])
def test_a_reading_that_is_older_than_a_change_does_not_undo_it(connections, read):
    database, user, room = connections.database, connections.user, connections.room_id

    def join():
        members.add(database, room, user.id)
        connections.enter_room(user.id, room)

    def leave():
        members.remove(database, room, user.id)
        connections.leave_room(user.id, room)
    for change, is_in in ((join, True), (leave, False)):
        database.change = change
        read(connections)
        assert connections.room_feed.is_in("a sid", room) == is_in


def test_a_connection_that_closes_while_rooms_are_read_leaves_no_entry(connections):
    members.add(connections.database, connections.room_id, connections.user.id)

    def close():
        del connections.by_sid["a sid"]
        connections.room_feed.leave("a sid")
    connections.database.change = close
    connections.resync_rooms()
    assert connections.room_feed.entries() == 0

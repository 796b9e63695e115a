"""Several processes: what one knows the others know, and what Redis did not carry they find in the database."""
import contextlib
import dataclasses
import itertools
import threading
import time
from types import SimpleNamespace

import pytest

from chat.storage import fast_json
from chat.budgets import MESSAGES
from chat.live.bus import MEMBERSHIP_TTL, RedisBus
from chat.live.bus_publisher import MAX_WAIT
from chat.live.delivery_cursor import COMMIT_REORDER_WINDOW, DeliveryCursor
from chat.conversations.message import Message
from chat.live.presence import RedisRegistry
from chat.storage.redis_client import open_client
from chat.live.broadcaster import Broadcaster
from chat.live.connections import SESSION_ENDED
from chat.live.sockets import Socket
from chat.live.message_log import NoMessageLog
from tests import services
from tests.databases import Sender, beside, database, person  # noqa: F401
from tests.people import ANSWER_SECONDS, Person, new_client_id
from tests.server import Server
from tests.waiting import wait_for

pytestmark = pytest.mark.slow

SECRET_KEY = "for the tests of several processes: thirty-two bytes and more"
SOON = 5            # seconds until everything is caught up after Redis has returned


# --- two processes --------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def own_redis():
    """A Redis that these tests may freeze."""
    with services.Redis() as redis:
        yield redis


@pytest.fixture(scope="module")
def two(mariadb, own_redis):
    """Two processes of one chat."""
    shared = {"DATABASE_URL": mariadb.url.replace("/chat", "/two_processes"), "REDIS_URL": own_redis.url,
              "SECRET_KEY": SECRET_KEY}
    with Server(**shared) as one, Server(**shared) as other:
        yield one, other


@pytest.fixture
def apart(two, arrive):
    """Alice at one process and Bob at the other."""
    one, other = two
    return arrive(one), arrive(other)


def elsewhere(somebody, server):
    """Return a person with the same cookies at another process, as behind a proxy that has moved them."""
    moved = Person(server.url, somebody.username)
    moved._id = somebody.id
    moved.http.cookies.update(somebody.http.cookies)
    somebody.tabs.append(moved)
    moved.close = moved.leave
    return moved


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_a_message_arrives_at_every_process(two, apart, transport):
    alice, bob = apart
    tab, too = alice.tab(transports=[transport]), elsewhere(alice, two[1]).tab(transports=[transport])
    his = bob.tab(transports=[transport])
    sent = tab.send(bob, "over there")["message"]
    assert his.wait_for("receiveMessage") == too.wait_for("receiveMessage") == sent
    assert his.send(alice, "and back")["message"]["seq"] == sent["seq"] + 1
    assert tab.wait_for("receiveMessage")["message"] == too.wait_for("receiveMessage")["message"] == "and back"
    assert tab.heard() == too.heard() == his.heard() == []


def test_a_form_reaches_every_process(apart):
    alice, bob = apart
    his = bob.tab()
    assert alice.send(bob, "without a socket").status_code == 201
    assert his.wait_for("receiveMessage")["message"] == "without a socket"


def test_a_read_mark_and_typing_arrive(apart):
    alice, bob = apart
    hers, his = alice.tab(), bob.tab()
    seq = hers.send(bob, "read me")["message"]["seq"]
    assert his.call("typing", {"userId": alice.id})["ok"] and hers.wait_for("typing") == {"userId": bob.id}
    assert his.call("markRead", {"userId": alice.id, "seq": seq})["readSeq"] == seq
    assert hers.wait_for("messagesRead") == {"userId": alice.id, "readerId": bob.id, "seq": seq}


def test_who_is_online_is_known_everywhere(apart):
    alice, bob = apart
    hers, his = alice.tab(), bob.tab()
    assert hers.wait_for("updateOnlineUsers", lambda change: bob.id in change["online"])
    assert his.wait_for("updateOnlineUsers", lambda change: alice.id in change["online"])
    his.close()
    assert hers.wait_for("updateOnlineUsers", lambda change: bob.id in change.get("offline", ()))


def test_logging_out_closes_the_tabs_at_every_process(two, apart):
    alice, bob = apart
    tab = elsewhere(alice, two[1]).tab()
    his = bob.tab()
    his.wait_for("updateOnlineUsers", lambda change: alice.id in change["online"])
    alice.log_out()
    assert tab.ended.wait(ANSWER_SECONDS)
    assert his.wait_for("updateOnlineUsers", lambda change: alice.id in change.get("offline", ()))


def test_both_write_into_one_conversation_without_a_gap(apart):
    alice, bob = apart
    hers, his = alice.tab(), bob.tab()
    texts = 40

    def write(tab, to):
        for n in range(texts):
            client_id = new_client_id()     # who is refused because the other was faster tries again, as every client does
            while not (answer := tab.send(to, f"{tab.person.username} {n}", client_id))["ok"]:
                assert answer["error"]["retry"], answer
    writers = [threading.Thread(target=write, args=pair) for pair in ((hers, bob), (his, alice))]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    messages = alice.history(bob, "?after=0&limit=200")["messages"]
    assert [message["seq"] for message in messages] == list(range(1, 2 * texts + 1))
    assert len({message["clientId"] for message in messages}) == 2 * texts
    heard = {hers.wait_for("receiveMessage")["seq"] for _n in range(texts)}
    assert heard == {message["seq"] for message in messages if message["senderId"] == bob.id}


def test_while_redis_does_not_answer_people_go_on_and_hear_each_other(own_redis, apart, two, arrive):
    """The database is the truth: the other process looks there until Redis is back, and then hears again."""
    alice, bob = apart
    charlie = arrive(two[0])        # logged in, and without a live connection
    hers, his = alice.tab(), bob.tab()
    hers.send(bob, "before")
    his.wait_for("receiveMessage")
    own_redis.pause()
    try:
        sent = [hers.send(bob, f"meanwhile {n}")["message"]["seq"] for n in range(5)]
        heard = [his.wait_for("receiveMessage")["seq"] for _n in sent]
        assert heard == sent
        assert [message["seq"] for message in alice.history(bob)["messages"]][-len(sent):] == sent
        read = charlie.get(f"/messages/{bob.username}", headers={"Accept": "application/json"})
        assert read.status_code == 503, "whose session it is nobody can tell"
        assert alice.get("/").status_code == 503, "a page has forms, and they need the session"
    finally:
        own_redis.resume()
    end = time.monotonic() + SOON
    for n in itertools.count():         # of many, none is lost and none comes twice, however they came
        seq = hers.send(bob, f"after {n}")["message"]["seq"]
        assert his.wait_for("receiveMessage", timeout=SOON)["seq"] == seq
        if time.monotonic() > end:
            break
    assert his.heard() == []


@pytest.fixture(scope="module")
def limited(mariadb, redis_server):
    """Two processes that count how often somebody does something."""
    shared = {"DATABASE_URL": mariadb.url.replace("/chat", "/two_limited"), "REDIS_URL": redis_server.url,
              "SECRET_KEY": SECRET_KEY, "RATELIMIT_ENABLED": "1"}
    with Server(**shared) as one, Server(**shared) as other:
        yield one, other


def test_limits_count_what_is_sent_at_another_process(limited, arrive):
    one, other = limited
    alice, bob = arrive(one), arrive(one)
    his = bob.tab()
    tabs = itertools.cycle([alice.tab(), elsewhere(alice, other).tab()])
    sent = 0
    for tab in itertools.islice(tabs, 2 * MESSAGES.limit):
        answer = tab.send(bob, "again")
        if not answer["ok"]:
            break
        sent += 1
        his.wait_for("receiveMessage")      # and so has the other process heard of it, or nearly
    assert answer["error"]["code"] == "rate_limited" and answer["error"]["retryAfter"] <= MESSAGES.window + 1
    assert MESSAGES.limit <= sent <= MESSAGES.limit + 2


def test_limits_count_forms_that_are_sent_at_another_process(limited, arrive):
    """The others do not hear of them: the sender has no tab there."""
    one, other = limited
    alice, bob = arrive(one), arrive(one)
    places = itertools.cycle([alice, elsewhere(alice, other)])
    answers = [place.send(bob, "again").status_code for place in itertools.islice(places, MESSAGES.limit + 1)]
    assert answers == [201] * MESSAGES.limit + [429]


def test_who_types_at_two_processes_is_seen_once(limited, arrive):
    one, other = limited
    alice, bob = arrive(one), arrive(one)
    his = bob.tab()
    for tab in (alice.tab(), elsewhere(alice, other).tab()):
        assert tab.call("typing", {"userId": bob.id})["ok"]
    assert tab.send(bob, "what was typed")["ok"]       # after the sign, over the same road
    events = iter(lambda: his.events.get(timeout=ANSWER_SECONDS)[0], "receiveMessage")
    assert list(events).count("typing") == 1


def test_who_is_missing_on_the_board_is_told_all_the_same(apart, own_redis):
    """As after a change of Redis' master, which may not know of those who came last: their process finds them missing, and looks."""
    alice, bob = apart
    hers, his = alice.tab(), bob.tab()
    hers.send(bob, "before")
    his.wait_for("receiveMessage")
    with own_redis.connect() as client:
        assert client.delete(RedisRegistry.KEY)
        hers.send(bob, "and after")
    assert his.wait_for("receiveMessage", timeout=SOON)["message"] == "and after"


# --- the bus alone --------------------------------------------------------------------------------------------------

class Closed(BaseException):
    """Ends a task that goes on after every Exception."""


class Subscriber:
    """What a bus needs of the Socket: it notes what it is told. Tasks are threads, which close() ends."""

    def __init__(self, database):
        self.database = database
        self.server = self.eio = self
        self.received = []
        self.came = threading.Condition()
        self.closed = threading.Event()
        self.tasks = []

    def create_event(self):
        """Return an event at which nobody rests once this is closed."""
        self.event = threading.Event()
        wait = self.event.wait

        def wait_and_look(seconds):
            wait(seconds)
            self.sleep(0)
        self.event.wait = wait_and_look
        return self.event

    def sleep(self, seconds):
        if self.closed.wait(seconds):
            raise Closed

    def start_background_task(self, task):
        def run():
            with contextlib.suppress(Closed):
                task()
        self.tasks.append(threading.Thread(target=run, daemon=True))
        self.tasks[-1].start()

    def close(self, publish):
        self.closed.set()
        self.event.set()
        assert wait_for(lambda: publish(("typing", {}, [])) or not any(task.is_alive() for task in self.tasks), ANSWER_SECONDS)

    def receive(self, event, payload, people, room_id):
        self.sleep(0)
        with self.came:
            self.received.append((event, payload, people if room_id is None else room_id))
            self.came.notify_all()

    def wait_for(self, fits):
        with self.came:
            assert self.came.wait_for(lambda: any(fits(*what) for what in self.received), ANSWER_SECONDS), self.received


def own_database(redis_server):
    """Return the address of a database in which no other process of the tests is."""
    return f"{redis_server.url.rstrip('/')}/7"


def batch(words, sender="another"):
    """Return (event, payload, user ids) as a process publishes them to another one."""
    return fast_json.dumps([sender, *([*word, None] for word in words)])


@pytest.fixture
def others(redis_server):
    """What other processes say to the one that is called "here": that they are there, and words."""
    with redis_server.connect() as client:
        def send_heartbeat(process_id, line, highest_id=0):
            client.publish("chat:bus:7", fast_json.dumps([process_id, line, highest_id]))

        def publish(*words):
            client.publish("chat:bus:7:here", batch(words))
        yield SimpleNamespace(send_heartbeat=send_heartbeat, publish=publish)


@pytest.fixture
def listening(database, redis_server, others):
    """A bus that listens, and its subscriber."""
    subscriber, bus = Subscriber(beside(database)), RedisBus(open_client(own_database(redis_server)), "here")
    bus.start(subscriber, subscriber.database, subscriber.receive, lambda: None)
    assert wait_for(lambda: others.publish(("typing", {"userId": 0}, [0])) or subscriber.received, ANSWER_SECONDS)
    assert wait_for(lambda: not bus.needs_catch_up, ANSWER_SECONDS)
    subscriber.received.clear()
    yield bus, subscriber
    subscriber.close(others.publish)


@pytest.fixture
def speaking(database, redis_server, listening, others):
    """Another bus, "there", that has found out that it is not alone; and its subscriber."""
    subscriber, bus = Subscriber(beside(database)), RedisBus(open_client(own_database(redis_server)), "there")
    bus.start(subscriber, subscriber.database, subscriber.receive, lambda: None)
    assert wait_for(lambda: not bus.publisher.has_no_peers, ANSWER_SECONDS)
    yield bus, subscriber
    with redis_server.connect() as client:
        subscriber.close(lambda *words: client.publish("chat:bus:7:there", batch(words)))


def test_what_is_told_is_heard_where_its_people_are_and_nowhere_else(listening, speaking, redis_server):
    (_bus, subscriber), (speaker, other_subscriber) = listening, speaking
    client = open_client(own_database(redis_server))
    here, there = RedisRegistry(client, "here"), RedisRegistry(client, "there")
    here.renew({7, 9})
    there.renew({7, 8})
    speaker.publish("typing", {"userId": 1}, [8])
    speaker.publish("typing", {"userId": 2}, [77])
    speaker.publish("messagesRead", {"userId": 8, "readerId": 9, "seq": 3}, [8, 9])
    speaker.publish(SESSION_ENDED, "an id", [7])
    subscriber.wait_for(lambda *what: what == (SESSION_ENDED, "an id", [7]))
    assert subscriber.received == [("messagesRead", {"userId": 8, "readerId": 9, "seq": 3}, [8, 9]), (SESSION_ENDED, "an id", [7])]
    here.release({7, 9})
    there.release({7, 8})
    assert other_subscriber.received == []


def test_what_is_sent_to_a_room_comes_once_to_each_process_that_is_subscribed(listening, speaking, redis_server):
    (bus, subscriber), (speaker, other_subscriber) = listening, speaking
    nobody_here = 13
    with redis_server.connect() as client:
        bus.subscribe([12])
        speaker.subscribe([12])
        assert client.execute_command("PUBSUB", "NUMSUB", bus.room_channel + "12")[1] == 2, "it is certain when subscribe() returns"
        for number in range(5):
            speaker.publish("typing", {"userId": number}, (), 12)
        speaker.publish("typing", {"userId": 99}, (), nobody_here)
        subscriber.wait_for(lambda *what: what == ("typing", {"userId": 4}, 12))
        assert subscriber.received == [("typing", {"userId": number}, 12) for number in range(5)]
        assert other_subscriber.received == [], "what a process sends does not come back to it"
        bus.unsubscribe([12])
        assert wait_for(lambda: client.execute_command("PUBSUB", "NUMSUB", bus.room_channel + "12")[1] == 1, ANSWER_SECONDS)


def test_a_subscription_that_comes_back_is_followed_by_a_catch_up(listening, speaking, database):
    """A catch-up may have run while it was away: what was published after that is in the database alone."""
    bus, subscriber = listening
    assert wait_for(lambda: bus.is_subscribed and not bus.publisher.has_no_peers and not bus.needs_catch_up, ANSWER_SECONDS)
    bus.cursors["receiveMessage"].advanced_at = 0      # then the cursor moves on when a catch-up has ended
    assert wait_for(lambda: bus.cursors["receiveMessage"].advanced_at and not bus.needs_catch_up, ANSWER_SECONDS)
    message = Sender(database).send(person(database), person(database))
    bus._on_reply(b"subscribe", bus.channel.encode(), 1)
    subscriber.wait_for(lambda name, payload, *_to: name == "receiveMessage" and payload["id"] == message.id)


def test_a_message_to_a_room_waits_while_somebody_may_have_left_it(listening, speaking, database):
    """Redis is away: who has left at another process is not known. The database knows, and is asked first."""
    bus, subscriber = listening
    anna, sender = person(database), Sender(database)
    [room_id] = database.insert("INSERT INTO conversations (kind) VALUES ('room')", (), rows=1)

    def said():
        return sender.writer.store(Message.draft(anna, None, "hello", new_client_id(), room_id))

    def tell(message, seconds_since_heartbeat):
        bus.peers["here"] = bus.publisher.epoch, time.monotonic() - seconds_since_heartbeat
        bus.publish("receiveMessage", message.as_json(), (), room_id)
        return bus.claim_delivery("receiveMessage", message.as_json(), room_id)
    assert wait_for(lambda: not bus.publisher.has_no_peers and not bus.needs_catch_up, ANSWER_SECONDS)
    bus.cursors["receiveMessage"].advanced_at = 0      # then the cursor moves on when a catch-up has ended
    assert wait_for(lambda: bus.cursors["receiveMessage"].advanced_at and not bus.needs_catch_up, ANSWER_SECONDS)
    assert tell(said(), 0), "those who are here are told at once"
    resyncs, before, late = [], len(subscriber.received), said()
    bus.resync = lambda: resyncs.append(len(subscriber.received))
    assert not tell(late, MEMBERSHIP_TTL + 0.1)
    subscriber.wait_for(lambda event, payload, _room: event == "receiveMessage" and payload["id"] == late.id)
    assert resyncs[0] == before, "who is in the room was read before"
    bus.is_stale = True
    assert not tell(said(), 0), "the others are heard again, and who is in the room was not read since"
    assert wait_for(lambda: not bus.is_stale, ANSWER_SECONDS)


def test_another_database_of_the_same_redis_is_another_chat(listening, redis_server):
    bus, _subscriber = listening
    assert RedisBus(open_client(redis_server.url), "here").inbox_channel != bus.inbox_channel


def test_another_line_of_a_process_is_a_reason_to_look_into_the_database(listening, others, database):
    """Nothing tells of the message but the number."""
    bus, subscriber = listening
    alice, bob = person(database), person(database)
    others.send_heartbeat("there", 1)
    assert wait_for(lambda: "there" in bus.peers and not bus.needs_catch_up, ANSWER_SECONDS)
    bus.cursors["receiveMessage"].advanced_at = 0      # then the trail moves on when a look has ended
    assert wait_for(lambda: bus.cursors["receiveMessage"].advanced_at, ANSWER_SECONDS)
    stored = Sender(database).send(alice, bob)
    known = bus.peers["there"]
    others.send_heartbeat("there", 1)
    assert wait_for(lambda: bus.peers["there"] != known, ANSWER_SECONDS)
    assert not bus.needs_catch_up and subscriber.received == []
    others.send_heartbeat("there", 2)
    subscriber.wait_for(lambda event, payload, people: event == "receiveMessage" and payload == stored.as_json()
                 and sorted(people) == sorted([alice.id, bob.id]))


def test_a_heartbeat_tells_how_far_the_store_goes(listening, others):
    """Where nobody here is written to, nothing else raises what a look begins with."""
    bus, _subscriber = listening
    ahead = bus.cursors["receiveMessage"].high_watermark + 1000
    others.send_heartbeat("there", 1, ahead)
    assert wait_for(lambda: bus.cursors["receiveMessage"].high_watermark == ahead, ANSWER_SECONDS)


def test_who_begins_to_tell_begins_a_line(listening, others):
    bus, _subscriber = listening
    assert bus.publisher.has_no_peers
    before = bus.publisher.epoch
    others.send_heartbeat("there", 1)
    assert wait_for(lambda: bus.publisher.epoch > before, ANSWER_SECONDS)
    assert bus.publisher.epoch == before + 1
    assert wait_for(lambda: bus.peers["here"][0] == before + 1, ANSWER_SECONDS), "and the others are told"


@pytest.mark.parametrize("listening_here, listeners, alone", [(True, 1, True), (True, 2, False), (False, 0, True), (False, 1, False)])
def test_the_one_who_listens_may_be_another(redis_server, listening_here, listeners, alone):
    """A process that is not subscribed itself is not alone where another one receives its heartbeat."""
    bus = RedisBus(open_client(own_database(redis_server)), "here")
    bus.cursors["receiveMessage"], bus.is_subscribed = SimpleNamespace(high_watermark=0), listening_here
    bus.publisher.send_heartbeat(SimpleNamespace(request=lambda *_command: listeners))
    assert bus.publisher.has_no_peers == alone


def test_a_lost_connection_is_another_line(listening, redis_server):
    bus, _subscriber = listening
    before = bus.publisher.epoch
    with redis_server.connect() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "normal")
    assert wait_for(lambda: bus.publisher.epoch > before and bus.peers["here"][0] == bus.publisher.epoch, ANSWER_SECONDS)


def test_what_has_waited_for_too_long_is_read_again(listening, speaking, database):
    """While Redis did not answer, the text may have been deleted: what is told then is what the database has."""
    _bus, subscriber = listening
    there, _other_subscriber = speaking
    alice, bob = person(database), person(database)
    stored = Sender(database).send(alice, bob)
    text_of_then = {**stored.as_json(), "message": "a text of then"}
    epoch = there.publisher.epoch
    there.publisher.queue.append((time.monotonic() - MAX_WAIT, "receiveMessage", text_of_then, [alice.id, bob.id], None))
    there.publisher.wakeup.set()
    subscriber.wait_for(lambda event, payload, _people: event == "receiveMessage" and payload["id"] == stored.id)
    assert [payload for event, payload, _people in subscriber.received if event == "receiveMessage"] == [stored.as_json()]
    assert there.publisher.epoch > epoch


def test_a_message_that_was_looked_up_is_not_passed_on_when_it_is_heard_late(listening, others, database):
    bus, subscriber = listening
    alice, bob = person(database), person(database)
    stored = Sender(database).send(alice, bob)
    bus.request_catch_up()
    subscriber.wait_for(lambda event, payload, _people: event == "receiveMessage" and payload["id"] == stored.id)
    others.publish(("receiveMessage", stored.as_json(), [alice.id, bob.id]), ("typing", {"userId": 1}, [bob.id]))
    subscriber.wait_for(lambda event, _payload, _people: event == "typing")
    assert [payload["id"] for event, payload, _people in subscriber.received if event == "receiveMessage"] == [stored.id]


def test_a_message_that_was_looked_up_before_it_was_told_is_delivered_once(listening, database):
    """It is committed, found in the database, and only then told by the one who stored it."""
    bus, subscriber = listening
    alice, bob = person(database), person(database)
    stored = Sender(database).send(alice, bob)
    bus.request_catch_up()
    subscriber.wait_for(lambda event, payload, _people: event == "receiveMessage" and payload["id"] == stored.id)
    socket, emitted = Socket.__new__(Socket), []
    server = SimpleNamespace(emit=lambda _event, payload, **_whom: emitted.append(payload["seq"]))
    socket.message_log, socket.broadcaster = NoMessageLog(), Broadcaster(server, bus, None)
    socket.receive_message(stored)
    assert emitted == []
    unknown = dataclasses.replace(stored, id=stored.id + 1, seq=stored.seq + 1)     # in no table: no look of the bus can find it first
    socket.receive_message(unknown)
    assert emitted == [unknown.seq]


NO_BEATS = [b"no JSON", b"[1]", b"[1,2,3]", b'["x","1",2]', b'["x",1,2,3]', b"[" * 5000, b"\xff", b"{}", b"null"]
NO_WORDS = [
    b"[1]", b"1", b"null", b"[[]]", b"[]", b"[" * 5000, b'["x",["typing"]]', b'["x",["typing",{"userId":7},6,null]]',
    b'["x",["typing",{"userId":7},[6],"12"]]', b'[["typing",{"userId":7},[6],null]]', b'["x",["typing",{"userId":"7"},[6],null]]',
    b'["x",["typing",{"userId":true},[6],null]]', b'["x",["typing",[],["6"],null]]', b'["x",["receiveMessage",{"id":1},[6],null]]',
    b'["x",["sessionEnded",{"id":1},[6],null]]', b'["x",["conversationChanged",{"conversation":{}},[6],null]]',
    b'["x",["conversationLeft",{},[6],null]]', b'["x",["updateOnlineUsers",{"snapshot":true,"online":[]},[6],null]]',
    b'["here",["typing",{"userId":7},[6],null]]', b'["x",["typing",' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b",[6],null]]"]


@pytest.mark.parametrize("channel, said", [*(("chat:bus:7", said) for said in NO_BEATS), *(("chat:bus:7:here", said) for said in NO_WORDS)])
def test_what_no_process_says_is_passed_over(listening, redis_server, others, channel, said):
    bus, subscriber = listening
    before, needs_catch_up = dict(bus.peers), bus.needs_catch_up
    with redis_server.connect() as client:
        client.publish(channel, said)
    assert wait_for(lambda: others.publish(("typing", {"userId": 5}, [6])) or subscriber.received, ANSWER_SECONDS)
    assert all(word == ("typing", {"userId": 5}, [6]) for word in subscriber.received)
    assert bus.is_subscribed and not needs_catch_up and bus.peers.keys() == before.keys(), "the same subscriber still listens"


def test_beside_what_no_process_says_the_rest_is_received(listening, redis_server):
    _bus, subscriber = listening
    with redis_server.connect() as client:
        client.publish("chat:bus:7:here", b'["x",["typing",7,[6],null],["typing",{"userId":4,"new":[1]},[6],null]]')
    subscriber.wait_for(lambda *what: what == ("typing", {"userId": 4, "new": [1]}, [6]))


# --- the trail ------------------------------------------------------------------------------------------------------

class Clock:
    now = 0

    def __call__(self):
        return self.now


@pytest.fixture
def cursor(database):
    clock = Clock()
    cursor = DeliveryCursor(database, Message, clock)

    def advance_low(seconds=COMMIT_REORDER_WINDOW):
        clock.now += seconds
        cursor.advance_low()
    cursor.after = advance_low
    return cursor


def test_what_was_not_delivered_is_found_once(database, cursor):
    sender, alice, bob = Sender(database), person(database), person(database)
    messages = [sender.send(alice, bob) for _n in range(4)]
    cursor.mark_delivered(messages[1].id)
    assert [message.id for message in cursor.undelivered()] == [messages[n].id for n in (0, 2, 3)]
    assert list(cursor.undelivered()) == []


def test_a_smaller_id_that_was_committed_later_is_found(database, cursor):
    """As when another process was slow to commit, or another node of a cluster has given the id."""
    sender, alice, bob = Sender(database), person(database), person(database)
    late, early = sender.send(alice, bob), sender.send(alice, bob)
    cursor.mark_delivered(early.id)
    cursor.after(COMMIT_REORDER_WINDOW)
    assert [message.id for message in cursor.undelivered()] == [late.id]


def test_what_is_old_is_looked_for_no_more(database, cursor):
    sender, alice, bob = Sender(database), person(database), person(database)
    old = sender.send(alice, bob)
    list(cursor.undelivered())
    cursor.after(COMMIT_REORDER_WINDOW - 1)
    assert old.id in cursor.delivered, "too early"
    cursor.after(1)
    cursor.after()
    assert cursor.delivered == set() and cursor.low_watermark == old.id
    assert list(cursor.undelivered()) == []


def test_the_floor_rises_with_what_the_others_have_stored(database, cursor):
    """Who has nobody to deliver to hears of no message; it would look through all of them later."""
    cursor.after()
    cursor.advance_high(cursor.low_watermark + 1000)
    begun_with = cursor.low_watermark
    cursor.after()
    assert cursor.low_watermark == begun_with, "too early"
    cursor.after()
    assert cursor.low_watermark == begun_with + 1000


def test_more_than_a_page_is_found(database, cursor, monkeypatch):
    monkeypatch.setattr("chat.conversations.message.MAX_ROWS", 3)
    sender, alice, bob = Sender(database), person(database), person(database)
    messages = [sender.send(alice, bob) for _n in range(8)]
    assert [message.id for message in cursor.undelivered()] == [message.id for message in messages]


def test_the_first_look_begins_with_what_is_new(database):
    sender, alice, bob = Sender(database), person(database), person(database)
    sender.send(alice, bob)
    assert list(DeliveryCursor(database, Message).undelivered()) == []
    assert Message.highest_id(database) == DeliveryCursor(database, Message).low_watermark

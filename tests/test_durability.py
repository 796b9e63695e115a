"""Acknowledged is stored: whatever ends the server or the database, and whenever."""
import queue
import random
import time

import pytest
import socketio

from tests import services
from tests.conftest import SECRET_KEY
from tests.databases import BackgroundCall
from tests.people import Person, new_client_id

pytestmark = pytest.mark.slow

BACK = 15       # seconds in which the chat works again after the database has returned
NO_ANSWER = 6   # seconds without an acknowledgement, then it counts as lost
SEED = 7


@pytest.fixture(params=["embedded", "server"])
def settings(request):
    return {} if request.param == "embedded" else request.getfixturevalue("server_mode_settings")


class Sender:
    """Sends without a pause in a thread and notes how each ended: acknowledged, refused, or with no answer."""

    def __init__(self, tab, other):
        self.tab, self.other = tab, other
        self.tried, self.acknowledged, self.refused = {}, {}, set()
        self.stopping = False
        self.background_call = BackgroundCall(self._run)

    def _run(self):
        while not self.stopping and not self.tab.ended.is_set():
            client_id = new_client_id()
            self.tried[client_id] = f"text of {client_id}"
            try:
                answer = self.tab.client.call("sendMessage", {
                    "clientId": client_id, "receiverId": self.other.id, "message": self.tried[client_id]}, timeout=NO_ANSWER)
            except (socketio.exceptions.SocketIOError, OSError):
                return
            if answer["ok"]:
                self.acknowledged[client_id] = answer["message"]
            else:
                assert answer["error"]["retry"] is True
                self.refused.add(client_id)

    def end(self):
        """Return when the last one sent has its answer, or will have none."""
        self.stopping = True
        self.background_call.outcome()
        self.tab.close()
        if self.tab.client.eio.ws:
            self.tab.client.eio.ws.shutdown()   # the client leaves it open where the server was killed

    def wait_for(self, how_many):
        end = time.monotonic() + 20
        while len(self.acknowledged) < how_many:
            assert time.monotonic() < end and self.background_call.thread.is_alive()
            time.sleep(0.002)


def restart(server):
    """Start the server again, on its port, with its data."""
    server.reader.join()
    server.process.stdout.close()
    server.lines = queue.Queue()
    server.start()


def log_in_again(person):
    """Return the person with a new session: the one before may have ended with its store."""
    again = Person(person.url, person.username)
    assert again.log_in().status_code == 302
    return again


def whole_log(person, other):
    """All messages of a conversation, fetched page by page."""
    messages = []
    while True:
        page = person.history(other, f"?after={len(messages)}&limit=200")["messages"]
        messages += page
        if not page:
            return messages


def check(person, other, senders):
    """P1, P2, P3 and P5 of what a message is promised."""
    log = whole_log(person, other)
    assert [m["seq"] for m in log] == list(range(1, len(log) + 1)), "seq has neither gap nor double"
    by_client_id = {m["clientId"]: m for m in log}
    assert len(by_client_id) == len(log), "no message twice"
    tried = {client_id: text for sender in senders for client_id, text in sender.tried.items()}
    assert {c: m["message"] for c, m in by_client_id.items()}.items() <= tried.items(), "nothing that nobody sent"
    for sender in senders:
        for client_id, message in sender.acknowledged.items():
            assert by_client_id[client_id] == message, "what was acknowledged is stored as it was acknowledged"
        mine = [m["clientId"] for m in log if m["clientId"] in sender.tried]
        assert mine == [client_id for client_id in sender.tried if client_id in by_client_id], "in the sender's order"
    return by_client_id


def test_it_works(start_server, arrive, settings):
    """The server is killed again and again while both send; what was open is sent again."""
    server, dice = start_server(**settings), random.Random(SEED)
    alice, bob = arrive(server), arrive(server)
    alice.id, bob.id    # noqa: B018 - asked while the server is there
    senders, open_ones = [], {}
    for _round in range(2):
        pair = [Sender(one.tab(), other) for one, other in ((alice, bob), (bob, alice))]
        for sender in pair:
            sender.wait_for(5)
        time.sleep(dice.random() * 0.05)
        server.kill()
        for sender in pair:
            sender.end()
            open_ones.update({client_id: sender for client_id in sender.tried if client_id not in sender.acknowledged})
        senders += pair
        restart(server)
    alice, bob = log_in_again(alice), log_in_again(bob)
    before = check(alice, bob, senders)
    for client_id, sender in open_ones.items():
        one, other = (alice, bob) if sender.tab.person.username == alice.username else (bob, alice)
        answer = one.send(other, "another text", client_id).json()
        if client_id in before:
            assert answer == before[client_id], "the first row"
        else:
            assert answer["message"] == "another text"
    log = whole_log(bob, alice)
    assert [m["seq"] for m in log] == list(range(1, len(log) + 1))
    assert len({m["clientId"] for m in log}) == len(log) == len(set(before) | set(open_ones))


def test_a_polite_end_finishes_what_it_has(start_server, arrive, settings):
    server = start_server(**settings)
    alice, bob = arrive(server), arrive(server)
    senders = [Sender(one.tab(), other) for one, other in ((alice, bob), (bob, alice)) for _n in range(3)]
    for sender in senders:
        sender.wait_for(5)
    start = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - start < 10
    for sender in senders:
        sender.end()
    restart(server)
    alice, bob = log_in_again(alice), log_in_again(bob)
    log = {m["clientId"]: m for m in whole_log(alice, bob)}
    acknowledged = {client_id: m for sender in senders for client_id, m in sender.acknowledged.items()}
    assert acknowledged.items() <= log.items()
    assert [m["seq"] for m in log.values()] == list(range(1, len(log) + 1))


@pytest.fixture(scope="module")
def own_mariadb():
    with services.MariaDB() as server:
        yield server


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
def test_a_killed_database_is_never_a_false_yes(start_server, arrive, own_mariadb, mode):
    server = start_server(DATABASE_URL=own_mariadb.url, SECRET_KEY=SECRET_KEY, ASYNC_MODE=mode)
    alice, bob = arrive(server), arrive(server)
    alice.id, bob.id    # noqa: B018 - asked while the database is there
    senders = [Sender(one.tab(), other) for one, other in ((alice, bob), (bob, alice))]
    for sender in senders:
        sender.wait_for(10)
    own_mariadb.kill()
    end = time.monotonic() + 10
    while not all(sender.refused for sender in senders):
        assert time.monotonic() < end
        time.sleep(0.01)
    own_mariadb.start()
    counts = [len(sender.acknowledged) for sender in senders]
    end = time.monotonic() + BACK
    while not all(len(sender.acknowledged) > count for sender, count in zip(senders, counts)):
        assert time.monotonic() < end, "it sends again without a restart"
        time.sleep(0.01)
    assert alice.get("/readyz").status_code == 200
    for sender in senders:
        sender.end()
    assert not any(sender.refused & set(sender.acknowledged) for sender in senders)
    check(alice, bob, senders)


def test_a_row_that_another_session_holds_keeps_only_its_own_conversation(start_server, arrive, own_mariadb):
    server = start_server(DATABASE_URL=own_mariadb.url, SECRET_KEY=SECRET_KEY)
    alice, bob, charlie = arrive(server), arrive(server), arrive(server)
    first, second = alice.tab(), charlie.tab()
    first.send(bob, "before")
    second.send(bob, "before")
    with own_mariadb.connect(database="chat") as holder, holder.cursor() as cursor:
        cursor.execute("SELECT id FROM conversations WHERE lower_id = %s AND higher_id = %s",
                       sorted((alice.id, bob.id)))
        conversation_id = cursor.fetchone()[0]
        holder.begin()
        cursor.execute("INSERT INTO messages (conversation_id, seq, sender_id, receiver_id, message, timestamp, client_id)"
                       " VALUES (%s, 2, 0, 0, 'held', '2024-07-07 15:04:17', 'held')", (conversation_id,))
        held = BackgroundCall(lambda: first.send(bob, "held up"))
        free = BackgroundCall(lambda: second.send(bob, "passes"))
        assert free.outcome()["ok"]
        assert held.outcome()["error"] | {"message": ""} == {"code": "unavailable", "message": "", "retry": True}
        assert alice.history(bob)["lastSeq"] == 1
        holder.rollback()
    assert first.send(bob, "free again")["message"]["seq"] == 2

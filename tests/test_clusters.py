"""The database on three nodes and Redis with a replica: parts of them die, and the chat goes on."""
import contextlib
import threading
import time

import pytest

from chat.accounts import name_index
from chat.clock import now
from chat.storage.migrations import newest
from chat.storage.database import Database, MySQLEngine, open_database
from chat.errors import Unavailable
from chat.conversations.message import Message
from chat.storage.mysql import FAILOVER_TIMEOUT
from chat.storage.redis_client import open_client
from tests.clusters import Galera, WatchedRedis, is_galera_there
from tests.databases import BackgroundCall, Sender, call, draft, person
from tests.old_databases import create_filled, records, rows
from tests.people import Person
from tests.server import Server
from tests.waiting import wait_for

pytestmark = pytest.mark.slow

SECRET_KEY = "for the tests of clusters: thirty-two bytes and more"
BACK = 20           # seconds in which what failed is replaced
ANSWERED = 5        # seconds until somebody is told, whatever hangs


@pytest.fixture(scope="module")
def galera():
    if not is_galera_there():
        pytest.skip("this machine has no Galera")
    with Galera() as galera:
        assert wait_for(galera.is_whole, BACK)      # the first node is not synced for a moment when another one joins
        yield galera


@pytest.fixture(scope="module")
def watched():
    with WatchedRedis() as watched:
        assert wait_for(watched.is_watched, BACK)
        yield watched


def url_of(*nodes):
    return f"mysql://root@{','.join(f'{node.host}:{node.port}' for node in nodes)}/chat"


def through(*nodes):
    """Return a Database whose hosts are these nodes, in this order."""
    return open_database({"DATABASE_URL": url_of(*nodes)}, call)


def node_at(galera, database):
    """Return the node that a Database asks."""
    host = database.query("SELECT @@bind_address AS host")[0]["host"]
    return next(node for node in galera.nodes if node.host == host)


def sent(sender, *arguments, **options):
    """Send as a client does: again until there is an answer, with the same clientId."""
    message = draft(*arguments, **options)
    until = time.monotonic() + BACK
    while True:
        begun = time.monotonic()
        try:
            return sender.writer.store(message)
        except Unavailable:
            assert time.monotonic() < until
        finally:
            assert time.monotonic() - begun < ANSWERED
        time.sleep(0.05)


# --- Galera ---------------------------------------------------------------------------------------------------------

def test_whatever_node_writes_there_is_no_gap(galera):
    databases = [through(node) for node in galera.nodes]
    alice, bob = person(databases[0], "galera alice"), person(databases[0], "galera bob")
    texts = 30

    def write(sender, author, receiver):
        for _n in range(texts):
            sent(sender, author, receiver)
    senders = [Sender(database) for database in databases]
    writers = [threading.Thread(target=write, args=(sender, *pair)) for sender, pair in
               zip(senders, ((alice, bob), (bob, alice), (alice, bob)))]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    rows = databases[1].query("SELECT seq, id, client_id FROM messages ORDER BY seq")
    assert [row["seq"] for row in rows] == list(range(1, 3 * texts + 1))
    delivered = [message for sender in senders for message, _origin in sender.delivered]
    assert {(message.id, message.seq) for message in delivered} == {(row["id"], row["seq"]) for row in rows}
    with databases[0].engine.pool.connection() as connection:
        assert connection.id_step is None, "ids jump, by steps that change, and each is known all the same"
    for database in databases:
        database.engine.close()


def test_nodes_on_which_processes_start_at_once_are_brought_up_once(galera, caplog):
    """Three processes, each with another node first: GET_LOCK would let all of them in."""
    name = "upgraded_on_all"
    urls = [url_of(node).replace("/chat", f"/{name}") for node in galera.nodes]
    old = open_database({"DATABASE_URL": urls[0]}, call, prepare=create_filled)
    before = rows(old, "users", "messages", "marks")
    gate = threading.Barrier(len(urls))

    def start(url):
        gate.wait(BACK)
        return open_database({"DATABASE_URL": url}, call, name_index.complete)
    upgraded = [background_call.outcome() for background_call in [BackgroundCall(lambda url=url: start(url)) for url in urls]]
    for database in upgraded:
        after = rows(database, "users", "messages")
        assert {table: [row[:len(before[table][0])] for row in found] for table, found in after.items()} == {
            table: before[table] for table in ("users", "messages")}, "what is newer has its default"
        assert rows(database, "receipts")["receipts"] == before["marks"]
        assert [record[::2] for record in records(database)] == [(1, "found"), *((version, "done") for version in range(2, newest() + 1))]
    assert all(caplog.text.count(f"is brought to version {version}") == 1 for version in range(2, newest() + 1))
    for database in (old, *upgraded):
        database.engine.close()


def test_ids_are_known_while_a_node_is_away(galera):
    """The nodes that are left take larger or smaller steps from one id to the next, on connections that are open already."""
    first, second, _third = galera.nodes
    database = through(first)
    alice, bob = person(database, "stepping alice"), person(database, "stepping bob")

    def stored_together(first_seq):
        messages = [draft(alice, bob) for _n in range(3)]
        for seq, message in enumerate(messages, first_seq):
            message.conversation_id, message.seq, message.timestamp = 1_000_000, seq, now()
        Message.insert(database, messages)
        rows = database.query("SELECT id FROM messages WHERE conversation_id = 1000000 AND seq >= %s ORDER BY seq", (first_seq,))
        assert [message.id for message in messages] == [row["id"] for row in rows]
        return messages[1].id - messages[0].id
    steps = [stored_together(1)]
    second.stop()
    try:
        assert wait_for(lambda: database.query("SELECT @@global.auto_increment_increment AS step")[0]["step"] == 2, BACK)
        steps.append(stored_together(4))
    finally:
        second.start()
    assert wait_for(galera.is_whole, BACK)
    steps.append(stored_together(7))
    assert steps == [3, 2, 3]
    database.engine.close()


def test_a_node_that_falls_out_of_step_is_left_though_connections_to_it_are_open(galera):
    first, second, _third = galera.nodes
    database = through(first, second)
    assert node_at(galera, database) is first
    with first.connect() as root:
        root.cursor().execute("SET GLOBAL wsrep_desync = ON")
        try:
            assert wait_for(lambda: node_at(galera, database) is second, BACK)
        finally:
            root.cursor().execute("SET GLOBAL wsrep_desync = OFF")
    assert wait_for(lambda: galera.is_synced(first), BACK)
    database.engine.close()


def test_a_node_that_is_not_synced_is_left_alone(galera):
    first, second, _third = galera.nodes
    with contextlib.closing(first.connect()) as root:
        root.cursor().execute("SET GLOBAL wsrep_desync = ON")
        try:
            assert node_at(galera, Database(MySQLEngine(url_of(first, second)))) is second
        finally:
            root.cursor().execute("SET GLOBAL wsrep_desync = OFF")
    assert wait_for(lambda: galera.is_synced(first), BACK)


def test_a_node_that_dies_is_passed_over(galera):
    database = through(*galera.nodes)
    sender, alice, bob = Sender(database), person(database, "passing alice"), person(database, "passing bob")
    first = sent(sender, alice, bob)
    place = node_at(galera, database)
    place.kill()
    began = time.monotonic()
    assert sent(sender, alice, bob).seq == first.seq + 1
    assert time.monotonic() - began < ANSWERED
    assert node_at(galera, database) is not place
    place.start()
    assert wait_for(galera.is_whole, BACK)
    assert through(place).query("SELECT COUNT(*) AS n FROM messages WHERE sender_id = %s", (alice.id,)) == [{"n": 2}]
    database.engine.close()


def test_a_node_that_hangs_is_passed_over(galera):
    database = through(*galera.nodes)
    alice, bob = person(database, "hanging alice"), person(database, "hanging bob")
    sender = Sender(database)
    sent(sender, alice, bob)
    place = node_at(galera, database)
    place.pause()
    try:
        assert sent(sender, alice, bob).seq >= 2
        assert node_at(galera, database) is not place
    finally:
        place.resume()
    database.engine.close()


def test_no_node_at_all_is_told_soon():
    database = Database(MySQLEngine("mysql://root@127.0.0.1:1,127.0.0.2:1/chat"))
    began = time.monotonic()
    with pytest.raises(Unavailable):
        database.query("SELECT 1")
    assert time.monotonic() - began < 3 * FAILOVER_TIMEOUT


# --- Sentinel -------------------------------------------------------------------------------------------------------

def test_it_works(watched):
    client = open_client(watched.url)
    client.set("a key", "a value")
    assert client.get("a key") == b"a value"
    assert client.connection_pool.max_connections == 20, "bounded, as without Sentinels"


def test_the_people_stay_when_the_master_dies(watched, mariadb, arrive):
    """They keep their sessions, their connections and what they write, and others can log in again."""
    shared = {"DATABASE_URL": mariadb.url.replace("/chat", "/watched"), "REDIS_URL": watched.url, "SECRET_KEY": SECRET_KEY}
    with Server(**shared) as one, Server(**shared) as other:
        alice, bob = arrive(one), arrive(other)
        hers, his = alice.tab(), bob.tab()
        hers.send(bob, "before")
        his.wait_for("receiveMessage")
        dead = watched.master()
        dead.kill()
        for n in range(5):
            assert hers.send(bob, f"meanwhile {n}")["ok"]
            assert his.wait_for("receiveMessage")["message"] == f"meanwhile {n}"
        assert wait_for(lambda: watched.master() is not dead, BACK)
        assert wait_for(lambda: alice.get("/").status_code == 200, BACK)
        newcomer = Person(one.url, "newcomer")
        assert wait_for(lambda: newcomer.get("/login").status_code == 200 and newcomer.register().status_code == 302, BACK)
        assert hers.wait_for("updateOnlineUsers", lambda change: True) and not hers.ended.is_set() and not his.ended.is_set()
        newcomer.leave()

"""The numbers the chat is meant for: 1,500 connections, 10,000 people, 100,000 messages in one conversation."""
import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from chat.conversations.message import Message
from chat.conversations.conversation_list import list_conversations, search_people
from chat.live.process_tuning import raise_fd_limit
from tests.conftest import SECRET_KEY
from tests.databases import beside, database, open_mariadb, person  # noqa: F401
from tests.test_schema import crowd, talk
from tests.waiting import shortest_time

pytestmark = pytest.mark.slow

CONNECTIONS = 1500
AT_ONCE = 50            # connections that are being opened at a time
PEOPLE = 10_000
LONG, SHORT = 100_000, 100      # messages
OPENINGS = 20
MAX_RATIO = 2.0        # a sanity bound for a busy machine; the benchmark measures it


class Line:
    """A WebSocket with the least that Socket.IO needs: it answers pings and keeps the messages it hears."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.heard = asyncio.Queue()
        self.connected = asyncio.Event()
        self.task = asyncio.create_task(self.listen())

    @classmethod
    async def open(cls, url, cookie):
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address.netloc}\r\nOrigin: {url}\r\n"
                     f"Cookie: {cookie}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        status = await reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in status.splitlines()[0], status
        line = cls(reader, writer)
        line.send("40")
        await asyncio.wait_for(line.connected.wait(), 30)
        return line

    def send(self, text):
        """Send a short text as one frame, masked with zeros."""
        payload = text.encode()
        assert len(payload) < 126
        self.writer.write(bytes([0x81, 0x80 | len(payload)]) + bytes(4) + payload)

    async def listen(self):
        try:
            while True:
                text = await self.frame()
                if text == "2":
                    self.send("3")
                elif text.startswith("40"):
                    self.connected.set()
                elif text.startswith('42["receiveMessage"'):
                    self.heard.put_nowait(text)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass

    async def frame(self):
        _first, length = await self.reader.readexactly(2)
        if length >= 126:
            length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
        return (await self.reader.readexactly(length)).decode(errors="replace")

    async def close(self):
        self.task.cancel()
        self.writer.transport.abort()


async def open_many(url, cookies):
    gate = asyncio.Semaphore(AT_ONCE)

    async def open_one(number):
        async with gate:
            return await Line.open(url, cookies[number % len(cookies)])
    return await asyncio.gather(*(open_one(number) for number in range(CONNECTIONS)))


def test_it_works(start_server, arrive):
    """1,500 connections at once; the pages answer, and a message reaches each connection of both people once."""
    raise_fd_limit()
    server = start_server(ASYNC_MODE="eventlet")
    people = [arrive(server) for _n in range(3)]
    alice, bob, _charlie = people

    async def crowded():
        lines = await open_many(server.url, [one.cookie() for one in people])
        assert (await asyncio.to_thread(alice.get, "/")).status_code == 200
        assert (await asyncio.to_thread(alice.send, bob, "to all of us")).status_code == 201
        for number, line in enumerate(lines):
            if number % 3 < 2:
                assert "to all of us" in await asyncio.wait_for(line.heard.get(), 20)
        await asyncio.sleep(0)
        assert all(line.heard.empty() and not line.task.done() for line in lines)
        for line in lines:
            await line.close()
    with ThreadPoolExecutor(1) as pool:    # the browser tests leave an event loop in this thread
        pool.submit(asyncio.run, crowded()).result()


@pytest.fixture(scope="module")
def city(database):
    database.me = person(database, "me in the city")
    database.ids = crowd(database, 100, PEOPLE, "citizen")
    for other_id in database.ids[5000:5120]:
        talk(database, database.me.id, other_id, 1)
    return database


def pages(ask):
    """Follow the pages to the end; return all ids in order."""
    ids, after = [], None
    while True:
        page = [summary.id for summary in ask(after)]
        ids += page
        if len(page) < 50:
            return ids
        after = page[-1]


def test_ten_thousand_people_are_listed_without_doubles_or_holes(city):
    listed = pages(lambda after: list_conversations(city, city.me.id, after))
    assert listed[:120] == city.ids[5000:5120][::-1], "whom one talked with last comes first"
    assert len(listed) == len(set(listed)) == PEOPLE
    assert set(listed) == set(city.ids)


@pytest.mark.parametrize("text, fits", [("CITIZEN", lambda i: True), ("zen50", lambda i: str(i).startswith("50")),
                                        ("7", lambda i: "7" in str(i))])
def test_ten_thousand_people_are_searched_without_doubles_or_holes(city, text, fits):
    found = pages(lambda after: search_people(city, city.me.id, text, after))
    assert len(found) == len(set(found))
    assert set(found) == {i for i in city.ids if fits(i)}


def test_a_page_of_ten_thousand_people_comes_quickly(city):
    for ask in (lambda: list_conversations(city, city.me.id), lambda: list_conversations(city, city.me.id, city.ids[7000]),
                lambda: search_people(city, city.me.id, "e"), lambda: search_people(city, city.me.id, "zen99")):
        assert shortest_time(ask, limit=0.1, tries=20) < 0.1


def seconds(ask):
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


def test_a_long_conversation_opens_about_as_fast_as_a_short_one(database, start_server, arrive):
    if database.name == "sqlite":
        path = database.query("PRAGMA database_list")[0]["file"]
        settings = {"INSTANCE_PATH": os.path.dirname(path)}
    else:
        (_host, port), = database.engine.hosts
        settings = {"SECRET_KEY": SECRET_KEY,
                    "DATABASE_URL": f"mysql://root@127.0.0.1:{port}/{database.engine.name}"}
    server = start_server(**settings)
    alice, bob, charlie = arrive(server), arrive(server), arrive(server)
    filling = beside(database)
    talk(filling, alice.id, bob.id, LONG)
    talk(filling, alice.id, charlie.id, SHORT)
    filling.engine.close()
    assert (alice.history(bob)["lastSeq"], alice.history(charlie)["lastSeq"]) == (LONG, SHORT)
    for path in ("/messages/{}", "/chat/{}"):
        times = {bob: [], charlie: []}
        for _n in range(OPENINGS):
            for other, taken in times.items():
                taken.append(seconds(lambda: alice.get(path.format(other.username)).raise_for_status()))
        assert min(times[bob]) < MAX_RATIO * min(times[charlie]), path


def rows_read(mariadb, ask):
    """Return how many rows and index entries the server reads for a question: its own count, which no cache and no other work changes."""
    def count():
        with mariadb.connect() as root, root.cursor() as cursor:
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Handler_read%'")
            return sum(int(value) for _name, value in cursor.fetchall())
    ask()       # what is only looked up the first time is known now
    before, idle = count(), count()
    ask()
    return count() - idle - (idle - before)     # to ask for the count reads rows itself


def test_no_question_reads_more_of_a_long_conversation_than_of_a_short_one(mariadb):
    """Few people and many messages: MariaDB would rather read all that three people have ever sent, unless it is kept from it."""
    town = open_mariadb(mariadb)
    me, *others = (person(town) for _n in range(3))
    conversations = [talk(town, me.id, other.id, length) for other, length in zip(others, (20_000, SHORT))]
    for table in ("users", "messages", "members", "conversations"):
        town.query(f"ANALYZE TABLE {table}")
    for bounds in ({}, {"before": 60}, {"after": 30}, {"before": 60, "after": 30}):
        long, short = (rows_read(mariadb, lambda one=one: Message.page(town, one.id, **bounds)) for one in conversations)
        assert long <= short + 5, bounds
    for bounds in ({"before": 10_000}, {"after": 10_000}, {"before": 10_050, "after": 9_000}, {"before": 1_000_000}):
        middle = rows_read(mariadb, lambda: Message.page(town, conversations[0].id, **bounds))
        assert middle < 200, f"a page of 50 in the middle reads nothing but itself, {bounds}"
    for unread in (0, 120):
        town.execute("UPDATE members SET read_seq = %s WHERE conversation_id = %s", (20_000 - unread, conversations[0].id))
        for ask in (lambda: list_conversations(town, me.id), lambda: search_people(town, me.id, "person"),
                    lambda: [one.last_numbers(town) for one in conversations]):
            assert rows_read(mariadb, ask) < 1_000
    town.engine.close()

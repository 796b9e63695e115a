"""Sockets that send only what is refused: each has a budget of packets, and a refused connection closes its transport."""
import json
import select
from contextlib import ExitStack
from queue import Queue
from types import SimpleNamespace

import pytest
from engineio.packet import NOOP, Packet

from chat.live.transports import MAX_UNSENT_BYTES, YIELD_EVERY, Transport, Transports, _unsent_bytes
from tests.attacks.conftest import connect, measure
from tests.people import Person
from tests.test_polling_guard import Polling
from tests.waiting import wait_for

POLLS = 50
SOON = 4                # seconds: before a ping, which would end polls too
MAX_CPU = 1             # second for ten bodies; 1.5 to 2.7 before


def test_a_body_of_connects_is_refused_once(embedded, bystander):
    stranger = Person(embedded.url)
    with bystander(embedded) as watching:
        for _n in range(10):
            polling = Polling(stranger)
            assert polling.post("\x1e".join(["40"] * 500)).status_code == 200
            told = polling.until_closed()
            assert sum(packet.startswith("44") for packet in told) <= 2, "one is refused, the next one closes"
    assert watching.cpu < MAX_CPU


def test_one_refusal_is_told_and_then_the_transport_is_closed(embedded):
    polling = Polling(Person(embedded.url))
    polling.post("40")
    told = polling.until_closed()
    assert json.loads(told[0][2:])["data"]["code"] == "unauthorized" and told[-1] == "1"


@pytest.mark.parametrize("event", ['42["nothing",{}]', "3"])
def test_who_sends_without_end_is_closed_and_who_comes_back_is_not(embedded, arrive, event):
    flooding, returning = Polling(arrive(embedded)).connect(), Polling(arrive(embedded)).connect()
    assert returning.post("\x1e".join([event] * 499)).status_code == 200
    for _n in range(3):
        flooding.post("\x1e".join([event] * 499))
    assert flooding.until_closed()[-1] == "1" and measure(embedded, "chat_transports_closed_for_flooding_total") == 1
    assert returning.post('427["nothing",{}]').status_code == 200
    assert 7 in returning.acknowledgements(1)


def test_packets_without_text_count_as_unsent():
    waiting = Queue()
    for _n in range(MAX_UNSENT_BYTES // 100 + 1):
        waiting.put(Packet(NOOP))
    assert _unsent_bytes(SimpleNamespace(queue=waiting)) > MAX_UNSENT_BYTES


def test_packets_that_are_no_messages_let_others_have_their_turn():
    pauses, transports = [], Transports.__new__(Transports)
    transports.opened, transports.budgets, transports.server = {"sid": Transport("", 0)}, SimpleNamespace(enabled=False), SimpleNamespace(sleep=pauses.append)
    receive = transports._count_control_packets("sid", lambda _packet: None)
    for _n in range(500):
        receive(Packet(NOOP))
    assert len(pauses) == 500 // YIELD_EVERY


@pytest.mark.parametrize("header", ["", "Upgrade: x\r\n"], ids=["", "an upgrade to nothing"])
def test_one_poll_of_a_transport_waits_and_a_new_one_ends_it(embedded, arrive, header):
    polling = Polling(arrive(embedded)).connect()
    with ExitStack() as opened:
        polls = [opened.enter_context(connect(embedded)) for _n in range(POLLS)]
        for poll in polls:
            poll.sendall(f"GET {polling.path} HTTP/1.1\r\nHost: x\r\nCookie: {polling.person.cookie()}\r\n{header}\r\n".encode())
        waiting = set(polls)
        wait_for(lambda: waiting.difference_update(select.select(list(waiting), [], [], 0)[0]) or len(waiting) <= 1, SOON)
        assert len(waiting) <= 1, "all others have their answer"
        if not waiting:     # all came at the same time: the next one waits
            waiting = {opened.enter_context(connect(embedded))}
            next(iter(waiting)).sendall(f"GET {polling.path} HTTP/1.1\r\nHost: x\r\nCookie: {polling.person.cookie()}\r\n\r\n".encode())
        polling.post('427["nothing",{}]')
        assert wait_for(lambda: select.select(list(waiting), [], [], 0)[0], SOON), "the one that waits gets what comes"

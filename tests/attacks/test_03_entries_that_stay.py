"""Packets that end a transport, with more behind them: what the library notes for these was forgotten by nobody."""
import pytest

from tests.attacks.conftest import measure
from tests.people import Person
from tests.test_polling_guard import Polling
from tests.waiting import wait_for

PER_KIND = 20
FORGOTTEN = 5       # seconds, within which a transport that ended is noted nowhere


def entries(server):
    return measure(server, "chat_transport_entries")


@pytest.mark.parametrize("body", ["45\x1e40", "1\x1e40", "4\x1e40", "42[\x1e40\x1e40", "40\x1e1\x1e40", "40\x1e45\x1e40", "441\x1e40\x1e1"])
@pytest.mark.parametrize("logged_in", [True, False])
def test_what_was_begun_is_undone(embedded, arrive, record, body, logged_in):
    person = arrive(embedded) if logged_in else Person(embedded.url)
    before = entries(embedded)
    for _n in range(PER_KIND):
        polling = Polling(person)
        polling.post(body)
        polling.until_closed()
    wait_for(lambda: entries(embedded) == before, FORGOTTEN)
    assert record(embedded, "entries that stay", entries(embedded) - before, "entries") == 0


def test_an_open_transport_is_counted(embedded, arrive):
    before = entries(embedded)
    Polling(arrive(embedded)).connect()
    assert entries(embedded) > before

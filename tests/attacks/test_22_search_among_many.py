"""Searching, by somebody who has talked with thousands: it costs what the page shows, not what is stored."""
import pytest

from chat.conversations.conversation_list import list_conversations, search_people
from chat.accounts.user import PAGE
from tests.databases import Sender, open_sqlite, person

pytestmark = pytest.mark.slow

FEW, MANY = 60, 600     # conversations of one person
STEP = 10               # instructions of SQLite that are counted at once


@pytest.fixture
def work(tmp_path):
    """Return `work(conversations, search)`: how many steps SQLite makes for a search by somebody with so many."""
    def measure(conversations, search):
        database = open_sqlite(tmp_path / str(conversations))
        me, sender = person(database), Sender(database)
        for _n in range(conversations):
            sender.send(person(database), me)
        steps = 0

        def count():
            nonlocal steps
            steps += 1
        database.engine.reader.set_progress_handler(count, STEP)
        assert len(search(database, me.id)) == PAGE
        database.engine.reader.set_progress_handler(None, 0)
        database.engine.close()
        return steps
    return measure


@pytest.mark.parametrize("text", ["p", "person", "o"])
def test_a_search_costs_the_same_however_many_one_has_talked_with(work, record, text):
    few, many = (work(conversations, lambda database, me: search_people(database, me, text)) for conversations in (FEW, MANY))
    assert few > 100 and record(None, f"work with {MANY} conversations", many / few, f"times that with {FEW}") < 1.5


def test_the_list_costs_little_for_each_conversation(work, record):
    """It is sorted by the last word, so each conversation is looked at, and only just."""
    few, many = (work(conversations, lambda database, me: list_conversations(database, me)) for conversations in (FEW, MANY))
    assert record(None, "list of people", (many - few) * STEP / (MANY - FEW), "instructions a conversation") < 150

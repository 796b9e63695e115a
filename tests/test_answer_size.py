"""No answer is large without bound: what people wrote is counted, and each page has at least one message."""
import json
import uuid

import pytest

from chat.clock import now, to_db
from chat.conversations.answer_size import MAX_PAGE_BYTES, fitting
from chat.conversations.change import pinned
from chat.conversations.conversation_list import BEGINNING, list_conversations, search_people
from chat.conversations.file import File
from chat.conversations.message import Message
from chat.conversations.message_parts import Reaction
from tests.databases import Sender, database, person  # noqa: F401

EMOJI = "\U0001F600"
LONG = EMOJI * 4000         # 16 KB
FILES = tuple(File(1, "a", "b" * 64, EMOJI * 255, "image/png", 5, alt=EMOJI * 1000, id=number) for number in range(10))      # 50 KB
REACTIONS = tuple(Reaction(str(number), list(range(2**31 - 1000, 2**31)), []) for number in range(20))      # 220 KB


def size_in_json(answer):
    return len(json.dumps([each.as_json() for each in answer], ensure_ascii=False, separators=(",", ":")).encode())


def a_message(text="", files=(), reactions=()):
    return Message(1, 2, text, "id", "somebody", files=files, reactions=reactions)


@pytest.mark.parametrize("large, fit", [({"text": LONG}, 16), ({"files": FILES}, 5), ({"reactions": REACTIONS}, 1), ({"text": "short"}, 200),
                                        ({"text": LONG, "files": FILES, "reactions": REACTIONS}, 1)])
def test_it_works(large, fit):
    page = fitting([a_message(**large) for _n in range(200)])
    assert len(page) == fit
    assert fit == 1 or size_in_json(page) < MAX_PAGE_BYTES * 1.5


def test_the_latest_pins_fit_into_one_answer(database):
    sender, one, other = Sender(database), person(database), person(database)
    stored = [sender.send(one, other, LONG) for _n in range(20)]
    for message in stored:
        database.execute("INSERT INTO pins (conversation_id, seq, user_id, at) VALUES (%s, %s, %s, %s)", (*message.ref, one.id, to_db(now())))
    assert [message.seq for message in pinned(database, stored[0].conversation_id)] == list(range(20, 4, -1))


def test_the_last_messages_of_a_list_fit_into_one_answer(database):
    me, sender = person(database), Sender(database)
    others = [person(database, f"{uuid.uuid4().hex[:8]} letters") for _n in range(30)]
    for other in others:
        sender.send(other, me, LONG)
    for summaries in (list_conversations(database, me.id, limit=30), search_people(database, me.id, "letters", limit=30)):
        assert {summary.id for summary in summaries} == {other.id for other in others}, "nobody is missing"
        texts = [summary.last_message for summary in summaries]
        assert texts[:16] == 16 * [LONG] and texts[16:] == 14 * [LONG[:BEGINNING]] and size_in_json(summaries) < 2 * MAX_PAGE_BYTES
        assert all(summary.preview == EMOJI * 120 for summary in summaries)

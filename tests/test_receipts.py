"""Receipts in a room that has more members than the details of a message name."""
import pytest

from chat.conversations import receipts
from chat.conversations.conversation import Conversation
from chat.conversations.members import insertion
from chat.conversations.message import Message
from chat.conversations.room import Room
from tests.databases import Sender, database, person  # noqa: F401


@pytest.fixture
def room(database):
    """A room of a sender and three others, and the message that the sender has written last."""
    people = [person(database) for _n in range(4)]
    room = Room.create(database, people[0].id, {"name": "class"})
    for other in people[1:]:
        database.execute(*insertion(room.id, other.id, "member"))
    sender = Sender(database)
    sender.writer.store(Message.notice_draft(people[0], room.id, "created"))
    return Conversation(room.id), people, Message.by_seq(database, room.id, 1)


@pytest.mark.parametrize("named", [1, 3])
def test_everybody_is_everybody_whoever_is_named(database, room, monkeypatch, named):
    conversation, people, message = room
    monkeypatch.setattr(receipts, "MAX_READERS", named)
    for who, is_read in ((people[1], False), (people[2], False), (people[3], True)):
        conversation.mark_read(database, who.id, 1)
        told = receipts.of_message(database, message)
        assert (told["isRead"], len(told["readers"])) == (is_read, named)
        assert bool(told["read"]) == (is_read and named == 3), "the latest time is known where everybody is named"


def test_nobody_else_has_read_it(database):
    alone = person(database)
    room = Room.create(database, alone.id, {"name": "class"})
    Sender(database).writer.store(Message.notice_draft(alone, room.id, "created"))
    told = receipts.of_message(database, Message.by_seq(database, room.id, 1))
    assert told == {"delivered": None, "read": None, "isRead": False, "readers": []}

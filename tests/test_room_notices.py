"""A notice of what has been done in a room is stored, though the database fails between the two."""
import pytest

from chat.conversations import members
from chat.conversations.gate import Gate
from chat.conversations.message import Message
from chat.conversations.rooms import Rooms
from chat.errors import Conflict, NotFound, Unavailable
from tests.databases import Sender, database, person  # noqa: F401


class NoBudgets:
    def hit(self, _budget, _key):
        return 0


class FailingWriter:
    """The real writer; while `is_down` it stores nothing, or stores it and loses the answer."""

    def __init__(self, writer):
        self.writer, self.is_down, self.is_stored = writer, False, False

    def store(self, draft):
        if self.is_down and not self.is_stored:
            raise Unavailable()
        self.writer.store(draft)
        if self.is_down:
            raise Unavailable()


@pytest.fixture
def rooms(database):
    """Rooms of a person and another one, and what is to be done later."""
    later, told = [], []
    writer = FailingWriter(Sender(database).writer)
    rooms = Rooms(database, Gate(database), writer, NoBudgets(), lambda *args, **kwargs: told.append(args), lambda _seconds, task: later.append(task))
    rooms.later, rooms.alice, rooms.bob = later, person(database), person(database)
    rooms.id = rooms.create(rooms.alice, {"name": "class", "open": True}).id
    return rooms


def notices(rooms):
    return [message.notice["what"] for message in Message.page(rooms.database, rooms.id)]


def settle(rooms):
    """Do what was put off."""
    while rooms.later:
        rooms.later.pop(0)()


@pytest.mark.parametrize("is_stored", [False, True], ids=["refused", "its answer lost"])
@pytest.mark.parametrize("act, what", [
    (lambda rooms: rooms.join(rooms.bob, rooms.id), "joined"), (lambda rooms: rooms.add(rooms.alice, rooms.id, rooms.bob.username), "added"),
    (lambda rooms: rooms.change(rooms.alice, rooms.id, {"name": "another"}), "renamed"),
    (lambda rooms: rooms.change(rooms.alice, rooms.id, {"archived": True}), "archived")])
def test_a_notice_that_cannot_be_stored_is_stored_later(rooms, act, what, is_stored):
    rooms.writer.is_down, rooms.writer.is_stored = True, is_stored
    act(rooms)
    assert len(rooms.later) == 1
    rooms.later.pop()()
    assert len(rooms.later) == 1, "the database is still away"
    rooms.writer.is_down = False
    settle(rooms)
    assert notices(rooms) == ["created", what]


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("act, verb, what", [
    (lambda rooms: rooms.join(rooms.bob, rooms.id), "add", "joined"), (lambda rooms: rooms.leave(rooms.bob, rooms.id), "remove", "left")])
def test_a_change_whose_answer_is_lost_becomes_a_notice_if_it_was_made(rooms, monkeypatch, act, verb, what, is_done):
    if verb == "remove":
        rooms.join(rooms.bob, rooms.id)
    before, real = notices(rooms), getattr(members, verb)

    def lost(*arguments):
        if is_done:
            real(*arguments)
        raise Unavailable()
    monkeypatch.setattr(members, verb, lost)
    with pytest.raises(Unavailable):
        act(rooms)
    settle(rooms)
    assert notices(rooms) == before + [what] * is_done


def test_who_has_just_gone_is_not_asked_to_find_another_owner(rooms, monkeypatch):
    """Two requests at once: the other one was faster after the gate had opened."""
    rooms.join(rooms.bob, rooms.id)
    monkeypatch.setattr(members, "remove", lambda *_args: _gone(rooms))
    rooms.leave(rooms.bob, rooms.id)
    assert "left" not in notices(rooms)
    with pytest.raises(NotFound):
        rooms.set_role(rooms.alice, rooms.id, rooms.bob.username, "owner")


def _gone(rooms):
    rooms.database.execute("DELETE FROM members WHERE conversation_id = %s AND user_id = %s", (rooms.id, rooms.bob.id))
    return False


def test_the_last_owner_stays(rooms):
    with pytest.raises(Conflict):
        rooms.leave(rooms.alice, rooms.id)
    with pytest.raises(Conflict):
        rooms.set_role(rooms.alice, rooms.id, rooms.alice.username, "member")


@pytest.mark.parametrize("act, again, verb, told", [
    (lambda rooms: rooms.join(rooms.bob, rooms.id), lambda rooms: rooms.join(rooms.bob, rooms.id), "add", ["joined"]),
    (lambda rooms: rooms.remove(rooms.alice, rooms.id, rooms.bob.username), lambda rooms: rooms.leave(rooms.bob, rooms.id), "remove", ["left"])])
def test_what_is_asked_again_before_it_is_settled_becomes_one_notice(rooms, monkeypatch, act, again, verb, told):
    """The database is away for a moment, nothing is stored, and somebody asks again at once."""
    if verb == "remove":
        rooms.join(rooms.bob, rooms.id)
    before = notices(rooms)

    def failing(*_arguments):
        raise Unavailable()
    with monkeypatch.context() as away:
        away.setattr(members, verb, failing)
        with pytest.raises(Unavailable):
            act(rooms)
    again(rooms)
    settle(rooms)
    assert notices(rooms) == before + told

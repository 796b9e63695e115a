"""Conversation: who talks with whom, how far each has read, and the list of people that comes of it."""
import pytest

from chat.conversations import receipts
from chat.conversations.conversation import Conversation
from chat.errors import Unavailable
from chat.conversations.conversation_list import MAX_UNREAD, list_conversations, search_people
from chat.conversations.message import Message
from tests.databases import BackgroundCall, Sender, alice, beside, bob, database, person  # noqa: F401


@pytest.fixture
def sender(database):
    return Sender(database)


def summaries(database, me):
    return {summary.id: summary for summary in list_conversations(database, me.id, limit=1000)}


def test_it_works(database, sender, alice, bob):
    assert Conversation.between(database, alice.id, bob.id) is None
    sender.send(alice, bob, "one")
    sender.send(bob, alice, "two")
    conversation = Conversation.between(database, alice.id, bob.id)
    assert conversation == Conversation.between(database, bob.id, alice.id), "it has no direction"
    assert conversation.last_numbers(database) == (2, 0)
    assert conversation.read_seqs(database) == {alice.id: 0, bob.id: 0}
    assert [message.message for message in Message.page(database, conversation.id)] == ["one", "two"]


def test_two_processes_at_once_open_one_conversation(database, alice, bob):
    other = beside(database)
    background_calls = [BackgroundCall(lambda where=where, pair=pair: Conversation.open_between(where, *pair))
              for where in (database, other) for pair in ((alice.id, bob.id), (bob.id, alice.id)) for _n in range(5)]
    assert len({background_call.outcome().id for background_call in background_calls}) == 1
    conversation = Conversation.between(database, alice.id, bob.id)
    assert conversation.read_seqs(database) == {alice.id: 0, bob.id: 0}


def test_the_last_seqs_of_many_conversations(database, sender, alice):
    expected = {}
    for length in range(3):
        other = person(database)
        expected[Conversation.open_between(database, alice.id, other.id).id] = length
        for _n in range(length):
            sender.send(alice, other)
    assert Conversation.last_seqs(database, list(expected)) == expected


def test_the_read_mark_only_grows(database, sender, alice, bob):
    for _n in range(5):
        sender.send(alice, bob)
    conversation = Conversation.between(database, alice.id, bob.id)
    assert conversation.mark_read(database, bob.id, 3)
    assert not conversation.mark_read(database, bob.id, 3)
    assert not conversation.mark_read(database, bob.id, 2)
    assert conversation.read_seqs(database) == {alice.id: 0, bob.id: 3}
    assert conversation.mark_read(database, bob.id, 5)


# --- when ------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """Set the server's clock: `clock(5)` is the fifth second of an hour."""
    def set_to(second):
        monkeypatch.setattr("chat.conversations.receipts.now", lambda: time_at(second))
    return set_to


def time_at(second):
    return f"2026-11-24T10:00:{second:02}.000Z"


@pytest.fixture
def written(database, sender, alice, bob):
    """A conversation of five messages from alice to bob, and `times_of(seq)`: the seconds of delivery and of reading."""
    for _n in range(5):
        sender.send(alice, bob)
    conversation = Conversation.between(database, alice.id, bob.id)

    def times_of(seq):
        message = Message.by_seq(database, conversation.id, seq)
        return tuple(time and int(time[17:19]) for time in receipts.of_message(database, message).values())
    return conversation, times_of


def test_when_messages_were_delivered_and_read(database, bob, clock, written):
    conversation, times_of = written
    assert times_of(1) == (None, None)
    clock(10)
    conversation.mark_delivered(database, bob.id, 2)
    clock(20)
    conversation.mark_read(database, bob.id, 1)
    clock(30)
    conversation.mark_delivered(database, bob.id, 4)
    clock(40)
    conversation.mark_read(database, bob.id, 3)
    assert [times_of(seq) for seq in range(1, 6)] == [(10, 20), (10, 40), (30, 40), (30, None), (None, None)]
    assert receipts.receipt_time(database, conversation.id, bob.id, "read", 3) == time_at(40), "to the millisecond, in UTC"


def test_what_was_read_had_been_delivered(database, bob, clock, written):
    conversation, times_of = written
    clock(10)
    conversation.mark_read(database, bob.id, 3)
    clock(20)
    conversation.mark_delivered(database, bob.id, 5)
    assert times_of(2) == (10, 10) and times_of(4) == (20, None)


def test_the_times_are_those_of_the_receiver(database, alice, clock, written):
    conversation, times_of = written
    clock(10)
    conversation.mark_read(database, alice.id, 5)
    conversation.mark_delivered(database, alice.id, 5)
    assert times_of(1) == (None, None)


def test_only_a_mark_that_moves_is_noted(database, bob, written):
    conversation, _times_of = written
    count = "SELECT COUNT(*) AS rows_of_it FROM receipts WHERE conversation_id = %s"
    for seq in (0, 3, 3, 2):
        conversation.mark_read(database, bob.id, seq)
        conversation.mark_delivered(database, bob.id, seq)
    assert database.query(count, (conversation.id,))[0]["rows_of_it"] == 2, "one of each kind"
    moving = database.asked_by(conversation.mark_read, database, bob.id, 4)
    assert [sql.split()[0] for sql, _params in moving] == ["UPDATE", "INSERT"]
    standing = database.asked_by(conversation.mark_read, database, bob.id, 4)
    assert [sql.split()[0] for sql, _params in standing] == ["UPDATE"]


def test_two_tabs_at_once_note_one_delivery(database, bob, written):
    conversation, times_of = written
    both = [BackgroundCall(lambda where=where: conversation.mark_delivered(where, bob.id, 5))
            for where in (database, beside(database)) for _n in range(5)]
    for one in both:
        one.outcome()
    assert times_of(5)[0] is not None


def test_a_time_that_cannot_be_noted_stops_no_read_mark(database, bob, written, monkeypatch):
    conversation, times_of = written

    def fail(*_arguments):
        raise Unavailable
    monkeypatch.setattr(receipts, "insert", fail)
    assert conversation.mark_read(database, bob.id, 5) and conversation.read_seqs(database)[bob.id] == 5
    assert times_of(5) == (None, None)
    with pytest.raises(Unavailable):
        conversation.mark_delivered(database, bob.id, 5)


def test_a_message_by_its_number(database, written):
    conversation, _times_of = written
    assert Message.by_seq(database, conversation.id, 2).seq == 2
    assert Message.by_seq(database, conversation.id, 6) is Message.by_seq(database, 10**6, 1) is None


# --- pages -----------------------------------------------------------------------------------------------------


def test_pages_of_messages(database, sender, alice, bob):
    for number in range(1, 8):
        sender.send(alice, bob, str(number))
    conversation = Conversation.between(database, alice.id, bob.id)

    def page(**bounds):
        return [message.seq for message in Message.page(database, conversation.id, **bounds)]
    assert page(limit=3) == [5, 6, 7], "the last ones"
    assert page(before=5, limit=3) == [2, 3, 4]
    assert page(after=2, limit=3) == [3, 4, 5], "the first ones after"
    assert page(after=2, before=5) == [3, 4]
    assert page(before=8, limit=3) == page(before=9, limit=3) == page(before=100, limit=3) == [5, 6, 7], "there is nothing behind the end"
    assert page(before=3, limit=3) == page(before=3, limit=2) == [1, 2]
    assert page(before=0) == page(before=1) == page(after=7) == page(after=100) == page(after=3, before=3) == page(after=5, before=2) == []
    assert page(limit=10**6) == list(range(1, 8))


# --- the list ----------------------------------------------------------------------------------------------------


def test_whom_one_talked_with_last_comes_first_then_all_by_name(database, sender, alice):
    names = [person(database, f"{name} of the list") for name in ("zoe", "adam", "mona", "Bert")]
    zoe, adam, mona, bert = names
    sender.send(alice, zoe)
    sender.send(mona, alice)
    ids = {one.id for one in names}
    assert [summary.id for summary in list_conversations(database, alice.id, limit=1000) if summary.id in ids] == \
        [mona.id, zoe.id, adam.id, bert.id]
    sender.send(zoe, alice)
    assert list_conversations(database, alice.id)[0].id == zoe.id


def test_a_card_shows_the_last_message_and_what_is_unread(database, sender, alice, bob):
    sender.send(alice, bob, "mine")
    for number in range(3):
        sender.send(bob, alice, f"yours {number}")
    summary = summaries(database, alice)[bob.id]
    assert (summary.unread, summary.last_message, summary.last_seq, summary.last_is_mine) == (3, "yours 2", 4, False)
    summary = summaries(database, bob)[alice.id]
    assert (summary.unread, summary.last_is_mine) == (1, True)
    Conversation.between(database, alice.id, bob.id).mark_read(database, alice.id, 3)
    assert summaries(database, alice)[bob.id].unread == 1
    sender.send(alice, bob, "mine again")
    assert summaries(database, alice)[bob.id].unread == 1, "one's own are never unread"


def test_the_badge_is_counted_no_further_than_it_shows(database, sender, alice, bob):
    for _n in range(MAX_UNREAD + 5):
        sender.send(alice, bob)
    assert summaries(database, bob)[alice.id].unread == MAX_UNREAD


def test_whoever_one_never_talked_with_is_listed_and_oneself_is_not(database, alice, bob):
    listed = summaries(database, alice)
    assert alice.id not in listed
    assert (listed[bob.id].unread, listed[bob.id].last_message, listed[bob.id].last_seq) == (0, None, 0)


@pytest.mark.parametrize("turn", [False, True])
def test_a_conversation_that_is_open_and_empty_hides_nobody(database, alice, bob, turn):
    """Its first message could not be stored: both people are still in each other's list."""
    one, other = (bob, alice) if turn else (alice, bob)
    Conversation.open_between(database, one.id, other.id)
    assert other.id in summaries(database, one) and one.id in summaries(database, other)
    assert other.id in {summary.id for summary in search_people(database, one.id, other.username)}


def test_the_list_is_paged_without_doubles_or_holes(database, sender, alice):
    others = [person(database) for _n in range(12)]
    for other in others[:5]:
        sender.send(alice, other)
    for limit in (1, 2, 5, 7):
        ids, after = [], None
        while page := list_conversations(database, alice.id, after, limit):
            ids += [summary.id for summary in page]
            after = ids[-1]
        assert len(ids) == len(set(ids)) and set(ids) == set(summaries(database, alice))
        assert ids[:5] == [other.id for other in others[4::-1]]


def test_people_who_are_found_bring_their_cards(database, sender, alice):
    friend, stranger = person(database, "findable friend"), person(database, "findable stranger")
    sender.send(friend, alice, "hello")
    found = {summary.id: summary for summary in search_people(database, alice.id, "FINDABLE")}
    assert set(found) == {friend.id, stranger.id}
    assert (found[friend.id].unread, found[friend.id].last_message) == (1, "hello")
    assert (found[stranger.id].unread, found[stranger.id].last_message) == (0, None)
    assert search_people(database, alice.id, "nobody has this name") == []

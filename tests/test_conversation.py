"""Conversation: who talks with whom, how far each has read, and the list of people that comes of it."""
import pytest

from chat.conversation import Conversation
from chat.people import MOST_UNREAD, people_for, people_found
from chat.message import Message
from tests.databases import Aside, Post, beside, database, person  # noqa: F401


@pytest.fixture
def post(database):
    return Post(database)


@pytest.fixture
def alice(database):
    return person(database)


@pytest.fixture
def bob(database):
    return person(database)


def cards(database, me):
    return {card.id: card for card in people_for(database, me.id, limit=1000)}


def test_it_works(database, post, alice, bob):
    assert Conversation.between(database, alice.id, bob.id) is None
    post.send(alice, bob, "one")
    post.send(bob, alice, "two")
    conversation = Conversation.between(database, alice.id, bob.id)
    assert conversation == Conversation.between(database, bob.id, alice.id), "it has no direction"
    assert conversation.last_seq(database) == 2
    assert conversation.read_seqs(database) == {alice.id: 0, bob.id: 0}
    assert [message.message for message in Message.page(database, conversation.id)] == ["one", "two"]


def test_two_processes_at_once_open_one_conversation(database, alice, bob):
    other = beside(database)
    asides = [Aside(lambda where=where, pair=pair: Conversation.open_between(where, *pair))
              for where in (database, other) for pair in ((alice.id, bob.id), (bob.id, alice.id)) for _n in range(5)]
    assert len({aside.outcome().id for aside in asides}) == 1
    conversation = Conversation.between(database, alice.id, bob.id)
    assert conversation.read_seqs(database) == {alice.id: 0, bob.id: 0}


def test_the_last_seqs_of_many_conversations(database, post, alice):
    expected = {}
    for length in range(3):
        other = person(database)
        expected[Conversation.open_between(database, alice.id, other.id).id] = length
        for _n in range(length):
            post.send(alice, other)
    assert Conversation.last_seqs(database, list(expected)) == expected


def test_the_read_mark_only_grows(database, post, alice, bob):
    for _n in range(5):
        post.send(alice, bob)
    conversation = Conversation.between(database, alice.id, bob.id)
    assert conversation.mark_read(database, bob.id, 3)
    assert not conversation.mark_read(database, bob.id, 3)
    assert not conversation.mark_read(database, bob.id, 2)
    assert conversation.read_seqs(database) == {alice.id: 0, bob.id: 3}
    assert conversation.mark_read(database, bob.id, 5)


def test_pages_of_messages(database, post, alice, bob):
    for number in range(1, 8):
        post.send(alice, bob, str(number))
    conversation = Conversation.between(database, alice.id, bob.id)

    def page(**bounds):
        return [message.seq for message in Message.page(database, conversation.id, **bounds)]
    assert page(limit=3) == [5, 6, 7], "the last ones"
    assert page(before=5, limit=3) == [2, 3, 4]
    assert page(after=2, limit=3) == [3, 4, 5], "the first ones after"
    assert page(after=2, before=5) == [3, 4]
    assert page(before=1) == page(after=7) == page(after=100) == []
    assert page(limit=10**6) == list(range(1, 8))


# --- the list ----------------------------------------------------------------------------------------------------


def test_whom_one_talked_with_last_comes_first_then_all_by_name(database, post, alice):
    names = [person(database, f"{name} of the list") for name in ("zoe", "adam", "mona", "Bert")]
    zoe, adam, mona, bert = names
    post.send(alice, zoe)
    post.send(mona, alice)
    ids = {one.id for one in names}
    assert [card.id for card in people_for(database, alice.id, limit=1000) if card.id in ids] == \
        [mona.id, zoe.id, adam.id, bert.id]
    post.send(zoe, alice)
    assert people_for(database, alice.id)[0].id == zoe.id


def test_a_card_shows_the_last_message_and_what_is_unread(database, post, alice, bob):
    post.send(alice, bob, "mine")
    for number in range(3):
        post.send(bob, alice, f"yours {number}")
    card = cards(database, alice)[bob.id]
    assert (card.unread, card.last_message, card.last_seq, card.last_is_mine) == (3, "yours 2", 4, False)
    card = cards(database, bob)[alice.id]
    assert (card.unread, card.last_is_mine) == (1, True)
    Conversation.between(database, alice.id, bob.id).mark_read(database, alice.id, 3)
    assert cards(database, alice)[bob.id].unread == 1
    post.send(alice, bob, "mine again")
    assert cards(database, alice)[bob.id].unread == 1, "one's own are never unread"


def test_the_badge_is_counted_no_further_than_it_shows(database, post, alice, bob):
    for _n in range(MOST_UNREAD + 5):
        post.send(alice, bob)
    assert cards(database, bob)[alice.id].unread == MOST_UNREAD


def test_whoever_one_never_talked_with_is_listed_and_oneself_is_not(database, alice, bob):
    listed = cards(database, alice)
    assert alice.id not in listed
    assert (listed[bob.id].unread, listed[bob.id].last_message, listed[bob.id].last_seq) == (0, None, 0)


@pytest.mark.parametrize("turn", [False, True])
def test_a_conversation_that_is_open_and_empty_hides_nobody(database, alice, bob, turn):
    """Its first message could not be stored: both people are still in each other's list."""
    one, other = (bob, alice) if turn else (alice, bob)
    Conversation.open_between(database, one.id, other.id)
    assert other.id in cards(database, one) and one.id in cards(database, other)
    assert other.id in {card.id for card in people_found(database, one.id, other.username)}


def test_the_list_is_paged_without_doubles_or_holes(database, post, alice):
    others = [person(database) for _n in range(12)]
    for other in others[:5]:
        post.send(alice, other)
    for limit in (1, 2, 5, 7):
        ids, after = [], None
        while page := people_for(database, alice.id, after, limit):
            ids += [card.id for card in page]
            after = ids[-1]
        assert len(ids) == len(set(ids)) and set(ids) == set(cards(database, alice))
        assert ids[:5] == [other.id for other in others[4::-1]]


def test_people_who_are_found_bring_their_cards(database, post, alice):
    friend, stranger = person(database, "findable friend"), person(database, "findable stranger")
    post.send(friend, alice, "hello")
    found = {card.id: card for card in people_found(database, alice.id, "FINDABLE")}
    assert set(found) == {friend.id, stranger.id}
    assert (found[friend.id].unread, found[friend.id].last_message) == (1, "hello")
    assert (found[stranger.id].unread, found[stranger.id].last_message) == (0, None)
    assert people_found(database, alice.id, "nobody has this name") == []

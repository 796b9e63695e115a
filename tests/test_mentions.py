"""Whom a text mentions: names of every script and with any punctuation, and how much of a text is looked at."""
import pytest

from chat.accounts.user import User
from chat.conversations import mentions
from chat.conversations.gate import Access
from chat.conversations.members import OWNER, insertion
from chat.conversations.room import Room
from chat.errors import Invalid
from tests.databases import database  # noqa: F401

NAMES = ["Anna", "Anna Maria", "bob.", "C++", "Alice (3B)", "🎓prof", "हिन्दी", "J.R.", "কাজী", "กิตติ", "مُحَمَّد", "a b c d e f g h i j", "O'Brien"]


@pytest.fixture(scope="module")
def room(database):
    """A room of people with all these names, and the access of its owner."""
    people = [User.register(database, name, "no hash") for name in NAMES]
    room = Room.create(database, people[0].id, {"name": "class"})
    for person in people[1:]:
        database.execute(*insertion(room.id, person.id, "member"))
    return Access(people[0].id, None, room.id, OWNER)


def mentioned(database, access, text):
    """Return what of a text mentions somebody."""
    return [text[start:start + length] for _id, start, length in mentions.find(database, access, text)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("after", ["", " ", ", you", "!", ": look", "\n", " 👍"])
def test_any_name_can_be_mentioned(database, room, name, after):
    assert mentioned(database, room, f"see @{name}{after}") == [f"@{name}"]


@pytest.mark.parametrize("text, found", [
    ("@Anna Maria", ["@Anna Maria"]), ("@Anna Marian", ["@Anna"]), ("@Annabel", []), ("mail@Anna", []), ("@@Anna", []), ("@ Anna", []),
    ("हिन्दी@Anna", []), ("@हिन्", []), ("(@Anna)", ["@Anna"]), ("@anna's", ["@anna"]), ("@bob", []), ("@o’brien", ["@o’brien"]), ("@Anna\nMaria", ["@Anna"])])
def test_the_longest_name_that_ends_there_is_meant(database, room, text, found):
    assert mentioned(database, room, text) == found


def test_owners_mention_everybody_whoever_is_called_so(database, room):
    database.execute(*insertion(room.conversation_id, User.register(database, "all", "no hash").id, "member"))
    assert mentions.find(database, room, "@all") == ((0, 0, 4),)
    [(user_id, _start, _length)] = mentions.find(database, room._replace(role="member"), "@all")
    assert user_id == User.named(database, "all").id


def test_who_is_mentioned_last_is_mentioned(database, room):
    found = mentions.find(database, room, "@Anna " * 40 + "@C++")
    assert found[-1][0] == User.named(database, "C++").id and len(found) == mentions.MAX_KEPT


def test_more_people_than_one_may_mention_are_refused(database, room):
    names = [f"person{n}" for n in range(mentions.MAX_MENTIONS + 1)]
    for name in names:
        database.execute(*insertion(room.conversation_id, User.register(database, name, "no hash").id, "member"))
    with pytest.raises(Invalid):
        mentions.find(database, room, " ".join(f"@{name}" for name in names))


@pytest.mark.parametrize("text", ["@a " * 1_300, "@.,;! " * 660, "@" * 4_000, "@a b c d e f g h i j k l m n o p q r " * 100])
def test_little_of_a_hostile_text_is_looked_at(monkeypatch, text):
    """To compare a name costs some microseconds: how many are compared is bounded before they are."""
    asked = []
    monkeypatch.setattr(mentions.usernames, "canonical", lambda name: asked.append(name) or name)
    mentions._places(text)
    assert len(asked) <= mentions.MAX_BEGINNINGS


def test_everybody_is_none_of_the_twenty():
    people = [(user_id, 5 * user_id, 3) for user_id in range(1, mentions.MAX_MENTIONS + 1)]
    assert len(mentions._kept([(mentions.EVERYBODY, 0, 4), *people])) == mentions.MAX_MENTIONS + 1
    with pytest.raises(Invalid):
        mentions._kept([*people, (99, 999, 3)])

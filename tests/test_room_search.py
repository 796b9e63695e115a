"""How much a search of rooms reads: it is asked at each letter."""
from chat.conversations import room_list
from chat.conversations.room import Room
from tests.databases import database, person  # noqa: F401


def test_a_search_reads_a_bounded_number_of_names(database, monkeypatch):
    asked = []
    monkeypatch.setattr(room_list, "_search_key", lambda name: asked.append(name) or name)
    monkeypatch.setattr(room_list, "MAX_SEARCHED", 3)
    somebody = person(database)
    for n in range(5):
        Room.create(database, somebody.id, {"name": f"room {n}"})
    assert len(room_list.search_rooms(database, somebody.id, "room")) == len(asked) == 3


def test_the_key_of_a_name_is_made_once(database):
    somebody = person(database)
    Room.create(database, somebody.id, {"name": "École ﷺ"})
    before = room_list._search_key.cache_info().misses
    for text in ("e", "ec", "eco"):
        assert len(room_list.search_rooms(database, somebody.id, text)) == 1
    assert room_list._search_key.cache_info().misses <= before + 1

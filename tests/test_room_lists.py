"""What the lists of the pages show of rooms and people: the last message, what waits elsewhere, what a search finds."""
import re

import pytest

import config
from chat import create_app
from chat.conversations import room_list
from chat.conversations.pane import ROOMS
from chat.conversations.room import ICONS
from tests.people import PASSWORD
from tests.server import Server
from tests.test_pages import form_of, words


@pytest.fixture(scope="module")
def chat():
    """A running chat in the embedded mode alone: what is rendered is the same in all."""
    with Server() as server:
        yield server


def card_of(page, room):
    return re.search(rf'<li class="person room" data-room-id="{room}".*?</li>', page, re.S)[0]


def shown(page):
    """The names of the rooms in the left pane."""
    listed = re.search(r'<ul id="rooms".*?</ul>', page, re.S)[0]
    return re.findall(r'data-part="name">([^<]*)</bdi>', listed)


def test_a_deleted_last_message_is_said_as_the_live_page_says_it(alice, bob):
    room = alice.make_room("maths", bob)
    tab = bob.tab()
    for message in (tab.send_to_room(room, "to all")["message"], tab.send(alice, "to you")["message"]):
        change = tab.call("changeMessage", {"clientId": f"d{message['id']}", "conversationId": message["conversationId"], "seq": message["seq"],
                                            "delete": True})
        assert change["ok"]
    for person in (alice, bob):
        page = person.get("/").text
        other = bob if person is alice else alice
        direct = re.search(rf'<li class="person" data-user-id="{other.id}".*?</li>', page, re.S)[0]
        for card in (card_of(page, room), direct):
            assert "This message was deleted." in words(card)
            assert "No messages yet" not in card and "You:" not in card and f"{bob.username}:" not in card
            assert f'data-last-change="{change["change"]}"' in card, "by this the browser tells which version is the newer"


def test_mentions_in_rooms_that_are_not_listed_are_counted(alice, bob):
    def total():
        return re.search(r'<ul id="rooms" role="list"( data-mentions-total="(\d+)")?>', alice.get("/").text)[2]
    far = bob.make_room("far", alice)
    tab = bob.tab()
    mentioned = [tab.send_to_room(far, text)["message"]["seq"] for text in (f"@{alice.username}", f"@all @{alice.username}", "@all")]
    assert total() is None, "all are listed"
    for number in range(ROOMS):
        bob.make_room(f"near {number}", alice)
    assert total() == "3", "a message that mentions her twice is one"
    alice.tab().call("markRead", {"conversationId": far, "seq": mentioned[1]})
    assert total() == "1"


def test_the_search_finds_rooms_without_regard_to_case_and_accents(alice):
    for name in ("Théorie des ensembles", "THEORIE"):
        alice.make_room(name)
    for number in range(ROOMS + 1):
        alice.make_room(f"room {number}")
    for path in ("/?q=theorie", "/?q=th%C3%A9orie", "/rooms?list&q=THÉORIE"):
        assert shown(alice.get(path).text) == ["THEORIE", "Théorie des ensembles"], path
    page = alice.get("/?q=theorie").text
    assert re.search(r'<div id="people-empty" class="empty" hidden', page), "something was found"
    assert 'id="rooms-section" hidden' in alice.get("/?q=nothing").text
    second = re.search(r'id="rooms-more".*?href="\?([^"]+)"', alice.get("/?q=room").text, re.S)[1].replace("&amp;", "&")
    assert shown(alice.get(f"/?{second}").text) == ["room 0"]


def test_open_rooms_beyond_a_page_are_listed_on_the_next(alice, bob):
    made = [bob.make_room(f"open {number}", open=True) for number in range(room_list.PAGE + 1)]

    def listed(page):
        return [int(room) for room in re.findall(r'<li class="open-room" data-room-id="(\d+)"', page)]
    page, found = alice.get("/rooms").text, []
    while link := re.search(r'href="(/rooms\?after=\d+)">Show more open rooms', page):
        found += listed(page)
        page = alice.get(link[1]).text
    found += listed(page)
    assert set(made) <= set(found) and len(found) == len(set(found))


def test_own_rooms_beyond_a_page_are_listed_on_the_next(alice):
    made = [alice.make_room(f"own {number}") for number in range(room_list.PAGE + 1)]
    link = re.search(r'href="(/rooms\?before=\d+)">Show more of your rooms', alice.get("/rooms").text)[1]
    cards = re.search(r'<ul class="room-cards".*?</ul>', alice.get(link).text, re.S)[0]
    assert re.findall(r'data-room-id="(\d+)"', cards) == [str(made[0])]


def test_an_archived_room_offers_nobody_to_join(alice, charlie):
    room = alice.make_room("open", open=True)
    assert form_of(charlie.get(f"/rooms/{room}").text, f"/rooms/{room}/join")
    alice.ask(f"/rooms/{room}/settings", archived=True)
    page = charlie.get(f"/rooms/{room}").text
    assert f'action="/rooms/{room}/join"' not in page and "This room is archived" in page


def test_icons_have_names_in_words(alice):
    titles = re.findall(r'<label title="([^"]*)"><input type="radio" name="icon" value="([^"]*)"', alice.get("/rooms/new").text)
    assert [icon for _title, icon in titles] == list(ICONS)
    assert not {title for title, _icon in titles} & set(ICONS)


def test_who_is_in_no_room_is_told_what_to_do(arrive, chat):
    page = arrive(chat).get("/").text
    assert "You are in no room yet. Make one, or join one." in words(page)


def test_who_leaves_a_closed_room_is_told_how_many_stay(alice, bob, charlie):
    room = alice.make_room("maths", bob, charlie)
    left = bob.ask(f"/rooms/{room}/leave").json()
    assert (left["role"], left["members"]) == (None, 2)


def test_a_membership_that_ends_while_the_room_is_shown_is_none(tmp_path, monkeypatch):
    """Whoever asks was a member when the role was read, and is none when the summary is."""
    app = create_app(config.load({"INSTANCE_PATH": str(tmp_path), "ASYNC_MODE": "threading", "BCRYPT_ROUNDS": "4", "LOG_MESSAGES": "0",
                                  "RATELIMIT_ENABLED": "0", "SECRET_KEY": "for a membership that ends: thirty-two bytes"}))
    app.config["WTF_CSRF_ENABLED"] = False
    browser = app.test_client()
    browser.post("/register", data={"username": "Alice Example", "password": PASSWORD})
    room = browser.post("/rooms", json={"name": "maths"}).get_json()["id"]
    monkeypatch.setattr(room_list, "summary", lambda *_: None)
    answer = browser.get(f"/rooms/{room}", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "not_found")
    app.chat.database.engine.close()

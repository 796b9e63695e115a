"""Rooms in the browser: making one, talking in it, who comes and goes, and what is loud and what is quiet."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.screen import NO_NETWORK, PHONE

pytestmark = pytest.mark.browser


def room_card(screen, room):
    return screen.page.locator(f'#rooms > li.room[data-room-id="{room}"]')


def notices(screen):
    return screen.page.locator("#history > li.notice")


def test_it_works(chat, alice, bob, sit_down):
    """From the plus beside "Rooms" to a talk, without loading a page anew."""
    at_alice, at_bob = sit_down(alice), sit_down(bob)
    at_alice.page.evaluate("window.stayed = true")
    at_alice.page.get_by_role("link", name="New room").first.click()
    at_alice.page.get_by_label("Name", exact=True).fill("maths")
    at_alice.page.get_by_label("Topic").fill("sets")
    at_alice.page.get_by_role("button", name="Create room").click()
    expect(at_alice.page.get_by_role("heading", name="maths", level=1)).to_be_visible()
    expect(notices(at_alice)).to_have_count(1)

    at_alice.page.get_by_role("link", name="About this room").click()
    panel = at_alice.page.get_by_role("complementary", name="About this room")
    panel.get_by_text("Add", exact=True).first.click()
    panel.get_by_label("Username").fill(bob.username)
    panel.get_by_role("button", name="Add").click()
    expect(notices(at_alice).last).to_contain_text(f"{alice.username} added {bob.username}")
    expect(panel.locator("#members > li")).to_have_count(2)

    at_bob.page.get_by_role("link", name=re.compile("^maths")).click()
    expect(at_bob.page.get_by_role("heading", name="maths", level=1)).to_be_visible()
    at_bob.send("bonjour")
    expect(at_alice.bubble("bonjour")).to_contain_text(bob.username)
    at_alice.send("salut")
    expect(at_bob.bubble("salut")).to_be_visible()
    at_alice.expect_state("salut", "read")
    assert at_alice.page.evaluate("window.stayed") is True
    assert at_alice.texts() == at_bob.texts() == ["bonjour", "salut"]
    at_bob.page.reload()
    expect(at_bob.bubbles).to_have_count(2)
    expect(at_bob.page.locator("#completeness")).to_have_attribute("data-state", "complete")


def test_what_is_said_to_me_is_loud_and_what_is_new_is_quiet(alice, bob, room, sit_down):
    screen, bobs_tab = sit_down(alice), bob.tab()
    card = room_card(screen, room)
    bobs_tab.send_to_room(room, "for everybody")
    expect(card.locator('[data-part="unread"]')).to_contain_text("1 unread")
    expect(card.locator('[data-part="preview"]')).to_have_text(f"{bob.username}: for everybody")
    expect(screen.page).to_have_title(re.compile(r"^Conversations"))
    bobs_tab.send_to_room(room, f"@{alice.username} for you")
    expect(card.get_by_text("You are mentioned")).to_be_attached()
    expect(screen.page).to_have_title(re.compile(r"^\(1\) "))
    card.get_by_role("link").click()
    expect(screen.bubble(f"@{alice.username} for you").locator(".mention-me")).to_have_text(f"@{alice.username}")
    expect(screen.page).to_have_title(re.compile(r"^maths"))
    expect(card.locator('[data-part="unread"]')).to_be_hidden()
    expect(card.locator('[data-part="mentioned"]')).to_be_hidden()


def test_the_unread_divider_stands_where_one_left(alice, bob, room, sit_down):
    bobs_tab = bob.tab()
    bobs_tab.send_to_room(room, "seen")
    alice.tab().call("markRead", {"conversationId": room, "seq": alice.room(room)["lastSeq"]})
    bobs_tab.send_to_room(room, "new")
    screen = sit_down(alice, f"/rooms/{room}")
    expect(screen.page.locator(".unread-divider + li")).to_contain_text("new")


def test_a_muted_room_shows_its_bell_and_no_count(alice, bob, room, sit_down):
    alice.ask(f"/rooms/{room}/settings", notify="none")
    screen = sit_down(alice)
    bob.tab().send_to_room(room, "psst")
    card = room_card(screen, room)
    expect(card.locator('[data-part="preview"]')).to_have_text(f"{bob.username}: psst")
    expect(card.get_by_text("muted")).to_be_attached()
    expect(card.locator('[data-part="unread"]')).to_be_hidden()


def test_who_types_is_named(alice, bob, room, sit_down):
    screen = sit_down(alice, f"/rooms/{room}")
    screen.expect_connected()
    bobs_tab = bob.tab()
    bobs_tab.call("typing", {"conversationId": room})
    expect(screen.page.locator("#typing")).to_have_text(f"{bob.username} is typing…")
    expect(room_card(screen, room).locator('[data-part="preview"]')).to_have_text(f"{bob.username} is typing…")
    bobs_tab.send_to_room(room, "done")
    expect(screen.page.locator("#typing")).to_be_empty()


def test_who_is_removed_is_told_and_led_away(alice, bob, room, sit_down):
    screen = sit_down(bob, f"/rooms/{room}", expects="404")
    screen.expect_connected()
    alice.ask(f"/rooms/{room}/members/{bob.username}/remove")
    expect(screen.page.locator("#connection")).to_have_text("You are not a member of this room any more.")
    expect(screen.page.get_by_text("Please choose someone to talk to.")).to_be_visible()
    expect(room_card(screen, room)).to_have_count(0)


def test_who_is_removed_while_nothing_is_heard_is_told_when_the_network_is_back(alice, bob, room, sit_down):
    """The event that says so came to nobody: the next mark of the open room is not answered as a member's."""
    screen = sit_down(bob, f"/rooms/{room}", expects="404|ERR_INTERNET_DISCONNECTED")
    screen.expect_connected()
    screen.page.context.set_offline(True)
    expect(screen.page.locator("#completeness")).to_contain_text("Offline")
    alice.ask(f"/rooms/{room}/members/{bob.username}/remove")
    screen.page.context.set_offline(False)
    expect(screen.page.locator("#connection")).to_have_text("You are not a member of this room any more.")
    expect(screen.page.get_by_text("Please choose someone to talk to.")).to_be_visible()
    expect(room_card(screen, room)).to_have_count(0)


def test_an_open_room_says_what_joining_means_before(alice, charlie, sit_down):
    room = alice.make_room("for all", open=True)
    alice.tab().send_to_room(room, "from before")
    screen = sit_down(charlie, "/rooms")
    screen.page.get_by_role("link", name="for all").click()
    expect(screen.page.get_by_text("you read everything from the start")).to_be_visible()
    screen.page.get_by_role("button", name="Join").click()
    expect(screen.bubble("from before")).to_be_visible()
    expect(room_card(screen, room)).to_be_visible()


def test_what_is_written_without_a_network_is_sent_later(alice, bob, room, sit_down):
    screen = sit_down(alice, f"/rooms/{room}", expects=NO_NETWORK)
    screen.expect_connected()
    screen.page.context.set_offline(True)
    screen.send("later")
    screen.expect_state("later", "pending")
    screen.page.context.set_offline(False)
    screen.expect_state("later", "sent")
    assert [m["message"] for m in bob.json(f"/conversations/{room}/messages")["messages"] if m["kind"] == "text"] == ["later"]


def test_the_owner_renames_and_archives(alice, bob, room, sit_down):
    at_alice, at_bob = sit_down(alice, f"/rooms/{room}?info"), sit_down(bob, f"/rooms/{room}")
    at_alice.page.get_by_text("Change this room").click()
    at_alice.page.get_by_label("Name", exact=True).fill("algebra")
    at_alice.page.get_by_role("button", name="Save").click()
    expect(at_bob.page.get_by_role("heading", name="algebra", level=1)).to_be_visible()
    expect(notices(at_bob).last).to_contain_text("renamed the room to “algebra”")
    alice.ask(f"/rooms/{room}/settings", archived=True)
    expect(at_bob.field).to_be_hidden()
    expect(at_bob.page.get_by_text("This room is archived.")).to_be_visible()


def test_a_room_works_without_javascript(alice, bob, room, sit_down):
    screen = sit_down(alice, f"/rooms/{room}", java_script_enabled=False)
    screen.field.fill("by a form")
    screen.page.get_by_role("button", name="Send").click()
    expect(screen.bubble("by a form")).to_be_visible()
    screen.page.get_by_role("link", name="About this room").click()
    expect(screen.page.locator("#members > li")).to_have_count(2)
    screen.page.get_by_role("button", name="Mentions").click()
    expect(screen.page.get_by_role("button", name="Mentions")).to_have_attribute("aria-pressed", "true")
    screen.page.get_by_role("link", name="Close").click()
    expect(screen.page.locator("#info-panel")).to_have_count(0)


def test_the_panel_is_a_page_on_a_phone(alice, bob, room, sit_down):
    page = sit_down(alice, f"/rooms/{room}?info", viewport=PHONE).page
    box = page.locator("#info-panel").bounding_box()
    assert (box["x"], box["width"]) == (0, PHONE["width"])
    page.get_by_role("link", name="Close").click()
    expect(page.locator("#info-panel")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()


def test_more_rooms_than_the_list_shows_at_first(alice, bob, sit_down):
    rooms = [alice.make_room(f"room {number}") for number in range(25)]
    screen = sit_down(alice)
    shown = screen.page.locator("#rooms > li.room")
    before = shown.count()
    assert before < len(rooms)
    screen.page.get_by_role("link", name="Show more rooms").press("Enter")
    expect(shown).to_have_count(len(rooms))
    expect(shown.nth(before).get_by_role("link")).to_be_focused()       # the first of what the link has brought
    expect(screen.page.get_by_role("link", name="Show more rooms")).to_have_count(0)
    alice.ask(f"/rooms/{rooms[0]}/settings", name="the oldest")
    expect(shown.first).to_contain_text("the oldest")
    expect(shown).to_have_count(len(rooms))


def test_thirty_people_in_one_room(chat, arrive, alice, sit_down):
    crowd = [arrive(chat) for _n in range(29)]
    room = alice.make_room("class", *crowd)
    screen = sit_down(alice, f"/rooms/{room}")
    tabs = [person.tab() for person in crowd]
    for round_number in range(3):
        for number, tab in enumerate(tabs):
            tab.send_to_room(room, f"{round_number}.{number}")
    expect(screen.bubble("2.28")).to_be_visible()
    assert screen.texts()[-87:] == [f"{round_number}.{number}" for round_number in range(3) for number in range(29)]
    expect(screen.page.locator("#completeness")).to_have_attribute("data-state", "complete")
    screen.send("thank you")
    for tab in tabs:
        tab.wait_for("receiveMessage", lambda m: m["message"] == "thank you")
        tab.call("markRead", {"conversationId": room, "seq": 1000})
    screen.expect_state("thank you", "read")

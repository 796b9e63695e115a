"""The details of a message in a room say who has read it, and to whom it was delivered."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.screen import PATIENCE_MS, PHONE, WIDE
from tests.browser.test_accessibility import THEMES, expect_no_sideways_scrolling, expect_no_violation
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

MOMENT = re.compile(r"\d+ \w+ 20\d\d at \d\d:\d\d:\d\d")


@pytest.fixture
def room(alice, bob, charlie):
    return alice.make_room("maths", bob, charlie)


@pytest.fixture
def sent(alice, room):
    """A message of Alice; the answer has its seq."""
    return alice.tab().send_to_room(room, "hello")["message"]


def open_details(screen):
    screen.bubble("hello").locator("[data-part=details]").click()
    details = screen.page.get_by_role("dialog")
    expect(details).to_be_visible()
    return details


def reader(place, person):
    """What is said of one member."""
    return place.get_by_role("listitem").filter(has_text=person.username).locator("span")


def test_it_works(alice, bob, charlie, room, sent, sit_down):
    """It follows while it is open."""
    details = open_details(sit_down(alice, f"/rooms/{room}"))
    expect(details.get_by_role("heading", name="Read by")).to_be_visible()
    expect(details.get_by_role("listitem")).to_have_count(2)
    for person in (bob, charlie):
        expect(reader(details, person)).to_have_text("Not yet")
    bob.tab().call("markDelivered", {"conversationId": room, "seq": sent["seq"]})
    charlie.tab().call("markRead", {"conversationId": room, "seq": sent["seq"]})
    expect(reader(details, bob)).to_have_text("Delivered")
    expect(reader(details, charlie)).to_have_text(MOMENT)
    expect(details.locator("[data-step=delivered] dd")).to_contain_text(MOMENT)
    expect(details.locator("[data-step=read] dd")).to_have_text("Not yet")
    bob.tab().call("markRead", {"conversationId": room, "seq": sent["seq"]})
    expect(reader(details, bob)).to_have_text(MOMENT)
    expect(details.locator("[data-step=read] dd")).to_contain_text(MOMENT)


def test_what_came_before_the_page_was_opened_is_delivered_by_it(alice, bob, room, sent, sit_down):
    """Bob sees in his list that something waits, and reads nothing."""
    sit_down(bob, "/")

    def delivered():
        readers = alice.json(f"/conversations/{room}/messages/{sent['seq']}")["readers"]
        return next(reader["delivered"] for reader in readers if reader["id"] == bob.id)
    assert wait_for(delivered, PATIENCE_MS / 1000)


def test_of_another_members_message_too(alice, bob, charlie, room, sent, sit_down):
    """That Bob has read it himself does not make it read by everybody."""
    details = open_details(sit_down(bob, f"/rooms/{room}"))
    expect(reader(details, charlie)).to_have_text("Not yet")
    expect(reader(details, bob)).to_have_text(MOMENT)
    expect(details.get_by_role("listitem")).to_have_count(2)
    expect(details.locator("[data-step=read]")).to_have_attribute("data-reached", "false")
    expect(details.locator("[data-step=read] dd")).to_have_text("Not yet")


def test_the_page_has_the_readers_clock(alice, bob, charlie, room, sent, sit_down):
    bob.tab().call("markRead", {"conversationId": room, "seq": sent["seq"]})
    page = sit_down(alice, f"/conversations/{room}/messages/{sent['seq']}").page
    expect(reader(page.locator("#message-page"), bob)).to_have_text(MOMENT)
    expect(reader(page.locator("#message-page"), charlie)).to_have_text("Not yet")


def test_a_direct_conversation_has_no_such_list(alice, bob, sit_down):
    alice.send(bob, "hello")
    details = open_details(sit_down(alice, f"/chat/{bob.username}"))
    expect(details.locator("[data-step=read] dd")).to_have_text("Not yet")
    expect(details.get_by_role("listitem")).to_have_count(0)
    expect(details.get_by_role("heading", name="Read by")).to_have_count(0)


@THEMES
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_axe_finds_nothing(alice, bob, room, sent, sit_down, theme, viewport):
    bob.tab().call("markRead", {"conversationId": room, "seq": sent["seq"]})
    screen = sit_down(alice, f"/rooms/{room}", color_scheme=theme, viewport=viewport)
    details = open_details(screen)
    expect(reader(details, bob)).to_have_text(MOMENT)
    expect_no_violation(screen.page)
    expect_no_sideways_scrolling(screen.page)

"""The cards of the list tell what only this browser knows: what was not sent, and drafts."""
import pytest
from playwright.sync_api import expect

from tests.browser.screen import PATIENCE_MS
from tests.waiting import wait_for

pytestmark = pytest.mark.browser


def note(screen, person):
    return screen.card(person).locator("[data-part=note]")


def preview(screen, person):
    return screen.card(person).locator("[data-part=preview]")


@pytest.fixture
def screen(alice, bob, sit_down):
    """Alice's page, on which Bob's conversation is open and nothing of it is missing."""
    bob.send(alice, "the last words")
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.expect_connected()
    return screen


def test_a_note_that_waited_for_its_style_sheet_is_still_one(screen, alice, bob):
    screen.field.fill("half a thought")
    held = []
    screen.page.context.route("**/later.css", lambda route: held.append(route))
    screen.page.goto("/")
    assert wait_for(lambda: screen.page.wait_for_timeout(20) or held, PATIENCE_MS / 1000)
    screen.link(bob).click()
    expect(screen.field).to_have_value("half a thought")
    screen.page.wait_for_timeout(500)       # by then the list was looked at again
    with screen.page.expect_response("**/later.css"):
        for route in held:
            route.continue_()
    screen.page.wait_for_function("() => [...document.styleSheets].some(({ href }) => href?.includes('later.css'))")
    screen.page.evaluate("() => new Promise((resolve) => setTimeout(resolve))")     # what has waited for it goes on
    expect(note(screen, bob)).to_have_count(0, timeout=1)


def test_it_works(screen, alice, bob):
    """A draft: not while it is in the field, but from when somebody has left it, after a reload too, until it is gone."""
    screen.field.fill("half a thought")
    expect(note(screen, bob)).to_have_count(0)
    screen.page.goto("/")
    expect(note(screen, bob)).to_have_text("Draft: half a thought")
    expect(preview(screen, bob)).to_be_hidden()
    screen.link(bob).click()
    expect(screen.field).to_have_value("half a thought")
    expect(note(screen, bob)).to_have_count(0)
    expect(preview(screen, bob)).to_have_text("the last words")
    screen.field.fill("")
    screen.page.goto("/")
    screen.expect_loaded_later()
    expect(preview(screen, bob)).to_be_visible()


def test_a_refused_message_goes_before_a_draft(screen, alice, bob):
    screen.send_refused()
    expect(note(screen, bob)).to_contain_text("Not sent: half")
    screen.field.fill("a draft")
    screen.page.goto("/")
    expect(note(screen, bob)).to_contain_text("Not sent: half")
    expect(screen.card(bob)).to_have_attribute("data-note", "failed")
    screen.link(bob).click()
    screen.bubbles.last.get_by_role("button", name="Delete").click()
    expect(note(screen, bob)).to_have_count(0)


def test_who_is_typing_goes_before_a_draft(screen, alice, bob):
    screen.field.fill("a draft")
    screen.page.goto("/")
    screen.expect_connected()
    expect(note(screen, bob)).to_be_visible()
    bob.tab().call("typing", {"userId": alice.id})
    expect(screen.card(bob).locator("[data-part=status]")).to_have_text("is typing…")
    expect(note(screen, bob)).to_be_hidden()
    expect(note(screen, bob)).to_be_visible()       # without another sign of it typing has ended


def test_a_draft_of_another_tab(screen, alice, bob, charlie):
    other = screen.page.context.new_page()
    other.goto(f"/chat/{charlie.username}")
    other.get_by_label("Message", exact=True).fill("there")
    expect(note(screen, charlie)).to_have_text("Draft: there")


def test_in_a_room(alice, bob, sit_down):
    room = alice.make_room("a team", bob)
    screen = sit_down(alice, f"/rooms/{room}")
    screen.expect_connected()
    screen.field.fill("for all")
    screen.page.goto("/")
    card = screen.page.locator(f'li.room[data-room-id="{room}"]')
    expect(card.locator("[data-part=note]")).to_have_text("Draft: for all")
    expect(card.locator("[data-part=preview]")).to_be_hidden()

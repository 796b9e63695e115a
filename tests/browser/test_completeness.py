"""The mark in the header: how the conversation stands, in words; which messages are on the page is in its title."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.past import hold, numbered
from tests.browser.screen import NOTE_WHAT_IS_SENT, PHONE, WIDE

pytestmark = pytest.mark.browser

NO_NETWORK = r"ERR_INTERNET_DISCONNECTED|ERR_FAILED|WebSocket connection|ERR_NETWORK"
LONG = 1482     # messages
TABLET = {"width": 660, "height": 800}      # both panes, with hardly room for them


@pytest.fixture
def long_talk(chat, alice, bob):
    hold(chat, alice, bob, numbered(alice, bob, LONG))
    return alice, bob


def mark(screen):
    return screen.page.locator("#completeness")


def go_offline(screen):
    screen.page.context.set_offline(True)
    expect(mark(screen)).to_have_text("Offline")
    expect(mark(screen)).to_have_attribute("title", re.compile(r"\. Offline\.$"))


def test_it_works(long_talk, sit_down):
    alice, bob = long_talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(mark(screen)).to_have_attribute("title", "Messages shown: 1,433 – 1,482. Up to date.")
    bob.send(alice, "one more")
    expect(mark(screen)).to_have_attribute("title", "Messages shown: 1,433 – 1,483. Up to date.")
    screen.send("and mine")
    expect(mark(screen)).to_have_attribute("title", "Messages shown: 1,433 – 1,484. Up to date.")
    expect(mark(screen)).to_have_text("Up to date")


def test_it_is_there_before_any_script(long_talk, sit_down):
    alice, bob = long_talk
    screen = sit_down(alice, f"/chat/{bob.username}", java_script_enabled=False)
    expect(mark(screen)).to_have_attribute("title", "Messages shown: 1,433 – 1,482. Up to date.")
    screen.page.get_by_role("link", name="Show older messages").click()
    expect(mark(screen)).to_have_attribute("title", "Messages shown: 1,383 – 1,432 of 1,482.")


def test_nothing_is_said_where_nobody_has_written(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(mark(screen)).to_be_hidden()
    screen.send("the first")
    expect(mark(screen)).to_have_attribute("title", "Messages shown: 1. Up to date.")


def test_what_waits_to_be_sent_has_no_number(alice, bob, sit_down):
    alice.send(bob, "stored")
    screen = sit_down(alice, f"/chat/{bob.username}", expects=NO_NETWORK)
    go_offline(screen)
    screen.send("waits")
    screen.expect_state("waits", "pending")
    expect(mark(screen)).to_have_attribute("title", "Messages shown: 1. Offline.")
    screen.page.context.set_offline(False)
    expect(mark(screen)).to_have_attribute("title", "Messages shown: 1 – 2. Up to date.")


def test_what_is_missing_is_said_until_it_has_come(alice, bob, sit_down):
    alice.send(bob, "stored")
    screen = sit_down(alice, f"/chat/{bob.username}", expects=NO_NETWORK)
    expect(mark(screen)).to_have_attribute("title", "Messages shown: 1. Up to date.")
    screen.page.route("**/messages/*?*", lambda route: route.abort())
    go_offline(screen)
    for number in range(12):
        bob.send(alice, f"missed {number}")
    screen.page.context.set_offline(False)
    expect(mark(screen)).to_have_attribute("title", "Messages shown: 1. Fetching 12 messages…")
    expect(mark(screen)).to_have_text("Fetching 12 messages…")
    for _try in range(2):
        screen.page.wait_for_event("requestfailed", lambda request: "after=1" in request.url)
        expect(mark(screen)).to_have_attribute("title", "Messages shown: 1. Fetching 12 messages…")
    screen.page.unroute("**/messages/*?*")
    expect(mark(screen)).to_have_attribute("title", "Messages shown: 1 – 13. Up to date.")


def test_a_push_that_was_lost_shows_with_the_next_one(alice, bob, sit_down):
    alice.send(bob, "stored")
    screen = sit_down(alice, path=None, expects="ERR_FAILED")

    def lose(socket):
        server = socket.connect_to_server()
        server.on_message(lambda frame: "lose this" in frame or socket.send(frame))
    screen.page.route_web_socket("**/socket.io/**", lose)
    screen.page.route("**/messages/*?*", lambda route: route.abort())
    screen.page.add_init_script(NOTE_WHAT_IS_SENT)
    screen.page.goto(f"/chat/{bob.username}")
    screen.page.wait_for_function("() => sent.includes('5')")     # the WebSocket has taken over from polling
    tab = bob.tab()
    tab.send(alice, "lose this")
    tab.send(alice, "and show that")
    expect(mark(screen)).to_have_attribute("title", "Messages shown: 1. Fetching 2 messages…")
    screen.page.unroute("**/messages/*?*")
    expect(mark(screen)).to_have_attribute("title", "Messages shown: 1 – 3. Up to date.")


def test_far_up_it_says_of_how_many(long_talk, sit_down):
    alice, bob = long_talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.page.wait_for_function(f"""() => {{
      document.querySelector('#history-scroll').scrollTop = 0;
      return !document.querySelector('li.message[data-seq="{LONG}"]');
    }}""")
    screen.page.wait_for_function("""() => {
      const rows = [...document.querySelectorAll('li.message[data-seq]')];
      const [first, last] = [rows[0], rows.at(-1)].map(row => Number(row.dataset.seq).toLocaleString('en'));
      return document.querySelector('#completeness').title === `Messages shown: ${first} – ${last} of 1,482.`;
    }""")     # both at one moment: older pages may still be coming
    bob.send(alice, "far below")
    screen.pill.click()
    expect(mark(screen)).to_have_attribute("title", re.compile(r"– 1,483\. Up to date\.$"))


def test_a_hole_is_seen_whatever_the_log_believes(long_talk, sit_down):
    alice, bob = long_talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.bubble("message 1450").evaluate("row => row.remove()")
    bob.send(alice, "one more")
    expect(mark(screen)).to_have_attribute("title", "Messages shown: 1,433 – 1,483. 1 message missing.")
    expect(mark(screen)).to_have_text("1 message missing")


def test_it_is_not_read_out_by_itself(long_talk, sit_down):
    alice, bob = long_talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    assert mark(screen).evaluate("mark => mark.closest('[aria-live], [role=status], [role=log], [role=alert]')") is None


@pytest.mark.parametrize("viewport", [WIDE, TABLET, PHONE], ids=["wide", "tablet", "phone"])
@pytest.mark.parametrize("language, complete, offline", [("en-GB", "Up to date", "Offline"), ("fr-FR", "À jour", "Hors ligne")])
def test_it_fits_and_moves_nothing(long_talk, sit_down, viewport, language, complete, offline):
    alice, bob = long_talk
    screen = sit_down(alice, f"/chat/{bob.username}", viewport=viewport, locale=language, expects=NO_NETWORK)
    header = screen.page.locator(".conversation-header")
    expect(mark(screen)).to_have_text(complete)
    # On a phone nothing is said where all is as it should be.
    expect(mark(screen)).to_be_visible(visible=viewport != PHONE)
    before = header.bounding_box()
    screen.page.context.set_offline(True)
    expect(mark(screen)).to_have_text(offline)
    assert header.bounding_box() == before
    box = mark(screen).bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= viewport["width"] and box["height"] < 20, "one line"
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert mark(screen).evaluate("mark => mark.scrollWidth <= mark.clientWidth")


def test_a_message_that_was_refused_is_counted(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", viewport=PHONE)
    screen.send_refused()
    expect(mark(screen)).to_have_text("1 not sent")
    expect(mark(screen)).to_be_visible()
    screen.page.get_by_role("button", name="Delete").click()
    expect(mark(screen)).to_be_hidden()

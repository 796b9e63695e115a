"""Without JavaScript: everything but the live part."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.past import hold, numbered
from tests.browser.screen import PHONE, Screen
from tests.people import PASSWORD, new_client_id
from tests.uploads import uploaded
from tools import programs

pytestmark = pytest.mark.browser


@pytest.fixture
def sit_down(sit_down):
    """A browser that runs no script."""
    return lambda *place, **options: sit_down(*place, java_script_enabled=False, **options)


def test_it_works(chat, alice, sit_down):
    name = f"script-less {new_client_id()[:6]}"
    screen = sit_down(chat, "/register")
    page = screen.page
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_text(f"Welcome, {name}! Please choose someone to talk to.")).to_be_visible()

    screen.search.fill(alice.username)
    screen.search.press("Enter")
    expect(screen.people).to_have_count(1)
    page.get_by_role("link", name=re.compile(f"^{alice.username}")).click()
    screen.field.fill("sent by the form")
    page.get_by_role("button", name="Send").click()
    expect(screen.bubble("sent by the form")).to_be_visible()
    expect(screen.field).to_have_value("")

    page.get_by_role("button", name="Logout").click()
    expect(page).to_have_url(re.compile("/login$"))
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Login").click()
    expect(page.get_by_text(f"Welcome, {name}! Please choose someone to talk to.")).to_be_visible()


def test_the_whole_history_is_read_page_by_page(chat, alice, bob, sit_down):
    hold(chat, alice, bob, numbered(alice, bob, 120))
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.bubble("message 120")).to_be_in_viewport()
    for oldest in (71, 21, 1):
        expect(screen.bubbles.first).to_contain_text(f"message {oldest}")
        if oldest > 1:
            screen.page.get_by_role("link", name="Show older messages").click()
    expect(screen.page.get_by_text(re.compile("begins"))).to_be_visible()


def test_a_history_opens_at_its_end_in_a_browser_that_is_not_told_to(chat, alice, bob, chromium):
    """As in Firefox, which does not know `scroll-initial-target`."""
    hold(chat, alice, bob, numbered(alice, bob, 120))
    browser = chromium.browser_type.launch(executable_path=programs.headless_chromium(), args=["--disable-blink-features=CSSScrollInitialTarget"])
    with browser.new_context(base_url=chat.url, java_script_enabled=False) as context:
        context.add_cookies([{"name": cookie.name, "value": cookie.value, "url": chat.url} for cookie in alice.http.cookies])
        screen = Screen(context.new_page(), f"/chat/{bob.username}")
        expect(screen.bubble("message 120")).to_be_in_viewport()
        assert not screen.page.evaluate("CSS.supports('scroll-initial-target', 'nearest')")
        screen.page.goto(f"/chat/{bob.username}?at=40#message-40")
        expect(screen.bubble("message 40")).to_be_in_viewport()
        older, newest = screen.page.get_by_role("link", name="Show older messages"), screen.page.get_by_role("link", name="To the newest messages")
        assert older.bounding_box()["y"] < screen.bubbles.first.bounding_box()["y"] < newest.bounding_box()["y"]
    browser.close()


def test_an_address_leads_to_a_message(chat, alice, bob, sit_down):
    """`?at=` shows the page around it, and the browser goes to the message and marks it."""
    hold(chat, alice, bob, numbered(alice, bob, 200))
    screen = sit_down(alice, f"/chat/{bob.username}?at=40#message-40")
    expect(screen.bubble("message 40")).to_be_in_viewport()
    assert screen.bubble("message 40").locator("article").evaluate("article => getComputedStyle(article).outlineWidth") == "2px"
    expect(screen.bubble("message 200")).to_have_count(0)
    screen.page.get_by_role("link", name="To the newest messages").click()
    expect(screen.bubble("message 200")).to_be_in_viewport()


def test_an_address_begins_an_answer(chat, alice, bob, sit_down):
    """`?reply=` puts the card over the field, whose cross takes it away; what is sent is the answer, and its quote leads back."""
    hold(chat, alice, bob, numbered(alice, bob, 60))
    screen = sit_down(alice, f"/chat/{bob.username}?reply=3")
    card = screen.page.locator(".composer-card")
    expect(card).to_contain_text(f"Reply to {bob.username}")
    expect(card).to_contain_text("message 3")
    card.get_by_role("link", name="Cancel").click()
    expect(card).to_have_count(0)
    screen.page.goto(f"/chat/{bob.username}?reply=3")
    screen.field.fill("an answer without a script")
    screen.page.get_by_role("button", name="Send").click()
    quote = screen.bubble("an answer without a script").locator("[data-part=quote]")
    expect(quote).to_contain_text("message 3")
    expect(card).to_have_count(0)
    assert alice.history(bob)["messages"][-1]["replyTo"]["seq"] == 3
    quote.click()
    expect(screen.page).to_have_url(re.compile(r"\?at=3#message-3$"))
    expect(screen.bubble("message 3")).to_be_in_viewport()


def test_a_refused_message_keeps_its_text(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", expects="400|413")
    screen.field.fill("x" * 4001)
    screen.page.get_by_role("button", name="Send").click()
    expect(screen.page.get_by_role("alert")).to_have_text("A message can have at most 4000 characters.")
    expect(screen.field).to_have_value("x" * 4001)


def test_nothing_is_offered_that_needs_a_script(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.page.get_by_role("button", name="Toggle Dark Mode")).to_be_hidden()
    expect(screen.page.get_by_role("link", name="Check for new messages")).to_be_visible()


def test_a_phone_has_room_for_the_header_and_a_voice(alice, bob, sit_down):
    room = alice.make_room("Projet de fin d’études", bob, topic="Soutenance le 18 décembre")
    sound = uploaded(alice, b"OggS" + bytes(2_000), "voice.ogg", duration=3)
    assert alice.ask(f"/conversations/{room}/messages", message="", clientId=new_client_id(), files=[sound["id"]]).status_code == 201
    screen = sit_down(alice, f"/rooms/{room}", viewport=PHONE)
    link = screen.page.get_by_role("link", name="Check for new messages").bounding_box()
    assert link["width"] > 100 > link["height"]
    assert screen.history.evaluate("history => history.scrollWidth <= history.clientWidth")
    expect(screen.page.locator("audio")).to_be_visible()


def test_many_unread_are_said_as_they_are_shown(chat, alice, bob, sit_down):
    hold(chat, alice, bob, [(bob, text, time) for _sender, text, time in numbered(alice, bob, 120)], read=False)
    card = sit_down(alice).card(bob)
    expect(card.locator("[data-part=unread-count]")).to_have_text("99+")
    expect(card.locator("[data-part=unread-text]")).to_have_text("99+ unread")

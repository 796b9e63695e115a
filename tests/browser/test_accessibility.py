"""For everyone: axe on every page, and what axe cannot see."""
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.past import hold, numbered
from tests.browser.screen import PHONE, WIDE
from tests.people import new_client_id

pytestmark = pytest.mark.browser

AXE = Axe()
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
NARROW = {"width": 320, "height": 640}
# What a window of 1280 × 800 is at 200 %.
ZOOMED = {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2}


def expect_no_violation(page):
    page.wait_for_function("() => document.getAnimations().every(animation => animation.playState === 'finished')")
    found = AXE.run(page)
    assert found.violations_count == 0, found.generate_report()


def expect_no_sideways_scrolling(page):
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for button in page.get_by_role("button").and_(page.locator(":visible")).all():
        box = button.bounding_box()
        assert 0 <= box["x"] and box["x"] + box["width"] <= page.viewport_size["width"], button


@pytest.fixture
def pages(chat, alice, bob, sit_down):
    """Open each page by name, with something on it."""
    hold(chat, alice, bob, [*numbered(alice, bob, 8)])
    bob.send(alice, "unread, with https://example.org/ in it")
    room = alice.make_room("maths", bob, topic="sets", icon="code")
    bob.tab().send_to_room(room, f"@{alice.username} look")
    bob.make_room("an open room", open=True, topic="for everybody")

    def open_page(name, **options):
        if name == "login":
            return sit_down(chat, "/login", **options).page
        if name == "register":
            page = sit_down(chat, "/register", expects="400", **options).page
            page.get_by_label("Username").fill("x")
            page.get_by_role("button", name="Register").click()
            expect(page.get_by_role("alert")).to_be_visible()
            return page
        paths = {"home": "/", "conversation": f"/chat/{bob.username}", "message": f"/messages/{bob.username}/9", "missing": "/nowhere", "face": "/face",
                 "rooms": "/rooms", "new room": "/rooms/new", "room": f"/rooms/{room}", "room's panel": f"/rooms/{room}?info",
                 "entrance": f"/rooms/{room + 1}"}
        screen = sit_down(alice, paths[name], expects="404", **options)
        if name == "conversation":
            screen.send("mine")
            screen.expect_state("mine", "sent")
        return screen.page
    return open_page


EVERY_PAGE = pytest.mark.parametrize("name", ["login", "register", "home", "conversation", "message", "missing", "face", "rooms", "new room", "room",
                                             "room's panel", "entrance"])


@THEMES
@EVERY_PAGE
def test_it_works(pages, name, theme):
    """axe finds nothing."""
    expect_no_violation(pages(name, color_scheme=theme))


@THEMES
def test_axe_finds_nothing_on_a_phone(pages, theme):
    expect_no_violation(pages("home", color_scheme=theme, viewport=PHONE))
    expect_no_violation(pages("conversation", color_scheme=theme, viewport=PHONE))


@THEMES
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_axe_finds_nothing_in_the_details(pages, theme, viewport):
    page = pages("conversation", color_scheme=theme, viewport=viewport)
    page.locator("li.message [data-part=details]").last.click()
    expect(page.locator("#details [data-step=read]")).to_contain_text("Not yet")
    expect_no_violation(page)
    expect_no_sideways_scrolling(page)


def test_axe_finds_nothing_on_an_empty_chat(start_server, arrive, sit_down):
    server = start_server()
    alice = arrive(server)
    expect_no_violation(sit_down(alice).page)
    bob = arrive(server)
    expect_no_violation(sit_down(alice, f"/chat/{bob.username}").page)


@THEMES
def test_axe_finds_nothing_where_a_message_failed(alice, bob, sit_down, theme):
    screen = sit_down(alice, f"/chat/{bob.username}", color_scheme=theme, expects="INTERNET_DISCONNECTED|WebSocket")
    screen.send_refused()
    expect(screen.bubbles).to_have_attribute("data-state", "failed")
    screen.page.context.set_offline(True)
    expect(screen.page.locator("#connection")).not_to_be_empty()
    expect_no_violation(screen.page)


@EVERY_PAGE
def test_no_sideways_scrolling_at_320_pixels(pages, name):
    expect_no_sideways_scrolling(pages(name, viewport=NARROW))


@EVERY_PAGE
def test_everything_is_there_at_200_percent(pages, name):
    page = pages(name, **ZOOMED)
    expect_no_sideways_scrolling(page)
    if name == "conversation":
        expect(page.get_by_role("textbox", name="Message")).to_be_in_viewport()
        expect(page.get_by_role("button", name="Send")).to_be_in_viewport()
        assert page.locator("#history-scroll").bounding_box()["height"] > 100


def test_landmarks_and_structure(alice, bob, sit_down):
    bob.send(alice, "hello")
    screen = sit_down(alice, f"/chat/{bob.username}")
    page = screen.page
    expect(page.get_by_role("navigation", name="Conversations")).to_have_count(1)
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("search")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.locator("ol#history > li.message > article time[datetime$=Z]")).to_have_count(1)
    expect(page.get_by_role("navigation").locator("[aria-current=page]")).to_have_count(1)
    expect(screen.link(bob)).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("status").and_(page.locator("#connection"))).to_have_count(1)


def test_what_comes_in_is_announced_and_gathered(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    log = screen.page.get_by_role("log")
    screen.send("mine")
    screen.expect_state("mine", "sent")
    bob.send(alice, "hello")
    expect(log).to_have_text(f"{bob.username}: hello")
    tab = bob.tab()
    for number in range(5):
        tab.send(alice, f"number {number}")
    expect(log).to_have_text("5 new messages")


def test_what_a_search_finds_is_announced(chat, alice, arrive, sit_down):
    word = new_client_id()[:6]
    for name in ("Ada", "Bea"):
        arrive(chat, f"{name} {word}")
    screen = sit_down(alice)
    log = screen.page.get_by_role("log")
    screen.search.fill(word)
    expect(log).to_have_text("2 people found")
    screen.search.fill(f"Ada {word}")
    expect(log).to_have_text("1 person found")
    screen.search.fill("nobody at all")
    expect(log).to_have_text("No results.")


def test_a_refusal_is_announced(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.send_refused()
    expect(screen.page.get_by_role("log")).to_have_text("Not sent: This text contains characters that cannot be saved.")


@THEMES
def test_axe_finds_nothing_in_the_menu_and_in_a_search(alice, bob, sit_down, theme):
    screen = sit_down(alice, color_scheme=theme)
    screen.page.locator("#own-menu > summary").click()
    expect_no_violation(screen.page)
    screen.search.fill(bob.username)
    expect(screen.people).to_have_count(1)
    screen.search.press("ArrowDown")
    expect_no_violation(screen.page)
    screen.search.fill("nobody at all")
    expect(screen.people).to_have_count(0)
    expect_no_violation(screen.page)


def test_a_refused_form_says_each_reason_once_and_leads_to_the_first(chat, sit_down):
    page = sit_down(chat, "/register", expects="400").page
    page.get_by_label("Username").fill("x")
    page.get_by_role("button", name="Register").click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("Please correct 2 fields")
    username, password = page.get_by_label("Username"), page.get_by_label("Password")
    expect(username).to_have_value("x")
    expect(username).to_be_focused()
    for field in (username, password):
        expect(field).to_have_attribute("aria-invalid", "true")
        described_by = field.get_attribute("aria-describedby").split()
        [reason] = [page.locator(f"#{name}").text_content().strip() for name in described_by if name.endswith("-error")]
        assert page.locator("body").text_content().count(reason) == 1
    expect(username).to_have_attribute("autocomplete", "username")
    expect(password).to_have_attribute("autocomplete", "new-password")
    summary.get_by_role("link", name="Password").click()
    expect(password).to_be_focused()


def test_no_motion_where_none_is_wanted(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", reduced_motion="reduce", viewport=WIDE)
    screen.send("still")
    expect(screen.bubble("still")).to_be_visible()
    durations = screen.bubble("still").evaluate("row => getComputedStyle(row).animationDuration")
    assert re.fullmatch(r"0s(, 0s)*", durations)

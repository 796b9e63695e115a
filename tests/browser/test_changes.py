"""Messages that change, in the browser: the toolbar, the menu, the sheet, the keys, the chips, the quotes and the pins."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.past import hold, numbered
from tests.browser.screen import PHONE
from tests.browser.test_accessibility import expect_no_sideways_scrolling, expect_no_violation
from tests.browser.test_keyboard import tab_to
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
TOUCH = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
MIN_TARGET_PX = 44


@pytest.fixture
def open_talk(alice, bob, talk, sit_down):
    """Open Alice's conversation with Bob; options are those of a Playwright context."""
    def open_screen(**options):
        screen = sit_down(alice, f"/chat/{bob.username}", **options)
        screen.expect_connected()
        return screen
    return open_screen


@pytest.fixture
def screen(open_talk):
    return open_talk()


def point_at(screen, text):
    """Move the mouse over a message, and return its toolbar."""
    screen.bubble(text).locator("article").hover()
    tools = screen.bubble(text).get_by_role("toolbar", name="Actions")
    expect(tools).to_be_visible()
    return tools


def open_menu(screen, text):
    point_at(screen, text).get_by_role("button", name="More").click()
    return screen.page.get_by_role("menu", name="Actions")


def choose(screen, text, item):
    open_menu(screen, text).get_by_role("menuitem", name=item).click()


def chips(screen, text):
    return screen.bubble(text).locator(".chip[data-emoji]")


def time_of(screen, text):
    return screen.bubble(text).locator("[data-part=details]")


def focus_on(screen, text):
    """Put the focus on a message, as the keyboard would, and wait for its toolbar."""
    screen.page.keyboard.press("Shift+Tab")
    time_of(screen, text).focus()
    expect(screen.bubble(text).get_by_role("toolbar")).to_be_attached()


def hold_finger_on(screen, locator, appearing):
    """A long press, until what it opens is there."""
    box = locator.bounding_box()
    point = {"x": box["x"] + min(box["width"] / 2, 40), "y": box["y"] + min(box["height"] / 2, 16)}
    finger = screen.page.context.new_cdp_session(screen.page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(appearing).to_be_visible()
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    return appearing


def open_sheet(screen, text):
    return hold_finger_on(screen, screen.bubble(text).locator("article"), screen.page.get_by_role("dialog", name="Actions"))


# --- with a mouse

def test_it_works(screen, bob, alice, sit_down):
    """React, reply, edit, pin and delete with the mouse; the other one sees each at once."""
    at_bob = sit_down(bob, f"/chat/{alice.username}")
    at_bob.expect_connected()

    point_at(screen, "from bob").get_by_role("button", name="React").click()
    screen.page.get_by_role("button", name="👍").click()
    for at in (screen, at_bob):
        expect(chips(at, "from bob")).to_have_text("👍 1")
    expect(chips(screen, "from bob")).to_have_attribute("aria-pressed", "true")
    expect(chips(at_bob, "from bob")).to_have_attribute("aria-pressed", "false")

    point_at(screen, "from bob").get_by_role("button", name="Reply").click()
    expect(screen.field).to_be_focused()
    screen.send("an answer")
    for at in (screen, at_bob):
        expect(at.bubble("an answer").locator("[data-part=quote-text]")).to_have_text("from bob")

    point_at(screen, "from alice").get_by_role("button", name="Edit").click()
    expect(screen.field).to_have_value("from alice")
    screen.send("mended")
    for at in (screen, at_bob):
        expect(at.bubble("mended").locator("[data-part=edited]")).to_have_text("edited")

    choose(screen, "mended", "Pin for everyone")
    for at in (screen, at_bob):
        expect(at.bubble("mended").get_by_text("Pinned")).to_be_attached()

    choose(screen, "mended", "Delete for everyone")
    question = screen.page.get_by_role("alertdialog", name="Delete this message for everyone?")
    question.get_by_role("button", name="Delete").click()
    for at in (screen, at_bob):
        expect(at.page.get_by_text("This message was deleted.")).to_be_visible()
        expect(at.page.get_by_text("mended")).to_have_count(0)


def test_what_is_offered_is_what_is_allowed(screen):
    """One's own is edited and deleted, another's is not; and what was deleted has its details alone."""
    tools = point_at(screen, "from bob")
    expect(tools.get_by_role("button")).to_have_count(3)
    expect(tools.get_by_role("button", name="Edit")).to_have_count(0)
    items = open_menu(screen, "from bob").get_by_role("menuitem")
    expect(items).to_have_text(["Copy text", "Pin for everyone", "Mark as unread", "The way of this message"])
    screen.page.keyboard.press("Escape")
    items = open_menu(screen, "from alice").get_by_role("menuitem")
    expect(items).to_have_text(["Copy text", "Pin for everyone", "The way of this message", "Delete for everyone"])
    items.last.click()
    screen.page.get_by_role("button", name="Delete").click()
    expect(screen.bubble("This message was deleted.")).to_be_visible()
    items = open_menu(screen, "This message was deleted.").get_by_role("menuitem")
    expect(items).to_have_text(["The way of this message"])


def test_an_owner_deletes_what_others_wrote(alice, bob, sit_down):
    room = alice.make_room("maths", bob)
    bob.tab().send_to_room(room, "rude")
    screen = sit_down(alice, f"/rooms/{room}")
    screen.expect_connected()
    choose(screen, "rude", "Delete for everyone")
    screen.page.get_by_role("button", name="Delete").click()
    expect(screen.bubble("This message was deleted.")).to_be_visible()
    assert wait_for(lambda: alice.json(f"/conversations/{room}/messages")["messages"][-1]["deleted"], seconds=10)


def test_deleting_asks_once_and_takes_no_for_an_answer(screen):
    choose(screen, "from alice", "Delete for everyone")
    screen.page.get_by_role("button", name="Cancel").click()
    expect(screen.page.get_by_role("alertdialog")).to_have_count(0)
    expect(screen.bubble("from alice")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 720, 640])
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_the_toolbar_covers_no_text_of_its_message(alice, bob, sit_down, width, direction):
    """Beside the bubble, or on its upper edge; and always within the conversation, whichever way one reads."""
    for sender, other in ((bob, alice), (alice, bob)):
        sender.tab().send(other, f"{sender.username} {'wide ' * 100}")
    screen = sit_down(alice, f"/chat/{bob.username}", viewport={"width": width, "height": 800})
    screen.page.evaluate("direction => { document.documentElement.dir = direction; }", direction)
    for row in screen.bubbles.all():
        row.locator("article").hover()
        tools, text, pane = row.get_by_role("toolbar").bounding_box(), row.locator("article").bounding_box(), screen.history.bounding_box()
        assert pane["x"] <= tools["x"] and tools["x"] + tools["width"] <= pane["x"] + pane["width"]
        is_beside = tools["x"] >= text["x"] + text["width"] or tools["x"] + tools["width"] <= text["x"]
        assert is_beside or tools["y"] <= text["y"] - 17


def test_nothing_moves_when_the_toolbar_comes_and_goes(screen):
    places = "() => JSON.stringify([...document.querySelectorAll('#history > li')].map((row) => row.getBoundingClientRect()))"
    before = screen.page.evaluate(places)
    point_at(screen, "from bob")
    assert screen.page.evaluate(places) == before
    screen.page.get_by_role("heading", level=1).hover()
    expect(screen.page.get_by_role("toolbar")).to_have_count(0)
    assert screen.page.evaluate(places) == before


def test_messages_that_move_under_a_resting_mouse_get_no_toolbar(screen, alice, talk):
    at_bob, _theirs, _mine = talk
    tools = point_at(screen, "from alice")
    for n in range(12):
        at_bob.send(alice, f"more {n}")
    expect(screen.bubble("more 11")).to_be_in_viewport()
    expect(tools).to_have_count(1)


@pytest.mark.parametrize("name", ["More", "React"])
def test_a_second_press_closes_what_the_first_has_opened(screen, talk, name):
    button = point_at(screen, "from alice").get_by_role("button", name=name)
    panel = screen.page.locator(".popover")
    button.click()
    expect(panel).to_be_visible()
    button.click()
    expect(panel).to_have_count(0)
    screen.page.evaluate("() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))")     # it would open again
    expect(panel).to_have_count(0)
    expect(button).to_be_focused()
    button.click()
    expect(panel).to_be_visible()


# --- the keyboard alone

def test_all_of_it_with_the_keyboard_alone(screen, alice, talk):
    page, keyboard = screen.page, screen.page.keyboard
    tab_to(screen, time_of(screen, "from alice"), backwards=True)
    expect(screen.bubble("from alice").get_by_role("toolbar")).to_be_visible()
    keyboard.press("Tab")
    expect(page.get_by_role("button", name="React")).to_be_focused()
    keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Reply")).to_be_focused()
    keyboard.press("End")
    expect(page.get_by_role("button", name="More")).to_be_focused()
    keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Copy text")).to_be_focused()
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(screen.bubble("from alice").get_by_text("Pinned")).to_be_attached()
    expect(page.get_by_role("button", name="More")).to_be_focused()
    keyboard.press("Escape")
    expect(time_of(screen, "from alice")).to_be_focused()
    keyboard.press("ArrowUp")
    expect(time_of(screen, "from bob")).to_be_focused()
    expect(screen.bubble("from bob").get_by_role("toolbar")).to_be_visible()


@pytest.mark.parametrize("key", ["m", "Shift+F10", "ContextMenu"])
def test_a_key_opens_the_whole_menu_of_the_message(screen, key):
    page, keyboard = screen.page, screen.page.keyboard
    tab_to(screen, time_of(screen, "from alice"), backwards=True)
    expect(screen.bubble("from alice").get_by_role("toolbar")).to_be_visible()
    keyboard.press(key)
    items = page.get_by_role("menuitem")
    expect(items).to_have_text(["React", "Reply", "Edit", "Copy text", "Pin for everyone", "The way of this message", "Delete for everyone"])
    expect(items.first).to_be_focused()
    keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(time_of(screen, "from alice")).to_be_focused()
    keyboard.press(key)
    keyboard.press("End")
    keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    keyboard.press("Shift+Tab")
    keyboard.press("Enter")
    expect(screen.bubble("This message was deleted.")).to_be_visible()
    expect(time_of(screen, "This message was deleted.")).to_be_focused()


def test_a_reaction_is_chosen_and_taken_back_with_the_keyboard(screen):
    page, keyboard = screen.page, screen.page.keyboard
    focus_on(screen, "from bob")
    keyboard.press("m")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    keyboard.press("Enter")
    expect(page.get_by_role("button", name="👍")).to_be_focused()
    keyboard.press("ArrowRight")
    keyboard.press("Enter")
    expect(chips(screen, "from bob")).to_have_text("❤️ 1")
    expect(time_of(screen, "from bob")).to_be_focused()
    tab_to(screen, chips(screen, "from bob"))
    keyboard.press("Enter")
    expect(chips(screen, "from bob")).to_have_count(0)
    expect(time_of(screen, "from bob")).to_be_focused()


# --- reactions

def test_chips_are_in_the_order_of_first_use_and_a_press_toggles(screen, talk):
    at_bob, theirs, _mine = talk
    at_bob.change(theirs, react="🎉", on=True)
    at_bob.change(theirs, react="👍", on=True)
    expect(chips(screen, "from bob")).to_have_text(["🎉 1", "👍 1"])
    chips(screen, "from bob").last.click()
    expect(chips(screen, "from bob")).to_have_text(["🎉 1", "👍 2"])
    chips(screen, "from bob").last.click()
    expect(chips(screen, "from bob")).to_have_text(["🎉 1", "👍 1"])
    expect(chips(screen, "from bob").last).to_have_attribute("aria-pressed", "false")
    screen.page.reload()
    expect(chips(screen, "from bob")).to_have_text(["🎉 1", "👍 1"])


def test_hovering_a_chip_says_who_and_the_last_chip_adds(screen, bob, talk):
    at_bob, theirs, _mine = talk
    at_bob.change(theirs, react="🎉", on=True)
    chips(screen, "from bob").click()
    expect(chips(screen, "from bob")).to_have_text("🎉 2")
    screen.page.get_by_role("heading", level=1).hover()
    chips(screen, "from bob").hover()
    expect(screen.page.get_by_role("tooltip")).to_contain_text(f"{bob.username} and you")
    screen.page.get_by_role("heading", level=1).hover()
    expect(screen.page.get_by_role("tooltip")).to_have_count(0)
    screen.bubble("from bob").get_by_role("button", name="Add a reaction").click()
    screen.page.get_by_role("button", name="😮").click()
    expect(chips(screen, "from bob")).to_have_text(["🎉 2", "😮 1"])


def test_the_picker_finds_in_a_skin_tone(screen):
    point_at(screen, "from bob").get_by_role("button", name="React").click()
    screen.page.get_by_role("button", name="All emoji").click()
    search = screen.page.get_by_role("searchbox", name="Search emoji")
    expect(search).to_be_focused()
    screen.page.get_by_role("radio", name="Medium", exact=True).check(force=True)
    search.fill("raised ha")
    expect(screen.page.locator(".emoji").first).to_have_text("✋🏽")
    search.fill("raised hand xyz")
    expect(screen.page.get_by_text("No emoji found.")).to_be_visible()
    search.fill("raised hand")
    search.press("Enter")
    expect(chips(screen, "from bob")).to_have_attribute("data-emoji", re.compile("🏽"))
    point_at(screen, "from alice").get_by_role("button", name="React").click()
    screen.page.get_by_role("button", name="All emoji").click()
    expect(screen.page.get_by_text("Used last")).to_be_visible()
    expect(screen.page.get_by_role("radio", name="Medium", exact=True)).to_be_checked()


def test_the_picker_speaks_french_and_the_arrow_keys_lead_through_it(open_talk):
    screen = open_talk(locale="fr-FR")
    focus_on(screen, "from bob")
    screen.page.keyboard.press("m")
    expect(screen.page.get_by_role("menuitem").first).to_be_focused()
    screen.page.keyboard.press("Enter")
    screen.page.get_by_role("button", name="Tous les emojis").click()
    search = screen.page.get_by_role("searchbox", name="Chercher un emoji")
    search.fill("chat")
    expect(screen.page.get_by_role("button", name="chat", exact=True)).to_be_visible()
    search.fill("")
    search.press("ArrowDown")
    screen.page.keyboard.press("ArrowRight")
    focused = screen.page.locator(".emoji:focus")
    first_row = focused.bounding_box()
    screen.page.keyboard.press("ArrowDown")
    box = screen.page.locator(".emoji:focus").bounding_box()
    assert (box["x"], box["y"]) == (first_row["x"], first_row["y"] + first_row["height"])
    screen.page.keyboard.press("ArrowUp")
    screen.page.keyboard.press("ArrowUp")
    expect(search).to_be_focused()
    screen.page.keyboard.press("Escape")
    expect(time_of(screen, "from bob")).to_be_focused()


def test_every_emoji_of_the_picker_is_one_that_the_server_takes(screen, alice):
    """In each tone: what one can choose is never refused."""
    from chat.conversations.change_request import EMOJI
    point_at(screen, "from bob").get_by_role("button", name="React").click()
    screen.page.get_by_role("button", name="All emoji").click()
    offered = set()
    for tone in ("No skin tone", "Light", "Dark"):
        screen.page.get_by_role("radio", name=tone, exact=True).check(force=True)
        offered |= set(screen.page.locator(".emoji").all_text_contents())
    assert len(offered) > 2000
    assert offered - EMOJI == set()


# --- quotes and pins

def test_a_quote_leads_to_its_message_however_far_back(chat, alice, bob, sit_down):
    hold(chat, alice, bob, numbered(alice, bob, 400))
    talk = alice.history(bob, "?after=1&limit=1")["messages"][0]
    bob.tab().call("sendMessage", {"clientId": "an-answer", "receiverId": alice.id, "message": "yes", "replyTo": talk["seq"]})
    screen = sit_down(alice, f"/chat/{bob.username}")
    quote, row = screen.bubble("yes").get_by_role("link", name="message 2"), screen.page.locator('#history > [data-seq="2"]')
    expect(quote).to_be_visible()
    expect(row).to_have_count(0)
    quote.press("Enter")
    expect(row).to_be_in_viewport()
    expect(row).to_have_class(re.compile("ringed"))
    expect(row.locator("[data-part=details]")).to_be_focused()      # the quote has gone, with the rows around it
    expect(row).not_to_have_class(re.compile("ringed"))


def test_a_quote_of_what_was_deleted_says_so(screen, alice, bob, talk):
    at_bob, theirs, _mine = talk
    at_bob.call("sendMessage", {"clientId": "an-answer-2", "receiverId": alice.id, "message": "as I said", "replyTo": theirs["seq"]})
    expect(screen.bubble("as I said").locator("[data-part=quote-text]")).to_have_text("from bob")
    at_bob.change(theirs, edit=f"**{'a' * 130}**")       # its second mark is behind what a quote shows
    expect(screen.bubble("as I said").locator("[data-part=quote-text]")).to_have_text("a" * 120)
    at_bob.change(theirs, delete=True)
    expect(screen.bubble("as I said").locator("[data-part=quote-text]")).to_have_text("This message was deleted.")
    screen.page.reload()
    expect(screen.bubble("as I said").locator("[data-part=quote-text]")).to_have_text("This message was deleted.")


@pytest.mark.parametrize("is_room", [True, False], ids=["room", "direct"])
def test_the_panel_lists_what_is_pinned_and_leads_there(alice, bob, sit_down, is_room):
    tab = alice.tab()
    if is_room:
        room = alice.make_room("maths", bob)
        path, send = f"/rooms/{room}", lambda text: tab.send_to_room(room, text)["message"]
    else:
        path, send = f"/chat/{bob.username}", lambda text: tab.send(bob, text)["message"]
    first = send("first of all")
    for n in range(30):
        send(f"more {n}")
    screen = sit_down(alice, path)
    screen.expect_connected()
    screen.page.get_by_role("link", name="About this").click()
    panel = screen.page.get_by_role("complementary")
    expect(panel.get_by_text("Nothing is pinned.")).to_be_visible()
    tab.change(first, pin=True)
    pin = panel.get_by_role("link", name="first of all")
    expect(pin).to_be_visible()
    expect(screen.bubble("more 29")).to_be_in_viewport()
    pin.click()
    expect(screen.bubble("first of all")).to_be_in_viewport()
    expect(screen.bubble("first of all")).to_have_class(re.compile("ringed"))
    tab.change(first, pin=False)
    expect(panel.get_by_text("Nothing is pinned.")).to_be_visible()


# --- on a phone

def test_a_long_press_opens_the_sheet_and_the_message_stays_lit(open_talk):
    screen = open_talk(**TOUCH)
    sheet = open_sheet(screen, "from alice")
    expect(sheet.get_by_role("button", name="Reply")).to_be_visible()
    expect(sheet.locator(".item")).to_have_text(["Reply", "Edit", "Copy text", "Pin for everyone", "The way of this message", "Delete for everyone"])
    screen.page.wait_for_function("() => document.getAnimations().every((animation) => animation.playState === 'finished')")
    card = sheet.locator("[data-part=card]").bounding_box()
    article, hole = screen.bubble("from alice").locator("article").bounding_box(), sheet.locator("[data-part=spotlight]").bounding_box()
    assert article["y"] + article["height"] < card["y"]
    assert article == hole
    for button in sheet.get_by_role("button").all():
        box = button.bounding_box()
        assert box["height"] >= MIN_TARGET_PX and box["width"] >= MIN_TARGET_PX
    sheet.get_by_role("button", name="🎉").tap()
    expect(sheet).to_have_count(0)
    expect(chips(screen, "from alice")).to_have_text("🎉 1")
    expect(time_of(screen, "from alice")).to_be_focused()


def test_the_sheet_is_closed_by_back_by_escape_by_a_tap_outside_and_by_a_drag(open_talk):
    screen = open_talk(**TOUCH)
    page, url = screen.page, screen.page.url

    def drag():
        box = page.locator(".grip").bounding_box()
        finger = page.context.new_cdp_session(page)
        x, y = box["x"] + box["width"] / 2, box["y"]
        for kind, points in (("touchStart", [(x, y)]), *(("touchMove", [(x, y + step)]) for step in (20, 60, 120, 180)), ("touchEnd", [])):
            finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": b} for a, b in points]})
    for close in (page.go_back, lambda: page.keyboard.press("Escape"), lambda: page.touchscreen.tap(180, 90), drag):
        sheet = open_sheet(screen, "from bob")
        page.wait_for_function("() => document.getAnimations().every((animation) => animation.playState === 'finished')")
        close()
        expect(sheet).to_have_count(0)
        assert page.url == url
        expect(time_of(screen, "from bob")).to_be_focused()
        page.wait_for_function("() => !history.state?.isSheet")


def test_deleting_from_the_sheet_asks_once(open_talk):
    screen = open_talk(**TOUCH)
    sheet = open_sheet(screen, "from alice")
    sheet.get_by_role("button", name="Delete for everyone").tap()
    expect(sheet.get_by_text("Delete this message for everyone?")).to_be_visible()
    sheet.get_by_role("button", name="Delete", exact=True).tap()
    expect(screen.bubble("This message was deleted.")).to_be_visible()


def test_a_long_press_on_a_chip_says_who_and_does_not_toggle(open_talk, bob, talk):
    at_bob, theirs, _mine = talk
    at_bob.change(theirs, react="🎉", on=True)
    screen = open_talk(**TOUCH)
    names = screen.page.get_by_role("tooltip")
    hold_finger_on(screen, chips(screen, "from bob"), names)
    expect(names).to_contain_text(bob.username)
    expect(chips(screen, "from bob")).to_have_text("🎉 1")
    expect(screen.page.get_by_role("dialog")).to_have_count(0)


def test_a_tap_on_a_message_opens_nothing(open_talk):
    screen = open_talk(**TOUCH)
    screen.bubble("from bob").locator("article").tap(position={"x": 20, "y": 10})
    screen.bubble("from alice").locator("article").tap(position={"x": 20, "y": 10})
    expect(screen.page.get_by_role("dialog")).to_have_count(0)
    expect(screen.page.get_by_role("toolbar")).to_have_count(0)


# --- without JavaScript

def test_everything_without_javascript(alice, bob, talk, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", java_script_enabled=False)
    page = screen.page

    def details(text):
        time_of(screen, text).click()
    details("from bob")
    page.get_by_role("button", name="👍").click()
    expect(chips(screen, "from bob")).to_have_text("👍 1")
    expect(screen.bubble("from bob")).to_be_in_viewport()
    details("from bob")
    expect(page.get_by_role("button", name="👍")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="👍").click()
    expect(chips(screen, "from bob")).to_have_count(0)
    details("from bob")
    page.get_by_role("link", name="Reply").click()
    expect(page.get_by_text(f"Reply to {bob.username}")).to_be_visible()
    screen.field.fill("an answer")
    page.get_by_role("button", name="Send").click()
    expect(screen.bubble("an answer").locator("[data-part=quote-text]")).to_have_text("from bob")
    details("from alice")
    page.get_by_role("textbox", name="Edit").fill("mended")
    page.get_by_role("button", name="Save").click()
    expect(screen.bubble("mended").locator("[data-part=edited]")).to_be_visible()
    details("mended")
    page.get_by_role("button", name="Pin for everyone").click()
    page.get_by_role("link", name="About this conversation").click()
    page.get_by_role("complementary").get_by_role("link", name="mended").click()
    expect(screen.bubble("mended")).to_be_in_viewport()
    details("mended")
    expect(page.get_by_text("Edited")).to_be_visible()
    page.get_by_text("Delete for everyone").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("This message was deleted.")).to_be_visible()
    expect(page.get_by_text("mended")).to_have_count(0)


def test_a_conflict_without_javascript_shows_both_texts(alice, bob, talk, sit_down):
    _at_bob, _theirs, mine = talk
    screen = sit_down(alice, f"/messages/{bob.username}/{mine['seq']}", expects="409", java_script_enabled=False)
    page = screen.page
    page.get_by_role("textbox", name="Edit").fill("one way")
    alice.tab().change(mine, edit="another way")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("textbox", name="Your text")).to_have_value("one way")
    expect(page.locator("blockquote")).to_contain_text("another way")
    page.get_by_role("button", name="Save my text").click()
    expect(screen.bubble("one way")).to_be_visible()


# --- for everyone

@THEMES
def test_axe_finds_nothing_in_what_the_mouse_opens(open_talk, talk, alice, theme):
    at_bob, theirs, mine = talk
    at_bob.change(theirs, react="🎉", on=True)
    at_bob.call("sendMessage", {"clientId": f"quoting-{theme}", "receiverId": alice.id, "message": "as I said", "replyTo": theirs["seq"]})
    alice.tab().change(mine, edit="mended")
    screen = open_talk(color_scheme=theme)
    point_at(screen, "mended")
    expect_no_violation(screen.page)
    open_menu(screen, "mended")
    expect_no_violation(screen.page)
    screen.page.get_by_role("menuitem", name="Delete for everyone").click()
    expect_no_violation(screen.page)
    screen.page.get_by_role("button", name="Cancel").click()
    point_at(screen, "as I said").get_by_role("button", name="React").click()
    expect_no_violation(screen.page)
    screen.page.get_by_role("button", name="All emoji").click()
    screen.page.get_by_role("searchbox", name="Search emoji").fill("cat")      # axe takes minutes for all of them
    expect(screen.page.get_by_role("button", name="cat", exact=True)).to_be_visible()
    expect_no_violation(screen.page)
    screen.page.keyboard.press("Escape")
    point_at(screen, "as I said").get_by_role("button", name="Reply").click()
    expect(screen.page.locator(".composer-card")).to_be_visible()
    expect_no_violation(screen.page)


@THEMES
def test_axe_finds_nothing_in_the_sheet(open_talk, theme):
    screen = open_talk(color_scheme=theme, **TOUCH)
    sheet = open_sheet(screen, "from alice")
    expect_no_violation(screen.page)
    expect_no_sideways_scrolling(screen.page)
    sheet.get_by_role("button", name="All emoji").tap()
    expect(screen.page.locator(".emoji").first).to_be_visible()
    assert screen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screen.page.get_by_role("searchbox", name="Search emoji").fill("cat")
    expect(screen.page.get_by_role("button", name="cat", exact=True)).to_be_visible()
    expect_no_violation(screen.page)
    expect_no_sideways_scrolling(screen.page)


@THEMES
def test_axe_finds_nothing_in_the_forms_and_the_panel(alice, bob, talk, sit_down, theme):
    _at_bob, theirs, mine = talk
    alice.tab().change(mine, pin=True)
    for path in (f"/messages/{bob.username}/{mine['seq']}", f"/messages/{bob.username}/{theirs['seq']}", f"/chat/{bob.username}?info",
                 f"/conversations/{mine['conversationId']}/pins", f"/chat/{bob.username}?reply={theirs['seq']}"):
        page = sit_down(alice, path, color_scheme=theme, java_script_enabled=True).page
        expect_no_violation(page)
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_no_motion_where_none_is_wanted(open_talk):
    screen = open_talk(reduced_motion="reduce")
    tools = point_at(screen, "from bob")
    assert tools.evaluate("tools => parseFloat(getComputedStyle(tools).animationDuration)") == 0

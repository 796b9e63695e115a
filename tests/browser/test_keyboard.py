"""Everything with the keyboard alone."""
import pytest
from playwright.sync_api import expect

from tests.browser.screen import PHONE
from tests.people import PASSWORD, new_client_id

pytestmark = pytest.mark.browser

HAS_RING = """element => {
  const style = getComputedStyle(element);
  return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== 'none';
}"""
MAX_TABS = 60


def tab_to(screen, locator, backwards=False):
    """Press Tab until the focus is there; fail where it never comes."""
    for _press in range(MAX_TABS):
        if locator.evaluate_all("all => all.includes(document.activeElement)"):
            return
        screen.page.keyboard.press("Shift+Tab" if backwards else "Tab")
    raise AssertionError(f"{locator} is not reached")


def test_it_works(chat, bob, sit_down):
    """From registering to logging out."""
    screen = sit_down(chat, "/register")
    page, keyboard = screen.page, screen.page.keyboard
    tab_to(screen, page.get_by_label("Username"))
    keyboard.type(f"keys {new_client_id()[:6]}")
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    expect(page.get_by_text("Please choose someone to talk to.")).to_be_visible()
    tab_to(screen, screen.search)
    keyboard.type(bob.username)
    expect(screen.people).to_have_count(1)
    tab_to(screen, screen.link(bob))
    keyboard.press("Enter")
    expect(screen.field).to_be_focused()
    keyboard.type("no mouse")
    keyboard.press("Enter")
    screen.expect_state("no mouse", "sent")
    expect(screen.field).to_be_focused()
    tab_to(screen, page.get_by_role("button", name="Logout"), backwards=True)
    keyboard.press("Enter")
    expect(page.get_by_role("button", name="Login")).to_be_visible()


@pytest.mark.parametrize("key, code, is_search", [
    ("k", "KeyK", True), ("K", "KeyK", True), ("k", "KeyV", True),          # of Latin letters, wherever they are
    ("л", "KeyK", True), ("ن", "KeyK", True), ("κ", "KeyK", True),          # none: where the K would be
    ("t", "KeyK", False), ("л", "KeyG", False)])
def test_control_k_with_any_layout(alice, bob, sit_down, key, code, is_search):
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.field).to_be_focused()
    screen.field.evaluate("""(field, init) => field.dispatchEvent(
        new KeyboardEvent('keydown', { ...init, ctrlKey: true, bubbles: true, cancelable: true }))""", {"key": key, "code": code})
    expect(screen.search if is_search else screen.field).to_be_focused()


@pytest.mark.parametrize("composing", ["{isComposing: true}", "{keyCode: 229}"])
def test_escape_that_ends_a_composition_leads_nowhere(alice, bob, sit_down, composing):
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.field).to_be_focused()
    screen.search.fill("にほん")
    for box in (screen.search, screen.field):
        box.focus()
        box.evaluate(f"""box => box.dispatchEvent(new KeyboardEvent('keydown', {{
            key: 'Escape', bubbles: true, cancelable: true, ...{composing}}}))""")
        expect(box).to_be_focused()
    expect(screen.search).to_have_value("にほん")


def test_control_k_goes_to_the_search_and_escape_back(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.field).to_be_focused()
    screen.page.keyboard.press("Control+k")
    expect(screen.search).to_be_focused()
    screen.page.keyboard.type("nobody at all")
    expect(screen.people).to_have_count(0)
    screen.page.keyboard.press("Escape")
    expect(screen.search).to_have_value("")
    expect(screen.field).to_be_focused()
    expect(screen.people.first).to_be_visible()


def test_enter_in_the_search_opens_who_was_found(alice, bob, sit_down):
    screen = sit_down(alice)
    screen.search.focus()
    screen.page.keyboard.type(bob.username)
    screen.page.keyboard.press("Enter")     # at once: the answer may still be under way
    expect(screen.heading).to_have_text(f"Chat with: {bob.username}")
    expect(screen.field).to_be_focused()


def test_arrows_in_the_search_choose_a_person(chat, alice, arrive, sit_down):
    word = new_client_id()[:6]
    first, second = arrive(chat, f"Ada {word}"), arrive(chat, f"Bea {word}")
    screen = sit_down(alice)
    screen.search.focus()
    screen.page.keyboard.type(word)
    expect(screen.people).to_have_count(2)
    active = "search => document.getElementById(search.getAttribute('aria-activedescendant'))?.innerText.split('\\n')[0] ?? null"
    for key, person in (("ArrowDown", first), ("ArrowDown", second), ("ArrowUp", first), ("ArrowUp", None), ("ArrowUp", second)):
        screen.page.keyboard.press(key)
        assert screen.search.evaluate(active) == (person.username if person else None)
        expect(screen.search).to_be_focused()
        expect(screen.people.locator("[data-active]")).to_have_count(1 if person else 0)
    screen.page.keyboard.press("Enter")
    expect(screen.heading).to_have_text(f"Chat with: {second.username}")


def test_enter_where_nobody_is_found_does_nothing(alice, bob, sit_down):
    screen = sit_down(alice)
    screen.search.focus()
    for text in ("", "nobody at all"):
        screen.search.fill(text)
        screen.page.keyboard.press("Enter")
    expect(screen.people).to_have_count(0)
    expect(screen.page.get_by_text("Please choose someone to talk to.")).to_be_visible()


def test_control_k_on_a_phone_comes_from_a_conversation(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", viewport=PHONE)
    expect(screen.field).to_be_focused()
    screen.page.keyboard.press("Control+k")
    expect(screen.search).to_be_focused()


def test_escape_leads_back_to_the_person_in_the_list(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.field).to_be_focused()
    screen.page.keyboard.press("Escape")
    expect(screen.link(bob)).to_be_focused()


def test_escape_on_a_phone_leads_back_to_the_list(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", viewport=PHONE)
    expect(screen.field).to_be_focused()
    screen.page.keyboard.press("Escape")
    expect(screen.link(bob)).to_be_focused()
    expect(screen.field).to_be_hidden()


def test_alt_and_arrows_go_through_the_list(chat, alice, bob, arrive, sit_down):
    charlie = arrive(chat)
    charlie.send(alice, "second in the list")
    bob.send(alice, "first in the list")
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.field).to_be_focused()
    screen.page.keyboard.press("Alt+ArrowDown")
    expect(screen.heading).to_have_text(f"Chat with: {charlie.username}")
    expect(screen.field).to_be_focused()
    screen.page.keyboard.press("Alt+ArrowUp")
    expect(screen.heading).to_have_text(f"Chat with: {bob.username}")


def test_skip_links_lead_to_the_messages_and_the_field(alice, bob, sit_down):
    bob.send(alice, "hello")
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.field).to_be_focused()
    to_messages = screen.page.get_by_role("link", name="Skip to the messages")
    to_field = screen.page.get_by_role("link", name="Skip to the message field")
    for link, target in ((to_messages, screen.page.locator("#history, #history-scroll")), (to_field, screen.field)):
        tab_to(screen, link, backwards=True)
        expect(link).to_be_in_viewport()
        screen.page.keyboard.press("Enter")
        assert target.evaluate_all("all => all.includes(document.activeElement)")


def test_the_focus_is_always_seen(alice, bob, sit_down):
    bob.send(alice, "see https://example.org/")
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.field).to_be_focused()
    seen = set()
    for _press in range(MAX_TABS):
        screen.page.keyboard.press("Tab")
        focused = screen.page.evaluate_handle("document.activeElement").as_element()
        if focused.evaluate("element => element === document.body"):
            continue        # out of the page and in again
        assert focused.evaluate(HAS_RING), focused.evaluate("element => element.outerHTML")
        seen.add(focused.evaluate("element => element.id || element.className || element.tagName"))
    assert {"send", "history-scroll", "search-input", "theme-toggle"} <= seen


def test_the_focus_is_not_moved_by_what_comes_in(chat, alice, bob, arrive, sit_down):
    charlie = arrive(chat)
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.search.focus()
    bob.send(alice, "one")
    expect(screen.bubble("one")).to_be_visible()
    expect(screen.search).to_be_focused()
    charlie.send(alice, "now the first of the list")
    expect(screen.people.first).to_contain_text("now the first")
    screen.link(bob).focus()
    bob.send(alice, "two")
    expect(screen.card(bob)).to_contain_text("two")
    expect(screen.link(bob)).to_be_focused()


def test_the_focus_goes_to_the_heading_on_touch(alice, bob, sit_down):
    screen = sit_down(alice, viewport=PHONE, has_touch=True, is_mobile=True)
    screen.link(bob).tap()
    expect(screen.heading).to_be_focused()


def test_single_letters_do_nothing(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.history.focus()
    for letter in "abcdefghijklmnopqrstuvwxyz?/":
        screen.page.keyboard.press(letter)
    expect(screen.history).to_be_focused()
    expect(screen.heading).to_have_text(f"Chat with: {bob.username}")

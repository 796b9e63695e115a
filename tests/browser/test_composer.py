"""What helps while one writes: emoji by a picker and by their names, how much room is left, and one draft in all tabs."""
import contextlib
import re

import pytest
from playwright.sync_api import expect

from tests.browser.screen import NO_NETWORK, PHONE, WIDE
from tests.browser.test_accessibility import THEMES, expect_no_sideways_scrolling, expect_no_violation

pytestmark = pytest.mark.browser

LONGEST = 4000              # code points of a message
FAMILY = "👨\u200d👩\u200d👧\u200d👦"      # one character as people see it, seven code points
EMOJI_COME = "() => performance.getEntriesByType('resource').some(({ name }) => /emoji-\\w\\w\\.json/.test(name))"
FINGER = {"viewport": PHONE, "has_touch": True, "is_mobile": True}


@contextlib.contextmanager
def late_scripts(page):
    """Hold the scripts back: what is done with the page meanwhile is done before it is alive."""
    held = []
    page.route("**/static/*/js/app.js", lambda route: held.append(route))
    yield
    while not held:
        page.wait_for_event("request")
    held[0].continue_()
    page.unroute("**/static/*/js/app.js")


@pytest.fixture
def screen(alice, bob, sit_down):
    """Alice before her conversation with Bob; the network may go."""
    return sit_down(alice, f"/chat/{bob.username}", expects=NO_NETWORK)


def button(screen):
    return screen.page.get_by_role("button", name="Emoji", exact=True)


def picker(screen):
    return screen.page.get_by_role("dialog", name="Emoji", exact=True)


def search(screen):
    return picker(screen).get_by_role("searchbox", name="Search emoji")


def open_picker(screen):
    button(screen).click()
    expect(search(screen)).to_be_focused()


def caret(screen):
    return screen.field.evaluate("field => [field.selectionStart, field.selectionEnd]")


def put_caret(screen, start, end=None):
    screen.field.evaluate("(field, [start, end]) => { field.focus(); field.setSelectionRange(start, end); }", [start, start if end is None else end])


# --- the picker

def test_it_works(screen, alice, bob):
    """An emoji comes to the caret, can be taken back, and is sent."""
    screen.field.fill("to the  and back")
    put_caret(screen, 7)
    open_picker(screen)
    expect(button(screen)).to_have_attribute("aria-expanded", "true")
    search(screen).fill("rocket")
    search(screen).press("Enter")
    expect(picker(screen)).to_have_count(0)
    expect(button(screen)).to_have_attribute("aria-expanded", "false")
    expect(screen.field).to_have_value("to the 🚀 and back")
    expect(screen.field).to_be_focused()
    assert caret(screen) == [9, 9]
    screen.page.keyboard.press("Control+z")
    expect(screen.field).to_have_value("to the  and back")
    screen.page.keyboard.press("Control+Shift+z")
    expect(screen.field).to_have_value("to the 🚀 and back")
    screen.field.press("Enter")
    screen.expect_state("to the 🚀 and back", "sent")
    assert alice.history(bob)["messages"][-1]["message"] == "to the 🚀 and back"


def test_it_takes_the_place_of_what_is_selected_and_the_draft_has_it(screen):
    screen.field.fill("a smile here")
    put_caret(screen, 2, 7)
    open_picker(screen)
    search(screen).fill("grinning face")
    search(screen).press("Enter")
    expect(screen.field).to_have_value("a 😀 here")
    screen.page.reload()
    expect(screen.field).to_have_value("a 😀 here")


@pytest.mark.parametrize("way", ["shift", "button"])
def test_it_stays_open_on_request(screen, way):
    open_picker(screen)
    if way == "button":
        keep = picker(screen).get_by_role("button", name="Keep open")
        keep.click()
        expect(keep).to_have_attribute("aria-pressed", "true")
    search(screen).fill("rocket")
    for _n in range(2):
        search(screen).press("Shift+Enter" if way == "shift" else "Enter")
    expect(screen.field).to_have_value("🚀🚀")
    expect(search(screen)).to_be_focused()
    expect(screen.page.locator("#announcer")).to_have_text("Inserted: rocket")
    search(screen).press("Escape")
    expect(picker(screen)).to_have_count(0)
    expect(screen.field).to_be_focused()


def test_a_second_press_of_the_button_closes_it(screen):
    open_picker(screen)
    button(screen).click()
    expect(picker(screen)).to_have_count(0)
    open_picker(screen)
    screen.history.click(position={"x": 5, "y": 5})
    expect(picker(screen)).to_have_count(0)


def test_what_was_used_last_is_the_first(screen):
    for query, emoji in [("rocket", "🚀"), ("pizza", "🍕")]:
        open_picker(screen)
        search(screen).fill(query)
        search(screen).press("Enter")
        expect(screen.field).to_have_value(re.compile(f"{emoji}$"))
    open_picker(screen)
    expect(picker(screen).locator("h2").first).to_have_text("Used last")
    assert picker(screen).locator(".emoji").all_text_contents()[:2] == ["🍕", "🚀"]
    search(screen).press("ArrowDown")
    screen.page.keyboard.press("ArrowRight")
    screen.page.keyboard.press("Enter")
    expect(screen.field).to_have_value("🚀🍕🚀")


def test_a_finger_picks_without_the_keyboard_coming_up(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", **FINGER)
    button(screen).tap()
    picker(screen).get_by_role("button", name="Keep open").tap()
    for _n in range(2):
        picker(screen).get_by_role("button", name="grinning face", exact=True).tap()
    expect(screen.field).to_have_value("😀😀")
    expect(screen.field).not_to_be_focused()
    expect(screen.page.get_by_role("button", name="Send")).not_to_have_attribute("data-empty", "")
    picker(screen).get_by_role("button", name="Keep open").tap()
    picker(screen).get_by_role("button", name="grinning face", exact=True).tap()
    expect(picker(screen)).to_have_count(0)
    expect(screen.field).to_have_value("😀😀😀")
    expect(screen.field).not_to_be_focused()


def test_all_emoji_are_there_without_a_network(screen):
    """They come by themselves, after the first view."""
    screen.expect_loaded_later()
    screen.page.wait_for_function(EMOJI_COME)
    screen.page.context.set_offline(True)
    open_picker(screen)
    search(screen).fill("pizza")
    search(screen).press("Enter")
    expect(screen.field).to_have_value("🍕")


@THEMES
@pytest.mark.parametrize("options", [{"viewport": WIDE}, FINGER], ids=["wide", "phone"])
def test_it_is_accessible(alice, bob, sit_down, theme, options):
    screen = sit_down(alice, f"/chat/{bob.username}", color_scheme=theme, locale="fr-FR", **options)
    name = screen.page.get_by_role("button", name="Emojis", exact=True)
    name.click()
    dialog = screen.page.get_by_role("dialog", name="Emojis", exact=True)
    expect(dialog).to_be_visible()
    expect_no_violation(screen.page)
    assert screen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box, window = dialog.bounding_box(), screen.page.viewport_size
    assert box["x"] >= 0 and box["x"] + box["width"] <= window["width"] and box["y"] >= 0 and box["y"] + box["height"] <= window["height"]
    place = name.bounding_box()
    assert min(place["width"], place["height"]) >= 44


# --- `:name`

def listbox(screen, name="Emoji"):
    return screen.page.get_by_role("listbox", name=name, exact=True)


def options(screen):
    return listbox(screen).get_by_role("option")


def test_a_name_completes(screen):
    screen.field.press_sequentially("well :tad")
    expect(options(screen).first).to_contain_text("party popper")
    expect(screen.field).to_have_attribute("aria-controls", listbox(screen).get_attribute("id"))
    screen.field.press("Enter")
    expect(screen.field).to_have_value("well 🎉")
    expect(listbox(screen)).to_have_count(0)
    expect(screen.bubbles).to_have_count(0)
    screen.field.press("Control+z")
    expect(screen.field).to_have_value("well :tad")
    screen.field.press("Control+Shift+z")
    screen.field.press_sequentially("!")
    screen.field.press("Enter")
    screen.expect_state("well 🎉!", "sent")


def test_the_keys_of_a_name(screen):
    screen.field.press_sequentially(":smi")
    first = options(screen).first.inner_text()
    screen.field.press("ArrowDown")
    second = listbox(screen).get_by_role("option", selected=True)
    assert second.inner_text() != first
    emoji = second.locator("span").first.text_content()
    screen.field.press("Tab")
    expect(screen.field).to_have_value(emoji)
    expect(screen.field).to_be_focused()
    screen.field.press_sequentially(" :smi")
    expect(options(screen).first).to_contain_text(emoji)       # what was used last comes first
    screen.field.press("Escape")
    expect(listbox(screen)).to_have_count(0)
    screen.field.press_sequentially("l")
    expect(listbox(screen)).to_have_count(0)
    screen.field.press("Enter")
    screen.expect_state(f"{emoji} :smil", "sent")


def test_a_press_takes_an_emoji(screen):
    screen.field.press_sequentially(":heart")
    expect(options(screen).first).to_contain_text("red heart")
    options(screen).first.click()
    expect(screen.field).to_have_value("❤️")
    expect(screen.field).to_be_focused()


@pytest.mark.parametrize("text", ["at 10:30", "http://smile", "C::smile", "x:smile", "4:smile", ":s", ":D", ": smile", ":)", "`:smile", "``a`:smile",
                                  "```\n:smile", "~~~ py\na = x[\n:smile", ":nothingofthatname"])
def test_what_is_no_name_completes_nothing(screen, text):
    screen.field.press_sequentially(":smi")
    expect(options(screen).first).to_be_visible()
    screen.field.fill(text)
    expect(listbox(screen)).to_have_count(0)


@pytest.mark.parametrize("text", ["(:smile", "😀:smile", "`code` :smile", "```\ncode\n```\n:smile", "a\n:smile", ":SMILE", ":+1", ":raised_hand"])
def test_what_is_a_name(screen, text):
    screen.field.press_sequentially(text)
    expect(options(screen).first).to_be_visible()


@pytest.mark.parametrize("name, emoji", [(":fusee", "🚀"), (":FUSÉE", "🚀"), (":rocket", "🚀"), (":pizza", "🍕"), (":tada", "🎉")])
def test_names_are_known_in_the_language_of_the_page_and_in_english(alice, bob, sit_down, name, emoji):
    screen = sit_down(alice, f"/chat/{bob.username}", locale="fr-FR")
    screen.field.press_sequentially(name)
    expect(screen.page.get_by_role("listbox", name="Emojis").get_by_role("option").first).to_contain_text(emoji)
    screen.field.press("Tab")
    expect(screen.field).to_have_value(re.compile("^[^:]+$"))


def test_names_of_people_and_of_emoji_share_a_list(alice, bob, sit_down):
    room = alice.make_room("emoji", bob)
    screen = sit_down(alice, f"/rooms/{room}")
    screen.field.press_sequentially(f"@{bob.username[:6]}")
    expect(listbox(screen, "Members").get_by_role("option")).to_have_count(1)
    screen.field.press("Enter")
    screen.field.press_sequentially(":tada")
    expect(options(screen).first).to_contain_text("party popper")
    expect(listbox(screen, "Members")).to_have_count(0)
    screen.field.press("Enter")
    expect(screen.field).to_have_value(f"@{bob.username} 🎉")


def test_the_skin_tone_that_was_chosen(screen):
    open_picker(screen)
    picker(screen).get_by_role("radio", name="Dark", exact=True).check(force=True)
    search(screen).press("Escape")
    screen.field.press_sequentially(":thumbsup")
    expect(options(screen).first).to_contain_text("👍🏿")
    screen.field.press("Enter")
    expect(screen.field).to_have_value("👍🏿")


@THEMES
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_list_is_accessible(alice, bob, sit_down, theme, viewport):
    screen = sit_down(alice, f"/chat/{bob.username}", color_scheme=theme, viewport=viewport)
    screen.field.press_sequentially(":he")
    expect(options(screen).first).to_be_visible()
    expect_no_violation(screen.page)
    expect_no_sideways_scrolling(screen.page)


# --- how much room is left

@pytest.mark.parametrize("text, words", [
    ("x" * 3799, None), ("x" * 3800, "200 characters left"), ("é" * LONGEST, "0 characters left"), ("😀" * 3999, "1 character left"),
    ("x" * (LONGEST + 1), "1 character over the limit"),
    ("x" * 3900 + FAMILY, "93 characters left · some emoji and letters take several"),
    ("x" * 3998 + FAMILY, "1 character over the limit"), ("x" * 4000 + FAMILY * 2, "2 characters over the limit"),
    ("e\u0301" * 2001, "1 character over the limit"), ("e\u0301" * 2000, "0 characters left · some emoji and letters take several"),
])
def test_the_counter_says_what_people_see(screen, text, words):
    """What is over the limit is counted in what has to be deleted: where nothing is, the server takes the message."""
    counter = screen.page.locator("#counter")
    screen.field.fill(text)
    if words:
        expect(counter).to_have_text(words)
    expect(counter).to_be_visible(visible=words is not None)
    is_over = len(text) > LONGEST
    expect(screen.page.get_by_role("button", name="Send")).to_be_enabled(enabled=not is_over)
    expect(screen.field).to_have_attribute("aria-invalid", "true" if is_over else "false")


def test_what_has_to_be_deleted_is_what_was_said(screen, alice, bob):
    screen.field.fill("x" * 3998 + FAMILY)
    expect(screen.page.locator("#counter")).to_have_text("1 character over the limit")
    screen.field.evaluate("(field, length) => { field.setRangeText('', 3998, field.value.length); field.dispatchEvent(new InputEvent('input', {bubbles: true})); }", 1)
    expect(screen.page.locator("#counter")).to_have_text("2 characters left")
    screen.field.press("Enter")
    screen.expect_state("x" * 3998, "sent")


def test_a_screen_reader_is_told_now_and_then(screen):
    told = screen.page.locator("#announcer")
    screen.field.fill("x" * 3800)
    expect(told).to_have_text("200 characters left")
    screen.field.fill("x" * 3850)
    expect(screen.page.locator("#counter")).to_have_text("150 characters left")
    expect(told).to_have_text("200 characters left")
    screen.field.fill("x" * 3950)
    expect(told).to_have_text("50 characters left")
    screen.field.fill("x" * 4005)
    expect(told).to_have_text("5 characters over the limit")
    screen.field.fill("x" * 3999)
    expect(told).to_have_text("1 character left")


# --- written before the page is alive

@pytest.mark.parametrize("draft", ["", "an earlier draft"])
def test_what_was_written_before_the_page_was_alive_stays(screen, draft):
    """The scripts come late over a slow network. An earlier draft is offered, and does not take the place of what is being written."""
    screen.field.fill(draft)
    with late_scripts(screen.page):
        screen.page.reload(wait_until="commit")
        screen.field.fill("quickly")
    screen.expect_loaded_later()
    screen.page.wait_for_timeout(1_000)       # by then the tab has looked at the stored draft
    expect(screen.field).to_have_value("quickly")
    if draft:
        expect(offer(screen)).to_contain_text(draft)
    else:
        expect(offer(screen)).to_have_count(0)
    screen.page.reload()
    expect(screen.field).to_have_value("quickly")


def test_a_draft_that_is_changed_at_once_is_not_offered_as_another(screen):
    """What follows the other tabs comes with the first key: the draft is another one by then."""
    screen.field.fill("an earlier draft")
    held = []
    screen.page.route("**/js/conversation-more.js", lambda route: held.append(route))
    screen.page.reload()
    expect(screen.field).to_have_value("an earlier draft")
    screen.field.press("End")
    screen.field.press("Backspace")
    while not held:
        screen.page.wait_for_event("request")
    held[0].continue_()
    screen.expect_loaded_later()
    screen.page.wait_for_timeout(1_000)     # by then an offer would have come
    expect(screen.field).to_have_value("an earlier draf")
    expect(offer(screen)).to_have_count(0)


def test_what_was_searched_for_and_chosen_before_the_page_was_alive_counts(screen, alice, bob, charlie):
    with late_scripts(screen.page):
        screen.page.reload(wait_until="commit")
        screen.search.fill(bob.username)
        screen.page.locator("#attach-input").set_input_files({"name": "plan.txt", "mimeType": "text/plain", "buffer": b"a plan"})
    expect(screen.people).to_have_count(1)
    expect(screen.page.get_by_role("list", name="Attached files").get_by_text("plan.txt")).to_be_visible()


# --- one draft in two tabs

@pytest.fixture
def tabs(screen, bob):
    """Two tabs of Alice that know of each other."""
    second = screen.another_tab(f"/chat/{bob.username}")
    for tab in (screen, second):
        tab.expect_connected()
        tab.expect_loaded_later()
    return screen, second


def test_what_is_typed_in_one_tab_shows_in_the_other_with_its_caret(tabs):
    first, second = tabs
    first.field.press_sequentially("hello world")
    expect(second.field).to_have_value("hello world")
    put_caret(second, 5)
    first.field.press("End")
    first.field.press_sequentially(" and all")
    expect(second.field).to_have_value("hello world and all")
    assert caret(second) == [5, 5]
    put_caret(second, 11, 15)
    first.field.press("Home")
    first.field.press_sequentially("oh, ")
    expect(second.field).to_have_value("oh, hello world and all")
    assert caret(second) == [15, 19]


def test_sending_in_one_tab_empties_the_other(tabs, alice, bob):
    first, second = tabs
    first.field.press_sequentially("only once")
    expect(second.field).to_have_value("only once")
    second.field.press("Enter")
    second.expect_state("only once", "sent")
    expect(first.field).to_have_value("")
    expect(first.page.get_by_role("button", name="Send")).to_have_attribute("data-empty", "")
    assert [message["message"] for message in alice.history(bob)["messages"]] == ["only once"]


def write_at_once(first, second):
    """Both tabs write; the second one goes on while it hears of the other, and has the last word: its text, a row of dots, is returned."""
    second.page.evaluate("""() => {
      const field = document.querySelector('#message');
      window.keys = setInterval(() => {
        field.value += '.';
        field.dispatchEvent(new InputEvent('input', { bubbles: true }));
      }, 50);
    }""")
    second.page.wait_for_function("() => document.querySelector('#message').value.length > 5")
    first.page.evaluate("""() => {
      const field = document.querySelector('#message');
      field.value = 'from the first';
      field.dispatchEvent(new InputEvent('input', { bubbles: true }));
    }""")
    length = len(second.field.input_value())
    second.page.wait_for_function("length => document.querySelector('#message').value.length > length + 10", arg=length)
    second.page.evaluate("clearInterval(keys)")
    return second.field.input_value()


def offer(screen):
    return screen.page.get_by_role("group", name="Another draft")


def test_of_two_texts_at_once_the_last_wins_and_the_other_is_offered(tabs):
    first, second = tabs
    text = write_at_once(first, second)
    assert set(text) == {"."}
    for tab in tabs:
        expect(tab.field).to_have_value(text)
    expect(offer(first)).to_have_count(0)
    expect(offer(second)).to_contain_text("from the first")
    expect(second.page.locator("#announcer")).to_have_text("Another draft")
    offer(second).get_by_role("button", name="Use this text").click()
    for tab in tabs:
        expect(tab.field).to_have_value("from the first")
    expect(second.field).to_be_focused()
    expect(offer(second)).to_contain_text(text)     # nothing is lost by taking the other
    offer(second).get_by_role("button", name="Discard").click()
    expect(offer(second)).to_have_count(0)
    expect(second.field).to_be_focused()


def test_what_the_other_tab_has_made_of_a_text_is_not_offered_again(tabs):
    first, second = tabs
    first.field.press_sequentially("hello", delay=5)
    expect(second.field).to_have_value("hello")
    second.field.fill("bye")
    expect(first.field).to_have_value("bye")
    second.field.fill("")
    expect(first.field).to_have_value("")
    first.page.wait_for_timeout(1_000)      # by then an offer would have come
    for tab in tabs:
        expect(offer(tab)).to_have_count(0)


@THEMES
def test_the_offer_is_accessible_on_a_phone(alice, bob, sit_down, theme):
    first = sit_down(alice, f"/chat/{bob.username}", color_scheme=theme, viewport=PHONE, locale="fr-FR")
    second = first.another_tab(f"/chat/{bob.username}")
    for tab in (first, second):
        tab.expect_loaded_later()
    write_at_once(first, second)
    card = second.page.get_by_role("group", name="Un autre brouillon")
    expect(card).to_contain_text("from the first")
    expect_no_violation(second.page)
    expect_no_sideways_scrolling(second.page)

"""The field in which a message is written."""
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

LONGEST = 4000      # characters of a message


@pytest.fixture
def screen(alice, bob, sit_down):
    """Alice before her conversation with Bob."""
    return sit_down(alice, f"/chat/{bob.username}")


def test_it_works(screen):
    screen.field.fill("hello")
    screen.field.press("Enter")
    screen.expect_state("hello", "sent")
    expect(screen.field).to_have_value("")
    expect(screen.field).to_be_focused()


def test_the_button_sends_and_leaves_the_focus_in_the_field(screen):
    screen.field.fill("by the button")
    screen.page.get_by_role("button", name="Send").click()
    screen.expect_state("by the button", "sent")
    expect(screen.field).to_be_focused()


def test_shift_enter_breaks_the_line(screen):
    screen.field.fill("one")
    screen.field.press("Shift+Enter")
    screen.field.press_sequentially("two")
    expect(screen.field).to_have_value("one\ntwo")
    expect(screen.bubbles).to_have_count(0)
    screen.field.press("Enter")
    text = screen.bubbles.locator("[data-part=text]")
    expect(text).to_have_text("one\ntwo", use_inner_text=True)


@pytest.mark.parametrize("composing", ["{isComposing: true}", "{keyCode: 229}"])
def test_enter_while_composing_does_neither(screen, composing):
    screen.field.fill("にほん")
    is_left_alone = screen.field.evaluate(f"""field => field.dispatchEvent(new KeyboardEvent('keydown', {{
        key: 'Enter', bubbles: true, cancelable: true, ...{composing}}}))""")
    assert is_left_alone
    expect(screen.field).to_have_value("にほん")
    expect(screen.bubbles).to_have_count(0)


def test_enter_breaks_the_line_on_touch(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", has_touch=True, is_mobile=True)
    screen.field.fill("one")
    screen.field.press("Enter")
    screen.field.press_sequentially("two")
    expect(screen.field).to_have_value("one\ntwo")
    screen.page.get_by_role("button", name="Send").tap()
    expect(screen.bubbles).to_have_count(1)
    expect(screen.field).to_have_value("")


@pytest.mark.parametrize("keys", ["Control+Enter", "Meta+Enter"])
def test_a_tablet_with_a_keyboard_sends_with_control_enter(alice, bob, sit_down, keys):
    screen = sit_down(alice, f"/chat/{bob.username}", has_touch=True, is_mobile=True)
    screen.field.fill("from a tablet")
    screen.field.press(keys)
    screen.expect_state("from a tablet", "sent")
    expect(screen.field).to_have_value("")


def test_an_indent_is_kept_and_blank_lines_around_are_not(screen, alice, bob):
    screen.send("\n \n    if x:\n        y\n\n")
    text = screen.bubbles.locator("[data-part=text]")
    expect(text).to_have_text("    if x:\n        y", use_inner_text=True)
    expect(screen.bubbles).to_have_attribute("data-state", "sent")
    assert text.text_content() == "    if x:\n        y" == alice.history(bob)["messages"][0]["message"]
    assert screen.card(bob).locator("[data-part=preview]").text_content() == "You:     if x:\n        y"


def test_the_field_grows_with_the_text_up_to_a_cap(screen):
    def height():
        return screen.field.bounding_box()["height"]
    one_line = height()
    screen.field.fill("a\nb\nc")
    three_lines = height()
    assert three_lines > one_line * 1.5
    screen.field.fill("\n".join("line" for _n in range(60)))
    cap = height()
    assert three_lines < cap < 250
    assert screen.field.evaluate("field => field.scrollHeight > field.clientHeight"), "the rest is scrolled to"
    screen.field.fill("")
    assert height() == one_line


@pytest.mark.parametrize("blank", ["", "   ", "\n \n", "\u3164", "\u2800 \uFE0F"])
def test_only_spaces_are_not_sent(screen, alice, bob, blank):
    screen.field.fill(blank)
    screen.field.press("Enter")
    screen.page.get_by_role("button", name="Send").click()
    screen.send("after it")
    screen.expect_state("after it", "sent")
    assert [message["message"] for message in alice.history(bob)["messages"]] == ["after it"]


def test_a_double_click_sends_once(screen, alice, bob):
    screen.field.fill("once")
    screen.page.get_by_role("button", name="Send").dblclick()
    screen.expect_state("once", "sent")
    screen.send("after it")
    screen.expect_state("after it", "sent")
    assert [message["message"] for message in alice.history(bob)["messages"]] == ["once", "after it"]


def test_the_draft_of_each_conversation_survives_a_reload(chat, screen, alice, bob, arrive):
    charlie = arrive(chat)
    screen.field.fill("for bob")
    screen.page.goto(f"/chat/{charlie.username}")
    expect(screen.field).to_have_value("")
    screen.field.fill("for charlie")
    screen.page.goto(f"/chat/{bob.username}")
    expect(screen.field).to_have_value("for bob")
    screen.page.reload()
    expect(screen.field).to_have_value("for bob")
    screen.field.press("Enter")
    screen.expect_state("for bob", "sent")
    screen.page.reload()
    expect(screen.bubbles).to_have_count(1)
    expect(screen.field).to_have_value("")
    screen.page.goto(f"/chat/{charlie.username}")
    expect(screen.field).to_have_value("for charlie")


def test_a_draft_that_was_sent_is_sent_in_no_other_tab(screen, alice, bob):
    screen.send("before")
    screen.expect_state("before", "sent")
    screen.field.fill("only once")
    second = screen.another_tab(f"/chat/{bob.username}")
    expect(second.field).to_have_value("only once")
    screen.field.press_sequentially("!")
    expect(second.field).to_have_value("only once!")
    screen.field.press("Enter")
    screen.expect_state("only once!", "sent")
    expect(second.field).to_have_value("")
    second.field.press("Enter")
    second.send("after it")
    second.expect_state("after it", "sent")
    assert [message["message"] for message in alice.history(bob)["messages"]] == ["before", "only once!", "after it"]


def test_what_another_tab_has_made_of_a_draft_is_kept(screen, bob):
    screen.field.fill("half")
    second = screen.another_tab(f"/chat/{bob.username}")
    expect(second.field).to_have_value("half")
    # The first tab hears of it too late: it is about to send.
    screen.page.evaluate("addEventListener('storage', (event) => event.stopImmediatePropagation(), true)")
    screen.page.evaluate("document.querySelector('#message').value = 'half'")
    second.field.press_sequentially(" and more")
    screen.page.evaluate("""() => {
        const field = document.querySelector('#message');
        field.value = 'half';
        field.form.requestSubmit();
    }""")
    screen.expect_state("half", "sent")
    expect(second.field).to_have_value("half and more")
    second.page.reload()
    expect(second.field).to_have_value("half and more")


def test_a_draft_is_kept_when_the_list_leads_to_somebody_else(screen, chat, bob, arrive):
    charlie = arrive(chat)
    screen.page.reload()        # Charlie came after the page
    screen.field.fill("half a")
    screen.card(charlie).locator("a").click()
    expect(screen.heading).to_have_text(f"Chat with: {charlie.username}")
    expect(screen.field).to_have_value("")
    screen.card(bob).locator("a").click()
    expect(screen.field).to_have_value("half a")


def test_a_counter_appears_near_the_limit(screen):
    counter = screen.page.locator("#counter")
    screen.field.fill("x" * 3000)
    expect(counter).to_be_hidden()
    screen.field.fill("x" * (LONGEST - 10))
    expect(counter).to_have_text("10 characters left")
    screen.field.fill("x" * (LONGEST + 1))
    expect(counter).to_have_text("1 character over the limit")
    expect(counter).to_have_attribute("data-over", "")
    screen.field.press("Enter")
    expect(screen.field).not_to_have_value("")
    expect(screen.bubbles).to_have_count(0)


def test_the_limit_is_announced_once_and_not_with_every_key(screen):
    announcer = screen.page.locator("#announcer")
    screen.field.fill("x" * LONGEST)
    expect(announcer).to_have_text("0 characters left")
    expect(screen.page.locator("#counter")).not_to_have_attribute("aria-live", "polite")
    screen.field.press("x")
    expect(announcer).to_have_text("1 character over the limit")
    screen.field.press("x")
    expect(screen.page.locator("#counter")).to_have_text("2 characters over the limit")
    expect(announcer).to_have_text("1 character over the limit")


def test_characters_are_counted_as_the_server_counts_them(screen):
    screen.field.fill("😀" * LONGEST)
    expect(screen.page.locator("#counter")).to_have_text("0 characters left")
    screen.field.press("Enter")
    expect(screen.bubbles).to_have_attribute("data-state", "sent")

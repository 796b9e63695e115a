"""What has changed meanwhile: under one's hands, while no page was open, far back, and on pages that are no conversation."""
import pytest
from playwright.sync_api import expect

from tests.browser.past import hold, numbered
from tests.browser.screen import PATIENCE_MS
from tests.browser.test_changing import STORED, conflict, menu, screen  # noqa: F401
from tests.uploads import picture, send_files, uploaded
from tests.waiting import wait_for

pytestmark = pytest.mark.browser


def test_an_edit_of_a_text_that_was_deleted_while_no_page_was_open_is_gone(screen, alice, bob, talk):
    conflict(screen, alice, talk)
    screen.page.goto("about:blank")
    alice.tab().change(talk[2], delete=True)
    screen.page.goto(f"/chat/{bob.username}")
    expect(screen.page.locator("#connection")).to_contain_text("Your edit was not saved.")
    expect(screen.page.locator("#conflicts > *")).to_have_count(0)
    assert "my words" not in screen.page.evaluate(STORED)


def test_what_is_typed_over_a_text_that_is_deleted_meanwhile_is_not_lost(screen, alice, talk):
    """It is the draft from then on. What was not touched is the text that was deleted: that is gone."""
    screen.field.fill("a draft")
    menu(screen, "from alice", "Edit")
    expect(screen.field).to_have_value("from alice")
    screen.field.fill("much longer words")
    alice.tab().change(talk[2], delete=True)
    expect(screen.page.locator("#connection")).to_contain_text("What you wrote is in the field.")
    expect(screen.field).to_have_value("a draft\nmuch longer words")
    expect(screen.page.locator(".composer-card")).to_have_count(0)
    screen.page.reload()
    expect(screen.field).to_have_value("a draft\nmuch longer words")


def test_an_untouched_text_that_is_deleted_while_it_is_edited_is_gone_in_words(screen, alice, talk):
    menu(screen, "from alice", "Edit")
    alice.tab().change(talk[2], delete=True)
    expect(screen.page.locator("#connection")).to_have_text("The message was deleted meanwhile.")
    expect(screen.field).to_have_value("")


COPY = """
window.copied = [];
Object.defineProperty(navigator, 'clipboard', { value: undefined }); // as over plain http
addEventListener('copy', () => copied.push(document.activeElement.value));
"""


def test_a_text_and_a_block_of_code_are_copied_over_plain_http(alice, bob, talk, sit_down):
    bob.send(alice, "```\nlet x = 1;\n```")
    screen = sit_down(alice, path=None)
    screen.page.context.add_init_script(COPY)
    screen.page.goto(f"/chat/{bob.username}")
    screen.expect_connected()
    menu(screen, "from bob", "Copy text")
    expect(screen.page.locator("#announcer")).to_have_text("Copied")
    screen.page.mouse.move(0, 0)
    screen.page.locator("[data-action=copy-code]").click()
    screen.page.wait_for_function("() => JSON.stringify(copied) === JSON.stringify(['from bob', 'let x = 1;'])")
    expect(screen.page.locator("textarea")).to_have_count(1)


def test_arrow_up_takes_the_newest_message_back_and_not_an_old_one(arrive, start_server, sit_down):
    server = start_server()
    alice, bob = arrive(server), arrive(server)
    hold(server, alice, bob, numbered(alice, bob, 400))
    screen = sit_down(alice, f"/chat/{bob.username}?at=20")
    screen.expect_connected()
    expect(screen.bubble("message 19")).to_be_visible()
    screen.field.press("ArrowUp")
    expect(screen.bubble("message 400")).to_be_in_viewport()
    expect(screen.page.locator(".composer-card")).to_have_count(0)
    screen.field.press("ArrowUp")
    expect(screen.field).to_have_value("message 400")


def test_in_an_archived_room_no_reaction_is_offered(alice, bob, sit_down):
    room = alice.make_room("maths", bob)
    his = bob.tab()
    message = his.send_to_room(room, "hello")["message"]
    his.change(message, react="👍", on=True)
    screen = sit_down(alice, f"/rooms/{room}")
    screen.expect_connected()
    adding = screen.bubble("hello").locator(".chip-add")
    expect(adding).to_be_visible()
    alice.ask(f"/rooms/{room}/settings", archived=True)
    expect(screen.page.locator("#archived")).to_be_visible()
    expect(adding).to_be_hidden()
    screen.bubble("hello").locator(".chip[data-emoji]").click()
    expect(screen.page.locator("#connection")).to_have_text("This room is archived. Nothing more can be written in it.")
    expect(screen.bubble("hello").locator(".chip[data-emoji]")).to_have_text("👍 1")


# --- pages that are no conversation

def test_the_page_of_what_is_pinned_follows_what_changes(alice, bob, talk, sit_down):
    at_bob, theirs, mine = talk
    at_bob.change(theirs, pin=True)
    page = f"/conversations/{theirs['conversationId']}/pins"
    screen = sit_down(alice, page)
    screen.page.wait_for_function("() => performance.getEntriesByType('resource').some(({ name }) => name.includes('socket.io'))")
    pins = screen.page.locator("#pins .pin")
    expect(pins).to_contain_text(["from bob"])
    alice.tab().change(mine, pin=True)
    expect(pins).to_contain_text(["from alice", "from bob"])
    at_bob.change(theirs, delete=True)
    expect(pins).to_have_count(1)
    assert "from bob" not in screen.page.locator("#main").inner_html()
    pins.click()
    expect(screen.bubble("from alice")).to_be_in_viewport()
    assert f"/chat/{bob.username}?at={mine['seq']}" in screen.page.url


def test_the_page_of_a_message_follows_what_becomes_of_it(alice, bob, talk, sit_down):
    at_bob, theirs, mine = talk
    screen = sit_down(alice, f"/conversations/{mine['conversationId']}/messages/{mine['seq']}")
    main, field = screen.page.locator("#main"), screen.page.locator("#edit")
    screen.page.wait_for_function("() => document.querySelector('[data-step=stored] dd time')")
    screen.expect_connected()
    elsewhere = alice.tab()
    elsewhere.change(mine, edit=f"a **second** text {'and more ' * 100}to the end")
    expect(main.locator("blockquote")).to_contain_text(f"a second text {'and more ' * 100}to the end")
    expect(main.locator("[data-step=edited]")).to_be_visible()
    field.fill("half a third one")
    main.get_by_role("link", name="Reply").focus()
    elsewhere.change(mine, delete=True)
    expect(main.locator("blockquote")).to_contain_text("This message was deleted.")
    expect(main.locator("[data-step=deleted]")).to_be_visible()
    expect(field).to_have_value("half a third one")
    expect(field).to_be_focused()
    expect(main.get_by_role("button")).to_have_count(0)
    html = main.evaluate("element => element.outerHTML")
    assert "from alice" not in html and "second" not in html
    screen.page.goto(f"/conversations/{mine['conversationId']}/messages/{theirs['seq']}")
    screen.expect_connected()
    main.get_by_role("link", name="Reply").focus()
    at_bob.change(theirs, delete=True)
    expect(main.get_by_role("heading", level=1)).to_be_focused()


def test_a_text_that_was_refused_outlives_its_message(alice, talk, sit_down):
    _at_bob, _theirs, mine = talk
    screen = sit_down(alice, f"/conversations/{mine['conversationId']}/messages/{mine['seq']}", expects="409")
    elsewhere, field = alice.tab(), screen.page.locator("#edit")
    elsewhere.change(mine, edit="their words")
    field.fill("my words")
    screen.page.get_by_role("button", name="Save").click()
    expect(screen.page.get_by_role("button", name="Save my text")).to_be_visible()
    screen.page.wait_for_function("() => document.querySelector('[data-step=stored] dd time')")
    screen.expect_connected()
    field.focus()
    elsewhere.change(mine, delete=True)
    expect(screen.page.locator("blockquote")).to_contain_text("This message was deleted.")
    expect(field).to_have_value("my words")
    expect(field).to_be_focused()


def test_the_pins_of_a_conversation_that_has_begun_on_this_page(alice, bob, sit_down):
    """A photo without words is called what it is."""
    screen = sit_down(alice, f"/chat/{bob.username}?info")
    screen.expect_connected()
    message = send_files(bob, alice, uploaded(bob, picture(size=(60, 40)), "sunset.png"))
    expect(screen.bubbles).to_have_count(1)
    bob.tab().change(message, pin=True)
    expect(screen.page.locator("#pins .pin [data-part=pin-text]")).to_have_text("Photo")


def test_the_words_under_a_photo_are_taken_away(alice, bob, sit_down):
    send_files(alice, bob, uploaded(alice, picture(size=(60, 40)), "sunset.png"), text="evening")
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.expect_connected()
    menu(screen, "evening", "Edit")
    expect(screen.field).to_have_value("evening")
    screen.field.fill("")
    screen.field.press("Enter")
    expect(screen.page.locator(".composer-card")).to_have_count(0)
    expect(screen.page.get_by_text("evening")).to_have_count(0)
    assert wait_for(lambda: alice.history(bob)["messages"][0]["message"] == "", PATIENCE_MS / 1000)
    assert len(alice.history(bob)["messages"][0]["files"]) == 1
    form = alice.get(f"/messages/{bob.username}/1").text
    assert "required" not in form.partition('name="edit"')[2].partition("</form>")[0]

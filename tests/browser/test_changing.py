"""What is done to messages goes through the outbox: it shows at once, survives a reload, arrives once, and undoes nothing of others."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.past import hold, numbered
from tests.browser.screen import NO_NETWORK, PATIENCE_MS, PHONE, WIDE
from tests.browser.test_accessibility import THEMES, expect_no_sideways_scrolling, expect_no_violation
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

CUT = rf"{NO_NETWORK}|ERR_FAILED|Failed to load|WebSocket"

# All that the browser keeps of a person, as one text.
STORED = """async () => {
  const texts = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })];
  for (const { name } of await indexedDB.databases()) {
    const opening = indexedDB.open(name);
    await new Promise((resolve) => { opening.onsuccess = resolve; });
    for (const store of opening.result.objectStoreNames) {
      const reading = opening.result.transaction(store).objectStore(store).getAll();
      await new Promise((resolve) => { reading.onsuccess = resolve; });
      texts.push(JSON.stringify(reading.result));
    }
    opening.result.close();
  }
  return texts.join();
}"""


@pytest.fixture
def screen(alice, bob, talk, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", expects=CUT)
    screen.expect_connected()
    be_prepared(screen)
    return screen


def be_prepared(screen):
    """Wait until the page has all scripts that it needs without a network."""
    screen.bubbles.last.hover()
    for name in ("message-changes", "message-actions"):
        screen.page.wait_for_function("name => performance.getEntriesByType('resource').some((entry) => entry.name.includes(name))", arg=name)


def edit_last(screen, text):
    screen.field.press("ArrowUp")
    expect(screen.page.locator(".composer-card")).to_be_visible()
    screen.field.fill(text)
    screen.field.press("Enter")


def menu(screen, text, item):
    """Choose in the toolbar of a message, or in its menu."""
    screen.bubble(text).locator("article").hover()
    if item in ("Reply", "Edit"):
        screen.bubble(text).get_by_role("button", name=item, exact=True).click()
    else:
        screen.bubble(text).get_by_role("button", name="More").click()
        screen.page.get_by_role("menuitem", name=item).click()


def react(screen, text, emoji):
    """Press the chip that is there, and leave it: the names that it shows would lie over what is pressed next."""
    screen.bubble(text).locator(f'.chip[data-emoji="{emoji}"]').click()
    screen.page.mouse.move(0, 0)


def go_offline(screen):
    screen.page.context.set_offline(True)
    expect(screen.page.locator("#connection")).to_contain_text("You are offline.")


def now(person, message):
    """A message as the server has it."""
    page = person.json(f"/conversations/{message['conversationId']}/messages?after={message['seq'] - 1}&limit=1")
    return page["messages"][0]


def test_it_works(screen, bob, talk):
    """Arrow up takes the last message back, and what it becomes is shown at once, to both."""
    at_bob, _theirs, mine = talk
    edit_last(screen, "from alice, mended")
    expect(screen.bubble("from alice, mended").locator("[data-part=edited]")).to_be_visible()
    expect(screen.field).to_have_value("")
    expect(screen.page.locator(".composer-card")).to_have_count(0)
    told = at_bob.wait_for("messageChanged")
    assert told["message"]["message"] == "from alice, mended" == now(bob, mine)["message"]
    expect(screen.card(bob)).to_contain_text("You: from alice, mended")


def test_escape_gives_the_draft_back(screen, talk):
    screen.field.fill("a draft")
    menu(screen, "from alice", "Edit")
    expect(screen.field).to_have_value("from alice")
    screen.field.fill("never mind")
    screen.field.press("Escape")
    expect(screen.field).to_have_value("a draft")
    expect(screen.heading).to_be_visible()
    assert "never mind" not in screen.page.evaluate(STORED)


def test_a_day_without_a_network(screen, alice, bob, talk):
    """Written, edited, answered, reacted, deleted, tried in vain, reloaded; then all of it is at the server, once and in order."""
    at_bob, theirs, _mine = talk
    at_bob.change(theirs, react="👍", on=True)
    react(screen, "from bob", "👍")
    expect(screen.bubble("from bob").locator(".chip[aria-pressed=true]")).to_have_text(re.compile("2"))
    go_offline(screen)
    react(screen, "from bob", "👍")
    expect(screen.bubble("from bob").locator(".chip[data-emoji]")).to_have_text(re.compile("1"))
    menu(screen, "from bob", "Reply")
    screen.send("an answer")
    expect(screen.bubble("an answer").locator("[data-part=quote]")).to_contain_text("from bob")
    screen.send("a secret that is never sent")
    edit_last(screen, "never sent either")
    screen.send("helo")
    edit_last(screen, "hello")
    expect(screen.bubble("hello")).to_have_attribute("data-state", "pending")
    expect(screen.bubble("helo")).to_have_count(0)
    menu(screen, "from alice", "Delete for everyone")
    screen.page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(screen.bubble("from alice")).to_have_count(0)
    screen.page.context.set_offline(False)
    for text in ("an answer", "never sent either", "hello"):
        screen.expect_state(text, re.compile("sent|read"))
    expect(screen.bubbles.nth(1)).to_have_attribute("data-deleted", "")

    def changed():
        """The history when the server has the last change too: the page shows a change before it is sent."""
        messages = alice.history(bob)["messages"]
        return messages if messages[1]["deleted"] else None
    history = wait_for(changed, PATIENCE_MS / 1000)
    assert [(m["message"], m["deleted"], m["editedAt"] is not None) for m in history] == [
        ("from bob", False, False), ("", True, False), ("an answer", False, False), ("never sent either", False, False), ("hello", False, False)]
    assert history[2]["replyTo"]["seq"] == 1 and history[0]["reactions"] == [{"emoji": "👍", "userIds": [bob.id]}]
    screen.page.reload()
    expect(screen.bubbles).to_have_count(5)


def test_what_waits_survives_a_reload(screen, alice, bob, talk):
    """The page comes, but no connection: what was done is shown over what the server has."""
    at_bob, _theirs, mine = talk
    go_offline(screen)
    edit_last(screen, "mended offline")
    expect(screen.bubble("mended offline")).to_be_visible()
    screen.page.route("**/socket.io/**", lambda route: route.abort())
    screen.page.context.set_offline(False)
    screen.page.reload()
    expect(screen.bubble("mended offline")).to_be_visible()
    assert now(bob, mine)["message"] == "from alice"
    screen.page.unroute("**/socket.io/**")
    screen.expect_connected()
    expect(screen.bubble("mended offline").locator("[data-part=edited]")).to_be_visible()
    told = at_bob.wait_for("messageChanged")
    assert told["message"]["message"] == "mended offline" and told["change"] == 1


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_a_text_that_was_edited_elsewhere_meanwhile_is_offered_beside_ones_own(screen, alice, bob, talk, choice):
    _at_bob, _theirs, mine = talk
    go_offline(screen)
    edit_last(screen, "my words")
    elsewhere = alice.tab()
    elsewhere.change(mine, edit="other words")
    screen.page.context.set_offline(False)
    card = screen.page.locator("#conflicts > *")
    expect(card).to_contain_text("my words")
    expect(card).to_contain_text("other words")
    expect(screen.bubble("other words")).to_be_visible()
    card.locator(f"[data-action={'keep-mine' if choice == 'mine' else 'take-theirs'}]").click()
    expect(card).to_have_count(0)
    expect(screen.bubble("my words" if choice == "mine" else "other words")).to_be_visible()
    wanted = "my words" if choice == "mine" else "other words"
    screen.page.wait_for_function("text => document.querySelector('#history > li.mine [data-part=text]').textContent === text", arg=wanted)
    screen.page.reload()
    expect(screen.bubble(wanted)).to_be_visible()
    expect(card).to_have_count(0)


def conflict(screen, alice, talk):
    """Edit one message in two places; the card with both texts, in the screen that was offline."""
    _at_bob, _theirs, mine = talk
    go_offline(screen)
    edit_last(screen, "my words")
    elsewhere = alice.tab()
    elsewhere.change(mine, edit="other words")
    screen.page.context.set_offline(False)
    card = screen.page.get_by_role("group").filter(has_text="edited elsewhere")
    expect(card).to_contain_text("other words")
    return card


def test_the_two_texts_are_chosen_from_with_the_keyboard(screen, alice, talk):
    """Tab leads from the messages to the choice, before the field; Enter chooses, and the focus is not lost."""
    card = conflict(screen, alice, talk)
    screen.field.focus()
    screen.page.keyboard.press("Shift+Tab")
    while not card.get_by_role("button", name="Keep the other text").evaluate("button => button === document.activeElement"):
        screen.page.keyboard.press("Shift+Tab")
    screen.page.keyboard.press("Shift+Tab")
    expect(card.get_by_role("button", name="Save my text")).to_be_focused()
    screen.page.keyboard.press("Enter")
    expect(card).to_have_count(0)
    expect(screen.bubble("my words")).to_be_visible()
    expect(screen.field).to_be_focused()


@THEMES
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_two_texts_are_accessible(alice, bob, talk, sit_down, theme, viewport):
    screen = sit_down(alice, f"/chat/{bob.username}", color_scheme=theme, viewport=viewport, expects=CUT)
    screen.expect_connected()
    be_prepared(screen)
    card = conflict(screen, alice, talk)
    expect(card.get_by_role("heading")).to_have_text("This message was edited elsewhere meanwhile.")
    expect_no_violation(screen.page)
    expect_no_sideways_scrolling(screen.page)
    for name in ("Save my text", "Keep the other text"):
        assert card.get_by_role("button", name=name).bounding_box()["height"] >= 40


def test_two_tabs_that_change_at_once_share_what_waits(screen, alice, bob, talk):
    """Both tabs are offline and do something to messages: each shows what the other has done, and all of it is sent once."""
    at_bob, theirs, mine = talk
    at_bob.change(theirs, react="👍", on=True)
    expect(screen.bubble("from bob").locator(".chip[data-emoji]")).to_be_visible()
    second = screen.another_tab(f"/chat/{bob.username}")
    second.expect_connected()
    be_prepared(second)
    go_offline(screen)
    react(screen, "from bob", "👍")
    edit_last(second, "edited in the second")
    for tab in (screen, second):
        expect(tab.bubble("from bob").locator(".chip[data-emoji]")).to_have_attribute("aria-pressed", "true")
        expect(tab.bubble("edited in the second")).to_be_visible()
    menu(second, "from bob", "Pin")
    expect(screen.bubble("from bob")).to_have_attribute("data-pinned", "")
    before = alice.history(bob)["lastChange"]
    screen.page.context.set_offline(False)
    told = [at_bob.wait_for("messageChanged", lambda payload, wanted=wanted: payload["change"] == wanted) for wanted in range(before + 1, before + 4)]
    assert {change["message"]["seq"] for change in told} == {theirs["seq"], mine["seq"]}
    assert now(bob, mine)["message"] == "edited in the second"
    after = now(bob, theirs)
    assert after["pinned"] and after["reactions"] == [{"emoji": "👍", "userIds": [bob.id, alice.id]}]
    assert alice.history(bob)["lastChange"] == before + 3
    second.page.close()
    screen.page.reload()
    expect(screen.bubble("edited in the second")).to_be_visible()


def test_a_reaction_to_what_was_deleted_is_dropped_in_words(screen, alice, bob, talk):
    at_bob, theirs, _mine = talk
    at_bob.change(theirs, react="👍", on=True)
    expect(screen.bubble("from bob").locator(".chip[data-emoji]")).to_be_visible()
    go_offline(screen)
    react(screen, "from bob", "👍")
    at_bob.change(theirs, delete=True)
    screen.page.context.set_offline(False)
    expect(screen.page.locator("#connection")).to_contain_text("deleted meanwhile")
    expect(screen.bubbles.first).to_have_attribute("data-deleted", "")
    expect(screen.bubbles.first.locator(".chip[data-emoji]")).to_have_count(0)


def test_a_gap_of_changes_is_fetched_whatever_its_length(arrive, start_server, sit_down):
    server = start_server()
    alice, bob = arrive(server), arrive(server)
    hold(server, alice, bob, numbered(alice, bob, 60))
    screen = sit_down(alice, f"/chat/{bob.username}", expects=CUT)
    screen.expect_connected()
    shown = screen.bubbles.first.get_attribute("data-seq")
    at_bob = bob.tab()
    history = bob.history(alice, "?limit=200")["messages"]
    go_offline(screen)
    for message in history:
        at_bob.change(message, react="🎉", on=True)
        if message["senderId"] == bob.id:
            at_bob.change(message, edit=f"changed {message['seq']}")
    screen.page.context.set_offline(False)
    expect(screen.bubbles.last.locator(".chip[data-emoji]")).to_be_visible()
    chips = screen.page.locator("#history .chip[data-emoji='🎉']")
    expect(chips).to_have_count(screen.bubbles.count())
    assert int(shown) > 1
    for message in bob.history(alice, "?limit=200")["messages"]:
        if message["seq"] >= int(shown):
            expect(screen.page.locator(f"li[data-seq='{message['seq']}'] [data-part=text]")).to_have_text(message["message"])


def test_a_quote_and_a_preview_follow_what_they_show(screen, alice, bob, talk):
    at_bob, theirs, mine = talk
    at_bob.call("sendMessage", {"clientId": "reply-of-bob", "receiverId": alice.id, "message": "an answer", "replyTo": mine["seq"]})
    quote = screen.bubble("an answer").locator("[data-part=quote]")
    expect(quote).to_contain_text("from alice")
    edit_last(screen, "other words")
    expect(quote).to_contain_text("other words")
    elsewhere = alice.tab()
    elsewhere.change(mine, delete=True)
    expect(quote).to_contain_text("deleted")
    expect(quote).not_to_contain_text("other words")
    answer = bob.history(alice)["messages"][-1]
    at_bob.change(answer, edit="another answer")
    expect(screen.card(bob)).to_contain_text("another answer")
    at_bob.change(answer, delete=True)
    expect(screen.card(bob)).to_contain_text("This message was deleted.")


def test_nothing_of_a_deleted_text_is_left_in_the_browser(screen, alice, bob, talk):
    at_bob, _theirs, mine = talk
    edit_last(screen, "a second secret")
    expect(screen.bubble("a second secret")).to_be_visible()
    menu(screen, "a second secret", "Reply")
    screen.field.fill("half an answer")
    at_bob.wait_for("messageChanged")
    alice.tab().change(mine, delete=True)
    expect(screen.page.locator(".composer-card")).to_contain_text("deleted")
    stored = screen.page.evaluate(STORED)
    assert "from alice" not in stored and "secret" not in stored
    assert "secret" not in screen.page.content()


def test_marked_as_unread_it_is_so_until_it_is_opened(screen, alice, bob, talk):
    menu(screen, "from bob", "Mark as unread")
    expect(screen.heading).to_have_count(0)
    expect(screen.card(bob)).to_have_attribute("data-unread", "1")
    screen.link(bob).click()
    expect(screen.card(bob)).to_have_attribute("data-unread", "0")

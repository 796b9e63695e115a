"""The state of a message: pending, sent, read, failed; and what becomes of it without a network."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.screen import NO_NETWORK
from tests.people import PASSWORD

pytestmark = pytest.mark.browser

PENDING_FRAMES = 3     # of the display, until a message stands there: 50 ms

# A window in the background, to the page: another one is in front.
IN_BACKGROUND = """
Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' });
document.hasFocus = () => false;
"""
TO_FRONT = """
delete document.visibilityState;
document.hasFocus = () => true;
document.dispatchEvent(new Event('visibilitychange'));
dispatchEvent(new Event('focus'));
"""

# Whether this browser keeps so many messages of a person, whatever becomes of the tab: a bubble is there before that.
KEEPS = """async ([ownerId, messages]) => {
  const opening = indexedDB.open(`outbox:${ownerId}`);
  await new Promise((resolve) => { opening.onsuccess = resolve; });
  const counting = opening.result.transaction('entries').objectStore('entries').count();
  await new Promise((resolve) => { counting.onsuccess = resolve; });
  opening.result.close();
  return counting.result === messages;
}"""


@pytest.fixture
def screen(alice, bob, sit_down):
    """Alice before her conversation with Bob; the network may go."""
    return sit_down(alice, f"/chat/{bob.username}", expects=NO_NETWORK)


def expect_live(screen, word="first"):
    """Wait until the page is connected: until something it sent has arrived."""
    screen.send(word)
    screen.expect_state(word, re.compile("sent|read"))


def said(alice, bob):
    return [message["message"] for message in alice.history(bob)["messages"]]


def test_it_works(screen):
    screen.send("hello")
    screen.expect_state("hello", "sent")
    expect(screen.bubble("hello").locator("[data-part=state-word]")).to_have_text("Sent")


def test_pending_within_three_frames(screen):
    expect_live(screen)
    screen.field.fill("at once")
    frames = screen.page.evaluate("""async () => {
      const list = document.querySelector('#history');
      const count = list.querySelectorAll('li.message').length;
      let frames = 0;
      document.querySelector('#composer').requestSubmit();
      for (; list.querySelectorAll('li.message').length === count; frames++) await new Promise(requestAnimationFrame);
      return frames;
    }""")
    assert frames < PENDING_FRAMES


def test_pending_until_the_acknowledgement(screen):
    expect_live(screen)
    screen.page.context.set_offline(True)
    screen.send("waits")
    screen.expect_state("waits", "pending")
    screen.page.context.set_offline(False)
    screen.expect_state("waits", "sent")


def test_read_when_the_other_person_looks_at_it_and_not_before(screen, alice, bob, sit_down):
    at_bob = sit_down(bob, "/login")
    at_bob.page.context.add_init_script(IN_BACKGROUND)
    at_bob.page.goto(f"/chat/{alice.username}")
    screen.send("do you see it?")
    expect(at_bob.bubble("do you see it?")).to_be_visible()
    expect(at_bob.card(alice)).to_have_attribute("data-unread", "1")
    at_bob.send("answered without a look")      # whatever Bob's page had to say before this has been heard after it
    expect(screen.bubble("answered without a look")).to_be_visible()
    screen.expect_state("do you see it?", "sent")
    at_bob.page.evaluate(TO_FRONT)
    screen.expect_state("do you see it?", "read")
    expect(screen.bubble("do you see it?").locator("[data-part=state-word]")).to_have_text("Read")
    screen.page.reload()
    screen.expect_state("do you see it?", "read")


def test_the_order_does_not_change_with_the_acknowledgement(screen, alice, bob):
    expect_live(screen)
    screen.page.context.set_offline(True)
    screen.send("mine, written first")
    bob.send(alice, "Bob's, stored first")
    screen.page.context.set_offline(False)
    screen.expect_state("mine, written first", "sent")
    expect(screen.bubble("Bob's, stored first")).to_be_visible()
    screen.send("last")
    screen.expect_state("last", "sent")
    stored = said(alice, bob)
    screen.page.reload()
    expect(screen.bubbles).to_have_count(4)
    assert screen.texts() == stored


def test_an_error_of_the_server_may_be_tried_again(alice, bob, sit_down):
    screen = sit_down(alice, "/login")
    failed = []

    def answer_once_with_an_error(socket):
        server = socket.connect_to_server()

        def pass_on(frame):
            answer = re.match(r"(43\d+)\[.*try this", frame)
            if answer and not failed:
                failed.append(frame)
                frame = answer[1] + '[{"ok":false,"error":{"code":"internal","message":"It broke.","retry":false}}]'
            socket.send(frame)
        server.on_message(pass_on)
    screen.page.route_web_socket("**/socket.io/**", answer_once_with_an_error)
    with screen.page.expect_websocket():
        screen.page.goto(f"/chat/{bob.username}")
    expect_live(screen)
    screen.send("try this")
    screen.expect_state("try this", "failed")
    row = screen.bubble("try this")
    expect(row.get_by_text("Not sent: It broke.")).to_be_visible()
    expect(row.get_by_role("button", name="Edit")).to_be_hidden()
    row.get_by_role("button", name="Retry").click()
    screen.expect_state("try this", "sent")
    assert said(alice, bob) == ["first", "try this"]


def test_failed_says_so_with_edit_and_delete(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect_live(screen)
    # Half of a surrogate pair is what the field lets through and the server refuses.
    for word in ("one", "two"):
        screen.field.evaluate("(field, word) => { field.value = word + ' \\ud83d'; }", word)
        screen.field.press("Enter")
    failed = screen.page.locator("li.message[data-state=failed]")
    expect(failed).to_have_count(2)
    expect(failed.first.get_by_text("This text contains characters that cannot be saved.")).to_be_visible()
    for left in (1, 0):
        failed.first.get_by_role("button", name="Delete").click()
        expect(failed).to_have_count(left)
    screen.page.reload()
    expect(screen.bubbles).to_have_count(1)
    assert said(alice, bob) == ["first"]


def test_offline_a_banner_says_so_and_writing_goes_on(screen, alice, bob):
    expect_live(screen)
    banner = screen.page.get_by_role("status").and_(screen.page.locator("#connection"))
    expect(banner).to_be_empty()        # but there: a screen reader reads what comes into a region that it knows
    screen.page.context.set_offline(True)
    expect(banner).to_contain_text("You are offline.")
    for number in range(5):
        screen.send(f"offline {number}")
    expect(screen.page.locator("li.message[data-state=pending]")).to_have_count(5)
    screen.page.context.set_offline(False)
    expect(banner).to_have_text("You are back online.")
    expect(screen.page.locator("li.message[data-state=sent]")).to_have_count(6)
    expect(banner).to_be_empty()
    assert banner.bounding_box()["width"] <= 1
    assert said(alice, bob) == ["first"] + [f"offline {n}" for n in range(5)]


def test_the_queue_survives_a_reload_and_leaves_in_order(screen, alice, bob):
    expect_live(screen)
    # The server is away, not the page: that one can then be loaded again.
    screen.page.context.route("**/socket.io/**", lambda route: route.abort("internetdisconnected"))
    screen.page.reload()
    for number in range(5):
        screen.send(f"kept {number}")
    expect(screen.page.locator("li.message[data-state=pending]")).to_have_count(5)
    screen.page.wait_for_function(KEEPS, arg=[alice.id, 5])
    screen.page.reload()
    expect(screen.page.locator("li.message[data-state=pending]")).to_have_count(5)
    assert said(alice, bob) == ["first"]
    screen.page.context.unroute("**/socket.io/**")
    expect(screen.page.locator("li.message[data-state=sent]")).to_have_count(6)
    assert screen.texts() == said(alice, bob) == ["first"] + [f"kept {n}" for n in range(5)]


def test_a_lost_acknowledgement_doubles_nothing(alice, bob, sit_down):
    screen = sit_down(alice, "/login")
    lost = []

    def lose_the_first_answers(socket):
        server = socket.connect_to_server()

        def pass_on(frame):
            if frame.startswith("43") and "lose this" in frame and len(lost) < 2:
                lost.append(frame)
            else:
                socket.send(frame)
        server.on_message(pass_on)
    screen.page.route_web_socket("**/socket.io/**", lose_the_first_answers)
    with screen.page.expect_websocket():
        screen.page.goto(f"/chat/{bob.username}")
    expect_live(screen)
    screen.send("lose this")
    screen.expect_state("lose this", "sent")
    assert said(alice, bob) == screen.texts() == ["first", "lose this"]


def test_a_restart_of_the_server_loses_and_doubles_nothing(start_server, arrive, sit_down):
    server = start_server()
    alice, bob = arrive(server), arrive(server)
    screen = sit_down(alice, f"/chat/{bob.username}", expects=r"ERR_|WebSocket|502|503")
    at_bob = sit_down(bob, f"/chat/{alice.username}", expects=r"ERR_|WebSocket|502|503")
    expect_live(screen)
    server.stop()
    for number in range(3):
        screen.send(f"over the restart {number}")
    server.start()
    expect(screen.page.locator("li.message.mine[data-state=pending]")).to_have_count(0)
    expect(at_bob.bubbles).to_have_count(4)
    expected = ["first"] + [f"over the restart {n}" for n in range(3)]
    assert screen.texts() == at_bob.texts() == said(alice, bob) == expected


def test_an_expired_session_leads_to_the_login_and_loses_nothing(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", expects=r"401|ERR_ABORTED|WebSocket")
    expect_live(screen)
    screen.field.fill("half a thought")
    alice.log_out()         # the same session, elsewhere
    expect(screen.page).to_have_url(re.compile(r"/login\?next="))
    screen.page.get_by_label("Username").fill(alice.username)
    screen.page.get_by_label("Password").fill(PASSWORD)
    screen.page.get_by_role("button", name="Login").click()
    expect(screen.heading).to_have_text(f"Chat with: {bob.username}")
    expect(screen.field).to_have_value("half a thought")


def test_two_tabs_send_each_message_once(alice, bob, sit_down):
    first = sit_down(alice, f"/chat/{bob.username}")
    second = first.another_tab(f"/chat/{bob.username}")
    for number in range(4):
        (first, second)[number % 2].send(f"number {number}")
    for screen in (first, second):
        expect(screen.page.locator("li.message[data-state=sent]")).to_have_count(4)
    stored = said(alice, bob)
    assert sorted(stored) == [f"number {n}" for n in range(4)]
    first.page.reload()
    expect(first.bubbles).to_have_count(4)
    assert first.texts() == stored


def test_without_indexeddb_it_is_said_and_messages_are_sent(alice, bob, sit_down):
    screen = sit_down(alice, "/login")
    screen.page.context.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined });")
    screen.page.goto(f"/chat/{bob.username}")
    expect(screen.page.locator("#connection")).to_contain_text("This browser cannot save unsent messages")
    screen.send("all the same")
    screen.expect_state("all the same", "sent")
    assert said(alice, bob) == ["all the same"]


def test_a_page_that_came_in_part_comes_again(alice, bob, sit_down):
    """The network broke while the scripts of a conversation came: once it is back the page is loaded again, and lives."""
    screen = sit_down(alice, path=None, expects="ERR_FAILED")
    screen.page.route("**/conversation.js", lambda route: route.abort(), times=2)
    loads = []
    screen.page.on("load", lambda page: loads.append(page))
    screen.page.goto(f"/chat/{bob.username}")
    while len(loads) < 2:
        screen.page.wait_for_event("load")
    expect_live(screen)


def test_what_a_closed_tab_kept_and_could_not_tell_goes_first(screen, alice, bob):
    """A tab is closed between keeping a message and telling the others: theirs do not overtake it."""
    expect_live(screen, "before")
    other = screen.another_tab(f"/chat/{bob.username}")
    expect(other.bubble("before")).to_be_visible()
    other.page.evaluate("BroadcastChannel.prototype.postMessage = () => {}")
    screen.page.context.set_offline(True)
    other.send("first")
    other.expect_state("first", "pending")
    other.page.wait_for_function(KEEPS, arg=[alice.id, 1])
    other.page.close()
    screen.send("second")
    screen.page.context.set_offline(False)
    screen.expect_state("second", re.compile("sent|read"))
    screen.expect_state("first", re.compile("sent|read"))
    assert said(alice, bob) == ["before", "first", "second"]


def test_a_page_that_was_open_across_an_upgrade_reloads_when_it_needs_more(alice, bob, sit_down):
    """Its other modules are of the version before: what it has not loaded yet would not fit them, or is not there any more."""
    screen = sit_down(alice)
    page = screen.page
    expect(screen.link(bob)).to_be_visible()
    page.route(re.compile(r"/static/\w+/js/conversation\.js"), lambda route: route.continue_(
        url=re.sub(r"/static/\w+/", "/static/0123456789ab/", route.request.url)), times=1)
    with page.expect_event("load"):
        screen.link(bob).click()
    page.unroute_all()
    screen.link(bob).click()
    expect(screen.field).to_be_visible()

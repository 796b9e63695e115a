"""The details of a message: its way from the writing to the reading, each step with its time."""
import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.past import hold, numbered
from tests.browser.screen import NO_NETWORK, NOTE_WHAT_IS_SENT, PATIENCE_MS, PHONE, WIDE

pytestmark = pytest.mark.browser

AFTER = re.compile(r"\d+ \w+ 20\d\d at \d\d:\d\d:\d\d\s*after [\d.]+ seconds?")
MOMENT = re.compile(r"\d+ \w+ 20\d\d at \d\d:\d\d:\d\d")
MAX_RECORDS = 1000
PUSHED_MS = 4_000       # the page asks by itself every 5 s: what is pushed is there before
POLL_SECONDS = 0.05     # between two questions to a server that tells nobody


@pytest.fixture
def screen(alice, bob, sit_down):
    """Alice before her conversation with Bob; the network may go."""
    return sit_down(alice, f"/chat/{bob.username}", expects=NO_NETWORK)


def time_of(screen, text):
    return screen.bubble(text).locator("[data-part=details]")


def dialog(screen):
    return screen.page.get_by_role("dialog")


def step(place, name):
    """What a dialog or a page says of a step."""
    return place.locator(f"[data-step={name}] dd")


def send(screen, text, state="sent"):
    screen.send(text)
    screen.expect_state(text, state)


def open_details(screen, text):
    time_of(screen, text).click()
    expect(dialog(screen)).to_be_visible()
    return dialog(screen)


def test_it_works(screen):
    send(screen, "hello")
    details = open_details(screen, "hello")
    expect(details.get_by_role("heading")).to_have_text("Message 1")
    expect(details.get_by_text("hello")).to_be_visible()
    for name in ("written", "sent", "stored"):
        expect(step(details, name)).to_contain_text(MOMENT)
    expect(details.get_by_text("Saved (no. 1)")).to_be_visible()
    expect(step(details, "stored")).to_contain_text("confirmation received at")
    expect(step(details, "delivered")).to_have_text("Not yet")
    expect(step(details, "read")).to_have_text("Not yet")
    expect(details.get_by_text("time of this device")).to_be_visible()


@pytest.mark.parametrize("close", [
    lambda screen: screen.page.keyboard.press("Escape"),
    lambda screen: dialog(screen).get_by_role("button", name="Close").click(),
    lambda screen: screen.page.mouse.click(400, 10)], ids=["Escape", "button", "beside it"])
def test_it_closes_and_the_focus_returns(screen, close):
    send(screen, "hello")
    open_details(screen, "hello")
    close(screen)
    expect(dialog(screen)).to_have_count(0)
    expect(time_of(screen, "hello")).to_be_focused()
    expect(screen.heading).to_be_visible()


def test_closing_leaves_the_focus_where_it_went_meanwhile(screen):
    """The browser closes the dialog at once and says so later; Tab may come between the two."""
    send(screen, "hello")
    open_details(screen, "hello")
    screen.page.evaluate("""async () => {
      const dialog = document.querySelector('#details');
      const closed = new Promise((resolve) => { dialog.addEventListener('close', resolve); });
      dialog.close();
      document.querySelector('#message').focus();
      await closed;
    }""")
    expect(dialog(screen)).to_have_count(0)
    expect(screen.field).to_be_focused()


def back_to_messages(screen):
    """Go from the field to the messages, by the buttons before it."""
    for name in ("Emoji", "Attach files"):
        screen.page.keyboard.press("Shift+Tab")
        expect(screen.page.get_by_role("button", name=name, exact=True)).to_be_focused()
    screen.page.keyboard.press("Shift+Tab")


def test_everything_with_the_keyboard(chat, alice, bob, sit_down):
    hold(chat, alice, bob, numbered(alice, bob, 8))
    screen = sit_down(alice, f"/chat/{bob.username}")
    keyboard, in_order = screen.page.keyboard, screen.page.locator("#history [data-part=details][tabindex='0']")
    expect(screen.field).to_be_focused()
    back_to_messages(screen)
    expect(time_of(screen, "message 8")).to_be_focused()
    expect(in_order).to_have_count(1)
    for text in ("message 7", "message 6"):
        keyboard.press("ArrowUp")
        expect(time_of(screen, text)).to_be_focused()
        expect(in_order).to_have_count(1)
    keyboard.press("ArrowDown")
    expect(time_of(screen, "message 7")).to_be_focused()
    keyboard.press("Enter")
    expect(dialog(screen).get_by_role("heading")).to_have_text("Message 7")
    expect(dialog(screen).get_by_role("heading")).to_be_focused()
    keyboard.press("Tab")
    expect(dialog(screen).get_by_role("button", name="Close")).to_be_focused()
    keyboard.press("Escape")
    expect(time_of(screen, "message 7")).to_be_focused()
    keyboard.press("Tab")
    expect(screen.page.get_by_role("button", name="React")).to_be_focused()
    keyboard.press("Tab")
    expect(screen.page.get_by_role("button", name="Attach files")).to_be_focused()
    keyboard.press("Shift+Tab")
    expect(time_of(screen, "message 7")).to_be_focused()


def test_the_newest_time_is_the_one_in_the_tab_order_until_another_is_visited(chat, alice, bob, sit_down):
    hold(chat, alice, bob, numbered(alice, bob, 3))
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.page.keyboard.press("Shift")
    expect(time_of(screen, "message 3")).to_have_attribute("tabindex", "0")
    bob.send(alice, "newer")
    expect(time_of(screen, "newer")).to_have_attribute("tabindex", "0")
    expect(time_of(screen, "message 3")).to_have_attribute("tabindex", "-1")
    time_of(screen, "message 2").focus()
    bob.send(alice, "newest")
    expect(screen.bubble("newest")).to_be_visible()
    expect(time_of(screen, "message 2")).to_have_attribute("tabindex", "0")
    expect(screen.page.locator("#history [data-part=details][tabindex='0']")).to_have_count(1)


def test_the_keys_of_the_page_rest_while_it_is_open(screen):
    send(screen, "hello")
    details = open_details(screen, "hello")
    screen.page.keyboard.press("Control+k")
    screen.page.keyboard.press("Alt+ArrowDown")
    expect(details).to_be_visible()
    expect(details.get_by_role("heading")).to_be_focused()


def test_it_follows_while_it_is_open(screen, alice, bob):
    send(screen, "hello")
    details = open_details(screen, "hello")
    expect(step(details, "read")).to_have_text("Not yet")
    tab = bob.tab()
    tab.call("markDelivered", {"userId": alice.id, "seq": 1})
    expect(step(details, "delivered")).to_have_text(AFTER)
    expect(step(details, "read")).to_have_text("Not yet")
    tab.call("markRead", {"userId": alice.id, "seq": 1})
    expect(step(details, "read")).to_have_text(AFTER, timeout=PUSHED_MS)
    expect(details.locator("[data-reached=true]")).to_have_count(5)


def test_a_message_that_waits_tells_what_is_known_and_follows(screen):
    send(screen, "first")
    screen.page.context.set_offline(True)
    send(screen, "waits", "pending")
    details = open_details(screen, "waits")
    expect(details.get_by_role("heading")).to_have_text("Sending")
    expect(step(details, "written")).to_have_text(MOMENT)
    for name in ("sent", "stored", "delivered", "read"):
        expect(step(details, name)).to_have_text("Not yet")
    screen.page.context.set_offline(False)
    expect(details.get_by_role("heading")).to_have_text("Message 2")
    expect(step(details, "sent")).to_contain_text(MOMENT)
    expect(step(details, "stored")).to_contain_text(MOMENT)


def test_the_time_of_a_waiting_message_opens_with_enter_too(screen):
    send(screen, "first")
    screen.page.context.set_offline(True)
    send(screen, "waits", "pending")
    expect(time_of(screen, "waits")).to_have_attribute("tabindex", "0")
    back_to_messages(screen)
    expect(time_of(screen, "waits")).to_be_focused()
    screen.page.keyboard.press("Enter")
    expect(dialog(screen)).to_be_visible()


def test_without_a_network_it_tells_what_this_browser_knows(screen):
    send(screen, "hello")
    screen.page.context.set_offline(True)
    details = open_details(screen, "hello")
    expect(step(details, "written")).to_have_text(MOMENT)
    expect(step(details, "read")).to_be_hidden()
    screen.page.context.set_offline(False)
    expect(step(details, "read")).to_have_text("Not yet")


def test_a_page_that_has_lost_the_network_before_stays_where_it_is(alice, bob, sit_down):
    alice.send(bob, "hello")
    screen = sit_down(alice, f"/chat/{bob.username}", expects=NO_NETWORK)
    screen.page.context.set_offline(True)
    time_of(screen, "hello").click()
    expect(screen.page.locator("#announcer")).to_have_text("The details could not be loaded.")
    expect(screen.bubble("hello")).to_be_visible()
    screen.page.context.set_offline(False)
    open_details(screen, "hello")


def test_the_tries_are_counted(alice, bob, sit_down):
    screen = sit_down(alice, "/login")
    lost = []

    def lose_the_first_answer(socket):
        server = socket.connect_to_server()

        def pass_on(frame):
            if frame.startswith("43") and "lose this" in frame and not lost:
                lost.append(frame)
            else:
                socket.send(frame)
        server.on_message(pass_on)
    screen.page.route_web_socket("**/socket.io/**", lose_the_first_answer)
    with screen.page.expect_websocket():
        screen.page.goto(f"/chat/{bob.username}")
    send(screen, "first", re.compile("sent|read"))
    send(screen, "lose this")
    details = open_details(screen, "lose this")
    expect(step(details, "sent")).to_contain_text("2 attempts")
    screen.page.reload()
    expect(step(open_details(screen, "lose this"), "sent")).to_contain_text("2 attempts")


def test_the_others_message_and_one_of_another_device(alice, bob, sit_down):
    bob.send(alice, "from bob")
    alice.send(bob, "from my other device")
    screen = sit_down(alice, f"/chat/{bob.username}")
    details = open_details(screen, "from bob")
    expect(details.get_by_text(bob.username)).to_be_visible()
    expect(step(details, "read")).to_have_text(AFTER)       # by this very page
    for name in ("written", "sent"):
        expect(step(details, name)).to_be_hidden()
    screen.page.keyboard.press("Escape")
    details = open_details(screen, "from my other device")
    expect(step(details, "written")).to_have_text("Written on another device")
    expect(details.get_by_text("time of this device")).to_be_hidden()


def test_what_was_read_before_times_were_noted(chat, alice, bob, sit_down):
    hold(chat, alice, bob, numbered(alice, bob, 2))
    details = open_details(sit_down(alice, f"/chat/{bob.username}"), "message 2")
    expect(details.get_by_text("Read", exact=True)).to_be_visible()
    expect(step(details, "read")).to_be_empty()
    expect(details.locator("[data-reached=true]")).to_have_count(5)


def test_a_refused_message_says_why(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.send_refused()
    expect(screen.bubbles).to_have_attribute("data-state", "failed")
    screen.bubbles.locator("[data-part=details]").click()
    expect(step(dialog(screen), "stored")).to_contain_text("Not sent: This text contains characters that cannot be saved.")


def test_text_is_text(alice, bob, sit_down):
    evil = "<img src=x onerror=document.title='broken'>"
    bob.send(alice, evil)
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(open_details(screen, evil).get_by_text(evil)).to_be_visible()
    assert dialog(screen).locator("img").count() == 0


# --- the page ------------------------------------------------------------------------------------------------------


def test_without_a_script_the_time_leads_to_a_page(chat, alice, bob, sit_down):
    alice.send(bob, "hello")
    screen = sit_down(bob, f"/chat/{alice.username}", java_script_enabled=False)
    time_of(screen, "hello").click()
    page = screen.page
    expect(page).to_have_url(f"{chat.url}/messages/{alice.username}/1")
    expect(page.get_by_role("heading", name="Message 1")).to_be_visible()
    expect(step(page, "stored")).to_have_text(re.compile(r"^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC$"))
    expect(step(page, "read")).to_have_text("Not yet")
    page.get_by_role("link", name="Back to the conversation").last.click()
    expect(screen.bubble("hello")).to_be_visible()


def test_the_page_in_a_tab_of_its_own_has_the_readers_clock(screen):
    send(screen, "hello")
    with screen.page.context.expect_page() as opened:
        time_of(screen, "hello").click(modifiers=["ControlOrMeta"])
    expect(dialog(screen)).to_have_count(0)
    page = opened.value
    for name in ("written", "sent", "stored"):
        expect(step(page, name)).to_contain_text(MOMENT)
    page.get_by_role("link", name="Back to the conversation").last.click()
    expect(page.get_by_role("heading", name="Chat with: ")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Message 1")).to_be_visible()
    expect(step(page, "written")).to_contain_text(MOMENT)


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_it_is_a_card_in_the_middle_or_a_sheet_at_the_bottom(alice, bob, sit_down, viewport):
    bob.send(alice, "w" * 300 + " long\n" * 30)
    screen = sit_down(alice, f"/chat/{bob.username}", viewport=viewport)
    screen.bubbles.locator("[data-part=details]").click()
    expect(dialog(screen)).to_be_visible()
    screen.page.wait_for_function("() => document.getAnimations().every(animation => animation.playState === 'finished')")
    box = dialog(screen).bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    if viewport == PHONE:
        assert (box["x"], box["width"]) == (0, PHONE["width"]) and box["y"] + box["height"] == PHONE["height"]
    else:
        assert middle == pytest.approx((WIDE["width"] / 2, WIDE["height"] / 2), abs=1)
    expect(dialog(screen).get_by_role("button", name="Close")).to_be_in_viewport()
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_in_french(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", locale="fr-FR")
    send(screen, "salut")
    details = open_details(screen, "salut")
    expect(details.locator("dt")).to_have_text(["Écrit", "Envoyé", "Enregistré (n° 1)", "Distribué", "Lu"])
    expect(step(details, "written")).to_have_text(re.compile(r"\d+ \S+ 20\d\d à \d\d:\d\d:\d\d"))
    expect(step(details, "read")).to_have_text("Pas encore")
    details.get_by_role("button", name="Fermer").click()


# --- what the browser says and keeps -----------------------------------------------------------------------------


def delivered(sender, receiver, seq):
    """Wait until the receiver's browser has said that a message came; return what is told of it."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not (told := sender.json(f"/messages/{receiver.username}/{seq}"))["delivered"]:
        assert time.monotonic() < deadline, "it was not said to have come"
        time.sleep(POLL_SECONDS)
    return told


def settle(screen, path):
    """Open a page and wait until it has asked for the list once more: what it says from now on is of what is pushed."""
    with screen.page.expect_response("**/users?*"):
        screen.page.goto(path)


def test_what_comes_in_is_delivered_wherever_the_reader_is(alice, bob, sit_down):
    at_bob = sit_down(bob, path=None)
    settle(at_bob, "/")
    alice.send(bob, "hello")
    expect(at_bob.card(alice)).to_have_attribute("data-unread", "1")
    assert delivered(alice, bob, 1)["read"] is None


def test_what_came_without_a_connection_is_delivered_with_the_list(alice, bob, sit_down):
    at_bob = sit_down(bob, expects=NO_NETWORK)
    alice.send(bob, "one")
    delivered(alice, bob, 1)
    at_bob.page.context.set_offline(True)
    expect(at_bob.page.locator("#connection")).to_contain_text("You are offline")
    alice.send(bob, "two")
    at_bob.page.context.set_offline(False)
    assert delivered(alice, bob, 2)["read"] is None


def test_what_waits_in_the_list_is_delivered_with_the_connection(alice, bob, sit_down):
    alice.send(bob, "hello")
    assert alice.json(f"/messages/{bob.username}/1")["delivered"] is None
    at_bob = sit_down(bob, path=None, expects="ERR_FAILED")
    at_bob.page.route("**/users?*", lambda route: route.abort())        # the list is the one that the page came with
    at_bob.page.goto("/")
    assert delivered(alice, bob, 1)["read"] is None


def test_a_burst_is_told_once_a_second(alice, bob, sit_down):
    at_bob = sit_down(bob, path=None)
    at_bob.page.add_init_script(NOTE_WHAT_IS_SENT)
    settle(at_bob, "/")
    tab = alice.tab()
    for number in range(20):
        tab.send(bob, str(number))
    delivered(alice, bob, 20)
    told = re.findall(r'"markDelivered",{"userId":\d+,"seq":(\d+)}', at_bob.page.evaluate("sent.join()"))
    assert 1 <= len(told) <= 4 and told[-1] == "20"


def test_where_it_is_read_at_once_nothing_else_is_said(alice, bob, sit_down):
    alice.send(bob, "read on opening")
    at_bob = sit_down(bob, path=None)
    at_bob.page.add_init_script(NOTE_WHAT_IS_SENT)
    at_bob.page.goto(f"/chat/{alice.username}")
    at_bob.send("first")        # the page is connected
    at_bob.expect_state("first", "sent")
    tab = alice.tab()
    tab.send(bob, "read at once")
    tab.wait_for("messagesRead", lambda told: told["seq"] == 3)
    said = at_bob.page.evaluate("sent.join()")
    assert "markRead" in said and "markDelivered" not in said


def test_the_outbox_of_an_older_version_is_kept(chat, alice, bob, sit_down):
    screen = sit_down(alice, "/healthz", expects="404")       # no page of the chat, nor an icon
    screen.page.evaluate("""async ([ownerId, receiverId]) => {
      const opening = indexedDB.open(`outbox:${ownerId}`, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore('entries', { keyPath: 'clientId' });
      await new Promise((resolve) => { opening.onsuccess = resolve; });
      const transaction = opening.result.transaction('entries', 'readwrite');
      transaction.objectStore('entries').put({
        clientId: 'kept-before', receiverId, message: 'kept before', createdAt: 1_700_000_000_000, attempts: 0, state: 'waiting',
      });
      await new Promise((resolve) => { transaction.oncomplete = resolve; });
      opening.result.close();
    }""", [alice.id, bob.id])
    screen.page.goto(f"/chat/{bob.username}")
    screen.expect_state("kept before", "sent")
    details = open_details(screen, "kept before")
    expect(step(details, "written")).to_contain_text("2023")


def test_the_newest_thousand_records_are_kept(screen, alice):
    send(screen, "first")
    expect(step(open_details(screen, "first"), "written")).to_have_text(MOMENT)
    screen.page.keyboard.press("Escape")
    names = """async (ownerId) => {
      const opening = indexedDB.open(`outbox:${ownerId}`);
      await new Promise((resolve) => { opening.onsuccess = resolve; });
      const transaction = opening.result.transaction('trails', 'readwrite');
      const store = transaction.objectStore('trails');
      FILL
      const asked = store.getAllKeys();
      await new Promise((resolve) => { transaction.oncomplete = resolve; });
      opening.result.close();
      return asked.result;
    }"""
    fill = f"for (let n = 0; n < {MAX_RECORDS + 5}; n += 1) store.put({{ clientId: `old-${{n}}`, written: n, tries: 1 }});"
    assert len(screen.page.evaluate(names.replace("FILL", fill), alice.id)) == MAX_RECORDS + 6
    send(screen, "second")
    expect(step(open_details(screen, "second"), "stored")).to_contain_text("confirmation")
    kept = screen.page.evaluate(names.replace("FILL", ""), alice.id)
    assert len(kept) == MAX_RECORDS and "old-6" not in kept and "old-7" in kept


def test_without_indexeddb_a_record_lives_as_long_as_its_page(alice, bob, sit_down):
    screen = sit_down(alice, "/login")
    screen.page.context.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined });")
    screen.page.goto(f"/chat/{bob.username}")
    send(screen, "hello")
    expect(step(open_details(screen, "hello"), "sent")).to_contain_text(MOMENT)

"""Files in the browser: chosen, shown, sent once whatever happens to the network, and opened."""
import os
import re

import pytest
from playwright.sync_api import expect

from lab.proxy import Proxy
from tests.browser.attaching import cards, choose, drag, images, paste
from tests.browser.photos import board, photo
from tests.browser.screen import NO_NETWORK, PATIENCE_MS
from tests.people import Person
from tests.uploads import PDF, TEXT, send_files, uploaded
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

CUT = rf"{NO_NETWORK}|ERR_|Failed to load|WebSocket"
PHOTO, BOARD, NOTES = ("evening.jpg", "image/jpeg", photo()), ("board.png", "image/png", board()), ("notes.pdf", "application/pdf", PDF)
LARGE = os.urandom(3_400_000)
SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}      # bytes a second

# How many blobs, and entries, the outbox has in this browser.
STORED = """async (id) => {
  const opening = indexedDB.open(`outbox:${id}`);
  await new Promise((resolve) => { opening.onsuccess = resolve; });
  const counts = [];
  for (const name of ['entries', 'blobs']) {
    const counting = opening.result.transaction(name).objectStore(name).count();
    await new Promise((resolve) => { counting.onsuccess = resolve; });
    counts.push(counting.result);
  }
  opening.result.close();
  return counts;
}"""


@pytest.fixture
def screen(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", expects=CUT)
    screen.expect_connected()
    return screen


@pytest.fixture
def proxied(chat, alice, bob, sit_down):
    """Alice's screen behind a proxy that can cut: (the screen, the proxy)."""
    with Proxy(int(chat.url.rsplit(":", 1)[1])) as proxy:
        behind = Person(f"http://127.0.0.1:{proxy.port}", alice.username)
        behind.http.cookies.update(alice.http.cookies)
        screen = sit_down(behind, f"/chat/{bob.username}", expects=CUT)
        screen.expect_connected()
        yield screen, proxy
        screen.page.context.close()


def puts_of(screen):
    """The addresses to which a tab uploads, a list that grows."""
    puts = []
    screen.page.on("request", lambda request: request.method == "PUT" and puts.append(request.url))
    return puts


def wait_until_stored(screen, person, puts, size):
    """Wait until so many bytes of an upload have come."""
    assert wait_for(lambda: screen.page.wait_for_timeout(20) or stored_bytes(person, puts) > size, PATIENCE_MS / 1000)


def slow_down(screen, **faster_or_slower):
    """Uploads take seconds from now on."""
    session = screen.page.context.new_cdp_session(screen.page)
    session.send("Network.emulateNetworkConditions", {**SLOW, **faster_or_slower})
    return session


def speed_up(session):
    session.send("Network.emulateNetworkConditions", {**SLOW, "uploadThroughput": -1})


def stored_bytes(person, puts):
    """How much of what these requests upload has come."""
    client_id = re.search(r"/files/([^?]+)", puts[-1])[1] if puts else "none"
    return person.json(f"/files/{client_id}/offset")["offset"]


def files_of(person, other):
    """What is stored: [(text, names of its files)] of the messages of a conversation."""
    return [(message["message"], [file["name"] for file in message["files"]]) for message in person.history(other)["messages"]]


def test_it_works(screen, alice, bob, sit_down):
    """Several files with a text: a preview before, the images at once in the bubble, and the same on the other side and after a reload."""
    other = sit_down(bob, f"/chat/{alice.username}")
    other.expect_connected()
    choose(screen, PHOTO, NOTES)
    choose(screen, BOARD)
    expect(cards(screen)).to_have_count(3)
    expect(cards(screen).first).to_contain_text("evening.jpg")
    expect(cards(screen).first.locator("img")).to_be_visible()
    cards(screen).first.get_by_role("button", name="Describe").click()
    cards(screen).first.get_by_role("textbox").fill("Hills in the evening")
    screen.send("three files")
    expect(cards(screen)).to_have_count(0)
    screen.expect_state("three files", re.compile("sent|read"))
    for one in (screen, other):
        expect(images(one)).to_have_count(2)
        expect(images(one).first.locator("img")).to_have_attribute("alt", "Hills in the evening")
        expect(one.bubble("three files").locator(".file-name")).to_have_text("notes.pdf")
    message = alice.history(bob)["messages"][-1]
    assert [(file["name"], file["size"] > 0, file.get("alt")) for file in message["files"]] == [
        ("evening.jpg", True, "Hills in the evening"), ("notes.pdf", True, None), ("board.png", True, None)]
    live = screen.bubble("three files").locator("[data-part=files]").inner_text()
    screen.page.reload()
    expect(images(screen)).to_have_count(2)
    assert screen.bubble("three files").locator("[data-part=files]").inner_text() == live
    assert screen.page.evaluate(STORED, alice.id) == [0, 0]


@pytest.mark.parametrize("bring", [drag, paste], ids=["dropped", "pasted"])
def test_an_image_is_dropped_or_pasted_and_sent_alone(screen, alice, bob, bring):
    bring(screen, PHOTO)
    expect(cards(screen)).to_have_count(1)
    expect(cards(screen).locator("img")).to_be_visible()
    screen.field.press("Enter")
    expect(screen.bubbles.last).to_have_attribute("data-files", "images")
    expect(screen.bubbles.last).to_have_attribute("data-state", "sent")
    expect(screen.card(bob)).to_contain_text("You: Photo")
    assert files_of(alice, bob) == [("", ["evening.jpg"])]


def test_a_key_right_after_the_choice_sends_the_files(screen, alice, bob):
    """Neither what draws the cards nor the quota has come by then."""
    screen.page.route("**/files/quota", lambda route: None)     # it is never answered
    screen.field.fill("with its file")
    drag(screen, NOTES)
    screen.field.press("Enter")
    screen.expect_state("with its file", re.compile("sent|read"))
    assert files_of(alice, bob) == [("with its file", ["notes.pdf"])]
    expect(cards(screen)).to_have_count(0)


@pytest.fixture
def without_files(alice, bob, sit_down):
    """Alice's screen, on which the module for files does not come until `unroute`; her first message is there."""
    alice.send(bob, "first")
    screen = sit_down(alice, f"/chat/{bob.username}", expects=f"{CUT}|ERR_FAILED")
    screen.page.route("**/files-more*.js", lambda route: route.abort())
    screen.page.reload()
    screen.expect_connected()
    return screen


def test_no_text_is_sent_without_the_files_that_were_chosen_for_it(without_files, alice, bob):
    screen = without_files
    choose(screen, NOTES)
    screen.field.fill("with its file")
    screen.field.press("Enter")
    expect(screen.page.locator("#connection")).to_contain_text("Send again to send the text without them.")
    expect(screen.field).to_have_value("with its file")
    screen.page.unroute("**/files-more*.js")
    screen.field.press("Enter")
    screen.expect_state("with its file", re.compile("sent|read"))
    assert files_of(alice, bob) == [("first", []), ("with its file", ["notes.pdf"])]


def test_at_the_second_try_a_text_goes_without_its_files_and_they_wait(without_files, alice, bob):
    """An edit needs none of them."""
    screen, said = without_files, without_files.page.locator("#connection")
    choose(screen, NOTES)
    screen.field.press("ArrowUp")
    expect(screen.field).to_have_value("first")
    screen.field.fill("first of all")
    screen.field.press("Enter")
    screen.expect_state("first of all", "sent")
    screen.field.fill("without its file")
    screen.field.press("Enter")
    expect(said).to_contain_text("Send again")
    expect(screen.field).to_have_value("without its file")
    screen.field.press("Enter")
    screen.expect_state("without its file", "sent")
    expect(said).to_have_text("The text was sent without the files. They wait here for the next message.")
    expect(screen.field).to_have_value("")
    screen.page.unroute("**/files-more*.js")
    screen.field.fill("with it")
    screen.field.press("Enter")
    screen.expect_state("with it", "sent")
    assert files_of(alice, bob) == [("first of all", []), ("without its file", []), ("with it", ["notes.pdf"])]


def test_what_is_typed_while_files_are_awaited_is_not_sent_with_them(screen, alice, bob):
    held, is_held = [], True
    screen.page.route("**/files-more*.js", lambda route: held.append(route) if is_held else route.continue_())
    screen.page.reload()
    screen.expect_connected()
    choose(screen, NOTES)
    screen.field.fill("what stood there")
    screen.field.press("Enter")
    screen.field.press_sequentially("the next one")
    expect(screen.field).to_have_value("the next one")
    assert wait_for(lambda: screen.page.wait_for_timeout(20) or held, PATIENCE_MS / 1000)
    held.pop().abort()
    expect(screen.field).to_have_value("what stood there\nthe next one")
    screen.page.reload()
    expect(screen.field).to_have_value("what stood there\nthe next one")
    screen.expect_connected()
    choose(screen, NOTES)
    screen.field.press("Enter")
    screen.field.press_sequentially("more")
    is_held = False
    assert wait_for(lambda: screen.page.wait_for_timeout(20) or held, PATIENCE_MS / 1000)
    held.pop().continue_()
    expect(screen.bubbles.last).to_have_attribute("data-state", "sent")
    expect(screen.field).to_have_value("more")
    assert files_of(alice, bob) == [("what stood there\nthe next one", ["notes.pdf"])]


def test_files_that_are_not_shown_yet_wait_in_their_conversation(alice, bob, charlie, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", expects=CUT)
    waiting, is_held = [], True
    screen.page.route("**/files-more*.js", lambda route: waiting.append(route) if is_held else route.continue_())
    screen.page.reload()
    screen.expect_connected()
    choose(screen, NOTES)
    screen.link(charlie).click()
    expect(screen.heading).to_contain_text(charlie.username)
    assert wait_for(lambda: screen.page.wait_for_timeout(20) or waiting, PATIENCE_MS / 1000)
    is_held = False
    waiting[-1].continue_()
    screen.link(bob).click()
    expect(cards(screen)).to_have_text([re.compile("notes.pdf")])


def test_what_does_not_fit_is_left_out_once_that_is_known_and_most_used_is_said(screen):
    used = 990_000
    screen.page.route("**/files/quota", lambda route: route.fulfill(json={
        "maxFileBytes": 25_000_000, "dayBytes": 1_000_000, "usedToday": used, "leftToday": 1_000_000 - used, "allBytes": 10**10, "usedInAll": used,
        "left": 1_000_000 - used, "moreIn": 9}))
    choose(screen, ("small.bin", "", b"x" * 2000), ("large.bin", "", b"x" * 9000))
    expect(cards(screen)).to_have_text([re.compile("small.bin")])
    words = screen.page.locator(".attach-words")
    expect(words).to_contain_text("large.bin")
    choose(screen, ("another.bin", "", b"x" * 3000))
    expect(words).to_have_text("You may upload 5 KB more today.")


def test_the_place_to_drop_shows_itself_and_goes(screen):
    drag(screen, PHOTO, types=("dragenter", "dragover"))
    area = screen.page.locator("#drop-area")
    expect(area).to_contain_text("Drop files here")
    expect(area).to_have_count(0)       # nothing is dragged any more
    expect(cards(screen)).to_have_count(0)


def test_an_image_of_the_page_itself_is_not_offered_a_place(screen, alice, bob):
    send_files(bob, alice, uploaded(bob, photo(), "evening.jpg"))
    expect(images(screen)).to_have_count(1)
    drag(screen, PHOTO, types=("dragstart",), onto="#history .image img")
    drag(screen, PHOTO)
    drag(screen, PHOTO, types=("dragend",), onto="#history .image img")
    drag(screen, NOTES)
    expect(cards(screen)).to_have_text([re.compile("notes.pdf")])


def test_a_text_with_a_picture_of_it_is_pasted_as_text(screen):
    """As spreadsheets put it into the clipboard."""
    screen.page.evaluate("""() => {
      const transfer = new DataTransfer();
      transfer.setData('text/plain', 'cells');
      transfer.items.add(new File(['x'], 'cells.png', { type: 'image/png' }));
      const event = new ClipboardEvent('paste', { clipboardData: transfer, cancelable: true, bubbles: true });
      window.isLeft = document.querySelector('#message').dispatchEvent(event);
    }""")
    assert screen.page.evaluate("window.isLeft")
    expect(cards(screen)).to_have_count(0)


def test_what_cannot_be_sent_is_said_before(arrive, start_server, sit_down):
    server = start_server(MAX_FILE_BYTES="20000")
    alice, bob = arrive(server), arrive(server)
    screen = sit_down(alice, f"/chat/{bob.username}")
    choose(screen, ("empty.txt", "text/plain", b""), ("large.bin", "", b"x" * 20_001), ("right.txt", "text/plain", TEXT))
    words = screen.page.locator("[data-part=attach-words]")
    expect(words).to_contain_text("“empty.txt” is empty.")
    expect(words).to_contain_text("“large.bin” is too large: 20 KB, and a file may have 20 KB.")
    expect(screen.page.locator("#announcer")).to_contain_text("“empty.txt” is empty.")
    expect(cards(screen)).to_have_count(1)
    choose(screen, *[(f"{n}.txt", "text/plain", TEXT) for n in range(10)])
    expect(words).to_contain_text("at most")
    expect(cards(screen)).to_have_count(10)
    cards(screen).first.get_by_role("button", name="Remove right.txt").click()
    expect(cards(screen)).to_have_count(9)
    expect(words).to_be_empty()


def test_an_upload_that_was_cut_goes_on(proxied, alice, bob):
    """The connection is cut in the middle, twice: what has come is not sent again, and the message is there once."""
    screen, proxy = proxied
    puts = puts_of(screen)
    session = slow_down(screen)
    choose(screen, ("large.bin", "", LARGE))
    expect(cards(screen)).to_have_count(1)
    screen.field.press("Enter")
    screen.send("written after it")
    expect(screen.page.locator("[data-part=upload-words]")).to_have_text(re.compile(r"^[0-3](\.\d)? of 3\.4 MB$"))
    for number in (1, 2):
        wait_until_stored(screen, alice, puts, 400_000 * number)
        proxy.reset()
        assert wait_for(lambda: screen.page.wait_for_timeout(20) or len(puts) > number, PATIENCE_MS / 1000)
    speed_up(session)
    screen.expect_state("written after it", "sent")
    assert files_of(alice, bob) == [("", ["large.bin"]), ("written after it", [])]
    offsets = [int(re.search(r"offset=(\d+)", url)[1]) for url in puts]
    assert len(offsets) >= 3 and offsets[0] == 0 and offsets == sorted(offsets) and offsets[-1] > 500_000, offsets
    [file] = alice.history(bob)["messages"][0]["files"]
    assert alice.get(f"/files/{file['id']}?download").content == LARGE


def test_a_day_without_a_network(screen, alice, bob):
    """Queued, reloaded, seen, and sent in order."""
    other = screen.another_tab(f"/chat/{bob.username}")
    other.expect_connected()
    screen.send("a first one")      # loads what is needed, as any use does
    screen.expect_state("a first one", "sent")
    choose(screen, PHOTO)
    expect(cards(screen).locator("img")).to_be_visible()
    screen.page.context.set_offline(True)
    expect(screen.page.locator("#connection")).to_contain_text("You are offline.")
    screen.send("with a photo")
    screen.send("after it")
    expect(images(screen).locator("img")).to_have_attribute("src", re.compile("^blob:"))
    expect(images(other).locator("img")).to_have_attribute("src", re.compile("^blob:"))
    assert screen.page.evaluate(STORED, alice.id) == [2, 1]
    screen.page.route("**/socket.io/**", lambda route: route.abort())
    other.page.close()
    screen.page.context.set_offline(False)
    screen.page.reload()
    expect(images(screen).locator("img")).to_have_attribute("src", re.compile("^blob:"))
    screen.expect_state("with a photo", "pending")
    screen.page.unroute("**/socket.io/**")
    screen.expect_state("after it", "sent")
    assert files_of(alice, bob) == [("a first one", []), ("with a photo", ["evening.jpg"]), ("after it", [])]
    assert screen.page.evaluate(STORED, alice.id) == [0, 0]
    expect(images(screen).locator("img")).to_have_attribute("src", re.compile("^/files/"))


def test_what_is_about_to_be_sent_waits_while_another_conversation_is_open(screen, chat, alice, bob, arrive):
    charlie = arrive(chat)
    choose(screen, PHOTO, NOTES)
    expect(cards(screen).locator("img")).to_be_visible()
    cards(screen).first.get_by_role("button", name="Describe").click()
    cards(screen).first.get_by_role("textbox").fill("Hills in the evening")
    screen.link(charlie).click()
    expect(screen.heading).to_have_text(f"Chat with: {charlie.username}")
    expect(cards(screen)).to_have_count(0)
    screen.link(bob).click()
    expect(cards(screen)).to_have_count(2)
    screen.send("both")
    screen.expect_state("both", "sent")
    assert alice.history(bob)["messages"][-1]["files"][0]["alt"] == "Hills in the evening"


def test_an_upload_is_cancelled(screen, alice, bob):
    session = slow_down(screen)
    choose(screen, ("large.jpg", "image/jpeg", photo(at_least=3_400_000)))
    expect(cards(screen).locator("img")).to_be_visible()
    screen.field.press("Enter")
    expect(screen.page.locator("[data-part=upload-words]")).to_contain_text("of 3.4 MB")
    with screen.page.expect_request(lambda request: request.method == "DELETE"):
        screen.page.get_by_role("button", name="Cancel the upload").click()
    speed_up(session)
    expect(screen.bubbles).to_have_count(0)
    screen.send("went on")
    screen.expect_state("went on", "sent")
    assert files_of(alice, bob) == [("went on", [])]
    assert screen.page.evaluate(STORED, alice.id) == [0, 0]


def test_what_was_refused_is_sent_again_or_deleted(screen, alice, bob):
    full = {"error": {"code": "unavailable", "message": "The disk is full.", "retry": True}}
    screen.page.route(re.compile(r"/files/[\w-]+\?"), lambda route: route.fulfill(status=507, json=full))
    choose(screen, PHOTO)
    expect(cards(screen).locator("img")).to_be_visible()
    screen.field.press("Enter")
    expect(screen.bubbles.last).to_have_attribute("data-state", "failed")
    expect(screen.bubbles.last).to_contain_text("Not sent: The disk is full.")
    expect(images(screen).locator("img")).to_be_visible()
    screen.page.unroute(re.compile(r"/files/[\w-]+\?"))
    screen.bubbles.last.get_by_role("button", name="Retry").click()
    expect(screen.bubbles.last).to_have_attribute("data-state", "sent")
    assert files_of(alice, bob) == [("", ["evening.jpg"])]


def test_what_a_server_will_never_take_can_be_taken_back_into_the_field(screen, alice, bob):
    large = {"error": {"code": "too_large", "message": "The file is too large.", "retry": False}}
    screen.page.route(re.compile(r"/files/[\w-]+\?"), lambda route: route.fulfill(status=413, json=large))
    choose(screen, PHOTO, NOTES)
    expect(cards(screen).locator("img")).to_be_visible()
    screen.send("with words")
    expect(screen.bubbles.last).to_have_attribute("data-state", "failed")
    screen.page.unroute(re.compile(r"/files/[\w-]+\?"))
    screen.bubbles.last.get_by_role("button", name="Edit").click()
    expect(cards(screen)).to_have_count(2)
    expect(screen.field).to_have_value("with words")
    expect(screen.bubbles).to_have_count(0)
    screen.field.press("Enter")
    screen.expect_state("with words", "sent")
    assert files_of(alice, bob) == [("with words", ["evening.jpg", "notes.pdf"])]


def test_two_tabs_upload_once(proxied, alice, bob):
    """One tab is closed while it uploads; the other one, which waited, goes on."""
    screen, proxy = proxied
    other = screen.another_tab(f"/chat/{bob.username}")
    other.expect_connected()
    screen.page.bring_to_front()
    slow_down(screen, uploadThroughput=100_000)     # half a minute for all of it: a busy machine closes the tab before
    puts, later = puts_of(screen), puts_of(other)
    choose(screen, ("large.bin", "", LARGE))
    expect(cards(screen)).to_have_count(1)
    screen.field.press("Enter")
    expect(other.page.locator("[data-part=upload-words]")).to_have_text(re.compile("of 3.4 MB"))
    wait_until_stored(screen, alice, puts, 100_000)
    assert later == []
    proxy.cut()     # else the browser would hand over at once what it still holds back
    screen.page.close()
    proxy.reset()
    proxy.heal()
    expect(other.bubbles.last).to_have_attribute("data-state", "sent")
    assert later and "offset=0&" not in later[-1]
    [file] = alice.history(bob)["messages"][0]["files"]
    assert alice.get(f"/files/{file['id']}?download").content == LARGE


def test_logging_out_leaves_nothing(screen, alice, bob):
    choose(screen, PHOTO)
    expect(cards(screen).locator("img")).to_be_visible()
    screen.page.route(re.compile(r"/files/[\w-]+/offset"), lambda route: route.abort())
    screen.field.press("Enter")
    expect(screen.bubbles.last).to_have_attribute("data-state", "pending")
    said = []
    screen.page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.accept()))
    screen.page.get_by_role("button", name="Logout").click()
    expect(screen.page).to_have_url(re.compile("/login$"))
    assert "1 message has not been sent yet" in said[0]
    assert screen.page.evaluate("async () => (await indexedDB.databases()).length") == 0


def test_a_deleted_image_is_nowhere(screen, alice, bob):
    file = uploaded(bob, photo(), "secret.jpg")
    at_bob = bob.tab()
    message = send_files(bob, alice, file)
    expect(images(screen)).to_have_count(1)
    images(screen).click()
    expect(screen.page.locator("#viewer")).to_be_visible()
    at_bob.change(message, delete=True)
    expect(screen.page.locator("#viewer")).to_have_count(0)
    expect(images(screen)).to_have_count(0)
    expect(screen.bubbles.last).to_have_attribute("data-deleted", "")
    assert "secret.jpg" not in screen.page.content()
    kept = "id => fetch(`/files/${id}/preview`, { cache: 'only-if-cached', mode: 'same-origin' }).then((answer) => answer.ok, () => false)"
    assert wait_for(lambda: not screen.page.evaluate(kept, file["id"]), PATIENCE_MS / 1000)


def test_a_quote_shows_what_it_quotes(screen, alice, bob):
    send_files(bob, alice, uploaded(bob, photo(), "evening.jpg"))
    expect(images(screen)).to_have_count(1)
    screen.bubbles.last.locator("article").hover()
    screen.bubbles.last.get_by_role("button", name="Reply", exact=True).click()
    expect(screen.page.locator(".composer-card")).to_contain_text("Photo")
    screen.send("lovely")
    screen.expect_state("lovely", "sent")
    for _reloaded in (False, True):
        quote = screen.bubble("lovely").locator("[data-part=quote]")
        expect(quote).to_contain_text("Photo")
        expect(quote.locator("img")).to_have_attribute("src", re.compile("/preview$"))
        screen.page.reload()


def test_a_url_of_this_browser_is_given_up(screen, alice, bob):
    """What was shown from this browser makes way for what the server has, and is released."""
    screen.page.evaluate("""() => {
      window.urls = new Set();
      const { createObjectURL, revokeObjectURL } = URL;
      URL.createObjectURL = (blob) => { const url = createObjectURL.call(URL, blob); urls.add(url); return url; };
      URL.revokeObjectURL = (url) => { urls.delete(url); revokeObjectURL.call(URL, url); };
    }""")
    choose(screen, PHOTO, BOARD)
    expect(cards(screen).locator("img")).to_have_count(2)
    screen.send("both")
    screen.expect_state("both", "sent")
    assert wait_for(lambda: screen.page.evaluate("urls.size") == 0, PATIENCE_MS / 1000)

"""Logging out: what a person wrote leaves the browser with them."""
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.people import PASSWORD

pytestmark = pytest.mark.browser

ENDED = r"401|ERR_|WebSocket"

# All that this browser keeps by name: of the drafts, and of the databases.
KEPT = """async () => [...Object.keys(localStorage), ...(await indexedDB.databases()).map(({ name }) => name)]"""


@pytest.fixture
def screen(alice, bob, sit_down):
    """Alice before her conversation with Bob."""
    return sit_down(alice, f"/chat/{bob.username}", expects=ENDED)


def log_out(screen):
    screen.page.get_by_role("button", name="Logout").click()


def write_a_draft(screen, text):
    """Write what is not sent, and wait until the page is alive and keeps it."""
    screen.send("hello")
    screen.expect_state("hello", re.compile("sent|read"))
    screen.field.fill(text)
    assert screen.page.evaluate(KEPT)


def test_it_works(screen):
    write_a_draft(screen, "a secret")
    log_out(screen)
    expect(screen.page).to_have_url(re.compile(r"/login$"))
    assert screen.page.evaluate(KEPT) == []


def test_from_another_tab_it_ends_all_of_them(screen, bob):
    write_a_draft(screen, "a secret")
    other = screen.another_tab("/")
    log_out(other)
    for tab in (screen, other):
        expect(tab.page).to_have_url(re.compile("/login"))
    assert screen.page.evaluate(KEPT) == []
    screen.page.go_back()
    expect(screen.page).to_have_url(re.compile("/login"))


def test_what_belongs_to_others_stays(screen, alice, bob, chat, arrive):
    """Alice's session ends by itself; who uses the browser after her takes nothing of hers along."""
    write_a_draft(screen, "a thought of Alice's")
    alice.log_out()         # the same session, elsewhere
    expect(screen.page).to_have_url(re.compile(r"/login\?next="))
    charlie = arrive(chat)
    for person, field in ((charlie, ""), (alice, "a thought of Alice's")):
        screen.page.goto(f"/login?next=/chat/{bob.username}")
        screen.page.get_by_label("Username").fill(person.username)
        screen.page.get_by_label("Password").fill(PASSWORD)
        screen.page.get_by_role("button", name="Login").click()
        expect(screen.heading).to_be_visible()
        expect(screen.field).to_have_value(field)
        log_out(screen)
        expect(screen.page).to_have_url(re.compile("/login"))
    assert screen.page.evaluate(KEPT) == []


@pytest.mark.parametrize("is_sure", [False, True])
def test_unsent_messages_go_only_when_their_writer_says_so(screen, alice, bob, is_sure):
    write_a_draft(screen, "")
    screen.page.route("**/socket.io/**", lambda route: route.abort("internetdisconnected"))
    screen.page.reload()
    screen.send("not sent yet")
    screen.expect_state("not sent yet", "pending")
    questions = []
    screen.page.once("dialog", lambda dialog: (questions.append(dialog.message), dialog.accept() if is_sure else dialog.dismiss()))
    log_out(screen)
    if is_sure:
        expect(screen.page).to_have_url(re.compile(r"/login$"))
        assert screen.page.evaluate(KEPT) == []
    else:
        screen.page.unroute("**/socket.io/**")
        screen.expect_state("not sent yet", re.compile("sent|read"))
        assert len(alice.history(bob)["messages"]) == 2
    assert questions == ["1 message has not been sent yet. Log out and delete it?"]


def test_changes_that_wait_are_called_so(screen, alice, bob):
    write_a_draft(screen, "")
    bob.send(alice, "look")
    expect(screen.bubble("look")).to_be_visible()
    screen.bubble("look").locator("article").hover()
    screen.page.wait_for_function("() => performance.getEntriesByType('resource').some(({ name }) => name.includes('message-changes'))")
    screen.page.route("**/socket.io/**", lambda route: route.abort("internetdisconnected"))
    screen.page.context.set_offline(True)
    expect(screen.page.locator("#connection")).to_contain_text("You are offline.")
    screen.bubble("look").get_by_role("button", name="More").click()
    screen.page.get_by_role("menuitem", name="Pin").click()
    expect(screen.bubble("look")).to_have_attribute("data-pinned", "")
    questions = []
    screen.page.on("dialog", lambda dialog: (questions.append(dialog.message), dialog.dismiss()))
    with screen.page.expect_event("dialog"):
        log_out(screen)
    screen.send("and a message")
    screen.expect_state("and a message", "pending")
    with screen.page.expect_event("dialog"):
        log_out(screen)
    assert questions == ["1 change of a message has not been sent yet. Log out and delete it?",
                         "1 message and 1 change have not been sent yet. Log out and delete them?"]


def test_what_is_on_its_way_is_waited_for(screen, alice, bob):
    write_a_draft(screen, "")
    screen.page.evaluate("""() => {
        document.querySelector('#message').value = 'just now';
        document.querySelector('#composer').requestSubmit();
        document.querySelector('form[action="/logout"]').requestSubmit();
    }""")
    expect(screen.page).to_have_url(re.compile(r"/login$"))
    assert [message["message"] for message in bob.history(alice)["messages"]] == ["hello", "just now"]


def test_where_the_server_does_not_answer_nothing_is_lost(screen):
    write_a_draft(screen, "half a thought")
    screen.page.route("**/logout", lambda route: route.abort("internetdisconnected"))
    with screen.page.expect_websocket():        # the page has closed its own
        log_out(screen)
    screen.expect_connected()
    expect(screen.page.locator("#connection")).to_contain_text("You are still logged in: the server did not answer.")
    screen.page.unroute("**/logout")
    screen.page.reload()
    expect(screen.field).to_have_value("half a thought")
    log_out(screen)
    expect(screen.page).to_have_url(re.compile(r"/login$"))


def test_a_request_under_way_does_not_outlive_the_session(alice, sit_down):
    """Its answer would be 401, which the browser's console complains of."""
    screen = sit_down(alice)
    page, seen = screen.page, []
    page.route("**/users?*", lambda route: None)       # it is never answered
    page.on("requestfailed", lambda request: seen.append(("failed", urlsplit(request.url).path)))
    page.on("request", lambda request: seen.append(("asked", urlsplit(request.url).path)))
    with page.expect_request("**/users?*"):
        screen.search.fill("somebody")
    page.get_by_role("button", name="Logout").click()
    expect(page).to_have_url(re.compile("/login$"))
    assert ("failed", "/users") in seen[:seen.index(("asked", "/login"))]

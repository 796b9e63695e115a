"""The list of people: who is there, who wrote last, what is unread."""
import re
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from chat.accounts.user import PAGE
from tests.browser.past import ago, hold
from tests.browser.screen import PATIENCE_MS
from tests.people import new_client_id
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

SKELETON_MS = 300       # by then a search that has no answer yet shows its skeleton


def status(screen, person):
    return screen.card(person).locator("[data-part=status]")


def test_it_works(alice, bob, sit_down):
    screen = sit_down(alice)
    expect(screen.link(bob)).to_be_visible()
    expect(screen.link(alice)).to_have_count(0)
    screen.link(bob).click()
    expect(screen.heading).to_have_text(f"Chat with: {bob.username}")
    expect(screen.link(bob)).to_have_attribute("aria-current", "page")


def test_the_search_filters_as_one_types(chat, alice, arrive, sit_down):
    word = new_client_id()[:6]
    jose, other = arrive(chat, f"José {word}"), arrive(chat, f"Zoë {word}")
    screen = sit_down(alice)
    screen.search.press_sequentially(f"jose {word.upper()}")
    expect(screen.card(jose)).to_be_visible()
    expect(screen.people).to_have_count(1)
    screen.search.fill(word)
    expect(screen.people).to_have_count(2)
    expect(screen.card(other)).to_be_visible()
    screen.search.fill("")
    expect(screen.card(alice)).to_have_count(0)
    expect(screen.people.nth(2)).to_be_attached()


def test_letters_of_sql_are_letters(alice, sit_down):
    screen = sit_down(alice)
    screen.search.fill("%")
    expect(screen.page.get_by_text("No results for “%”.")).to_be_visible()


def test_an_empty_result_says_so_and_what_to_do(alice, sit_down):
    screen = sit_down(alice)
    screen.search.fill("nobody at all")
    expect(screen.page.get_by_text("No results for “nobody at all”.")).to_be_visible()
    expect(screen.people).to_have_count(0)
    screen.page.get_by_role("link", name="Show everyone").click()
    expect(screen.people.first).to_be_visible()
    expect(screen.search).to_have_value("")


def test_the_very_first_person_is_told_how_to_go_on(start_server, arrive, sit_down):
    server = start_server()
    screen = sit_down(arrive(server))
    expect(screen.page.get_by_text("Nobody else is here yet…")).to_be_visible()
    second = arrive(server)
    second.tab()
    expect(screen.link(second)).to_be_visible()
    expect(screen.page.get_by_text("Nobody else is here yet…")).to_be_hidden()


def test_presence_is_a_dot_and_a_word(alice, bob, sit_down):
    screen = sit_down(alice)
    expect(screen.card(bob).get_by_role("link", name=re.compile(f"^{bob.username} offline"))).to_be_visible()
    tab = bob.tab()
    expect(screen.card(bob).get_by_role("link", name=re.compile(f"^{bob.username} online"))).to_be_visible()
    expect(screen.card(bob)).to_have_attribute("data-online", "true")
    expect(screen.page.locator("#online-count")).to_have_text(re.compile(r"^\d+ online$"))
    tab.close()
    expect(status(screen, bob)).to_have_text("offline")


def test_logging_out_shows_offline_at_once(patient_chat, arrive, sit_down):
    alice, bob = arrive(patient_chat), arrive(patient_chat)
    screen, at_bob = sit_down(alice, f"/chat/{bob.username}"), sit_down(bob)
    peer_status, list_status = screen.page.locator("[data-part=peer-status]"), status(screen, bob)
    expect(peer_status).to_have_text("online")
    at_bob.page.get_by_role("button", name="Logout").click()
    expect(at_bob.page).to_have_url(re.compile("/login$"))
    expect(peer_status).to_have_text("offline")
    expect(list_status).to_have_text("offline")


def test_the_last_to_write_comes_first_with_a_preview(chat, alice, bob, arrive, sit_down):
    charlie = arrive(chat)
    bob.send(alice, "from bob")
    charlie.send(alice, "from charlie")
    screen = sit_down(alice)
    expect(screen.people.nth(0)).to_contain_text("from charlie")
    expect(screen.people.nth(1)).to_contain_text("from bob")
    bob.send(alice, "bob again")
    expect(screen.people.nth(0)).to_contain_text("bob again")
    expect(screen.people.nth(1)).to_contain_text("from charlie")
    screen.link(charlie).click()
    screen.send("my answer")
    expect(screen.people.nth(0)).to_contain_text("You: my answer")
    screen.page.reload()
    expect(screen.people.nth(0)).to_contain_text("You: my answer")


def test_the_title_counts_whom_the_list_does_not_show_too(start_server, arrive, sit_down):
    server = start_server()
    alice, bob = arrive(server), arrive(server)
    for sender in strangers(server, PAGE + 5):
        hold(server, sender, alice, [(sender, "hello", ago(hours=1))], read=False)
    screen = sit_down(alice)
    expect(screen.page).to_have_title(re.compile(rf"^\({PAGE + 5}\) "))
    bob.send(alice, "one more")
    expect(screen.page).to_have_title(re.compile(rf"^\({PAGE + 6}\) "))
    screen.search.fill(bob.username)
    expect(screen.people).to_have_count(1)
    expect(screen.page).to_have_title(re.compile(rf"^\({PAGE + 6}\) "))
    screen.link(bob).click()
    expect(screen.page).to_have_title(re.compile(rf"^\({PAGE + 5}\) "))
    screen.page.goto(f"/?q={bob.username}")
    expect(screen.page).to_have_title(re.compile(rf"^\({PAGE + 5}\) "))


def strangers(server, count):
    """Put people into the database of a server; they never log in."""
    names = [f"stranger {number}" for number in range(count)]
    with sqlite3.connect(Path(server.settings["INSTANCE_PATH"]) / "chat.sqlite3", timeout=10) as database:
        ids = [database.execute("INSERT INTO users (username, username_key, password, created_at) VALUES (?, ?, '', ?)",
                                (name, name, "2026-01-01 00:00:00.000")).lastrowid for name in names]
    database.close()
    return [SimpleNamespace(id=user_id) for user_id in ids]


def test_unread_is_a_badge_and_in_the_title(alice, bob, sit_down):
    screen = sit_down(alice)
    for number in range(3):
        bob.send(alice, f"number {number}")
    expect(screen.card(bob).locator("[data-part=unread-count]")).to_have_text("3")
    expect(screen.card(bob).get_by_role("link", name=re.compile(f"^{bob.username} .*3 unread"))).to_be_visible()
    expect(screen.page).to_have_title(re.compile(r"^\(3\) "))
    screen.page.reload()
    expect(screen.page).to_have_title(re.compile(r"^\(3\) "))
    screen.link(bob).click()
    expect(screen.card(bob).locator("[data-part=unread]")).to_be_hidden()
    expect(screen.page).to_have_title(re.compile(rf"^{bob.username}"))


def test_a_read_mark_that_arrives_after_leaving_takes_the_badge_along(chat, alice, bob, arrive, sit_down):
    charlie = arrive(chat)
    bob.send(alice, "read in passing")
    screen = sit_down(alice, "/login", expects="WebSocket|ERR_FAILED")
    held = []

    def hold_read_marks(route):
        if "markRead" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()
    screen.page.route_web_socket("**/socket.io/**", lambda socket: socket.close())     # everything by requests
    screen.page.route("**/socket.io/**", hold_read_marks)
    screen.page.route("**/users?*", lambda route: route.abort())    # nothing but the mark brings the list up to date
    screen.page.goto("/")
    with screen.page.expect_request(lambda request: "markRead" in (request.post_data or "")):
        screen.link(bob).click()
    screen.link(charlie).click()
    expect(screen.heading).to_have_text(f"Chat with: {charlie.username}")
    expect(screen.card(bob)).to_have_attribute("data-unread", "1")
    held.pop(0).continue_()
    expect(screen.card(bob)).to_have_attribute("data-unread", "0")


def test_unread_follows_on_every_tab(chat, alice, bob, arrive, sit_down):
    charlie = arrive(chat)
    first = sit_down(alice, f"/chat/{charlie.username}")
    second = first.another_tab()
    bob.send(alice, "to both tabs")
    for screen in (first, second):
        expect(screen.card(bob)).to_have_attribute("data-unread", "1")
        expect(screen.page).to_have_title(re.compile(r"^\(1\) "))
    second.link(bob).click()
    for screen in (first, second):
        expect(screen.card(bob)).to_have_attribute("data-unread", "0")
        expect(screen.page).not_to_have_title(re.compile(r"^\("))


def test_typing_is_seen_and_ends(alice, bob, sit_down):
    screen, at_bob = sit_down(alice, f"/chat/{bob.username}"), sit_down(bob, f"/chat/{alice.username}")
    peer_status = screen.page.locator("[data-part=peer-status]")
    expect(peer_status).to_have_text("online")
    expect(at_bob.page.locator("[data-part=peer-status]")).to_have_text("online")
    at_bob.field.press_sequentially("hm")
    expect(peer_status).to_have_text("is typing…")
    expect(status(screen, bob)).to_have_text("is typing…")
    expect(peer_status).to_have_text("online")       # by itself, after five seconds
    at_bob.field.press_sequentially("m")
    expect(peer_status).to_have_text("is typing…")
    at_bob.field.press("Enter")
    expect(peer_status).to_have_text("online", timeout=2000)


def test_a_reload_is_not_going_offline(alice, bob, sit_down):
    screen, at_bob = sit_down(alice), sit_down(bob)
    expect(status(screen, bob)).to_have_text("online")
    screen.page.evaluate("""id => {
      window.words = [];
      const status = document.querySelector(`li.person[data-user-id="${id}"] [data-part=status]`);
      new MutationObserver(() => window.words.push(status.textContent)).observe(status, {childList: true, characterData: true, subtree: true});
    }""", bob.id)
    at_bob.page.reload()
    at_bob.page.goto(f"/chat/{alice.username}")
    at_bob.send("still here")
    expect(screen.card(bob)).to_contain_text("still here")
    assert "offline" not in screen.page.evaluate("words")


def test_a_long_list_is_loaded_as_one_scrolls(start_server, arrive, sit_down):
    server = start_server()
    people = [arrive(server) for _number in range(60)]
    screen = sit_down(people[0])
    screen.page.locator("#people-scroll").evaluate("scroll => { scroll.scrollTop = scroll.scrollHeight; }")
    expect(screen.people).to_have_count(59)
    expect(screen.page.locator("#people-more")).to_have_count(0)


RECONNECT = "dispatchEvent(new Event('online'))"     # after which the list is asked for again


def test_a_refresh_keeps_the_search_where_it_was(start_server, arrive, sit_down):
    server = start_server()
    people = [arrive(server) for _number in range(60)]
    screen = sit_down(people[0])
    scroll = screen.page.locator("#people-scroll")
    with screen.page.expect_response("**/users?*"):      # the refresh of a page that has just come
        screen.search.fill("person")
    scroll.evaluate("scroll => { scroll.scrollTop = scroll.scrollHeight; }")
    expect(screen.people).to_have_count(59)
    last = screen.people.last.get_by_role("link")
    last.focus()
    before = scroll.evaluate("scroll => scroll.scrollTop")
    with screen.page.expect_response("**/users?q=person"):
        screen.page.evaluate(RECONNECT)
    screen.page.wait_for_function("() => new Promise(requestAnimationFrame)")
    expect(screen.people).to_have_count(59)
    expect(last).to_be_focused()
    assert before > 0 and scroll.evaluate("scroll => scroll.scrollTop") == before


@pytest.fixture
def slow_search(start_server, arrive, sit_down):
    """A search that has shown its skeleton: the screen, the one other person, and its request as a list. All others fail."""
    server = start_server()
    alice, bob = arrive(server), arrive(server)
    screen, held = sit_down(alice, expects="ERR_FAILED"), []
    expect(screen.card(bob)).to_be_visible()
    screen.page.route("**/users?*", lambda route: route.abort() if held else held.append(route))
    screen.search.fill("slow")
    expect(screen.page.locator(".skeleton-person").first).to_be_visible()
    return screen, bob, held


def test_a_search_that_fails_puts_the_people_back(slow_search):
    screen, bob, _held = slow_search
    screen.search.fill(bob.username)
    expect(screen.card(bob)).to_be_visible()
    expect(screen.page.locator(".skeleton-person")).to_have_count(0)


@pytest.mark.parametrize("is_found", [True, False])
def test_an_answer_that_comes_late_does_not_take_the_focus_away(chat, alice, bob, sit_down, is_found):
    """Who is quick with Tab and Enter would press Enter on nothing."""
    screen, held = sit_down(alice), []
    screen.search.fill(bob.username[:-1])
    expect(screen.people).to_have_count(1)
    screen.page.route("**/users?*", lambda route: held.append(route))
    screen.search.fill(bob.username if is_found else "somebody else")
    screen.link(bob).focus()
    assert wait_for(lambda: held or screen.page.wait_for_timeout(1), PATIENCE_MS / 1000)
    screen.page.wait_for_timeout(SKELETON_MS)       # where there would be a skeleton in place of the link
    expect(screen.link(bob)).to_be_focused()
    held[0].continue_()
    expect(screen.people).to_have_count(1 if is_found else 0)
    expect(screen.link(bob) if is_found else screen.search).to_be_focused()


@pytest.mark.parametrize("is_found", [True, False])
def test_enter_waits_for_the_search_under_way(chat, alice, bob, charlie, sit_down, is_found):
    """Until its answer comes, the list is that of another search, and its first person nobody's choice."""
    charlie.send(alice, "I am the first")
    screen, held = sit_down(alice), []
    expect(screen.people.first).to_contain_text(charlie.username)
    screen.page.route("**/users?*", lambda route: held.append(route))
    screen.search.fill(bob.username if is_found else "nobody at all")
    assert wait_for(lambda: held or screen.page.wait_for_timeout(1), PATIENCE_MS / 1000)
    screen.page.keyboard.press("Enter")
    screen.page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(screen.heading).to_have_count(0)
    held[0].continue_()
    expect(screen.people).to_have_count(1 if is_found else 0)
    if is_found:
        expect(screen.heading).to_contain_text(bob.username)
    else:
        expect(screen.page.get_by_text("Please choose someone to talk to.")).to_be_visible()


def test_a_refresh_waits_for_the_search_under_way(slow_search):
    screen, bob, held = slow_search
    screen.page.evaluate(RECONNECT)
    bob.tab()
    expect(screen.page.locator("#online-count")).to_have_text("1 online")      # connected, then
    held[0].continue_()
    expect(screen.page.get_by_text("No results for “slow”.")).to_be_visible()
    expect(screen.people).to_have_count(0)
    expect(screen.page.locator(".skeleton-person")).to_have_count(0)

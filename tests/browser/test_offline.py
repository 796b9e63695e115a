"""Without a connection: what can be shown is shown, and what cannot says so in words."""
import re

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.screen import PATIENCE_MS, PHONE
from tests.people import new_client_id

pytestmark = pytest.mark.browser

NO_NETWORK = r"ERR_INTERNET_DISCONNECTED|ERR_FAILED|WebSocket connection|ERR_NETWORK|401|Failed to load"
HANDSHAKES = 600     # new transports of one address, after which the server refuses more


def banner(screen):
    return screen.page.locator("#connection")


def go_offline(screen):
    screen.page.context.set_offline(True)
    expect(banner(screen)).to_contain_text("You are offline.")


def test_it_works(chat, alice, bob, arrive, sit_down):
    """A person who cannot be opened stays closed, and the page says why."""
    charlie = arrive(chat)
    screen = sit_down(alice, f"/chat/{bob.username}", expects=NO_NETWORK)
    expect(screen.link(charlie)).to_be_visible()
    go_offline(screen)
    screen.link(charlie).click()
    expect(banner(screen)).to_contain_text("cannot be loaded without a connection")
    expect(screen.heading).to_have_text(f"Chat with: {bob.username}")
    expect(banner(screen)).to_contain_text("You are offline.")      # again, after a moment
    screen.page.context.set_offline(False)
    expect(banner(screen)).to_contain_text("You are back online.")
    screen.link(charlie).click()
    expect(screen.heading).to_have_text(f"Chat with: {charlie.username}")


@pytest.mark.parametrize("back", [
    lambda screen: screen.page.get_by_role("link", name="Back to the list").tap(),
    lambda screen: screen.page.go_back(),
    lambda screen: screen.page.keyboard.press("Escape")], ids=["the arrow", "the browser's", "Escape"])
def test_the_way_back_to_the_list_needs_no_network(chat, alice, bob, sit_down, back):
    screen = sit_down(alice, viewport=PHONE, has_touch=True, is_mobile=True, expects=NO_NETWORK)
    screen.link(bob).tap()
    expect(screen.heading).to_be_visible()
    go_offline(screen)
    back(screen)
    expect(screen.link(bob)).to_be_visible()
    expect(screen.page).to_have_url(f"{chat.url}/")
    expect(screen.page).to_have_title("Conversations · Chat")
    expect(screen.field).to_be_hidden()


def test_nobody_is_called_online_whose_presence_is_not_known(alice, bob, sit_down):
    bob.tab()
    screen = sit_down(alice, f"/chat/{bob.username}", expects=NO_NETWORK)
    card, count = screen.card(bob), screen.page.locator("#online-count")
    peer_status = screen.page.locator("[data-part=peer-status]")
    expect(card).to_have_attribute("data-online", "true")
    expect(count).not_to_be_empty()
    go_offline(screen)
    expect(card).to_have_attribute("data-online", "unknown")
    expect(card.locator("[data-part=dot]")).to_be_hidden()
    expect(card.locator("[data-part=status]")).to_be_empty()
    expect(peer_status).to_be_hidden()
    expect(count).to_be_empty()
    screen.page.context.set_offline(False)
    expect(card).to_have_attribute("data-online", "true")
    expect(peer_status).to_have_text("online")
    expect(count).to_have_text(re.compile("online"))


def test_the_people_on_the_page_are_searched_here(chat, alice, arrive, sit_down):
    word = new_client_id()[:6]
    jose, other = arrive(chat, f"José {word}"), arrive(chat, f"Zoë {word}")
    screen = sit_down(alice, expects=NO_NETWORK)
    everyone = screen.people.count()
    screen.expect_loaded_later()
    go_offline(screen)
    screen.search.fill(f"jose {word.upper()}")
    expect(screen.people).to_have_count(1)
    expect(screen.card(jose)).to_be_visible()
    screen.search.fill(f"zoe {word}")
    expect(screen.people).to_have_count(1)
    expect(screen.card(other)).to_be_visible()
    screen.search.fill("x" * 30)
    expect(screen.page.get_by_text(f"No results for “{'x' * 30}” on this page.")).to_be_visible()
    expect(screen.page.get_by_text("No connection: only the people on this page can be searched.")).to_be_visible()
    screen.search.fill("")
    expect(screen.people).to_have_count(everyone)
    screen.search.fill(word)
    expect(screen.people).to_have_count(2)
    screen.page.context.set_offline(False)
    expect(banner(screen)).to_contain_text("You are back online.")
    screen.search.fill("")
    expect(screen.card(jose)).to_be_visible()


@pytest.mark.parametrize("status, words", [(401, "Too many people are connected from your network."),
                                           (429, "Too many people are connected from your network."),
                                           (403, "The server refused the connection.")])
def test_a_refused_connection_is_told_in_words(alice, sit_down, status, words):
    screen = sit_down(alice, "/login", expects=NO_NETWORK + "|40[13]|429")
    screen.page.route("**/socket.io/**", lambda route: route.fulfill(status=status, body='"no"'))
    screen.page.goto("/")
    expect(banner(screen)).to_contain_text(words)
    screen.page.unroute("**/socket.io/**")
    expect(banner(screen)).to_contain_text("You are back online.")


def test_one_too_many_behind_an_address_reads_why(start_server, arrive, sit_down):
    """The server's own refusal, as a school with one address meets it; the page comes in by itself when there is room."""
    alice = arrive(start_server(RATELIMIT_ENABLED="1"))
    with requests.Session() as others:      # they open transports and say nothing more
        answers = (others.get(alice.url + "/socket.io/?EIO=4&transport=polling", timeout=PATIENCE_MS / 1000) for _n in range(HANDSHAKES))
        assert any(answer.status_code == 401 for answer in answers)
    screen = sit_down(alice, expects=NO_NETWORK)
    expect(banner(screen)).to_contain_text("Too many people are connected from your network.")
    expect(screen.page.locator("#online-count")).to_be_empty()
    expect(banner(screen)).to_contain_text("You are back online.", timeout=3 * PATIENCE_MS)


def test_a_server_that_is_not_there_is_waited_for(alice, sit_down):
    screen = sit_down(alice, "/login", expects=NO_NETWORK + "|503")
    screen.page.route("**/socket.io/**", lambda route: route.fulfill(status=503, body="down"))
    screen.page.goto("/")
    expect(banner(screen)).to_contain_text("Reconnecting…")


def test_one_person_with_too_many_tabs_reads_why(start_server, arrive, sit_down):
    alice = arrive(start_server(RATELIMIT_ENABLED="1"))
    for _n in range(10):
        alice.tab()
    screen = sit_down(alice, expects=NO_NETWORK)
    expect(banner(screen)).to_contain_text("Too many open tabs.")
    alice.tabs[0].close()
    expect(banner(screen)).to_contain_text("You are back online.")

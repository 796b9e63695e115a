"""The cards of the lists stay right whatever happens: what they fetch, which version they show, what they count and find."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.screen import NO_NETWORK, NOTE_WHAT_IS_SENT, PATIENCE_MS
from tests.browser.test_rooms import room_card
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

LISTS = "performance.getEntriesByType('resource').filter(({ name }) => name.includes('/rooms?list')).length"


def change(tab, message, **verb):
    answer = tab.call("changeMessage", {"clientId": f"c{message['id']}{list(verb)[0]}", "conversationId": message["conversationId"],
                                        "seq": message["seq"], **verb})
    assert answer["ok"], answer


def test_coming_and_going_fetches_no_list(alice, bob, charlie, room, sit_down):
    screen = sit_down(bob)
    screen.expect_connected()
    screen.expect_loaded_later()
    screen.page.wait_for_function(f"() => {LISTS} > 0")       # the one after connecting
    before = screen.page.evaluate(LISTS)
    for act, fields in (("members", {"username": charlie.username}), (f"members/{charlie.username}/remove", {}),
                        ("settings", {"name": "algebra", "color": 5})):
        alice.ask(f"/rooms/{room}/{act}", **fields)
    card = room_card(screen, room)
    expect(card.locator('[data-part="name"]')).to_have_text("algebra")
    expect(card.locator('[data-part="tile"]')).to_have_attribute("data-tint", "5")
    expect(card).to_have_attribute("data-members", "2")
    alice.ask(f"/rooms/{room}/settings", icon="coffee")     # its picture is not on the page: this alone is fetched, and after all before it
    expect(card.locator('[data-part="tile"]')).to_have_attribute("data-icon", "coffee")
    assert screen.page.evaluate(LISTS) == before + 1


def test_what_has_reached_a_large_room_is_told_nobody(alice, bob, room, sit_down):
    screen = sit_down(bob)
    screen.page.add_init_script(NOTE_WHAT_IS_SENT)
    screen.page.reload()
    screen.expect_connected()
    card = room_card(screen, room)
    tab = alice.tab()

    def marks(text):
        tab.send_to_room(room, text)
        expect(card.locator('[data-part="preview"]')).to_have_text(f"{alice.username}: {text}")
        tab.send(bob, text)     # what is marked of this one leaves after what is marked of that
        screen.page.wait_for_function("n => sent.filter((data) => /markDelivered.*userId/.test(data)).length >= n", arg=len(told))
        return screen.page.evaluate(f"sent.filter((data) => /markDelivered.*conversationId.:{room}\\b/.test(data)).length")
    told = [1]
    assert marks("small") == 1
    card.evaluate("card => { card.dataset.members = 51; }")
    told.append(2)
    assert marks("large") == 1, "the server would throw it away"


def test_an_edit_that_mentions_me_is_counted_on_every_tab(alice, bob, room, sit_down):
    screen = sit_down(alice)
    tabs = [screen, screen.another_tab()]
    for tab in tabs:
        tab.expect_connected()
        tab.expect_loaded_later()
    at_bob = bob.tab()
    message = at_bob.send_to_room(room, "for all")["message"]
    for tab in tabs:
        expect(room_card(tab, room).locator('[data-part="unread"]')).to_contain_text("1 unread")
    change(at_bob, message, edit=f"for @{alice.username}")
    for tab in tabs:
        expect(room_card(tab, room).get_by_text("You are mentioned")).to_be_visible()
        expect(tab.page).to_have_title(re.compile(r"^\(1\) "))
    answer = at_bob.call("changeMessage", {"clientId": "again", "conversationId": room, "seq": message["seq"], "edit": "for nobody"})
    assert answer["ok"]
    for tab in tabs:
        expect(room_card(tab, room).get_by_text("You are mentioned")).to_be_hidden()
        expect(tab.page).to_have_title(re.compile(r"^Conversations"))


def test_a_mention_in_a_room_further_down_is_in_the_title(alice, bob, sit_down):
    far = bob.make_room("far", alice)
    seq = bob.tab().send_to_room(far, f"@{alice.username}")["message"]["seq"]
    for number in range(20):
        bob.make_room(f"near {number}", alice)
    screen = sit_down(alice)
    expect(screen.page).to_have_title(re.compile(r"^\(1\) "))
    screen.page.get_by_role("link", name="Show more rooms").click()
    expect(room_card(screen, far).get_by_text("You are mentioned")).to_be_visible()
    expect(screen.page).to_have_title(re.compile(r"^\(1\) "))
    alice.tab().call("markRead", {"conversationId": far, "seq": seq})
    expect(screen.page).to_have_title(re.compile(r"^Conversations"))


def test_a_list_that_comes_late_takes_nothing_back(alice, bob, room, sit_down):
    """A message was pushed while the server's answer, which has the one before, was on its way. The card stays the same element."""
    screen = sit_down(alice)
    screen.expect_connected()
    screen.expect_loaded_later()
    screen.page.wait_for_function(f"() => {LISTS} > 0")
    at_bob, card = bob.tab(), room_card(screen, room)
    at_bob.send_to_room(room, "before")
    expect(card).to_contain_text("before")
    card.evaluate("card => { card.stayed = true; }")
    held = []
    screen.page.route("**/rooms?list*", lambda route: held.append(route))
    bob.make_room("another", alice)     # the list is asked for
    assert wait_for(lambda: screen.page.wait_for_timeout(20) or held, PATIENCE_MS / 1000)
    stale = held[0].fetch()
    at_bob.send_to_room(room, f"after @{alice.username}")
    expect(screen.page).to_have_title(re.compile(r"^\(1\) "))
    held[0].fulfill(response=stale)
    screen.page.unroute("**/rooms?list*")
    expect(screen.page.locator("#rooms > li.room")).to_have_count(2)
    expect(card).to_contain_text("after")
    expect(card.get_by_text("You are mentioned")).to_be_visible()
    expect(screen.page).to_have_title(re.compile(r"^\(1\) "))
    assert card.evaluate("card => card.stayed")


@pytest.mark.parametrize("place", ["room", "person"])
def test_a_deleted_text_does_not_come_back(alice, bob, room, sit_down, place):
    """An edit was pushed, and its text is remembered. That the message was deleted is in the list alone, which is newer."""
    at_bob = bob.tab()
    message = (at_bob.send_to_room(room, "first") if place == "room" else at_bob.send(alice, "first"))["message"]
    screen = sit_down(alice, expects=NO_NETWORK)
    screen.expect_connected()
    screen.expect_loaded_later()
    preview = (room_card(screen, room) if place == "room" else screen.card(bob)).locator('[data-part="preview"]')
    change(at_bob, message, edit="secret")
    expect(preview).to_contain_text("secret")
    screen.page.context.set_offline(True)
    expect(screen.page.locator("#connection")).to_contain_text("offline")
    change(at_bob, message, delete=True)
    screen.page.context.set_offline(False)
    with screen.page.expect_response(re.compile("/rooms.list=" if place == "room" else "/users")):
        screen.expect_connected()
    expect(preview).to_have_text("This message was deleted.")


def test_cards_further_down_are_right_after_a_reconnection(alice, bob, sit_down):
    far = bob.make_room("far", alice)
    at_bob = bob.tab()
    message = at_bob.send_to_room(far, "before")["message"]
    for number in range(20):
        bob.make_room(f"near {number}", alice)
    screen = sit_down(alice, expects=NO_NETWORK)
    screen.page.get_by_role("link", name="Show more rooms").click()
    preview = room_card(screen, far).locator('[data-part="preview"]')
    expect(preview).to_have_text(f"{bob.username}: before")
    screen.expect_loaded_later()
    screen.page.context.set_offline(True)
    expect(screen.page.locator("#connection")).to_contain_text("offline")
    change(at_bob, message, edit="after")
    screen.page.context.set_offline(False)
    expect(preview).to_have_text(f"{bob.username}: after")
    expect(screen.page.locator("#rooms > li.room")).to_have_count(21)


def test_a_card_with_the_focus_comes_first_and_keeps_it(alice, bob, room, sit_down):
    screen = sit_down(alice, expects="ERR_FAILED")
    screen.expect_connected()
    bob.make_room("another", alice)
    expect(screen.page.locator("#rooms > li.room").first).to_contain_text("another")
    screen.page.route("**/rooms?list*", lambda route: route.abort())    # which would order them too
    link = room_card(screen, room).get_by_role("link")
    link.focus()
    bob.tab().send_to_room(room, "up")
    expect(screen.page.locator("#rooms > li.room").first).to_contain_text("up")
    expect(link).to_be_focused()


def test_the_search_reaches_rooms(alice, bob, sit_down):
    wanted = alice.make_room("Théorie des ensembles")
    alice.make_room("before")
    hidden = alice.make_room("other 0")
    for number in range(1, 21):
        alice.make_room(f"other {number}")
    screen = sit_down(alice)
    shown = screen.page.locator("#rooms > li.room:visible")
    expect(room_card(screen, wanted)).to_have_count(0)      # further down than the list shows
    screen.search.fill("theorie")
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text("Théorie des ensembles")
    expect(screen.page.get_by_text("No results for")).to_be_hidden()
    expect(screen.page.locator("#announcer")).to_have_text("1 room found")
    screen.search.press("ArrowDown")
    expect(shown.get_by_role("link")).to_have_attribute("data-active", "")
    screen.search.press("Enter")
    expect(screen.page.get_by_role("heading", name="Théorie des ensembles", level=1)).to_be_visible()
    screen.search.fill("")
    expect(shown.nth(20)).to_be_visible()       # as many as before, and what was found
    expect(shown.last).to_contain_text("Théorie des ensembles")     # it is open: another that was found goes with the search
    screen.search.fill("other 0")
    expect(shown).to_have_count(1)
    screen.search.fill("")
    expect(shown).to_have_count(21)
    expect(room_card(screen, hidden)).to_have_count(0)
    screen.page.get_by_role("link", name="Show more rooms").press("Enter")
    expect(shown).to_have_count(23)
    expect(room_card(screen, hidden).get_by_role("link")).to_be_focused()
    expect(shown.nth(20)).to_contain_text("other 0")
    expect(shown.nth(22)).to_contain_text("Théorie des ensembles")      # where its last message places it
    screen.search.fill("nothing like it")
    expect(screen.page.get_by_text("No results for")).to_be_visible()


def test_a_new_connection_during_a_search_lists_no_further_rooms(alice, sit_down):
    """The list is fetched anew then: as much of it as was shown, without the pages that the results are on."""
    for number in range(22):
        alice.make_room(f"other {number}")
    screen = sit_down(alice, expects=NO_NETWORK)
    screen.expect_connected()
    screen.expect_loaded_later()
    shown = screen.page.locator("#rooms > li.room:visible")
    screen.search.fill("other 0")
    expect(shown).to_have_count(1)
    screen.page.context.set_offline(True)
    expect(screen.page.locator("#connection")).not_to_have_attribute("data-connection", "online")
    with screen.page.expect_response(lambda response: response.url.endswith("/rooms?list=")):
        screen.page.context.set_offline(False)
    screen.expect_connected()
    expect(shown).to_have_count(1)
    screen.search.fill("")
    expect(shown).to_have_count(20)
    expect(screen.page.get_by_role("link", name="Show more rooms")).to_be_visible()


def test_after_a_search_of_the_server_the_whole_list_comes_back(alice, sit_down):
    for name in ("maths", "physics"):
        alice.make_room(name)
    screen = sit_down(alice, "/?q=MATHS")
    shown = screen.page.locator("#rooms > li.room:visible")
    expect(shown).to_have_count(1)
    screen.search.fill("")
    expect(shown).to_have_count(2)


def test_what_the_server_has_found_stays_however_it_compares_names(alice, sit_down):
    room = alice.make_room("Émile")
    alice.make_room("maths")
    screen = sit_down(alice, "/?q=emile")
    screen.expect_connected()
    expect(room_card(screen, room)).to_be_visible()
    screen.page.wait_for_function(f"() => {LISTS} > 0")     # the whole list, after connecting
    expect(screen.page.locator("#rooms > li.room")).to_have_count(2)
    expect(room_card(screen, room)).to_be_visible()
    expect(screen.page.locator("#rooms > li.room:visible")).to_have_count(1)


def test_a_search_that_finds_many_rooms_goes_on(alice, sit_down):
    for number in range(21):
        alice.make_room(f"Théorie {number}")
    for number in range(20):
        alice.make_room(f"other {number}")
    screen = sit_down(alice)
    shown, more = screen.page.locator("#rooms > li.room:visible"), screen.page.get_by_role("link", name="Show more rooms")
    screen.search.fill("theorie")
    expect(shown.first).to_contain_text("Théorie")
    expect(shown).to_have_count(20)
    more.click()
    expect(shown).to_have_count(21)
    expect(more).to_have_count(0)

"""The panel about a room: it opens and closes beside a conversation that stays as it is, and follows what happens to the room."""
import pytest
from playwright.sync_api import expect

from tests.browser.screen import NO_NETWORK, PHONE
from tests.browser.test_rooms import room_card

pytestmark = pytest.mark.browser


def panel(screen):
    return screen.page.get_by_role("complementary", name="About this room")


def member(screen, person):
    return screen.page.locator(f'#members > li[data-user-id="{person.id}"]')


def ready(screen):
    screen.expect_connected()
    screen.expect_loaded_later()
    return screen


def test_opening_and_closing_leaves_the_conversation_as_it_is(alice, bob, room, sit_down):
    tab = bob.tab()
    for number in range(60):
        tab.send_to_room(room, f"number {number}\n\n\n")
    screen = ready(sit_down(alice, f"/rooms/{room}"))
    page = screen.page
    screen.field.fill("half a tho")
    page.evaluate("document.querySelector('#conversation').stayed = true")
    screen.history.evaluate("list => { list.scrollTop = 900; }")
    before = screen.history.evaluate("list => [...list.querySelectorAll('li.message')].find((row) => row.getBoundingClientRect().top > 100).dataset.seq")
    page.get_by_role("link", name="About this room").click()
    expect(page.get_by_role("heading", name="About this room")).to_be_focused()
    assert page.url.endswith(f"/rooms/{room}?info")
    page.get_by_role("link", name="Close").click()
    expect(panel(screen)).to_have_count(0)
    expect(page.get_by_role("link", name="About this room")).to_be_focused()
    assert page.evaluate("document.querySelector('#conversation').stayed") and screen.field.input_value() == "half a tho"
    after = screen.history.evaluate("list => [...list.querySelectorAll('li.message')].find((row) => row.getBoundingClientRect().top > 100).dataset.seq")
    assert after == before
    page.go_back()
    expect(panel(screen)).to_be_visible()
    page.go_back()
    expect(panel(screen)).to_have_count(0)
    assert page.evaluate("document.querySelector('#conversation').stayed")


def test_the_panel_follows_who_comes_and_goes(alice, bob, charlie, arrive, chat, room, sit_down):
    dora = arrive(chat)
    screen = ready(sit_down(alice, f"/rooms/{room}?info"))
    menu = member(screen, bob).get_by_label(f"More about {bob.username}")
    menu.click()
    menu.focus()
    alice.ask(f"/rooms/{room}/members", username=charlie.username)
    bob.ask(f"/rooms/{room}/members", username=dora.username)
    expect(screen.page.locator("#members > li")).to_have_count(4)
    expect(panel(screen).locator('[data-part="member-count"]')).to_have_text("4")
    expect(menu).to_be_focused()
    expect(member(screen, bob).get_by_role("button", name="Make an owner")).to_be_visible()
    charlie.ask(f"/rooms/{room}/leave")
    expect(member(screen, charlie)).to_have_count(0)
    expect(member(screen, dora)).to_have_attribute("data-online", "false")
    tab = dora.tab()
    expect(member(screen, dora)).to_have_attribute("data-online", "true")
    expect(member(screen, dora)).to_contain_text("online")
    tab.close()
    expect(member(screen, dora)).to_have_attribute("data-online", "false")


def test_a_new_role_reaches_an_open_page(alice, bob, room, sit_down):
    screen = ready(sit_down(bob, f"/rooms/{room}?info"))
    expect(screen.page.get_by_text("Change this room")).to_have_count(0)
    alice.ask(f"/rooms/{room}/members/{bob.username}/role", role="owner")
    expect(screen.page.locator("#conversation")).to_have_attribute("data-role", "owner")
    expect(panel(screen).get_by_text("Change this room")).to_be_visible()
    alice.ask(f"/rooms/{room}/settings", icon="coffee", color=6, name="algebra")
    tile = screen.page.locator("#conversation .conversation-header > .tile")
    expect(tile).to_have_attribute("data-tint", "6")
    expect(tile).to_have_attribute("data-icon", "coffee")
    expect(panel(screen).locator(".info-about")).to_contain_text("algebra")


def test_a_form_of_the_panel_leaves_the_conversation_as_it_is(alice, bob, charlie, arrive, chat, room, sit_down):
    dora = arrive(chat)
    screen = ready(sit_down(alice, f"/rooms/{room}?info", expects="404"))
    page = screen.page
    screen.field.fill("half a tho")
    page.evaluate("document.querySelector('#conversation').stayed = true")
    page.evaluate("document.querySelector('#info-panel').isOld = true")
    page.get_by_role("button", name="Mentions").click()
    page.wait_for_function("() => !document.querySelector('#info-panel').isOld")
    expect(page.get_by_role("button", name="Mentions")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Mentions")).to_be_focused()
    panel(screen).get_by_text("Add", exact=True).first.click()
    field = panel(screen).get_by_label("Username")
    field.fill("nobody like it")
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(field).to_have_value("nobody like it")
    for person in (charlie, dora):      # one after another
        field.fill(person.username)
        field.press("Enter")
        expect(member(screen, person)).to_be_visible()
        expect(field).to_be_focused()
        expect(field).to_have_value("")
    assert page.evaluate("document.querySelector('#conversation').stayed") and screen.field.input_value() == "half a tho"


def test_a_refusal_without_a_page_of_its_own_is_said_in_words(alice, charlie, sit_down):
    room = alice.make_room("maths", open=True)
    screen = ready(sit_down(charlie, f"/rooms/{room}", expects="403"))
    alice.ask(f"/rooms/{room}/settings", archived=True)
    screen.page.get_by_role("button", name="Join").click()
    expect(screen.page.get_by_role("alert")).to_have_text("This room is archived: nobody can join it any more.")
    assert screen.page.url.endswith(f"/rooms/{room}")
    expect(screen.page.get_by_role("button", name="Join")).to_be_enabled()


def test_a_press_on_the_name_opens_the_panel_on_a_phone(alice, room, sit_down):
    screen = ready(sit_down(alice, f"/rooms/{room}", viewport=PHONE))
    box = screen.page.get_by_role("heading", name="maths", level=1).bounding_box()
    screen.page.mouse.click(box["x"] + 10, box["y"] + box["height"] / 2)
    expect(screen.page.get_by_role("heading", name="About this room")).to_be_focused()
    screen.page.get_by_role("link", name="Close").click()
    screen.page.get_by_role("link", name="Back to the list").click()
    expect(screen.page.get_by_role("heading", name="Rooms")).to_be_visible()


def test_an_empty_room_says_what_to_do_until_somebody_writes(alice, bob, sit_down):
    room = alice.make_room("maths")
    screen = ready(sit_down(alice, f"/rooms/{room}"))
    start = screen.page.get_by_role("heading", name="maths begins here")
    expect(start).to_be_visible()
    screen.page.get_by_role("link", name="Add people").click()
    expect(panel(screen).get_by_label("Username")).to_be_focused()
    screen.page.locator(".unwritten").get_by_role("link", name="Add a topic").click()
    expect(panel(screen).get_by_label("Topic")).to_be_focused()
    screen.page.locator("h1").click()
    screen.page.locator(".unwritten").get_by_role("link", name="Add a topic").click()
    topic, header = panel(screen).get_by_label("Topic"), screen.page.locator("#conversation > header")
    expect(topic).to_be_focused()
    alice.ask(f"/rooms/{room}/settings", icon="coffee", topic="")
    expect(header.locator(".tile")).to_have_attribute("data-icon", "coffee")
    expect(header.get_by_role("link", name="Add a topic")).to_be_visible()
    topic.fill("sets")
    topic.press("Enter")
    expect(header).to_contain_text("sets")
    expect(screen.page.get_by_role("link", name="Add a topic")).to_have_count(0)
    expect(screen.page.locator(".unwritten")).to_contain_text("Nobody else is in it yet.")
    alice.ask(f"/rooms/{room}/members", username=bob.username)
    expect(screen.page.locator(".unwritten")).not_to_contain_text("Nobody else is in it yet.")
    expect(panel(screen).locator("#members > li")).to_have_count(2)
    panel(screen).get_by_text("Add", exact=True).first.click()
    panel(screen).get_by_label("Username").fill("nobody like it")
    screen.page.locator(".unwritten").get_by_role("link", name="Add people").focus()
    bob.tab().send_to_room(room, "first")
    expect(start).to_be_hidden()
    expect(screen.page.locator("#history")).to_be_focused()


def test_the_text_of_who_was_removed_is_not_lost(alice, bob, room, sit_down):
    screen = ready(sit_down(bob, f"/rooms/{room}", expects=f"404|{NO_NETWORK}"))
    screen.page.context.set_offline(True)
    screen.send("what I wanted to say")
    screen.expect_state("what I wanted to say", "pending")
    alice.ask(f"/rooms/{room}/members/{bob.username}/remove")
    screen.page.context.set_offline(False)
    lost = screen.page.locator("#lost-notes > li")
    expect(lost.get_by_role("textbox")).to_have_value("what I wanted to say")
    expect(lost).to_contain_text("you are not a member of this room any more")
    screen.page.goto("/")
    expect(room_card(screen, room)).to_have_count(0)
    expect(lost).to_have_count(1)
    lost.get_by_role("button", name="Delete").click()
    expect(lost).to_have_count(0)
    expect(screen.search).to_be_focused()


def test_what_is_written_into_one_form_of_the_panel_outlives_the_answer_to_another(alice, charlie, room, sit_down):
    screen = ready(sit_down(alice, f"/rooms/{room}?info"))
    here = panel(screen)
    here.get_by_text("Add", exact=True).first.click()
    here.get_by_label("Username").fill("half a na")
    here.get_by_text("Change this room").click()
    here.get_by_label("Topic").fill("half a to")
    here.get_by_text("Open: it is listed").click()
    here.get_by_role("button", name="Mentions").click()
    expect(here.get_by_role("button", name="Mentions")).to_have_attribute("aria-pressed", "true")
    expect(here.get_by_label("Username")).to_have_value("half a na")
    expect(here.get_by_label("Topic")).to_have_value("half a to")
    expect(here.get_by_label("Topic")).to_be_visible()
    expect(here.get_by_label("Open: it is listed")).to_be_checked()
    here.get_by_label("Username").fill(charlie.username)
    here.get_by_label("Username").press("Enter")
    expect(member(screen, charlie)).to_be_visible()
    expect(here.get_by_label("Username")).to_have_value("")
    expect(here.get_by_label("Topic")).to_have_value("half a to")


@pytest.mark.parametrize("answer", ["added", "not found", "refused in words"])
def test_a_form_whose_panel_was_replaced_meanwhile_has_its_answer_in_the_new_one(alice, charlie, room, sit_down, answer):
    """Two forms are sent one after the other; the first one's answer brings a new panel before the second one's is there."""
    username = charlie.username if answer == "added" else "nobody"
    screen = ready(sit_down(alice, f"/rooms/{room}?info", expects="404|429"))
    here, field, held = panel(screen), panel(screen).get_by_label("Username"), []
    screen.page.route(f"**/rooms/{room}/*", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    here.get_by_text("Add", exact=True).first.click()
    with screen.page.expect_request("**/settings"):
        here.get_by_role("button", name="Mentions").click()
    field.fill(username)
    with screen.page.expect_request("**/members"):
        field.press("Enter")
    here.evaluate("panel => { panel.dataset.old = ''; }")
    notify, add = held
    notify.continue_()
    expect(screen.page.locator("#info-panel[data-old]")).to_have_count(0)
    field.press("Enter")        # it waits for its answer already
    if answer == "refused in words":
        add.fulfill(status=429, content_type="text/html", body='<p data-part="detail">Too many requests</p>')
        expect(here.get_by_role("alert")).to_have_text("Too many requests")
    else:
        add.continue_()
        expect(field).to_be_focused()
        expect(field).to_have_value("" if answer == "added" else username)
        expect(member(screen, charlie)).to_have_count(1 if answer == "added" else 0)
    assert len(held) == 2


def test_the_focus_after_saving_goes_to_no_button_of_another_form(alice, room, sit_down):
    """The form of notifications has the same address as that of the name and topic."""
    screen = ready(sit_down(alice, f"/rooms/{room}?info"))
    panel(screen).get_by_text("Change this room").click()
    panel(screen).get_by_label("Topic").fill("sets")
    panel(screen).get_by_role("button", name="Save").press("Enter")
    expect(screen.page.locator(".conversation-header, #conversation > header").first).to_contain_text("sets")
    expect(panel(screen).get_by_role("heading", name="About this room")).to_be_focused()


def test_what_is_written_into_the_panel_outlives_a_new_role(alice, bob, charlie, room, sit_down):
    """The panel has other forms then: they come once nobody writes in it."""
    screen = ready(sit_down(bob, f"/rooms/{room}?info"))
    panel(screen).get_by_text("Add", exact=True).first.click()
    field = panel(screen).get_by_label("Username")
    field.fill("half a na")
    alice.ask(f"/rooms/{room}/members/{bob.username}/role", role="owner")
    expect(screen.page.locator("#conversation")).to_have_attribute("data-role", "owner")
    alice.ask(f"/rooms/{room}/members", username=charlie.username)
    expect(member(screen, charlie)).to_be_visible()
    expect(field).to_have_value("half a na")
    expect(field).to_be_focused()
    field.fill("")
    screen.field.focus()
    expect(panel(screen).get_by_text("Change this room")).to_be_visible()


# When a request has failed, and whoever waits for it has heard of it, the page says so in `hasFailed`.
NOTE_A_FAILURE = """() => {
  const { fetch } = window;
  window.fetch = (...values) => {
    const answer = fetch(...values);
    answer.catch(() => setTimeout(() => { window.hasFailed = true; }));
    return answer;
  };
}"""


def test_a_page_of_the_panel_that_comes_too_late_changes_nothing(alice, room, sit_down):
    """Another page was opened before it came."""
    other = alice.make_room("physics")
    screen = ready(sit_down(alice, f"/rooms/{room}", expects="ERR_FAILED"))
    page, held = screen.page, []
    page.evaluate(NOTE_A_FAILURE)
    page.route("**/rooms/*?info", lambda route: held.append(route))
    page.get_by_role("link", name="About this room").click()
    room_card(screen, other).get_by_role("link").click()
    expect(page.get_by_role("heading", name="physics", level=1)).to_be_visible()
    held.pop().abort()
    page.wait_for_function("() => window.hasFailed")
    assert "cannot be loaded" not in page.locator("#connection").inner_text()       # it would go by itself


def test_an_open_room_is_shown_as_it_is_after_a_time_without_a_network(alice, bob, room, sit_down):
    screen = ready(sit_down(bob, f"/rooms/{room}", expects=NO_NETWORK))
    screen.page.context.set_offline(True)
    expect(screen.page.locator("#connection")).to_contain_text("You are offline.")
    assert alice.ask(f"/rooms/{room}/settings", name="algebra", topic="of rings").status_code == 200
    assert alice.ask(f"/rooms/{room}/settings", archived=True).status_code == 200
    screen.page.context.set_offline(False)
    expect(screen.page.locator("#conversation-title bdi")).to_have_text("algebra")
    expect(screen.page.locator("#archived")).to_be_visible()
    expect(screen.field).to_be_hidden()


def test_a_page_that_is_chosen_by_a_key_has_the_focus_at_its_heading(alice, room, sit_down):
    page = ready(sit_down(alice, f"/rooms/{room}")).page
    for link, heading in (("New room", "New room"), ("Rooms", "Rooms")):
        page.get_by_role("link", name=link, exact=True).first.press("Enter")
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_focused()

"""Notifications of an open tab: who is asked and how, what is notified of, and what ends it."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.past import hold, numbered
from tests.browser.screen import PATIENCE_MS, PHONE, WIDE
from tests.browser.test_accessibility import THEMES, expect_no_sideways_scrolling, expect_no_violation
from tests.browser.test_state import IN_BACKGROUND, TO_FRONT
from tests.browser.test_weight import MAX_SHIFT, OBSERVE_SHIFTS
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

ALLOWED = {"permissions": ["notifications"]}
UNDECIDED = {"permissions": None}

# An init script in the place of the system's own display, which no test can look at. Whether notifications are allowed is for
# the browser to say, until the page asks: it would ask the person, who is not there.
DISPLAY = """
window.notified = [];
window.questions = 0;
window.focused = 0;
window.focus = () => { focused += 1; };
const { Notification: OfBrowser } = window;
let answer = null;
window.Notification = class {
  static get permission() { return answer ?? OfBrowser.permission; }
  static async requestPermission() {
    questions += 1;
    answer = window.reply ?? 'granted';
    return answer;
  }
  constructor(title, options) {
    for (const other of notified) if (other.tag === options.tag) other.isOpen = false;
    Object.assign(this, { title, isOpen: true, ...options });
    notified.push(this);
  }
  close() {
    this.isOpen = false;
    this.onclose?.();
  }
};
"""
OPEN = "notified.filter(({ isOpen }) => isOpen).map(({ title, body }) => [title, body])"

ASKED = """([path, times]) => performance.getEntriesByType('resource').filter(({ name }) => name.endsWith(path)).length >= times"""


@pytest.fixture
def open_tab(sit_down):
    """Open a tab with the display above: `open_tab(person, path)`."""
    def open_it(person, path="/", background=False, **options):
        screen = sit_down(person, path=None, **{**ALLOWED, **options})
        screen.page.context.add_init_script(DISPLAY)
        screen.page.goto(path)
        return ready(screen, background)
    return open_it


def ready(screen, background=False):
    """Wait until a tab is connected, and put its window into the background."""
    screen.expect_connected()
    screen.page.wait_for_function("async () => (await navigator.locks.query()).held.some(({ name }) => name.startsWith('outbox:'))")
    if background:
        screen.page.evaluate(IN_BACKGROUND)
    return screen


def shown(screen):
    return screen.page.evaluate(OPEN)


def expect_shown(screen, *notifications):
    """Wait until just these are shown, as (title, body)."""
    screen.page.wait_for_function(f"wanted => JSON.stringify({OPEN}) === JSON.stringify(wanted)", arg=[list(notification) for notification in notifications])


def press(screen, title):
    screen.page.evaluate("title => notified.find((notification) => notification.isOpen && notification.title === title).onclick()", title)


def card(screen):
    return screen.page.get_by_role("region", name="Know when someone writes to you?")


# --- what is notified of ----------------------------------------------------------------------------------------------

def test_it_works(alice, bob, open_tab):
    """A press opens the conversation of the message, and puts the window in front."""
    screen = open_tab(alice, background=True)
    bob.send(alice, "hello")
    expect_shown(screen, (bob.username, "hello"))
    assert screen.page.evaluate("notified[0].silent")
    press(screen, bob.username)
    expect(screen.heading).to_have_text(f"Chat with: {bob.username}")
    expect(screen.bubble("hello")).to_be_visible()
    assert screen.page.evaluate("focused") == 1
    assert shown(screen) == []


def test_a_room_says_who_speaks_and_opens_too(alice, bob, open_tab):
    room = bob.make_room("maths", alice)
    screen = open_tab(alice, background=True)
    bob.tab().send_to_room(room, "hello all")
    expect_shown(screen, ("maths", f"{bob.username}: hello all"))
    press(screen, "maths")
    expect(screen.page.get_by_role("heading", level=1)).to_have_text("maths")
    expect(screen.bubble("hello all")).to_be_visible()


def test_a_press_leads_to_the_message_itself(alice, bob, open_tab):
    room = bob.make_room("maths", alice)
    his = bob.tab()
    screen = open_tab(alice, background=True)
    seq = his.send_to_room(room, "from afar")["message"]["seq"]
    expect_shown(screen, ("maths", f"{bob.username}: from afar"))
    press(screen, "maths")
    expect(screen.page).to_have_url(re.compile(rf"/rooms/{room}\?at={seq}$"))
    for number in range(30):
        his.send_to_room(room, f"number {number}\n\n\n")
    screen.history.evaluate("list => { list.scrollTop = 0; }")
    his.send_to_room(room, "in the open room")
    expect_shown(screen, ("maths", f"{bob.username}: in the open room"))
    press(screen, "maths")
    expect(screen.bubble("in the open room")).to_have_class(re.compile("ringed"))
    expect(screen.bubble("in the open room")).to_be_in_viewport()


@pytest.mark.parametrize("level, wanted", [("all", ["plain", "@{}", "@all"]), ("mentions", ["@{}", "@all"]), ("none", [])])
@pytest.mark.parametrize("is_listed", [True, False], ids=["in the list", "further down"])
def test_the_level_of_a_room(alice, bob, charlie, open_tab, level, wanted, is_listed):
    """A direct message is always told; here it also says that the earlier ones have been decided on."""
    room = bob.make_room("maths", alice)
    alice.ask(f"/rooms/{room}/settings", notify=level)
    screen = open_tab(alice, background=True, expects="ERR_FAILED")
    if not is_listed:
        screen.page.route("**/rooms?list*", lambda route: route.abort())
        screen.page.evaluate("() => document.querySelectorAll('li.room').forEach((card) => card.remove())")
    his = bob.tab()
    for number, text in enumerate(("plain", "@{}", "@all"), 1):
        his.send_to_room(room, text.format(alice.username))
        if is_listed:
            expect(screen.page.locator("li.room [data-part=preview]")).to_contain_text(text.format(alice.username))
        else:       # the server is asked for the level
            screen.page.wait_for_function(ASKED, arg=[f"/rooms/{room}", number])
    charlie.send(alice, "direct")
    screen.page.wait_for_function("() => notified.some(({ body }) => body === 'direct')")
    bodies = [f"{bob.username}: {text.format(alice.username)}" for text in wanted]
    assert screen.page.evaluate("notified.map(({ body }) => body)") == [*bodies, "direct"]


def test_what_somebody_does_in_a_room_is_not_told(alice, bob, charlie, open_tab):
    room = bob.make_room("maths", alice)
    screen = open_tab(alice, background=True)
    bob.ask(f"/rooms/{room}/members", username=charlie.username)
    alice.tab().send_to_room(room, "from another device")
    bob.send(alice, "hello")
    expect_shown(screen, (bob.username, "hello"))
    assert screen.page.evaluate("notified.length") == 1


def test_nothing_of_what_is_on_the_screen(alice, bob, charlie, open_tab):
    screen = open_tab(alice, f"/chat/{bob.username}")
    bob.send(alice, "seen")
    charlie.send(alice, "elsewhere")
    expect_shown(screen, (charlie.username, "elsewhere"))
    screen.page.evaluate(IN_BACKGROUND)
    bob.send(alice, "not seen")
    expect_shown(screen, (charlie.username, "elsewhere"), (bob.username, "not seen"))
    assert screen.page.evaluate("notified.length") == 2


def test_nothing_of_what_another_tab_has_on_the_screen(chat, alice, bob, charlie, open_tab):
    """The tab that leads is in the background: it asks the other one, whose reader is further up and has not read the newest."""
    hold(chat, alice, bob, numbered(alice, bob, 60))
    front = open_tab(alice, f"/chat/{bob.username}")
    front.history.evaluate("scroll => { scroll.scrollTop = 0; }")
    back = ready(front.another_tab())
    back.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")      # who comes back leads
    back.page.evaluate(IN_BACKGROUND)
    charlie.send(alice, "first")
    expect_shown(back, (charlie.username, "first"))
    bob.send(alice, "below")
    expect(front.pill).to_have_text("1 new")
    charlie.send(alice, "elsewhere")
    expect_shown(back, (charlie.username, "elsewhere"))
    assert back.page.evaluate("notified.length") == 2 and front.page.evaluate("notified.length") == 0


def test_several_tabs_tell_once(alice, bob, charlie, open_tab):
    first = open_tab(alice, background=True)
    tabs = [first, *(ready(first.another_tab(path), background=True) for path in ("/", f"/chat/{bob.username}"))]
    bob.send(alice, "hello")
    charlie.send(alice, "later")
    told = "notified.some(({ body }) => body === 'later')"
    assert wait_for(lambda: any(tab.page.evaluate(told) for tab in tabs), PATIENCE_MS / 1000)
    bodies = [body for tab in tabs for body in tab.page.evaluate("notified.map(({ body }) => body)")]
    assert sorted(bodies) == ["hello", "later"]


def test_one_for_each_conversation(alice, bob, charlie, open_tab):
    screen = open_tab(alice, background=True)
    tab = bob.tab()
    tab.send(alice, "one")
    expect_shown(screen, (bob.username, "one"))
    tab.send(alice, "two")
    charlie.send(alice, "three")
    expect_shown(screen, (bob.username, "two"), (charlie.username, "three"))


# --- what ends it -----------------------------------------------------------------------------------------------------

def test_it_is_withdrawn_when_it_is_read_here(alice, bob, open_tab):
    screen = open_tab(alice, f"/chat/{bob.username}", background=True)
    bob.send(alice, "hello")
    expect_shown(screen, (bob.username, "hello"))
    screen.page.evaluate(TO_FRONT)
    expect_shown(screen)


def test_one_that_is_open_follows_its_message(alice, bob, open_tab):
    """An edit shows in it, and with the message it goes; that of another message changes nothing."""
    screen = open_tab(alice, background=True)
    tab = bob.tab()
    first, second = (tab.send(alice, text)["message"] for text in ("first", "second"))
    expect_shown(screen, (bob.username, "second"))
    tab.change(first, edit="other words")
    tab.change(second, edit="mended")
    expect_shown(screen, (bob.username, "mended"))
    tab.change(first, delete=True)
    tab.change(second, delete=True)
    expect_shown(screen)
    assert screen.page.evaluate("notified.map(({ body }) => body)") == ["first", "second", "mended"]


@pytest.mark.parametrize("kind", ["direct", "room"])
def test_it_is_withdrawn_when_it_is_read_elsewhere(alice, bob, open_tab, kind):
    screen = open_tab(alice, background=True)
    if kind == "direct":
        bob.send(alice, "before")
        seq, where = bob.send(alice, "hello").json()["seq"], {"userId": bob.id}
        notification = (bob.username, "hello")
    else:
        room = bob.make_room("maths", alice)
        seq, where = bob.tab().send_to_room(room, "hello")["message"]["seq"], {"conversationId": room}
        notification = ("maths", f"{bob.username}: hello")
    expect_shown(screen, notification)
    tab = alice.tab()
    tab.call("markRead", {**where, "seq": seq - 1})
    assert shown(screen) == [list(notification)], "the newest is still to be read"
    tab.call("markRead", {**where, "seq": seq})
    expect_shown(screen)


def test_it_is_withdrawn_when_one_is_not_a_member_any_more(alice, bob, open_tab):
    room = bob.make_room("maths", alice)
    screen = open_tab(alice, background=True)
    bob.tab().send_to_room(room, "hello")
    expect_shown(screen, ("maths", f"{bob.username}: hello"))
    bob.ask(f"/rooms/{room}/members/{alice.username}/remove")
    expect_shown(screen)
    bob.ask(f"/rooms/{room}/members", username=alice.username)
    bob.tab().send_to_room(room, "back again")
    expect_shown(screen, ("maths", f"{bob.username}: back again"))


# --- the card that asks -----------------------------------------------------------------------------------------------

def test_the_page_asks_after_the_first_message_and_the_browser_after_a_press(alice, bob, open_tab):
    screen = open_tab(alice, f"/chat/{bob.username}", **UNDECIDED)
    screen.send("mine")
    screen.expect_state("mine", "sent")
    expect(card(screen)).to_have_count(0)
    expect(screen.page.locator("#notify-place")).to_have_attribute("aria-live", "polite")     # it was there before its words
    bob.send(alice, "hello")
    expect(card(screen)).to_be_visible()
    expect(screen.field).to_be_focused()
    assert screen.page.evaluate("[questions, notified.length]") == [0, 0]
    card(screen).get_by_role("button", name="Turn on").click()
    expect(card(screen)).to_have_count(0)
    expect(screen.field).to_be_focused()
    assert screen.page.evaluate("questions") == 1
    screen.page.evaluate(IN_BACKGROUND)
    bob.send(alice, "notified")
    expect_shown(screen, (bob.username, "notified"))
    expect(card(screen)).to_have_count(0)


def test_not_now_is_kept_for_good(alice, bob, open_tab):
    screen = open_tab(alice, **UNDECIDED)
    other = ready(screen.another_tab())
    bob.send(alice, "one")
    for tab in (screen, other):
        expect(card(tab)).to_be_visible()
    card(screen).get_by_role("button", name="Not now").click()
    for tab in (screen, other):
        expect(card(tab)).to_have_count(0)
    with screen.page.expect_response("**/notify-card.js"):      # it looks whether it may ask
        screen.page.reload()
        ready(screen)
        bob.send(alice, "two")
    expect(screen.card(bob).locator("[data-part=preview]")).to_have_text("two")
    expect(card(screen)).to_have_count(0)
    assert screen.page.evaluate("questions") == 0
    assert screen.page.evaluate("Object.keys(localStorage)") == [f"notify-declined:{alice.id}"], "another person will be asked"


@pytest.mark.parametrize("script, permissions", [("delete window.Notification", None), ("", [])], ids=["there are none", "refused"])
def test_nobody_is_asked_where_nothing_could_come_of_it(alice, bob, charlie, sit_down, script, permissions):
    screen = sit_down(alice, path=None, permissions=permissions)
    asked = []
    screen.page.on("request", lambda request: asked.append(request.url))
    screen.page.context.add_init_script(script)
    screen.page.goto("/")
    ready(screen)
    for person in (bob, charlie):
        person.send(alice, "hello")
        expect(screen.card(person)).to_have_attribute("data-unread", "1")
    expect(card(screen)).to_have_count(0)
    assert not [url for url in asked if "notif" in url]


def test_nobody_is_asked_who_has_allowed_it(alice, bob, open_tab):
    screen = open_tab(alice, background=True)
    bob.send(alice, "hello")
    expect_shown(screen, (bob.username, "hello"))
    expect(card(screen)).to_have_count(0)


def test_the_card_by_the_keyboard(alice, bob, open_tab):
    screen = open_tab(alice, f"/chat/{bob.username}", **UNDECIDED)
    bob.send(alice, "hello")
    expect(card(screen)).to_be_visible()
    keyboard = screen.page.keyboard
    for name in ("Record your voice", "Send", "Turn on", "Not now", "Close"):
        keyboard.press("Tab")
        expect(screen.page.get_by_role("button", name=name)).to_be_focused()
    keyboard.press("Escape")
    expect(card(screen)).to_have_count(0)
    expect(screen.field).to_be_focused()
    expect(screen.heading).to_be_visible()


def test_the_focus_is_not_lost_with_the_card(alice, bob, open_tab):
    screen = open_tab(alice, **UNDECIDED)
    bob.send(alice, "hello")
    card(screen).get_by_role("button", name="Not now").press("Enter")
    expect(card(screen)).to_have_count(0)
    expect(screen.people.first.get_by_role("link")).to_be_focused()


def test_a_refusal_is_the_last_word(alice, bob, open_tab):
    screen = open_tab(alice, **UNDECIDED)
    screen.page.evaluate("() => { window.reply = 'denied'; }")
    bob.send(alice, "hello")
    card(screen).get_by_role("button", name="Turn on").click()
    expect(card(screen)).to_have_count(0)
    bob.send(alice, "again")
    expect(screen.card(bob)).to_have_attribute("data-unread", "2")
    expect(card(screen)).to_have_count(0)
    assert screen.page.evaluate("[questions, notified.length]") == [1, 0]


@THEMES
@pytest.mark.parametrize("viewport", [WIDE, PHONE, {"width": 320, "height": 640}], ids=["wide", "phone", "narrow"])
@pytest.mark.parametrize("path", ["/", "/chat/{}"], ids=["home", "conversation"])
def test_the_card_fits_and_moves_nothing(alice, bob, open_tab, theme, viewport, path):
    bob.send(alice, "before")
    screen = open_tab(alice, path.format(bob.username), color_scheme=theme, viewport=viewport, **UNDECIDED)
    screen.page.evaluate(OBSERVE_SHIFTS)
    before = screen.page.evaluate("window.shift")
    # What comes before the tab is connected is fetched, and nobody is told of it.
    assert wait_for(lambda: bob.json(f"/users?q={alice.username}")["users"][0]["online"], PATIENCE_MS / 1000)
    bob.send(alice, "hello")
    expect(card(screen)).to_be_in_viewport(ratio=1)
    for button in card(screen).get_by_role("button").all():
        expect(button).to_be_in_viewport(ratio=1)
    expect_no_violation(screen.page)
    expect_no_sideways_scrolling(screen.page)
    assert screen.page.evaluate("window.shift") - before <= MAX_SHIFT


def test_the_card_in_french(alice, bob, open_tab):
    screen = open_tab(alice, locale="fr-FR", **UNDECIDED)
    bob.send(alice, "bonjour")
    expect(screen.page.get_by_role("region", name=re.compile("^Savoir quand on vous écrit"))).to_be_visible()
    for name in ("Activer", "Pas maintenant", "Fermer"):
        expect(screen.page.get_by_role("button", name=name)).to_be_visible()

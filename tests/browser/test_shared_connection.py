"""Where WebSockets are blocked, the tabs of one person share one connection: a browser opens only six to a host, and polling holds one."""
import re

import pytest
from playwright.sync_api import expect

from chat.budgets import MESSAGES, TYPING
from tests.browser.screen import NO_WEBSOCKET, PATIENCE_MS, Screen
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

TABS = 8        # more than the connections that a browser opens
ENDED = r"400|401|ERR_|net::"       # what the console says when a session or the network ends

NO_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });"

# As behind a proxy that never answers a WebSocket. The page waits for one, but not for as long.
SILENT_WEBSOCKET = """
window.WebSocket = class extends EventTarget { close() {} };
const { setTimeout: wait } = window;
window.setTimeout = (action, delay, ...rest) => wait(action, delay === 10_000 ? 100 : delay, ...rest);
"""

# The network changes while the page is open.
SOME_WEBSOCKETS = f"""
const RealWebSocket = WebSocket;
{NO_WEBSOCKET}
const BlockedWebSocket = WebSocket;
window.isBlocked = true;
window.WebSocket = function (...address) {{ return isBlocked ? new BlockedWebSocket() : new RealWebSocket(...address); }};
"""

MODULES = """() => performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => name.includes('shared-connection'))"""


@pytest.fixture
def people(start_server, arrive):
    """Alice and Bob, alone on a chat."""
    server = start_server()
    return arrive(server), arrive(server)


@pytest.fixture
def open_tabs(sit_down):
    """Open tabs of one browser, one after the other, where no WebSocket works: the first one leads."""
    def open_them(person, *paths, script=NO_WEBSOCKET):
        first = sit_down(person, path=None, expects=ENDED)
        first.page.context.add_init_script(script)
        first.page.goto(paths[0])
        first.expect_connected()
        if NO_WEBSOCKET in script and NO_LOCKS not in script:
            first.page.wait_for_function("async () => (await navigator.locks.query()).held.some(({ name }) => name.startsWith('connection:'))")
        return [first, *(first.another_tab(path) for path in paths[1:])]
    return open_them


def connections(person):
    """How many connections the server has, of all people."""
    return int(re.search(r"^chat_connections (\d+)", person.get("/metrics").text, re.M)[1])


def expect_connections(person, count):
    seen = []
    assert wait_for(lambda: seen.append(connections(person)) or seen[-1] == count, PATIENCE_MS / 1000), seen


def send(tab, text):
    """Write a message and wait until it is stored: the other tabs show the same draft meanwhile."""
    tab.send(text)
    tab.expect_state(text, re.compile("sent|read"))


def expect_texts(tabs, texts):
    """Wait until all tabs show just these messages, in this order."""
    for tab in tabs:
        expect(tab.bubbles.locator("[data-part=text]")).to_have_text(texts)


def test_it_works(people, open_tabs):
    """Eight tabs that open at once, as when a browser starts again: each sends, and all show it."""
    alice, bob = people
    [first] = open_tabs(alice, f"/chat/{bob.username}")
    context = first.page.context
    for _n in range(TABS - 1):
        with context.expect_page():
            first.page.evaluate("() => void open(location.href)")
    tabs = [Screen(page) for page in context.pages]
    for tab in tabs:
        tab.expect_connected()
    expect_connections(alice, 1)
    for number, tab in enumerate(tabs):
        send(tab, f"from tab {number}")
    bob.send(alice, "to all of them")
    expect_texts(tabs, [*(f"from tab {number}" for number in range(TABS)), "to all of them"])
    assert connections(alice) == 1


def test_no_budget_is_spent(start_server, arrive, open_tabs):
    """One connection carries what all tabs send, and each of them marks what it shows as read."""
    alice = arrive(start_server(RATELIMIT_ENABLED="1"))
    bob = arrive(alice)
    tabs = open_tabs(alice, *[f"/chat/{bob.username}"] * TABS)
    texts = [f"number {number}" for number in range(MESSAGES.limit)]
    his = bob.tab()
    assert all(his.send(alice, text)["ok"] for text in texts)
    expect_texts(tabs, texts)
    for number, tab in enumerate(tabs):
        send(tab, f"from tab {number}")
    spent = set(re.findall(r'^chat_budget_refused_total\{budget="(\w+)"\} [^0]', alice.get("/metrics").text, re.M))
    assert spent <= {TYPING.name}, "typing in eight tabs within 3 seconds is told once, as it is by eight connections"
    assert connections(alice) == 2


def test_tabs_that_find_out_at_the_same_time_share_too(people, sit_down):
    """None of them has a leader to join: each has a connection, and hears then that no WebSocket works."""
    alice, bob = people
    first = sit_down(alice, f"/chat/{bob.username}", expects=ENDED)
    first.expect_connected()
    tabs = [first, *(first.another_tab(f"/chat/{bob.username}") for _n in range(TABS - 1))]
    first.page.context.add_init_script(NO_WEBSOCKET)
    for tab in tabs:
        tab.page.evaluate("() => void setTimeout(() => location.reload())")
    for tab in tabs:
        tab.page.wait_for_function("() => WebSocket.toString().startsWith('class')")
        tab.expect_connected()
    expect_connections(alice, 1)
    for number, tab in enumerate(tabs):
        send(tab, f"from tab {number}")
    expect_texts(tabs, [f"from tab {number}" for number in range(TABS)])


@pytest.mark.parametrize("ending", ["closed", "loaded again", "frozen", "hung", "cut off in the background"])
def test_another_tab_takes_over(people, open_tabs, ending):
    """Nothing is lost or doubled, and the person stays online."""
    alice, bob = people
    leader, *followers = open_tabs(alice, *[f"/chat/{bob.username}"] * 4)
    watching = bob.tab()
    followers[0].send("before")
    expect_texts([leader, *followers], ["before"])
    expect_connections(alice, 2)
    session = leader.page.context.new_cdp_session(leader.page) if ending in ("frozen", "hung") else None
    if ending == "closed":
        leader.page.close()
    elif ending == "loaded again":
        leader.page.reload()
    elif ending == "frozen":
        session.send("Page.setWebLifecycleState", {"state": "frozen"})
    elif ending == "cut off in the background":
        leader.page.route("**/socket.io/**", lambda route: route.abort("internetdisconnected"))
        leader.page.evaluate("""() => {
            Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
            dispatchEvent(new Event('online'));     // so it connects again
        }""")
    else:
        session.send("Debugger.enable")
        session.send("Debugger.pause")      # at the next thing that it hears
    followers[1].send("meanwhile")
    bob.send(alice, "from Bob")
    for tab in followers:
        expect(tab.bubble("meanwhile")).to_have_attribute("data-state", re.compile("sent|read"), timeout=2 * PATIENCE_MS)
        expect(tab.bubble("from Bob")).to_be_visible()
    if ending == "frozen":
        session.send("Page.setWebLifecycleState", {"state": "active"})
    elif ending == "hung":
        session.send("Debugger.disable")
    tabs = followers if ending == "closed" else [leader, *followers]
    tabs[0].send("after")
    stored = [message["message"] for message in bob.history(alice)["messages"]]
    assert sorted(stored[:3]) == ["before", "from Bob", "meanwhile"]
    expect_texts(tabs, [*stored[:3], "after"])
    watching.call("no such event")
    gone = [payload for event, payload in list(watching.events.queue) if event == "updateOnlineUsers" and alice.id in payload.get("offline", ())]
    assert gone == []


@pytest.mark.parametrize("who", [0, 1], ids=["of the leader", "of a follower"])
def test_a_logout_ends_all(people, open_tabs, who):
    alice, bob = people
    tabs = open_tabs(alice, f"/chat/{bob.username}", "/", "/")
    expect_connections(alice, 1)
    tabs[who].page.get_by_role("button", name="Logout").click()
    for tab in tabs:
        expect(tab.page).to_have_url(re.compile("/login"))
    expect_connections(bob, 0)


def test_a_session_that_ends_elsewhere_ends_all(people, open_tabs):
    alice, bob = people
    tabs = open_tabs(alice, f"/chat/{bob.username}", "/", "/")
    alice.log_out()
    for tab in tabs:
        expect(tab.page).to_have_url(re.compile("/login"))


def test_another_person_stays_apart(people, open_tabs, arrive):
    alice, bob = people
    carol = arrive(alice)
    hers = open_tabs(alice, f"/chat/{bob.username}", f"/chat/{carol.username}")
    his = open_tabs(bob, f"/chat/{alice.username}", f"/chat/{alice.username}")
    expect_connections(alice, 2)
    hers[1].send("for Carol")
    hers[0].send("for Bob")
    expect_texts(his, ["for Bob"])
    his[1].send("for Alice")
    expect_texts([hers[0], *his], ["for Bob", "for Alice"])
    expect_texts([hers[1]], ["for Carol"])
    for tab in his:
        expect(tab.card(carol).locator("[data-part=preview]")).to_have_text("No messages yet")


def test_the_next_person_at_a_browser_is_not_let_in(people, open_tabs):
    """Alice's tabs still stand open when Bob logs in beside them."""
    alice, bob = people
    leader, follower = open_tabs(alice, "/", "/")
    context = leader.page.context
    context.clear_cookies()
    context.add_cookies([{"name": cookie.name, "value": cookie.value, "url": bob.url} for cookie in bob.http.cookies])
    his = leader.another_tab(f"/chat/{alice.username}")
    his.send("hello")
    his.expect_state("hello", "sent")
    for tab in (leader, follower):      # their page asks who is logged in
        tab.page.wait_for_function("id => Number(document.body.dataset.userId) === id", arg=bob.id)


def test_what_is_read_in_one_tab_is_read_in_all(people, open_tabs):
    alice, bob = people
    bob.send(alice, "unread")
    leader, follower, reader = open_tabs(alice, "/", "/", "/")
    for tab in (leader, follower):
        expect(tab.card(bob)).to_have_attribute("data-unread", "1")
    reader.page.bring_to_front()
    reader.link(bob).click()
    for tab in (leader, follower, reader):
        expect(tab.card(bob)).to_have_attribute("data-unread", "0")
    bob.send(alice, "seen at once")
    for tab in (leader, follower):
        expect(tab.card(bob).locator("[data-part=preview]")).to_have_text("seen at once")
        expect(tab.card(bob)).to_have_attribute("data-unread", "0")


def test_what_is_read_in_a_room_is_read_in_all(people, open_tabs):
    alice, bob = people
    room = alice.make_room("maths", bob)
    assert bob.tab().send_to_room(room, "unread")["ok"]
    leader, follower, reader = tabs = open_tabs(alice, "/", "/", "/")
    cards = [tab.page.locator(f'li.room[data-room-id="{room}"]') for tab in tabs]
    for card in cards:
        expect(card).to_have_attribute("data-unread", "1")
    reader.page.bring_to_front()
    cards[2].locator("a").click()
    for card in cards:
        expect(card).to_have_attribute("data-unread", "0")
    send(reader, "through the leader")
    for card in cards:
        expect(card).to_contain_text("through the leader")


def test_followers_show_who_is_online_and_who_writes(people, open_tabs):
    alice, bob = people
    leader, follower = open_tabs(alice, "/", f"/chat/{bob.username}")
    expect(follower.card(bob)).to_have_attribute("data-online", "false")
    his = bob.tab()
    for tab in (leader, follower):
        expect(tab.card(bob)).to_have_attribute("data-online", "true")
    his.call("typing", {"userId": alice.id})
    expect(follower.page.locator("[data-part=peer-status]")).to_have_text("is typing…")
    follower.field.press_sequentially("h")
    assert his.wait_for("typing") == {"userId": alice.id}
    late = leader.another_tab("/")
    expect(late.card(bob)).to_have_attribute("data-online", "true")
    assert connections(alice) == 2


@pytest.mark.parametrize("script, loads", [("", 0), (NO_WEBSOCKET + NO_LOCKS, 0), (SILENT_WEBSOCKET, 1)],
                         ids=["a WebSocket", "no locks", "no answer to a WebSocket"])
def test_who_shares(people, open_tabs, script, loads):
    alice, bob = people
    tabs = open_tabs(alice, *[f"/chat/{bob.username}"] * 3, script=script)
    expect_connections(alice, 1 if loads else len(tabs))
    for number, tab in enumerate(tabs):
        tab.expect_connected()
        send(tab, f"from tab {number}")
        assert len(tab.page.evaluate(MODULES)) == loads
    expect_texts(tabs, [f"from tab {number}" for number in range(len(tabs))])
    assert connections(alice) == (1 if loads else len(tabs))


def test_each_tab_has_its_own_connection_again_when_websockets_work(people, open_tabs):
    alice, bob = people
    tabs = open_tabs(alice, *[f"/chat/{bob.username}"] * 3, script=SOME_WEBSOCKETS)
    expect_connections(alice, 1)
    for tab in tabs:
        tab.page.evaluate("() => { window.isBlocked = false; }")
    tabs[0].page.evaluate("() => void dispatchEvent(new Event('online'))")      # so the leader connects again
    expect_connections(alice, len(tabs))
    tabs[2].send("to see")
    expect_texts(tabs, ["to see"])

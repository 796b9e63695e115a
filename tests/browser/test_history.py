"""The list of messages: where it opens, how it moves, how much of it is on the page."""
import pytest
from playwright.sync_api import expect

from tests.browser.past import hold, numbered

pytestmark = pytest.mark.browser

ROW_LIMIT = 320
LONG = 1000     # messages
PENDING_FRAMES = 3     # of the display, until a message stands there: 50 ms

AT_END = "scroll => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 2"
NOT_AT_END = "scroll => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight > 300"


@pytest.fixture
def long_talk(chat, alice, bob):
    """Alice and Bob, who have talked and read for long."""
    hold(chat, alice, bob, numbered(alice, bob, LONG))
    return alice, bob


def expect_scroll(screen, condition):
    screen.page.wait_for_function(f"() => ({condition})(document.querySelector('#history-scroll'))")


def scroll_up(screen, pixels):
    """Turn the wheel, as a reader does, and wait until the page has moved."""
    before = screen.history.evaluate("scroll => scroll.scrollTop")
    screen.history.hover()
    screen.page.mouse.wheel(0, -pixels)
    expect_scroll(screen, f"scroll => scroll.scrollTop !== {before}")


def scroll_far_up(screen):
    """Scroll until the newest messages are no longer on the page."""
    screen.page.wait_for_function(f"""() => {{
      document.querySelector('#history-scroll').scrollTop = 0;
      return !document.querySelector('li.message[data-seq="{LONG}"]');
    }}""")


def top_of(locator):
    return locator.evaluate("element => element.getBoundingClientRect().top")


def expect_in_view(locator):
    expect(locator).to_be_in_viewport(ratio=0.9)


def test_it_works(long_talk, sit_down):
    alice, bob = long_talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect_in_view(screen.bubble(f"message {LONG}"))
    expect_scroll(screen, AT_END)


def test_an_empty_conversation_invites_until_something_is_said(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    invitation = screen.page.get_by_text(f"Say hello to {bob.username}")
    beginning = screen.page.get_by_text("This is where your conversation")
    expect(invitation).to_be_visible()
    expect(beginning).to_be_hidden()
    screen.send("hello")
    screen.expect_state("hello", "sent")
    for _live_and_then_loaded in range(2):
        expect(beginning).to_be_visible()
        expect(invitation).to_be_hidden()
        screen.page.reload()


def test_what_is_being_fetched_is_not_read(chat, alice, bob, sit_down):
    """Until the first unread message is there the page stands at the end, as the server's page does."""
    hold(chat, alice, bob, [(bob, f"from bob {n}", time) for n, (_sender, _text, time) in enumerate(numbered(alice, bob, 70), 1)], read=False)
    screen = sit_down(alice, "/")
    screen.expect_connected()
    held = []
    screen.page.route("**/js/conversation-more.js", lambda route: held.append(route))
    screen.page.goto(f"/chat/{bob.username}")
    screen.expect_connected()
    tab = bob.tab()
    tab.send(alice, "one more")     # each that comes would be marked too
    expect(screen.bubble("one more")).to_be_attached()
    (request,) = held
    request.continue_()
    expect(screen.page.locator("li.unread-divider")).to_have_text("New")
    expect_in_view(screen.bubble("from bob 1"))
    assert tab.call("markRead", {"userId": alice.id, "seq": 0})["peerReadSeq"] == 0


def test_opens_at_the_first_unread_message(chat, alice, bob, sit_down):
    said = [(bob, f"from bob {n}", time) for n, (_sender, _text, time) in enumerate(numbered(alice, bob, 70), 1)]
    hold(chat, alice, bob, said, read=False)
    screen = sit_down(alice, f"/chat/{bob.username}")
    divider = screen.page.locator("li.unread-divider")
    expect(divider).to_have_text("New")
    expect_in_view(divider)
    expect_in_view(screen.bubble("from bob 1"))
    expect_scroll(screen, NOT_AT_END)


def test_the_divider_stays_while_reading_and_goes_with_the_answer(chat, alice, bob, sit_down):
    hold(chat, alice, bob, [(bob, f"from bob {n}", time) for n, (_s, _t, time) in enumerate(numbered(alice, bob, 3), 1)],
         read=False)
    screen = sit_down(alice, f"/chat/{bob.username}")
    divider = screen.page.locator("li.unread-divider")
    expect(screen.card(bob)).to_have_attribute("data-unread", "0")      # they are read
    bob.send(alice, "one more")
    expect(screen.bubble("one more")).to_be_visible()
    expect(divider).to_have_count(1)
    screen.send("an answer")
    expect(divider).to_have_count(0)


def test_sticks_to_the_end_where_the_reader_is_near_it(long_talk, sit_down):
    alice, bob = long_talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect_scroll(screen, AT_END)
    scroll_up(screen, 60)
    bob.send(alice, "followed")
    expect_in_view(screen.bubble("followed"))
    expect_scroll(screen, AT_END)
    expect(screen.pill).to_be_hidden()


def test_a_pill_says_how_many_came_where_the_reader_is_further_up(long_talk, sit_down):
    alice, bob = long_talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect_scroll(screen, AT_END)
    scroll_up(screen, 700)
    expect_scroll(screen, NOT_AT_END)
    row = screen.bubble(f"message {LONG - 15}")
    before = top_of(row)
    for number in range(3):
        bob.send(alice, f"below {number}")
    expect(screen.pill).to_have_text("3 new")
    assert top_of(row) == before
    screen.pill.click()
    expect_in_view(screen.bubble("below 2"))
    expect(screen.pill).to_be_hidden()


def test_own_message_leads_to_the_end(long_talk, sit_down):
    alice, bob = long_talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect_scroll(screen, AT_END)
    scroll_up(screen, 700)
    screen.send("down there")
    expect_in_view(screen.bubble("down there"))


def test_older_messages_come_without_moving_what_is_on_the_screen(long_talk, sit_down):
    alice, bob = long_talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect_scroll(screen, AT_END)
    row = screen.bubble(f"message {LONG - 45}")
    before = []

    def measure_and_answer(route):
        before.append(top_of(row))
        route.continue_()
    screen.page.route("**/messages/**before=**", measure_and_answer)
    screen.history.evaluate("scroll => { scroll.scrollTop = 200; }")
    expect(screen.bubbles).to_have_count(110)
    assert len(before) == 1 and abs(top_of(row) - before[0]) < 0.5


def test_at_most_320_rows_are_on_the_page_and_the_beginning_is_marked(long_talk, sit_down):
    alice, bob = long_talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    most = screen.page.evaluate("""async () => {
      const scroll = document.querySelector('#history-scroll');
      const start = document.querySelector('#history-start');
      let most = 0;
      while (start.hidden) {
        scroll.scrollTop = 0;
        await new Promise(requestAnimationFrame);
        most = Math.max(most, document.querySelectorAll('#history > *').length);
      }
      return most;
    }""")
    assert 250 < most <= ROW_LIMIT
    expect(screen.page.get_by_text(f"This is where your conversation with {bob.username} begins.")).to_be_attached()
    assert screen.texts()[0] == "message 1"
    screen.history.press("Home")
    expect_in_view(screen.bubble("message 1"))
    screen.page.evaluate("""async () => {
      const scroll = document.querySelector('#history-scroll');
      while (!document.querySelector('li.message[data-seq="1000"]')) {
        scroll.scrollTop = scroll.scrollHeight;
        await new Promise(requestAnimationFrame);
      }
    }""")
    texts = screen.texts()
    assert len(texts) <= ROW_LIMIT
    assert texts == [f"message {n}" for n in range(LONG + 1 - len(texts), LONG + 1)], "no row lost, none twice"


def test_messages_that_come_while_far_up_are_there_at_the_end(long_talk, sit_down):
    alice, bob = long_talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    scroll_far_up(screen)
    bob.send(alice, "far below")
    expect(screen.pill).to_have_text("1 new")
    screen.pill.click()
    expect_in_view(screen.bubble("far below"))
    assert screen.texts()[-3:] == [f"message {LONG - 1}", f"message {LONG}", "far below"]


def test_a_message_sent_from_far_up_without_a_network_is_seen_at_once(long_talk, sit_down):
    alice, bob = long_talk
    screen = sit_down(alice, f"/chat/{bob.username}", expects="ERR_INTERNET_DISCONNECTED|WebSocket")
    scroll_far_up(screen)
    screen.page.context.set_offline(True)
    screen.field.fill("from far up")
    frames = screen.page.evaluate("""async () => {
      let frames = 0;
      document.querySelector('#composer').requestSubmit();
      for (; !document.querySelector('#history > [data-state=pending]'); frames++) await new Promise(requestAnimationFrame);
      return frames;
    }""")
    assert frames < PENDING_FRAMES
    expect_in_view(screen.bubble("from far up"))
    gap = screen.page.locator("#history > li.gap")
    expect_in_view(gap)
    screen.send("and one more")
    screen.expect_state("and one more", "pending")
    assert screen.texts()[-2:] == ["from far up", "and one more"]
    screen.page.context.set_offline(False)
    screen.expect_state("and one more", "sent")
    expect(gap).to_have_count(0)
    expect_in_view(screen.bubble("and one more"))
    texts = screen.texts()
    assert texts[-4:] == [f"message {LONG - 1}", f"message {LONG}", "from far up", "and one more"]
    assert len(texts) == len(set(texts))


def test_what_waits_to_be_sent_stays_below_the_gap_as_one_scrolls(long_talk, sit_down):
    alice, bob = long_talk
    screen = sit_down(alice, "/login", expects="ERR_FAILED|WebSocket")
    screen.page.route("**/socket.io/**", lambda route: route.abort())      # nothing is sent, but pages come
    screen.page.goto(f"/chat/{bob.username}")
    screen.send("waits")
    scroll_far_up(screen)
    expect(screen.page.locator("#history > li.gap")).to_have_count(1)
    assert screen.texts()[-1] == "waits"
    screen.page.evaluate("""async () => {
      const scroll = document.querySelector('#history-scroll');
      while (!document.querySelector('li.message[data-seq="1000"]')) {
        scroll.scrollTop = scroll.scrollHeight;
        await new Promise(requestAnimationFrame);
      }
    }""")
    expect(screen.page.locator("#history > li.gap")).to_have_count(0)
    assert screen.texts()[-3:] == [f"message {LONG - 1}", f"message {LONG}", "waits"]


def test_where_one_was_is_where_one_comes_back_to(chat, long_talk, arrive, sit_down):
    alice, bob = long_talk
    charlie = arrive(chat)
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect_scroll(screen, AT_END)
    scroll_up(screen, 900)
    row = screen.bubble(f"message {LONG - 20}")
    before = top_of(row)
    screen.link(charlie).click()
    expect(screen.heading).to_have_text(f"Chat with: {charlie.username}")
    screen.page.go_back()
    expect(screen.heading).to_have_text(f"Chat with: {bob.username}")
    expect_scroll(screen, NOT_AT_END)
    assert abs(top_of(row) - before) < 2

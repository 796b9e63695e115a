"""What scrolls, what stays in its place, and what fits: whatever the window, the names and the letters."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.past import ago, hold, numbered
from tests.browser.screen import PHONE, WIDE
from tests.people import new_client_id

pytestmark = pytest.mark.browser

TABLET = {"width": 660, "height": 800}      # both panes, with hardly room for them
TURNED = {"width": 740, "height": 360}      # the phone on its side
MAX_NAME = 32       # characters
SETTLED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))))"
AT_END = "scroll => Math.abs(scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight) < 2"

DOCUMENT_SCROLLS = """() => {
  scrollTo(0, 10_000);
  const moved = scrollY;
  scrollTo(0, 0);
  return moved > 0 || document.documentElement.scrollHeight > innerHeight;
}"""
# The message at the top of the history, and where it stands there; of one that begins above, which share is hidden.
AT_THE_TOP = """() => {
  const scroll = document.querySelector('#history-scroll').getBoundingClientRect();
  const row = [...document.querySelectorAll('#history > li.message')]
    .find((row) => row.getBoundingClientRect().bottom > scroll.top);
  const top = row.getBoundingClientRect().top - scroll.top;
  return { seq: row.dataset.seq, top: Math.max(0, top), hidden: Math.min(0, top) / row.offsetHeight };
}"""
# The texts that stick out of the pane they are in.
STICKING_OUT = """() => [...document.querySelectorAll('#main, #people-pane')].flatMap((pane) => {
  const { left, right } = pane.getBoundingClientRect();
  const words = document.createTreeWalker(pane, NodeFilter.SHOW_TEXT);
  const found = [];
  while (words.nextNode()) {
    const text = words.currentNode;
    const range = document.createRange();
    range.selectNodeContents(text);
    const isClipped = text.parentElement.closest('.sr-only, bdi, [data-part=preview], h1, [data-part=state-word]');
    const rows = [...range.getClientRects()].filter((row) => row.width > 1);
    if (right > left && !isClipped && rows.some((row) => row.left < left || row.right > right + 1)) found.push(text.data);
  }
  return found;
})"""


@pytest.mark.parametrize("count", [15, 60])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_it_works(chat, alice, bob, sit_down, count, viewport):
    """The history scrolls, and the document never does."""
    hold(chat, alice, bob, numbered(alice, bob, count))
    screen = sit_down(alice, f"/chat/{bob.username}", viewport=viewport)
    expect(screen.bubble(f"message {count}")).to_be_in_viewport()
    assert not screen.page.evaluate(DOCUMENT_SCROLLS)
    before = screen.page.locator(".conversation-header").bounding_box()
    screen.page.mouse.move(viewport["width"] - 100, 20)
    screen.page.mouse.wheel(0, 5000)
    screen.page.evaluate(SETTLED)
    assert screen.page.locator(".conversation-header").bounding_box() == before


def test_a_long_list_and_a_long_message_do_not_scroll_the_document(start_server, arrive, sit_down):
    server = start_server()
    people = [arrive(server) for _number in range(30)]
    people[1].send(people[0], "line\n" * 200)
    for path in ("/", f"/messages/{people[1].username}/1"):
        assert not sit_down(people[0], path).page.evaluate(DOCUMENT_SCROLLS)


@pytest.mark.parametrize("before, after", [(WIDE, TABLET), (PHONE, TURNED), (TURNED, PHONE), (TABLET, WIDE)],
                         ids=["narrower", "turned", "turned back", "wider"])
def test_another_size_keeps_the_place_in_the_history(chat, alice, bob, sit_down, before, after):
    said = [(sender, f"{text} " + "with words that break into lines " * 5, time)
            for sender, text, time in numbered(alice, bob, 60)]
    hold(chat, alice, bob, said)
    screen = sit_down(alice, f"/chat/{bob.username}", viewport=before)
    expect(screen.bubbles).to_have_count(50)
    screen.page.evaluate(SETTLED)
    screen.page.set_viewport_size(after)
    screen.page.evaluate(SETTLED)
    assert screen.history.evaluate(AT_END), "whoever is at the end stays there"

    screen.page.set_viewport_size(before)
    screen.page.evaluate(SETTLED)
    screen.history.evaluate("scroll => { scroll.scrollTop -= 1500; }")
    screen.page.evaluate(SETTLED)
    seen = screen.page.evaluate(AT_THE_TOP)
    screen.page.set_viewport_size(after)
    screen.page.evaluate(SETTLED)
    now = screen.page.evaluate(AT_THE_TOP)
    assert now == {"seq": seen["seq"], "top": pytest.approx(seen["top"], abs=2), "hidden": pytest.approx(seen["hidden"], abs=0.02)}


def test_larger_letters_keep_the_place_in_the_history(chat, alice, bob, sit_down):
    hold(chat, alice, bob, numbered(alice, bob, 60))
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.bubbles).to_have_count(50)
    screen.history.evaluate("scroll => { scroll.scrollTop -= 700; }")
    screen.page.evaluate(SETTLED)
    seen = screen.page.evaluate(AT_THE_TOP)
    screen.page.evaluate("document.documentElement.style.fontSize = '24px'")
    screen.page.evaluate(SETTLED)
    now = screen.page.evaluate(AT_THE_TOP)
    assert now == {"seq": seen["seq"], "top": pytest.approx(seen["top"], abs=2), "hidden": pytest.approx(seen["hidden"], abs=0.02)}


@pytest.mark.parametrize("viewport", [WIDE, TABLET, PHONE, {"width": 320, "height": 640}],
                         ids=["wide", "tablet", "phone", "narrow"])
def test_the_widest_names_stay_in_their_place(chat, arrive, sit_down, viewport):
    word = new_client_id()[:4]
    one, other = (arrive(chat, letter + word + "W" * (MAX_NAME - 5)) for letter in "MW")
    for path in ("/", "/?q=" + "W" * 60, f"/chat/{other.username}"):
        page = sit_down(one, path, viewport=viewport).page
        assert page.evaluate(STICKING_OUT) == []
    one.send(other, "the first")
    for path in (f"/chat/{other.username}", f"/messages/{other.username}/1"):
        page = sit_down(one, path, viewport=viewport).page
        assert page.evaluate(STICKING_OUT) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.parametrize("text", ["hello\nسلام", "سلام\nhello", "one\n\nשלום\ntwo"])
def test_each_line_has_its_own_direction(chat, alice, bob, sit_down, text):
    """A line of Arabic or Hebrew begins at the right, one of Latin at the left, in one message."""
    hold(chat, alice, bob, [(bob, "a wide line of Latin letters, so that there is room\n" + text + "\nend", ago(minutes=1))])
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.bubbles).to_have_count(1)
    lines = screen.bubbles.locator("[data-part=text]").evaluate("""text => {
      const box = text.parentElement.getBoundingClientRect();
      const range = document.createRange();
      let start = 0;
      return text.textContent.split('\\n').map((line) => {
        range.setStart(text.firstChild, start);
        range.setEnd(text.firstChild, start + line.length);
        start += line.length + 1;
        const { left, right } = range.getBoundingClientRect();
        return [line, left - box.left, box.right - right];
      });
    }""")
    for line, from_left, from_right in lines:
        if re.search("[\u0590-\u06ff]", line):
            assert from_right < 2 < from_left, line
        elif line:
            assert from_left < 2, line


def test_the_bars_of_the_browser_follow_the_theme(alice, sit_down):
    for system in ("light", "dark"):
        page = sit_down(alice, color_scheme=system).page
        bars = page.locator("meta[name=theme-color]")
        page.get_by_role("button", name="Toggle Dark Mode").click()
        painted = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert {bar.get_attribute("content") for bar in bars.all()} == {painted}

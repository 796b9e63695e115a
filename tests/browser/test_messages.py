"""What a message looks like among the others: links, words, days, groups."""
import re
from datetime import datetime, timedelta, timezone

import pytest
from playwright.sync_api import expect

from tests.browser.past import ago, hold

pytestmark = pytest.mark.browser


def texts_of(screen):
    return screen.bubbles.locator("[data-part=text]")


def groups(screen):
    """For each message: whether it begins a group, and whether it ends one."""
    return [tuple(mark in classes.split() for mark in ("first-of-group", "last-of-group"))
            for classes in screen.bubbles.evaluate_all("rows => rows.map(row => row.className)")]


def test_it_works(alice, bob, sit_down):
    bob.send(alice, "see https://example.org/a?b=1#c.")
    screen = sit_down(alice, f"/chat/{bob.username}")
    link = texts_of(screen).get_by_role("link")
    expect(link).to_have_attribute("href", "https://example.org/a?b=1#c")
    expect(link).to_have_attribute("rel", "noopener noreferrer")


@pytest.mark.parametrize("text", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://example.org/",
                                  "//example.org/", "mailto:a@example.org"])
def test_other_addresses_are_text(alice, bob, sit_down, text):
    bob.send(alice, text)
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.bubble(text)).to_be_visible()
    bob.send(alice, f"{text} again, http://example.org/")
    expect(texts_of(screen).get_by_role("link")).to_have_count(1)     # the live one, so the script has seen the first


def test_no_text_makes_a_link_of_another_kind(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    for text in ("JaVaScRiPt:alert(1)//http://example.org/", "java\tscript:alert(1)", "javascript://example.org/%0aalert(1)",
                 "data:text/html,https://example.org/<script>alert(1)</script>", "view-source:https://example.org/",
                 'https://example.org/"onclick="alert(1)', "<a href=javascript:alert(1)>https://example.org/</a>",
                 "http:javascript:alert(1)", "https://javascript:alert(1)@example.org/", "blob:https://example.org/1",
                 "\u202ehttps://example.org/\u202ejavascript:alert(1)", "https://example.org\\@javascript:alert(1)"):
        bob.send(alice, text)
    expect(screen.bubbles).to_have_count(12)
    links = screen.bubbles.locator("a:not([data-part])")
    assert links.count() > 5
    assert set(links.evaluate_all("all => all.map(link => link.protocol)")) <= {"http:", "https:"}
    assert links.evaluate_all("all => all.every(link => link.getAttribute('href') === link.textContent)")
    assert screen.bubbles.locator("[onclick]").count() == 0


# The marks that override or embed a direction, and letters of the other one.
@pytest.mark.parametrize("around", ["\u202e", "\u202b", "\u2067", "\u202d\u202e", "שלום "], ids=ascii)
def test_an_address_reads_as_where_it_leads(alice, bob, sit_down, around):
    screen = sit_down(alice, f"/chat/{bob.username}")
    bob.send(alice, f"{around}https://example.org/a?b=1&c=2{around}gpj.elpmaxe")
    link = texts_of(screen).get_by_role("link")
    expect(link).to_have_attribute("href", re.compile(r"^https://example\.org/a\?b=1&c=2$" if around != "שלום " else "2שלום$"))
    lefts = link.evaluate("""link => [...'https://example.org/a?b=1&c=2'].map((_character, index) => {
        const range = document.createRange();
        range.setStart(link.firstChild, index);
        range.setEnd(link.firstChild, index + 1);
        return range.getBoundingClientRect().left;
    })""")
    assert lefts == sorted(lefts)


def test_long_words_wrap_at_320_pixels(alice, bob, sit_down):
    bob.send(alice, "Donaudampfschifffahrtsgesellschaft" * 5)
    bob.send(alice, f"https://example.org/{'path' * 60}")
    screen = sit_down(alice, f"/chat/{bob.username}", viewport={"width": 320, "height": 640})
    screen.send("w" * 200)
    expect(screen.bubbles).to_have_count(3)
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= 320
    assert screen.history.evaluate("scroll => scroll.scrollWidth <= scroll.clientWidth")
    for bubble in screen.bubbles.locator("article").all():
        box = bubble.bounding_box()
        assert 0 <= box["x"] and box["x"] + box["width"] <= 320


def test_each_message_has_its_own_direction(alice, bob, sit_down):
    bob.send(alice, "مرحبا")
    screen = sit_down(alice, f"/chat/{bob.username}")
    bob.send(alice, "שלום")
    bob.send(alice, "hello")
    expect(screen.bubbles).to_have_count(3)
    texts = screen.bubbles.locator("[data-part=text]")
    assert texts.evaluate_all("all => all.map(text => text.matches(':dir(rtl)'))") == [True, True, False]
    is_left = screen.bubbles.evaluate_all("""rows => rows.map((row) => {
        const words = document.createRange();   // the text has no box of its own
        words.selectNodeContents(row.querySelector('[data-part=text]'));
        return row.querySelector('time').getBoundingClientRect().x < words.getBoundingClientRect().x;
    })""")
    assert is_left == [True, True, False], "the time is at the end of the text"
    assert screen.card(bob).locator("bdi").text_content() == bob.username


@pytest.mark.parametrize("zone, days", [("Pacific/Auckland", 1), ("America/New_York", 2)])
def test_days_are_those_of_the_readers_zone(chat, alice, bob, sit_down, zone, days):
    # 03:30 and 05:30 of UTC: one day in Auckland, the evening and the night of two days in New York.
    said = [(bob, "first", datetime(2026, 1, 15, 3, 30, tzinfo=timezone.utc)),
            (bob, "second", datetime(2026, 1, 15, 5, 30, tzinfo=timezone.utc))]
    hold(chat, alice, bob, said)
    screen = sit_down(alice, f"/chat/{bob.username}", timezone_id=zone)
    separators = screen.page.locator("#history > li.day")
    expect(separators).to_have_count(days)
    expect(separators.first).to_contain_text("14 January" if days == 2 else "15 January")
    hour = {"Pacific/Auckland": "16:30", "America/New_York": "22:30"}[zone]
    expect(screen.bubble("first").locator("time")).to_have_text(hour)
    bob.send(alice, "today")
    expect(separators).to_have_count(days + 1)


@pytest.mark.parametrize("locale, hour", [("en-US", "3:05 PM"), ("en-GB", "15:05"), ("fr-FR", "15:05"), ("fr-CA", "15 h 05")])
def test_the_server_writes_an_hour_as_the_browser_rewrites_it(chat, alice, bob, sit_down, locale, hour):
    hold(chat, alice, bob, [(bob, "first", datetime(2026, 1, 15, 15, 5, tzinfo=timezone.utc))])
    for may_script in (False, True):
        screen = sit_down(alice, f"/chat/{bob.username}", timezone_id="UTC", locale=locale, java_script_enabled=may_script)
        time = screen.bubble("first").locator("time")
        if may_script:
            expect(time).to_have_attribute("title", re.compile("2026"))     # it has been rewritten
        expect(time).to_have_text(hour)


def test_messages_within_five_minutes_group(chat, alice, bob, sit_down):
    start = datetime(2026, 3, 3, 12, 0, tzinfo=timezone.utc)
    said = [(bob, "one", start), (bob, "two", start + timedelta(minutes=4)),
            (bob, "three", start + timedelta(minutes=10)),                      # later
            (alice, "four", start + timedelta(minutes=11))]                     # somebody else
    hold(chat, alice, bob, said)
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.bubbles).to_have_count(4)
    assert groups(screen) == [(True, False), (False, True), (True, True), (True, True)]
    gaps = [screen.bubble(text).bounding_box()["y"] for text in ("one", "two", "three")]
    assert gaps[1] - gaps[0] < gaps[2] - gaps[1]


def test_live_messages_group_too(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.send("one")
    screen.send("two")
    screen.expect_state("two", "sent")
    bob.send(alice, "three")
    expect(screen.bubbles).to_have_count(3)
    assert groups(screen) == [(True, False), (False, True), (True, True)]


def test_over_midnight_the_list_says_yesterday(alice, bob, sit_down):
    bob.send(alice, "late")
    screen = sit_down(alice, path=None, timezone_id="UTC")
    with screen.page.expect_response("**/users?*"):      # a new list would say it too: this is the last one for a while
        screen.page.goto("/")
    time = screen.card(bob).locator("time")
    expect(time).to_have_text(re.compile(r"^\d\d:\d\d$"))
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=5)
    screen.page.clock.set_fixed_time(today + timedelta(days=1))
    screen.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")     # or with the next heartbeat
    expect(time).to_have_text("Yesterday")


def test_the_list_says_when(chat, alice, bob, sit_down):
    hold(chat, alice, bob, [(bob, "long ago", ago(days=1))])
    screen = sit_down(alice, timezone_id="UTC")
    expect(screen.card(bob).locator("time")).to_have_text("Yesterday")

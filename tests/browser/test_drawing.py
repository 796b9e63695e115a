"""That the pages keep to the drawing: its colours, its sizes, and what a state looks like."""
import contextlib
import re

import pytest
from playwright.sync_api import expect

from tests.browser.past import ago, hold, numbered
from tests.browser.screen import PHONE, WIDE, background
from tests.people import ANSWER_SECONDS
from tests.waiting import wait_for

pytestmark = pytest.mark.browser

THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
COLOURS = {     # what: light, dark
    "page": ("#ffffff", "#0e1526"), "side": ("#f8fafc", "#0a101d"), "current": ("#e0eaff", "#1a2a52"),
    "hover": ("#eef2f7", "#141d31"), "mine": ("#155dfc", "#1a4fe3"), "theirs": ("#e8edf4", "#1c2740"),
}
LEAST_EDGE = 3      # contrast of the edge of a field with what is around it (WCAG 1.4.11)
LEAST_MORE = 7      # contrast of quiet text for whoever asks for more (WCAG 1.4.6)

# The painted colour of a property of an element, as [red, green, blue].
PAINTED = """(element, property) => {
  const paint = new OffscreenCanvas(1, 1).getContext('2d');
  paint.fillStyle = getComputedStyle(element)[property];
  paint.fillRect(0, 0, 1, 1);
  return [...paint.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}"""


def colour(name, theme):
    wanted = COLOURS[name][theme == "dark"]
    return [int(wanted[at:at + 2], 16) for at in (1, 3, 5)]


def contrast(one, other):
    def luminance(rgb):
        linear = [(c / 255 / 12.92) if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture
def talk(chat, alice, bob):
    hold(chat, alice, bob, numbered(alice, bob, 4))
    return alice, bob


@THEMES
def test_it_works(chat, talk, arrive, sit_down, theme):
    """The colours of the surfaces, of the rows of the list and of the bubbles."""
    alice, bob = talk
    other = arrive(chat)
    screen = sit_down(alice, f"/chat/{bob.username}", color_scheme=theme)
    page = screen.page
    screen.link(other).hover()
    for locator, name in ((page.locator("body"), "page"), (page.locator("#people-pane"), "side"), (screen.link(bob), "current"),
                          (screen.link(other), "hover"), (page.locator("li.mine > article").first, "mine"),
                          (page.locator("li.theirs > article").first, "theirs")):
        assert background(locator) == colour(name, theme), name


def test_the_sizes(talk, sit_down):
    alice, bob = talk
    page = sit_down(alice, f"/chat/{bob.username}").page
    assert page.locator("#people-pane").bounding_box()["width"] == 320
    assert page.locator(".people-header").bounding_box()["height"] == 64
    assert page.locator(".conversation-header").bounding_box()["height"] == pytest.approx(64, abs=1)
    assert page.locator("#search-input").bounding_box()["height"] == 40
    assert page.locator(".person > a").first.bounding_box()["height"] == 56
    page.set_viewport_size(PHONE)
    assert page.locator(".conversation-header").bounding_box()["height"] == pytest.approx(60, abs=1)
    page.goto("/")
    assert page.locator(".person > a").first.bounding_box()["height"] == 64


@THEMES
def test_presence_is_told_by_a_shape_and_not_by_the_colour_alone(chat, talk, arrive, sit_down, theme):
    alice, bob = talk
    other = arrive(chat)
    other.tab()
    screen = sit_down(alice, color_scheme=theme)
    expect(screen.card(other)).to_have_attribute("data-online", "true")
    present, absent = (screen.card(person).locator("[data-part=dot]") for person in (other, bob))
    for dot in (present, absent):
        box, face = dot.bounding_box(), dot.locator("xpath=..").locator("img").bounding_box()
        assert (box["width"], box["height"]) == (12, 12)
        # Its middle is on the rim of the face, at the lower right.
        middle = face["x"] + face["width"] / 2, face["y"] + face["height"] / 2
        away = ((box["x"] + 6 - middle[0]) ** 2 + (box["y"] + 6 - middle[1]) ** 2) ** 0.5
        assert away == pytest.approx(face["width"] / 2, abs=2)
    is_full = """dot => getComputedStyle(dot).backgroundColor === getComputedStyle(dot).borderTopColor"""
    assert present.evaluate(is_full) and not absent.evaluate(is_full)


@THEMES
@pytest.mark.parametrize("path, field", [("/", "#search-input"), ("/chat/{}", "#message"), ("/login", "#username")])
def test_the_edge_of_a_field_is_seen(chat, talk, sit_down, theme, path, field):
    alice, bob = talk
    screen = sit_down(chat if path == "/login" else alice, path.format(bob.username), color_scheme=theme)
    screen.page.evaluate("document.activeElement.blur()")
    field = screen.page.locator(field)
    around = field.evaluate("""field => {
      let element = field.parentElement;
      while (getComputedStyle(element).backgroundColor === 'rgba(0, 0, 0, 0)') element = element.parentElement;
      element.dataset.around = '';
    }""") or screen.page.locator("[data-around]")
    assert field.evaluate("field => getComputedStyle(field).borderTopColor") != "rgba(0, 0, 0, 0)"
    edge = field.evaluate(PAINTED, "borderTopColor")
    assert contrast(edge, background(around)) >= LEAST_EDGE
    assert contrast(edge, background(field)) >= LEAST_EDGE


@THEMES
def test_whoever_asks_for_more_contrast_gets_it(talk, sit_down, theme):
    alice, bob = talk
    page = sit_down(alice, f"/chat/{bob.username}", color_scheme=theme, contrast="more").page
    for quiet in ("#online-count", ".welcome", "[data-part=peer-status]", "#history-start"):
        assert contrast(page.locator(quiet).evaluate(PAINTED, "color"), colour("page", theme)) >= LEAST_MORE, quiet
    row, side = page.locator("[aria-current=page]"), page.locator("#people-pane")
    assert contrast(background(row), background(side)) >= 1.4
    assert page.locator("li.theirs > article").first.evaluate("bubble => getComputedStyle(bubble).boxShadow") != "none"


def refused(screen):
    screen.send_refused()
    expect(screen.bubbles.last).to_have_attribute("data-state", "failed")
    return screen.bubbles.last


@THEMES
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_refused_message_looks_so_and_says_why_on_its_side(talk, sit_down, theme, viewport):
    alice, bob = talk
    screen = sit_down(alice, f"/chat/{bob.username}", color_scheme=theme, viewport=viewport)
    row = refused(screen)
    assert background(row.locator("article")) != background(screen.page.locator("li[data-state=read] > article").first)
    bubble, reason = row.locator("article").bounding_box(), row.locator("[data-part=failed]").bounding_box()
    assert reason["x"] + reason["width"] == pytest.approx(bubble["x"] + bubble["width"], abs=1)
    assert reason["x"] > viewport["width"] * 0.1


def test_what_cannot_help_is_not_offered(talk, alice, bob, sit_down):
    """A text that is refused for what it is can be written anew; one that met an error may be sent again."""
    screen = sit_down(alice, f"/chat/{bob.username}")
    row = refused(screen)
    expect(row.get_by_role("button", name="Retry")).to_be_hidden()
    screen.field.fill("begun meanwhile")
    row.get_by_role("button", name="Edit").click()
    expect(screen.field).to_have_value(re.compile("begun meanwhile\nhalf"))
    expect(screen.field).to_be_focused()
    expect(screen.page.locator("[data-state=failed]")).to_have_count(0)


def test_the_button_waits_for_a_text_and_rests_over_the_limit(talk, sit_down):
    alice, bob = talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    send = screen.page.get_by_role("button", name="Send")
    quiet = background(send)
    assert quiet != colour("mine", "light")
    screen.field.fill("   ")
    assert background(send) == quiet, "spaces alone are not sent"
    screen.field.fill("hello")
    expect(send).to_be_enabled()
    assert wait_for(lambda: background(send) == colour("mine", "light"), ANSWER_SECONDS), "it changes its colour in a moment"
    screen.field.fill("x" * 4001)
    expect(send).to_be_disabled()
    assert wait_for(lambda: screen.field.evaluate(PAINTED, "outlineColor") == [193, 0, 7], ANSWER_SECONDS)
    assert screen.field.evaluate("field => getComputedStyle(field).outlineStyle") == "solid"
    screen.field.fill("x" * 4000)
    expect(send).to_be_enabled()


@THEMES
@pytest.mark.parametrize("path", ["/keyboard", "/rooms/new", "/login"])
def test_what_scrolls_has_no_bar_of_another_theme(chat, alice, sit_down, theme, path):
    """The browser's own is white in the dark, in Firefox on Linux."""
    page = sit_down(chat if path == "/login" else alice, path, color_scheme=theme).page
    bars = page.evaluate("() => [...document.querySelectorAll('*')].map((element) => getComputedStyle(element).scrollbarColor)")
    assert {bar.endswith(" rgba(0, 0, 0, 0)") for bar in bars} == {True}, "the ground shows through"


def end_of(locator):
    box = locator.bounding_box()
    return box["y"] + box["height"]


def test_what_lies_in_the_field_stays_in_it(talk, sit_down):
    """Its buttons, beside a counter too. A placeholder that is too long ends before the button: Firefox does not cut it. Its edge is round where it scrolls."""
    alice, bob = talk
    screen = sit_down(alice, f"/chat/{bob.username}", viewport=PHONE)
    emoji = screen.page.get_by_role("button", name="Emoji")
    expect(screen.field).to_be_focused()
    assert background(emoji) == background(screen.field) == colour("page", "light")
    screen.field.blur()
    assert background(emoji) == background(screen.field) != colour("page", "light")
    edge = screen.field.evaluate("""field => {
      const [own, again] = [getComputedStyle(field), getComputedStyle(field.parentElement, '::after')];
      return ['borderTopColor', 'borderTopWidth', 'borderTopLeftRadius', 'height', 'width'].map((name) => [own[name], again[name]]);
    }""")
    assert all(own == again for own, again in edge), edge
    screen.field.fill("x" * 4001)
    expect(screen.page.locator("#counter")).to_be_visible()
    for button in (emoji, screen.page.get_by_role("button", name="Attach files"), screen.page.get_by_role("button", name="Send")):
        assert wait_for(lambda: end_of(button) == pytest.approx(end_of(screen.field), abs=1), ANSWER_SECONDS), "its style sheet comes in a moment"


def test_a_round_button_leads_down(chat, alice, bob, sit_down):
    hold(chat, alice, bob, numbered(alice, bob, 60))
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(screen.bubble("message 60")).to_be_in_viewport()
    expect(screen.pill).to_be_hidden()
    screen.history.hover()
    screen.page.mouse.wheel(0, -700)
    button = screen.page.get_by_role("button", name="To the newest messages")
    expect(button).to_be_visible()
    box = button.bounding_box()
    assert box["width"] == box["height"] >= 36
    bob.send(alice, "below")
    expect(screen.pill).to_have_text("1 new")
    screen.pill.focus()
    screen.page.keyboard.press("Enter")
    expect(screen.bubble("below")).to_be_in_viewport()
    expect(screen.pill).to_be_hidden()
    expect(screen.history).to_be_focused()


def test_the_days_are_called_by_their_names(chat, alice, bob, sit_down):
    said = [(bob, "long ago", ago(days=400)), (bob, "before", ago(days=2)), (bob, "yesterday", ago(days=1)), (bob, "now", ago())]
    hold(chat, alice, bob, said)
    for language, names in (("en-GB", ["Yesterday", "Today"]), ("fr-FR", ["Hier", "Aujourd’hui"])):
        page = sit_down(alice, f"/chat/{bob.username}", locale=language).page
        expect(page.locator("#history > .day").nth(3)).to_be_visible()
        shown = page.locator("#history > .day").all_inner_texts()
        assert [name.replace("'", "’") for name in shown[2:]] == names
        assert re.search("20\\d\\d", shown[0]) and not re.search("20\\d\\d", shown[1])


def test_today_is_yesterday_after_midnight(chat, alice, bob, sit_down):
    hold(chat, alice, bob, [(bob, "hello", ago())])
    screen = sit_down(alice, "/login", expects="WebSocket")      # for which a day is too long
    screen.page.clock.install()
    screen.page.goto(f"/chat/{bob.username}")
    day = screen.page.locator("#history > .day")
    expect(day).to_have_text("Today")
    screen.page.clock.fast_forward("24:00:00")
    expect(day).to_have_text("Yesterday")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_paper_sender_date_and_year_are_there(chat, alice, bob, sit_down, theme):
    hold(chat, alice, bob, [(bob, "one", ago(minutes=3)), (bob, "two", ago(minutes=2)), (alice, "three", ago(minutes=1))])
    screen = sit_down(alice, f"/chat/{bob.username}", color_scheme=theme)
    page = screen.page
    expect(screen.bubbles).to_have_count(3)
    expect(page.locator("#history > .day")).to_have_text("Today")
    screen.on_paper()
    on_paper = page.locator("#history > .day time").evaluate("time => getComputedStyle(time, '::after').content")
    assert re.search(r"\w+,? \d+ \w+ 20\d\d", on_paper)
    senders = page.locator("#history [data-part=sender]")
    assert [sender.bounding_box()["width"] > 5 for sender in senders.all()] == [True, False, True]
    assert senders.all_text_contents() == [bob.username, bob.username, "You"]
    assert background(page.locator("body")) == [255, 255, 255]
    for gone in ("#people-pane", "#composer", "#completeness"):
        expect(page.locator(gone)).to_be_hidden()


def test_on_paper_a_quote_is_read_as_the_text_around_it(alice, bob, sit_down):
    """Without the ground of a bubble, the ground of a quote would be a dark box with dark words."""
    asked = bob.send(alice, "the question").json()
    alice.ask(f"/messages/{bob.username}", message="the answer", clientId="an-answer", replyTo=asked["seq"])
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.on_paper()
    quote = screen.bubbles.last.locator("[data-part=quote]")
    assert quote.evaluate("quote => getComputedStyle(quote).backgroundColor") == "rgba(0, 0, 0, 0)"


def test_on_paper_a_refused_message_is_no_sent_one(talk, sit_down):
    alice, bob = talk
    screen = sit_down(alice, f"/chat/{bob.username}")
    row = refused(screen)
    screen.on_paper()
    expect(row.locator("[data-part=failed-text]")).to_be_visible()
    expect(row.get_by_role("button", name="Delete")).to_be_hidden()


def test_the_faces_grow_with_the_letters(talk, sit_down):
    alice, bob = talk
    page = sit_down(alice, f"/chat/{bob.username}").page
    faces = page.locator(".avatar:visible")
    before = [face.bounding_box()["width"] for face in faces.all()]
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert [face.bounding_box()["width"] for face in faces.all()] == [2 * width for width in before]


def is_reached(locator):
    """Scroll to an element; tell whether it is seen then. The list of people goes on while one scrolls, and another one is its last."""
    locator.scroll_into_view_if_needed()
    with contextlib.suppress(AssertionError):
        expect(locator).to_be_in_viewport(ratio=0.9, timeout=1000)
        return True
    return False


@pytest.mark.parametrize("size", [(320, 200), (320, 256), (480, 270)], ids=["1280x800", "1280x1024", "1920x1080"])
def test_at_400_percent_the_messages_keep_half_of_the_window(chat, alice, bob, sit_down, size):
    hold(chat, alice, bob, numbered(alice, bob, 20))
    width, height = size
    screen = sit_down(alice, f"/chat/{bob.username}", viewport={"width": width, "height": height}, device_scale_factor=4)
    assert screen.history.bounding_box()["height"] >= height / 2
    screen.field.fill("\n".join("line" for _n in range(20)))
    assert screen.history.bounding_box()["height"] >= height / 2
    expect(screen.page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)
    screen.page.goto("/")
    assert wait_for(lambda: is_reached(screen.people.last), ANSWER_SECONDS)
    screen.page.get_by_role("button", name="Logout").scroll_into_view_if_needed()
    expect(screen.page.get_by_role("button", name="Logout")).to_be_in_viewport(ratio=0.9)


def test_the_details_open_at_their_title(chat, alice, bob, sit_down):
    hold(chat, alice, bob, [(bob, "hello", ago())])
    screen = sit_down(alice, f"/chat/{bob.username}", viewport={"width": 320, "height": 200}, device_scale_factor=4)
    screen.bubbles.locator("[data-part=details]").click()
    title = screen.page.get_by_role("dialog").get_by_role("heading")
    expect(title).to_be_in_viewport(ratio=1)
    expect(title).to_be_focused()

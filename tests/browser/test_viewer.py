"""Images on the page: how they lie in a bubble, and one at a time over everything."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.attaching import cards, choose, images
from tests.browser.photos import board, photo
from tests.browser.screen import PHONE, WIDE
from tests.people import new_client_id
from tests.uploads import animation, send_files, uploaded

pytestmark = pytest.mark.browser

SHAPES = """() => [...document.querySelectorAll('#history .image')].filter((one) => one.checkVisibility()).map((one) => {
  const { width, height } = one.getBoundingClientRect();
  return [Math.round(width), Math.round(height)];
})"""
OBSERVE_SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shift += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
"""
RECORD_TYPES = """() => {
  window.shownTypes = [];
  const real = URL.createObjectURL;
  URL.createObjectURL = (blob) => {
    window.shownTypes.push(blob.type);
    return real.call(URL, blob);
  };
}"""
SWIPE = """([from, to]) => {
  const stage = document.querySelector('.viewer-stage');
  const at = (type, x) => stage.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerId: 7, isPrimary: true, pointerType: 'touch', clientX: x, clientY: 300 }));
  at('pointerdown', from);
  at('pointerup', to);
}"""


@pytest.fixture
def album(alice, bob):
    """Bob has sent three images, the first with a description, and one more."""
    files = [uploaded(bob, photo(), "evening.jpg", alt="Hills in the evening"), uploaded(bob, board(), "board.png"), uploaded(bob, photo((800, 1200)), "tall.jpg")]
    send_files(bob, alice, *files)
    send_files(bob, alice, uploaded(bob, board((2000, 100)), "flat.png"), text="with words")


def open_first(screen):
    images(screen).first.click()
    viewer = screen.page.locator("#viewer")
    expect(viewer.locator(".viewer-stage img")).to_have_attribute("alt", "Hills in the evening")
    return viewer


def test_it_works(album, alice, bob, sit_down):
    """Keys lead on, Esc closes it, and the focus is at the image that was looked at."""
    screen = sit_down(alice, f"/chat/{bob.username}")
    viewer = open_first(screen)
    expect(viewer).to_contain_text("evening.jpg")
    expect(viewer).to_contain_text("1 of 4")
    expect(viewer.locator(".viewer-alt")).to_have_text("Hills in the evening")
    expect(viewer.get_by_role("button", name="Previous image")).to_be_hidden()
    screen.page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text("board.png")
    screen.page.keyboard.press("ArrowLeft")
    screen.page.keyboard.press("ArrowLeft")
    expect(viewer).to_contain_text("evening.jpg")
    viewer.get_by_role("button", name="Next image").click()
    expect(viewer).to_contain_text("2 of 4")
    assert viewer.get_by_role("link", name="Download").get_attribute("href").endswith("?download")
    screen.page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    expect(images(screen).nth(1)).to_be_focused()
    expect(screen.heading).to_be_visible()


@pytest.mark.parametrize("close", [
    lambda screen: screen.page.go_back(),
    lambda screen: screen.page.get_by_role("button", name="Close").click(),
    lambda screen: screen.page.locator(".viewer-stage").click(position={"x": 3, "y": 200})], ids=["Back", "the cross", "beside it"])
def test_it_is_closed(album, alice, bob, sit_down, close):
    screen = sit_down(alice, f"/chat/{bob.username}")
    viewer = open_first(screen)
    path = screen.page.url
    close(screen)
    expect(viewer).to_have_count(0)
    expect(screen.heading).to_be_visible()
    assert screen.page.url == path
    expect(images(screen).first).to_be_focused()


def test_a_finger_leads_on(album, alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", viewport=PHONE, has_touch=True, is_mobile=True)
    viewer = open_first(screen)
    screen.page.evaluate(SWIPE, [300, 100])
    expect(viewer).to_contain_text("board.png")
    screen.page.evaluate(SWIPE, [100, 300])
    expect(viewer).to_contain_text("evening.jpg")
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_it_is_looked_at_in_its_natural_size(album, alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", viewport={"width": 700, "height": 500})
    viewer = open_first(screen)
    image = viewer.locator("img")
    expect(image).to_have_js_property("complete", True)
    assert image.bounding_box()["width"] <= 700
    viewer.get_by_role("button", name="Natural size").click()
    assert round(image.bounding_box()["width"]) == 1200
    expect(viewer.get_by_role("button", name="Natural size")).to_have_attribute("aria-pressed", "true")


def test_without_scripts_an_image_is_a_link(album, alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", java_script_enabled=False, expects="inline style")      # the browser's own page around an image
    images(screen).first.click()
    expect(screen.page).to_have_url(re.compile(r"/files/\d+$"))


def test_images_lie_as_drawn_and_nothing_jumps(album, alice, bob, sit_down):
    screen = sit_down(alice, path=None, viewport=WIDE)
    screen.page.add_init_script(OBSERVE_SHIFTS)
    screen.page.route("**/preview", lambda route: (screen.page.wait_for_timeout(200), route.continue_()))
    screen.page.goto(f"/chat/{bob.username}", wait_until="networkidle")
    shapes = screen.page.evaluate(SHAPES)
    assert shapes[:3] == [[223, 184], [111, 91], [111, 91]], shapes
    assert shapes[3][0] == 280 and 50 <= shapes[3][1] <= 60, shapes
    assert screen.page.evaluate("window.shift") <= 0.02
    assert screen.page.evaluate("[...document.querySelectorAll('#history img')].every((image) => image.naturalWidth > 0)")
    images(screen).first.hover()        # its toolbar comes
    expect(screen.page.locator("#history .tools")).to_be_visible()
    assert screen.page.evaluate("getComputedStyle(document.querySelector('#history .image').closest('article').querySelector('footer')).position") == "absolute"
    assert screen.page.evaluate(SHAPES) == shapes


def differences(shapes, wanted):
    """Return which sizes differ by more than what is rounded."""
    return [pair for pair in zip(shapes, wanted, strict=True) if max(abs(one - other) for one, other in zip(*pair)) > 1]


def test_on_a_phone_one_image_alone_is_as_large_as_drawn(alice, bob, sit_down):
    sizes = {(800, 1200): (160, 240), (900, 900): (236, 236), (1200, 900): (236, 177), (150, 100): (150, 100), (160, 220): (145, 200)}
    for n, size in enumerate(sizes):
        send_files(bob, alice, uploaded(bob, photo(size), f"{n}.jpg"))
    screen = sit_down(alice, path=None, viewport=PHONE)
    held = []
    screen.page.route("**/preview", lambda route: held.append(route))
    screen.page.goto(f"/chat/{bob.username}", wait_until="domcontentloaded")
    screen.expect_connected()
    shapes = screen.page.evaluate(SHAPES)
    assert differences(shapes, sizes.values()) == []
    screen.page.unroute("**/preview")
    screen.page.reload()
    screen.page.wait_for_function("() => [...document.querySelectorAll('#history img')].every((image) => image.naturalWidth > 0)")
    assert differences(screen.page.evaluate(SHAPES), shapes) == [], "it was known before it came"
    send_files(bob, alice, uploaded(bob, photo((800, 1200)), "live.jpg"))
    expect(images(screen)).to_have_count(6)
    assert screen.page.evaluate(SHAPES)[-1] == shapes[0]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
def test_what_comes_live_looks_as_it_does_after_a_reload(alice, bob, sit_down, count):
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.expect_connected()
    send_files(bob, alice, *[uploaded(bob, photo((900 + 50 * n, 700)), f"{n}.jpg") for n in range(count)])
    expect(images(screen)).to_have_count(count)
    markup = "() => document.querySelector('#history .files').outerHTML.replace(/\\s+/g, ' ').replaceAll('> <', '><')"
    shapes = screen.page.evaluate(SHAPES)
    names = "() => [...document.querySelectorAll('#history .image')].map(({ href, dataset }) => [href, dataset.name, dataset.behind ?? ''])"
    live = screen.page.evaluate(names)
    screen.page.reload()
    expect(images(screen)).to_have_count(count)
    assert (screen.page.evaluate(SHAPES), screen.page.evaluate(names)) == (shapes, live), screen.page.evaluate(markup)
    assert [one[2] for one in live] == (["", "", "", "+2", "", ""] if count == 6 else [""] * count)


def test_an_animation_stands_still_where_less_motion_is_wanted(alice, bob, sit_down):
    send_files(bob, alice, uploaded(bob, animation(), "wave.gif"))
    screen = sit_down(alice, f"/chat/{bob.username}", reduced_motion="reduce")
    screen.page.wait_for_load_state("networkidle")
    shown = "document.querySelector('#history .image img').currentSrc"
    assert screen.page.evaluate(shown).endswith("/preview")
    images(screen).first.hover()
    expect(images(screen).first).to_have_attribute("data-animated", "")
    screen.page.wait_for_function(f"() => !{shown}.endsWith('/preview')")
    screen.page.mouse.move(5, 5)
    screen.page.wait_for_function(f"() => {shown}.endsWith('/preview')")
    seen = "getComputedStyle(document.querySelector('#history .image img')).opacity"
    screen.page.evaluate("document.querySelector('#history .image').toggleAttribute('data-preview')")      # as of a very large one
    assert screen.page.evaluate(seen) == "0"
    images(screen).first.hover()
    assert screen.page.evaluate(seen) == "1"
    screen.page.evaluate(RECORD_TYPES)
    images(screen).first.click()
    large = "document.querySelector('#viewer img')"
    screen.page.wait_for_function(f"() => {large}.src.startsWith('blob:')")
    screen.page.locator("#viewer img").hover()
    screen.page.wait_for_function(f"() => {large}.src.includes('/files/')")
    screen.page.mouse.move(5, 5)
    screen.page.wait_for_function(f"() => {large}.src.startsWith('blob:')")
    screen.page.keyboard.press("Escape")
    choose(screen, ("wave.gif", "image/gif", animation()))
    expect(cards(screen).locator("img")).to_be_visible()
    assert set(screen.page.evaluate("window.shownTypes")) == {"image/png"}, "no animation is shown, but its first picture"
    lively = sit_down(alice, f"/chat/{bob.username}")
    lively.page.wait_for_load_state("networkidle")
    assert not lively.page.evaluate(shown).endswith("/preview")


def test_it_closes_when_the_conversation_is_left(alice, bob, sit_down):
    """Alice is removed from the room whose image she looks at: the page goes on."""
    room = bob.make_room("maths", alice)
    file = uploaded(bob, photo(), "evening.jpg", alt="Hills in the evening")
    answer = bob.ask(f"/conversations/{room}/messages", message="", clientId=new_client_id(), files=[file["id"]])
    assert answer.status_code == 201, answer.text
    screen = sit_down(alice, f"/rooms/{room}")
    viewer = open_first(screen)
    bob.ask(f"/rooms/{room}/members/{alice.username}/remove")
    expect(viewer).to_have_count(0)
    expect(screen.page.locator("h1")).to_contain_text("Welcome")

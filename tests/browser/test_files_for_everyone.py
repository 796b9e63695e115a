"""Files for everyone: axe in light and dark, keys alone, a narrow page, a page from right to left, a page without scripts."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.attaching import cards, choose, images
from tests.browser.photos import board, photo
from tests.browser.screen import PHONE, WIDE
from tests.browser.test_accessibility import NARROW, expect_no_sideways_scrolling, expect_no_violation
from tests.uploads import MP3, PDF, send_files, uploaded

pytestmark = pytest.mark.browser

THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
WHERE = pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
LONG_NAME = f"{'a very long name of a report ' * 4}.pdf"


@pytest.fixture
def talk(alice, bob):
    """Every kind of file, of both: images alone and with words, a tile, a recording, and an answer to an image."""
    send_files(bob, alice, uploaded(bob, photo(), "evening.jpg", alt="Hills in the evening"), uploaded(bob, board(), "board.png"), uploaded(bob, photo(), "c.jpg"))
    send_files(bob, alice, uploaded(bob, PDF, LONG_NAME), text="read it")
    send_files(alice, bob, uploaded(alice, MP3, "song.mp3", duration="65"), uploaded(alice, PDF, "mine.pdf"))
    send_files(alice, bob, uploaded(alice, photo((700, 1200)), "tall.jpg"), text="with words")
    alice.ask(f"/messages/{bob.username}", message="an answer", clientId=f"answer-{alice.id}", replyTo=1)


@THEMES
@WHERE
def test_it_works(talk, alice, bob, sit_down, theme, viewport):
    """axe finds nothing: in the conversation, above the field, in the viewer and in the panel."""
    options = {"color_scheme": theme, "viewport": viewport, **({"has_touch": True, "is_mobile": True} if viewport is PHONE else {})}
    screen = sit_down(alice, f"/chat/{bob.username}", **options)
    screen.expect_connected()
    choose(screen, ("board.png", "image/png", board()), ("notes.pdf", "application/pdf", PDF), ("empty.txt", "text/plain", b""))
    expect(cards(screen)).to_have_count(2)
    cards(screen).first.get_by_role("button", name="Describe").click()
    expect_no_violation(screen.page)
    images(screen).first.click()
    expect(screen.page.locator("#viewer")).to_be_visible()
    expect_no_violation(screen.page)
    screen.page.goto(f"/chat/{bob.username}?info")
    expect(screen.page.locator("#shared .image").first).to_be_visible()
    expect_no_violation(screen.page)


def test_axe_finds_nothing_while_files_are_uploaded_and_when_they_are_refused(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", expects="ERR_|Failed")
    screen.expect_connected()
    screen.page.route(re.compile(r"/offset$"), lambda route: None)      # for ever
    choose(screen, ("evening.jpg", "image/jpeg", photo()))
    expect(cards(screen).locator("img")).to_be_visible()
    screen.field.press("Enter")
    expect(screen.page.get_by_role("button", name="Cancel the upload")).to_be_visible()
    expect_no_violation(screen.page)
    screen.page.get_by_role("button", name="Cancel the upload").click()
    expect(screen.bubbles).to_have_count(0)


@pytest.mark.parametrize("viewport", [NARROW, PHONE], ids=["320 px", "360 px"])
def test_nothing_scrolls_sideways(talk, alice, bob, sit_down, viewport):
    screen = sit_down(alice, f"/chat/{bob.username}", viewport=viewport, has_touch=True, is_mobile=True)
    expect(images(screen)).to_have_count(4)
    choose(screen, (LONG_NAME, "application/pdf", PDF))
    expect(cards(screen)).to_have_count(1)
    expect_no_sideways_scrolling(screen.page)


def test_a_page_from_right_to_left_is_mirrored(talk, alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    expect(images(screen)).to_have_count(4)
    screen.page.evaluate("document.documentElement.dir = 'rtl'")
    attach, field = screen.page.get_by_role("button", name="Attach files").bounding_box(), screen.field.bounding_box()
    assert attach["x"] > field["x"]
    tile = screen.page.locator("#history .file").first
    assert tile.locator(".file-icon").bounding_box()["x"] > tile.locator(".file-download").bounding_box()["x"]
    images(screen).first.click()
    viewer = screen.page.locator("#viewer")
    expect(viewer).to_contain_text("1 of 4")
    screen.page.keyboard.press("ArrowLeft")
    expect(viewer).to_contain_text("2 of 4")
    following, close = viewer.get_by_role("button", name="Next image").bounding_box(), viewer.get_by_role("button", name="Close").bounding_box()
    assert following["x"] < 100 and close["x"] < 100


def test_keys_alone_are_enough(alice, bob, sit_down):
    """Attached from the field with Shift+Tab, described, removed, sent; the image is opened with Enter."""
    screen = sit_down(alice, f"/chat/{bob.username}")
    screen.expect_connected()
    with screen.page.expect_file_chooser() as chooser:
        screen.page.get_by_role("button", name="Attach files").press("Enter")
    chooser.value.set_files([{"name": name, "mimeType": "image/png", "buffer": board()} for name in ("one.png", "two.png")])
    expect(cards(screen)).to_have_count(2)
    expect(screen.field).to_be_focused()
    cards(screen).first.get_by_role("button", name="Describe").press("Enter")
    expect(cards(screen).first.get_by_role("textbox")).to_be_focused()
    screen.page.keyboard.type("a plan")
    screen.page.keyboard.press("Enter")
    expect(screen.field).to_be_focused()
    cards(screen).last.get_by_role("button", name="Remove two.png").press("Enter")
    expect(cards(screen)).to_have_count(1)
    screen.page.keyboard.press("Enter")
    expect(screen.bubbles.last).to_have_attribute("data-state", "sent")
    images(screen).last.press("Enter")
    expect(screen.page.locator("#viewer")).to_contain_text("a plan")
    screen.page.keyboard.press("Escape")
    expect(images(screen).last).to_be_focused()


def test_the_answer_about_the_quota_takes_no_focus(alice, bob, sit_down):
    """It comes while somebody describes an image."""
    screen, held = sit_down(alice, f"/chat/{bob.username}"), []
    screen.expect_connected()
    screen.page.route("**/files/quota", lambda route: held.append(route))
    with screen.page.expect_file_chooser() as chooser:
        screen.page.get_by_role("button", name="Attach files").press("Enter")
    chooser.value.set_files([{"name": "one.png", "mimeType": "image/png", "buffer": board()}])
    cards(screen).first.get_by_role("button", name="Describe").press("Enter")
    description = cards(screen).first.get_by_role("textbox")
    expect(description).to_be_focused()
    with screen.page.expect_request_finished(lambda request: request.url.endswith("/files/quota")):
        held.pop().continue_()
    screen.page.evaluate("new Promise((resolve) => setTimeout(resolve))")       # what waits for the answer has run
    expect(description).to_be_focused()


def test_a_form_sends_files_without_scripts(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}", java_script_enabled=False)
    screen.page.get_by_label("Files", exact=True).set_input_files([{"name": "board.png", "mimeType": "image/png", "buffer": board()},
                                                       {"name": "notes.pdf", "mimeType": "application/pdf", "buffer": PDF}])
    screen.field.fill("by the form")
    screen.page.get_by_role("button", name="Send").click()
    expect(screen.bubble("by the form")).to_be_visible()
    expect(images(screen)).to_have_count(1)
    expect(screen.page.get_by_role("link", name="Download notes.pdf")).to_be_visible()
    expect(screen.page.get_by_role("button", name="Attach files")).to_be_hidden()
    assert [file["name"] for file in alice.history(bob)["messages"][-1]["files"]] == ["board.png", "notes.pdf"]

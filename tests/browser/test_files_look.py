"""What files look like: in a conversation, about to be sent, opened, and what was shared. SCREENSHOTS=1 keeps the pictures."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.attaching import cards, choose, images
from tests.browser.photos import board, photo
from tests.browser.screen import PHONE, WIDE
from tests.browser.test_look import folder, take      # noqa: F401
from tests.people import Person
from tests.server import Server
from tests.uploads import MP3, PDF, send_files, uploaded

pytestmark = pytest.mark.browser

THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
SIZES = pytest.mark.parametrize("size, viewport", [("wide", WIDE), ("phone", PHONE)])


@pytest.fixture(scope="module")
def two():
    """Mohcine and Salma, who send each other images: (Mohcine07, Salma)."""
    with Server() as server:
        me, salma = Person(server.url, "Mohcine07"), Person(server.url, "Salma")
        for person in (me, salma):
            assert person.register().status_code == 302
        send_files(salma, me, uploaded(salma, photo(), "soir.jpg", alt="Le soir"), uploaded(salma, board(), "mcd.png"), uploaded(salma, photo((900, 700)), "collines.jpg"))
        salma.send(me, "L’affiche : https://fac.example/affiche")
        me.send(salma, "Superbes. Je garde la première pour la couverture")
        send_files(salma, me, uploaded(salma, PDF, "rapport-v3.pdf"), text="Relu, il ne manque que ta conclusion.")
        me.ask("/messages/Salma", message="Très clair !", clientId="an-answer", replyTo=1)
        salma.tab()
        yield me, salma
        for person in (me, salma):
            person.leave()


def open_page(sit_down, me, theme, size, viewport, path="/chat/Salma", **options):
    screen = sit_down(me, path, color_scheme=theme, viewport=viewport, has_touch=size == "phone", is_mobile=size == "phone", expects="ERR_|Failed|507", **options)
    screen.page.wait_for_load_state("networkidle")
    return screen


@THEMES
@SIZES
def test_it_works(two, sit_down, folder, theme, size, viewport):
    """A message that is being uploaded, one that was refused, and one that is about to be sent."""
    me, _salma = two
    screen = open_page(sit_down, me, theme, size, viewport)
    screen.expect_connected()
    full = {"error": {"code": "unavailable", "message": "the server has no room.", "retry": True}}
    screen.page.route(re.compile(r"/files/[\w-]+\?"), lambda route: route.fulfill(status=507, json=full))
    choose(screen, ("mcd.png", "image/png", board()))
    expect(cards(screen).locator("img")).to_be_visible()
    screen.page.get_by_role("button", name="Send").click()
    expect(screen.bubbles.last).to_have_attribute("data-state", "failed")
    screen.page.route(re.compile(r"/files/[\w-]+/offset"), lambda route: route.fulfill(status=200, json={"offset": 60_000}))
    screen.page.unroute(re.compile(r"/files/[\w-]+\?"))
    screen.page.route(re.compile(r"/files/[\w-]+\?"), lambda route: None)       # for ever
    choose(screen, ("soir.jpg", "image/jpeg", photo(at_least=100_000)))
    expect(cards(screen).locator("img")).to_be_visible()
    screen.page.get_by_role("button", name="Send").click()
    expect(screen.page.locator("[data-part=upload-words]").last).to_contain_text("of 100 KB")
    take(screen, folder / f"files-{theme}-{size}.png")
    choose(screen, ("mcd.png", "image/png", board()), ("rapport-v4.pdf", "application/pdf", PDF))
    expect(cards(screen)).to_have_count(2)
    take(screen, folder / f"attachments-{theme}-{size}.png")


@THEMES
@SIZES
def test_images_and_tiles(two, sit_down, folder, theme, size, viewport):
    me, _salma = two
    screen = open_page(sit_down, me, theme, size, viewport)
    expect(images(screen)).to_have_count(3)
    screen.page.wait_for_function("() => [...document.querySelectorAll('#history img')].every(({ complete }) => complete)")
    take(screen, folder / f"images-{theme}-{size}.png")
    images(screen).first.click()
    expect(screen.page.locator("#viewer img")).to_have_js_property("complete", True)
    take(screen, folder / f"viewer-{theme}-{size}.png")


@THEMES
def test_what_was_shared(two, sit_down, folder, theme):
    me, _salma = two
    screen = open_page(sit_down, me, theme, "wide", WIDE, "/chat/Salma?info", locale="fr-FR")
    expect(screen.page.locator("#shared .image")).to_have_count(3)
    take(screen, folder / f"shared-french-{theme}-wide.png")


@THEMES
@SIZES
def test_emoji_alone_and_voice(chat, arrive, sit_down, folder, theme, size, viewport):
    me, salma = arrive(chat), arrive(chat)
    salma.send(me, "On a la salle B12 !")
    me.send(salma, "🎉🙌")
    send_files(salma, me, uploaded(salma, MP3, "Message vocal.mp3", duration="42"))
    send_files(me, salma, uploaded(me, MP3 + b"\0", "Message vocal.mp3", duration="7.5"))
    salma.send(me, "👍🏽")
    screen = open_page(sit_down, me, theme, size, viewport, f"/chat/{salma.username}")
    expect(screen.page.locator("#history .audio-time").first).to_have_text("0:42")
    expect(screen.page.locator("#history li[data-emoji]")).to_have_count(2)
    for bubble in screen.bubbles.locator("article:has(.audio)").all():
        box, last = bubble.bounding_box(), bubble.locator(".file-download").bounding_box()
        assert last["x"] + last["width"] <= box["x"] + box["width"], "it lies within the bubble"
    take(screen, folder / f"voice-{theme}-{size}.png")


@THEMES
@SIZES
def test_everything_that_was_shared(chat, arrive, sit_down, folder, theme, size, viewport):
    me, salma = arrive(chat), arrive(chat)
    send_files(salma, me, *(uploaded(salma, photo((900, 700 - n)), f"soir{n}.jpg") for n in range(7)))
    send_files(salma, me, uploaded(salma, PDF, "rapport-v3.pdf"), uploaded(salma, PDF, "Ein Name, der für die Breite eines Telefons zu lang ist.pdf"))
    screen = open_page(sit_down, me, theme, size, viewport, f"/chat/{salma.username}?info")
    expect(screen.page.locator("#shared .image")).to_have_count(4)
    screen.page.wait_for_function("() => [...document.querySelectorAll('#shared img')].every(({ complete }) => complete)")
    take(screen, folder / f"shared-begin-{theme}-{size}.png")
    screen.page.get_by_role("link", name="3 more images").click()
    expect(screen.page.locator("#shared .image")).to_have_count(7)
    take(screen, folder / f"shared-all-{theme}-{size}.png")
    screen.page.wait_for_load_state("networkidle")      # until then an image is a link
    screen.page.locator("#shared .image").nth(5).click()
    expect(screen.page.locator("#viewer img")).to_be_visible()
    screen.page.keyboard.press("Escape")
    screen.page.locator("#main .page-links").get_by_role("link", name="Back to the conversation").click()
    expect(screen.page.locator("#info-panel")).to_be_visible()

"""What each page looks like. SCREENSHOTS=1 keeps the pictures in docs/screenshots/."""
import os
import re

import pytest
from playwright.sync_api import expect

from tests.browser.past import ago, hold
from tests.browser.screen import PHONE, WIDE
from tests.people import Person
from tests.server import ROOT, Server

pytestmark = pytest.mark.browser

HUGE, NARROW, ZOOMED = {"width": 1920, "height": 1080}, {"width": 320, "height": 640}, {"width": 320, "height": 200}
PAPER = {"width": 794, "height": 700}       # the width of A4
LEAST_BYTES = 5_000     # of a picture: a blank page has 4,000 at most

TALK = [("Miage", "Salut Mohcine ! Tu as fini le diagramme de classes ?", 7), ("me", "bonjour", 4),
        ("me", "Oui : six classes, et un fichier par classe. On le voit tout de suite dans le dépôt.", 4),
        ("Miage", "Génial. Et la base de données ?", 3),
        ("Miage", "J'ai XAMPP sur mon portable, donc MySQL sans mot de passe.", 3),
        ("me", "Une seule commande : https://chat.example/docs#xampp — elle crée la base toute seule.", 2)]
# Who wrote what, how long ago, and whether it waits to be read.
OTHERS = [("Nour", "Nour", "ok", {"days": 10}, 0), ("Karim", "Karim", "The tests are green", {"days": 3}, 0),
          ("Inès", "me", "merci beaucoup", {"days": 2}, 0), ("Amine", "Amine", "Tu viens à la BU ?", {"days": 1, "hours": 1}, 1),
          ("Zoé", "Zoé", "On se retrouve en salle B12", {"days": 1}, 0),
          ("Yassine", "Yassine", "Did you see the exercise sheet?", {"minutes": 45}, 3),
          ("Salma", "me", "I pushed the schema", {"minutes": 14}, 0)]


@pytest.fixture(scope="module")
def team():
    """A small team in the middle of its work: its server, and its people by name; "me" is the one whose screen it is."""
    with Server() as server:
        people = {name: Person(server.url, name) for name in ("Mohcine07", "Miage", *(other[0] for other in OTHERS))}
        for person in people.values():
            assert person.register().status_code == 302
        me = people["me"] = people["Mohcine07"]
        for name, sender, text, how_long, unread in OTHERS:
            said = [(people[sender], text, ago(**how_long))] * max(1, unread)
            hold(server, me, people[name], said, read=not unread)
        hold(server, me, people["Miage"], [(people[who], text, ago(minutes=minutes)) for who, text, minutes in TALK])
        people["Miage"].send(me, "Parfait, à demain alors")
        for name in ("Miage", "Salma", "Yassine", "Amine"):
            people[name].tab()
        yield server, people
        for person in people.values():
            person.leave()


@pytest.fixture
def folder(tmp_path):
    if os.environ.get("SCREENSHOTS") != "1":
        return tmp_path
    kept = ROOT / "docs" / "screenshots"
    kept.mkdir(exist_ok=True)
    return kept


@pytest.mark.parametrize("name", ["login", "register", "home", "conversation"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size, viewport", [("wide", WIDE), ("phone", PHONE)])
def test_it_works(team, sit_down, folder, name, theme, size, viewport):
    server, people = team
    me, friend = people["me"], people["Amine"]      # who is about to write
    path = {"login": "/login", "register": "/register", "home": "/", "conversation": "/chat/Miage"}[name]
    visitor = me if name in ("home", "conversation") else server
    screen = sit_down(visitor, path, color_scheme=theme, viewport=viewport, has_touch=size == "phone", is_mobile=size == "phone")
    if name in ("home", "conversation"):
        expect(screen.page.locator("#online-count")).to_have_text("4 online")
        # A typing sign is for those who are connected: the handshake, the connection, its answer.
        screen.page.wait_for_function(
            "() => performance.getEntriesByType('resource').filter(({ name }) => name.includes('/socket.io/?')).length >= 3")
        friend.tabs[0].call("typing", {"userId": me.id})
        expect(screen.card(friend)).to_have_attribute("data-typing", "")
    if name == "conversation":
        expect(screen.bubbles.nth(6)).to_be_visible()
    take(screen, folder / f"{name}-{theme}-{size}.png")


@pytest.mark.parametrize("name, path, options", [
    ("home-light-huge", "/", {"viewport": HUGE}), ("conversation-light-huge", "/chat/Miage", {"viewport": HUGE}),
    ("conversation-french-narrow", "/chat/Miage", {"viewport": NARROW, "color_scheme": "dark", "locale": "fr-FR"}),
    ("conversation-zoomed", "/chat/Miage", {"viewport": ZOOMED, "device_scale_factor": 4}),
    ("conversation-paper", "/chat/Miage", {"viewport": PAPER, "color_scheme": "dark"})])
def test_it_fits_every_size(team, sit_down, folder, name, path, options):
    """A projector, the smallest phone in French, 400 %, and paper."""
    _server, people = team
    screen = sit_down(people["me"], path, **options)
    expect(screen.page.locator("#online-count")).to_have_text(re.compile("^4 "))
    if name == "conversation-paper":
        screen.on_paper()
    take(screen, folder / f"{name}.png")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_menu_and_a_refused_message(team, sit_down, folder, theme):
    _server, people = team
    screen = sit_down(people["me"], "/chat/Karim", color_scheme=theme, viewport=WIDE)
    screen.send_refused("Le rapport est là : ")
    expect(screen.bubbles.last).to_have_attribute("data-state", "failed")
    screen.page.locator("#own-menu > summary").click()
    take(screen, folder / f"menu-{theme}-wide.png")


@pytest.mark.parametrize("theme, size, viewport", [("light", "wide", WIDE), ("dark", "phone", PHONE)])
def test_the_faces_to_choose_from(team, sit_down, folder, theme, size, viewport):
    """The fourth is chosen, and all of them are there before the picture is taken."""
    _server, people = team
    screen = sit_down(people["Salma"], "/face", color_scheme=theme, viewport=viewport, has_touch=size == "phone", is_mobile=size == "phone")
    screen.page.get_by_role("radio", name="Face 4").check()
    screen.page.wait_for_load_state("networkidle")
    expect(screen.page.get_by_role("radio")).to_have_count(12)
    take(screen, folder / f"face-{theme}-{size}.png")


def take(screen, path):
    """Take a picture of the page, and look whether anything is on it."""
    assert len(screen.page.screenshot(path=path, animations="disabled")) > LEAST_BYTES


@pytest.mark.parametrize("theme, texts", [("light", ["Je suis dans le train", "Le diagramme est prêt"]),
                                          ("dark", ["Il passe dans un tunnel", "Je te l'envoie après"])])
def test_the_network_goes_and_comes_back(team, sit_down, folder, theme, texts):
    """A recording in pictures: what one sees of a message from the writing without a network to the reading."""
    _server, people = team
    me, reader = people["me"], people["Miage"]
    screen = sit_down(me, "/chat/Miage", color_scheme=theme, viewport=PHONE, has_touch=True, is_mobile=True,
                      expects="ERR_INTERNET_DISCONNECTED|WebSocket|ERR_NETWORK")
    page, banner, mark = screen.page, screen.page.locator("#connection"), screen.page.locator("#completeness")
    expect(mark).to_have_text("Up to date")
    expect(page.locator("#online-count")).to_have_text("4 online")
    page.touchscreen.tap(180, 300)      # the hand that is about to write: with it comes what tells the details
    page.wait_for_function("() => document.querySelector('#history [tabindex]')")

    page.context.set_offline(True)
    expect(banner).to_contain_text("You are offline.")
    expect(mark).to_have_text("Offline")
    take(screen, folder / f"offline-{theme}-phone.png")
    for text in texts:
        screen.field.fill(text)
        page.get_by_role("button", name="Send").tap()
        screen.expect_state(text, "pending")
    take(screen, folder / f"queued-{theme}-phone.png")
    page.context.set_offline(False)
    for text in texts:
        screen.expect_state(text, "sent")
    expect(banner).to_have_text("You are back online.")
    take(screen, folder / f"back-{theme}-phone.png")
    head = me.history(reader)["lastSeq"]
    for event in ("markDelivered", "markRead"):
        reader.tabs[0].call(event, {"userId": me.id, "seq": head})
    screen.expect_state(texts[-1], "read")
    expect(mark).to_have_attribute("title", f"Messages shown: 1 – {head}. Up to date.")
    expect(banner).to_be_empty()
    take(screen, folder / f"complete-{theme}-phone.png")

    screen.bubble(texts[-1]).locator("[data-part=details]").tap()
    expect(page.get_by_role("dialog").locator("dd time")).to_have_count(5)
    take(screen, folder / f"details-{theme}-phone.png")


@pytest.mark.parametrize("theme, text", [("light", "Tu peux le relire ?"), ("dark", "Avant midi, si possible")])
def test_the_details_of_a_message(team, sit_down, folder, theme, text):
    _server, people = team
    screen = sit_down(people["me"], "/chat/Salma", color_scheme=theme, viewport=WIDE)
    screen.send(text)
    screen.expect_state(text, "sent")
    people["Salma"].tabs[0].call("markDelivered", {"userId": people["me"].id, "seq": 99})
    screen.bubble(text).locator("[data-part=details]").click()
    expect(screen.page.get_by_role("dialog").locator("dd time")).to_have_count(4)
    take(screen, folder / f"details-{theme}-wide.png")

"""What each page looks like. SCREENSHOTS=1 keeps the pictures in docs/screenshots/."""
import os

import pytest
from playwright.sync_api import expect

from tests.browser.past import ago, hold
from tests.browser.screen import PHONE, WIDE
from tests.people import Person
from tests.server import ROOT, Server

pytestmark = pytest.mark.browser

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
    """A small team in the middle of its work; its server, the one whose screen it is, and one who is about to write."""
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
        yield server, me, people["Amine"]
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
    server, me, friend = team
    path = {"login": "/login", "register": "/register", "home": "/", "conversation": "/chat/Miage"}[name]
    visitor = me if name in ("home", "conversation") else server
    screen = sit_down(visitor, path, color_scheme=theme, viewport=viewport, has_touch=size == "phone", is_mobile=size == "phone")
    if name in ("home", "conversation"):
        expect(screen.page.locator("#online-count")).to_have_text("4 online")
        # A typing sign is for those who are connected: the handshake, the connection, its answer.
        screen.page.wait_for_function(
            "performance.getEntriesByType('resource').filter((entry) => entry.name.includes('/socket.io/?')).length >= 3")
        friend.tabs[0].call("typing", {"userId": me.id})
        expect(screen.card(friend)).to_have_attribute("data-typing", "")
    if name == "conversation":
        expect(screen.bubbles.nth(6)).to_be_visible()
    picture = screen.page.screenshot(path=folder / f"{name}-{theme}-{size}.png", animations="disabled")
    assert len(picture) > LEAST_BYTES

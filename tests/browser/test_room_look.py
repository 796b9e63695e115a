"""What rooms look like. SCREENSHOTS=1 keeps the pictures in docs/screenshots/."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.past import ago, hold, hold_in_room
from tests.browser.screen import PHONE, WIDE
from tests.browser.test_look import folder, take  # noqa: F401 - the first is a fixture
from tests.people import Person
from tests.server import Server

pytestmark = pytest.mark.browser

TALK = [("Salma", "Bienvenue ! Le plan est dans le dépôt, à relire avant jeudi.", 58), ("Yassine", "Je relance les tests ce soir.", 41),
        ("Yassine", "Les deux bases, SQLite et MariaDB.", 40), ("me", "Très clair. On l’imprime en grand pour la soutenance ?", 26),
        ("Zoé", "Salle B12 réservée, de 14 h à 16 h.", 12)]
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
ONE_OF_EACH = pytest.mark.parametrize("theme, size", [("light", "wide"), ("dark", "phone")])
LANGUAGES = pytest.mark.parametrize("language", ["", "french-"], ids=["english", "french"])
SIZES = {"wide": WIDE, "phone": PHONE}
LOCALES = {"": "en-GB", "french-": "fr-FR"}


@pytest.fixture(scope="module")
def team():
    """A small team: its server, its people by name, "me" among them, and its rooms by name."""
    with Server() as server:
        people = {name: Person(server.url, name) for name in ("Mohcine07", "Salma", "Yassine", "Zoé", "Karim", "Léa")}
        for person in people.values():
            assert person.register().status_code == 302
        me = people["me"] = people["Mohcine07"]
        salma, yassine, zoe, karim, lea = (people[name] for name in ("Salma", "Yassine", "Zoé", "Karim", "Léa"))
        rooms = {"project": salma.make_room("Projet de fin d’études", me, yassine, zoe, lea, icon="graduation-cap", color=3,
                                            topic="Soutenance le 18 décembre · dépôt : projet-chat"),
                 "course": zoe.make_room("L3 Informatique", me, karim, icon="hash", color=1, topic="Cours, TD, annonces"),
                 "café": karim.make_room("Café & entraide", me, zoe, icon="coffee", color=2),
                 "networks": yassine.make_room("Réseaux — TP 2", karim, icon="globe", color=0, open=True, topic="Sockets, en C et en Python")}
        said = [(people[name], text, ago(minutes=minutes)) for name, text, minutes in TALK]
        hold_in_room(server, rooms["project"], said, read_by=[me, *people.values()])
        hold_in_room(server, rooms["café"], [(karim, "qui descend à 16 h ?", ago(days=1))], read_by=[me])
        hold_in_room(server, rooms["course"], [(zoe, "Le sujet du partiel est en ligne", ago(hours=2))], read_by=[me])
        for name, room, text in (("Salma", "project", "@Mohcine07 tu peux relire le chapitre 3 ?"), ("Zoé", "course", "@Mohcine07 tu as le sujet ?")):
            people[name].tab().send_to_room(rooms[room], text)
        reading = me.tab()
        reading.call("markRead", {"conversationId": rooms["project"], "seq": me.room(rooms["project"])["lastSeq"]})
        reading.close()
        assert me.ask(f"/rooms/{rooms['café']}/settings", notify="none").status_code == 200
        hold(server, me, lea, [(lea, "Le plan est bon, continuez.", ago(days=1))])
        hold(server, me, salma, [(me, "à ce soir alors", ago(minutes=20))])
        people["Yassine"].tab()
        yield people, rooms
        for person in people.values():
            person.leave()


@pytest.fixture
def look(team, sit_down):
    """Open a page of the team: `look(path, theme, size, language)`."""
    people, _rooms = team

    def open_it(path, theme="light", size="wide", language="", **options):
        is_phone = size == "phone"
        screen = sit_down(people["me"], path, color_scheme=theme, viewport=SIZES[size], has_touch=is_phone, is_mobile=is_phone,
                          locale=LOCALES[language], **options)
        screen.expect_connected()
        expect(screen.page.locator("#online-count")).to_have_text(re.compile("^3 "))
        return screen
    return open_it


@THEMES
@pytest.mark.parametrize("size", SIZES)
@LANGUAGES
def test_it_works(team, look, folder, theme, size, language):  # noqa: F811
    """A talk in which two are about to write."""
    people, rooms = team
    screen = look(f"/rooms/{rooms['project']}", theme, size, language)
    for name in ("Salma", "Yassine"):
        people[name].tabs[0].call("typing", {"conversationId": rooms["project"]})
    expect(screen.page.locator("#typing")).to_have_text(re.compile("Salma .* Yassine|Yassine .* Salma"))
    expect(screen.bubbles.last).to_be_in_viewport()
    take(screen, folder / f"room-{language}{theme}-{size}.png")


@THEMES
@pytest.mark.parametrize("size", SIZES)
def test_the_panel_about_a_room(team, look, folder, theme, size):  # noqa: F811
    _people, rooms = team
    screen = look(f"/rooms/{rooms['project']}?info", theme, size)
    expect(screen.page.locator("#members > li")).to_have_count(5)
    take(screen, folder / f"info-{theme}-{size}.png")


@ONE_OF_EACH
@pytest.mark.parametrize("name, path", [("entrance", "/rooms/{networks}"), ("new-room", "/rooms/new"), ("rooms", "/rooms")])
@LANGUAGES
def test_the_pages_about_rooms(team, look, folder, name, path, theme, size, language):  # noqa: F811
    """An open room before one joins it, the form that makes one, and the list of all."""
    _people, rooms = team
    if language and name == "rooms":
        return      # the same in French
    screen = look(path.format(**rooms), theme, size, language)
    expect(screen.page.get_by_role("heading", level=1)).to_be_visible()
    take(screen, folder / f"{name}-{language}{theme}-{size}.png")


@pytest.mark.parametrize("theme, size, text", [("light", "wide", "J’apporte le câble HDMI."), ("dark", "phone", "Et une rallonge ?")])
def test_the_card_that_asks_for_notifications(team, look, folder, theme, size, text):  # noqa: F811
    people, rooms = team
    screen = look(f"/rooms/{rooms['project']}", theme, size, permissions=None)
    people["Zoé"].tabs[0].send_to_room(rooms["project"], text)
    expect(screen.page.locator("#notify-card")).to_be_visible()
    take(screen, folder / f"notify-{theme}-{size}.png")

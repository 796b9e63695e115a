"""What formatted text looks like. SCREENSHOTS=1 keeps the pictures in docs/screenshots/."""
import pytest
from playwright.sync_api import expect

from tests.browser.past import ago, hold_in_room
from tests.browser.screen import PHONE, WIDE
from tests.browser.test_look import folder, take  # noqa: F401 - the first is a fixture
from tests.people import Person
from tests.server import Server

pytestmark = pytest.mark.browser

MEAN = 'def mean(values):\n    """The middle, or 0."""\n    if not values:  # nobody answered\n        return 0\n    return sum(values) / len(values)'
TALK = [("Salma", "Le plan est dans le [dépôt](https://example.org/plan), à relire avant **jeudi**.", 50),
        ("Yassine", "> Les deux bases ?\n\nOui :\n- SQLite, *sans rien installer*\n- MariaDB\n\nLe ~~vieux~~ schéma est `schema.sql`.", 40),
        ("Salma", "```sql\n-- un numéro par message, sans trou\nALTER TABLE messages\n  ADD UNIQUE KEY one_number (conversation_id, seq);\n```\n"
         "Voilà la clé. `read_seq` reste dans `members`, tu peux relire ?", 30),
        ("me", f"Et la moyenne :\n```python\n{MEAN}\n```", 20)]
SIZES = {"wide": WIDE, "phone": PHONE}


@pytest.fixture(scope="module")
def team():
    """A room in which people talk about code: whose screen it is, and its id."""
    with Server() as server:
        people = {name: Person(server.url, name) for name in ("Mohcine07", "Salma", "Yassine")}
        for person in people.values():
            assert person.register().status_code == 302
        me = people["me"] = people["Mohcine07"]
        room = people["Salma"].make_room("Projet de fin d’études", me, people["Yassine"], icon="graduation-cap", color=3)
        hold_in_room(server, room, [(people[who], text, ago(minutes=minutes)) for who, text, minutes in TALK], read_by=people.values())
        yield me, room
        for person in people.values():
            person.leave()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["formatted", "keyboard"])
def test_it_works(team, sit_down, folder, name, theme, size):  # noqa: F811
    me, room = team
    screen = sit_down(me, f"/rooms/{room}" if name == "formatted" else "/keyboard", color_scheme=theme, viewport=SIZES[size],
                      has_touch=size == "phone", is_mobile=size == "phone", locale="en-GB" if theme == "light" else "fr-FR")
    if name == "formatted":
        screen.expect_connected()
        expect(screen.bubbles.last.locator(".code-key").first).to_have_text("def")
        expect(screen.bubbles.nth(2).locator(".code-rem")).to_have_count(1)
    take(screen, folder / f"{name}-{theme}-{size}.png")

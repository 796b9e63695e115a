"""The picture of the README: a room in the middle of its work, with most of what the chat can show. SCREENSHOTS=1 keeps it in docs/screenshots/."""
import re

import pytest
from playwright.sync_api import expect

from tests.browser.past import ago, hold, hold_in_room, move_back
from tests.browser.photos import whiteboard
from tests.browser.screen import PHONE, WIDE
from tests.browser.test_look import folder, take  # noqa: F401 - the first is a fixture
from tests.people import Person, new_client_id
from tests.server import Server
from tests.uploads import PDF, uploaded

pytestmark = pytest.mark.browser

CODE = """```sql
-- un numéro par message, sans trou
ALTER TABLE messages
  ADD UNIQUE KEY one_number (conversation_id, seq);
```
@Mohcine07 voilà la clé. `read_seq` reste dans `members`, tu peux relire ?"""
# Who said the last words to me, how long ago, and how many of them wait to be read.
OTHERS = [("Nguyễn Thị Minh Khai", "merci, à lundi", {"days": 3}, 0), ("山田 太郎", "明日の発表、頑張りましょう", {"hours": 30}, 0),
          ("Léa Fontaine", "Le plan est bon, continuez.", {"days": 1}, 0),
          ("Zoé Lefèvre", "la salle B12 est libre", {"hours": 3}, 0), ("فاطمة الزهراء", "شكرا جزيلا! راجعت الكود", {"hours": 2}, 2),
          ("Salma Benali", "à ce soir alors", {"minutes": 9}, 0)]
SIZES = {"wide": {"viewport": WIDE}, "phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True}}


@pytest.fixture(scope="module")
def team():
    """The people by name, with "me", and the id of their room."""
    with Server() as server:
        names = ["Mohcine07", *(name for name, *_said in OTHERS), "Yassine El Amrani", "Karim"]
        people = {name: Person(server.url, name) for name in names}
        for person in people.values():
            assert person.register().status_code == 302
        me, salma, yassine, zoe = (people[name] for name in ("Mohcine07", "Salma Benali", "Yassine El Amrani", "Zoé Lefèvre"))
        for name, text, how_long, unread in OTHERS:
            hold(server, me, people[name], [(people[name], text, ago(**how_long))] * max(1, unread), read=not unread)
        hold_some_rooms(server, me, zoe, people["Karim"])
        room = salma.make_room("Projet de fin d’études", me, yassine, zoe, people["山田 太郎"], icon="graduation-cap", color=3,
                               topic="Soutenance le 18 décembre · dépôt : projet-chat")
        hold_in_room(server, room, [(salma, "Tout est épinglé, à droite.", ago(minutes=50))], read_by=[me, *people.values()])
        talk(server, room, me, salma, yassine, zoe, people["山田 太郎"])
        yield people, room
        for person in people.values():
            person.leave()


def hold_some_rooms(server, me, zoe, karim):
    for name, icon, color, text, how_long in (("Café & entraide", "coffee", 2, "qui descend à 16 h ?", {"days": 1}),
                                              ("L3 Informatique", "hash", 1, "le sujet est en ligne", {"hours": 2})):
        other = karim.make_room(name, me, zoe, icon=icon, color=color)
        hold_in_room(server, other, [(karim, text, ago(**how_long))], read_by=[me])
    zoe.tab().send_to_room(other, "@Mohcine07 tu as le sujet ?")
    zoe.tabs[0].close()


def talk(server, room, me, salma, yassine, zoe, yamada):
    at_me, at_salma, at_yassine, at_zoe, at_yamada = (person.tab() for person in (me, salma, yassine, zoe, yamada))

    def say(person, text="", *files, **fields):
        answer = person.ask(f"/conversations/{room}/messages", message=text, clientId=new_client_id(), files=[file["id"] for file in files], **fields)
        assert answer.status_code == 201, answer.text
        return answer.json()
    code = say(salma, CODE)
    image = say(salma, "", uploaded(salma, whiteboard(), "mcd.png", alt="MCD du chat, version 2"))
    for tab in (at_me, at_yassine, at_zoe):
        tab.change(image, react="👍", on=True)
    for tab in (at_yassine, at_zoe):
        tab.change(image, react="🎉", on=True)
    wrong = say(salma, "oups, la version 1")
    at_salma.change(wrong, delete=True)
    answer = say(me, "Très clair ! On l’imprime en grand pour la soutenance ?", replyTo=image["seq"])
    edited = say(me, "Je relance les tests ce soir")
    at_me.change(edited, edit="Je relance les tests ce soir, les deux bases.")
    for tab in (at_me, at_salma, at_yassine, at_zoe, at_yamada):
        tab.call("markRead", {"conversationId": room, "seq": edited["seq"]})
    at_yamada.close()
    report = say(yassine, "Relu, il ne manque que ta conclusion.", uploaded(yassine, PDF + bytes(2_400_000), "rapport-v3.pdf"))
    at_me.close()
    move_back(server, room, {code["seq"]: 31, image["seq"]: 30, wrong["seq"]: 29, answer["seq"]: 26, edited["seq"]: 24, report["seq"]: 1})


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_works(team, sit_down, folder, theme, size):  # noqa: F811
    """Nobody reads on while the picture is taken: each size and theme shows the same room."""
    people, room = team
    screen = sit_down(people["Mohcine07"], f"/rooms/{room}", color_scheme=theme, locale="en-GB", **SIZES[size])
    screen.expect_connected()
    for name in ("Salma Benali", "Yassine El Amrani"):
        people[name].tabs[0].call("typing", {"conversationId": room})
    expect(screen.page.locator("#typing")).to_have_text(re.compile("Salma Benali .* Yassine|Yassine .* Salma"))
    expect(screen.bubbles.locator(".code-key").first).to_have_text("ALTER TABLE")
    screen.field.fill("Je l’écris avant ce soir, promis")
    expect(screen.bubbles.last).to_be_in_viewport()
    if size == "wide":
        screen.bubbles.filter(has_text="les deux bases").locator("article").hover()
        expect(screen.page.locator(".tools")).to_be_visible()
    screen.page.wait_for_function("() => [...document.images].every(({ complete, loading }) => complete || loading === 'lazy')")
    take(screen, folder / f"showcase-{theme}-{size}.png")
    screen.field.fill("")

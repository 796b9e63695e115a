"""Mentions: an `@` in the field of a room completes the names of its members."""
import re
import sqlite3
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.screen import PHONE, WIDE
from tests.browser.test_accessibility import THEMES, expect_no_sideways_scrolling, expect_no_violation
from tests.people import new_client_id

pytestmark = pytest.mark.browser

MAX_SHOWN = 8
PAGE = 200          # members in one answer of the server
REQUESTS = """(part) => performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => name.includes(part))"""


@pytest.fixture
def names(chat, arrive):
    """People by their names, made unlike those of other tests by a word at the end."""
    word = f"{uuid.uuid4().int % 10 ** 8:08}"      # of digits: what the tests write is in no such word
    return {name: arrive(chat, f"{name} {word}") for name in ("Ada", "Zoé", "Élodie", "Lea Adams")}


@pytest.fixture
def room(alice, names):
    return alice.make_room("maths", *names.values())


@pytest.fixture
def screen(alice, room, sit_down):
    """Alice, an owner, before the room; the network may go."""
    return sit_down(alice, f"/rooms/{room}", expects=r"INTERNET_DISCONNECTED|WebSocket")


def listbox(screen):
    return screen.page.get_by_role("listbox", name="Members")


def options(screen):
    return listbox(screen).get_by_role("option")


def chosen(screen):
    return listbox(screen).get_by_role("option", selected=True)


def write(screen, text):
    """Press the keys of a text, as a person does."""
    screen.field.press_sequentially(text)


def expect_shown(screen, people):
    expect(options(screen).locator("bdi")).to_have_text([person.username for person in people])


def requests(screen, part):
    return len(screen.page.evaluate(REQUESTS, part))


def test_it_works(screen, names, room):
    """A mention that was completed is one for the server too."""
    write(screen, "salut @ad")
    expect_shown(screen, [names["Ada"], names["Lea Adams"]])
    screen.field.press("Enter")
    expect(screen.field).to_have_value(f"salut @{names['Ada'].username} ")
    expect(listbox(screen)).to_have_count(0)
    write(screen, "ça va ?")
    screen.field.press("Enter")
    expect(screen.bubbles.last.locator(".mention")).to_have_text(f"@{names['Ada'].username}")
    screen.expect_state(f"salut @{names['Ada'].username} ça va ?", "sent")
    [stored] = names["Ada"].json(f"/conversations/{room}/messages")["messages"][-1:]
    assert stored["mentions"] == [names["Ada"].id]


def test_faces_stand_beside_the_names(screen, names):
    write(screen, "@zo")
    expect(options(screen).locator("img.avatar")).to_have_attribute("src", f"/face/{names['Zoé'].id}")
    screen.page.wait_for_function("() => [...document.querySelectorAll('#completions img')].every((face) => face.naturalWidth > 0)")


@pytest.mark.parametrize("written, name", [("@zoe", "Zoé"), ("@ZOÉ", "Zoé"), ("@elod", "Élodie"), ("@e\u0301lo", "Élodie"), ("@lea ad", "Lea Adams"), ("@adams", "Lea Adams")])
def test_case_and_accents_do_not_matter(screen, names, written, name):
    write(screen, written)
    expect_shown(screen, [names[name]])


@pytest.mark.parametrize("text", ["mail me at me@ad", "@@ad", "@ ad", "ad", "@ad\nad", "@nobody of this name"])
def test_what_is_no_mention_completes_nothing(screen, names, text):
    write(screen, "@ad")
    expect(options(screen)).to_have_count(2)
    screen.field.fill(text)
    expect(listbox(screen)).to_have_count(0)


def test_the_keys(screen, names):
    """The focus stays in the field, which says what is chosen."""
    write(screen, "@ad")
    expect(chosen(screen).locator("bdi")).to_have_text(names["Ada"].username)
    for key, name in [("ArrowDown", "Lea Adams"), ("ArrowDown", "Ada"), ("ArrowUp", "Lea Adams")]:
        screen.field.press(key)
        expect(chosen(screen).locator("bdi")).to_have_text(names[name].username)
        expect(screen.field).to_have_attribute("aria-activedescendant", chosen(screen).get_attribute("id"))
    expect(screen.field).to_have_attribute("aria-controls", listbox(screen).get_attribute("id"))
    screen.field.press("Tab")
    expect(screen.field).to_be_focused()
    expect(screen.field).to_have_value(f"@{names['Lea Adams'].username} ")
    for name in ("aria-activedescendant", "aria-controls"):
        assert screen.field.get_attribute(name) is None
    screen.field.press("Tab")
    expect(screen.field).not_to_be_focused()


def test_escape_closes_the_list_and_stays_in_the_conversation(screen, room):
    write(screen, "@ad")
    expect(options(screen)).to_have_count(2)
    screen.field.press("Escape")
    expect(listbox(screen)).to_have_count(0)
    expect(screen.field).to_be_focused()
    expect(screen.field).to_have_value("@ad")
    write(screen, "a")
    expect(listbox(screen)).to_have_count(0)
    write(screen, " and @ad")
    expect(options(screen)).to_have_count(2)
    screen.field.press("Escape")
    screen.field.press("Escape")
    expect(screen.field).not_to_be_focused()


def test_what_stands_around_it_stays(screen, names):
    screen.field.fill("before @zo after")
    screen.field.evaluate("field => field.setSelectionRange(10, 10)")
    screen.field.dispatch_event("input")
    expect_shown(screen, [names["Zoé"]])
    screen.field.press("Enter")
    expect(screen.field).to_have_value(f"before @{names['Zoé'].username} after")
    write(screen, "and ")
    expect(screen.field).to_have_value(f"before @{names['Zoé'].username} and after")


def test_the_list_closes_where_the_caret_leaves_the_name(screen):
    write(screen, "hello @ad")
    expect(options(screen)).to_have_count(2)
    screen.field.press("Home")
    expect(listbox(screen)).to_have_count(0)


def test_an_input_method_keeps_its_keys(screen, names):
    """Enter ends the composition: it neither chooses nor sends."""
    write(screen, "@ad")
    expect(options(screen)).to_have_count(2)
    for fields in ("isComposing: true", "keyCode: 229"):
        for key in ("Enter", "Tab", "ArrowDown", "Escape"):
            screen.field.evaluate(f"field => field.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true, cancelable: true, {fields} }}))")
    expect(chosen(screen).locator("bdi")).to_have_text(names["Ada"].username)
    expect(screen.field).to_have_value("@ad")
    expect(screen.bubbles).to_have_count(0)


@pytest.mark.parametrize("press", ["click", "tap"])
def test_a_press_chooses(alice, room, names, sit_down, press):
    screen = sit_down(alice, f"/rooms/{room}", viewport=PHONE, has_touch=True, is_mobile=press == "tap")
    write(screen, "@ad")
    getattr(options(screen).last, press)()
    expect(screen.field).to_have_value(f"@{names['Lea Adams'].username} ")
    expect(screen.field).to_be_focused()
    expect(listbox(screen)).to_have_count(0)


def test_a_press_elsewhere_closes(screen):
    write(screen, "@ad")
    expect(options(screen)).to_have_count(2)
    screen.page.get_by_role("heading", level=1).click()
    expect(listbox(screen)).to_have_count(0)


def test_the_draft_has_the_name(screen, names):
    write(screen, "@zo")
    expect(options(screen)).to_have_count(1)
    screen.field.press("Enter")
    screen.page.reload()
    expect(screen.field).to_have_value(f"@{names['Zoé'].username} ")


def test_everybody_is_for_owners(alice, names, room, sit_down):
    owner, member = (sit_down(person, f"/rooms/{room}") for person in (alice, names["Ada"]))
    write(owner, "@")
    expect(options(owner)).to_have_count(len(names) + 1)
    expect(options(owner).last).to_have_text(re.compile("all.*Everybody"))
    write(owner, "all")
    expect(chosen(owner)).to_have_text(re.compile("all.*Everybody"))
    owner.field.press("Enter")
    expect(owner.field).to_have_value("@all ")
    write(member, "@")
    expect(options(member)).to_have_count(len(names))        # all but herself
    assert "Everybody" not in listbox(member).inner_text()


def test_a_member_who_joins_meanwhile_can_be_mentioned(screen, alice, arrive, room):
    write(screen, "@zo")
    expect(options(screen)).to_have_count(1)
    late = arrive(alice, f"Zorro {new_client_id()[:5]}")
    alice.ask(f"/rooms/{room}/members", username=late.username)
    expect(screen.page.locator("[data-part=member-count]")).to_have_text("6")
    write(screen, "r")
    expect_shown(screen, [late])


def test_only_a_room_asks_and_only_when_it_sees_the_sign(screen, alice, names, room):
    write(screen, "hello")
    assert requests(screen, f"/rooms/{room}") == 0
    write(screen, " @a")
    expect(options(screen).first).to_be_visible()
    write(screen, "d")
    expect(options(screen)).to_have_count(2)
    assert requests(screen, "completion.js") == 1 and requests(screen, f"/rooms/{room}") == 1


def test_nothing_happens_in_a_direct_conversation(alice, bob, sit_down):
    screen = sit_down(alice, f"/chat/{bob.username}")
    write(screen, f"@{bob.username[:3]}")
    screen.field.press("Enter")
    screen.expect_state(f"@{bob.username[:3]}", "sent")
    assert requests(screen, "/rooms/") == 0


def test_without_a_network_those_who_are_known_can_be_mentioned(screen, names):
    write(screen, "@ad")
    expect(options(screen)).to_have_count(2)
    screen.page.context.set_offline(True)
    screen.field.fill("@zo")
    expect_shown(screen, [names["Zoé"]])


def crowd(server, room_id, count):
    """Add people to a room as the server would, by their numbers; the last ones are those of the highest numbers."""
    word = new_client_id()[:6]
    with sqlite3.connect(Path(server.settings["INSTANCE_PATH"]) / "chat.sqlite3", timeout=10) as database:
        for number in range(count):
            name = f"{word} {number:03}"
            user_id = database.execute("INSERT INTO users (username, username_key, password, created_at) VALUES (?, ?, '-', '2026-01-01 00:00:00.000')",
                                       (name, name)).lastrowid
            database.execute("INSERT INTO username_sort_keys (user_id, sort_key) VALUES (?, ?)", (user_id, name))
            database.execute("INSERT INTO members (conversation_id, user_id, read_seq, role, joined_at) VALUES (?, ?, 0, 'member', '2026-01-01 00:00:00.000')",
                             (room_id, user_id))
    database.close()
    return word


def test_more_members_are_fetched_where_fewer_than_eight_fit(chat, alice, sit_down):
    room = alice.make_room("crowd")
    word = crowd(chat, room, 2 * PAGE + 50)
    screen = sit_down(alice, f"/rooms/{room}")
    write(screen, f"@{word[:3]}")
    expect(options(screen)).to_have_count(MAX_SHOWN)
    assert requests(screen, f"/rooms/{room}") == 1
    write(screen, f"{word[3:]} 44")
    expect(options(screen).locator("bdi")).to_have_text([f"{word} {number}" for number in range(440, 448)])
    assert requests(screen, f"/rooms/{room}") == 3
    screen.field.fill("@nobody")
    expect(listbox(screen)).to_have_count(0)
    screen.field.fill(f"@{word} 199")
    expect(options(screen)).to_have_count(1)
    assert requests(screen, f"/rooms/{room}") == 3, "all are known"


def test_how_many_fit_is_announced(screen):
    write(screen, "@ad")
    expect(screen.page.get_by_role("log")).to_have_text("2 people found")


@THEMES
@pytest.mark.parametrize("viewport", [WIDE, PHONE, {"width": 320, "height": 400}], ids=["wide", "phone", "small"])
def test_axe_finds_nothing_in_the_list(alice, room, sit_down, theme, viewport):
    screen = sit_down(alice, f"/rooms/{room}", color_scheme=theme, viewport=viewport)
    write(screen, "@")
    expect(options(screen)).to_have_count(5)
    expect(options(screen).first).to_be_in_viewport()
    expect_no_violation(screen.page)
    expect_no_sideways_scrolling(screen.page)

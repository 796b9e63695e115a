"""The forms of rooms: a refusal stands at what it is about, and what was typed stays."""
import re

import pytest
from jinja2 import Environment, FileSystemLoader

from chat.conversations.room import ICONS
from tests.server import Server
from tests.test_pages import words
from tools import ROOT

ADD_TOPIC = re.compile(r'<(?:li|a) [^>]*data-part="add-topic"[^>]*>')


@pytest.fixture(scope="module")
def chat():
    """A running chat in the embedded mode alone: what is rendered is the same in all."""
    with Server() as server:
        yield server


@pytest.fixture
def room(alice, bob):
    """A room of Alice, its owner, and Bob."""
    return alice.make_room("maths", bob)


def tag(page, pattern):
    return re.search(rf"<[a-z]+[^>]*{pattern}[^>]*>", page)[0]


def is_tied(page, field, reason):
    """Whether a field says that it is wrong, and the reason stands where it says, in a summary that leads there too."""
    return ('aria-invalid="true"' in tag(page, f'id="{field}"') and f'aria-describedby="{field}-error"' in tag(page, f'id="{field}"')
            and reason in re.search(rf'id="{field}-error".*?</p>', page, re.S)[0]
            and f'<a href="#{field}">' in re.search(r'<p class="alert" role="alert">.*?</p>', page, re.S)[0])


def submit(person, path, page, **fields):
    return person.post(path, {**fields, "csrf_token": person.token(page)})


@pytest.mark.parametrize("fields, field, reason", [
    ({"name": " ", "topic": "kept"}, "name", "A room needs a name."), ({"name": "kept", "topic": "x" * 251}, "topic", "at most 250")])
def test_a_new_room(alice, fields, field, reason):
    answer = submit(alice, "/rooms", "/rooms/new", **fields, icon="coffee")
    assert answer.status_code == 400 and is_tied(answer.text, f"new-{field}", reason)
    assert 'value="kept"' in answer.text and "checked" in tag(answer.text, 'value="coffee"')
    other = "topic" if field == "name" else "name"
    assert "aria-invalid" not in tag(answer.text, f'id="new-{other}"')


def test_the_settings_of_a_room(alice, room):
    answer = submit(alice, f"/rooms/{room}/settings", f"/rooms/{room}?info", name="algebra", topic="x" * 251, open="1", icon="coffee", color="0")
    assert answer.status_code == 400 and is_tied(answer.text, "room-topic", "at most 250")
    settings = re.search(r'<details class="room-settings".*?</details>', answer.text, re.S)[0]
    assert settings.startswith('<details class="room-settings" open>') and 'value="algebra"' in settings
    assert "checked" in tag(settings, 'value="coffee"') and "checked" in tag(settings, 'name="open" value="1"')
    assert "<bdi>maths</bdi></h1>" in answer.text, "the room has not changed"


def test_a_username_that_nobody_has(alice, room):
    answer = submit(alice, f"/rooms/{room}/members", f"/rooms/{room}?info", username="nobody like it")
    assert answer.status_code == 404 and is_tied(answer.text, "add-username", "User not found.")
    assert '<details class="add-member" open>' in answer.text and 'value="nobody like it"' in answer.text


def test_a_refusal_of_no_field_is_tied_to_none(alice, room):
    answer = submit(alice, f"/rooms/{room}/leave", f"/rooms/{room}?info")
    assert answer.status_code == 409 and "Make somebody else an owner" in words(answer.text)
    assert "aria-invalid" not in answer.text and not re.search(r"<details[^>]* open", answer.text)


def test_a_room_in_which_nobody_has_written_says_what_to_do(alice, bob):
    room = alice.make_room("maths")
    page = alice.get(f"/rooms/{room}").text
    for said in ("maths begins here", "Nobody else is in it yet.", "Add people", "Add a topic", "Write the first message"):
        assert said in words(page), said
    assert '<details class="add-member" open>' in alice.get(f"/rooms/{room}?info=people").text
    assert '<details class="room-settings" open>' in alice.get(f"/rooms/{room}?info=topic").text
    alice.ask(f"/rooms/{room}/members", username=bob.username)
    assert all(" hidden" in link for link in ADD_TOPIC.findall(bob.get(f"/rooms/{room}").text)), "it is for owners"
    assert "begins here" in words(bob.get(f"/rooms/{room}").text)
    bob.tab().send_to_room(room, "first")
    assert "begins here" not in words(alice.get(f"/rooms/{room}").text)


def test_nobody_is_invited_to_what_an_archived_room_refuses(alice):
    room = alice.make_room("maths")
    invitations = ADD_TOPIC.findall(alice.get(f"/rooms/{room}").text)
    assert len(invitations) == 2 and not any(" hidden" in link for link in invitations)
    alice.ask(f"/rooms/{room}/settings", archived=True)
    page = alice.get(f"/rooms/{room}").text
    assert all(" hidden" in link for link in ADD_TOPIC.findall(page)) and 'class="unwritten"' not in page


def test_the_start_of_a_room_in_which_somebody_has_written_is_its_start_alone(alice, room):
    alice.tab().send_to_room(room, "first")
    page = alice.get(f"/rooms/{room}?before=2").text
    assert 'data-seq="2"' not in page and "begins here" not in words(page)


def test_the_links_of_a_page_that_answers_a_form_lead_to_the_room(alice):
    for number in range(20):
        alice.make_room(f"other {number}")
    room = alice.make_room("maths")
    page = submit(alice, f"/rooms/{room}/leave", f"/rooms/{room}").text
    assert f'href="/rooms/{room}?info=people"' in page and f'href="/rooms/{room}?info=topic"' in page
    assert f'href="/rooms/{room}?rooms_before=' in page and not re.search(r'href="\?', page)


def test_the_icons_are_named_in_the_language_of_each_reader(alice, bob):
    pages = [(person.get("/rooms/new", headers={"Accept-Language": language}).text, name)
             for person, language, name in ((alice, "en", "Cup of coffee"), (bob, "fr", "Tasse de café"), (alice, "en", "Cup of coffee"))]
    assert all(f'title="{name}"' in page for page, name in pages)


def test_the_names_of_the_icons_are_translated_once_for_each_form():
    translated = []
    templates = Environment(loader=FileSystemLoader(ROOT / "chat" / "templates"), extensions=["jinja2.ext.i18n"])
    templates.install_gettext_callables(lambda text: translated.append(text) or text, None, newstyle=True)
    templates.globals["icon"] = str
    page = templates.from_string("{% from 'chat/_room_fields.html' import room_fields %}{{ room_fields(icons=icons) }}").render(icons=ICONS)
    assert page.count('title="Cup of coffee"') == 1 and translated.count("Cup of coffee") == 1


def test_the_part_of_the_panel_that_changes_is_fetched_alone(alice, bob, charlie, room):
    part = alice.get(f"/rooms/{room}?part").text
    assert re.findall(r'<li class="member" data-user-id="(\d+)" data-role="(\w+)"', part) == [(str(alice.id), "owner"), (str(bob.id), "member")]
    assert "<html" not in part and '<span data-part="member-count">2</span>' in part and "<bdi>maths</bdi>" in part
    assert charlie.get(f"/rooms/{room}?part").status_code == 404


def test_a_refusal_for_a_while_says_for_how_long(start_server, arrive):
    alice = arrive(start_server(RATELIMIT_ENABLED="1", ROOMS_A_DAY="1"))
    assert submit(alice, "/rooms", "/rooms/new", name="one").status_code == 302
    answer = submit(alice, "/rooms", "/rooms/new", name="two")
    assert answer.status_code == 429 and 86_000 < int(answer.headers["Retry-After"]) <= 86_400 and "24 hours" in answer.text or "1 day" in answer.text


def test_a_form_changes_what_was_changed_in_it(alice, bob, room):
    """Two owners have the panel open; one renames the room, the other one sets its topic."""
    assert alice.ask(f"/rooms/{room}/members/{bob.username}/role", role="owner").status_code == 200
    page = bob.get(f"/rooms/{room}?info").text
    settings = re.search(r'<details class="room-settings".*?</form>', page, re.S)[0]
    shown = {name: value for name, value in re.findall(r'<input type="hidden" name="(shown_\w+)" value="([^"]*)"', settings)}
    assert shown.keys() == {"shown_name", "shown_topic", "shown_open", "shown_icon", "shown_color"} and shown["shown_name"] == "maths"
    assert alice.ask(f"/rooms/{room}/settings", name="algebra").status_code == 200
    unchanged = {name.removeprefix("shown_"): value for name, value in shown.items()}
    assert submit(bob, f"/rooms/{room}/settings", f"/rooms/{room}?info", **shown, **{**unchanged, "topic": "of rings"}).status_code == 302
    stored = bob.json(f"/rooms/{room}")
    assert (stored["name"], stored["topic"], stored["open"]) == ("algebra", "of rings", False)

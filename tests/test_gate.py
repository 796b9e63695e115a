"""One gate: every route and every event that names a conversation refuses whoever is not a member, and does not say whether it exists."""
import re

import pytest

import config
from chat import create_app
from chat.clock import now
from chat.conversations.file import File
from chat.conversations.gate import Gate
from chat.errors import NotFound
from tests.databases import database, person  # noqa: F401
from tests.people import new_client_id

NOBODYS = 2**31 - 1
OPEN_TO_ALL = {"/rooms/<int:room_id>/join"}     # for open rooms; here it is asked for one by invitation
PAYLOADS = {"sendMessage": {"clientId": "x", "message": "y"}, "markRead": {"seq": 1}, "markDelivered": {"seq": 1}, "typing": {},
            "changeMessage": {"clientId": "x", "seq": 3, "pin": True}, "markUnread": {"seq": 1}}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    app = create_app(config.load({"INSTANCE_PATH": str(tmp_path_factory.mktemp("instance")), "ASYNC_MODE": "threading"}))
    yield app
    app.chat.database.engine.close()


def routes(app):
    """Return (method, rule) of each route that names a conversation."""
    return sorted((method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods & {"GET", "POST"}
                  if re.search(r"<int:(room|conversation)_id>", rule.rule))


def answer(person, member, method, rule, conversation_id):
    path = re.sub(r"<int:(room|conversation)_id>", str(conversation_id), rule).replace("<username>", member.username).replace("<int:seq>", "1")
    if method == "GET":
        return person.get(path, headers={"Accept": "application/json"})
    return person.ask(path, username=person.username, role="owner", name="taken over", notify="none", message="x", clientId=new_client_id())


def test_it_works(app):
    assert len(routes(app)) >= 10 and set(app.chat.server.handlers["/"]) - {"connect", "disconnect", "*"} == set(PAYLOADS)


def test_every_route_asks_the_gate(app, alice, bob, charlie):
    room = alice.make_room("secret", bob)
    direct = alice.send(bob, "hello").json()["conversationId"]
    before = alice.json(f"/conversations/{room}/messages"), alice.room(room), alice.history(bob)
    for method, rule in routes(app):
        refused = answer(charlie, alice, method, rule, NOBODYS)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found"), rule
        for conversation_id in (room, direct):
            found = answer(charlie, alice, method, rule, conversation_id)
            assert (found.status_code, found.json()) == (refused.status_code, refused.json()), (method, rule)
    assert (alice.json(f"/conversations/{room}/messages"), alice.room(room), alice.history(bob)) == before, "and nothing has happened"
    for method, rule in routes(app):
        if method == "GET":
            assert answer(bob, alice, method, rule, room).status_code == 200, f"a member is let in: {rule}"


def test_every_event_asks_the_gate(alice, bob, charlie):
    room = alice.make_room("secret", bob)
    direct = alice.send(bob, "hello").json()["conversationId"]
    before = alice.json(f"/conversations/{room}/messages"), alice.history(bob)
    tab, member = charlie.tab(), bob.tab()
    for event, fields in PAYLOADS.items():
        refused = tab.call(event, {**fields, "conversationId": NOBODYS})
        assert refused["error"]["code"] == "not_found", event
        for conversation_id in (room, direct):
            assert tab.call(event, {**fields, "conversationId": conversation_id}) == refused, event
    assert (alice.json(f"/conversations/{room}/messages"), alice.history(bob)) == before
    for event, fields in PAYLOADS.items():
        assert member.call(event, {**fields, "clientId": new_client_id(), "conversationId": room})["ok"], f"a member is let in: {event}"


def test_a_file_is_shown_to_the_members_of_whatever_conversation_shows_it(database):
    """However many show it: here 300 rooms, of each of which one person is a member."""
    sender, member, stranger = (person(database) for _n in range(3))
    file = File(sender.id, new_client_id(), "a" * 64, "plan", "text/plain", 5, created_at=now())
    file.insert(database)
    values = [value for room in range(1, 301) for value in (room, 1, 0, file.id)]
    database.execute("INSERT INTO message_files (conversation_id, seq, position, file_id) VALUES " + ", ".join(["(%s, %s, %s, %s)"] * 300), values)
    database.execute("INSERT INTO members (conversation_id, user_id) VALUES (%s, %s), (%s, %s)", (300, member.id, 301, stranger.id))
    gate = Gate(database)
    assert gate.to_file(member, file) and len(database.asked_by(gate.to_file, member, file)) == 1
    file.user_id = member.id        # then its uploader is somebody else
    for nobody in (stranger, sender):
        with pytest.raises(NotFound):
            gate.to_file(nobody, file)


def test_who_has_left_is_nobody_too(app, alice, bob):
    room = alice.make_room("secret", bob)
    bob.ask(f"/rooms/{room}/leave")
    for method, rule in routes(app):
        assert answer(bob, alice, method, rule, room).status_code == 404, rule

"""Rooms over HTTP and live: who may do what, who gets what, and who gets nothing."""
import pytest

from chat.budgets import ROOM_CHANGES
from tests.people import new_client_id

TEXTS = ["one", "two", "three"]


def messages(person, room_id, query=""):
    return person.json(f"/conversations/{room_id}/messages{query}")["messages"]


def notices(person, room_id):
    return [(m["sender"], m["notice"]["what"], m["notice"].get("whom", {}).get("username"), m["notice"].get("value"))
            for m in messages(person, room_id) if m["kind"] == "notice"]


def error_of(answer):
    return (answer.status_code, answer.json()["error"]["code"])


# --- making one, and what it is ---------------------------------------------------------------------------------------

def test_it_works(alice, bob, charlie, room):
    tabs = [person.tab() for person in (alice, bob)]
    stranger = charlie.tab()
    answer = tabs[0].send_to_room(room, "bonjour")
    assert answer["ok"] and (answer["message"]["conversationId"], answer["message"]["receiverId"]) == (room, None)
    assert tabs[1].wait_for("receiveMessage", lambda m: m["message"] == "bonjour") == answer["message"]
    assert stranger.heard() == []
    assert [m["message"] for m in messages(bob, room)][-1] == "bonjour"


def test_a_room_is_what_was_asked_for(alice):
    made = alice.ask("/rooms", name="  maths ", topic="sets", open=True, icon="code", color=3)
    assert made.status_code == 201
    room = made.json()
    assert {name: room[name] for name in ("name", "topic", "open", "icon", "color", "role", "members", "notify", "archived")} == {
        "name": "maths", "topic": "sets", "open": True, "icon": "code", "color": 3, "role": "owner", "members": 1, "notify": "all",
        "archived": False}
    assert alice.room(room["id"]) == {**room, "people": [{"id": alice.id, "username": alice.username, "role": "owner"}]}
    assert [r["id"] for r in alice.json("/rooms")["rooms"]] .count(room["id"]) == 1


def test_a_form_makes_a_room_and_leads_to_it(alice):
    answer = alice.post("/rooms", {"name": "maths", "open": "1", "csrf_token": alice.token("/rooms/new")})
    assert answer.status_code == 302
    page = alice.get(answer.headers["Location"])
    assert page.status_code == 200 and "<bdi>maths</bdi></h1>" in page.text and "made the room" in page.text


@pytest.mark.parametrize("fields", [
    {}, {"name": ""}, {"name": " "}, {"name": "\u3164"}, {"name": 7}, {"name": None}, {"name": ["x"]}, {"name": "a\nb"}, {"name": "a\u202eb"}, {"name": "a\u2067b"}, {"name": "a\x9b"}, {"topic": "a\u2028b", "name": "a"},
    {"name": "x" * 65}, {"name": "x", "topic": "y" * 251}, {"name": "x", "topic": 7}, {"name": "x", "open": "perhaps"}, {"name": "x", "open": 2},
    {"name": "x", "icon": "skull"}, {"name": "x", "icon": 1}, {"name": "x", "color": 8}, {"name": "x", "color": -1}, {"name": "x", "color": True},
    {"name": "x", "color": "\u0663"}, {"name": "x", "icon": ["hash"]}, {"name": "\ud800"}])
def test_a_room_that_is_none(alice, fields):
    before = alice.json("/rooms")
    assert error_of(alice.ask("/rooms", **fields))[0] == 400
    assert alice.json("/rooms") == before
    form = alice.post("/rooms", {"name": "", "topic": "kept", "csrf_token": alice.token("/rooms/new")})
    assert form.status_code == 400 and 'role="alert"' in form.text and 'value="kept"' in form.text


# --- coming and going -------------------------------------------------------------------------------------------------

def test_each_change_is_a_notice(alice, bob, charlie, room):
    alice.ask(f"/rooms/{room}/settings", name="algebra")
    alice.ask(f"/rooms/{room}/members/{bob.username}/role", role="owner")
    bob.ask(f"/rooms/{room}/members", username=charlie.username)
    bob.ask(f"/rooms/{room}/members/{charlie.username}/remove")
    alice.ask(f"/rooms/{room}/leave")
    assert notices(bob, room) == [
        (alice.username, "created", None, "maths"), (alice.username, "added", bob.username, None), (alice.username, "renamed", None, "algebra"),
        (alice.username, "role", bob.username, "owner"), (bob.username, "added", charlie.username, None),
        (bob.username, "removed", charlie.username, None), (alice.username, "left", None, None)]
    assert [m["seq"] for m in messages(bob, room)] == list(range(1, 8)), "notices are numbered as messages are"
    assert {m["message"] for m in messages(bob, room)} == {""}


def test_whoever_joins_reads_everything_from_the_start(alice, charlie):
    room = alice.make_room("open", open=True)
    tab = alice.tab()
    for text in TEXTS:
        tab.send_to_room(room, text)
    assert charlie.json(f"/rooms/{room}")["role"] is None
    assert "reads everything" in charlie.get("/rooms").text and "you read everything from the start" in charlie.get(f"/rooms/{room}").text
    joined = charlie.ask(f"/rooms/{room}/join").json()
    assert (joined["role"], joined["members"], joined["unread"]) == ("member", 2, 0), "what was there before does not count as unread"
    assert [m["message"] for m in messages(charlie, room) if m["kind"] == "text"] == TEXTS
    assert charlie.ask(f"/rooms/{room}/join").json()["members"] == 2, "twice is once"
    assert [what for _who, what, _whom, _value in notices(charlie, room)] == ["created", "joined"]


def test_what_is_said_while_somebody_joins_reaches_them(alice, charlie):
    """From the moment of the joining each message is either in the history or arrives."""
    room = alice.make_room("open", open=True)
    sending, listening = alice.tab(), charlie.tab()
    for number in range(20):
        sending.client.emit("sendMessage", {"clientId": new_client_id(), "conversationId": room, "message": f"before {number}"})
    charlie.ask(f"/rooms/{room}/join")
    sending.send_to_room(room, "last")
    listening.wait_for("receiveMessage", lambda m: m["message"] == "last")
    assert {m["seq"] for m in messages(charlie, room)} == set(range(1, 24))


def test_who_was_removed_gets_nothing_more(alice, bob, room):
    sending, listening = alice.tab(), bob.tab()
    sending.send_to_room(room, "one")
    listening.wait_for("receiveMessage", lambda m: m["message"] == "one")
    alice.ask(f"/rooms/{room}/members/{bob.username}/remove")
    assert listening.wait_for("conversationLeft") == {"conversationId": room}
    sending.send_to_room(room, "two")
    assert "two" not in [m["message"] for m in listening.heard()]
    assert error_of(bob.get(f"/conversations/{room}/messages", headers={"Accept": "application/json"})) == (404, "not_found")
    assert room not in [r["id"] for r in bob.json("/rooms")["rooms"]]


def test_what_was_stored_is_acknowledged_again_to_who_has_left(alice, bob, room):
    """The first answer was lost, and then Bob was removed. His outbox must not say that the message was not sent."""
    tab, client_id = bob.tab(), new_client_id()
    first = tab.send_to_room(room, "one", client_id)
    alice.ask(f"/rooms/{room}/members/{bob.username}/remove")
    tab.wait_for("conversationLeft")
    path = f"/conversations/{room}/messages"
    assert tab.send_to_room(room, "two", client_id) == first
    assert bob.ask(path, message="two", clientId=client_id).json() == first["message"]
    assert tab.send_to_room(alice.make_room("another"), "two", client_id)["error"]["code"] == "not_found", "it stands in another room"
    for never_sent in (new_client_id(), "\ud800", 7, None):
        assert tab.send_to_room(room, "three", never_sent or "")["error"]["code"] == "not_found"
        assert error_of(bob.ask(path, message="three", clientId=never_sent)) == (404, "not_found")
    assert [m["message"] for m in messages(alice, room) if m["kind"] == "text"] == ["one"]


def test_who_was_added_gets_what_follows_at_every_tab(alice, bob, charlie):
    room = alice.make_room("maths")
    tabs = [charlie.tab(), charlie.tab()]
    alice.ask(f"/rooms/{room}/members", username=charlie.username)
    for tab in tabs:
        told = tab.wait_for("conversationChanged", lambda c: c["conversation"]["id"] == room)["conversation"]
        assert (told["name"], told["role"]) == ("maths", "member")
    alice.tab().send_to_room(room, "welcome")
    for tab in tabs:
        assert tab.wait_for("receiveMessage", lambda m: m["message"] == "welcome")["conversationId"] == room


def test_the_last_owner_stays_one(alice, bob, room):
    for path, fields in ((f"/rooms/{room}/leave", {}), (f"/rooms/{room}/members/{alice.username}/remove", {}),
                         (f"/rooms/{room}/members/{alice.username}/role", {"role": "member"})):
        assert error_of(alice.ask(path, **fields)) == (409, "conflict")
    assert alice.ask(f"/rooms/{room}/members/{bob.username}/role", role="owner").status_code == 200
    assert alice.ask(f"/rooms/{room}/leave").json()["role"] is None
    assert error_of(bob.ask(f"/rooms/{room}/leave")) == (409, "conflict")


def test_what_is_the_owners_is_forbidden_to_members(alice, bob, charlie, room):
    for path, fields in (("settings", {"name": "x"}), ("settings", {"topic": "x"}), ("settings", {"open": True}), ("settings", {"archived": True}),
                         (f"members/{alice.username}/remove", {}), (f"members/{alice.username}/role", {"role": "member"})):
        assert error_of(bob.ask(f"/rooms/{room}/{path}", **fields)) == (403, "forbidden"), path
    assert bob.ask(f"/rooms/{room}/settings", notify="none").json()["notify"] == "none", "what is one's own is not"
    assert alice.room(room)["notify"] == "all" and alice.room(room)["name"] == "maths"
    assert bob.ask(f"/rooms/{room}/members", username=charlie.username).status_code == 200, "every member adds"


def test_members_who_are_none(alice, bob, charlie, room):
    for username in (None, 7, "", "nobody of this name", "x" * 500, ["a"]):
        assert error_of(alice.ask(f"/rooms/{room}/members", username=username)) == (404, "not_found")
    for path in (f"members/{charlie.username}/remove", "members/nobody/remove", f"members/{charlie.username}/role"):
        assert error_of(alice.ask(f"/rooms/{room}/{path}", role="owner")) == (404, "not_found")
    for role in ("king", None, 7, ["owner"], ""):
        assert error_of(alice.ask(f"/rooms/{room}/members/{bob.username}/role", role=role)) == (400, "invalid")
    for level in ("loud", None, True, ["all"]):
        assert error_of(alice.ask(f"/rooms/{room}/settings", notify=level)) == (400, "invalid")


def test_an_archived_room_is_read_and_not_written(alice, bob, room):
    tab = alice.tab()
    first = tab.send_to_room(room, "one", client_id := new_client_id())
    assert alice.ask(f"/rooms/{room}/settings", archived=True).json()["archived"] is True
    assert tab.send_to_room(room, "two")["error"]["code"] == "forbidden"
    assert tab.send_to_room(room, "one", client_id) == first, "what was stored is acknowledged again"
    assert error_of(bob.ask(f"/rooms/{room}/members", username=alice.username)) == (403, "forbidden")
    page = bob.get(f"/rooms/{room}")
    assert "This room is archived" in page.text and "one" in page.text
    assert alice.ask(f"/rooms/{room}/settings", archived=False).json()["archived"] is False
    assert tab.send_to_room(room, "three")["ok"]


# --- unread, mentions, marks ------------------------------------------------------------------------------------------

def test_unread_counts_what_others_wrote(alice, bob, charlie, room):
    alice.ask(f"/rooms/{room}/members", username=charlie.username)
    tabs = {person: person.tab() for person in (alice, bob, charlie)}
    for person in (alice, bob, charlie, bob):
        tabs[person].send_to_room(room, f"of {person.username}")
    assert [person.room(room)["unread"] for person in (alice, bob, charlie)] == [3, 2, 3], "of all others, and no notice among them"
    last = alice.room(room)["lastSeq"]
    answer = tabs[alice].call("markRead", {"conversationId": room, "seq": last})
    assert answer == {"ok": True, "lastSeq": last, "lastChange": 0, "readSeq": last, "peerReadSeq": answer["peerReadSeq"]}
    assert alice.room(room)["unread"] == 0
    told = tabs[bob].wait_for("messagesRead")
    assert told == {"conversationId": room, "readerId": alice.id, "seq": last}
    for person in (bob, charlie):
        answer = tabs[person].call("markRead", {"conversationId": room, "seq": last})
    assert answer["peerReadSeq"] == last, "everybody has read everything"


def test_mentions_are_kept_by_id(alice, bob, charlie, room):
    tab = alice.tab()
    text = f"hello @{bob.username}, @{charlie.username}, mail@{bob.username} and @{bob.username.upper()}!"
    stored = tab.send_to_room(room, text)["message"]
    assert stored["mentions"] == [bob.id], "Charlie is not a member, and an address is no mention"
    spans = stored["mentionSpans"]
    assert [text[s["start"]:s["start"] + s["length"]] for s in spans] == [f"@{bob.username}", f"@{bob.username.upper()}"]
    assert (bob.room(room)["mentions"], alice.room(room)["mentions"]) == (1, 0)
    bob.tab().call("markRead", {"conversationId": room, "seq": stored["seq"]})
    assert bob.room(room)["mentions"] == 0
    assert messages(bob, room)[-1] == stored, "the same from the database"


def test_everybody_is_mentioned_by_owners_alone(alice, bob, room):
    stored = alice.tab().send_to_room(room, "@all: tomorrow at 9")["message"]
    assert stored["mentions"] == [] and stored["mentionSpans"] == [{"id": 0, "start": 0, "length": 4}]
    assert (bob.room(room)["mentions"], alice.room(room)["mentions"]) == (1, 0)
    assert "mentionSpans" not in bob.tab().send_to_room(room, "@all: no")["message"]
    assert bob.get(f"/rooms/{room}").text.count('class="mention mention-me"') == 1


def test_typing_tells_who_in_a_room(alice, bob, charlie, room):
    listening, stranger = bob.tab(), charlie.tab()
    assert alice.tab().call("typing", {"conversationId": room}) == {"ok": True}
    assert listening.wait_for("typing") == {"userId": alice.id, "username": alice.username, "conversationId": room}
    stranger.heard()
    assert stranger.events.empty()


@pytest.mark.parametrize("name", ["Projet\u00a0: L3", "👩\u200d💻 Dev", "می\u200cخواهم", "क्\u200dष", "数学\u3000一組", "❤\ufe0f", "50\u202f%"])
def test_a_name_is_what_people_type(alice, name):
    answer = alice.ask("/rooms", name=name, topic=name)
    assert (answer.status_code, answer.json()["name"], answer.json()["topic"]) == (201, name, name)


def test_the_details_say_who_has_read(alice, bob, charlie, room):
    alice.ask(f"/rooms/{room}/members", username=charlie.username)
    seq = alice.tab().send_to_room(room, "one")["message"]["seq"]
    tab = bob.tab()
    tab.call("markDelivered", {"conversationId": room, "seq": seq})
    tab.call("markRead", {"conversationId": room, "seq": seq})
    told = alice.json(f"/conversations/{room}/messages/{seq}")
    readers = {reader["username"]: reader for reader in told["readers"]}
    assert set(readers) == {bob.username, charlie.username} and told["read"] is None
    assert readers[bob.username]["read"] and readers[bob.username]["isRead"] and not readers[charlie.username]["read"]
    assert bob.username in alice.get(f"/conversations/{room}/messages/{seq}").text
    assert told["isRead"] is False
    charlie.tab().call("markRead", {"conversationId": room, "seq": seq})
    told = alice.json(f"/conversations/{room}/messages/{seq}")
    assert told["isRead"] is True and told["read"]


# --- sending without a socket, twice, wrongly -------------------------------------------------------------------------

def test_sending_without_a_socket(alice, bob, room):
    listening = bob.tab()
    stored = alice.ask(f"/conversations/{room}/messages", message="json", clientId=(client_id := new_client_id()))
    assert stored.status_code == 201 and stored.json() == listening.wait_for("receiveMessage")
    assert alice.ask(f"/conversations/{room}/messages", message="again", clientId=client_id).json() == stored.json()
    answer = alice.post(f"/conversations/{room}/messages", {"message": "form", "csrf_token": alice.token(f"/rooms/{room}")})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/rooms/{room}#message")
    refused = alice.post(f"/conversations/{room}/messages", {"message": " ", "csrf_token": alice.token(f"/rooms/{room}")})
    assert refused.status_code == 400 and 'id="send-error"' in refused.text and "<bdi>maths</bdi>" in refused.text


def test_a_direct_conversation_has_an_id_too(alice, bob, charlie):
    stored = alice.tab().send(bob, "hello")["message"]
    conversation = stored["conversationId"]
    assert [u["conversationId"] for u in bob.json("/users")["users"] if u["id"] == alice.id] == [conversation]
    assert bob.json(f"/conversations/{conversation}/messages") == bob.history(alice)
    again = bob.tab().send_to_room(conversation, "by its id")["message"]
    assert (again["receiverId"], again["seq"], again["conversationId"]) == (alice.id, 2, conversation)
    assert error_of(charlie.get(f"/conversations/{conversation}/messages", headers={"Accept": "application/json"})) == (404, "not_found")
    assert error_of(alice.ask(f"/rooms/{conversation}/leave")) == (404, "not_found"), "it is no room"
    assert alice.get(f"/rooms/{conversation}").status_code == 404


@pytest.mark.parametrize("event, fields", [("sendMessage", {"clientId": "x", "message": "y"}), ("markRead", {"seq": 1}),
                                           ("markDelivered", {"seq": 1}), ("typing", {})])
def test_events_that_address_nothing(alice, bob, room, event, fields):
    tab = alice.tab()
    other = "receiverId" if event == "sendMessage" else "userId"
    for address, code in (({}, "invalid"), ({"conversationId": room, other: bob.id}, "invalid"), ({"conversationId": "x"}, "invalid"),
                          ({"conversationId": True}, "invalid"), ({"conversationId": 1.5}, "invalid"), ({"conversationId": [room]}, "invalid"),
                          ({"conversationId": None}, "invalid"), ({"conversationId": 0}, "not_found"), ({"conversationId": -1}, "not_found"),
                          ({"conversationId": 2**31}, "not_found"), ({"conversationId": 10**30}, "invalid")):
        assert tab.call(event, {**fields, **address})["error"]["code"] == code, address


def test_a_page_from_before_the_rooms_gets_nothing_of_them(alice, bob, room):
    """It would take a message to a room for one of its sender's."""
    old, new = bob.tab(auth={"userId": bob.id}), bob.tab(auth={"userId": bob.id, "rooms": True})
    sending = alice.tab()
    sending.send_to_room(room, "to the room")
    sending.send(bob, "to Bob")
    assert [m["message"] for m in (new.wait_for("receiveMessage"), new.wait_for("receiveMessage"))] == ["to the room", "to Bob"]
    assert old.wait_for("receiveMessage")["message"] == "to Bob"
    assert old.send(alice, "still works")["ok"]


# --- what may be repeated ---------------------------------------------------------------------------------------------

@pytest.fixture
def limited(start_server, arrive):
    """Two people of a server with limits, and a room in which the first one is an owner, the second a member."""
    server = start_server(RATELIMIT_ENABLED="1")
    owner, member = arrive(server), arrive(server)
    return owner, member, owner.make_room("maths", member, open=True)


@pytest.mark.parametrize("in_turns", [
    lambda owner, member, room: [(member, f"/rooms/{room}/leave", {}), (member, f"/rooms/{room}/join", {})],
    lambda owner, member, room: [(member, f"/rooms/{room}/settings", {"notify": level}) for level in ("none", "all")],
    lambda owner, member, room: [(owner, f"/rooms/{room}/settings", {"name": name}) for name in ("sets", "maths")],
    lambda owner, member, room: [(owner, f"/rooms/{room}/settings", {"archived": archived}) for archived in (True, False)],
    lambda owner, member, room: [(owner, f"/rooms/{room}/members/{member.username}/role", {"role": role}) for role in ("owner", "member")],
    lambda owner, member, room: [(owner, f"/rooms/{room}/members/{member.username}/remove", {}), (member, f"/rooms/{room}/join", {})],
], ids=["leave and join", "notify", "rename", "archive", "role", "remove"])
def test_nobody_fills_a_room_with_notices(limited, in_turns):
    """Each change is stored and told to all members: it may be made so often in a minute, and a refused one changes nothing."""
    owner, member, room = limited
    turns = in_turns(owner, member, room)
    for number in range(2 * ROOM_CHANGES.limit + 1):
        person, path, fields = turns[number % len(turns)]
        before = owner.room(room), messages(owner, room, "?limit=200")
        answer = person.ask(path, **fields)
        if answer.status_code != 200:
            break
    assert error_of(answer) == (429, "rate_limited") and 0 < int(answer.headers["Retry-After"]) <= ROOM_CHANGES.window
    assert number >= ROOM_CHANGES.limit, "ordinary use does not notice"
    assert (owner.room(room), messages(owner, room, "?limit=200")) == before

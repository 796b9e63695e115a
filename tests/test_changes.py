"""Messages that change: edit, delete, react, pin, reply, mark as unread. Over the live connection and over HTTP."""
import re
from pathlib import Path

import pytest

from chat.storage.log_eraser import ERASE_INTERVAL
from tests.people import new_client_id
from tests.waiting import wait_for

ERASED_SECONDS = 3 * ERASE_INTERVAL


@pytest.fixture
def talk(chat, alice, bob):
    """Alice's and Bob's tabs, and a message of Alice, M."""
    at_alice, at_bob = alice.tab(), bob.tab()
    return at_alice, at_bob, at_alice.send(bob, "first")["message"]


def code(ack):
    return ack["error"]["code"] if not ack["ok"] else "ok"


def now(person, message):
    """The message as the server tells it now."""
    return person.json(f"/conversations/{message['conversationId']}/messages/{message['seq']}")["message"]


def test_it_works(talk, alice, bob):
    at_alice, at_bob, message = talk
    assert (message["replyTo"], message["editedAt"], message["deleted"], message["reactions"], message["pinned"], message["lastChange"]) == (
        None, None, False, [], False, 0)
    ack = at_alice.change(message, edit="second")
    assert (ack["ok"], ack["change"]) == (True, 1)
    assert ack["message"] == {**message, "message": "second", "editedAt": ack["message"]["editedAt"], "lastChange": 1}
    assert ack["message"]["editedAt"] >= message["timestamp"]
    for tab in (at_alice, at_bob):      # the actor's too
        told = tab.wait_for("messageChanged")
        assert (told["conversationId"], told["change"], told["message"]) == (message["conversationId"], 1, ack["message"])
    assert at_bob.change(message, react="👍", on=True)["change"] == 2
    assert at_alice.change(message, react="👍", on=True)["message"]["reactions"] == [{"emoji": "👍", "userIds": [bob.id, alice.id]}]
    assert at_bob.change(message, pin=True)["message"]["pinned"] is True
    assert alice.json(f"/conversations/{message['conversationId']}/pins")["messages"] == [now(bob, message)]
    deleted = at_alice.change(message, delete=True)
    assert deleted["message"] == {**message, "message": "", "deleted": True, "lastChange": 5}
    assert now(bob, message) == deleted["message"]
    assert alice.json(f"/conversations/{message['conversationId']}/pins")["messages"] == []


@pytest.mark.parametrize("verb", [
    {}, {"edit": "x", "delete": True}, {"edit": 7}, {"edit": ""}, {"edit": " "}, {"edit": "a\0"}, {"edit": ["x"]}, {"delete": False},
    {"delete": 1}, {"delete": "yes"}, {"react": "👍"}, {"react": "👍", "on": 1}, {"react": "👍", "on": "true"}, {"react": "x", "on": True},
    {"react": "👍👍", "on": True}, {"react": "", "on": True}, {"react": "❤", "on": True}, {"react": "🏽", "on": True}, {"react": 7, "on": True},
    {"react": "👨‍🐱", "on": True}, {"pin": 1}, {"pin": "true"}, {"edit": "x", "seen": -1}, {"edit": "x", "seen": "1"}, {"edit": "x", "seen": True}])
def test_what_is_not_of_the_form_is_invalid(talk, alice, verb):
    at_alice, _at_bob, message = talk
    assert code(at_alice.change(message, **verb)) == "invalid"
    assert now(alice, message) == message


@pytest.mark.parametrize("field, value", [("seq", 0), ("seq", "1"), ("seq", True), ("seq", 2 ** 80), ("clientId", ""), ("clientId", "é"),
                                          ("clientId", None), ("conversationId", "1"), ("conversationId", None)])
def test_an_address_that_is_none_is_invalid(talk, field, value):
    at_alice, _at_bob, message = talk
    payload = {"clientId": new_client_id(), "conversationId": message["conversationId"], "seq": message["seq"], "delete": True}
    assert code(at_alice.call("changeMessage", {**payload, field: value})) == "invalid"
    assert code(at_alice.call("changeMessage", {name: value for name, value in payload.items() if name != field})) == "invalid"


@pytest.mark.parametrize("emoji", ["👍", "❤️", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👋🏽", "🇫🇷", "1️⃣", "👩🏾‍❤️‍💋‍👨🏻"])
def test_one_emoji_of_any_length_is_a_reaction(talk, bob, emoji):
    _at_alice, at_bob, message = talk
    assert at_bob.change(message, react=emoji, on=True)["message"]["reactions"] == [{"emoji": emoji, "userIds": [bob.id]}]
    assert at_bob.change(message, react=emoji, on=False)["message"]["reactions"] == []


def test_a_text_that_is_too_long_is_refused_in_words(talk):
    at_alice, _at_bob, message = talk
    assert code(at_alice.change(message, edit="x" * 4001)) == "too_long"


def test_who_may_do_what(talk, chat, alice, bob, arrive):
    at_alice, at_bob, message = talk
    stranger = arrive(chat).tab()
    for verb in ({"edit": "x"}, {"delete": True}, {"react": "👍", "on": True}, {"pin": True}):
        assert code(stranger.change(message, **verb)) == "not_found"
        assert code(at_alice.change({**message, "seq": 99}, **verb)) == "not_found"
        assert code(at_alice.change({**message, "conversationId": 10 ** 6}, **verb)) == "not_found"
    assert code(at_bob.change(message, edit="x")) == "forbidden"
    assert code(at_bob.change(message, delete=True)) == "forbidden"
    assert now(alice, message) == message


def test_in_a_room_owners_delete_what_others_wrote_and_nobody_changes_a_notice(chat, alice, bob, arrive):
    charlie = arrive(chat)
    room = alice.make_room("class", bob, charlie)
    at_alice, at_bob, at_charlie = alice.tab(), bob.tab(), charlie.tab()
    message = at_bob.send_to_room(room, "by bob")["message"]
    assert code(at_charlie.change(message, delete=True)) == "forbidden"
    assert code(at_alice.change(message, edit="mine")) == "forbidden"
    assert code(at_charlie.change(message, pin=True)) == "ok"
    assert code(at_alice.change(message, delete=True)) == "ok"
    assert at_charlie.wait_for("messageChanged", lambda told: told["change"] == 2)["message"]["deleted"] is True
    details = bob.json(f"/conversations/{room}/messages/{message['seq']}")
    assert details["deletedBy"] == {"id": alice.id, "username": alice.username} and details["deleted"]
    for verb in ({"edit": "x"}, {"delete": True}, {"react": "👍", "on": True}, {"pin": True}):
        assert code(at_alice.change({"conversationId": room, "seq": 1}, **verb)) == "forbidden"
    assert alice.room(room)["lastChange"] == 2
    alice.ask(f"/rooms/{room}/settings", archived=True)
    assert code(at_bob.change({"conversationId": room, "seq": 2}, react="👍", on=True)) == "forbidden"


def test_who_was_removed_changes_nothing_more_but_learns_what_was_done(chat, alice, bob):
    room = alice.make_room("class", bob)
    at_bob, client_id = bob.tab(), new_client_id()
    message = at_bob.send_to_room(room, "by bob")["message"]
    done = at_bob.change(message, client_id, edit="mended")
    alice.ask(f"/rooms/{room}/members/{bob.username}/remove")
    assert at_bob.change(message, client_id, edit="mended") == done
    assert code(at_bob.change(message, edit="again")) == "not_found"


def test_the_same_change_again_counts_once(talk, alice):
    at_alice, at_bob, message = talk
    client_id = new_client_id()
    first = at_alice.change(message, client_id, edit="second")
    assert at_alice.change(message, client_id, edit="third") == first
    later = at_alice.change(message, edit="fourth")
    assert later["change"] == 2
    again = at_alice.change(message, client_id, edit="third")
    assert (again["change"], again["message"]) == (1, later["message"])     # as it is now
    at_alice.change(message, delete=True)
    assert code(at_alice.change(message, client_id, edit="third")) == "ok"     # it was done, though it could not be done now
    assert now(alice, message)["lastChange"] == 3


def test_what_is_so_already_is_no_error(talk, alice, bob):
    at_alice, at_bob, message = talk
    for verb in ({"react": "👍", "on": True}, {"react": "👍", "on": False}, {"pin": True}, {"pin": False}, {"delete": True}):
        assert [code(at_alice.change(message, **verb)) for _n in range(2)] == ["ok", "ok"]
    assert now(bob, message)["deleted"] is True


def test_an_edit_of_what_was_edited_meanwhile_is_a_conflict(talk, alice):
    at_alice, _at_bob, message = talk
    elsewhere = alice.tab()
    mended = elsewhere.change(message, edit="mended elsewhere")["message"]
    refused = at_alice.change(message, edit="mended here", seen=0)
    assert code(refused) == "conflict" and refused["error"]["retry"] is False and refused["message"] == mended
    assert code(at_alice.change(message, react="👍", on=True)) == "ok"
    assert code(at_alice.change(message, edit="mended here", seen=1)) == "ok"      # a reaction changes no text
    assert at_alice.change(message, edit="whatever it was")["message"]["message"] == "whatever it was"


def test_what_was_deleted_is_neither_edited_nor_liked(talk, alice):
    at_alice, at_bob, message = talk
    deleted = at_alice.change(message, delete=True)["message"]
    for tab, verb in ((at_alice, {"edit": "back"}), (at_bob, {"react": "👍", "on": True}), (at_bob, {"pin": True})):
        refused = tab.change(message, **verb)
        assert code(refused) == "conflict" and refused["message"] == deleted
    answer = alice.ask(f"/conversations/{message['conversationId']}/messages/1", clientId=new_client_id(), edit="back")
    assert answer.status_code == 409 and answer.json()["message"] == deleted and answer.json()["error"]["code"] == "conflict"


def test_a_message_has_a_bounded_number_of_different_reactions(talk):
    at_alice, at_bob, message = talk
    emoji = [chr(code_point) for code_point in range(0x1F600, 0x1F615)]
    assert [code(at_alice.change(message, react=one, on=True)) for one in emoji] == ["ok"] * 20 + ["conflict"]
    assert code(at_bob.change(message, react=emoji[0], on=True)) == "ok"


def test_a_reply_quotes_the_message_as_it_is_now(talk, alice, bob):
    at_alice, at_bob, message = talk
    sent = {"clientId": new_client_id(), "receiverId": alice.id, "message": "answer", "replyTo": message["seq"]}
    reply = at_bob.call("sendMessage", sent)["message"]
    quote = {"seq": 1, "sender": alice.username, "senderId": alice.id, "message": "first", "deleted": False, "file": None}
    assert reply["replyTo"] == quote and at_bob.call("sendMessage", sent)["message"] == reply
    assert at_alice.wait_for("receiveMessage") == reply
    at_alice.change(message, edit="x" * 1000)
    assert now(bob, reply)["replyTo"]["message"] == "x" * 120
    at_alice.change(message, edit=f"**{'x' * 130}**")
    told = now(bob, reply)["replyTo"]
    assert (told["message"], told["words"]) == ("**" + "x" * 118, "x" * 120)
    for address in (f"/chat/{alice.username}", f"/chat/{alice.username}?reply=1"):
        assert f">{'x' * 120}<" in bob.get(address).text and "**x" not in re.sub('data-source="[^"]*"', "", bob.get(address).text)
    at_alice.change(message, delete=True)
    assert now(bob, reply)["replyTo"] == {**quote, "message": "", "deleted": True}
    assert code(at_bob.call("sendMessage", {**sent, "clientId": new_client_id(), "replyTo": 99})) == "not_found"
    for value in (0, -1, "1", True, [1], 1.5):
        assert code(at_bob.call("sendMessage", {**sent, "clientId": new_client_id(), "replyTo": value})) == "invalid"
    answer = bob.post(f"/messages/{alice.username}", json={"message": "by HTTP", "clientId": new_client_id(), "replyTo": 2},
                      headers={"X-CSRFToken": bob.token("/")})
    assert answer.status_code == 201 and answer.json()["replyTo"]["message"] == "answer"


def test_who_was_away_gets_each_changed_message_once(talk, alice, bob):
    at_alice, at_bob, message = talk
    messages = [message, *(at_alice.send(bob, f"message {n}")["message"] for n in range(2, 6))]
    for number in range(12):
        at_alice.change(messages[number % 3], edit=f"edit {number}")
    url = f"/conversations/{message['conversationId']}/messages"
    page = bob.json(f"{url}?changedAfter=0")
    assert [(m["seq"], m["message"], m["lastChange"]) for m in page["messages"]] == [(1, "edit 9", 10), (2, "edit 10", 11), (3, "edit 11", 12)]
    assert (page["lastChange"], page["lastSeq"]) == (12, 5)
    assert [m["seq"] for m in bob.json(f"{url}?changedAfter=10")["messages"]] == [2, 3]
    assert bob.json(f"{url}?changedAfter=12")["messages"] == []
    assert [m["seq"] for m in bob.json(f"{url}?changedAfter=0&limit=2")["messages"]] == [1, 2]
    assert bob.json(f"/messages/{alice.username}?changedAfter=11")["messages"] == page["messages"][2:]
    assert at_bob.call("markRead", {"userId": alice.id, "seq": 0})["lastChange"] == 12
    assert bob.json(url)["lastChange"] == 12


def test_a_deleted_text_is_nowhere(chat, alice, bob):
    """Neither in a row of any table nor, in the embedded mode, in the file of the database."""
    room, secret = alice.make_room("class", bob), "correct horse battery staple"
    at_alice = alice.tab()
    message = at_alice.send_to_room(room, f"@{bob.username} {secret} one")["message"]
    reply = at_alice.call("sendMessage", {"clientId": new_client_id(), "conversationId": room, "message": "yes", "replyTo": message["seq"]})["message"]
    at_alice.change(message, edit=f"@{bob.username} {secret} two")
    at_alice.change(message, react="👍", on=True)
    assert bob.room(room)["mentions"] == 1
    at_alice.change(message, delete=True)
    assert bob.room(room)["mentions"] == 0
    for path in (f"/conversations/{room}/messages", f"/conversations/{room}/messages?changedAfter=0", f"/conversations/{room}/messages/{message['seq']}",
                 f"/conversations/{room}/messages/{reply['seq']}", f"/conversations/{room}/pins", "/rooms"):
        assert secret not in bob.get(path, headers={"Accept": "application/json"}).text
    for path in (f"/rooms/{room}", f"/conversations/{room}/messages/{message['seq']}", f"/rooms/{room}?info", "/"):
        assert secret not in bob.get(path).text
    if not chat.settings.get("DATABASE_URL"):
        files = [Path(chat.settings["INSTANCE_PATH"]) / f"chat.sqlite3{ending}" for ending in ("", "-wal")]
        assert files[0].exists()
        assert wait_for(lambda: not any(secret.encode() in file.read_bytes() for file in files if file.exists()), ERASED_SECONDS)


def test_an_edit_mentions_whom_it_names_now(chat, alice, bob, arrive):
    charlie = arrive(chat)
    room = alice.make_room("class", bob, charlie)
    at_alice = alice.tab()
    message = at_alice.send_to_room(room, f"@{bob.username}")["message"]
    edited = at_alice.change(message, edit=f"no, @{charlie.username}")["message"]
    assert edited["mentions"] == [charlie.id] and edited["mentionSpans"][0]["start"] == 4
    assert (bob.room(room)["mentions"], charlie.room(room)["mentions"]) == (0, 1)


def test_the_list_shows_the_last_message_as_it_is(talk, alice, bob):
    at_alice, _at_bob, message = talk
    line = next(user for user in bob.json("/users")["users"] if user["id"] == alice.id)
    assert line["lastMessage"] == "first"
    at_alice.change(message, edit="second")
    assert next(user for user in bob.json("/users")["users"] if user["id"] == alice.id)["lastMessage"] == "second"
    at_alice.change(message, delete=True)
    assert next(user for user in bob.json("/users")["users"] if user["id"] == alice.id)["lastMessage"] is None


def test_a_conversation_is_unread_again(talk, alice, bob):
    at_alice, at_bob, message = talk
    other_tab = bob.tab()
    at_alice.send(bob, "more")
    at_bob.call("markRead", {"userId": alice.id, "seq": 2})

    def unread():
        return next(user for user in bob.json("/users")["users"] if user["id"] == alice.id)["unread"]
    assert unread() == 0
    ack = at_bob.call("markUnread", {"userId": alice.id, "seq": 2})
    assert ack["ok"] and ack["readSeq"] == 2      # the mark never goes back
    assert other_tab.wait_for("markedUnread") == {"userId": alice.id, "seq": 2}
    assert unread() == 1
    at_bob.call("markUnread", {"userId": alice.id, "seq": 1})
    assert unread() == 2
    bob.get(f"/chat/{alice.username}")
    assert unread() == 0
    at_bob.call("markUnread", {"conversationId": message["conversationId"], "seq": 1})
    at_alice.send(bob, "news")
    at_bob.call("markRead", {"userId": alice.id, "seq": 3})
    assert unread() == 0


def test_changes_are_bounded(start_server, arrive):
    server = start_server(RATELIMIT_ENABLED="1")
    alice, bob = arrive(server), arrive(server)
    at_alice = alice.tab()
    message = at_alice.send(bob, "first")["message"]
    codes = [code(at_alice.change(message, react="👍", on=True)) for _n in range(61)]
    assert codes[:60] == ["ok"] * 60 and codes[60] == "rate_limited"
    assert code(at_alice.call("markUnread", {"userId": bob.id, "seq": 1})) == "rate_limited"
    assert code(at_alice.call("markUnread", {"userId": bob.id, "seq": 0})) == "ok"


# --- forms, for pages without JavaScript


def post_form(person, message, **fields):
    return person.post(f"/conversations/{message['conversationId']}/messages/{message['seq']}", {"csrf_token": person.token("/"), **fields})


def test_forms_lead_back_to_the_conversation(talk, alice, bob):
    _at_alice, _at_bob, message = talk
    for fields in ({"edit": "second"}, {"react": "👍", "on": "1"}, {"pin": "1"}, {"delete": "1"}):
        answer = post_form(alice, message, **fields)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/chat/{bob.username}?at=1#message-1")
        assert alice.get(answer.headers["Location"]).status_code == 200
    assert now(bob, message)["lastChange"] == 4 and now(bob, message)["deleted"]


def test_a_form_that_is_refused_shows_both_texts(talk, alice):
    at_alice, _at_bob, message = talk
    at_alice.change(message, edit="mended elsewhere")
    answer = post_form(alice, message, edit="mended here", seen="0")
    assert answer.status_code == 409 and "mended elsewhere" in answer.text and "mended here" in answer.text
    assert post_form(alice, message, react="x", on="1").status_code == 400
    assert now(alice, message)["message"] == "mended elsewhere"


def form_on(page):
    """What the forms of a page say of themselves."""
    return {name: page.text.partition(f'name="{name}" value="')[2].partition('"')[0] for name in ("csrf_token", "page")}


def test_a_form_that_comes_twice_is_done_once(talk, alice, bob):
    """A double press is no conflict with oneself; what is written anew on the same page, which the browser may show again, is one more edit."""
    _at_alice, _at_bob, message = talk
    url = f"/conversations/{message['conversationId']}/messages/1"
    form = form_on(alice.get(url))
    assert form["page"] and form_on(alice.get(url))["page"] != form["page"]
    for _press in range(2):
        assert alice.post(url, {**form, "edit": "second", "seen": "0"}).status_code == 302
    assert (now(bob, message)["message"], now(bob, message)["lastChange"]) == ("second", 1)
    answer = alice.post(url, {**form, "edit": "third", "seen": "0"})
    assert answer.status_code == 409 and ">third</textarea>" in answer.text
    assert alice.post(url, {**form, "react": "👍", "on": "1"}).status_code == 302
    assert alice.post(url, {**form, "react": "🎉", "on": "1"}).status_code == 302
    assert [reaction["emoji"] for reaction in now(bob, message)["reactions"]] == ["👍", "🎉"]


def test_a_form_that_comes_again_after_its_writer_had_to_leave(chat, alice, bob):
    room = alice.make_room("class", bob)
    message = bob.tab().send_to_room(room, "first")["message"]
    url = f"/conversations/{room}/messages/{message['seq']}"
    form = {**form_on(bob.get(url)), "edit": "second", "seen": "0"}
    assert bob.post(url, form).status_code == 302
    assert alice.ask(f"/rooms/{room}/members/{bob.username}/remove").status_code == 200
    answer = bob.post(url, form)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    answer = bob.post(url, {**form, "edit": "a long letter"})
    assert answer.status_code == 404 and "a long letter</textarea>" in answer.text


def test_an_edit_comes_back_when_the_session_is_another(talk, alice):
    _at_alice, _at_bob, message = talk
    url = f"/conversations/{message['conversationId']}/messages/1"
    form = {**form_on(alice.get(url)), "edit": "a long <letter>", "seen": "0"}
    alice.log_out()
    answer = alice.post(url, form)
    assert answer.status_code == 401 and "a long &lt;letter&gt;</textarea>" in answer.text and "edit your message again" in answer.text
    alice.log_in()
    answer = alice.post(url, form)
    assert answer.status_code == 400 and "a long &lt;letter&gt;</textarea>" in answer.text and "expired" in answer.text
    assert "letter" not in alice.post(url, form, headers={"Origin": "http://evil.example"}).text
    assert now(alice, message) == message
    assert alice.post(url, {**form, **form_on(answer)}).status_code == 302


@pytest.mark.parametrize("value", ["²", "-1", "x", "", "1" * 5000])
def test_a_number_that_is_none_is_refused_in_words(talk, alice, value):
    _at_alice, _at_bob, message = talk
    unread = f"/conversations/{message['conversationId']}/unread"
    for answer in (post_form(alice, message, edit="mended", seen=value), alice.post(unread, {"csrf_token": alice.token("/"), "seq": value})):
        assert answer.status_code == 400 and "must be a number" in answer.text
    for wrong in (value, True, -1, None, 1.5, [1]):
        answer = alice.ask(unread, seq=wrong)
        assert answer.status_code == 400 and "must be a number" in answer.json()["error"]["message"]
    assert now(alice, message) == message


def test_a_reply_by_a_form(talk, alice, bob):
    _at_alice, _at_bob, message = talk
    page = bob.get(f"/chat/{alice.username}?reply=1")
    assert 'name="replyTo" value="1"' in page.text
    answer = bob.post(f"/messages/{alice.username}", {"csrf_token": bob.token("/"), "message": "answer", "replyTo": "1"})
    assert answer.status_code == 302
    assert bob.history(alice)["messages"][-1]["replyTo"]["seq"] == 1
    for value in ("x", "99999999999999999999999", "²"):
        assert bob.get(f"/chat/{alice.username}?reply={value}").status_code == 200


def test_links_to_messages_lead_to_the_page_wherever_it_is_shown(talk, alice, bob):
    """The answer to a form is a page at another address, and so is that of what is pinned."""
    at_alice, at_bob, message = talk
    at_bob.call("sendMessage", {"clientId": new_client_id(), "receiverId": alice.id, "message": "answer", "replyTo": message["seq"]})
    at_alice.change(message, pin=True)
    answer = bob.post(f"/messages/{alice.username}", {"csrf_token": bob.token("/"), "message": ""})
    assert answer.status_code == 400
    link = f'href="/chat/{alice.username}?at=1#message-1"'
    for page in (answer, bob.get(f"/chat/{alice.username}?info"), bob.get(f"/conversations/{message['conversationId']}/pins")):
        assert link in page.text and 'href="?at=' not in page.text
    assert bob.get(f"/chat/{alice.username}?info").text.count(link) == 2      # the quote and the pin


def test_a_message_that_an_address_names_is_on_the_page_however_long_the_others_are(chat, alice, bob):
    """An answer has a maximum size: what is farther from the message is left out first."""
    at_alice = alice.tab()
    for _n in range(56):
        at_alice.send(bob, "漢" * 4000)
    for seq in (1, 28, 56, 99):
        shown = [int(found) for found in re.findall(r'id="message-(\d+)"', bob.get(f"/chat/{alice.username}?at={seq}").text)]
        assert min(seq, 56) in shown and shown == list(range(shown[0], shown[-1] + 1)) and len(shown) == 21


def test_a_server_that_ends_leaves_no_deleted_text(start_server, arrive):
    """It ends before the log would be emptied the next time."""
    server = start_server()
    alice, bob = arrive(server), arrive(server)
    tab = alice.tab()
    message = tab.send(bob, "a secret of yesterday")["message"]
    tab.change(message, delete=True)
    folder = Path(server.settings["INSTANCE_PATH"])
    server.stop()
    assert not [path for path in folder.glob("chat.sqlite3*") if b"a secret of yesterday" in path.read_bytes()]

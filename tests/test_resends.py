"""What is sent again: it is answered with what was stored at first, and shows nothing to who has left."""
import pytest

from tests.people import new_client_id


@pytest.fixture
def room(alice, bob):
    return alice.make_room("class", bob)


def remove(room, actor, member):
    assert actor.ask(f"/rooms/{room}/members/{member.username}/remove").status_code == 200


@pytest.mark.parametrize("text", ["", "x" * 4_001, 7])
def test_a_resend_is_answered_whatever_its_text(alice, bob, text):
    tab, client_id = alice.tab(), new_client_id()
    first = tab.send(bob, "one", client_id)
    assert tab.send(bob, text, client_id) == first
    assert alice.ask(f"/messages/{bob.username}", message=text, clientId=client_id).json() == first["message"]


def test_a_change_is_answered_whatever_it_asks_for_then(alice, bob):
    tab, client_id = alice.tab(), new_client_id()
    message = tab.send(bob, "one")["message"]
    first = tab.change(message, client_id, edit="two")
    assert tab.change(message, client_id, edit="\0") == first
    assert tab.change(message, client_id) == first


def test_who_was_removed_reads_nothing_by_a_change_sent_again(alice, bob, room):
    """The message that Bob has reacted to is edited when he is gone: neither the same room nor another one tells him."""
    at_alice, at_bob, client_id = alice.tab(), bob.tab(), new_client_id()
    message = at_alice.send_to_room(room, "for all")["message"]
    done = at_bob.change(message, client_id, react="👍", on=True)
    own_room = bob.make_room("of bob")
    remove(room, alice, bob)
    at_alice.change(message, edit="secret")
    again = {"ok": True, "change": done["change"], "message": None}
    assert at_bob.change(message, client_id, react="👍", on=True) == again
    assert at_bob.change({"conversationId": own_room, "seq": 1}, client_id, pin=True) == again
    assert bob.ask(f"/conversations/{room}/messages/{message['seq']}", clientId=client_id, pin=True).json() == {"change": 1, "message": None}


def test_who_was_removed_reads_nothing_by_a_message_sent_again(alice, bob, room):
    at_alice, at_bob, client_id = alice.tab(), bob.tab(), new_client_id()
    quoted = at_alice.send_to_room(room, "for all")["message"]
    own = at_bob.call("sendMessage", {"clientId": client_id, "conversationId": room, "message": "by bob", "replyTo": quoted["seq"]})["message"]
    own_room = bob.make_room("of bob")
    remove(room, alice, bob)
    at_alice.change(quoted, edit="secret")
    at_alice.change(own, react="👍", on=True)
    for conversation in (room, own_room):
        told = at_bob.send_to_room(conversation, "again", client_id)["message"]
        assert (told["seq"], told["message"], told["replyTo"], told["reactions"]) == (own["seq"], "by bob", None, [])


def test_who_deletes_again_has_deleted_nothing(alice, bob, room):
    at_alice, at_bob = alice.tab(), bob.tab()
    message = at_bob.send_to_room(room, "by bob")["message"]
    at_bob.change(message, delete=True)
    details = f"/conversations/{room}/messages/{message['seq']}"
    before = alice.json(details)
    assert at_alice.change(message, delete=True)["ok"] and at_alice.change(message, pin=False)["ok"]
    after = alice.json(details)
    assert (after["deletedBy"], after["deleted"]) == (before["deletedBy"], before["deleted"]) == ({"id": bob.id, "username": bob.username}, before["deleted"])


def test_a_message_that_is_not_there_is_not_found(alice, bob):
    tab = alice.tab()
    message = tab.send(bob, "one")["message"]
    for seq in (2, 2**31 - 1, 2**31):
        assert tab.change({**message, "seq": seq}, delete=True)["error"]["code"] == "not_found"


@pytest.mark.parametrize("files", ["", {}, 0, False, "1", [True], [0]])
def test_files_that_are_no_list_of_ids_are_invalid(alice, bob, files):
    answer = alice.tab().call("sendMessage", {"clientId": new_client_id(), "receiverId": bob.id, "message": "x", "files": files})
    assert answer["error"]["code"] == "invalid"


# --- forms that are refused -------------------------------------------------------------------------------------------

def form(person, path, **fields):
    return person.post(path, {"csrf_token": person.token("/"), **fields}, headers={"Accept": "text/html"})


def test_a_form_to_a_room_that_one_has_to_leave_gives_the_text_back(alice, bob, room):
    remove(room, alice, bob)
    answer = form(bob, f"/conversations/{room}/messages", message="written in vain")
    assert answer.status_code == 404 and "written in vain" in answer.text


def test_a_form_says_why_as_it_is_asked_to(alice, bob):
    answer = alice.post(f"/messages/{bob.username}", {"csrf_token": alice.token("/"), "message": ""}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


@pytest.mark.parametrize("reply_to", ["abc", "-1", "0", "1.5"])
def test_a_form_that_answers_nothing_that_is_there_is_refused(alice, bob, reply_to):
    answer = form(alice, f"/messages/{bob.username}", message="an answer", replyTo=reply_to)
    assert answer.status_code == 400 and "an answer" in answer.text
    assert alice.history(bob)["messages"] == []


def test_who_was_removed_is_not_told_that_a_form_was_lost(alice, bob, room):
    """The form has arrived, its answer was lost, Bob is removed, and the browser sends the form again."""
    form = {"message": "by bob", "clientId": new_client_id(), "csrf_token": bob.token(f"/rooms/{room}")}
    assert bob.post(f"/conversations/{room}/messages", form).status_code == 302
    remove(room, alice, bob)
    again = bob.post(f"/conversations/{room}/messages", form)
    assert (again.status_code, again.headers["Location"]) == (302, "/")
    other = bob.post(f"/conversations/{room}/messages", {**form, "clientId": new_client_id(), "message": "too late"})
    assert other.status_code == 404 and "too late" in other.text

"""The live half of the contract: sending, receiving, presence, read marks, typing."""
import queue
import time

import pytest
import socketio

from chat.budgets import TYPING
from tests.people import ANSWER_SECONDS, Tab, new_client_id


def test_it_works(chat, alice, bob, charlie):
    sending, receiving, strange = alice.tab(), bob.tab(), charlie.tab()
    answer = sending.send(bob, "bonjour")
    assert answer["ok"]
    message = receiving.wait_for("receiveMessage")
    assert message == answer["message"]
    assert message["message"] == "bonjour" and message["seq"] == 1
    assert (message["sender"], message["senderId"], message["receiverId"]) == (alice.username, alice.id, bob.id)
    assert message["timestamp"].endswith("Z") and len(message["timestamp"]) == len("2024-07-07T15:04:17.601Z")
    assert strange.heard() == []
    assert sending.heard() == [], "the tab that sent has its acknowledgement"


def test_the_terminal_shows_the_five_fields_of_the_report(chat, alice, bob):
    text = f"on the terminal {new_client_id()}"
    alice.tab().send(bob, text)
    line = chat.line_with(text)
    for field in ("sender", "senderId", "receiverId", "message", "timestamp"):
        assert f'"{field}"' in line


def test_other_tabs_of_the_sender_hear_too(chat, alice, bob):
    first, second = alice.tab(), alice.tab()
    answer = first.send(bob, "from the first tab")
    assert second.wait_for("receiveMessage") == answer["message"]


def test_the_same_client_id_stores_nothing_and_returns_the_first_row(chat, alice, bob):
    tab, listening = alice.tab(), bob.tab()
    client_id = new_client_id()
    first = tab.send(bob, "one", client_id)
    again = tab.send(bob, "two", client_id)
    assert again == first
    assert [m["message"] for m in alice.history(bob)["messages"]] == ["one"]
    assert len(listening.heard()) == 1


def test_two_people_see_one_order(chat, alice, bob):
    from_alice, from_bob = alice.tab(), bob.tab(transports=["polling"])
    for number in range(5):
        from_alice.send(bob, f"a{number}")
        from_bob.send(alice, f"b{number}")
    seen = alice.history(bob)["messages"]
    assert [m["seq"] for m in seen] == list(range(1, 11))
    assert seen == bob.history(alice)["messages"]


def test_one_clients_messages_keep_their_order(chat, alice, bob):
    tab, listening = alice.tab(), bob.tab()
    for number in range(100):
        tab.client.emit("sendMessage", {"clientId": new_client_id(), "receiverId": bob.id, "message": str(number)})
    assert [listening.wait_for("receiveMessage")["message"] for _n in range(100)] == [str(n) for n in range(100)]


def test_polling_alone_is_enough(chat, alice, bob):
    sending, receiving = alice.tab(transports=["polling"]), bob.tab(transports=["polling"])
    assert sending.send(bob, "by polling")["ok"]
    assert receiving.wait_for("receiveMessage")["message"] == "by polling"


@pytest.mark.parametrize("payload, code", [
    (None, "invalid"), ("text", "invalid"), ([], "invalid"), ({}, "invalid"),
    ({"message": ""}, "invalid"), ({"message": "  \n "}, "invalid"), ({"message": 7}, "invalid"),
    ({"message": {"a": 1}}, "invalid"), ({"message": None}, "invalid"), ({"message": "a\0b"}, "invalid"), ({"message": "half a pair: \ud83d"}, "invalid"),
    ({"message": "x" * 4001}, "too_long"), ({"message": "[" * 9000}, "too_long"), ({"message": '"{\\' * 3000}, "too_long"),
    ({"receiverId": "2"}, "invalid"), ({"receiverId": True}, "invalid"), ({"receiverId": None}, "invalid"),
    ({"receiverId": 10**9}, "not_found"), ({"receiverId": 10**30}, "invalid"), ({"receiverId": -1}, "not_found"), ({"receiverId": 0}, "not_found"),
    ({"clientId": ""}, "invalid"), ({"clientId": 5}, "invalid"), ({"clientId": "x" * 65}, "invalid"),
    ({"clientId": "é"}, "invalid"),
])
def test_what_is_not_well_formed_is_refused_and_changes_nothing(chat, alice, bob, payload, code):
    tab = alice.tab()
    if isinstance(payload, dict):
        payload = {"clientId": new_client_id(), "receiverId": bob.id, "message": "well formed", **payload} if payload else {}
    answer = tab.call("sendMessage", payload)
    assert answer["ok"] is False and answer["error"]["code"] == code
    assert answer["error"]["retry"] is False and answer["error"]["message"]
    assert alice.history(bob)["messages"] == []


def test_the_longest_message_and_trimming(chat, alice, bob):
    tab = alice.tab()
    answer = tab.send(bob, "  " + "é" * 4000 + "\n ")
    assert answer["message"]["message"] == "é" * 4000


@pytest.mark.parametrize("written, stored", [
    ("    if x:\n        y\n", "    if x:\n        y"), (" \n\t\r\n  one", "  one"), ("\u3000段落", "\u3000段落"),
    ("\n\none\n\n two\n \n", "one\n\n two")])
def test_an_indent_is_kept_and_blank_lines_around_are_not(chat, alice, bob, written, stored):
    assert alice.tab().send(bob, written)["message"]["message"] == stored


def test_the_sender_is_who_is_logged_in(chat, alice, bob, charlie):
    answer = alice.tab().call("sendMessage", {"clientId": new_client_id(), "receiverId": bob.id, "message": "me",
                                              "senderId": charlie.id, "sender": charlie.username, "timestamp": "1999"})
    assert (answer["message"]["senderId"], answer["message"]["sender"]) == (alice.id, alice.username)
    assert not answer["message"]["timestamp"].startswith("1999")


def test_nobody_talks_with_themselves(chat, alice):
    assert alice.tab().send(alice, "hello me")["error"]["code"] == "not_found"


def test_an_unknown_event_is_answered(chat, alice):
    assert alice.tab().call("dance", {"a": 1})["error"]["code"] == "unknown_event"


@pytest.mark.slow
def test_who_is_online(chat, alice, bob):
    watching = alice.tab()
    first = watching.wait_for("updateOnlineUsers")
    assert first["snapshot"] is True and alice.id in first["online"]
    coming = bob.tab()
    assert bob.id in coming.wait_for("updateOnlineUsers", lambda p: p["snapshot"])["online"]
    change = watching.wait_for("updateOnlineUsers", lambda p: bob.id in p["online"])
    assert change["snapshot"] is False
    coming.close()
    assert watching.wait_for("updateOnlineUsers", lambda p: bob.id in p["offline"])["snapshot"] is False


@pytest.mark.slow
def test_a_person_is_online_until_the_last_tab_and_through_a_reload(start_server, arrive):
    grace_seconds = 8       # long enough for a reload on a busy machine
    server = start_server(tuned={"chat.live.presence.GRACE_SECONDS": grace_seconds})
    alice, bob = arrive(server), arrive(server)
    watching = alice.tab()
    first, second = bob.tab(), bob.tab()
    watching.wait_for("updateOnlineUsers", lambda p: bob.id in p["online"])
    first.close()
    second.close()
    bob.tab()       # the reload
    with pytest.raises(queue.Empty):
        watching.wait_for("updateOnlineUsers", lambda p: bob.id in p.get("offline", []), timeout=grace_seconds + 2)


def test_logging_out_closes_the_sockets_and_shows_it(patient_chat, arrive):
    alice, bob = arrive(patient_chat), arrive(patient_chat)
    watching, leaving, polling = alice.tab(), bob.tab(), bob.tab(transports=["polling"])
    watching.wait_for("updateOnlineUsers", lambda p: bob.id in p["online"])
    bob.log_out()
    assert leaving.ended.wait(ANSWER_SECONDS) and polling.ended.wait(ANSWER_SECONDS)
    watching.wait_for("updateOnlineUsers", lambda p: bob.id in p["offline"])
    with pytest.raises(socketio.exceptions.ConnectionError):
        bob.tab()


def test_without_a_login_the_connection_is_refused_with_the_reason(chat, alice):
    stranger = Tab(alice, connect=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        stranger.client.connect(chat.url, headers={"Origin": chat.url})
    assert stranger.refusals.get(timeout=5)["data"]["code"] == "unauthorized"


def test_read_marks(chat, alice, bob, charlie):
    sending, reading, other_tab, strange = alice.tab(), bob.tab(), bob.tab(), charlie.tab()
    for number in range(3):
        sending.send(bob, str(number))
    assert [u["unread"] for u in bob.json("/users")["users"] if u["id"] == alice.id] == [3]
    answer = reading.call("markRead", {"userId": alice.id, "seq": 2})
    assert answer == {"ok": True, "lastSeq": 3, "lastChange": 0, "readSeq": 2, "peerReadSeq": 0}
    told = {"userId": alice.id, "readerId": bob.id, "seq": 2}
    assert sending.wait_for("messagesRead") == told == other_tab.wait_for("messagesRead")
    assert [u["unread"] for u in bob.json("/users")["users"] if u["id"] == alice.id] == [1]
    assert reading.call("markRead", {"userId": alice.id, "seq": 1})["readSeq"] == 2, "it never goes back"
    assert reading.call("markRead", {"userId": alice.id, "seq": 99})["readSeq"] == 3, "nor beyond the end"
    assert sending.call("markRead", {"userId": bob.id, "seq": 0})["peerReadSeq"] == 3
    strange.heard()
    assert strange.call("markRead", {"userId": alice.id, "seq": 5}) == {
        "ok": True, "lastSeq": 0, "lastChange": 0, "readSeq": 0, "peerReadSeq": 0}


def test_delivery_marks(chat, alice, bob, charlie):
    sending, receiving = alice.tab(), bob.tab()
    for number in range(3):
        sending.send(bob, str(number))
    standing = {"ok": True, "lastSeq": 3, "lastChange": 0, "readSeq": 0, "peerReadSeq": 0}
    assert receiving.call("markDelivered", {"userId": alice.id, "seq": 2}) == standing
    told = [alice.json(f"/messages/{bob.username}/{seq}") for seq in (1, 2, 3)]
    assert [message["read"] for message in told] == [None, None, None]
    assert told[0]["delivered"] == told[1]["delivered"] >= told[1]["message"]["timestamp"] and told[2]["delivered"] is None
    assert receiving.call("markDelivered", {"userId": alice.id, "seq": 99}) == standing, "not beyond the end"
    assert receiving.call("markDelivered", {"userId": alice.id, "seq": 1}) == standing
    after = [alice.json(f"/messages/{bob.username}/{seq}")["delivered"] for seq in (1, 2, 3)]
    assert after[:2] == [told[0]["delivered"]] * 2 and after[2] >= after[1], "the first time counts"
    receiving.call("markRead", {"userId": alice.id, "seq": 3})
    last = alice.json(f"/messages/{bob.username}/3")
    assert last["read"] >= last["delivered"] == after[2]
    assert last == bob.json(f"/messages/{alice.username}/3"), "both are told the same"
    assert charlie.tab().call("markDelivered", {"userId": alice.id, "seq": 5})["lastSeq"] == 0


def test_nobody_is_told_of_a_delivery(chat, alice, bob):
    sending, receiving = alice.tab(), bob.tab()
    sending.send(bob, "quietly")
    receiving.call("markDelivered", {"userId": alice.id, "seq": 1})
    sending.call("no such event")       # a round trip: what was said before it has been heard
    assert {name for name, _payload in sending.events.queue} <= {"updateOnlineUsers"}


@pytest.mark.parametrize("event", ["markRead", "markDelivered"])
@pytest.mark.parametrize("payload, code", [
    ({"userId": 1}, "invalid"), ({"seq": 1}, "invalid"), ({"userId": "1", "seq": 1}, "invalid"),
    ({"userId": 10**8, "seq": 1}, "not_found"), ({"seq": -1}, "invalid"), ({"seq": "1"}, "invalid"),
    ({"seq": True}, "invalid"), (None, "invalid")])
def test_marks_that_are_not_well_formed(chat, alice, bob, payload, code, event):
    if payload and "userId" not in payload and payload != {"seq": 1}:
        payload = {"userId": bob.id, **payload}
    assert alice.tab().call(event, payload)["error"]["code"] == code


def test_typing_is_passed_on_at_most_once_in_three_seconds(start_server, arrive):
    server = start_server(RATELIMIT_ENABLED="1")
    alice, bob = arrive(server), arrive(server)
    writing, watching = alice.tab(), bob.tab()
    began = time.monotonic()
    for _n in range(3):
        assert writing.call("typing", {"userId": bob.id})["ok"]
    writing.send(bob, "that is all")
    at_most = 1 + (time.monotonic() - began) // TYPING.window
    signs = []
    while (event := watching.events.get(timeout=ANSWER_SECONDS))[0] != "receiveMessage":
        signs += [event[1]] if event[0] == "typing" else []
    assert signs[0] == {"userId": alice.id} and len(signs) <= at_most
    assert writing.call("typing", {"userId": 10**8})["error"]["code"] == "not_found"


def test_a_flood_is_told_to_wait(start_server, arrive):
    server = start_server(RATELIMIT_ENABLED="1")
    alice, bob = arrive(server), arrive(server)
    tab = alice.tab()
    answers = [tab.send(bob, str(number)) for number in range(35)]
    assert [answer["ok"] for answer in answers] == [True] * 30 + [False] * 5
    error = answers[-1]["error"]
    assert error["code"] == "rate_limited" and error["retry"] is True and 1 <= error["retryAfter"] <= 10
    assert len(alice.history(bob)["messages"]) == 30


def test_one_person_has_ten_connections(start_server, arrive):
    alice = arrive(start_server(RATELIMIT_ENABLED="1"))
    for _n in range(10):
        alice.tab()
    with pytest.raises(socketio.exceptions.ConnectionError):
        alice.tab()


def test_a_burst_arrives_over_polling_in_portions_that_every_client_takes(chat, alice, bob):
    listening, sending = bob.tab(transports=["polling"]), alice.tab()
    for number in range(100):
        sending.client.emit("sendMessage", {"clientId": new_client_id(), "receiverId": bob.id, "message": str(number)})
    assert [listening.wait_for("receiveMessage")["message"] for _n in range(100)] == [str(n) for n in range(100)]


def test_a_tab_moves_on_from_polling_to_a_websocket(chat, alice):
    tab = alice.tab()
    assert tab.client.transport() == "websocket"


def test_logging_out_right_after_the_last_tab_closed_shows_offline_at_once_too(patient_chat, arrive):
    alice, bob = arrive(patient_chat), arrive(patient_chat)
    watching, leaving = alice.tab(), bob.tab()
    watching.wait_for("updateOnlineUsers", lambda p: bob.id in p["online"])
    leaving.close()
    bob.log_out()
    watching.wait_for("updateOnlineUsers", lambda p: bob.id in p["offline"])


def test_refusals_are_in_the_language_of_the_browser(chat, alice, bob):
    answers = {}
    for language in ("en", "fr"):
        tab = Tab(alice, connect=False)
        tab.client.connect(chat.url, headers={"Cookie": alice.cookie(), "Accept-Language": language})
        answers[language] = tab.call("sendMessage", {"clientId": "a", "receiverId": bob.id, "message": ""})["error"]
        tab.close()
    assert answers["en"]["message"] == "A message cannot be empty."
    assert answers["fr"]["message"] != answers["en"]["message"] and answers["fr"]["code"] == "invalid"


@pytest.mark.parametrize("name", ["connect", "disconnect", "*"])
def test_events_with_the_librarys_own_names_are_unknown(chat, alice, bob, charlie, name):
    tab, sending = alice.tab(), bob.tab()
    assert tab.call(name, {"HTTP_COOKIE": charlie.cookie()})["error"]["code"] == "unknown_event"
    assert tab.send(bob, "still alice")["message"]["senderId"] == alice.id
    alice.log_out()
    assert tab.ended.wait(ANSWER_SECONDS)
    sending.send(alice, "secret after the logout")
    assert tab.events.empty() or "secret" not in str(list(tab.events.queue))


def test_a_resend_is_answered_though_no_more_may_be_sent(start_server, arrive):
    server = start_server(RATELIMIT_ENABLED="1")
    alice, bob = arrive(server), arrive(server)
    tab = alice.tab()
    first = tab.send(bob, "first", "the-first")
    while tab.send(bob, "and more")["ok"]:
        pass
    assert tab.send(bob, "first", "the-first") == first


def test_a_message_that_cannot_be_seen_is_empty(chat, alice, bob):
    assert alice.tab().send(bob, "\u200b \u2060")["error"]["code"] == "invalid"


def test_after_the_snapshot_only_changes_are_told(chat, alice, bob):
    tab = alice.tab()
    seen = set(tab.wait_for("updateOnlineUsers", lambda p: p["snapshot"])["online"])
    bob.tab()
    while bob.id not in seen:
        change = tab.wait_for("updateOnlineUsers")
        assert not seen & set(change["online"]), "known already"
        seen |= set(change["online"])

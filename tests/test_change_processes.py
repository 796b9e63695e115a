"""Changes at two processes: who is told at both, what is found after Redis was not heard, and a message that both change at once."""
import threading

import pytest

from lab.server import LabServer
from tests.people import ANSWER_SECONDS, new_client_id
from tests.test_bus import elsewhere
from tests.two_processes import here, own_redis, shared, there, two  # noqa: F401

pytestmark = pytest.mark.slow

SHARED = "changes_of_two_processes", "for the tests of changes at several processes: thirty-two bytes"
EACH = 15               # changes at each process at once
LONG = 3 * ANSWER_SECONDS


def now(person, message):
    """The message as the server tells it now."""
    return person.json(f"/conversations/{message['conversationId']}/messages/{message['seq']}")["message"]


def next_change(tab, number):
    """Return the message of the next change that a tab is told of, which must be that one."""
    told = tab.wait_for("messageChanged")
    assert told["change"] == number
    return told["message"]


def forget_subscriptions(redis):
    """End every subscription: what is published until there is a new one is lost."""
    with redis.connect() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")


def test_it_works(two, here, there):
    """In a pair and in a room, at both processes, in order and once; the actor's other tab too."""
    anna, bert = here(), there()
    room = anna.make_room("both", bert)
    hers, his, her_other = anna.tab(), bert.tab(), elsewhere(anna, two[1]).tab()
    for message in (hers.send(bert, "one")["message"], hers.send_to_room(room, "one")["message"]):
        tabs = hers, his, her_other
        for number, (tab, verb) in enumerate(((hers, {"edit": "mended"}), (his, {"react": "👍", "on": True}), (his, {"pin": True}),
                                              (hers, {"edit": "again"}), (hers, {"delete": True})), 1):
            ack = tab.change(message, **verb)
            assert (ack["ok"], ack["change"]) == (True, number)
            assert [next_change(one, number) for one in tabs] == [ack["message"]] * 3
        assert ack["message"] == {**message, "message": "", "deleted": True, "lastChange": 5}


def test_both_change_one_message_at_once(two, here, there):
    """Numbers have no gap and each counts; what one process does is done on what the other one has left."""
    anna, bert = here(), there()
    hers, his = anna.tab(), bert.tab()
    message = hers.send(bert, "one")["message"]
    emoji = [chr(0x1F600 + n) for n in range(EACH)]
    acks = {}

    def act(tab, verbs):
        acks[tab] = [tab.change(message, **verb) for verb in verbs]
    threads = [threading.Thread(target=act, args=(hers, [{"edit": f"text {n}"} for n in range(EACH)])),
               threading.Thread(target=act, args=(his, [{"react": one, "on": True} for one in emoji]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    done = acks[hers] + acks[his]
    assert all(ack["ok"] for ack in done), done
    assert sorted(ack["change"] for ack in done) == list(range(1, 2 * EACH + 1))
    stored = now(anna, message)
    assert (stored["message"], stored["lastChange"]) == (f"text {EACH - 1}", 2 * EACH)
    assert [reaction["emoji"] for reaction in stored["reactions"]] == emoji
    for tab in (hers, his):
        told = [tab.wait_for("messageChanged") for _n in range(2 * EACH)]
        assert sorted(one["change"] for one in told) == list(range(1, 2 * EACH + 1)), "each once"
        assert max(told, key=lambda one: one["message"]["lastChange"])["message"] == stored, "the newest one is what is stored"


def test_the_same_change_at_both_processes_counts_once(two, here, there):
    anna = here()
    hers, too, his = anna.tab(), elsewhere(anna, two[1]).tab(), there().tab()
    message = hers.send(his.person, "one")["message"]
    client_id = new_client_id()
    first = hers.change(message, client_id, edit="mended")
    assert too.change(message, client_id, edit="mended otherwise") == first
    assert next_change(his, 1)["message"] == "mended"
    assert his.change(message, pin=True)["change"] == 2
    assert next_change(his, 2)["pinned"]


def change_unheard(redis, hers, his, message):
    """Change a message when its process's word is lost on the way; return what was changed."""
    assert hers.change(message, edit="heard")["change"] == 1
    next_change(his, 1)
    forget_subscriptions(redis)
    return hers.change(message, edit="unheard")["message"]


def test_what_was_changed_while_redis_was_not_heard_is_found(own_redis, here, there):
    """No heartbeat of a tab asks for it: the process finds it in the database."""
    anna, bert = here(), there()
    room = anna.make_room("unheard", bert)
    hers, his = anna.tab(), bert.tab()
    for message in (hers.send(bert, "one")["message"], hers.send_to_room(room, "one")["message"]):
        changed = change_unheard(own_redis, hers, his, message)
        assert next_change(his, 2) == changed


def test_without_its_cursor_over_changes_it_is_not_found(own_redis, shared, arrive):
    """The test above can fail."""
    with LabServer(**shared) as one, LabServer(**shared, LAB_MUTANT="no_cursor_over_changes") as other:
        anna, bert = arrive(one), arrive(other)
        hers, his = anna.tab(), bert.tab()
        change_unheard(own_redis, hers, his, hers.send(bert, "one")["message"])
        hers.send(bert, "after it")     # a message is caught up: by then, the change would have been
        assert his.wait_for("receiveMessage", lambda message: message["message"] == "after it")
        forget_subscriptions(own_redis)
        hers.send(bert, "caught up")
        assert his.wait_for("receiveMessage", lambda message: message["message"] == "caught up")
        his.call("no such event")
        assert "messageChanged" not in [event for event, _payload in his.events.queue]

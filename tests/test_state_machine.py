"""The chat against a model of it: whatever people do, in whatever order, a dictionary knows what they must see."""
import uuid

import pytest
import socketio
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.change_rules import ChangeRules, Log
from tests.people import Person, new_client_id
from tests.room_rules import ANY, RoomRules, people

pytestmark = pytest.mark.slow

TEXTS = st.sampled_from(["bonjour", "é", "🎉", "<b>&amp;</b>", "100 %", "%s", "_", "'; --", "two\nlines", "x" * 4000])


class ChatMachine(RoomRules, ChangeRules, RuleBasedStateMachine):
    """People of one run have names with a prefix of their own: the server has others too."""

    server = None

    def __init__(self):
        super().__init__()
        self.prefix = f"run{uuid.uuid4().hex[:8]}x"
        self.everybody = []
        self.tabs = {}          # user id -> live connection
        self.inside = set()     # ids of who is logged in
        self.messages = {}      # pair of ids -> Log
        self.read = {}          # (reader id, other id) -> seq
        self.sent = []          # (sender, receiver, message as acknowledged)

    def pair(self, one, other):
        return self.messages.setdefault(frozenset((one.id, other.id)), Log())

    # --- coming and going ------------------------------------------------------------------------------------------

    @initialize(target=people)
    def first_person(self):
        return self.register()

    @rule(target=people)
    def register(self):
        person = Person(self.server.url, f"{self.prefix}{len(self.everybody)}")
        assert person.register().status_code == 302
        self.everybody.append(person)
        self.inside.add(person.id)
        return person

    @rule(person=people)
    def log_in(self, person):
        if person.id not in self.inside:
            assert person.log_in("a wrong password").status_code == 401
            assert person.log_in().status_code == 302
            self.inside.add(person.id)

    @rule(person=people)
    def log_out(self, person):
        if person.id in self.inside:
            assert person.log_out().status_code == 302
            self.inside.discard(person.id)
            tab = self.tabs.pop(person.id, None)
            assert not tab or tab.ended.wait(5), "the live connection ends with the session"

    @rule(person=people)
    def connect(self, person):
        if person.id not in self.inside:
            with pytest.raises(socketio.exceptions.ConnectionError):
                person.tab()
        elif person.id not in self.tabs:
            self.tabs[person.id] = person.tab()

    @rule(person=people)
    def disconnect(self, person):
        if person.id in self.tabs:
            self.tabs.pop(person.id).close()

    # --- writing and reading -----------------------------------------------------------------------------------------

    def post(self, sender, receiver, text, client_id):
        """Send as the sender can just now; return the message, or None where it is refused."""
        if sender.id in self.tabs:
            answer = self.tabs[sender.id].send(receiver, text, client_id)
            assert answer["ok"], answer
            return answer["message"]
        if sender.id in self.inside:
            return sender.send(receiver, text, client_id).json()
        answer = sender.post(f"/messages/{receiver.username}", json={"message": text, "clientId": client_id})
        assert answer.status_code in (302, 400, 401)
        return None

    @rule(sender=people, receiver=people, text=TEXTS)
    def send(self, sender, receiver, text):
        if sender is receiver:
            return
        message = self.post(sender, receiver, text, new_client_id())
        if message is None:
            return
        known = self.pair(sender, receiver)
        assert (message["seq"], message["message"]) == (len(known) + 1, text)
        assert (message["senderId"], message["receiverId"]) == (sender.id, receiver.id)
        known.append(message)
        self.sent.append((sender, receiver, message))
        if receiver.id in self.tabs:
            assert self.tabs[receiver.id].wait_for("receiveMessage") == message, "each once, in order"

    @rule(which=ANY, text=TEXTS)
    def retry(self, which, text):
        if self.sent:
            sender, receiver, message = self.sent[which % len(self.sent)]
            now = self.pair(sender, receiver)[message["seq"] - 1]
            assert self.post(sender, receiver, text, message["clientId"]) in (now, None), "the first row, for ever, as it is now"

    @rule(reader=people, other=people, seq=st.integers(0, 30))
    def mark_read(self, reader, other, seq):
        if reader is not other and reader.id in self.tabs:
            key, log = (reader.id, other.id), self.pair(reader, other)
            last = len(log)
            if min(seq, last) > self.read.get(key, 0):
                self.read_moved(reader.id, log)
            self.read[key] = max(self.read.get(key, 0), min(seq, last))
            answer = self.tabs[reader.id].call("markRead", {"userId": other.id, "seq": seq})
            assert answer == {"ok": True, "lastSeq": last, "lastChange": log.last_change, "readSeq": self.read[key],
                              "peerReadSeq": self.read.get(key[::-1], 0)}

    # --- what people see -----------------------------------------------------------------------------------------------

    @rule(person=people, other=people, before=st.integers(1, 30), limit=st.integers(1, 10))
    def see_history(self, person, other, before, limit):
        if person is not other and person.id in self.inside:
            known, key = self.pair(person, other), (person.id, other.id)
            assert person.history(other) == {"messages": known[-50:], "lastSeq": len(known), "lastChange": known.last_change,
                                             "readSeq": self.read.get(key, 0)}
            page = person.history(other, f"?before={before}&limit={limit}")["messages"]
            assert page == [m for m in known if m["seq"] < before][-limit:]
            page = person.history(other, f"?after={before}&limit={limit}")["messages"]
            assert page == [m for m in known if m["seq"] > before][:limit]

    @rule(person=people, other=people)
    def open_page(self, person, other):
        """Who opens the page does not want it unread any more."""
        if person is not other and person.id in self.inside:
            assert person.get(f"/chat/{other.username}").status_code == 200
            self.read_moved(person.id, self.pair(person, other))

    @rule(person=people)
    def see_list(self, person):
        if person.id in self.inside:
            listed = {u["id"]: u for u in person.json(f"/users?q={self.prefix.upper()}")["users"]}
            assert set(listed) == {other.id for other in self.everybody if other is not person}
            for other in self.everybody:
                if other is not person:
                    known = self.pair(person, other)
                    read = self.shown_read_seq(person.id, known, self.read.get((person.id, other.id), 0))
                    unread = [m for m in known[read:] if m["senderId"] == other.id]
                    card = listed[other.id]
                    assert (card["unread"], card["lastSeq"]) == (len(unread), len(known))
                    assert card["lastMessage"] == (known[-1]["message"] if known and not known[-1]["deleted"] else None)

    @invariant()
    def live_connections_live(self):
        assert not any(tab.ended.is_set() for tab in self.tabs.values())

    def teardown(self):
        for person in self.everybody:
            person.leave()


def test_it_works(chat):
    machine = type("ChatMachineOnAServer", (ChatMachine,), {"server": chat})
    run_state_machine_as_test(machine, settings=settings(
        max_examples=10, stateful_step_count=45, deadline=None, database=None, derandomize=True,
        phases=[Phase.generate],    # making a failure smaller would take minutes over the network
        suppress_health_check=list(HealthCheck)))

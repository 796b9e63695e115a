"""What people do in rooms, and a model of what each must see there: rules of the state machine in test_state_machine.py."""
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.change_rules import ANY, Log, people
from tests.people import new_client_id

TEXTS = st.sampled_from(["bonjour", "é", "🎉", "<b>&amp;</b>", "100 %", "two\nlines"])
MAX_UNREAD = 100
EVERYBODY = 0                   # in `mentionSpans`


@dataclass
class ModelRoom:
    """A room as it must be: `log` is what was said in it, `roles` and `read` are by the members' ids."""

    id: int
    is_open: bool
    log: Log = field(default_factory=Log)
    roles: dict = field(default_factory=dict)
    read: dict = field(default_factory=dict)

    def enter(self, person, role="member"):
        self.roles[person.id], self.read[person.id] = role, len(self.log)

    def leave(self, person):
        del self.roles[person.id], self.read[person.id]

    def is_last_owner(self, person):
        return [user_id for user_id, role in self.roles.items() if role == "owner"] == [person.id]

    def counts(self, person, read_seq):
        """Return (unread, mentions): what others have written after `read_seq`."""
        unread = [m for m in self.log[read_seq:] if m["senderId"] != person.id and m["kind"] == "text"]
        mentions = [m for m in unread if person.id in m["mentions"] or any(span["id"] == EVERYBODY for span in m.get("mentionSpans", ()))]
        return min(len(unread), MAX_UNREAD), len(mentions)


class RoomRules:
    """Rules for a machine that has `everybody`, `inside` and `tabs`, and the ChangeRules."""

    def __init__(self):
        super().__init__()
        self.rooms = []

    def room(self, which):
        return self.rooms[which % len(self.rooms)]

    def in_it(self, room, but=None):
        """Return the tabs of the members."""
        return [tab for user_id, tab in self.tabs.items() if user_id in room.roles and tab is not but]

    def hear(self, room, message, but=None):
        """Each tab of a member hears a message, once and in order; nobody else does, which `see_room` finds out."""
        assert message["seq"] == len(room.log) + 1
        room.log.append(message)
        for tab in self.in_it(room, but):
            assert tab.wait_for("receiveMessage") == message
        for person in self.everybody:
            if person.id in room.roles and person.id in self.inside:
                self.see_counts(room, person, person.room(room.id))

    def see_counts(self, room, person, told):
        """Compare R, as it is told to a member, with the model."""
        assert (told["unread"], told["mentions"]) == room.counts(person, self.shown_read_seq(person.id, room.log, room.read[person.id]))
        assert (told["role"], told["members"]) == (room.roles[person.id], len(room.roles))
        assert (told["lastSeq"], told["lastChange"], told["readSeq"]) == (len(room.log), room.log.last_change, room.read[person.id])

    def hear_notice(self, room, witness, what):
        """A change has become a notice; `witness` is a member who reads it."""
        [notice] = witness.json(f"/conversations/{room.id}/messages?after={len(room.log)}")["messages"]
        assert (notice["kind"], notice["notice"]["what"], notice["message"]) == ("notice", what, "")
        self.hear(room, notice)

    # --- coming and going

    @rule(creator=people, is_open=st.booleans())
    def make_room(self, creator, is_open):
        if creator.id not in self.inside:
            assert creator.post("/rooms", json={"name": "nobody's"}).status_code in (302, 400, 401)
            return
        room = ModelRoom(creator.make_room("a room", open=is_open), is_open)
        room.enter(creator, "owner")
        self.rooms.append(room)
        self.hear_notice(room, creator, "created")

    @rule(person=people, which=ANY)
    def join(self, person, which):
        if self.rooms and person.id in self.inside:
            room = self.room(which)
            is_new, may = person.id not in room.roles, room.is_open or person.id in room.roles
            assert person.ask(f"/rooms/{room.id}/join").status_code == (200 if may else 404)
            if may and is_new:
                room.enter(person)
                self.hear_notice(room, person, "joined")

    @rule(actor=people, user=people, which=ANY)
    def add(self, actor, user, which):
        if self.rooms and actor.id in self.inside:
            room = self.room(which)
            is_new, may = user.id not in room.roles, actor.id in room.roles
            assert actor.ask(f"/rooms/{room.id}/members", username=user.username).status_code == (200 if may else 404)
            if may and is_new:
                room.enter(user)
                self.hear_notice(room, actor, "added")

    @rule(person=people, which=ANY)
    def leave(self, person, which):
        if self.rooms and person.id in self.inside:
            room = self.room(which)
            expected = 404 if person.id not in room.roles else 409 if room.is_last_owner(person) else 200
            assert person.ask(f"/rooms/{room.id}/leave").status_code == expected
            if expected == 200:
                self.end(room, person, "left")

    @rule(actor=people, user=people, which=ANY)
    def remove(self, actor, user, which):
        if self.rooms and actor.id in self.inside:
            room = self.room(which)
            role = room.roles.get(actor.id)
            expected = (404 if not role else 403 if role != "owner" else 404 if user.id not in room.roles
                        else 409 if room.is_last_owner(user) else 200)
            assert actor.ask(f"/rooms/{room.id}/members/{user.username}/remove").status_code == expected
            if expected == 200:
                self.end(room, user, "removed" if user is not actor else "left")

    def end(self, room, person, what):
        room.leave(person)
        self.read_moved(person.id, room.log)
        if person.id in self.tabs:
            assert self.tabs[person.id].wait_for("conversationLeft") == {"conversationId": room.id}
        witness = next((one for one in self.everybody if one.id in room.roles and one.id in self.inside), None)
        if witness:
            self.hear_notice(room, witness, what)
        else:       # nobody who is logged in can read it now
            room.log.append({"kind": "notice", "seq": len(room.log) + 1, "senderId": None, "lastChange": 0})

    @rule(owner=people, user=people, which=ANY, role=st.sampled_from(["owner", "member"]))
    def set_role(self, owner, user, which, role):
        if self.rooms and owner.id in self.inside:
            room = self.room(which)
            if room.roles.get(owner.id) == "owner" and user.id in room.roles:
                is_changed = room.roles[user.id] != role
                expected = 409 if is_changed and room.is_last_owner(user) else 200
                assert owner.ask(f"/rooms/{room.id}/members/{user.username}/role", role=role).status_code == expected
                if is_changed and expected == 200:
                    room.roles[user.id] = role
                    self.hear_notice(room, owner, "role")

    # --- writing and reading

    @rule(sender=people, which=ANY, text=TEXTS, mentioned=st.none() | people, all_of_them=st.booleans())
    def send_to_room(self, sender, which, text, mentioned, all_of_them):
        if not self.rooms or sender.id not in self.inside:
            return
        room, tab, client_id = self.room(which), self.tabs.get(sender.id), new_client_id()
        text = f"{'@all ' * all_of_them}{f'@{mentioned.username} ' if mentioned else ''}{text}"
        if tab:
            answer = tab.send_to_room(room.id, text, client_id)
            message, is_stored = answer.get("message"), answer["ok"]
        else:
            answer = sender.ask(f"/conversations/{room.id}/messages", message=text, clientId=client_id)
            message, is_stored = answer.json(), answer.status_code == 201
        assert is_stored == (sender.id in room.roles), answer
        if is_stored:
            assert (message["message"], message["receiverId"], message["senderId"]) == (text, None, sender.id)
            assert message["mentions"] == ([mentioned.id] if mentioned and mentioned.id in room.roles else [])
            is_for_all = any(span["id"] == EVERYBODY for span in message.get("mentionSpans", ()))
            assert is_for_all == (all_of_them and room.roles[sender.id] == "owner")
            self.hear(room, message, but=tab)

    @rule(reader=people, which=ANY, seq=st.integers(0, 30))
    def mark_room(self, reader, which, seq):
        if not self.rooms or reader.id not in self.tabs:
            return
        room, last = self.room(which), len(self.room(which).log)
        answer = self.tabs[reader.id].call("markRead", {"conversationId": room.id, "seq": seq})
        if reader.id not in room.roles:
            assert answer["error"]["code"] == "not_found"
            return
        if min(seq, last) > room.read[reader.id]:
            self.read_moved(reader.id, room.log)
        room.read[reader.id] = max(room.read[reader.id], min(seq, last))
        others = [read for user_id, read in room.read.items() if user_id != reader.id]
        assert answer == {"ok": True, "lastSeq": last, "lastChange": room.log.last_change, "readSeq": room.read[reader.id],
                          "peerReadSeq": min(others, default=0)}

    # --- what people see

    @rule(person=people, which=ANY)
    def see_room(self, person, which):
        if not self.rooms or person.id not in self.inside:
            return
        room = self.room(which)
        history = person.get(f"/conversations/{room.id}/messages?after=0", headers={"Accept": "application/json"})
        if person.id in self.tabs:
            assert self.tabs[person.id].heard("receiveMessage", "messageChanged") == [], "what they were to hear they have heard"
        if person.id not in room.roles:
            assert history.status_code == 404
            return
        told = history.json()["messages"]
        assert [m["seq"] for m in told] == list(range(1, min(len(room.log), 50) + 1))
        assert all(m == known for m, known in zip(told, room.log) if known["senderId"])
        assert {member["id"]: member["role"] for member in person.room(room.id)["people"]} == room.roles

    @rule(person=people)
    def see_rooms(self, person):
        if person.id in self.inside:
            listed = {room["id"]: room for room in person.json("/rooms")["rooms"]}
            for room in self.rooms:
                told = listed.get(room.id)
                if person.id in room.roles:
                    self.see_counts(room, person, told)
                    one = person.room(room.id)
                    assert {name: one[name] for name in told} == told, "the same wherever it is asked for"
                else:
                    assert told is None or (room.is_open and told["role"] is None and told["unread"] == told["lastSeq"] == 0)

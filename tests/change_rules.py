"""What people do to messages that are there, and a model of what each must see then: rules of the state machine in test_state_machine.py."""
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, rule

from tests.people import new_client_id

ANY = st.integers(0, 1000)      # points at one of what there is
QUOTED = 120                    # characters of a quote
MAX_EMOJI = 20
STATUS = {200: "ok", 403: "forbidden", 404: "not_found", 409: "conflict"}
VERBS = st.one_of(
    st.fixed_dictionaries({"edit": st.sampled_from(["mended", "é 🎉", "<b>&amp;</b>", "y" * 4000])}, optional={"seen": st.integers(0, 12)}),
    st.just({"delete": True}),
    st.fixed_dictionaries({"react": st.sampled_from(["👍", "❤️", "👋🏽", "🇫🇷"]), "on": st.booleans()}),
    st.fixed_dictionaries({"pin": st.booleans()}))
people = Bundle("people")


class Log(list):
    """The messages of a conversation, as they must be now, and what has happened to them."""

    def __init__(self):
        super().__init__()
        self.last_change = 0
        self.edits = {}         # seq -> the numbers of its edits
        self.pins = []          # seqs, the latest pin first

    @property
    def conversation_id(self):
        return next((message["conversationId"] for message in self if "conversationId" in message), None)

    def quote(self, seq):
        """Return the `replyTo` of a message that answers the one with that seq."""
        told = self[seq - 1]
        return {"seq": seq, "sender": told["sender"], "senderId": told["senderId"], "message": told["message"][:QUOTED], "deleted": told["deleted"],
                "file": None}

    def refusal(self, seq, actor_id, verb, is_owner):
        """Return the code with which a change must be refused, or None."""
        told = self[seq - 1] if 0 < seq <= len(self) else None
        if told is None:
            return "not_found"
        if told["kind"] == "notice":
            return "forbidden"
        if "edit" in verb:
            was_edited = "seen" in verb and any(number > verb["seen"] for number in self.edits.get(seq, ()))
            return "forbidden" if told["senderId"] != actor_id else "conflict" if told["deleted"] or was_edited else None
        if "delete" in verb:
            return None if told["senderId"] == actor_id or is_owner else "forbidden"
        return "conflict" if told["deleted"] and verb.get("on", True) else None

    def apply(self, seq, actor_id, verb, edited_at):
        """Do a change; return the message as it is then. `edited_at` is what only the server knows."""
        self.last_change += 1
        told = self[seq - 1] = {**self[seq - 1], "lastChange": self.last_change}
        if "edit" in verb:
            self.edits.setdefault(seq, []).append(self.last_change)
            told.update(message=verb["edit"], editedAt=edited_at, mentions=[])
            told.pop("mentionSpans", None)
        elif "delete" in verb and not told["deleted"]:
            told.update(message="", editedAt=None, mentions=[], reactions=[], replyTo=None, pinned=False, deleted=True)
            told.pop("mentionSpans", None)
            self.pins = [pin for pin in self.pins if pin != seq]
        elif "react" in verb:
            told["reactions"] = _with_reaction(told["reactions"], verb["react"], actor_id, verb["on"])
        elif "pin" in verb and told["pinned"] != verb["pin"]:
            told["pinned"] = verb["pin"]
            self.pins = [seq] * verb["pin"] + [pin for pin in self.pins if pin != seq]
        self._refresh_quotes(seq)
        return told

    def _refresh_quotes(self, seq):
        for n, told in enumerate(self):
            if told.get("replyTo") and told["replyTo"]["seq"] == seq:
                self[n] = {**told, "replyTo": self.quote(seq)}


def _with_reaction(reactions, emoji, user_id, is_on):
    """Return them with one more or less. A reaction that is there keeps its place; where the first user takes one back, the next is first."""
    uses = [(user, reaction["emoji"]) for reaction in reactions for user in reaction["userIds"]]
    if is_on == ((user_id, emoji) in uses):
        return reactions
    found = [{"emoji": one["emoji"], "userIds": [user for user in one["userIds"] if (user, one["emoji"]) != (user_id, emoji)]} for one in reactions]
    if is_on and not any(one["emoji"] == emoji for one in found):
        found.append({"emoji": emoji, "userIds": []})
    for one in found:
        if is_on and one["emoji"] == emoji:
            one["userIds"].append(user_id)
    return [one for one in found if one["userIds"]]


def as_sets(message):
    """Return a message whose reactions are in no order: after somebody took one back, it depends on the time of the others."""
    return {**message, "reactions": {one["emoji"]: one["userIds"] for one in message["reactions"]}}


class ChangeRules:
    """Rules for a machine that has `everybody`, `inside`, `tabs`, `messages` by pairs and `rooms`."""

    def __init__(self):
        super().__init__()
        self.changed = []       # (actor, log, members, fields as asked, number as acknowledged)
        self.unread_from = {}   # (reader id, conversation id) -> seq

    def conversations(self):
        """Return (log, the ids of its members, those of its owners), of all in which there is a message."""
        pairs = [(log, set(pair), set()) for pair, log in self.messages.items() if log]
        return pairs + [(room.log, set(room.roles), {user_id for user_id, role in room.roles.items() if role == "owner"})
                        for room in self.rooms if room.log.conversation_id]

    def ask_change(self, actor, conversation_id, seq, client_id, verb):
        """Change a message as the actor can just now; return (code, answer)."""
        if actor.id in self.tabs:
            answer = self.tabs[actor.id].call("changeMessage", {"clientId": client_id, "conversationId": conversation_id, "seq": seq, **verb})
            return ("ok" if answer["ok"] else answer["error"]["code"]), answer
        answer = actor.ask(f"/conversations/{conversation_id}/messages/{seq}", clientId=client_id, **verb)
        return STATUS[answer.status_code], answer.json()

    def told_of_change(self, log, members, seq):
        """Each tab of a member is told what a message is now, the actor's too."""
        for user_id, tab in self.tabs.items():
            if user_id in members:
                told = tab.wait_for("messageChanged")
                assert (told["conversationId"], told["change"]) == (log.conversation_id, log.last_change)
                assert told["message"] == log[seq - 1]

    @rule(actor=people, which=ANY, nth=ANY, verb=VERBS)
    def change(self, actor, which, nth, verb):
        found = self.conversations()
        if not found or actor.id not in self.inside:
            return
        log, members, owners = found[which % len(found)]
        seq = max(1, len(log) - nth % 6) if nth % 10 else len(log) + 1      # one of the last ones, or one that is not there
        client_id = new_client_id()
        expected = log.refusal(seq, actor.id, verb, actor.id in owners) if actor.id in members else "not_found"
        code, answer = self.ask_change(actor, log.conversation_id, seq, client_id, verb)
        assert code == (expected or "ok"), (answer, verb)
        if expected:
            assert (answer.get("message") == log[seq - 1]) == (expected == "conflict")
            return
        message = log.apply(seq, actor.id, verb, answer["message"]["editedAt"])
        # Where a reaction was taken back, only the server knows who of the others was first.
        message["reactions"] = self.ordered(answer["message"], message)
        assert (answer["change"], answer["message"]) == (log.last_change, message)
        assert not ("edit" in verb) or message["editedAt"] >= message["timestamp"]
        self.changed.append((actor, log, seq, client_id, log.last_change))
        self.told_of_change(log, members, seq)

    @staticmethod
    def ordered(told, message):
        """Return the reactions that were told, which must be those of the model."""
        assert as_sets(told)["reactions"] == as_sets(message)["reactions"]
        return told["reactions"]

    @rule(which=ANY, verb=VERBS)
    def resend_change(self, which, verb):
        """It counts once, whatever is asked for with the same clientId: the first number, and the message as it is now."""
        if not self.changed:
            return
        actor, log, seq, client_id, number = self.changed[which % len(self.changed)]
        if actor.id in self.inside:
            code, answer = self.ask_change(actor, log.conversation_id, seq, client_id, verb)
            assert (code, answer["change"], answer["message"]) == ("ok", number, log[seq - 1]), "also for who is no member any more"

    @rule(sender=people, which=ANY, nth=ANY)
    def reply(self, sender, which, nth):
        found = self.conversations()
        if not found or sender.id not in self.inside:
            return
        log, members, _owners = found[which % len(found)]
        seq = max(1, len(log) - nth % 6) if nth % 10 else len(log) + 1
        if sender.id not in members:
            return
        fields = {"clientId": new_client_id(), "message": "an answer", "replyTo": seq}
        tab = self.tabs.get(sender.id)
        if tab:
            answer = tab.call("sendMessage", {**fields, "conversationId": log.conversation_id})
            is_stored, message = answer["ok"], answer.get("message")
        else:
            answer = sender.ask(f"/conversations/{log.conversation_id}/messages", **fields)
            is_stored, message = answer.status_code == 201, answer.json()
        assert is_stored == (seq <= len(log) and log[seq - 1]["kind"] == "text"), answer
        if is_stored:
            assert (message["seq"], message["replyTo"], message["message"]) == (len(log) + 1, log.quote(seq), "an answer")
            log.append(message)
            for user_id, other in self.tabs.items():
                if user_id in members and other is not tab:
                    assert other.wait_for("receiveMessage") == message

    # --- unread again

    def shown_read_seq(self, person_id, log, read_seq):
        """Return after which seq a conversation counts as unread for somebody who has read up to `read_seq`."""
        unread_from = self.unread_from.get((person_id, log.conversation_id), 0)
        return unread_from - 1 if 0 < unread_from <= read_seq else read_seq

    def read_moved(self, person_id, log):
        self.unread_from.pop((person_id, log.conversation_id), None)

    @rule(reader=people, which=ANY, seq=st.integers(0, 30))
    def mark_unread(self, reader, which, seq):
        found = self.conversations()
        if not found or reader.id not in self.tabs:
            return
        log, members, _owners = found[which % len(found)]
        answer = self.tabs[reader.id].call("markUnread", {"conversationId": log.conversation_id, "seq": seq})
        if reader.id not in members:
            assert answer["error"]["code"] == "not_found"
            return
        assert (answer["ok"], answer["lastSeq"], answer["lastChange"]) == (True, len(log), log.last_change)
        self.unread_from[reader.id, log.conversation_id] = min(seq, len(log))

    # --- what people see

    @rule(person=people, which=ANY, after=st.integers(0, 12), limit=st.integers(1, 10))
    def see_changes(self, person, which, after, limit):
        """Who was away gets each changed message once, as it is now."""
        found = self.conversations()
        if not found or person.id not in self.inside:
            return
        log, members, _owners = found[which % len(found)]
        url = f"/conversations/{log.conversation_id}"
        answer = person.get(f"{url}/messages?changedAfter={after}&limit={limit}", headers={"Accept": "application/json"})
        assert answer.status_code == (200 if person.id in members else 404)
        if person.id in members:
            changed = sorted((m for m in log if m.get("lastChange", 0) > after), key=lambda m: m["lastChange"])
            page = answer.json()
            assert (page["messages"], page["lastChange"], page["lastSeq"]) == (changed[:limit], log.last_change, len(log))
            assert person.json(f"{url}/pins")["messages"] == [log[seq - 1] for seq in log.pins]
        if person.id in self.tabs:
            assert self.tabs[person.id].heard("receiveMessage", "messageChanged") == [], "what they were to hear they have heard"

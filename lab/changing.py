"""What a person does to messages that are there, at a scripted tab: edit, delete, react, pin, and answer."""
from .outbox import ChangeEntry

RECENT = 12                 # messages of a conversation that people still change: few, so that two often change the same one
EMOJI = ("👍", "❤️", "😂", "👋🏽", "🇫🇷")
VERBS = (("react", 5), ("edit", 4), ("pin", 2), ("delete", 1))      # and how often each is done
SEEN_SHARE = 0.5            # of the edits say which version they have seen


class ChangingTab:
    """A base class of ScriptedTab, which has the outbox and the record."""

    def change(self, key, seq, **verb):
        """Put a change into the outbox. It is sent after what was done earlier in that conversation."""
        entry = ChangeEntry(key, self.versions[key].conversation_id, seq, verb)
        self.note_changing(entry)
        self.put(entry)
        return entry

    def note_changing(self, entry):
        self.record.note("changing", person=self.person.id, tab=self.name, clientId=entry.client_id, seq=entry.seq, verb=entry.verb,
                         conversation=self.conversations[entry.key].name)

    def change_random(self, rng, key):
        """Change one of the last messages in some way; mostly one's own, where only that is allowed."""
        seqs = self.changeable(key)
        if not seqs:
            return None
        [verb] = rng.choices([name for name, _often in VERBS], [often for _name, often in VERBS])
        own = self.changeable(key, of=self.person.id)
        seq = rng.choice(own if verb in ("edit", "delete") and own and rng.random() < 0.9 else seqs)
        return self.change(key, seq, **self._fields_of(verb, rng, self.versions[key].by_seq[seq]))

    def _fields_of(self, verb, rng, version):
        if verb == "edit":
            seen = {"seen": version.last_change} if rng.random() < SEEN_SHARE else {}
            return {"edit": self.next_text(), **seen}
        if verb == "react":
            return {"react": rng.choice(EMOJI), "on": rng.random() < 0.7}
        return {"delete": True} if verb == "delete" else {"pin": rng.random() < 0.5}

    def changeable(self, key, of=None):
        """Return the seqs of the last texts that are not deleted, as far as the tab knows; only those of one sender, if asked."""
        log = self.versions[key]
        with self.locks[key]:
            found = []
            for seq in range(self.views[key].last, max(0, self.views[key].last - RECENT), -1):
                if seq in log.senders and not log.by_seq[seq].is_deleted and of in (None, log.senders[seq]):
                    found.append(seq)
            return found

    def resend_change(self, rng):
        """Send an acknowledged change again with another verb, and note the answer."""
        if self.acknowledged_changes and self.connected.is_set():
            entry = rng.choice(self.acknowledged_changes)
            payload = {name: value for name, value in entry.payload(None).items() if name not in entry.verb}
            answer = self.call(entry.event, {**payload, "edit": "another text"})
            if answer and not self.asks_again(answer):
                self.record.note("change_resent", person=self.person.id, clientId=entry.client_id, change=answer.get("change"),
                                 code=answer.get("error", {}).get("code"))

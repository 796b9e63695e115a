"""What a message is after its changes: as a tab has it, as it is stored, and as the log says that it must be."""
from typing import NamedTuple

EDIT, DELETE, REACT, UNREACT, PIN, UNPIN = "edit", "delete", "react", "unreact", "pin", "unpin"
KNOWN_AT = "labKnownAt"     # a field that the instrumented server adds to each message: when it made sure of it, time.monotonic()


class Version(NamedTuple):
    """One version of a message. Of two versions, the one with the greater `last_change` is the newer."""

    last_change: int
    text: str
    is_deleted: bool = False
    is_edited: bool = False
    reactions: frozenset = frozenset()      # (user id, emoji)
    is_pinned: bool = False
    reply_to: int = 0                       # a seq, 0 for none

    @classmethod
    def of_message(cls, message):
        """Return the version that a message has as the protocol sends it."""
        reactions = frozenset((user_id, reaction["emoji"]) for reaction in message["reactions"] for user_id in reaction["userIds"])
        return cls(message["lastChange"], message["message"], message["deleted"], message["editedAt"] is not None, reactions,
                   message["pinned"], (message["replyTo"] or {}).get("seq", 0))

    @classmethod
    def of_row(cls, row):
        """Return the version of a row of the store. A deleted message answers nothing, although its row keeps the seq."""
        text = row["message"] if row["kind"] == "text" else ""
        return cls(row["lastChange"], text, row["deleted"], row["edited"], row["reactions"], row["pinned"],
                   0 if row["deleted"] else row["replyTo"])

    def after(self, number, verb, actor_id):
        """Return the version after a change. `verb` is what was asked for: `{"edit": text}`, `{"react": emoji, "on": bool}` …"""
        changed = self._replace(last_change=number)
        if "edit" in verb:
            return changed._replace(text=verb["edit"], is_edited=True)
        if "delete" in verb:
            return Version(number, "", is_deleted=True)
        if "react" in verb:
            one = {(actor_id, verb["react"])}
            return changed._replace(reactions=self.reactions | one if verb["on"] else self.reactions - one)
        return changed._replace(is_pinned=verb["pin"])


def kind_of(verb):
    """Return the kind that a change has in the database."""
    if "edit" in verb or "delete" in verb:
        return EDIT if "edit" in verb else DELETE
    if "react" in verb:
        return REACT if verb["on"] else UNREACT
    return PIN if verb["pin"] else UNPIN


class VersionLog:
    """The messages of one conversation as one tab has them, and up to which change it knows all of them."""

    def __init__(self):
        self.by_seq = {}            # seq -> Version
        self.senders = {}           # seq -> user id; texts only, for a notice cannot be changed
        self.conversation_id = 0
        self.known = 0              # every change up to this number is in `by_seq`
        self.last = 0               # the greatest number that the tab has heard of

    def take(self, message):
        """Take a message as the server tells it, and return its version: of two versions the newer one is kept."""
        version, seq = Version.of_message(message), message["seq"]
        self.conversation_id = message["conversationId"]
        if seq not in self.by_seq or self.by_seq[seq].last_change < version.last_change:
            self.by_seq[seq] = version
        if message["kind"] == "text":
            self.senders[seq] = message["senderId"]
        return version

    def note_change(self, number, message_change):
        """Note that a change was told of, with a message as of `message_change`: an older one is what who has left is told.

        The next change in order is known, a later one says that some are missing.
        """
        self.last = max(self.last, number)
        if number == self.known + 1 and message_change >= number:
            self.known = number

    def note_page(self, messages, last_change):
        """Note the answer to a request for what was changed since `known`: it may have been cut after its last message."""
        self.last = max(self.last, last_change)
        self.known = max(self.known, messages[-1]["lastChange"] if messages and messages[-1]["lastChange"] < last_change else last_change)

    @property
    def is_behind(self):
        return self.known < self.last

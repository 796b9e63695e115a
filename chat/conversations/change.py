"""Change: that something has happened to a message, an edit or a reaction, and its number in the conversation.

A change is a pointer, not a diff: it names a message, and its payload is that message as it is now.
So changes can come twice or in another order, and a text that was deleted is in none of them.
"""
from dataclasses import dataclass, replace

from ..accounts.user import User
from ..clock import from_db, to_db
from .answer_size import fitting
from .message import MAX_PINS, MAX_ROWS, Message, set_ids

EDIT, DELETE, REACT, UNREACT, PIN, UNPIN = "edit", "delete", "react", "unreact", "pin", "unpin"      # kinds
MAX_ROW_BYTES = 1000        # of a change, and of its message without the text
MAX_CHARACTER_BYTES = 4     # of a character in SQL

COLUMNS = "id, conversation_id, number, seq, kind, actor_id, client_id, at"


@dataclass(slots=True)
class Change:
    """One change. `number` is 1, 2, 3 ... without a gap in each conversation, `seq` the message's number.

    A change that is not stored yet has what it asks for: `text` and `mentions` of an edit, `seen`, the message's last change that
    the writer had before their eyes, or None; `emoji` of a reaction; `is_owner`, whether the actor owns the room.
    """

    conversation_id: int
    seq: int
    kind: str
    actor_id: int
    client_id: str
    number: int = 0
    id: int = 0
    at: str = ""
    message: Message | None = None      # as it is after the change
    text: str = ""
    mentions: tuple = ()
    seen: int | None = None
    emoji: str = ""
    is_owner: bool = False

    @classmethod
    def from_row(cls, row):
        row["at"] = from_db(row["at"])
        return cls(**row)

    @property
    def key(self):
        """By which a change is stored once, however often it is sent."""
        return self.actor_id, self.client_id

    @property
    def ref(self):
        """(conversation id, seq) of the message."""
        return self.conversation_id, self.seq

    @property
    def max_statement_bytes(self):
        """The maximum number of bytes that the change adds to a statement."""
        return MAX_ROW_BYTES + MAX_CHARACTER_BYTES * len(self.text)

    @property
    def audience(self):
        """Who gets it, as of a message."""
        return self.message.audience

    def as_json(self):
        """Return what is told of the change."""
        return {"id": self.id, "conversationId": self.conversation_id, **self.as_answer()}

    def as_answer(self):
        """Return what its actor is answered. The message is null for who may not see it any more."""
        return {"change": self.number, "message": self.message and self.message.as_json()}

    def for_outsider(self):
        """Return the change for an actor who has left: the message only if it is their own, and then without what others did."""
        return replace(self, message=self.message.for_outsider() if self.message.sender_id == self.actor_id else None)

    @staticmethod
    def last_number(database, conversation_id):
        """Return the greatest number in a conversation, 0 while nothing was changed."""
        return Change.last_numbers(database, [conversation_id])[conversation_id]

    @staticmethod
    def last_numbers(database, conversation_ids):
        """Return {conversation id: the greatest number, 0 while nothing was changed}, in one statement for all of them."""
        one = "SELECT %s AS id, MAX(number) AS number FROM changes WHERE conversation_id = %s"
        rows = database.query(" UNION ALL ".join([one] * len(conversation_ids)),
                              [value for conversation_id in conversation_ids for value in (conversation_id,) * 2])
        return {row["id"]: row["number"] or 0 for row in rows}

    @classmethod
    def changed_since(cls, database, conversation_id, number, limit):
        """Return the first messages that were changed after that number, as they are now, ascending by their last change.

        Whoever has them knows all changes up to the last one: if there are more, no message among them was changed later still.
        """
        limit = min(limit, MAX_ROWS)
        rows = database.query(
            # Only the latest change of each message is met by its own message.
            "SELECT c.seq, c.number FROM changes c JOIN messages m ON m.conversation_id = c.conversation_id AND m.seq = c.seq AND m.last_change = c.number"
            " WHERE c.conversation_id = %s AND c.number > %s ORDER BY c.number LIMIT %s", (conversation_id, number, limit))
        found = sorted(Message.by_refs(database, [(conversation_id, row["seq"]) for row in rows]).values(),
                       key=lambda message: message.last_change)
        if len(rows) == limit:
            found = [message for message in found if message.last_change <= rows[-1]["number"]]
            if not found:       # each was changed again while they were read
                return cls.changed_since(database, conversation_id, rows[-1]["number"], limit)
        return fitting(found)

    @classmethod
    def first_deletion(cls, database, message):
        """Return the deletion of a message, or None. Who deletes it again has deleted nothing."""
        return cls._one(database, message, "kind = %s ORDER BY number", DELETE)

    @classmethod
    def last_edit(cls, database, message):
        """Return the last edit of a message, or None."""
        return cls._one(database, message, "kind = %s ORDER BY number DESC", EDIT)

    @classmethod
    def of_text_after(cls, database, message, number):
        """Return some edit or deletion of a message after a number, or None."""
        return cls._one(database, message, "kind IN (%s, %s) AND number > %s", EDIT, DELETE, number)

    @classmethod
    def _one(cls, database, message, condition, *values):
        found = database.query(f"SELECT {COLUMNS} FROM changes WHERE conversation_id = %s AND seq = %s AND {condition} LIMIT 1",
                               (message.conversation_id, message.seq, *values), cls.from_row)
        return found[0] if found else None

    @classmethod
    def find_duplicates(cls, database, drafts):
        """Return {(actor_id, client_id): Change} for those of the drafts that are stored already."""
        keys = " OR ".join(["(actor_id = %s AND client_id = %s)"] * len(drafts))
        return {change.key: change for change in cls._select(database, keys, [value for draft in drafts for value in draft.key])}

    @classmethod
    def since_id(cls, database, change_id):
        """Return the first MAX_ROWS changes of all conversations with an id above `change_id`, in the order of their ids."""
        return cls._select(database, "id > %s ORDER BY id LIMIT %s", (change_id, MAX_ROWS))

    @classmethod
    def _select(cls, database, condition, values):
        changes = database.query(f"SELECT {COLUMNS} FROM changes WHERE {condition}", values, cls.from_row)
        messages = Message.by_refs(database, {change.ref for change in changes})
        for change in changes:
            change.message = messages[change.ref]
        return changes

    @staticmethod
    def highest_id(database):
        """Return the highest id of all changes, or 0 if there is none."""
        return database.query("SELECT MAX(id) AS id FROM changes")[0]["id"] or 0

    @classmethod
    def insert(cls, database, changes, effects):
        """Store numbered changes and their effects, as (sql, params), in one transaction, and set their ids.

        Raises Duplicate, and then stores none of them.
        """
        ids = database.insert(
            "INSERT INTO changes (conversation_id, number, seq, kind, actor_id, client_id, at) VALUES "
            + ", ".join(["(%s, %s, %s, %s, %s, %s, %s)"] * len(changes)),
            [value for c in changes for value in (c.conversation_id, c.number, c.seq, c.kind, c.actor_id, c.client_id, to_db(c.at))],
            rows=len(changes), then=lambda _ids: effects)
        set_ids(database, changes, ids)


def history(database, message):
    """Return when and by whom a message was edited and deleted, and the names of those who have reacted."""
    edit = Change.last_edit(database, message) if message.edited_at else None
    deletion = Change.first_deletion(database, message) if message.is_deleted else None
    wanted = {user_id for reaction in message.reactions for user_id in reaction.user_ids}
    names = {user.id: user.username for user in User.by_ids(database, wanted | ({deletion.actor_id} if deletion else set()))}
    return {"edited": edit and edit.at, "deleted": deletion and deletion.at,
            "deletedBy": deletion and {"id": deletion.actor_id, "username": names[deletion.actor_id]},
            "reactions": [{"emoji": reaction.emoji, "people": [{"id": user_id, "username": names[user_id]} for user_id in reaction.user_ids]}
                          for reaction in message.reactions]}


def pinned(database, conversation_id):
    """Return the pinned messages of a conversation, the latest pin first: MAX_PINS at most, and as many as fit into one answer."""
    seqs = database.query("SELECT seq FROM pins WHERE conversation_id = %s ORDER BY at DESC, seq DESC LIMIT %s",
                          (conversation_id, MAX_PINS), lambda row: row["seq"])
    found = Message.by_refs(database, [(conversation_id, seq) for seq in seqs])
    return fitting([found[conversation_id, seq] for seq in seqs if (conversation_id, seq) in found])

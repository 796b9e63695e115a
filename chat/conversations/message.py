"""Message: a text that a user has sent to another one or to a room, and its number in the conversation.

A room has notices among them: somebody joined, the room was renamed. They are messages of another kind, on the same road.
What happens to a message later, an edit or a reaction, is a Change.
"""
import json
import secrets
from dataclasses import dataclass, replace

from ..clock import from_db, to_db
from ..errors import Locked, Unavailable
from ..storage.schema import MAX_ID
from . import message_parts
from .answer_size import fitting
from .message_text import validate_client_id, validate_text

MAX_ROWS = 200              # messages in one answer
MAX_PINS = 100              # pinned messages in one answer
MAX_ROW_BYTES = 750         # of a message in an INSERT, without its text: numbers, time, mentions, and client_id with escapes
MAX_CHARACTER_BYTES = 4     # of a character in SQL: the longest in UTF-8 has 4 bytes, an escape has 2

TEXT, NOTICE = "text", "notice"     # kinds
EVERYBODY = 0               # in `mentions`: all members

COLUMNS = ("m.id, m.conversation_id, m.seq, m.sender_id, m.receiver_id, m.message, m.timestamp, m.client_id, m.kind, m.mentions,"
           " m.reply_to, m.edited_at, m.deleted_at, m.last_change, m.files AS file_count, u.username AS sender")
# LEFT, although every sender exists: it makes the database read `messages` first. With few users and many messages, MariaDB
# would otherwise begin with the users, read all messages of each, and sort them.
FROM = "FROM messages m LEFT JOIN users u ON u.id = m.sender_id"


@dataclass(slots=True)
class Message:
    """One message. `timestamp` is UTC in the format of the protocol, `seq` its number in the conversation, from 1.

    `receiver_id` is None in a room. The `message` of a notice is JSON. `mentions` has (user id, start, length) for each place at
    which the text mentions somebody, in code points; it is kept by id, because names may change. `reply_to` is the seq of the message
    that it answers, `quote` that message as it is now. `last_change` is the number of the latest Change of it: of two versions of a
    message that with the greater one is the newer. `file_count` says how many `files` it has, before they are read.
    """

    sender_id: int
    receiver_id: int | None
    message: str
    client_id: str
    sender: str
    timestamp: str = ""
    id: int = 0
    conversation_id: int = 0
    seq: int = 0
    kind: str = TEXT
    mentions: tuple = ()
    reply_to: int | None = None
    edited_at: str | None = None
    deleted_at: str | None = None
    last_change: int = 0
    quote: message_parts.Quote | None = None
    reactions: tuple = ()
    is_pinned: bool = False
    file_count: int = 0
    files: tuple = ()

    @classmethod
    def from_row(cls, row):
        row["timestamp"] = from_db(row["timestamp"])
        row["mentions"] = message_parts.mentions_from_db(row["mentions"]) if row["mentions"] else ()
        if row["last_change"]:
            for name in ("edited_at", "deleted_at"):
                row[name] = row[name] and from_db(row[name])
        return cls(**row)

    @classmethod
    def draft(cls, sender, receiver_id, text, client_id, conversation_id=0, has_files=False):
        """Return a valid message that is not stored yet, to a user or to a room. Raises Invalid or TooLong with the reason."""
        return cls(sender.id, receiver_id, validate_text(text, may_be_empty=has_files), validate_client_id(client_id), sender.username,
                   conversation_id=conversation_id)

    @classmethod
    def notice_draft(cls, actor, conversation_id, what, whom=None, value=None):
        """Return a notice of what `actor` did in a room, not stored yet. `whom` is a User, `value` a text."""
        notice = {"what": what}
        if whom:
            notice["whom"] = {"id": whom.id, "username": whom.username}
        if value is not None:
            notice["value"] = value
        return cls(actor.id, None, json.dumps(notice, ensure_ascii=False), f"notice-{secrets.token_urlsafe(16)}", actor.username,
                   conversation_id=conversation_id, kind=NOTICE)

    @property
    def ref(self):
        return self.conversation_id, self.seq

    @property
    def notice(self):
        """What a notice tells: `{what, whom?, value?}`; None of a text."""
        return json.loads(self.message) if self.kind == NOTICE else None

    @property
    def mentioned_ids(self):
        """The ids of those whom it mentions, each once; EVERYBODY for all members."""
        return list(dict.fromkeys(user_id for user_id, _start, _length in self.mentions))

    @property
    def audience(self):
        """Who gets it: (user ids, the id of the room or None)."""
        return ((), self.conversation_id) if self.receiver_id is None else ((self.receiver_id, self.sender_id), None)

    @property
    def text(self):
        """The text that a person wrote; empty for a notice."""
        return self.message if self.kind == TEXT else ""

    @property
    def max_statement_bytes(self):
        """The maximum number of bytes that the message adds to an INSERT."""
        return MAX_ROW_BYTES + MAX_CHARACTER_BYTES * len(self.message)

    @property
    def is_deleted(self):
        return self.deleted_at is not None

    @property
    def key(self):
        """By which a message is stored once, however often it is sent."""
        return self.sender_id, self.client_id

    def as_json(self):
        """Return the message as the protocol sends it."""
        told = {"id": self.id, "seq": self.seq, "clientId": self.client_id, "sender": self.sender,
                "senderId": self.sender_id, "receiverId": self.receiver_id, "message": self.message,
                "timestamp": self.timestamp, "conversationId": self.conversation_id, "kind": self.kind, "mentions": [],
                "replyTo": self.quote and self.quote.as_json(), "editedAt": self.edited_at, "deleted": self.is_deleted,
                "reactions": [reaction.as_json() for reaction in self.reactions] if self.reactions else [],
                "pinned": self.is_pinned, "lastChange": self.last_change,
                "files": [file.as_json() for file in self.files] if self.files else []}
        if self.kind == NOTICE:
            told["message"], told["notice"] = self.text, self.notice
        if self.mentions:
            told["mentions"] = [user_id for user_id in self.mentioned_ids if user_id != EVERYBODY]
            told["mentionSpans"] = [{"id": user_id, "start": start, "length": length} for user_id, start, length in self.mentions]
        return told

    def for_outsider(self):
        """Return the message for a sender who has left: their own text, without what others did."""
        if not (self.quote or self.reactions or self.is_pinned):
            return self
        return replace(self, quote=None, reactions=(), is_pinned=False, last_change=0)      # no version that anybody else is told

    @classmethod
    def page(cls, database, conversation_id, before=None, after=None, limit=50):
        """Return at most `limit` messages in ascending order: the first ones after the seq `after`, or the last ones before `before`.

        The page ends earlier where no more fits into one answer, but has at least one message.
        """
        limit = min(limit, MAX_ROWS)
        # Both ends are given. A conversation has no gaps, so the page is between them; with one end alone MariaDB may read a large
        # conversation from its other end.
        if after is not None:
            last = after + limit if before is None else min(after + limit, before - 1)
            return fitting(cls._between(database, conversation_id, after + 1, last, "ASC", limit))
        rows = cls._between(database, conversation_id, before - limit, before - 1, "DESC", limit) if before is not None else []
        if before is None or before > 1 and (not rows or rows[0].seq != before - 1):    # from the end on
            rows = cls._between(database, conversation_id, 0, MAX_ID, "DESC", limit)
        return fitting(rows)[::-1]

    @classmethod
    def _between(cls, database, conversation_id, first, last, order, limit):
        return cls.select(database, f"m.conversation_id = %s AND m.seq >= %s AND m.seq <= %s ORDER BY m.seq {order} LIMIT %s",
                          (conversation_id, first, last, limit))

    @classmethod
    def select(cls, database, condition, values):
        """Return the messages of which a condition of SQL is true, each with its quote, its files, its reactions and its pin.

        Each is one of its versions as a whole: what was changed between the statements is read again.
        """
        messages = database.query(f"SELECT {COLUMNS} {FROM} WHERE {condition}", values, cls.from_row)
        newer = cls.by_refs(database, message_parts.complete(database, messages))
        return [newer.get(message.ref, message) for message in messages] if newer else messages

    @classmethod
    def by_seq(cls, database, conversation_id, seq):
        """Return the message with that seq in a conversation, or None."""
        return cls.by_refs(database, [(conversation_id, seq)]).get((conversation_id, seq))

    @classmethod
    def by_refs(cls, database, refs):
        """Return {(conversation id, seq): Message} for those of the refs that exist."""
        found = cls.select(database, *message_parts.where_refs(refs, "m.")) if refs else []
        return {message.ref: message for message in found}

    @classmethod
    def find_duplicates(cls, database, drafts):
        """Return {(sender_id, client_id): Message} for those of the drafts that are stored already."""
        keys = " OR ".join(["(m.sender_id = %s AND m.client_id = %s)"] * len(drafts))
        rows = cls.select(database, keys, [value for draft in drafts for value in draft.key])
        return {row.key: row for row in rows}

    @classmethod
    def since_id(cls, database, message_id):
        """Return the first MAX_ROWS messages of all conversations with an id above `message_id`, in the order of their ids."""
        return cls.select(database, "m.id > %s ORDER BY m.id LIMIT %s", (message_id, MAX_ROWS))

    @staticmethod
    def highest_id(database):
        """Return the highest id of all messages, or 0 if there is none."""
        return database.query("SELECT MAX(id) AS id FROM messages")[0]["id"] or 0

    @classmethod
    def insert(cls, database, messages):
        """Store numbered messages in one statement and set their ids. Raises Duplicate, and then stores none of them."""
        row = "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        ids = database.insert(
            "INSERT INTO messages (conversation_id, seq, sender_id, receiver_id, message, timestamp, client_id, kind, mentions, reply_to, files) VALUES "
            + ", ".join([row] * len(messages)),
            [value for m in messages for value in
             (m.conversation_id, m.seq, m.sender_id, m.receiver_id, m.message, to_db(m.timestamp), m.client_id, m.kind,
              m.mentions and message_parts.mentions_to_db(m.mentions) or "", m.reply_to, m.file_count)],
            rows=len(messages), then=message_parts.more_rows([m for m in messages if m.mentions or m.files]))
        set_ids(database, messages, ids)


def set_ids(database, inserted, ids):
    """Set the ids of messages, or of changes, that were just inserted; they are looked up where the engine does not tell them."""
    try:
        stored_rows = {} if ids else type(inserted[0]).find_duplicates(database, inserted)
    except Locked as error:     # Locked would mean that nothing was stored, but the INSERT was
        raise Unavailable() from error
    for row, new_id in zip(inserted, ids or [stored_rows[row.key].id for row in inserted]):
        row.id = new_id

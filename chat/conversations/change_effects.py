"""What changes do to messages: who may do what, and the statements that do it.

A batch of changes is first done to the Message objects, one change after the other. What has come of them is then written at once.
"""
from flask_babel import lazy_gettext as _

from ..clock import to_db
from ..errors import Conflict, Forbidden, Invalid, NotFound
from .change import DELETE, EDIT, PIN, REACT, UNPIN, UNREACT, Change
from .file import releasing_statements
from .message import NOTICE
from .message_parts import Quote, mention_insertion, mentions_to_db, reactions_of, uses_of

MAX_EMOJI = 20      # different ones at a message


class Effects:
    """What a batch of changes does to the messages: to the objects at once, and to the rows by `statements()`."""

    def __init__(self, database):
        self.database = database
        self.texts = {}         # ref -> Message whose text has changed
        self.touched = {}       # ref -> Message
        self.reactions = {}     # (ref, user id, emoji) -> whether it is there
        self.stored_reactions = {}  # (ref, user id, emoji) -> whether its row is there before the batch
        self.emptied = set()    # refs of messages that lose all their reactions, which can be thousands
        self.pins = {}          # ref -> the id of the user who has pinned it, or None
        self.released_files = {}    # ref -> the files of a message that is deleted
        self.former_mentions = {}   # ref -> the ids of those whom it has mentioned
        self.at = ""

    def add(self, change, message, at):
        """Do one change to a message. Raises ChatError with the reason if it is refused; then nothing is done."""
        if not message:
            raise NotFound(_("Message not found."))
        if message.kind == NOTICE:
            raise Forbidden(_("A notice cannot be changed."))
        self.at = at
        {EDIT: self._edit, DELETE: self._delete, REACT: self._react, UNREACT: self._unreact,
         PIN: self._pin, UNPIN: self._pin}[change.kind](change, message)
        self.touched[change.ref] = message

    def _edit(self, change, message):
        if message.sender_id != change.actor_id:
            raise Forbidden(_("Only the author of a message can edit it."))
        _require_not_deleted(message)
        if change.seen is not None and change.seen < message.last_change and self._text_changed_since(change, message):
            raise Conflict(_("The message was edited elsewhere meanwhile."))
        if not change.text and not message.files:
            raise Invalid(_("A message cannot be empty."))
        self._note_text(change, message)
        message.message, message.mentions, message.edited_at = change.text, change.mentions, self.at

    def _note_text(self, change, message):
        self.texts[change.ref] = message
        self.former_mentions.setdefault(change.ref, message.mentioned_ids)

    def _text_changed_since(self, change, message):
        return change.ref in self.texts or bool(Change.of_text_after(self.database, message, change.seen))

    def _delete(self, change, message):
        if message.sender_id != change.actor_id and not change.is_owner:
            raise Forbidden(_("Only the author of a message and the owners of the room can delete it."))
        if message.is_deleted:
            return
        self.emptied.add(change.ref)
        self.reactions = {key: is_there for key, is_there in self.reactions.items() if key[0] != change.ref}
        if message.is_pinned:
            self.pins[change.ref] = None
        if message.files:
            self.released_files[change.ref] = message.files
        self._note_text(change, message)
        message.files, message.file_count = (), 0
        message.message, message.mentions, message.reactions, message.quote, message.is_pinned = "", (), (), None, False
        message.deleted_at, message.edited_at = self.at, None

    def _react(self, change, message):
        _require_not_deleted(message)
        found = _reaction(message, change.emoji)
        if found and change.actor_id in found.user_ids:
            return
        if not found and len(message.reactions) >= MAX_EMOJI:
            raise Conflict(_("A message can have at most %(most)s different reactions.", most=MAX_EMOJI))
        self._set_reaction(change, message, True)

    def _unreact(self, change, message):
        found = _reaction(message, change.emoji)
        if found and change.actor_id in found.user_ids:
            self._set_reaction(change, message, False)

    def _set_reaction(self, change, message, is_there):
        """Add or remove one, and have all in the order in which they are read later."""
        uses = [use for use in uses_of(message.reactions) if use[1:] != (change.actor_id, change.emoji)]
        if is_there:
            uses.append((to_db(self.at), change.actor_id, change.emoji))
        message.reactions = reactions_of(sorted(uses))
        key = change.ref, change.actor_id, change.emoji
        self.stored_reactions.setdefault(key, not is_there)
        self.reactions[key] = is_there

    def _pin(self, change, message):
        if change.kind == PIN:
            _require_not_deleted(message)
        if message.is_pinned != (change.kind == PIN):
            message.is_pinned = change.kind == PIN
            self.pins[change.ref] = change.actor_id if message.is_pinned else None

    def refresh_quotes(self, messages):
        """Let messages of the batch quote others of it as they are after it."""
        for (conversation_id, _seq), message in messages.items():
            ref = conversation_id, message.reply_to
            if message.quote and ref in self.texts:
                message.quote = Quote.of(self.texts[ref])

    def statements(self):
        """Return (sql, params) pairs."""
        return [*self._message_statements(), *self._mention_statements(), *self._reaction_statements(), *self._pin_statements(),
                *(statement for ref, files in self.released_files.items() for statement in releasing_statements(ref, files))]

    def _message_statements(self):
        """One UPDATE for the rows of all messages: a statement for each would cost more than all the rest."""
        if not self.touched:
            return
        columns, ids = ["last_change = " + _case(self.touched, "last_change")], [message.id for message in self.touched.values()]
        values = [value for message in self.touched.values() for value in (message.id, message.last_change)]
        if self.texts:
            for name, value_of in TEXT_COLUMNS.items():
                columns.append(f"{name} = {_case(self.texts, name)}")
                values += [value for message in self.texts.values() for value in (message.id, value_of(message))]
        yield f"UPDATE messages SET {', '.join(columns)} WHERE id IN ({', '.join(['%s'] * len(ids))})", values + ids

    def _mention_statements(self):
        for ref, former in self.former_mentions.items():
            if former:
                yield (f"DELETE FROM mentions WHERE user_id IN ({', '.join(['%s'] * len(former))}) AND conversation_id = %s AND seq = %s",
                       (*former, *ref))
        mentioning = [message for message in self.texts.values() if message.mentions]
        if mentioning:
            yield mention_insertion(mentioning)

    def _reaction_statements(self):
        for ref in self.emptied:
            yield "DELETE FROM reactions WHERE conversation_id = %s AND seq = %s", ref
        gone = [(*key[0], *key[1:]) for key in self.reactions if self.stored_reactions[key]]
        if gone:    # also what is there afterwards: it has another time then
            condition = " OR ".join(["(conversation_id = %s AND seq = %s AND user_id = %s AND emoji = %s)"] * len(gone))
            yield f"DELETE FROM reactions WHERE {condition}", [value for row in gone for value in row]
        there = [(*ref, user_id, emoji, to_db(self.at)) for (ref, user_id, emoji), is_there in self.reactions.items() if is_there]
        if there:
            yield ("INSERT INTO reactions (conversation_id, seq, user_id, emoji, at) VALUES " + ", ".join(["(%s, %s, %s, %s, %s)"] * len(there)),
                   [value for row in there for value in row])

    def _pin_statements(self):
        for ref, user_id in self.pins.items():
            yield "DELETE FROM pins WHERE conversation_id = %s AND seq = %s", ref
            if user_id:
                yield "INSERT INTO pins (conversation_id, seq, user_id, at) VALUES (%s, %s, %s, %s)", (*ref, user_id, to_db(self.at))


# The columns of `messages` that an edit or a deletion changes, and what they have then.
TEXT_COLUMNS = {"message": lambda message: message.message, "files": lambda message: message.file_count, "mentions": lambda message: mentions_to_db(message.mentions),
                "edited_at": lambda message: message.edited_at and to_db(message.edited_at),
                "deleted_at": lambda message: message.deleted_at and to_db(message.deleted_at)}


def _case(messages, name):
    """Return the SQL of a column that gets a value of its own in the row of each of these messages."""
    return f"CASE id {'WHEN %s THEN %s ' * len(messages)}ELSE {name} END"


def _reaction(message, emoji):
    return next((reaction for reaction in message.reactions if reaction.emoji == emoji), None)


def _require_not_deleted(message):
    if message.is_deleted:
        raise Conflict(_("This message was deleted."))

"""Messaging: the one way in for messages and marks, from a live connection or from a form."""
from flask_babel import lazy_gettext as _

from ..budgets import FORM_MESSAGES, MESSAGES
from ..errors import ChatError, Invalid, RateLimited, Unavailable
from . import members, mentions
from .conversation import Conversation
from .message import TEXT, Message
from .message_text import validate_client_id

MAX_LIVE_MEMBERS = 50       # in larger rooms nobody is told live who reads and who types: it would cost members × members


class Messaging:
    """Checks what users send and hands it to the writer.

    `broadcast(event, payload, user_ids, room_id, sender_sid)` tells users, or all members of a room, of a mark that has moved.
    """

    def __init__(self, database, writer, budgets, broadcast):
        self.database = database
        self.writer = writer
        self.budgets = budgets
        self.broadcast = broadcast
        self.is_stopping = False        # then nothing more is taken in

    def send(self, sender, access, text, client_id, sender_sid=None):
        """Return the message as stored: well-formed, to a conversation that its sender has access to, within the limits.

        `sender_sid` is the connection that needs no copy, or None. Raises ChatError with the reason if it is refused.
        """
        if self.is_stopping:
            raise Unavailable(_("The server is restarting."))
        draft = Message.draft(sender, access.peer_id, text, client_id, access.conversation_id or 0)
        try:
            access.require_writable()
            self._check_rate_limit(sender, sender_sid)
        except ChatError:
            for duplicate in Message.find_duplicates(self.database, [draft]).values():
                return duplicate        # nothing new would be stored
            raise
        if access.is_room and "@" in draft.message:
            draft.mentions = mentions.find(self.database, access, draft.message)
        return self.writer.store(draft, sender_sid)

    def resent(self, sender, conversation_id, client_id):
        """Return what a user has sent to a conversation under this id, or None.

        Who was removed before the acknowledgement came sends it again, and is not to be told that it was refused.
        """
        try:
            draft = Message(sender.id, None, "", validate_client_id(client_id), sender.username)
        except Invalid:
            return None
        stored = Message.find_duplicates(self.database, [draft]).get((sender.id, client_id))
        return stored if stored and stored.conversation_id == conversation_id else None

    def _check_rate_limit(self, sender, sender_sid):
        """Count a message. Raises RateLimited with the seconds that its sender has to wait."""
        wait = self.budgets.hit(MESSAGES, sender.id)
        if not wait and not sender_sid:
            # Other processes do not hear of messages by a form, unless the sender has a tab at them too.
            wait = self.budgets.hit(FORM_MESSAGES, sender.id)
        if wait:
            raise RateLimited(_("Too many messages at once. Wait %(seconds)s seconds.", seconds=wait), retry_after=wait)

    def note_stored_elsewhere(self, payload):
        """Note a message that another process has stored: its number, and that its sender sent one more."""
        self.writer.note_seq(payload["conversationId"], payload["seq"])
        if payload["kind"] == TEXT:
            # Whoever has tabs at several processes has no more messages than with one.
            self.budgets.hit(MESSAGES, payload["senderId"])

    def mark(self, access, seq, mark):
        """Call `mark(conversation, access, seq)`; return where the conversation stands then."""
        conversation = self.conversation(access)
        if not conversation:
            return {"lastSeq": 0, "readSeq": 0, "peerReadSeq": 0}
        last_seq = conversation.last_seq(self.database)
        mark(conversation, access, min(seq, last_seq))
        read_seq, peer_read_seq = self.read_seqs(conversation, access)
        return {"lastSeq": last_seq, "readSeq": read_seq, "peerReadSeq": peer_read_seq}

    def mark_read(self, conversation, access, seq, sender_sid=None):
        """Note that a user has read up to `seq`; tell the others, and the user's other tabs, if that is new."""
        if not conversation.mark_read(self.database, access.user_id, seq):
            return
        if not access.is_room:
            self.broadcast("messagesRead", {"userId": access.peer_id, "readerId": access.user_id, "seq": seq},
                           [access.user_id, access.peer_id], sender_sid=sender_sid)
            return
        recipients = {"room_id": conversation.id} if self.is_live(conversation.id) else {"user_ids": [access.user_id]}
        self.broadcast("messagesRead", {"conversationId": conversation.id, "readerId": access.user_id, "seq": seq}, **recipients,
                       sender_sid=sender_sid)

    def mark_delivered(self, conversation, access, seq):
        """Note that everything up to `seq` has reached a tab of a user."""
        if not access.is_room or self.is_live(conversation.id):
            conversation.mark_delivered(self.database, access.user_id, seq)

    def conversation(self, access):
        """Return the Conversation that somebody has access to, or None while nothing was written."""
        if access.conversation_id:
            return Conversation(access.conversation_id)
        return Conversation.between(self.database, access.user_id, access.peer_id)

    def read_seqs(self, conversation, access):
        """Return how far a user has read, and how far everybody else has: 0 in a room too large to be told live."""
        if access.is_room and not self.is_live(conversation.id):
            return conversation.read_seq_of(self.database, access.user_id), 0
        read_seqs = conversation.read_seqs(self.database)
        own = read_seqs.pop(access.user_id, 0)
        return own, min(read_seqs.values(), default=0)

    def read_by_all(self, conversation, access, message):
        """Tell whether everybody but its sender has read a message."""
        if access.is_room and not self.is_live(conversation.id):
            return False
        read_seqs = conversation.read_seqs(self.database)
        read_seqs.pop(message.sender_id, None)
        return bool(read_seqs) and min(read_seqs.values()) >= message.seq

    def is_live(self, room_id):
        """Tell whether a room is small enough to tell all of its members who reads and who types."""
        return not members.is_more_than(self.database, room_id, MAX_LIVE_MEMBERS)

"""Messaging: the one way in for messages and marks, from a live connection or from a form."""
from flask_babel import lazy_gettext as _

from ..budgets import FORM_MESSAGES, MESSAGES
from ..errors import RateLimited, Unavailable
from .conversation import Conversation
from .message import Message
from .recipients import Recipients


class Messaging:
    """Checks what users send and hands it to the writer.

    `broadcast(event, payload, user_ids, sender_sid)` tells users of a mark that has moved.
    """

    def __init__(self, database, writer, budgets, broadcast):
        self.database = database
        self.writer = writer
        self.budgets = budgets
        self.broadcast = broadcast
        self.recipients = Recipients(database)
        self.is_stopping = False        # then nothing more is taken in

    def send(self, sender, receiver_id, text, client_id, sender_sid=None):
        """Return the message as stored: well-formed, to a user who exists, within the limits.

        `sender_sid` is the connection that needs no copy, or None. Raises ChatError with the reason if it is refused.
        """
        if self.is_stopping:
            raise Unavailable(_("The server is restarting."))
        receiver_id = self.recipients.require_id(receiver_id, sender, "receiverId")
        draft = Message.draft(sender, receiver_id, text, client_id)
        wait = self._check_rate_limit(sender, sender_sid)
        if wait:
            for duplicate in Message.find_duplicates(self.database, [draft]).values():
                return duplicate        # nothing new would be stored
            raise RateLimited(_("Too many messages at once. Wait %(seconds)s seconds.", seconds=wait), retry_after=wait)
        return self.writer.store(draft, sender_sid)

    def _check_rate_limit(self, sender, sender_sid):
        """Count a message; return 0, or the seconds that its sender has to wait."""
        wait = self.budgets.hit(MESSAGES, sender.id)
        if wait or sender_sid:
            return wait
        # Other processes do not hear of messages by a form, unless the sender has a tab at them too.
        return self.budgets.hit(FORM_MESSAGES, sender.id)

    def note_stored_elsewhere(self, payload):
        """Note a message that another process has stored: its number, and that its sender sent one more."""
        self.writer.note_seq(payload["senderId"], payload["receiverId"], payload["seq"])
        # Whoever has tabs at several processes has no more messages than with one.
        self.budgets.hit(MESSAGES, payload["senderId"])

    def mark(self, user_id, other_id, seq, mark):
        """Call `mark(conversation, user_id, other_id, seq)`; return where the conversation stands then."""
        conversation = Conversation.between(self.database, user_id, other_id)
        if not conversation:
            return {"lastSeq": 0, "readSeq": 0, "peerReadSeq": 0}
        last_seq = conversation.last_seq(self.database)
        mark(conversation, user_id, other_id, min(seq, last_seq))
        read_seqs = conversation.read_seqs(self.database)
        return {"lastSeq": last_seq, "readSeq": read_seqs.get(user_id, 0), "peerReadSeq": read_seqs.get(other_id, 0)}

    def mark_read(self, conversation, user_id, other_id, seq, sender_sid=None):
        """Note that a user has read up to `seq`; tell both users if that is new."""
        if conversation.mark_read(self.database, user_id, seq):
            self.broadcast("messagesRead", {"userId": other_id, "readerId": user_id, "seq": seq}, [user_id, other_id], sender_sid)

    def mark_delivered(self, conversation, user_id, _other_id, seq):
        """Note that everything up to `seq` has reached a tab of a user."""
        conversation.mark_delivered(self.database, user_id, seq)

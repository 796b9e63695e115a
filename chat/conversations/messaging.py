"""Messaging: the one way in for what users send, live or by a form: messages, changes and marks. Notices are stored by rooms.py."""
import contextlib

from flask_babel import lazy_gettext as _

from ..budgets import CHANGES, FORM_MESSAGES, MESSAGES
from ..errors import ChatError, Invalid, NotFound, RateLimited, Unavailable
from ..storage.schema import MAX_ID
from ..web.languages import waiting_time
from . import change_request, members, mentions, message_parts
from .conversation import Conversation
from .file import File
from .message import TEXT, Message
from .resends import Resends

MAX_LIVE_MEMBERS = 50       # in larger rooms nobody is told live who reads and who types: it would cost members × members


class Messaging:
    """Checks what users send and hands it to the writer.

    `broadcast(event, payload, user_ids, room_id, sender_sid)` tells users, or all members of a room, of a mark that has moved.
    """

    def __init__(self, database, writer, change_writer, budgets, broadcast):
        self.database = database
        self.writer = writer
        self.change_writer = change_writer
        self.budgets = budgets
        self.broadcast = broadcast
        self.resends = Resends(database)
        self.is_stopping = False        # then nothing more is taken in

    def send(self, sender, access, text, client_id, reply_to=None, sender_sid=None, file_ids=None):
        """Return the message as stored: well-formed, to a conversation that its sender has access to, within the limits.

        `reply_to` is the seq of the message that it answers, `sender_sid` the connection that needs no copy, or None, `file_ids` are
        the ids of uploaded files. Raises ChatError with the reason if it is refused.
        """
        if self.is_stopping:
            raise Unavailable(_("The server is restarting."))
        try:
            draft = Message.draft(sender, access.peer_id, text, client_id, access.conversation_id or 0, has_files=bool(file_ids))
            access.require_writable()
            self._check_rate_limit(sender, sender_sid)
            if reply_to is not None:
                self._quote(draft, access, reply_to)
            if file_ids is not None and file_ids != []:
                draft.files = File.claim(self.database, sender.id, file_ids)
                draft.file_count = len(draft.files)
            if access.is_room and "@" in draft.message:
                draft.mentions = mentions.find(self.database, access, draft.message)
        except ChatError:
            with contextlib.suppress(Unavailable):      # what is refused in any case is not to be tried again
                if stored := self.resends.message(sender, client_id):
                    return stored       # nothing new would be stored
            raise
        return self.resends.as_sender_sees(self.writer.store(draft, sender_sid), draft)

    def _quote(self, draft, access, seq):
        """Let a draft answer the message with that seq. Raises Invalid or NotFound."""
        if isinstance(seq, bool) or not isinstance(seq, int) or seq < 1:
            raise Invalid(_("%(name)s must be a number, %(least)s or greater.", name="replyTo", least=1))
        conversation = self.conversation(access)
        quoted = conversation and seq <= MAX_ID and Message.by_seq(self.database, conversation.id, seq)
        if not quoted or quoted.kind != TEXT:
            raise NotFound(_("Message not found."))
        draft.reply_to, draft.quote = seq, message_parts.Quote.of(quoted)

    def change(self, user, access, seq, fields):
        """Return the Change as stored, with the message as it is after it. `fields` has what is asked for, and a `clientId`.

        Raises ChatError with the reason if it is refused.
        """
        if self.is_stopping:
            raise Unavailable(_("The server is restarting."))
        try:
            draft = change_request.draft(user, access, seq, fields)
            access.require_writable()
            self._count_change(user.id)
            if access.is_room and "@" in draft.text:
                draft.mentions = mentions.find(self.database, access, draft.text)
        except ChatError:
            with contextlib.suppress(Unavailable):
                if stored := self.resends.change(user, fields.get("clientId")):
                    return stored
            raise
        return self.resends.as_sender_sees(self.change_writer.store(draft), draft)

    def _count_change(self, user_id):
        wait = self.budgets.hit(CHANGES, user_id)
        if wait:
            raise RateLimited(_("Too many changes at once. Wait %(time)s.", time=waiting_time(wait)), retry_after=wait)

    def _check_rate_limit(self, sender, sender_sid):
        """Count a message. Raises RateLimited with the seconds that its sender has to wait."""
        wait = self.budgets.hit(MESSAGES, sender.id)
        if not wait and not sender_sid:
            # Other processes do not hear of messages by a form, unless the sender has a tab at them too.
            wait = self.budgets.hit(FORM_MESSAGES, sender.id)
        if wait:
            raise RateLimited(_("Too many messages at once. Wait %(time)s.", time=waiting_time(wait)), retry_after=wait)

    def note_stored_elsewhere(self, payload):
        """Note a message that another process has stored: its number, and that its sender sent one more."""
        self.writer.note_number(payload["conversationId"], payload["seq"])
        if payload["kind"] == TEXT:
            # Whoever has tabs at several processes has no more messages than with one.
            self.budgets.hit(MESSAGES, payload["senderId"])

    def mark(self, access, seq, mark):
        """Call `mark(conversation, access, seq)`; return where the conversation stands then."""
        conversation = self.conversation(access)
        if not conversation:
            return {"lastSeq": 0, "lastChange": 0, "readSeq": 0, "peerReadSeq": 0}
        last_seq, last_change = conversation.last_numbers(self.database)
        mark(conversation, access, min(seq, last_seq))
        read_seq, peer_read_seq = self.read_seqs(conversation, access)
        return {"lastSeq": last_seq, "lastChange": last_change, "readSeq": read_seq, "peerReadSeq": peer_read_seq}

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

    def mark_unread(self, conversation, access, seq, sender_sid=None):
        """Note from which seq on a user wants to see the conversation as unread; tell the user's other tabs."""
        if seq:     # taking it back belongs to opening the page
            self._count_change(access.user_id)
        if conversation.mark_unread(self.database, access.user_id, seq):
            address = {"conversationId": conversation.id} if access.is_room else {"userId": access.peer_id}
            self.broadcast("markedUnread", {**address, "seq": seq}, [access.user_id], sender_sid=sender_sid)

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

    def is_read(self, conversation, message):
        """Tell whether the receiver of a direct message has read it."""
        read_seqs = conversation.read_seqs(self.database)
        read_seqs.pop(message.sender_id, None)
        return any(read_seq >= message.seq for read_seq in read_seqs.values())

    def is_live(self, room_id):
        """Tell whether a room is small enough to tell all of its members who reads and who types."""
        return not members.is_more_than(self.database, room_id, MAX_LIVE_MEMBERS)

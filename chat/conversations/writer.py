"""The writer stores messages: those that arrive during a commit are one INSERT, and each has the next seq of its conversation.

A message that the writer has stored is a promise. batch_writer.py says how a batch is made and what becomes of it.
"""
import time
from collections import OrderedDict

from flask_babel import lazy_gettext as _

from ..clock import now
from ..errors import Duplicate, Locked, Unavailable
from . import message_parts
from .batch_writer import MAX_NUMBERING_ATTEMPTS, BatchWriter
from .conversation import Conversation
from .message import Message


class Writer(BatchWriter):
    """Stores messages. The numbers are those of UNIQUE(conversation_id, seq); UNIQUE(sender_id, client_id) refuses a resend."""

    def __init__(self, database, deliver, new_event, start_task, metrics):
        super().__init__(database, deliver, new_event, start_task)
        self.metrics = metrics
        self.conversations = OrderedDict()  # (lower user id, higher user id) -> conversation id

    def _commit(self, batch):
        for pending in batch:
            if not pending.draft.conversation_id:
                pending.draft.conversation_id = self._conversation_id(pending.draft)
        remaining = batch
        for _attempt in range(MAX_NUMBERING_ATTEMPTS):
            first = {}      # the same message may have been sent twice
            for pending in remaining:
                first.setdefault(pending.key, pending)
            drafts = [pending.draft for pending in first.values()]
            self._number(drafts, self._known_last_numbers([draft.conversation_id for draft in drafts], Conversation.last_seqs))
            try:
                Message.insert(self.database, drafts)
            except Duplicate:
                remaining = self._resolve_duplicates(remaining)
                if not remaining:
                    return
                continue
            self._complete(remaining, drafts)
            return
        raise Locked(_("This conversation is too busy. Try again in a moment."))

    def _conversation_id(self, draft):
        pair = (min(draft.sender_id, draft.receiver_id), max(draft.sender_id, draft.receiver_id))
        if pair not in self.conversations:
            conversation = Conversation.open_between(self.database, *pair)
            self._remember(self.conversations, pair, conversation.id)
        return self.conversations[pair]

    @staticmethod
    def _number(drafts, last_seqs):
        stored_at = now()
        for draft in drafts:
            last_seqs[draft.conversation_id] += 1
            draft.seq = last_seqs[draft.conversation_id]
            draft.timestamp = stored_at

    def _resolve_duplicates(self, batch):
        """After Duplicate: settle the resends, forget the last seqs, which are too old, and return what is left to store."""
        for pending in batch:
            self.last_numbers.pop(pending.draft.conversation_id, None)
        return self._settle_resends(batch, Message.find_duplicates(self.database, [pending.draft for pending in batch]))

    def _complete(self, batch, drafts):
        """After the commit: remember the last seqs, tell the senders, then the receivers."""
        self._requote([draft for draft in drafts if draft.reply_to])
        self._note_stored(drafts, lambda draft: draft.seq)
        self.metrics.batches.observe(len(drafts))
        stored = {draft.key: draft for draft in drafts}
        for pending in batch:
            pending.settle(stored[pending.key])
        for pending in batch:
            if pending.stored is pending.draft:     # else it was sent twice, and is delivered once
                self._deliver(pending.draft, pending.sender_sid)
                self.metrics.deliveries.observe(time.perf_counter() - pending.arrived)

    def _requote(self, drafts):
        """Read again what these quote: it may have been edited or deleted while they waited, and is told to nobody any more then."""
        try:
            message_parts.add_quotes(self.database, drafts)
        except Locked as error:     # Locked would mean that nothing was stored
            raise Unavailable() from error

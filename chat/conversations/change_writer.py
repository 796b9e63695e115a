"""The change writer stores what happens to messages: those that arrive during a commit are one transaction.

The messages are read after the last numbers are known. Whoever changes one of them in between takes a number of ours: then
UNIQUE(conversation_id, number) refuses the transaction, and everything is read again. So no lock is held, and yet each change is
decided on the message as it is.
"""
from dataclasses import dataclass

from flask_babel import lazy_gettext as _

from ..clock import now
from ..errors import ChatError, Conflict, Duplicate, Locked
from .batch_writer import MAX_NUMBERING_ATTEMPTS, BatchWriter
from .change import Change
from .change_effects import Effects
from .message import Message


class ChangeWriter(BatchWriter):
    """Stores changes. UNIQUE(actor_id, client_id) refuses a resend."""

    def _commit(self, batch):
        remaining = batch
        for _attempt in range(MAX_NUMBERING_ATTEMPTS):
            numbers = self._known_last_numbers([pending.draft.conversation_id for pending in remaining], Change.last_numbers)
            outcome = self._apply(remaining, numbers)
            try:
                if outcome.drafts:
                    Change.insert(self.database, outcome.drafts, outcome.statements)
            except Duplicate:
                for pending in remaining:
                    self.last_numbers.pop(pending.draft.conversation_id, None)
                remaining = self._settle_resends([pending for pending in remaining if not pending.done.is_set()], self._stored(remaining))
                if not remaining:
                    return
                continue
            self._complete(remaining, outcome)
            return
        raise Locked(_("This conversation is too busy. Try again in a moment."))

    def _stored(self, batch):
        return Change.find_duplicates(self.database, [pending.draft for pending in batch])

    def _apply(self, batch, numbers):
        """Number what may be done; return the Outcome, which holds once its statements are committed."""
        messages = Message.by_refs(self.database, {pending.draft.ref for pending in batch})
        at, effects, drafts, refused = now(), Effects(self.database), {}, []
        for pending in batch:
            draft = pending.draft
            if draft.key in drafts:
                continue    # it was sent twice
            try:
                effects.add(draft, messages.get(draft.ref), at)
            except ChatError as error:
                # What was done already is refused no more, though the message has changed since.
                if self._settle_resends([pending], self._stored([pending])):
                    refused.append((pending, error))
                continue
            numbers[draft.conversation_id] += 1
            draft.number, draft.at, draft.message = numbers[draft.conversation_id], at, messages[draft.ref]
            draft.message.last_change = draft.number
            drafts[draft.key] = draft
        effects.refresh_quotes(messages)
        return Outcome(list(drafts.values()), effects.statements(), refused, messages)

    def _complete(self, batch, outcome):
        """After the commit: remember the last numbers, tell the actors, then everybody.

        Who is refused is told the message as it is now: before the commit, that would be a text that may never be stored, and one
        that is deleted in the same batch.
        """
        self._note_stored(outcome.drafts, lambda draft: draft.number)
        for pending, error in outcome.refused:
            if isinstance(error, Conflict):
                error.details = {"message": outcome.messages[pending.draft.ref].as_json()}
            pending.settle(error=error)
        stored = {draft.key: draft for draft in outcome.drafts}
        for pending in batch:
            if not pending.done.is_set():
                pending.settle(stored[pending.key])
        for draft in outcome.drafts:
            self._deliver(draft, None)


@dataclass(slots=True)
class Outcome:
    """What becomes of a batch: the numbered changes, the statements that do them, who is refused, and the messages as they are then."""

    drafts: list
    statements: list        # (sql, params)
    refused: list           # (Pending, ChatError)
    messages: dict          # place -> Message

"""The writer stores messages: those that arrive during a commit are committed together in the next one.

A message that the writer has stored is a promise. Numbers are allotted optimistically, from the last seq that this process
knows of the conversation. UNIQUE(conversation_id, seq) refuses them if another process was faster, and
UNIQUE(sender_id, client_id) refuses a resend. Then the writer looks up what is stored and tries again.
No lock is held between statements, and one batch is one INSERT.

    store()  ->  queue  ->  batch  ->  INSERT  ->  done, then delivered
                                         |-> Duplicate: looked up; a resend is done, the rest gets new numbers
                                         |-> Locked: each message of the batch by itself
                                         `-> Unavailable: refused, and in doubt, for the answer may be lost and not the row
"""
import logging
import threading
import time
from collections import OrderedDict, deque

from flask_babel import lazy_gettext as _

from ..clock import now
from ..errors import ChatError, Duplicate, Locked, Unavailable
from .conversation import Conversation
from .message import Message

log = logging.getLogger(__name__)

MAX_BATCH = 100                 # messages in one INSERT
MAX_NUMBERING_ATTEMPTS = 30     # while other processes keep being faster: four that write in one room win one time in four
STORE_TIMEOUT = 10              # seconds that a sender waits for the outcome
MAX_REMEMBERED = 100_000        # conversations whose last seq is kept in memory
MAX_IN_DOUBT = 10_000           # messages that may be stored or not


class PendingMessage:
    """A message that is not stored yet. `done` is set when `stored` or `error` is its outcome."""

    __slots__ = ("draft", "sender_sid", "done", "arrived", "stored", "error")

    def __init__(self, draft, sender_sid, done):
        self.draft = draft
        self.sender_sid = sender_sid
        self.done = done
        self.arrived = time.perf_counter()
        self.stored = self.error = None

    @property
    def key(self):
        return self.draft.sender_id, self.draft.client_id


class Writer:
    """Stores messages one batch at a time and calls `deliver(message, sender_sid)` for each, in order, after the commit.

    A sender who comes while nobody commits does so itself: at a low rate a message costs no event, no timer and no change of
    threads. A task commits what came meanwhile, until the queue is empty.
    """

    def __init__(self, database, deliver, new_event, start_task, metrics):
        self.database = database
        self.deliver = deliver
        self.new_event = new_event
        self.start_task = start_task
        self.metrics = metrics
        self.queue = deque()                # PendingMessage
        self.last_seqs = OrderedDict()      # conversation id -> the last seq that this process knows
        self.conversations = OrderedDict()  # (lower user id, higher user id) -> conversation id
        self.in_doubt = OrderedDict()       # keys of messages whose INSERT was not answered: they may be stored, undelivered
        self.committing = False             # a sender or the task commits
        self.task = None
        self.idle_event = None              # wakes the task; None while it works
        self.lock = threading.Lock()        # guards the queue, `committing` and `idle_event`

    def store(self, draft, sender_sid=None):
        """Store the draft and return it as stored, after the commit; a resend stores nothing and returns the first row.

        `sender_sid` is the connection it came from, or None. Raises Unavailable if it could not be stored.
        """
        pending = PendingMessage(draft, sender_sid, self.new_event())
        with self.lock:
            self.queue.append(pending)
            nobody_commits, self.committing = not self.committing, True
        if nobody_commits:
            self._commit_next()
            self._release()
        pending.done.wait(STORE_TIMEOUT)
        if pending.error:
            raise pending.error
        if not pending.stored:
            raise Unavailable(_("The message could not be saved in time."))
        return pending.stored

    def note_seq(self, conversation_id, seq):
        """Note the seq of a message that another process has stored: the next one here comes after it."""
        if self.last_seqs.get(conversation_id, seq) < seq:
            self.last_seqs[conversation_id] = seq

    def idle(self):
        """Tell whether nothing is left to commit."""
        return not self.committing

    def _release(self):
        """End one's own commit, and wake the task if more has come."""
        with self.lock:
            self.committing = bool(self.queue)
            if not self.committing:
                return
            if self.idle_event:
                self.idle_event.set()
                self.idle_event = None
                return
            try:
                self.task = self.start_task(self._run) or True
            except RuntimeError:    # no thread is left: the next sender commits the queue too
                self.committing = False
                log.exception("the writer's task could not start")

    def _wait_for_work(self):
        """Wait until there is something to commit."""
        with self.lock:
            self.committing = bool(self.queue)
            if self.committing:
                return
            idle_event = self.idle_event = self.new_event()
        idle_event.wait()

    def _run(self):
        while True:
            self._commit_next()
            self._wait_for_work()

    def _commit_next(self):
        """Commit the next batch of the queue, and tell each sender the outcome."""
        batch = self._next_batch()
        try:
            self._commit(batch)
        except Locked as error:
            if len(batch) > 1:
                self._commit_one_by_one(batch)
            else:
                self._fail(batch, error)
        except ChatError as error:
            self._fail(batch, error)
        except Exception:
            log.exception("a batch of %d messages could not be stored", len(batch))
            self._commit_one_by_one(batch)

    def _next_batch(self):
        """Take from the queue what fits in one INSERT, by the number of messages and by their bytes."""
        batch, left = [], self.database.max_statement_bytes
        while self.queue and len(batch) < MAX_BATCH:
            left -= self.queue[0].draft.max_statement_bytes
            if batch and left < 0:
                break
            batch.append(self.queue.popleft())
        return batch

    def _commit_one_by_one(self, batch):
        """Commit one by one, so that one bad message cannot fail the batch."""
        for pending in batch:
            if not pending.done.is_set():
                try:
                    self._commit([pending])
                except Locked as error:
                    self._fail([pending], error)
                except ChatError as error:
                    return self._fail(batch, error)     # the others would fail for the same reason
                except Exception:
                    log.exception("a message of user %s could not be stored", pending.draft.sender_id)
                    self._fail([pending], Unavailable(_("The message could not be saved.")))

    def _fail(self, batch, error):
        for pending in batch:
            if not pending.done.is_set():
                lru_put(self.in_doubt, pending.key, True, MAX_IN_DOUBT)
                pending.error = error
                pending.done.set()

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
            self._number(drafts, self._known_last_seqs(drafts))
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
            lru_put(self.conversations, pair, conversation.id, MAX_REMEMBERED)
        return self.conversations[pair]

    def _known_last_seqs(self, drafts):
        """Return {conversation id: its last seq}; unknown ones are looked up together."""
        ids = {draft.conversation_id for draft in drafts}
        unknown = [conversation_id for conversation_id in ids if conversation_id not in self.last_seqs]
        looked_up = Conversation.last_seqs(self.database, unknown) if unknown else {}
        return {**{known: self.last_seqs[known] for known in ids.difference(unknown)}, **looked_up}

    @staticmethod
    def _number(drafts, last_seqs):
        stored_at = now()
        for draft in drafts:
            last_seqs[draft.conversation_id] += 1
            draft.seq = last_seqs[draft.conversation_id]
            draft.timestamp = stored_at

    def _resolve_duplicates(self, batch):
        """After Duplicate: complete the resends, forget the last seqs, which are too old, and return what is left to store."""
        for pending in batch:
            self.last_seqs.pop(pending.draft.conversation_id, None)
        stored = Message.find_duplicates(self.database, [pending.draft for pending in batch])
        for pending in batch:
            first_row = stored.get(pending.key)
            if first_row:
                if self.in_doubt.pop(pending.key, None):    # stored by an INSERT whose answer was lost: it was never delivered
                    self._deliver(first_row, pending.sender_sid)
                pending.stored = first_row
                pending.done.set()
        return [pending for pending in batch if not pending.stored]

    def _complete(self, batch, drafts):
        """After the commit: remember the last seqs, tell the senders, then the receivers."""
        for draft in drafts:
            lru_put(self.last_seqs, draft.conversation_id, draft.seq, MAX_REMEMBERED)
            self.in_doubt.pop((draft.sender_id, draft.client_id), None)
        self.metrics.batches.observe(len(drafts))
        stored = {(draft.sender_id, draft.client_id): draft for draft in drafts}
        for pending in batch:
            pending.stored = stored[pending.key]
            pending.done.set()
        for pending in batch:
            if pending.stored is pending.draft:     # else it was sent twice, and is delivered once
                self._deliver(pending.draft, pending.sender_sid)
                self.metrics.deliveries.observe(time.perf_counter() - pending.arrived)

    def _deliver(self, message, sender_sid):
        try:
            self.deliver(message, sender_sid)
        except Exception:       # it is stored; a client that missed the push fetches it
            log.exception("message %s could not be delivered", message.id)


def lru_put(cache, key, value, max_size):
    """Put a value into an OrderedDict of bounded size; the least recently used one is dropped."""
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > max_size:
        cache.popitem(last=False)

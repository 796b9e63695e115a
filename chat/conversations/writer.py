"""The writer: messages that arrive while a commit is under way are committed together in the next one.

This is where a message becomes a promise. Numbers are allotted optimistically: from the last seq that this process
knows of the conversation. UNIQUE(conversation_id, seq) says no when another process was faster, and
UNIQUE(sender_id, client_id) when it is a resend; then the writer looks up where things stand and tries again.
No lock is held between statements, and one batch is one INSERT.
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

LARGEST_BATCH = 100         # messages in one INSERT
NUMBERING_TRIES = 5         # when other processes keep being faster
STORE_TIMEOUT = 10          # seconds that a sender waits for the outcome
MOST_REMEMBERED = 100_000   # conversations whose last seq is kept in memory
MOST_UNSETTLED = 10_000     # messages whose fate a lost answer left open


class Waiting:
    """A message on its way into the store, and the event that tells its outcome."""

    __slots__ = ("draft", "origin", "settled", "arrived", "stored", "error")

    def __init__(self, draft, origin, settled):
        self.draft = draft
        self.origin = origin
        self.settled = settled
        self.arrived = time.perf_counter()
        self.stored = self.error = None

    @property
    def key(self):
        return self.draft.sender_id, self.draft.client_id


class Writer:
    """Stores messages one batch at a time, and hands each stored one to `deliver`.

    Who comes while nobody commits does it at once, and by that alone: at a low rate a message costs no event, no timer
    and no change of threads. What came meanwhile is committed together by a task, until nothing waits.
    """

    def __init__(self, database, deliver, new_event, start_task, measures):
        self.database = database
        self.deliver = deliver              # called with (message, origin) after the commit, in order
        self.new_event = new_event
        self.queue = deque()
        self.heads = OrderedDict()          # conversation id -> the last seq that this process knows of
        self.conversations = OrderedDict()  # (lower user id, higher user id) -> conversation id
        self.unsettled = OrderedDict()      # keys of messages that may be stored though nobody was told
        self.start_task = start_task
        self.measures = measures
        self.task = None
        self.resting = None                 # what wakes the task while nothing waits
        self.busy = False                   # somebody commits: a sender, or the task
        self.gate = threading.Lock()        # in front of the queue and of who commits it

    def store(self, draft, origin=None):
        """Store the draft and return it as stored; a resend returns the first row and stores nothing.

        `origin` is the connection it came from, or None. Returns after the commit; raises Unavailable otherwise.
        """
        waiting = Waiting(draft, origin, self.new_event())
        with self.gate:
            self.queue.append(waiting)
            nobody_commits, self.busy = not self.busy, True
        if nobody_commits:
            self._commit_next()
            self._hand_on()
        waiting.settled.wait(STORE_TIMEOUT)
        if waiting.error:
            raise waiting.error
        if not waiting.stored:
            raise Unavailable(_("The message could not be stored in time."))
        return waiting.stored

    def heard(self, sender_id, receiver_id, seq):
        """Note the number of a message that another process has stored: here the next one comes after it."""
        conversation_id = self.conversations.get((min(sender_id, receiver_id), max(sender_id, receiver_id)))
        if self.heads.get(conversation_id, seq) < seq:
            self.heads[conversation_id] = seq

    def idle(self):
        """Tell whether everything that came in is settled."""
        return not self.busy

    def _hand_on(self):
        """Wake the task if something waits."""
        with self.gate:
            self.busy = bool(self.queue)
            if not self.busy:
                return
            if self.resting:
                self.resting.set()
                self.resting = None
                return
            try:
                self.task = self.start_task(self._run) or True
            except RuntimeError:    # no thread is left: who comes next takes along what waits
                self.busy = False
                log.exception("the writer's task could not start")

    def _rest(self):
        """Return as soon as the task is to commit what waits."""
        with self.gate:
            self.busy = bool(self.queue)
            if self.busy:
                return
            resting = self.resting = self.new_event()
        resting.wait()

    def _run(self):
        while True:
            self._commit_next()
            self._rest()

    def _commit_next(self):
        """Commit what waits, up to a batch, and tell everyone in it the outcome."""
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
        """Take from the queue what one INSERT holds: so many messages, and no more bytes than the database's server takes."""
        batch, left = [], self.database.max_statement_bytes
        while self.queue and len(batch) < LARGEST_BATCH:
            left -= self.queue[0].draft.max_statement_bytes
            if batch and left < 0:
                break
            batch.append(self.queue.popleft())
        return batch

    def _commit_one_by_one(self, batch):
        """Keep a message that the database refuses or whose rows are locked, or whose number others always take, from taking its batch with it."""
        for waiting in batch:
            if not waiting.settled.is_set():
                try:
                    self._commit([waiting])
                except Locked as error:
                    self._fail([waiting], error)
                except ChatError as error:
                    return self._fail(batch, error)     # the others would wait for the same in vain
                except Exception:
                    log.exception("a message of user %s could not be stored", waiting.draft.sender_id)
                    self._fail([waiting], Unavailable(_("The message could not be stored.")))

    def _fail(self, batch, error):
        for waiting in batch:
            if not waiting.settled.is_set():
                remember(self.unsettled, waiting.key, True, MOST_UNSETTLED)
                waiting.error = error
                waiting.settled.set()

    def _commit(self, batch):
        for waiting in batch:
            if not waiting.draft.conversation_id:
                waiting.draft.conversation_id = self._conversation_id(waiting.draft)
        fresh = batch
        for _try in range(NUMBERING_TRIES):
            first = {}
            for waiting in fresh:
                first.setdefault(waiting.key, waiting)
            drafts = [waiting.draft for waiting in first.values()]
            self._number(drafts, self._known_heads(drafts))
            try:
                Message.insert(self.database, drafts)
            except Duplicate:
                fresh = self._look_up(fresh)
                if not fresh:
                    return
                continue
            self._settle(fresh, drafts)
            return
        raise Locked(_("Too many processes write to this conversation at once."))

    def _conversation_id(self, draft):
        pair = (min(draft.sender_id, draft.receiver_id), max(draft.sender_id, draft.receiver_id))
        if pair not in self.conversations:
            conversation = Conversation.open_between(self.database, *pair)
            remember(self.conversations, pair, conversation.id, MOST_REMEMBERED)
        return self.conversations[pair]

    def _known_heads(self, drafts):
        """Return {conversation id: its last seq}; those that this process does not know are looked up together."""
        ids = {draft.conversation_id for draft in drafts}
        unknown = [conversation_id for conversation_id in ids if conversation_id not in self.heads]
        looked_up = Conversation.last_seqs(self.database, unknown) if unknown else {}
        return {**{known: self.heads[known] for known in ids.difference(unknown)}, **looked_up}

    @staticmethod
    def _number(drafts, heads):
        stored_at = now()
        for draft in drafts:
            heads[draft.conversation_id] += 1
            draft.seq = heads[draft.conversation_id]
            draft.timestamp = stored_at

    def _look_up(self, waitings):
        """After a refusal: settle the resends, forget the heads that proved old, return what is still to be stored."""
        for waiting in waitings:
            self.heads.pop(waiting.draft.conversation_id, None)
        stored = Message.resent(self.database, [waiting.draft for waiting in waitings])
        for waiting in waitings:
            first_row = stored.get(waiting.key)
            if first_row:
                if self.unsettled.pop(waiting.key, None):   # its answer was lost: nobody has heard of it yet
                    self._deliver(first_row, waiting.origin)
                waiting.stored = first_row
                waiting.settled.set()
        return [waiting for waiting in waitings if not waiting.stored]

    def _settle(self, waitings, drafts):
        """The batch is committed: remember the heads, tell the senders, then the receivers."""
        for draft in drafts:
            remember(self.heads, draft.conversation_id, draft.seq, MOST_REMEMBERED)
            self.unsettled.pop((draft.sender_id, draft.client_id), None)
        self.measures.batches.note(len(drafts))
        stored = {(draft.sender_id, draft.client_id): draft for draft in drafts}
        for waiting in waitings:
            waiting.stored = stored[waiting.key]
            waiting.settled.set()
        for waiting in waitings:
            if waiting.stored is waiting.draft:     # and not the same one, sent twice
                self._deliver(waiting.draft, waiting.origin)
                self.measures.deliveries.note(time.perf_counter() - waiting.arrived)

    def _deliver(self, message, origin):
        try:
            self.deliver(message, origin)
        except Exception:       # it is stored: who did not hear of it fetches it, and those after it are delivered
            log.exception("message %s could not be delivered", message.id)


def remember(memory, key, value, most):
    """Keep a value in an OrderedDict of bounded size; the one not touched for longest is forgotten."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > most:
        memory.popitem(last=False)

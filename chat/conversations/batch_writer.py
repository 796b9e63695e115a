"""BatchWriter: what arrives during a commit is committed together in the next one.

    store()  ->  queue  ->  batch  ->  commit  ->  done, then delivered
                                         |-> Duplicate: looked up; what is a resend is done, the rest gets new numbers
                                         |-> Locked: each draft of the batch by itself
                                         `-> Unavailable: refused, and in doubt: the rows may be stored although the answer was lost

Numbers are allotted optimistically, from the last one that this process knows of the conversation. A UNIQUE constraint refuses
them if another process was faster, and another one refuses what is sent again. Then the writer looks up what is stored and tries
again. No lock is held between statements.
"""
import logging
import threading
import time
from collections import OrderedDict, deque

from flask_babel import lazy_gettext as _

from ..errors import ChatError, Locked, Unavailable

log = logging.getLogger(__name__)

MAX_BATCH = 100                 # drafts in one transaction
MAX_NUMBERING_ATTEMPTS = 30     # while other processes keep being faster: four that write in one room win one time in four
STORE_TIMEOUT = 10              # seconds that a sender waits for the outcome
MAX_REMEMBERED = 100_000        # conversations whose last number is kept in memory
MAX_IN_DOUBT = 10_000           # drafts that may be stored or not


class Pending:
    """A draft that is not stored yet. `done` is set when `stored` or `error` is its outcome."""

    __slots__ = ("draft", "sender_sid", "done", "arrived", "stored", "error")

    def __init__(self, draft, sender_sid, done):
        self.draft = draft
        self.sender_sid = sender_sid
        self.done = done
        self.arrived = time.perf_counter()
        self.stored = self.error = None

    @property
    def key(self):
        return self.draft.key

    def settle(self, stored=None, error=None):
        self.stored, self.error = stored, error
        self.done.set()


class BatchWriter:
    """Stores drafts one batch at a time and calls `deliver(stored, sender_sid)` for each, in order, after the commit.

    A sender who comes while nobody commits does so itself: at a low rate a message costs no event, no timer and no change of
    threads. A task commits what came meanwhile, until the queue is empty. A subclass says in `_commit(batch)` how it is stored.
    A draft has a `key`, by which it is stored once, a `conversation_id` and `max_statement_bytes`.
    """

    def __init__(self, database, deliver, new_event, start_task):
        self.database = database
        self.deliver = deliver
        self.new_event = new_event
        self.start_task = start_task
        self.queue = deque()                # Pending
        self.last_numbers = OrderedDict()   # conversation id -> the last number in it that this process knows
        self.in_doubt = OrderedDict()       # keys of refused drafts; some may be stored, because the answer of the commit was lost
        self.committing = False             # a sender or the task commits
        self.task = None
        self.idle_event = None              # wakes the task; None while it works
        self.lock = threading.Lock()        # guards the queue, `committing` and `idle_event`

    def store(self, draft, sender_sid=None):
        """Store the draft and return it as stored, after the commit; a resend stores nothing and returns the first row.

        `sender_sid` is the connection it came from, or None. Raises the ChatError by which the draft was refused, or Unavailable if
        what became of it is not known in time.
        """
        pending = Pending(draft, sender_sid, self.new_event())
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

    def note_number(self, conversation_id, number):
        """Note the number of what another process has stored: the next one here comes after it."""
        if self.last_numbers.get(conversation_id, number) < number:
            self.last_numbers[conversation_id] = number

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
            log.exception("a batch of %d could not be stored", len(batch))
            self._commit_one_by_one(batch)

    def _next_batch(self):
        """Take from the queue what fits in one INSERT, by number and by bytes."""
        batch, left = [], self.database.max_statement_bytes
        while self.queue and len(batch) < MAX_BATCH:
            left -= self.queue[0].draft.max_statement_bytes
            if batch and left < 0:
                break
            batch.append(self.queue.popleft())
        return batch

    def _commit_one_by_one(self, batch):
        """Commit one by one, so that one bad draft cannot fail the batch."""
        for pending in batch:
            if not pending.done.is_set():
                try:
                    self._commit([pending])
                except Locked as error:
                    self._fail([pending], error)
                except ChatError as error:
                    return self._fail(batch, error)     # the others would fail for the same reason
                except Exception:
                    log.exception("what user %s has sent could not be stored", pending.key[0])
                    self._fail([pending], Unavailable(_("The message could not be saved.")))

    def _fail(self, batch, error):
        for pending in batch:
            if not pending.done.is_set():
                lru_put(self.in_doubt, pending.key, True, MAX_IN_DOUBT)
                pending.settle(error=error)

    def _known_last_numbers(self, conversation_ids, look_up):
        """Return {conversation id: its last number}; unknown ones are looked up together, by `look_up(database, ids)`."""
        ids = set(conversation_ids)
        unknown = [conversation_id for conversation_id in ids if conversation_id not in self.last_numbers]
        looked_up = look_up(self.database, unknown) if unknown else {}
        return {**{known: self.last_numbers[known] for known in ids.difference(unknown)}, **looked_up}

    def _settle_resends(self, batch, stored):
        """Settle what is stored already, {key: the stored one}; return what is left to store."""
        for pending in batch:
            first = stored.get(pending.key)
            if first:
                if self.in_doubt.pop(pending.key, None):    # by a commit whose answer was lost: it was never delivered
                    self._deliver(first, pending.sender_sid)
                pending.settle(first)
        return [pending for pending in batch if not pending.stored]

    def _note_stored(self, drafts, number_of):
        for draft in drafts:
            self._remember(self.last_numbers, draft.conversation_id, number_of(draft))
            self.in_doubt.pop(draft.key, None)

    @staticmethod
    def _remember(cache, key, value):
        lru_put(cache, key, value, MAX_REMEMBERED)

    def _deliver(self, stored, sender_sid):
        try:
            self.deliver(stored, sender_sid)
        except Exception:       # it is stored; a client that missed the push fetches it
            log.exception("%s %s could not be delivered", type(stored).__name__, stored.id)


def lru_put(cache, key, value, max_size):
    """Put a value into an OrderedDict of bounded size; the least recently used one is dropped."""
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > max_size:
        cache.popitem(last=False)

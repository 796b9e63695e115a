"""What one load of a page shows, and what became of what its person has written: noted as it changes."""
import itertools
import time
from typing import NamedTuple

KEPT_SECONDS = 3            # a younger message may be anywhere between its page, the outbox and the server
DOUBT_SECONDS = 5           # for a page to show what was typed into it
SETTLE_SECONDS = 1          # between two looks into the outbox; all tabs are looked at meanwhile


class Row(NamedTuple):
    """One message on a page; `seq` is None as long as it has none."""

    seq: int
    client_id: str
    is_mine: bool
    state: str
    text: str
    refusal: str = ""


class Sight:
    """One load of a tab's page, by a name of its own: "carla/1.0", after a reload "carla/1.1"."""

    def __init__(self, record, letters, name):
        self.record, self.letters, self.name = record, letters, name
        self.rows, self.states = [], {}
        self.first = self.head = 0
        self.seen = self.noted = None
        self.draft = ""         # what stands in the field, when it is over: what the next load found there
        self.is_over = False    # another load has taken its place

    def notice(self, rows, banner, draft):
        """Note what is new since the last look."""
        self.rows, self.draft = rows, draft
        seqs = [row.seq for row in rows if row.seq]
        self.head = max(seqs, default=0)
        if self.seen is None:
            self._opened(seqs)
        for row in rows:
            if row.seq and row.seq not in self.seen:
                self._shown(row)
            if row.is_mine:
                self.letters.saw(row, self.name)
        self._note_window(seqs, banner)

    def end(self, draft):
        """Another load has taken the place of this one, and found that in the field."""
        self.draft, self.is_over = draft, True

    def _opened(self, seqs):
        self.seen = set(seqs)
        self.first = min(seqs, default=0)
        self.note("opened", first=self.first, last=self.head)
        self.record.view(self.name, self.letters.conversation, self.head)

    def _shown(self, row):
        """Older rows, which scrolling brings, are no part of the run that goes on at the end."""
        self.seen.add(row.seq)
        is_older = row.seq < self.first
        self.note("shown", seq=row.seq, clientId=row.client_id, text=row.text, older=is_older)
        if not is_older:
            self.record.shown(self.name, self.letters.conversation, row.seq, row.client_id)

    def _note_window(self, seqs, banner):
        states = {row.client_id: row.state for row in self.rows if row.is_mine}
        news = {client_id: state for client_id, state in states.items()
                if state not in ("sent", "read") or self.states.get(client_id, state) != state}
        self.states = states
        first, last = (seqs[0], seqs[-1]) if seqs else (0, 0)
        is_run = not seqs or seqs == list(range(first, last + 1))
        window = {"first": first, "last": last, "run": is_run, "seqs": [] if is_run else seqs, "states": news,
                  "banner": banner}
        if window != self.noted:
            self.noted = window
            self.note("window", **window)

    def note(self, kind, **fields):
        self.letters.note(kind, tab=self.name, **fields)


class Letters:
    """What one person has written to another."""

    def __init__(self, record, person, conversation):
        self.record, self.person, self.conversation = record, person, conversation
        self.numbers = itertools.count(1)
        self.doubtful = {}      # text -> (the Sight in which it was typed, when): not known to be kept
        self.unanswered = {}    # clientId -> (text, when it was written)
        self.lost = {}          # text -> Sight
        self.vanished = set()   # clientIds
        self.suspects = set()   # texts and clientIds that were nowhere to be found the last time
        self.settled_at = 0

    def note(self, kind, **fields):
        self.record.note(kind, person=self.person.id, conversation=self.conversation, **fields)

    def next_text(self):
        return f"{self.person.username} {next(self.numbers)}"

    def typed(self, text, sight):
        """Enter is about to be pressed."""
        self.doubtful[text] = (sight, time.monotonic())

    def is_in_doubt(self, tab):
        """Whether it is open what became of something that was typed there: it has to be noted before the next."""
        return any(sight.name.startswith(f"{tab}.") for sight, _typed_at in self.doubtful.values())

    def taken(self, text, client_id, is_kept=True):
        """The page has taken a message, and keeps it; or, if it is not kept, shows it only."""
        is_late = text in self.lost
        sight = self.lost.pop(text, None) or self.doubtful.pop(text, (None, 0))[0]
        if sight:
            self.note("written", tab=sight.name, clientId=client_id, text=text, kept=is_kept, late=is_late)
            self.unanswered[client_id] = (text, time.monotonic())

    def saw(self, row, tab):
        """An own message stands on a page in that state."""
        self.taken(row.text, row.client_id)
        if row.client_id not in self.unanswered or row.state == "pending":
            return
        del self.unanswered[row.client_id]
        if row.state == "failed":
            self.note("answered", tab=tab, clientId=row.client_id, outcome="refused", text=row.refusal)
        else:
            told = {"clientId": row.client_id, "seq": row.seq} if row.seq else {}
            self.note("answered", tab=tab, clientId=row.client_id, outcome="acknowledged", seq=row.seq, message=told)

    @property
    def has_open_questions(self):
        """Whether it is time to look into the outbox for what no page shows."""
        now = time.monotonic()
        return now > self.settled_at + SETTLE_SECONDS and bool(self.doubtful or self._overdue(now))

    def _overdue(self, now):
        return {client_id for client_id, (_text, written_at) in self.unanswered.items()
                if now > written_at + KEPT_SECONDS} - self.vanished

    def missing(self, entries, shown):
        """Return the texts and clientIds that were nowhere to be found twice running.

        `entries` is what the outbox keeps, `shown` the clientIds on all tabs.
        """
        now = self.settled_at = time.monotonic()
        for entry in entries:
            self.taken(entry["message"], entry["clientId"])
        astray = self._overdue(now) - shown - {entry["clientId"] for entry in entries}
        gone = {text for text, (sight, typed_at) in self.doubtful.items()
                if sight.is_over or now > typed_at + DOUBT_SECONDS}
        twice, self.suspects = self.suspects & (astray | gone), astray | gone
        return twice

    def give_up(self, missing, stored, tab):
        """What is missing is lost, unless it is among `stored`: what the server has, as (seq, clientId, text)."""
        for seq, client_id, text in stored:
            self.saw(Row(seq, client_id, True, "sent", text), tab)
        for text in missing & self.doubtful.keys():
            sight, _typed_at = self.doubtful.pop(text)
            self.lost[text] = sight
            self.note("lost_before_kept", tab=sight.name, text=text, draft=sight.draft == text)
        for client_id in missing & self.unanswered.keys():
            self.vanished.add(client_id)
            self.note("vanished", tab=tab, clientId=client_id, text=self.unanswered[client_id][0])

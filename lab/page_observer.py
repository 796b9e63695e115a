"""What one load of a page shows, and what became of the messages that its person wrote. Changes are noted as events."""
import itertools
import time
from typing import NamedTuple

MIN_AGE_SECONDS = 3         # a message younger than this may still be between page, outbox and server
SHOWN_SECONDS = 5           # for a page to show what was typed
SEARCH_INTERVAL = 1         # between two reads of the outbox; meanwhile all tabs are looked at


class Row(NamedTuple):
    """One message on a page; `seq` is None until the server has assigned one."""

    seq: int
    client_id: str
    is_mine: bool
    state: str
    text: str
    error: str = ""
    sender: int = 0


class PageObserver:
    """One load of a tab's page. Each load has a name of its own: "carla/1.0", after a reload "carla/1.1"."""

    def __init__(self, record, sent_messages, name):
        self.record, self.sent_messages, self.name = record, sent_messages, name
        self.rows, self.states = [], {}
        self.first = self.last_seq = 0
        self.seen = self.last_window = None
        self.draft = ""         # after this load has ended: the text that the next load found in the field
        self.is_over = False    # another load has replaced this one

    def update(self, rows, banner, draft):
        """Note what is new since the last call."""
        self.rows, self.draft = rows, draft
        seqs = [row.seq for row in rows if row.seq]
        self.last_seq = max(seqs, default=0)
        if self.seen is None:
            self._opened(seqs)
        for row in rows:
            if row.seq and row.seq not in self.seen:
                self._shown(row)
            if row.is_mine:
                self.sent_messages.on_shown(row, self.name)
        self._note_window(seqs, banner)

    def end(self, draft):
        """Another load has replaced this one and found this text in the field."""
        self.draft, self.is_over = draft, True

    def _opened(self, seqs):
        self.seen = set(seqs)
        self.first = min(seqs, default=0)
        self.note("opened", first=self.first, last=self.last_seq)
        self.record.view(self.name, self.sent_messages.conversation.name, self.last_seq)
        for row in self.rows:
            self._heard(row)

    def _shown(self, row):
        """Older rows, loaded by scrolling up, do not belong to the view that grows at the end."""
        self.seen.add(row.seq)
        self._heard(row)
        is_older = row.seq < self.first
        self.note("shown", seq=row.seq, clientId=row.client_id, text=row.text, older=is_older)
        if not is_older:
            self.record.shown(self.name, self.sent_messages.conversation.name, row.seq, row.client_id)

    def _heard(self, row):
        """Only members may see what stands in a room."""
        if row.seq and self.sent_messages.conversation.is_room:
            self.note("heard", clientId=row.client_id, sender=row.sender)

    def _note_window(self, seqs, banner):
        states = {row.client_id: row.state for row in self.rows if row.is_mine}
        news = {client_id: state for client_id, state in states.items()
                if state not in ("sent", "read") or self.states.get(client_id, state) != state}
        self.states = states
        first, last = (seqs[0], seqs[-1]) if seqs else (0, 0)
        is_run = not seqs or seqs == list(range(first, last + 1))
        window = {"first": first, "last": last, "run": is_run, "seqs": [] if is_run else seqs, "states": news,
                  "banner": banner}
        if window != self.last_window:
            self.last_window = window
            self.note("window", **window)

    def note(self, kind, **fields):
        self.sent_messages.note(kind, tab=self.name, **fields)


class SentMessages:
    """The messages that one person has written in one conversation."""

    def __init__(self, record, person, conversation):
        self.record, self.person, self.conversation = record, person, conversation
        self.numbers = itertools.count(1)
        self.unconfirmed = {}   # text -> (PageObserver in which it was typed, time): not known to be in the outbox
        self.unanswered = {}    # clientId -> (text, time of writing)
        self.lost = {}          # text -> (PageObserver, time)
        self.vanished = set()   # clientIds
        self.suspects = set()   # texts and clientIds that the last search did not find
        self.searched_at = 0

    def note(self, kind, **fields):
        self.record.note(kind, person=self.person.id, conversation=self.conversation.name, **fields)

    def next_text(self):
        return self.conversation.text(self.person.username, next(self.numbers))

    def typed(self, text, observer):
        """Enter is about to be pressed."""
        self.unconfirmed[text] = (observer, time.monotonic())

    def has_unconfirmed(self, tab):
        """Tell whether the fate of something typed in that tab is unknown. It must be known before the next message."""
        return any(observer.name.startswith(f"{tab}.") for observer, _typed_at in self.unconfirmed.values())

    def accepted(self, text, client_id, is_kept=True):
        """The page has accepted a message and saved it; with `is_kept=False` it shows the message without having saved it."""
        is_late = text in self.lost
        observer, typed_at = self.lost.pop(text, None) or self.unconfirmed.pop(text, (None, 0))
        if observer:
            # Others may have got it before this page, or the next one, shows it.
            self.note("written", tab=observer.name, clientId=client_id, text=text, typed=typed_at, kept=is_kept, late=is_late)
            self.unanswered[client_id] = (text, time.monotonic())

    def on_shown(self, row, tab):
        """A page shows one of the person's messages in that state."""
        self.accepted(row.text, row.client_id)
        if row.client_id not in self.unanswered or row.state == "pending":
            return
        del self.unanswered[row.client_id]
        if row.state == "failed":
            self.note("answered", tab=tab, clientId=row.client_id, outcome="refused", text=row.error)
        else:
            message = {"clientId": row.client_id, "seq": row.seq} if row.seq else {}
            self.note("answered", tab=tab, clientId=row.client_id, outcome="acknowledged", seq=row.seq, message=message)

    @property
    def should_check_outbox(self):
        """Tell whether it is time to search the outbox for what no page shows."""
        now = time.monotonic()
        return now > self.searched_at + SEARCH_INTERVAL and bool(self.unconfirmed or self._overdue(now))

    def _overdue(self, now):
        return {client_id for client_id, (_text, written_at) in self.unanswered.items()
                if now > written_at + MIN_AGE_SECONDS} - self.vanished

    def find_missing(self, entries, shown):
        """Return the texts and clientIds that two searches in a row did not find.

        `entries` is the content of the outbox, `shown` the clientIds on all tabs.
        """
        now = self.searched_at = time.monotonic()
        for entry in entries:
            self.accepted(entry["message"], entry["clientId"])
        unseen_ids = self._overdue(now) - shown - {entry["clientId"] for entry in entries}
        unseen_texts = {text for text, (observer, typed_at) in self.unconfirmed.items()
                        if observer.is_over or now > typed_at + SHOWN_SECONDS}
        missing_twice, self.suspects = self.suspects & (unseen_ids | unseen_texts), unseen_ids | unseen_texts
        return missing_twice

    def mark_lost(self, missing, stored, tab):
        """Count as lost what is missing, unless it is in `stored`: what the server has, as (seq, clientId, text)."""
        for seq, client_id, text in stored:
            self.on_shown(Row(seq, client_id, True, "sent", text), tab)
        for text in missing & self.unconfirmed.keys():
            observer, _typed_at = self.lost[text] = self.unconfirmed.pop(text)
            self.note("lost_before_kept", tab=observer.name, text=text, draft=observer.draft == text)
        for client_id in missing & self.unanswered.keys():
            self.vanished.add(client_id)
            self.note("vanished", tab=tab, clientId=client_id, text=self.unanswered[client_id][0])

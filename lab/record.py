"""The record of a run: all events in the order in which they happened. The invariants are checked from it."""
import json
import threading
import time
from array import array
from dataclasses import dataclass, field


@dataclass
class View:
    """The messages that one tab has shown of one conversation, in the order in which it showed them."""

    tab: str
    conversation: str
    opened_after: int = 0       # the seq before the first row with which the tab was opened
    seqs: array = field(default_factory=lambda: array("q"))
    times: array = field(default_factory=lambda: array("d"))
    client_ids: list = field(default_factory=list)

    @property
    def last(self):
        return self.seqs[-1] if self.seqs else self.opened_after


class Record:
    """Everything that was written, answered and shown, and every fault. Times are `time.monotonic()` in seconds."""

    def __init__(self, path=None):
        self.events = []
        self.views = {}        # (tab, conversation) -> View
        self.told = {}         # (conversation, seq) -> (up to when its text was told as what it is, to whom)
        self.told_versions = {}     # (conversation, seq) -> the Versions after a change that were told
        self.lock = threading.Lock()
        self.file = open(path, "w", encoding="utf-8") if path else None

    def note(self, kind, **fields):
        """Add an event and return it."""
        event = {"t": time.monotonic(), "kind": kind, **fields}
        with self.lock:
            self.events.append(event)
            if self.file:
                self.file.write(json.dumps(event, default=str) + "\n")
        return event

    def view(self, tab, conversation, opened_after=0):
        """Return the View of a tab and a conversation; the first call creates it."""
        with self.lock:
            return self.views.setdefault((tab, conversation), View(tab, conversation, opened_after))

    def shown(self, tab, conversation, seq, client_id):
        """Note that a tab shows one more message."""
        view = self.view(tab, conversation)
        with self.lock:
            view.seqs.append(seq)
            view.times.append(time.monotonic())
            view.client_ids.append(client_id)

    def note_told(self, conversation, seq, at, to):
        """Note that the server told the text of a message as what it was at that time, by its own clock."""
        key = conversation, seq
        with self.lock:
            if key not in self.told or self.told[key][0] < at:
                self.told[key] = at, to

    def note_version(self, conversation, seq, version):
        """Note that the server told a message as it is after a change."""
        with self.lock:
            self.told_versions.setdefault((conversation, seq), set()).add(version)

    def of(self, *kinds):
        """Return the events of these kinds."""
        with self.lock:
            return [event for event in self.events if event["kind"] in kinds]

    def close(self):
        if self.file:
            self.file.close()


def conversation_of(one_id, other_id):
    """Return the name of a conversation in the record: both ids, the smaller one first."""
    return f"{min(one_id, other_id)}-{max(one_id, other_id)}"


def room_name(room_id):
    """Return the name of a room in the record, which is its key at a tab too."""
    return f"room-{room_id}"

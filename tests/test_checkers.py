"""The checkers of the fault-injection suite: a correct run passes, and each kind of violation is found by its checker."""
import copy

import pytest

from lab.checkers import CHECKERS, check
from lab.evidence import Evidence
from lab.record import Record, conversation_of

ANNA, BERT, TAB, CONVERSATION = 1, 2, "anna/1", conversation_of(1, 2)
DAY = 86_400.0      # in seconds: later than everything else


def row(seq, client_id, text, sender=ANNA):
    return {"id": 10 + seq, "seq": seq, "senderId": sender, "receiverId": BERT, "message": text, "clientId": client_id}


@pytest.fixture
def evidence():
    """Anna wrote three messages. Two are stored and shown to Bert, the third was refused. Bert came online and went offline."""
    record = Record()
    for n, client_id in enumerate("abc", 1):
        record.note("written", person=ANNA, tab=TAB, clientId=client_id, text=f"text {client_id}", conversation=CONVERSATION)
        if client_id != "c":
            record.note("answered", person=ANNA, tab=TAB, clientId=client_id, outcome="acknowledged",
                        message=row(n, client_id, f"text {client_id}"), code=None)
            record.shown("bert/1", CONVERSATION, n, client_id)
    record.note("answered", person=ANNA, tab=TAB, clientId="c", outcome="refused", message=None, code="invalid")
    record.note("resent", clientId="a", message=row(1, "a", "text a"))
    record.note("read_marks", marks={"anna": 1})
    record.note("read_marks", marks={"anna": 2})
    record.note("window", tab="carla/1", seqs=[4, 5, 6])
    record.note("slow_consumer", dropped=True)
    events = [*record.events,
              {"t": 0.0, "kind": "connected", "tab": TAB, "person": ANNA}, {"t": 1.0, "kind": "online", "tab": TAB, "ids": [ANNA]},
              {"t": 100.0, "kind": "connected", "tab": "bert/1", "person": BERT}, {"t": 101.0, "kind": "online", "tab": TAB, "ids": [ANNA, BERT]},
              {"t": 200.0, "kind": "disconnected", "tab": "bert/1", "person": BERT}, {"t": 204.0, "kind": "online", "tab": TAB, "ids": [ANNA]},
              {"t": 300.0, "kind": "logged_out", "tab": "eva/1", "person": 5}]
    held = {"memory": 100, "files": 20, "threads": 3, "greenlets": 50}
    return Evidence(rows={CONVERSATION: [row(1, "a", "text a"), row(2, "b", "text b")]}, events=events,
                    views=list(record.views.values()), unread=[("bert", "anna", 2, 2)], footprints=[(held, dict(held))],
                    faults=[{"name": "a fault", "n": 1, "catch_up": 1.0, "limit": 5, "lagging": []}], ended_at=DAY)


def note(kind, **fields):
    return lambda evidence: evidence.events.append({"t": 400.0, "kind": kind, **fields})


def lose_a_row(evidence):
    evidence.rows[CONVERSATION].pop()


def store_again(evidence):
    evidence.rows[CONVERSATION].append(row(3, "a", "text a"))


def leave_a_gap(evidence):
    evidence.rows[CONVERSATION][1]["seq"] = 3


def swap(evidence):
    evidence.rows[CONVERSATION] = [row(1, "b", "text b"), row(2, "a", "text a")]


def skip_on_screen(evidence):
    evidence.views[0].seqs[1] = 3


def show_twice(evidence):
    evidence.views[0].seqs[1] = 1


def show_another(evidence):
    evidence.views[0].client_ids[1] = "z"


def late(evidence):
    evidence.faults[0]["catch_up"] = 5.1


def store_refused(evidence):
    evidence.rows[CONVERSATION].append(row(3, "c", "text c"))


def store_unwritten(evidence):
    evidence.rows[CONVERSATION].append(row(3, "q", "whence?"))


def never_online(evidence):
    evidence.events = [e for e in evidence.events if not (e["kind"] == "online" and e["t"] == 101.0)]


def never_offline(evidence):
    evidence.events = [e for e in evidence.events if not (e["kind"] == "online" and e["t"] == 204.0)]


def miscount(evidence):
    evidence.unread[0] = ("bert", "anna", 1, 2)


def store_after_logout(evidence):
    evidence.events.append({"t": 303.0, "kind": "written", "person": 5, "tab": "eva/1", "clientId": "e", "text": "late", "conversation": "1-5"})
    evidence.events.append({"t": 303.1, "kind": "answered", "person": 5, "tab": "eva/1", "clientId": "e", "outcome": "acknowledged", "message": None})
    evidence.rows["1-5"] = [row(1, "e", "late", sender=5)]


def leave_open(evidence):
    evidence.events.append({"t": 9.0, "kind": "written", "person": ANNA, "tab": TAB, "clientId": "o", "text": "o", "conversation": CONVERSATION})


def leave_in_outbox(evidence):
    evidence.leftovers.append("a")


def leak(what):
    def grow(evidence):
        evidence.footprints[0][1][what] += 100
    return grow


VIOLATIONS = [
    ("P1", lose_a_row), ("P1", note("answered", person=ANNA, tab=TAB, clientId="a", outcome="acknowledged", message=row(7, "a", "text a"))),
    ("P2", store_again), ("P2", note("resent", clientId="a", message=row(1, "a", "another text"))),
    ("P3", leave_a_gap), ("P3", swap),
    ("P4", skip_on_screen), ("P4", show_twice), ("P4", show_another), ("P4", late), ("P4", note("window", tab="carla/1", seqs=[4, 6])),
    ("P5", store_refused), ("P5", store_unwritten),
    ("P6", never_online), ("P6", never_offline),
    ("P7", miscount), ("P7", note("read_marks", marks={"anna": 1})),
    ("P8", store_after_logout), ("P8", note("received", tab="eva/1", clientId="a", sender=ANNA)), ("P8", note("violation", invariant="P8", text="still open")),
    ("P9", leave_open), ("P9", leave_in_outbox), ("P9", note("vanished", tab="carla/1", text="carla 1", clientId="v")),
    *[("P10", leak(what)) for what in ("memory", "files", "threads", "greenlets")], ("P10", note("slow_consumer", dropped=False)),
    ("faults", note("violation", invariant="faults", text="it could not be read")),
]


def test_it_works(evidence):
    assert check(evidence) == {}


@pytest.mark.parametrize("invariant, violation", VIOLATIONS, ids=[f"{invariant}-{n}" for n, (invariant, _breach) in enumerate(VIOLATIONS)])
def test_each_breach_is_seen(evidence, invariant, violation):
    before = copy.deepcopy(evidence)
    violation(evidence)
    assert invariant in check(evidence)
    assert check(before) == {}


def test_every_promise_can_be_broken():
    assert {invariant for invariant, _breach in VIOLATIONS} == set(CHECKERS)

"""The checkers of the fault-injection suite: a correct run passes, and each kind of violation is found by its checker."""
import copy

import pytest

from lab.checkers import CHECKERS, check
from lab.evidence import Evidence
from lab.record import Record, conversation_of, room_name
from lab.versions import Version

ANNA, BERT, EVA, TAB, CONVERSATION, ROOM = 1, 2, 5, "anna/1", conversation_of(1, 2), room_name(7)
CHANGED = conversation_of(1, 4)     # in which messages were changed
FILED = conversation_of(1, 6)       # in which messages have files
DELETED_AT = 610.0
DAY = 86_400.0      # in seconds: later than everything else


def row(seq, client_id, text, sender=ANNA, kind="text", **fields):
    return {"id": 10 + seq, "seq": seq, "senderId": sender, "receiverId": BERT, "message": text, "clientId": client_id, "kind": kind,
            "mentions": set(), "mentionRows": set(), "replyTo": 0, "edited": False, "deleted": False, "lastChange": 0,
            "reactions": frozenset(), "pinned": False, "files": [], **fields}


def member(at, asked, is_in, person=BERT, acknowledged=True):
    return {"t": at, "kind": "membership", "person": person, "conversation": ROOM, "isIn": is_in, "asked": asked, "acknowledged": acknowledged}


def said(at, client_id, *heard, **fields):
    """Anna writes in the room, and is heard at a tab at each of these times: [(time, person)]."""
    return [{"t": at, "kind": "written", "person": ANNA, "tab": TAB, "clientId": client_id, "text": client_id, "conversation": ROOM, **fields},
            {"t": at, "kind": "answered", "person": ANNA, "tab": TAB, "clientId": client_id, "outcome": "acknowledged", "message": None},
            *({"t": t, "kind": "heard", "tab": f"{person}/1", "person": person, "conversation": ROOM, "clientId": client_id, "sender": ANNA}
              for t, person in heard)]


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
              {"t": 300.0, "kind": "logged_out", "tab": "eva/1", "person": 5}, *in_the_room(), *changing(), *filing()]
    held = {"memory": 100, "files": 20, "threads": 3, "greenlets": 50}
    return Evidence(rows={CONVERSATION: [row(1, "a", "text a"), row(2, "b", "text b")], ROOM: list(ROWS), CHANGED: changed_rows(), FILED: filed_rows()}, events=events,
                    changes={CHANGED: stored_changes(), FILED: [{"number": 1, "seq": 2, "changeKind": "delete", "actorId": ANNA, "clientId": "d1"}]}, told={(CHANGED, 2): (DELETED_AT - 0.1, "bert/1")},
                    told_versions={(CHANGED, 2): {Version(2, "anna/1 104", is_edited=True), Version(3, "", is_deleted=True)}},
                    versions=[("bert/1", CHANGED, {one["seq"]: Version.of_row(one) for one in changed_rows()})],
                    files=[{"id": 1, "userId": ANNA, "clientId": "u1"}], contents={1: "one"}, blobs={"one"},
                    pages=[("bert", "/users", {"anna/1 102"})],
                    views=list(record.views.values()), unread=[("bert", "anna", 2, 2)], footprints=[(held, dict(held))],
                    faults=[{"name": "a fault", "n": 1, "catch_up": 1.0, "limit": 5, "lagging": []}], ended_at=DAY,
                    histories=[("bert", ROOM, list(range(1, len(ROWS) + 1)))], room_counts=[("bert", ROOM, "the list", (2, 1), (2, 1))])


ROWS = [row(1, "notice-1", '{"what": "created"}', kind="notice"), *(row(n, f"r{n}", f"r{n}") for n in range(2, 7))]


def in_the_room():
    """Bert joins, is removed and joins again. What was stored until 2 s after that may reach him, and what is there when he is back too."""
    return [member(500.0, 499.0, True), *said(501.0, "r2", (501.1, BERT)),
            *said(519.0, "r6", (505.1, BERT), tab="anna/2", typed=505.0),     # on a page, which shows it after a crash only
            member(510.0, 509.0, False), *said(511.0, "r3", (513.0, BERT)), *said(520.0, "r4", (530.5, BERT)),
            member(531.0, 530.0, True), member(532.0, 531.5, False, acknowledged=False), *said(540.0, "r5", (540.1, BERT))]


def changing():
    """Anna writes three messages, edits the first, edits and deletes the second; Bert reacts to the first, and may not edit it."""
    events = [{"t": 600.0, "kind": "written", "person": ANNA, "tab": TAB, "clientId": client_id, "text": text, "conversation": CHANGED}
              for client_id, text in (("x", "anna/1 101"), ("y", "anna/1 103"), ("z", "anna/1 105"))]
    events += [{"t": 600.1, "kind": "answered", "person": ANNA, "tab": TAB, "clientId": client_id, "outcome": "acknowledged", "message": None}
               for client_id in "xyz"]
    for number, (at, person, client_id, seq, verb) in enumerate((
            (601.0, ANNA, "c1", 1, {"edit": "anna/1 102"}), (602.0, ANNA, "c2", 2, {"edit": "anna/1 104"}), (DELETED_AT, ANNA, "c3", 2, {"delete": True}),
            (611.0, BERT, "c4", 1, {"react": "👍", "on": True}), (612.0, BERT, "c5", 1, {"edit": "bert/1 1"})), 1):
        events += [{"t": at - 0.5, "kind": "changing", "person": person, "tab": TAB, "clientId": client_id, "conversation": CHANGED, "seq": seq, "verb": verb},
                   {"t": at, "kind": "changed", "person": person, "tab": TAB, "clientId": client_id, "code": None, "change": number,
                    "outcome": "refused" if client_id == "c5" else "acknowledged", "message": None}]
    return [*events, {"t": 613.0, "kind": "change_resent", "person": ANNA, "clientId": "c1", "change": 1, "code": None}]


def stored_changes():
    return [{"number": number, "seq": seq, "changeKind": kind, "actorId": actor, "clientId": f"c{number}"}
            for number, (seq, kind, actor) in enumerate(((1, "edit", ANNA), (2, "edit", ANNA), (2, "delete", ANNA), (1, "react", BERT)), 1)]


def changed_rows():
    return [row(1, "x", "anna/1 102", edited=True, lastChange=4, reactions=frozenset({(BERT, "👍")})), row(2, "y", "", deleted=True, lastChange=3),
            row(3, "z", "anna/1 105", replyTo=2)]


def filing():
    """Anna writes two messages with a file each, which Bert fetches, and deletes the second one."""
    events = []
    for client_id, upload, content, file_id in (("f1", "u1", "one", 1), ("f2", "u2", "two", 2)):
        events += [{"t": 700.0, "kind": "written", "person": ANNA, "tab": TAB, "clientId": client_id, "text": client_id, "conversation": FILED,
                    "files": [(upload, content)]},
                   {"t": 700.1, "kind": "uploaded", "person": ANNA, "tab": TAB, "clientId": upload, "file": file_id, "size": 3, "bytes": 3},
                   {"t": 700.2, "kind": "answered", "person": ANNA, "tab": TAB, "clientId": client_id, "outcome": "acknowledged", "message": None},
                   {"t": 700.3, "kind": "file_seen", "tab": "bert/1", "conversation": FILED, "seq": file_id, "file": file_id, "status": 200, "hash": content}]
    return [*events, {"t": 710.0, "kind": "changing", "person": ANNA, "tab": TAB, "clientId": "d1", "conversation": FILED, "seq": 2, "verb": {"delete": True}},
            {"t": 710.1, "kind": "changed", "person": ANNA, "tab": TAB, "clientId": "d1", "code": None, "change": 1, "outcome": "acknowledged", "message": None}]


def filed_rows():
    return [row(1, "f1", "f1", files=[1]), row(2, "f2", "", deleted=True, lastChange=1)]


def in_files(change):
    return lambda evidence: change(evidence.rows[FILED], evidence.files)


def in_row(seq, **fields):
    def change_row(evidence):
        evidence.rows[CHANGED][seq - 1].update(fields)
    return change_row


def in_changes(change):
    return lambda evidence: change(evidence.changes[CHANGED])


def show_the_former(evidence):
    evidence.versions[0][2][1] = Version(4, "anna/1 101", is_edited=True, reactions=frozenset({(BERT, "👍")}))


def miss_changes(evidence):
    evidence.faults[0].update(catch_up=5.1, lagging=["bert/1 knows 3 of 4 changes in 1-4"])


def tell_what_never_was(evidence):
    evidence.told_versions[CHANGED, 2].add(Version(3, "anna/1 104", is_edited=True))


def tell_before_it_is_stored(evidence):
    evidence.told_versions[CHANGED, 3] = {Version(5, "anna/1 105", reply_to=2, is_pinned=True)}


def tell_late(evidence):
    evidence.told[CHANGED, 2] = DELETED_AT + 0.1, "bert/1, quoted by 3"


def show_on_a_page(evidence):
    evidence.pages.append(("bert", "/conversations/4/pins", {"anna/1 103"}))


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


def hear_after_leaving(evidence):
    evidence.events += said(513.0, "late", (513.1, BERT))
    evidence.rows[ROOM].append(row(6, "late", "late"))
    evidence.histories[0][2].append(6)


def hear_as_a_stranger(evidence):
    next(event for event in evidence.events if event["kind"] == "heard")["person"] = EVA


def miss_what_was_said(evidence):
    evidence.histories[0][2].remove(3)


def count_otherwise(at):
    def miscount_room(evidence):
        evidence.room_counts[0] = ("bert", ROOM, "the list", (2 - (at == 0), 1 - (at == 1)), (2, 1))
    return miscount_room


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
    ("P11", in_changes(lambda stored: stored.pop())), ("P11", in_changes(lambda stored: stored.append({**stored[0], "number": 5}))),
    ("P11", in_changes(lambda stored: stored[3].update(number=5))), ("P11", in_changes(lambda stored: stored[3].update(changeKind="unreact"))),
    ("P11", in_changes(lambda stored: stored.append({**stored[0], "number": 5, "clientId": "c5", "actorId": BERT}))),
    ("P11", in_changes(lambda stored: stored.append({**stored[0], "number": 5, "clientId": "whence"}))),
    ("P11", in_changes(lambda stored: stored.insert(0, stored.pop(1)))),
    ("P11", in_row(1, message="anna/1 101")), ("P11", in_row(1, reactions=frozenset())), ("P11", in_row(1, lastChange=1)), ("P11", in_row(3, pinned=True)),
    ("P11", in_row(3, message="anna/1 106")), ("P11", show_the_former), ("P11", miss_changes),
    ("P11", tell_what_never_was), ("P11", tell_before_it_is_stored),
    ("P11", note("change_resent", person=ANNA, clientId="c1", change=5, code=None)),
    ("P11", note("change_resent", person=ANNA, clientId="c1", change=None, code="conflict")),
    ("P11", note("changing", person=ANNA, tab=TAB, clientId="o", conversation=CHANGED, seq=1, verb={"pin": True})),
    *[("P12", in_row(2, **{name: value})) for name, value in (("message", "anna/1 104"), ("mentions", {BERT}), ("mentionRows", {BERT}),
                                                              ("reactions", frozenset({(BERT, "👍")})), ("pinned", True))],
    ("P12", in_row(3, message="anna/1 105, and anna/1 103")), ("P12", tell_late), ("P12", show_on_a_page),
    ("P13", note("change_heard", person=EVA, tab="eva/1", conversation=CHANGED, number=4)),
    ("P13", hear_after_leaving), ("P13", hear_as_a_stranger), ("P13", miss_what_was_said), ("P13", count_otherwise(0)),
    ("P13", count_otherwise(1)), ("P13", note("violation", invariant="P13", text="the history was read")),
    ("P14", in_files(lambda rows, files: files.append({**files[0], "id": 3}))), ("P14", in_files(lambda rows, files: rows[0]["files"].clear())),
    ("P14", in_files(lambda rows, files: rows[0]["files"].append(1))), ("P14", in_files(lambda rows, files: files.pop())),
    ("P14", in_files(lambda rows, files: rows[1]["files"].append(1))), ("P14", lambda evidence: evidence.contents.update({1: 404})),
    ("P14", lambda evidence: evidence.contents.update({1: "half"})), ("P14", lambda evidence: evidence.blobs.add("two")),
    ("P14", note("file_seen", tab="bert/1", conversation=FILED, seq=1, file=1, status=404, hash="")),
    ("P14", note("file_seen", tab="bert/1", conversation=FILED, seq=1, file=1, status=200, hash="two")),
    ("P14", note("uploaded", person=ANNA, tab=TAB, clientId="u1", file=4, size=3, bytes=3)),
    ("P14", note("uploaded", person=ANNA, tab=TAB, clientId="u3", file=4, size=2, bytes=3)),
    ("P14", note("upload_refused", tab=TAB, clientId="u1", status=400, text="no")),
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

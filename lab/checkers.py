"""The delivery invariants P1 to P10 and P13; those of changes are in change_checkers.py, that of files in file_checkers.py.

Each checker reads the evidence of a run and nothing else, and yields the violations.
"""
from bisect import bisect_right
from collections import Counter, defaultdict

from .change_checkers import changes_are_kept, deleted_is_gone
from .file_checkers import files_are_kept

PRESENCE_SECONDS, SNAPSHOT_SECONDS = 25, 4     # the second is how long a new tab may take to get its first list
LOGOUT_SECONDS = LEAVING_SECONDS = 2
MAX_EXTRA_MEMORY_MB, MAX_EXTRA_FILES, MAX_EXTRA_THREADS, MAX_EXTRA_GREENLETS = 40, 12, 4, 24      # growth that is still accepted
EXACT = ("id", "seq", "clientId")


def acknowledged_is_stored(evidence):
    """P1: what was acknowledged is stored, exactly as acknowledged."""
    stored = evidence.stored
    for event in evidence.answered("acknowledged"):
        row = stored.get((event["person"], event["clientId"]))
        message = event.get("message") or {}
        if row is None:
            yield f"{event['clientId']} of {event['tab']} was acknowledged and is not stored"
        elif any(message.get(name, row[name]) != row[name] for name in EXACT):
            yield f"{event['clientId']} was acknowledged as {message} and is stored as {row}"


def stored_once(evidence):
    """P2: there is at most one row for a (sender, clientId), and a resend is answered with that row."""
    count = Counter((row["senderId"], row["clientId"]) for rows in evidence.rows.values() for row in rows)
    yield from (f"{client_id} of {sender} is stored {n} times" for (sender, client_id), n in count.items() if n > 1)
    rows = {row["clientId"]: (conversation, row) for conversation, rows in evidence.rows.items() for row in rows}
    texts = evidence.texts()
    for event in evidence.of("resent"):
        conversation, row = rows.get(event["clientId"], ("", {}))
        possible = {"" if row.get("deleted") else None, *texts[conversation, row.get("seq")]}      # it may have been changed since
        if any(event["message"][name] != row.get(name) for name in EXACT) or event["message"]["message"] not in possible:
            yield f"{event['clientId']}, sent again, was answered {event['message']} where {row} is stored"


def numbered_without_gap(evidence):
    """P3: seq is 1..n in each conversation, and the messages of one tab are stored in the order in which they were written."""
    written = {(event["person"], event["clientId"]): (event["tab"].partition(".")[0], n)
               for n, event in enumerate(evidence.of("written"))}
    for conversation, rows in evidence.rows.items():
        seqs = [row["seq"] for row in rows]
        if seqs != list(range(1, len(seqs) + 1)):
            wrong = next((n, seq) for n, seq in enumerate(seqs, 1) if n != seq)
            yield f"{conversation}: in place {wrong[0]} stands seq {wrong[1]}"
        latest = defaultdict(lambda: -1)
        for row in rows:
            tab, order = written.get((row["senderId"], row["clientId"]), (None, None))
            if tab and order < latest[tab]:
                yield f"{conversation}: seq {row['seq']} of {tab} was written before what stands before it"
            elif tab:
                latest[tab] = order


def shown_without_gaps(evidence):
    """P4: each tab shows consecutive seqs without a gap or a repeat, shows the stored rows, and catches up in time."""
    for view in evidence.views:
        rows = {row["seq"]: row["clientId"] for row in evidence.rows.get(view.conversation, ())}
        expected = view.opened_after + 1
        for seq, client_id in zip(view.seqs, view.client_ids):
            if seq != expected:
                yield f"{view.tab} showed {seq} in {view.conversation} where {expected} was next"
                break
            if rows.get(seq) != client_id:
                yield f"{view.tab} showed {client_id} as {seq} of {view.conversation}; stored is {rows.get(seq)}"
                break
            expected += 1
    for event in evidence.of("window"):
        if event["seqs"] and event["seqs"] != list(range(event["seqs"][0], event["seqs"][0] + len(event["seqs"]))):
            yield f"{event['tab']} has holes or repeats on the page: {event['seqs']}"
    for fault in evidence.faults:
        if fault["catch_up"] > fault["limit"]:
            yield f"after \"{fault['name']}\" #{fault['n']} it took {fault['catch_up']:.1f} s: {'; '.join(fault['lagging']) or 'late'}"


def stored_was_tried(evidence):
    """P5: only what somebody wrote is stored, and nothing that was refused. What was edited or deleted since is for P11."""
    written, stored = evidence.written(), evidence.stored
    for key, row in stored.items():
        if row["kind"] == "notice":
            continue        # what happened in a room: nobody writes it
        if key not in written:
            yield f"seq {row['seq']} of {key[0]} ({row['message'][:40]!r}) was written by nobody"
        elif written[key]["text"] != row["message"] and not (row["edited"] or row["deleted"]):
            yield f"{key[1]} was written as {written[key]['text'][:40]!r} and stored as {row['message'][:40]!r}"
    for event in evidence.answered("refused"):
        if (event["person"], event["clientId"]) in stored:
            yield f"{event['clientId']} was refused and is stored"


def presence_is_right(evidence):
    """P6: 25 seconds after somebody came online or went offline, every tab shows it."""
    changes, seen, tabs, connections = [], defaultdict(list), defaultdict(set), defaultdict(list)
    for event in evidence.of("connected", "disconnected", "online"):
        if event["kind"] == "online":
            seen[event["tab"]].append((event["t"], set(event["ids"])))
            continue
        connections[event["tab"]].append(event)
        open_tabs = tabs[event["person"]]
        before = bool(open_tabs)
        open_tabs.add(event["tab"]) if event["kind"] == "connected" else open_tabs.discard(event["tab"])
        if bool(open_tabs) != before:
            changes.append((event["t"], event["person"], bool(open_tabs)))
    for n, (at, person, is_online) in enumerate(changes):
        until = next((t for t, other, _here in changes[n + 1:] if other == person), evidence.ended_at)
        look_at = at + PRESENCE_SECONDS
        for tab, views in seen.items():
            if until > look_at and _is_connected(connections[tab], look_at - SNAPSHOT_SECONDS, look_at):
                latest = bisect_right(views, look_at, key=lambda view: view[0])
                known = views[latest - 1][1] if latest else set()
                if (person in known) != is_online:
                    yield f"{tab} shows {person} as {'online' if not is_online else 'offline'} {PRESENCE_SECONDS} s after the change"


def _is_connected(connections, begin, end):
    """Tell whether the tab of these events was connected from `begin` to `end` without a break."""
    is_connected = False
    for event in connections:
        if event["t"] <= begin:
            is_connected = event["kind"] == "connected"
        elif event["t"] <= end:
            return False
    return is_connected


def unread_is_counted(evidence):
    """P7: `unread` counts what the other person wrote after the read mark, and the mark never decreases."""
    for person, peer, reported, counted in evidence.unread:
        if reported != counted:
            yield f"{person} has {reported} unread messages of {peer}; there are {counted}"
    marks = {}
    for event in evidence.of("read_marks"):
        for key, seq in event["marks"].items():
            if seq < marks.get(key, 0):
                yield f"the read mark of {key} went back from {marks[key]} to {seq}"
            marks[key] = seq


def logout_is_an_end(evidence):
    """P8: two seconds after a logout, nothing more from that tab is stored and nothing more is delivered to it."""
    stored, written = evidence.stored, evidence.of("written")
    for event in evidence.of("logged_out"):
        end = event["t"] + LOGOUT_SECONDS
        for late in written:
            if late["tab"] == event["tab"] and late["t"] > end and (late["person"], late["clientId"]) in stored:
                yield f"{late['clientId']} was stored {late['t'] - event['t']:.1f} s after {event['tab']} logged out"
        for received in evidence.of("received"):
            if received["tab"] == event["tab"] and received["t"] > end:
                yield f"{event['tab']} received {received['clientId']} {received['t'] - event['t']:.1f} s after its logout"
    yield from (event["text"] for event in evidence.of("violation") if event["invariant"] == "P8")


def everything_ends(evidence):
    """P9: every message ends as sent or is shown as not sent. What was not acknowledged is never shown as sent."""
    ended = {(event["person"], event["clientId"]) for event in evidence.of("answered")
             if event["outcome"] in ("acknowledged", "refused")}
    given_up = {event["tab"] for event in evidence.of("logged_out")}
    for key, event in evidence.written().items():
        if key not in ended and event["tab"] not in given_up and not event["tab"].startswith("form "):
            yield f"{event['clientId']} of {event['tab']} ended neither as sent nor as not sent"
    yield from (f"{client_id} still waits in an outbox" for client_id in evidence.leftovers)
    yield from (f"{event['text']!r} has vanished from {event['tab']} and its outbox" for event in evidence.of("vanished"))


def resources_return(evidence):
    """P10: memory, open files, threads and greenlets return to where they were."""
    limits = {"memory": MAX_EXTRA_MEMORY_MB, "files": MAX_EXTRA_FILES, "threads": MAX_EXTRA_THREADS, "greenlets": MAX_EXTRA_GREENLETS}
    for before, after in evidence.footprints:
        for name, limit in limits.items():
            if after.get(name, 0) - before.get(name, 0) > limit:
                yield f"{name} grew from {before[name]} to {after[name]}"
    for event in evidence.of("slow_consumer"):
        if not event["dropped"]:
            yield "a client that never reads was not dropped"


def other_violations(evidence):
    """Violations that a fault itself noticed, for example that the history could not be read while the database was read-only."""
    return (event["text"] for event in evidence.of("violation") if event["invariant"] not in ("P8", "P13"))


def rooms_are_for_members(evidence):
    """P13: who left gets nothing that is written more than 2 seconds later, who joined gets everything, and all counts are right."""
    absences, written = _absences(evidence), evidence.written()
    yield from _changes_heard_outside(evidence, absences)
    for event in evidence.of("heard"):
        message = written.get((event["sender"], event["clientId"]))
        for begin, end in absences.get((event["person"], event["conversation"]), [ALWAYS]) if message else ():
            if message.get("typed", message["t"]) > begin + LEAVING_SECONDS and event["t"] < end:
                yield f"{event['tab']} heard {event['clientId']} of {event['conversation']}, in which its person was no member"
    for who, room, seqs in evidence.histories:
        stored = [row["seq"] for row in evidence.rows.get(room, ())]
        if seqs != stored:
            missing = sorted(set(stored) - set(seqs))
            yield f"{who} has {len(seqs)} of {len(stored)} messages of {room}; missing: {missing[:10]}"
    for person, room, where, told, counted in evidence.room_counts:
        if told != counted:
            yield f"{person} is told by {where} {told} unread messages and mentions of {room}; there are {counted}"
    yield from (event["text"] for event in evidence.of("violation") if event["invariant"] == "P13")


def _changes_heard_outside(evidence, absences):
    asked = evidence.asked_changes()
    keys = {(conversation, change["number"]): (change["actorId"], change["clientId"])
            for conversation, changes in evidence.changes.items() for change in changes}
    for event in evidence.of("change_heard"):
        change = asked.get(keys.get((event["conversation"], event["number"])))
        for begin, end in absences.get((event["person"], event["conversation"]), [ALWAYS]) if change else ():
            if change["t"] > begin + LEAVING_SECONDS and event["t"] < end:
                yield f"{event['tab']} heard the change {event['number']} of {event['conversation']}, in which its person was no member"


ALWAYS = (float("-inf"), float("inf"))


def _absences(evidence):
    """Return {(person, room): [(begin, end)]}: from when an end of membership is acknowledged until somebody asks for another one."""
    absences, begins = defaultdict(list), defaultdict(lambda: ALWAYS[0])
    for event in evidence.of("membership"):
        key = event["person"], event["conversation"]
        if event["isIn"]:
            if begins[key] is not None:
                absences[key].append((begins[key], event["asked"]))
            begins[key] = None
        elif event["acknowledged"] and begins[key] is None:
            begins[key] = event["t"]
    for key, begin in begins.items():
        if begin is not None:
            absences[key].append((begin, ALWAYS[1]))
    return dict(absences)


CHECKERS = {"P1": acknowledged_is_stored, "P2": stored_once, "P3": numbered_without_gap, "P4": shown_without_gaps,
            "P5": stored_was_tried, "P6": presence_is_right, "P7": unread_is_counted, "P8": logout_is_an_end,
            "P9": everything_ends, "P10": resources_return, "P11": changes_are_kept, "P12": deleted_is_gone, "P13": rooms_are_for_members, "P14": files_are_kept, "faults": other_violations}


def check(evidence):
    """Return {invariant: violations} for the invariants that were violated."""
    found = {invariant: list(checker(evidence)) for invariant, checker in CHECKERS.items()}
    return {invariant: violations for invariant, violations in found.items() if violations}

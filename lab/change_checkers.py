"""The invariants of changes, P11 and P12. Each checker reads the evidence of a run and nothing else, and yields the violations."""
from collections import Counter, defaultdict

from .evidence import TEXT
from .versions import Version, kind_of

CHANGES_LAG = "changes in"      # stands in what is noted of a tab that does not know the last changes


def changes_are_kept(evidence):
    """P11: an acknowledged change is stored and counts once, numbers have no gap, and what is stored and shown is what they make of it."""
    yield from _stored_as_acknowledged(evidence)
    yield from _numbered_without_gap(evidence)
    yield from _rows_are_what_changes_make(evidence)
    yield from _shown_as_stored(evidence)
    for fault in evidence.faults:
        if fault["catch_up"] > fault["limit"] and any(CHANGES_LAG in text for text in fault["lagging"]):
            yield f"after \"{fault['name']}\" #{fault['n']} it took {fault['catch_up']:.1f} s: {'; '.join(fault['lagging'])}"


def _stored_as_acknowledged(evidence):
    numbers = defaultdict(list)
    for conversation, changes in evidence.changes.items():
        for change in changes:
            numbers[change["actorId"], change["clientId"]].append((conversation, change["number"]))
    asked, ended = evidence.asked_changes(), set()
    yield from (f"the change {client_id} of {actor} is stored {len(found)} times" for (actor, client_id), found in numbers.items() if len(found) > 1)
    yield from (f"the change {client_id} of {actor} was asked for by nobody" for actor, client_id in numbers if (actor, client_id) not in asked)
    for event in evidence.of("changed"):
        key = event["person"], event["clientId"]
        stored, change = numbers.get(key, []), asked[key]
        if event["outcome"] == "acknowledged":
            ended.add(key)
            if stored[:1] != [(change["conversation"], event["change"])]:
                yield f"the change {event['clientId']} of {event['tab']} was acknowledged as {event['change']} and is stored as {stored}"
        elif event["outcome"] in ("refused", "given up"):
            ended.add(key)
            if stored and event["outcome"] == "refused":
                yield f"the change {event['clientId']} of {event['tab']} was refused as {event['code']} and is stored as {stored}"
    for event in evidence.of("change_resent"):
        if [number for _conversation, number in numbers.get((event["person"], event["clientId"]), ())] != [event["change"]]:
            yield f"the change {event['clientId']}, sent again, was answered {event['change'] or event['code']}"
    given_up = {event["tab"] for event in evidence.of("logged_out")}
    yield from (f"the change {event['clientId']} of {event['tab']} ended neither as done nor as refused"
                for key, event in asked.items() if key not in ended and event["tab"] not in given_up)


def _numbered_without_gap(evidence):
    for conversation, changes in evidence.changes.items():
        numbers = [change["number"] for change in changes]
        if numbers != list(range(1, len(numbers) + 1)):
            wrong = next((n, number) for n, number in enumerate(numbers, 1) if n != number)
            yield f"{conversation}: in place {wrong[0]} stands the change {wrong[1]}"


def _rows_are_what_changes_make(evidence):
    """Do all stored changes again, in their order, on what was written: what is stored, and all that was told, must come of it."""
    written, asked = evidence.written(), evidence.asked_changes()
    for conversation, rows in evidence.rows.items():
        expected, history = {}, {}      # seq -> Version; seq -> all its Versions
        for row in rows:
            text = written.get((row["senderId"], row["clientId"]), {}).get("text", row["message"]) if row["kind"] == "text" else ""
            expected[row["seq"]] = Version(0, text, reply_to=row["replyTo"])
        for change in evidence.changes.get(conversation, ()):
            event = asked.get((change["actorId"], change["clientId"]))
            if event is None or change["seq"] not in expected:
                continue        # reported elsewhere, and a change of nothing
            if (kind_of(event["verb"]), event["seq"]) != (change["changeKind"], change["seq"]):
                yield f"{conversation}: {event['verb']} of {event['seq']} is stored as {change}"
            before = expected[change["seq"]]
            after = (before._replace(last_change=change["number"]) if before.is_deleted
                     else before.after(change["number"], event["verb"], change["actorId"]))
            expected[change["seq"]] = after
            history.setdefault(change["seq"], set()).add(after)
        for (where, seq), versions in evidence.told_versions.items():
            if where == conversation and (wrong := versions - history.get(seq, set())):
                yield f"{conversation}: {seq} was told as {wrong.pop()}, which it never was"
        for row in rows:
            if Version.of_row(row) != expected[row["seq"]]:
                yield f"{conversation}: {row['seq']} is stored as {Version.of_row(row)}; its changes make it {expected[row['seq']]}"


def _shown_as_stored(evidence):
    for tab, conversation, shown in evidence.versions:
        stored = {row["seq"]: Version.of_row(row) for row in evidence.rows.get(conversation, ())}
        wrong = [seq for seq, version in shown.items() if version != stored.get(seq)]
        if wrong:
            yield (f"{tab} shows {len(wrong)} messages of {conversation} otherwise than they are stored: {wrong[0]} as {shown[wrong[0]]}"
                   f" instead of {stored.get(wrong[0])}")


def deleted_is_gone(evidence):
    """P12: from the acknowledgement of its deletion on, a text is in no row, and nothing that is read or stored from then on tells it."""
    yield from _no_row_has_it(evidence)
    yield from _nobody_is_told(evidence)
    texts, deleted_texts = evidence.texts(), Counter()
    for conversation, rows in evidence.rows.items():
        for row in rows:
            if row["deleted"]:
                deleted_texts.update(token for text in texts[conversation, row["seq"]] for token in TEXT.findall(text))
    for conversation, rows in evidence.rows.items():
        for row in rows:
            if any(token in deleted_texts for token in TEXT.findall(row["message"])):
                yield f"{row['message']!r} was deleted and stands in {row['seq']} of {conversation}"
    for person, path, found in evidence.pages:
        if gone := sorted(found & deleted_texts.keys()):
            yield f"{person} reads {gone[:3]} at {path}, which were deleted"


def _no_row_has_it(evidence):
    for conversation, rows in evidence.rows.items():
        for row in rows:
            left = [name for name in ("message", "mentions", "mentionRows", "reactions", "pinned") if row[name]]
            if row["deleted"] and left:
                yield f"{row['seq']} of {conversation} was deleted and still has {', '.join(left)}"


def _nobody_is_told(evidence):
    acknowledged = {}       # (conversation, seq) -> when the first deletion of it was acknowledged
    asked = evidence.asked_changes()
    for event in evidence.of("changed"):
        change = asked[event["person"], event["clientId"]]
        if event["outcome"] == "acknowledged" and "delete" in change["verb"]:
            place = change["conversation"], change["seq"]
            acknowledged[place] = min(event["t"], acknowledged.get(place, event["t"]))
    for place, at in acknowledged.items():
        known_at, to = evidence.told.get(place, (0, ""))
        if known_at > at:
            yield f"{place[1]} of {place[0]} was told to {to} as it was {1000 * (known_at - at):.0f} ms after its deletion was acknowledged"

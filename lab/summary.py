"""The table of a run: the messages that were sent and the changes that were made during each fault, and what became of them."""
from collections import Counter

TOTAL = "the whole run, including the time between faults"


def rows_of_table(evidence):
    """Return a row for each fault, and a last one for the whole run.

    A message or a change belongs to the fault during which it was written, from the injection until every tab had caught up.
    """
    stored = Counter((row["senderId"], row["clientId"]) for rows in evidence.rows.values() for row in rows)
    acknowledged = {(e["person"], e["clientId"]) for e in evidence.answered("acknowledged")}
    unknown = Counter((e["person"], e["clientId"]) for e in evidence.answered("unknown"))
    out_of_order_keys = _out_of_order(evidence)
    written = sorted(((event["t"], key) for key, event in evidence.written().items()))
    changes_stored = Counter((change["actorId"], change["clientId"]) for changes in evidence.changes.values() for change in changes)
    changed = sorted((event["t"], key) for key, event in evidence.asked_changes().items())
    changes_acknowledged = {(e["person"], e["clientId"]) for e in evidence.of("changed") if e["outcome"] == "acknowledged"}

    def count(name, spans):
        keys = [key for at, key in written if any(begin <= at <= end for begin, end in spans)]
        change_keys = [key for at, key in changed if any(begin <= at <= end for begin, end in spans)]
        runs = [fault for fault in evidence.faults if fault["name"] == name]
        return {"fault": name, "times": len(runs), "tried": len(keys), "acknowledged": sum(key in acknowledged for key in keys),
                "unknown": sum(unknown[key] for key in keys),
                "lost": sum(key in acknowledged and not stored[key] for key in keys),
                "doubled": sum(stored[key] > 1 for key in keys), "out_of_order": sum(key in out_of_order_keys for key in keys),
                "changes": len(change_keys), "changes_acknowledged": sum(key in changes_acknowledged for key in change_keys),
                "changes_lost": sum((key in changes_acknowledged and not changes_stored[key]) + (changes_stored[key] > 1) for key in change_keys),
                "catch_up": max((fault["catch_up"] for fault in runs), default=0)}
    names = list(dict.fromkeys(fault["name"] for fault in evidence.faults))
    table = [count(name, [(f["begun"], f["recovered"] + f["catch_up"]) for f in evidence.faults if f["name"] == name])
             for name in sorted(names)]
    total = count(TOTAL, [(0, float("inf"))])
    return [*table, {**total, "times": len(evidence.faults), "catch_up": max((f["catch_up"] for f in evidence.faults), default=0)}]


def _out_of_order(evidence):
    """Return the keys of rows that are stored before an earlier message of the same tab, or after a gap."""
    order = {key: (event["tab"].partition(".")[0], n) for n, (key, event) in enumerate(evidence.written().items())}
    found = set()
    for rows in evidence.rows.values():
        latest = {}
        for expected, row in enumerate(rows, 1):
            key = (row["senderId"], row["clientId"])
            tab, n = order.get(key, (None, 0))
            if row["seq"] != expected or n < latest.get(tab, 0):
                found.add(key)
            latest[tab] = max(n, latest.get(tab, 0))
    return found

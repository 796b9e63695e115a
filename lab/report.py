"""docs/delivery-report.md, written from the outcome of a run."""
import platform
from datetime import datetime, timezone
from pathlib import Path

from tools import tables

DOCS = Path(__file__).parent.parent / "docs"
REPORT, CLUSTER_REPORT = DOCS / "delivery-report.md", DOCS / "cluster-report.md"
COLUMNS = {"fault": "fault", "times": "times", "tried": "messages sent", "acknowledged": "acknowledged",
           "unknown": "unknown", "lost": "lost", "doubled": "doubled", "out_of_order": "out of order",
           "changes": "changes", "changes_acknowledged": "changes acknowledged", "changes_lost": "changes lost or doubled",
           "catch_up": "longest catch-up, s"}
RIGHT = range(1, len(COLUMNS))      # these columns contain numbers
NAMES = {"embedded": "Embedded mode: SQLite, sessions in files", "server": "Server mode: MariaDB and Redis",
         "cluster": "A cluster: three processes behind HAProxy, three Galera nodes, Redis with a replica and three Sentinels"}


def cell(value):
    return f"{value:.1f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def cells(outcome):
    """Return the rows of the table as texts."""
    return [[cell(row[name]) for name in COLUMNS] for row in outcome["rows"]]


def as_text(outcome):
    """Return the table of one mode for a terminal."""
    return tables.as_text([list(COLUMNS.values()), *cells(outcome)], RIGHT)


def as_markdown(outcome):
    return tables.as_markdown(COLUMNS.values(), cells(outcome), RIGHT)


def write(outcomes, command, missing, mutants=(), path=REPORT):
    """Write the report of a run of one mode or more."""
    total = sum(outcome["rows"][-1]["tried"] for outcome in outcomes)
    seconds = sum(outcome["seconds"] for outcome in outcomes)
    parts = ["# Delivery under faults\n",
             f"Written by `{command}` on {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC: Python {platform.python_version()},"
             f" {platform.system()} {platform.machine()}."
             f" {seconds / 60:.0f} minutes, {total:,} messages.\n",
             "Each fault is injected while people write: two at scripted tabs over WebSocket and long polling, two at real Chromium"
             " tabs, in three conversations and two rooms, which three of them join and leave all the time. The scripted tabs also edit, delete,"
             " answer, react to and pin what is there. A change that is refused, because the message was deleted or is another's, is not acknowledged."
             " *Unknown* counts the attempts that got no answer; each was repeated. *Longest catch-up* is the time from the fault's end until every tab showed everything that was stored by then.\n"]
    for outcome in outcomes:
        parts += [f"## {NAMES[outcome['mode']]}\n", as_markdown(outcome)]
        if outcome["violations"]:
            parts.append("**Violated:**\n\n" + "".join(f"- {invariant}: {text}\n" for invariant, texts in outcome["violations"].items()
                                                       for text in texts))
        for before, after in outcome["footprints"]:
            parts.append(f"Resource usage of the process before connections were reset and clients did not read: {shown(before)};"
                         f" afterwards: {shown(after)}.\n")
    gone = [f"- {name} ({outcome['mode']})\n" for outcome in outcomes for name in outcome["not_injected"]]
    if missing or gone:
        parts.append("## Not injected on this machine\n\n" + "".join(f"- {what}: {why}\n" for what, why in missing) + "".join(gone))
    if mutants:
        parts.append("## Mutants: the chat without one of its mechanisms\n\n| mutant | caught by | after, s |\n| --- | --- | ---: |\n"
                     + "".join(f"| {m['name']} | {m['caught_by']} | {m['seconds']:.1f} |\n" for m in mutants))
    path.write_text("\n".join(parts), encoding="utf-8")


def shown(footprint):
    units = {"memory": " MB", "files": " open files", "threads": " threads", "greenlets": " greenlets"}
    return ", ".join(f"{footprint.get(name, '?')}{unit}" for name, unit in units.items())

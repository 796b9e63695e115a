"""docs/delivery-report.md: the tables of a run, written by it."""
import platform
from datetime import datetime, timezone
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
REPORT, CLUSTER_REPORT = DOCS / "delivery-report.md", DOCS / "cluster-report.md"
COLUMNS = {"fault": "fault", "times": "times", "tried": "messages tried", "acknowledged": "acknowledged",
           "unknown": "unknown", "lost": "lost", "doubled": "doubled", "out_of_order": "out of order",
           "catch_up": "longest catch-up, s"}
NAMES = {"embedded": "Embedded mode: SQLite, sessions in files", "server": "Server mode: MariaDB and Redis",
         "cluster": "A cluster: three processes behind HAProxy, three Galera nodes, Redis with a replica and three Sentinels"}


def cell(row, name):
    value = row[name]
    return f"{value:.1f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def as_text(outcome):
    """Return the table of one mode for a terminal."""
    lines = [[COLUMNS[name] for name in COLUMNS]] + [[cell(row, name) for name in COLUMNS] for row in outcome["rows"]]
    widths = [max(len(line[n]) for line in lines) for n in range(len(COLUMNS))]
    return "\n".join("  ".join(text.ljust(width) if n == 0 else text.rjust(width)
                               for n, (text, width) in enumerate(zip(line, widths))) for line in lines)


def as_markdown(outcome):
    head = "| " + " | ".join(COLUMNS.values()) + " |\n|" + " --- |" + " ---: |" * (len(COLUMNS) - 1) + "\n"
    return head + "".join("| " + " | ".join(cell(row, name) for name in COLUMNS) + " |\n" for row in outcome["rows"])


def write(outcomes, command, missing, mutants=(), path=REPORT):
    """Write the report of a run of one mode after the other."""
    total = sum(outcome["rows"][-1]["tried"] for outcome in outcomes)
    seconds = sum(outcome["seconds"] for outcome in outcomes)
    parts = ["# What was promised, and what was kept\n",
             f"Written by `{command}` on {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC: Python {platform.python_version()},"
             f" {platform.system()} {platform.machine()}."
             f" {seconds / 60:.0f} minutes, {total:,} messages.\n",
             "A fault is broken and healed while people write: two at scripted tabs over WebSocket and polling, two at real"
             " Chromium tabs, in three conversations. *Unknown* counts the tries that no answer came to; each was tried again."
             " *Longest catch-up* is how long after the fault's end the last tab showed everything that was stored then.\n"]
    for outcome in outcomes:
        parts += [f"## {NAMES[outcome['mode']]}\n", as_markdown(outcome)]
        if outcome["breaches"]:
            parts.append("**Not kept:**\n\n" + "".join(f"- {promise}: {text}\n" for promise, texts in outcome["breaches"].items() for text in texts))
        for before, after in outcome["footprints"]:
            parts.append(f"What the process held before and after connections were reset and clients never read: {shown(before)};"
                         f" {shown(after)}.\n")
    gone = [f"- {name} ({outcome['mode']})\n" for outcome in outcomes for name in outcome["not_injected"]]
    if missing or gone:
        parts.append("## Not injected on this machine\n\n" + "".join(f"- {what}: {why}\n" for what, why in missing) + "".join(gone))
    if mutants:
        parts.append("## Mutants: the chat with a mechanism taken out\n\n| mutant | caught by | after, s |\n| --- | --- | ---: |\n"
                     + "".join(f"| {m['name']} | {m['caught_by']} | {m['seconds']:.1f} |\n" for m in mutants))
    path.write_text("\n".join(parts), encoding="utf-8")


def shown(footprint):
    units = {"memory": " MB", "files": " open files", "threads": " threads", "greenlets": " greenlets"}
    return ", ".join(f"{footprint.get(name, '?')}{unit}" for name, unit in units.items())

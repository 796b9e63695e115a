"""The tables of hostile runs, for a terminal and for docs/hostile-report.md."""
import os
import platform
from datetime import datetime, timezone

from tools import tables

from ..report import DOCS, NAMES

REPORT = DOCS / "hostile-report.md"
ATTACK_COLUMNS = ("attack", "times sent", "answered", "as expected")
MEASUREMENT_COLUMNS = ("measurement", "at most", "measured", "met")


def answers(row):
    return ", ".join(f"{outcome} × {times:,}" for outcome, times in sorted(row["answers"].items(), key=lambda pair: -pair[1])) or "nothing"


def yes_or_no(wrong):
    return "yes" if not wrong else "NO: " + ", ".join(wrong)


def both_tables(outcome):
    """Return the two tables of one run as lists of rows of texts, the head first."""
    attacks = [[row["attack"], f"{row['sent']:,}", answers(row), yes_or_no(row["wrong"])] for row in outcome["rows"]]
    thresholds = [[one["name"], one["limit"], one["measured"], "yes" if one["is_met"] else "NO"] for one in outcome["thresholds"]]
    return [list(ATTACK_COLUMNS), *attacks], [list(MEASUREMENT_COLUMNS), *thresholds]


def title(outcome):
    options = outcome["options"]
    return NAMES[outcome["mode"]] + "".join(f", {words}" for words in (
        f"behind {options['front']}" if options["front"] else "", "by IPv6" if options["ipv6"] else "",
        options["async_mode"] if options["async_mode"] != "eventlet" else "", f"mutant: {options['mutant']}" if options["mutant"] else "") if words)


def as_text(outcome):
    """Return the tables for a terminal."""
    return "\n\n".join([title(outcome), *map(tables.as_text, both_tables(outcome))])


def as_markdown(outcome):
    parts = [f"## {title(outcome)}\n", f"{outcome['attacked'] / 60:.1f} minutes of attacks, beside {outcome['messages']:,} messages and"
             f" {outcome['pages']:,} pages of other people. The server used {outcome['processor'] / outcome['attacked']:.0%} of"
             f" one processor meanwhile; the machine's load over five minutes was {outcome['load_average']:.1f}.\n"]
    parts += [tables.as_markdown(head, rows) for head, *rows in both_tables(outcome)]
    if outcome["violations"]:
        parts.append("**Violated:**\n\n" + "".join(f"- {name}: {text}\n" for name, texts in outcome["violations"].items() for text in texts[:5]))
    return "\n".join(parts)


def write(outcomes, command, path=REPORT):
    """Write the report of one run or more."""
    parts = ["# Attacks, and what other people notice of them\n",
             f"Written by `{command}` on {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC: Python {platform.python_version()}, {platform.system()}"
             f" {platform.machine()}, {os.cpu_count()} processors.\n",
             "A process of low priority sends all attacks at once, from its own addresses. Meanwhile people log in, chat at six tabs over"
             " WebSocket and long polling, load pages and search, each from an address of their own; the measured times are theirs. *Cut*"
             " means that the server ended a connection without an answer, *closed* that it ended a live connection.\n",
             "The resource usage *before* was measured under the ordinary load, after half a minute of all attacks, when their transports were"
             " closed again; *after*, a minute after the attacks, still under the ordinary load. Each is the median of ten samples.\n"]
    path.write_text("\n".join(parts + [as_markdown(outcome) for outcome in outcomes]), encoding="utf-8")

"""The tables of hostile runs, for a terminal and for docs/hostile-report.md."""
import os
import platform
from datetime import datetime, timezone

from ..report import DOCS, NAMES

REPORT = DOCS / "hostile-report.md"
ATTACK_COLUMNS = ("attack", "times sent", "answered", "as it should be")
BAR_COLUMNS = ("bar", "at most", "measured", "kept")


def answers(row):
    return ", ".join(f"{outcome} × {times:,}" for outcome, times in sorted(row["answers"].items(), key=lambda pair: -pair[1])) or "nothing"


def verdict(wrong):
    return "yes" if not wrong else "NO: " + ", ".join(wrong)


def tables(outcome):
    """Return the two tables of one run as lists of rows of text, the head first."""
    attacks = [[row["attack"], f"{row['sent']:,}", answers(row), verdict(row["wrong"])] for row in outcome["rows"]]
    bars = [[bar["name"], bar["limit"], bar["measured"], "yes" if bar["is_kept"] else "NO"] for bar in outcome["bars"]]
    return [list(ATTACK_COLUMNS), *attacks], [list(BAR_COLUMNS), *bars]


def title(outcome):
    options = outcome["options"]
    return NAMES[outcome["mode"]] + "".join(f", {words}" for words in (
        f"behind {options['front']}" if options["front"] else "", "by IPv6" if options["ipv6"] else "",
        options["async_mode"] if options["async_mode"] != "eventlet" else "", f"mutant: {options['mutant']}" if options["mutant"] else "") if words)


def as_text(outcome):
    """Return the tables for a terminal."""
    parts = [title(outcome)]
    for table in tables(outcome):
        widths = [max(len(row[n]) for row in table) for n in range(len(table[0]))]
        parts.append("\n".join("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in table))
    return "\n\n".join(parts)


def as_markdown(outcome):
    parts = [f"## {title(outcome)}\n", f"{outcome['attacked'] / 60:.1f} minutes of attacks, beside {outcome['messages']:,} messages and"
             f" {outcome['pages']:,} pages of other people. The server used {outcome['processor'] / outcome['attacked']:.0%} of"
             f" one processor meanwhile; the machine's load over five minutes was {outcome['load_average']:.1f}.\n"]
    for table in tables(outcome):
        head = f"| {' | '.join(table[0])} |\n|{' --- |' * len(table[0])}\n"
        parts.append(head + "".join("| " + " | ".join(text.replace("|", "\\|") for text in row) + " |\n" for row in table[1:]))
    if outcome["violations"]:
        parts.append("**Not kept:**\n\n" + "".join(f"- {name}: {text}\n" for name, texts in outcome["violations"].items() for text in texts[:5]))
    return "\n".join(parts)


def write(outcomes, command, path=REPORT):
    """Write the report of runs of one mode after the other."""
    parts = ["# What attackers send, and what other people notice of it\n",
             f"Written by `{command}` on {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC: Python {platform.python_version()}, {platform.system()}"
             f" {platform.machine()}, {os.cpu_count()} processors.\n",
             "All attacks are sent at once, by a process of low priority, from addresses of their own. Beside them people log in, chat at six tabs"
             " over WebSocket and long polling, open pages and search, each from an address of their own; the times are theirs. *Cut* is a connection"
             " that the server ended without an answer, *closed* a live one that it ended.\n",
             "What the process held *before* was measured with all people at work, after each attack had been tried for half a minute and its"
             " transports were gone again; *after*, a minute after the attackers had stopped, people still at work. Each is the median of ten looks.\n"]
    path.write_text("\n".join(parts + [as_markdown(outcome) for outcome in outcomes]), encoding="utf-8")

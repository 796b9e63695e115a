"""`prove --soak MINUTES`: half of the load is malformed for an hour. The resource usage is recorded every minute."""
import csv
import time
from pathlib import Path

import pygal
from pygal.style import CleanStyle

from ..record import Record
from .attackers import Attackers, rows_of_attacks
from .thresholds import MAX_GROWTH, RESOURCES, is_back
from .environment import HostileEnvironment
from .run import shown, target_of

COLUMNS = ("minute", "memory_mb", "descriptors", "threads", "entries", "ordinary", "malformed")
SETTLED_SHARE = 0.25        # share of the run after which the usage must not grow any more
RATE_STEPS = 0.5            # largest correction of the attackers' rate at once
START_RATE = 0.1            # share of the rate in a hostile run
CALM_SECONDS = 30           # of each minute without attacks: transports that never connect are closed after 10 s
LOOKING_SECONDS = 5         # for the measurement at the end of each minute
LIVE_EVENTS = 4             # events per message: sent, acknowledged, delivered, marked as read


def ordinary(environment):
    """Return how many requests and events ordinary people have sent: pages, and messages with their events."""
    return sum(len(loader.samples) for loader in environment.page_loaders) + LIVE_EVENTS * len(environment.record.of("written"))


def soak(options, minutes, directory, folder, log=print):
    """Run; return {rows, missed}. Writes soak-MODE.csv and soak-MODE.svg into the folder."""
    record, rows, malformed, rate, results = Record(Path(directory) / "log.jsonl"), [], 0, START_RATE, {}
    with HostileEnvironment(options, record, directory) as environment:
        attackers = Attackers(target_of(environment), options)
        environment.begin_load()
        began, base = time.monotonic(), ordinary(environment)
        while len(rows) < minutes:
            _begun, _ended, sent = attackers.attack_for(max(5, began + 60 * (len(rows) + 1) - time.monotonic() - CALM_SECONDS),
                                                        environment.sids(), rate=rate, seed=len(rows))
            add(results, sent)
            malformed += sum(row["sent"] for row in sent.values())
            time.sleep(max(0, began + 60 * (len(rows) + 1) - LOOKING_SECONDS - time.monotonic()))
            usage, people = environment.resource_usage(), ordinary(environment) - base
            counts = {name: int(usage[name]) for name in ("descriptors", "threads", "entries")}
            rows.append({"minute": len(rows) + 1, "memory_mb": round(usage["memory"] / 1024, 1), **counts, "ordinary": people, "malformed": malformed})
            rate *= min(1 + RATE_STEPS, max(1 - RATE_STEPS, people / max(1, malformed)))
            log(f"minute {len(rows)}: {shown(usage)}; {people:,} ordinary, {malformed:,} malformed")
            write(rows, folder, options["mode"])
        environment.end_load()
        environment.settle()
        attacks = rows_of_attacks(results, environment.server.seen)
    record.close()
    return {"mode": options["mode"], "rows": rows, "missed": missed(rows, minutes, attacks)}


def add(results, sent):
    """Add the counts of one round to the totals."""
    for name, row in sent.items():
        total = results.setdefault(name, {"sent": 0, "answers": {}})
        total["sent"] += row["sent"]
        for outcome, times in row["answers"].items():
            total["answers"][outcome] = total["answers"].get(outcome, 0) + times


def missed(rows, minutes, attacks):
    """Return, as texts, what has grown since the first quarter, and which attacks got an unexpected answer."""
    early, late = rows[min(len(rows) - 1, int(minutes * SETTLED_SHARE))], rows[-1]
    names = dict(zip(COLUMNS[1:5], RESOURCES))
    return [f"{name}: {early[column]} in minute {early['minute']}, {late[column]} in minute {late['minute']}, more than {MAX_GROWTH:.0%} beyond"
            for column, name in names.items() if not is_back(early[column], late[column])] + [
                f"{row['attack']}: {', '.join(row['wrong'])}" for row in attacks if row["wrong"] and row["sent"]]


def write(rows, folder, mode):
    """Write the table so far, and its plot, in which each measurement is relative to its first value."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"soak-{mode}.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)
    chart = pygal.Line(style=CleanStyle, title=f"Resource usage while half of the load is malformed ({mode} mode)", x_title="minute",
                       y_title="% of the first minute", x_labels=[row["minute"] for row in rows], x_labels_major_every=5,
                       show_minor_x_labels=False, truncate_label=-1,
                       width=900, height=400, show_dots=False, legend_at_bottom=True, js=[], disable_xml_declaration=True)
    for column, words in (("memory_mb", "memory"), ("descriptors", "descriptors"), ("threads", "threads"), ("entries", "transport entries")):
        chart.add(f"{words} (first {rows[0][column]:g}, last {rows[-1][column]:g})",
                  [round(100 * row[column] / max(1, rows[0][column]), 1) for row in rows])
    chart.render_to_file(str(folder / f"soak-{mode}.svg"))

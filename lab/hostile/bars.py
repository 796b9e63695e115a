"""The bars: what people may notice of an attack, and what may be left of it afterwards."""
from dataclasses import dataclass

from .bystander import failed

PAGE_SECONDS, DELIVERY_SECONDS = 0.5, 0.2   # p99
MAX_GROWTH = 0.10           # of what the process held before
FEW = 5                     # descriptors, threads or entries: ordinary people come and go meanwhile
QUICK_MEMORY_GROWTH = 0.50  # after a quarter of a minute nothing has its size yet
RESOURCES = {"memory": "memory, KB", "descriptors": "descriptors", "threads": "threads", "entries": "transport entries"}
UNITS = {"memory": " KB"}


@dataclass
class Bar:
    """One row of the lower table."""

    name: str
    limit: str
    measured: str
    is_kept: bool


def percentile(values, share):
    """Return the value below which that share of all values lies; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


def deliveries(record, begun, ended, tabs=None):
    """Return the seconds from writing to being shown at another person's tab, of what was written in that time."""
    written = {event["clientId"]: event for event in record.of("written")}
    seconds = []
    for view in list(record.views.values()):
        for at, client_id in zip(list(view.times), list(view.client_ids)):
            event = written.get(client_id)
            if event and begun <= event["t"] <= ended and not event["tab"].startswith(view.tab.split("/")[0]):
                if tabs is None or view.tab in tabs:
                    seconds.append(at - event["t"])
    return seconds


def within(before, after, names=tuple(RESOURCES), quick=False):
    """Tell whether everything is back."""
    return all(is_back(before[name], after[name], growth_of(name, quick)) for name in names)


def is_back(before, after, growth=MAX_GROWTH):
    return after <= max(before * (1 + growth), before + FEW)


def growth_of(name, quick):
    return QUICK_MEMORY_GROWTH if quick and name == "memory" else MAX_GROWTH


def judge(environment, phase, held, totals, violations, patience):
    """Return the bars. `phase` is (begin, end) of the attacks, `held` is (before, after), `patience` a factor for the times."""
    begun, ended = phase
    looks = [look for browser in environment.browsers for look in browser.looks if begun <= look[0] <= ended]
    pages = [look[2] for look in looks if look[1] != "log in"]
    websockets = [tab.name for tab in environment.tabs if tab.transports == ["websocket"]]
    arrived = deliveries(environment.record, begun, ended, websockets)
    dropped = [event for event in environment.record.of("disconnected") if event["t"] >= begun]
    bars = [
        time_bar("p99 of a page", pages, PAGE_SECONDS * patience),
        time_bar("p99 of a delivery", arrived, DELIVERY_SECONDS * patience),
        count_bar("pages that were not answered as always", len(failed(looks))),
        count_bar("other people's sockets that were dropped", len(dropped)),
        *(count_bar(name, totals[key]) for name, key in (("lost", "lost"), ("doubled", "doubled"), ("out of order", "out_of_order"))),
        count_bar("delivery promises not kept", len(violations)),
    ]
    before, after = held
    for name, words in RESOURCES.items():
        growth = growth_of(name, patience > 1)
        bars.append(Bar(f"{words}, {'a minute after' if patience == 1 else 'afterwards'}", f"{before[name] * (1 + growth):,.0f}",
                        f"{before[name]:,.0f} → {after[name]:,.0f}", is_back(before[name], after[name], growth)))
    return bars


def time_bar(name, values, limit):
    measured = percentile(values, 0.99)
    words = f"{1000 * measured:.0f} ms (median {1000 * percentile(values, 0.5):.0f}, longest {1000 * max(values, default=0):.0f}, of {len(values):,})"
    return Bar(name, f"{1000 * limit:.0f} ms", words, bool(values) and measured < limit)


def count_bar(name, count):
    return Bar(name, "0", f"{count:,}", count == 0)

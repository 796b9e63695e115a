"""The thresholds: what people may notice of the attacks, and how much the resource usage may grow."""
from dataclasses import dataclass

from .ordinary_users import failed

PAGE_SECONDS, DELIVERY_SECONDS = 0.5, 0.2   # 99th percentiles
MAX_GROWTH = 0.10                           # of the resource usage before the attacks
MIN_ALLOWED_GROWTH = 5                      # descriptors, threads or entries: ordinary people come and go meanwhile
QUICK_MEMORY_GROWTH = 0.50                  # after 15 seconds nothing has reached its final size yet
RESOURCES = {"memory": "memory, KB", "descriptors": "descriptors", "threads": "threads", "entries": "transport entries"}


@dataclass
class Threshold:
    """One row of the second table."""

    name: str
    limit: str
    measured: str
    is_met: bool


def percentile(values, share):
    """Return a percentile of the values; 0 if there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


def deliveries(record, begun, ended, tabs=None):
    """Return the seconds from writing to being shown at another person's tab, for messages written in that time.

    A message with files is sent when they are uploaded: its delivery begins then.
    """
    written = {event["clientId"]: event for event in record.of("written")}
    sent_at = {event["clientId"]: event["asked"] for event in record.of("answered") if written[event["clientId"]]["files"]}
    seconds = []
    for view in list(record.views.values()):
        for at, client_id in zip(list(view.times), list(view.client_ids)):
            event = written.get(client_id)
            if event and begun <= event["t"] <= ended and not event["tab"].startswith(view.tab.split("/")[0]):
                if tabs is None or view.tab in tabs:
                    seconds.append(at - sent_at.get(client_id, event["t"]))
    return seconds


def has_returned(before, after, names=tuple(RESOURCES), quick=False):
    """Tell whether the usage has returned to where it was."""
    return all(is_back(before[name], after[name], growth_of(name, quick)) for name in names)


def is_back(before, after, growth=MAX_GROWTH):
    return after <= max(before * (1 + growth), before + MIN_ALLOWED_GROWTH)


def growth_of(name, quick):
    return QUICK_MEMORY_GROWTH if quick and name == "memory" else MAX_GROWTH


def evaluate(environment, phase, usage, totals, violations, patience):
    """Return the thresholds with their measurements. `phase` is (begin, end) of the attacks; `patience` is a factor for the times."""
    begun, ended = phase
    samples = [sample for loader in environment.page_loaders for sample in loader.samples if begun <= sample.at <= ended]
    pages = [sample.seconds for sample in samples if sample.page != "log in"]
    websockets = [tab.name for tab in environment.tabs if tab.transports == ["websocket"]]
    arrived = deliveries(environment.record, begun, ended, websockets)
    dropped = [event for event in environment.record.of("disconnected") if event["t"] >= begun]
    thresholds = [
        time_threshold("p99 of a page", pages, PAGE_SECONDS * patience),
        time_threshold("p99 of a delivery", arrived, DELIVERY_SECONDS * patience),
        count_threshold("pages with an unexpected answer", len(failed(samples))),
        count_threshold("other people's connections that were dropped", len(dropped)),
        *(count_threshold(name, totals[key]) for name, key in (("lost", "lost"), ("doubled", "doubled"), ("out of order", "out_of_order"))),
        count_threshold("delivery invariants violated", len(violations)),
    ]
    before, after = usage
    for name, words in RESOURCES.items():
        growth = growth_of(name, patience > 1)
        thresholds.append(Threshold(f"{words}, {'a minute after' if patience == 1 else 'afterwards'}", f"{before[name] * (1 + growth):,.0f}",
                        f"{before[name]:,.0f} → {after[name]:,.0f}", is_back(before[name], after[name], growth)))
    return thresholds


def time_threshold(name, values, limit):
    measured = percentile(values, 0.99)
    words = f"{1000 * measured:.0f} ms (median {1000 * percentile(values, 0.5):.0f}, longest {1000 * max(values, default=0):.0f}, of {len(values):,})"
    return Threshold(name, f"{1000 * limit:.0f} ms", words, bool(values) and measured < limit)


def count_threshold(name, count):
    return Threshold(name, "0", f"{count:,}", count == 0)

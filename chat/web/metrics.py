"""Metrics: what happens in this process is counted where it happens, and exported to Prometheus at /metrics.

To count is a plain addition. The client library's own counters take a lock each, and each message would take several.
"""
import hmac
import ipaddress
import threading
from bisect import bisect_left
from collections import Counter
from socket import gethostname
from urllib.parse import urlsplit

from flask import Blueprint, abort, request
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST

BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100)    # messages
DELIVERY_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
FORWARDED = ("X-Forwarded-For", "Forwarded", "Via")     # headers of a proxy: the address of the request is then the proxy's


class Histogram:
    """How many values are at most each bound, and their sum. It is not thread-safe: one task at a time may call `observe`."""

    def __init__(self, bounds):
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0

    def observe(self, value):
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def buckets(self):
        """Return [(bound, how many values up to it)], the form that Prometheus uses."""
        total, found = 0, []
        for bound, count in zip((*self.bounds, "+Inf"), self.counts):
            total += count
            found.append((str(bound), total))
        return found


class Metrics:
    """The counters of one process. The task that commits observes messages; any task may observe the rest."""

    def __init__(self):
        self.batches = Histogram(BATCH_SIZES)
        self.deliveries = Histogram(DELIVERY_SECONDS)
        self.lock = threading.Lock()
        self.refused = Counter()        # code of an error -> how often it was answered
        self.connections = self.reconnections = 0

    def observe_error(self, error):
        """Count an error that was answered, by its code."""
        with self.lock:
            self.refused[error.code] += 1

    def observe_connection(self, is_reconnect):
        """Count a new live connection; `is_reconnect` if this user had left just before."""
        with self.lock:
            self.connections += 1
            self.reconnections += is_reconnect


class Collector:
    """Turns the counters, and the state of the chat's parts, into Prometheus' metrics."""

    def __init__(self, metrics, socket, deadlines):
        self.metrics = metrics
        self.socket = socket
        self.deadlines = deadlines

    def collect(self):
        yield from (*self._counters(), *self._histograms(), *self._gauges())

    def _counters(self):
        metrics, socket = self.metrics, self.socket
        for name, help_text, value in (
                ("chat_messages", "Messages stored", metrics.batches.sum),
                ("chat_connects", "Live connections that were opened", metrics.connections),
                ("chat_reconnects", "Of these, by a user who had left within the last seconds", metrics.reconnections),
                ("chat_transports_closed_for_flooding", "Transports that were closed because they sent too many packets",
                 socket.connections.transports.closed_for_flooding)):
            yield CounterMetricFamily(name, help_text, value)
        yield _labelled("chat_refused", "Errors that were answered, by the code of the protocol", "code", metrics.refused)
        yield _labelled("chat_budget_refused", "What was refused because a budget was spent, by its name", "budget",
                        socket.backends.budgets.refused)
        yield _labelled("chat_connections_aborted", "Connections that missed a deadline, by what was awaited (waiting: one of too many)",
                        "reason", self.deadlines.counts)

    def _histograms(self):
        for name, help_text, histogram in (
                ("chat_batch_size", "Messages committed together", self.metrics.batches),
                ("chat_delivery_seconds", "From a message's arrival to its delivery, including the commit", self.metrics.deliveries)):
            yield HistogramMetricFamily(name, help_text, histogram.buckets(), histogram.sum)

    def _gauges(self):
        socket, transports = self.socket, self.socket.connections.transports
        for name, help_text, value in (
                ("chat_connections", "Live connections", len(socket.connections)),
                ("chat_local_users", "Users with a live connection to this process", len(socket.backends.presence.connections)),
                ("chat_people_online", "Users online, connected to any process", len(socket.backends.presence.online())),
                ("chat_writer_queue", "Messages that wait for the next commit", len(socket.writer.queue)),
                ("chat_bus_queue", "Events that wait to be published to other processes", len(socket.backends.bus.queue)),
                ("chat_transport_entries", "Entries in the tables of transports; a leak would let them grow", transports.entries()),
                ("chat_waiting_bytes", "Bytes that wait for clients which do not read", transports.unsent_bytes())):
            yield GaugeMetricFamily(name, help_text, value)


def _labelled(name, help_text, label, counts):
    family = CounterMetricFamily(name, help_text, labels=[label])
    for value, count in list(counts.items()):
        family.add_metric([value], count)
    return family


def metrics_blueprint(metrics, socket, deadlines, token):
    """Return the blueprint of /metrics. With a token only its holder may read it, without one only this machine."""
    blueprint = Blueprint("metrics", __name__)
    registry = CollectorRegistry()
    registry.register(Collector(metrics, socket, deadlines))
    ProcessCollector(registry=registry)

    @blueprint.get("/metrics")
    def show():
        if not _may_read(token):
            abort(404)
        return generate_latest(registry), {"Content-Type": CONTENT_TYPE_LATEST}
    return blueprint


def _may_read(token):
    if token:
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
    return (not any(name in request.headers for name in FORWARDED) and ipaddress.ip_address(request.remote_addr).is_loopback
            and _is_this_machine(request.host))


def _is_this_machine(host):
    """Tell whether a Host header names this machine. If not, a foreign page may have pointed its own name here (DNS rebinding)."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name in ("localhost", gethostname().lower()) or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False

"""Metrics: what happens in this process, counted where it happens, and shown to Prometheus at /metrics.

Counting is a plain addition. The client library's own counters take a lock each, and a message would pay for several.
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
FORWARDED = ("X-Forwarded-For", "Forwarded", "Via")     # who sends one of them is a proxy, whose own address says nothing


class Histogram:
    """How many values fell under each bound, and their sum. One at a time may note."""

    def __init__(self, bounds):
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0

    def observe(self, value):
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def buckets(self):
        """Return [(bound, how many up to it)], as Prometheus has it."""
        total, found = 0, []
        for bound, count in zip((*self.bounds, "+Inf"), self.counts):
            total += count
            found.append((str(bound), total))
        return found


class Metrics:
    """The counters of one process. Messages are noted by the one who commits, the rest by anybody."""

    def __init__(self):
        self.batches = Histogram(BATCH_SIZES)
        self.deliveries = Histogram(DELIVERY_SECONDS)
        self.lock = threading.Lock()
        self.refused = Counter()        # code -> how often
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
    """Turns the counters, and what the chat is made of, into what Prometheus reads."""

    def __init__(self, metrics, socket, deadlines):
        self.metrics = metrics
        self.deadlines = deadlines
        self.socket = socket

    def collect(self):
        metrics, socket = self.metrics, self.socket
        for name, words, value in (
                ("chat_messages", "Messages stored", metrics.batches.sum),
                ("chat_connects", "Live connections that were opened", metrics.connections),
                ("chat_floods", "Transports that were closed because they sent too much", socket.connections.transports.closed_for_flooding),
                ("chat_reconnects", "Of these, by somebody who had left within the last seconds", metrics.reconnections)):
            yield CounterMetricFamily(name, words, value)
        refused = CounterMetricFamily("chat_refused", "What was refused, by the code of the contract", labels=["code"])
        for code, times in list(metrics.refused.items()):
            refused.add_metric([code], times)
        yield refused
        spent = CounterMetricFamily("chat_budget_refused", "What was refused because a budget was spent, by its name", labels=["budget"])
        for name, times in list(socket.backends.budgets.refused.items()):
            spent.add_metric([name], times)
        yield spent
        cut = CounterMetricFamily("chat_cut", "Connections that were cut because they kept the server waiting, by what for", labels=["reason"])
        for reason, times in self.deadlines.counts.items():
            cut.add_metric([reason], times)
        yield cut
        for name, words, histogram in (
                ("chat_batch_size", "Messages committed together", metrics.batches),
                ("chat_delivery_seconds", "From a message's arrival to its delivery, the commit between them", metrics.deliveries)):
            yield HistogramMetricFamily(name, words, histogram.buckets(), histogram.sum)
        for name, words, value in (
                ("chat_connections", "Live connections", len(socket.connections)),
                ("chat_people_here", "People with a live connection to this process", len(socket.backends.presence.connections)),
                ("chat_people_online", "People online, wherever they are connected", len(socket.backends.presence.online())),
                ("chat_writer_queue", "Messages that wait for the next commit", len(socket.writer.queue)),
                ("chat_bus_queue", "What waits to be told to other processes", len(socket.backends.bus.queue)),
                ("chat_transport_entries", "What is noted of all transports: it would grow if one were not forgotten", socket.connections.transports.entries()),
                ("chat_waiting_bytes", "Bytes that wait for clients which do not read", socket.connections.transports.unsent_bytes())):
            yield GaugeMetricFamily(name, words, value)


def metrics_blueprint(metrics, socket, deadlines, token):
    """Serve /metrics: to who shows the token, or, where there is none, to this machine alone."""
    blueprint = Blueprint("metrics", __name__)
    registry = CollectorRegistry()
    registry.register(Collector(metrics, socket, deadlines))
    ProcessCollector(registry=registry)

    @blueprint.get("/metrics")
    def show():
        if not _may_look(token):
            abort(404)
        return generate_latest(registry), {"Content-Type": CONTENT_TYPE_LATEST}
    return blueprint


def _may_look(token):
    if token:
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
    return (not any(name in request.headers for name in FORWARDED) and ipaddress.ip_address(request.remote_addr).is_loopback
            and _is_this_machine(request.host))


def _is_this_machine(host):
    """Tell whether a Host header names this machine: a page from elsewhere whose name leads here (DNS rebinding) reads nothing."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name in ("localhost", gethostname().lower()) or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False

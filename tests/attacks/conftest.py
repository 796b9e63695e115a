"""The bystander: who asks for pages while somebody attacks, and what the attack costs the server."""
import csv
import os
import re
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
import requests

ASYNC_MODES = ("eventlet", "gevent", "threading")
PAUSE = 0.02        # seconds between two looks
TIMEOUT = 60        # seconds for an answer: what is too long each test says itself


def pytest_addoption(parser):
    parser.addoption("--figures", metavar="FILE", help="append what the attacks' tests measure to this file, as CSV")


@pytest.fixture
def record(request):
    """Return `record(server, figure, value, unit)`, which returns the value; with --figures it is also written down.

    A line has the test, the server's mode, the figure's name, the value and the unit. `server` is None where none runs.
    """
    path = request.config.getoption("figures", None)

    def write(server, figure, value, unit):
        if path:
            with open(path, "a", newline="", encoding="utf-8") as file:
                csv.writer(file).writerow([request.node.nodeid.removeprefix("tests/attacks/"), mode_of(server), figure, f"{value:.6g}", unit])
        return value
    return write


def mode_of(server):
    """Return how a server of the tests runs, as `embedded, eventlet`."""
    if not server:
        return "no server"
    kind = "server" if "DATABASE_URL" in server.settings else "embedded"
    return f"{kind}, {server.settings.get('ASYNC_MODE') or os.environ.get('ASYNC_MODE', 'eventlet')}"


class Bystander:
    """Asks for a page again and again; `longest` is the time that the slowest answer took, in seconds.

    `cpu` is the processor time that the server took meanwhile, in seconds: how busy the machine is does not change it.
    """

    def __init__(self, server, record):
        self.server = server
        self.record = record
        self.url = server.url
        self.cpu = 0
        self.longest = 0
        self.asked = 0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)

    def _look(self):
        with requests.Session() as http:
            while not self.ending.is_set():
                started = time.monotonic()
                http.get(self.url + "/healthz", timeout=TIMEOUT)
                self.longest = max(self.longest, time.monotonic() - started)
                self.asked += 1
                self.ending.wait(PAUSE)

    def __enter__(self):
        self.cpu = measure(self.server, "process_cpu_seconds_total")
        self.thread.start()
        return self

    def __exit__(self, *_error):
        self.ending.set()
        self.thread.join()
        self.cpu = measure(self.server, "process_cpu_seconds_total") - self.cpu
        assert self.asked, "somebody stood by"
        self.record(self.server, "processor time", self.cpu, "s")
        self.record(self.server, "longest page", self.longest, "s")


@pytest.fixture
def bystander(record):
    """Return `bystander(server)`: a context in which somebody asks for pages."""
    return lambda server: Bystander(server, record)


@pytest.fixture
def embedded(start_server):
    """A server of one's own, in the default mode, with the limits that people have."""
    return start_server(RATELIMIT_ENABLED="1")


def connect(server):
    """Open a bare connection, to send on it what no browser would."""
    parts = urlsplit(server.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=15)


def measure(server, name):
    """Return what /metrics says of a measure that has no labels."""
    text = requests.get(server.url + "/metrics", timeout=TIMEOUT).text
    return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])

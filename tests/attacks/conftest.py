"""The bystander: who asks for pages while somebody attacks, and what the attack costs the server."""
import re
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
import requests

ASYNC_MODES = ("eventlet", "gevent", "threading")
PAUSE = 0.02        # seconds between two looks


class Bystander:
    """Asks for a page again and again; `longest` is the time that the slowest answer took, in seconds.

    `cpu` is the processor time that the server took meanwhile, in seconds: how busy the machine is does not change it.
    """

    def __init__(self, server):
        self.server = server
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
                http.get(self.url + "/healthz", timeout=60)
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


@pytest.fixture
def bystander():
    """Return `bystander(server)`: a context in which somebody asks for pages."""
    return lambda server: Bystander(server)


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
    text = requests.get(server.url + "/metrics", timeout=10).text
    return float(re.search(rf"^{name} (\S+)$", text, re.M)[1])

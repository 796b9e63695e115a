"""The bystander: how long an ordinary page takes while somebody attacks."""
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
    """Asks for a page again and again; `longest` is the time that the slowest answer took, in seconds."""

    def __init__(self, url):
        self.url = url
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
        self.thread.start()
        return self

    def __exit__(self, *_error):
        self.ending.set()
        self.thread.join()
        assert self.asked, "somebody stood by"


@pytest.fixture
def bystander():
    """Return `bystander(server)`: a context in which somebody asks for pages."""
    return lambda server: Bystander(server.url)


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

"""Ordinary people: tabs that chat, and browsers that load pages and search. Both are timed."""
import contextlib
import random
import socket
import ssl
import threading
import time
from typing import NamedTuple
from urllib.parse import urlsplit

import requests
import socketio

from tests.people import session_of

from ..client import CONNECT_STEP_SECONDS, ScriptedTab
from ..http_session import ReportingSession
from ..tls_socket import TlsSocket
from .addresses import at

PAGES_PER_SECOND = 3        # of each person
LOGIN_EVERY = 40            # pages between two logins
PATIENCE_SECONDS = 60
REQUEST_SECONDS = 15        # for one step of a connection


class Sample(NamedTuple):
    """How long a page took; `status` is None if there was no answer."""

    at: float
    page: str
    seconds: float
    status: int


class SourcedTab(ScriptedTab):
    """A scripted tab whose connections come from its person's address."""

    def _new_client(self, disconnected):
        session = at(self.person.source, session_of(self.person, ReportingSession(disconnected.set)), self.person.cafile)
        options = {"socket": self._connected_socket()} if self.transports == ["websocket"] else {}
        return socketio.Client(reconnection=False, request_timeout=REQUEST_SECONDS, http_session=session,
                               websocket_extra_options={name: value for name, value in options.items() if value})

    def call(self, event, payload):
        """As in ScriptedTab, but never disconnect after missing answers. So every disconnect in this run was the server's."""
        answer = super().call(event, payload)
        self.unanswered = 0
        return answer

    def _connected_socket(self):
        """Return the socket for a WebSocket; None if nobody answers, which the library then reports itself."""
        address = urlsplit(self.person.url)
        with contextlib.suppress(OSError):
            sock = socket.create_connection((address.hostname, address.port), CONNECT_STEP_SECONDS, (self.person.source, 0))
            if address.scheme == "https":
                sock = TlsSocket(ssl.create_default_context(cafile=self.person.cafile).wrap_socket(sock, server_hostname=address.hostname))
            return sock
        return None


class PageLoader(threading.Thread):
    """Loads one page after the other, and keeps a Sample of each."""

    def __init__(self, person, peer, seed):
        super().__init__(daemon=True)
        self.person, self.peer = person, peer
        self.rng, self.ending = random.Random(seed), threading.Event()
        self.samples = []

    def run(self):
        while not self.ending.wait(self.rng.expovariate(PAGES_PER_SECOND)):
            if self.samples and self.samples[-1].status == 302 and self.samples[-1].page != "log in":
                self._sample("log in", self.person.log_in)    # the last attempt failed
            elif len(self.samples) % LOGIN_EVERY == LOGIN_EVERY - 1:
                self._sample("log in", self._log_in_again)
            else:
                page, path = self.rng.choice([("home", "/"), ("conversation", f"/chat/{self.peer}"), ("search", "/users?q=an"),
                                               ("history", f"/messages/{self.peer}"), ("health", "/healthz")])
                self._sample(page, lambda path=path: self.person.http.get(self.person.url + path, timeout=PATIENCE_SECONDS, allow_redirects=False))

    def _sample(self, page, request):
        begun, status = time.monotonic(), None
        with contextlib.suppress(requests.RequestException, AttributeError):
            status = request().status_code
        self.samples.append(Sample(begun, page, time.monotonic() - begun, status))

    def _log_in_again(self):
        self.person.log_out()
        self.person.new_browser()
        return self.person.log_in()

    def end(self):
        self.ending.set()
        self.join(PATIENCE_SECONDS)


EXPECTED = {"log in": 302}


def failed(samples):
    """Return the samples whose answer was not as usual."""
    return [sample for sample in samples if sample.status != EXPECTED.get(sample.page, 200)]

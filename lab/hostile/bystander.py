"""Ordinary people: tabs that chat, and browsers that open pages and search, each measured."""
import contextlib
import random
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit

import requests
import socketio

from tests.people import session_of

from ..client import OPENING_SECONDS, ScriptedTab
from ..telltale import TelltaleSession
from .addresses import at

PAGES_PER_SECOND = 3        # of each browser
LOGIN_EVERY = 40            # pages: then the person logs out and in again
PATIENCE_SECONDS = 60
REQUEST_SECONDS = 15        # for a step of a connection


class SourcedTab(ScriptedTab):
    """A scripted tab whose connections come from its person's address."""

    def _new_client(self, lost):
        session = at(self.person.source, session_of(self.person, TelltaleSession(lost.set)), self.person.cafile)
        options = {"socket": self._connected_socket()} if self.transports == ["websocket"] else {}
        return socketio.Client(reconnection=False, request_timeout=REQUEST_SECONDS, http_session=session,
                               websocket_extra_options={name: value for name, value in options.items() if value})

    def ask(self, event, payload):
        """The same, but never give a connection up for want of answers: what is lost then is what the server has ended."""
        answer = super().ask(event, payload)
        self.unanswered = 0
        return answer

    def _connected_socket(self):
        """Return what a WebSocket is to run over; None where nobody answers, which the library then finds out by itself."""
        address = urlsplit(self.person.url)
        with contextlib.suppress(OSError):
            sock = socket.create_connection((address.hostname, address.port), OPENING_SECONDS, (self.person.source, 0))
            if address.scheme == "https":
                sock = ssl.create_default_context(cafile=self.person.cafile).wrap_socket(sock, server_hostname=address.hostname)
            return sock
        return None


class Browser(threading.Thread):
    """Opens one page after the other; `looks` holds (when, what, seconds, status or None)."""

    def __init__(self, person, peer, seed):
        super().__init__(daemon=True)
        self.person, self.peer = person, peer
        self.dice, self.ending = random.Random(seed), threading.Event()
        self.looks = []

    def run(self):
        while not self.ending.wait(self.dice.expovariate(PAGES_PER_SECOND)):
            if self.looks and self.looks[-1][3] == 302 and self.looks[-1][1] != "log in":
                self._look("log in", self.person.log_in)    # it came to nothing the last time
            elif len(self.looks) % LOGIN_EVERY == LOGIN_EVERY - 1:
                self._look("log in", self._come_again)
            else:
                what, path = self.dice.choice([("home", "/"), ("conversation", f"/chat/{self.peer}"), ("search", "/users?q=an"),
                                               ("history", f"/messages/{self.peer}"), ("health", "/healthz")])
                self._look(what, lambda path=path: self.person.http.get(self.person.url + path, timeout=PATIENCE_SECONDS, allow_redirects=False))

    def _look(self, what, ask):
        begun, status = time.monotonic(), None
        with contextlib.suppress(requests.RequestException, AttributeError):
            status = ask().status_code
        self.looks.append((begun, what, time.monotonic() - begun, status))

    def _come_again(self):
        self.person.log_out()
        self.person.new_browser()
        return self.person.log_in()

    def end(self):
        self.ending.set()
        self.join(PATIENCE_SECONDS)


EXPECTED = {"log in": 302}


def failed(looks):
    """Return those pages that were not answered as always."""
    return [look for look in looks if look[3] != EXPECTED.get(look[1], 200)]

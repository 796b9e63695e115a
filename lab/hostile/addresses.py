"""Source addresses: every person and every attacker connects from an address of their own on this machine."""
import itertools
import subprocess

import requests
from requests.adapters import HTTPAdapter

from tests.people import Person
from tools import programs

from .. import namespace

ATTACKERS = 48              # addresses of the attackers
PEOPLE = 32                 # addresses of ordinary people


class Addresses:
    """IPv4: 127.0.2.x for people and 127.0.9.x for attackers. IPv6: a /64 each, added to a network namespace of our own."""

    def __init__(self, ipv6=False):
        pattern = "fd00:0:0:{:x}::{:x}" if ipv6 else "127.0.{}.{}"
        own = [pattern.format(2 + n * ipv6, 1 + n * (not ipv6)) for n in range(PEOPLE)]
        self.attackers = [pattern.format(9 + (n + PEOPLE) * ipv6, 1 + n * (not ipv6)) for n in range(ATTACKERS)]
        self.host = "::1" if ipv6 else "127.0.0.1"
        self.people = itertools.cycle(own)
        if ipv6:
            if not namespace.inside():
                raise SystemExit("IPv6 addresses for each person need a network of our own (unshare), which this machine does not allow.")
            for address in (*own, *self.attackers):
                subprocess.run([programs.IP.path(), "-6", "address", "replace", f"{address}/128", "dev", "lo"], check=True)

    def next(self):
        """Return an address for another person."""
        return next(self.people)


class SourceAdapter(HTTPAdapter):
    """Opens connections from one address."""

    def __init__(self, source):
        self.source = source
        super().__init__()

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, source_address=(self.source, 0), **options)


def at(source, session, cafile=""):
    """Make a session open its connections from that address; return the session."""
    for scheme in ("http://", "https://"):
        session.mount(scheme, SourceAdapter(source))
    session.trust_env = False
    session.verify = cafile or True
    return session


class SourcedPerson(Person):
    """A person who connects from an address of their own."""

    def __init__(self, url, username, source, cafile=""):
        super().__init__(url, username)
        self.source, self.cafile = source, cafile
        self.new_browser()

    def new_browser(self):
        """Forget all cookies and connections."""
        self.http.close()
        self.http = at(self.source, requests.Session(), self.cafile)
        self.http.headers["Accept"] = "text/html"

"""Addresses of servers of which there may be several: one URL with their hosts between commas."""
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Address:
    """The parts of such a URL; `hosts` are (host, port) pairs in their order, "" is what was not given."""

    scheme: str
    username: str
    password: str
    hosts: tuple
    path: str


def parsed(url, default_host, default_port):
    """Return the parts of `scheme://user:password@host:port,host:port/path`. Raises ValueError for a port that is none."""
    parts = urlsplit(url)
    _credentials, _at, hosts = parts.netloc.rpartition("@")
    # urlsplit reads the user and the password itself, and of the hosts only one.
    alone = parts._replace(netloc=parts.netloc.removesuffix(hosts) + "host")
    return Address(parts.scheme, unquote(alone.username or ""), unquote(alone.password or ""),
                   tuple(_host(host, default_host, default_port) for host in hosts.split(",")), unquote(parts.path.strip("/")))


def _host(text, default_host, default_port):
    found = urlsplit(f"//{text.strip()}")
    return found.hostname or default_host, found.port or default_port

"""URLs that name several servers, with commas between their hosts."""
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Address:
    """The parts of such a URL: `hosts` is a tuple of (host, port); a part that is missing is an empty string."""

    scheme: str
    username: str
    password: str
    hosts: tuple
    path: str


def parsed(url, default_host, default_port):
    """Return the Address of `scheme://user:password@host:port,host:port/path`. Raises ValueError for an invalid port."""
    parts = urlsplit(url)
    _credentials, _at, hosts = parts.netloc.rpartition("@")
    # urlsplit knows URLs with one host only: it parses the user and the password here, and each host in _host.
    one_host = parts._replace(netloc=parts.netloc.removesuffix(hosts) + "host")
    return Address(parts.scheme, unquote(one_host.username or ""), unquote(one_host.password or ""),
                   tuple(_host(host, default_host, default_port) for host in hosts.split(",")), unquote(parts.path.strip("/")))


def _host(text, default_host, default_port):
    found = urlsplit(f"//{text.strip()}")
    return found.hostname or default_host, found.port or default_port

"""Where the chat is found: the addresses that it prints, and the one that it notes for `manage.py doctor`."""

import contextlib
import ipaddress
import os
import socket
import struct
import sys
from pathlib import Path

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}       # every address of the machine -> the one that its own browser asks
PROBES = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}      # of no machine; nothing is sent there
PROBE_PORT = 9
GET_ADDRESS = 0x8915        # Linux' ioctl SIOCGIFADDR
INTERFACE = "256s"          # its structure: the name, and from byte 20 on the address
NOTE, NOTE_MODE = "address", 0o600      # file in INSTANCE_PATH
PORTS_TRIED = 10            # where no PORT is set: 5000 and those after it
# The system's own: eventlet would ask DNS for this machine's name, and wait for it.
getaddrinfo = socket.getaddrinfo


def addresses(host, port):
    """Return where the chat is found: an address that can be clicked on this machine, and for the network the machine's own."""
    return " and on the network at ".join(url(name, port) for name in (host, _on_the_network(host)) if name is not None)


def url(host, port):
    """Return the address that a browser on this machine asks."""
    name = WILDCARDS.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def other_port(wanted, chosen):
    """Return the sentence that says why the chat is not at the usual port."""
    return f"Port {wanted} is in use by another program. The chat uses port {chosen} instead. PORT=... chooses one."


def _on_the_network(host):
    """Return the address at which other machines find a server that listens on all of them; None for any other host."""
    if host == "0.0.0.0":
        return own_address(socket.AF_INET)
    if host == "::":
        return _takes_ipv4() and own_address(socket.AF_INET) or own_address(socket.AF_INET6)
    return None


def _takes_ipv4():
    """Tell whether a socket at :: hears IPv4 too. Windows' does not."""
    try:
        with socket.socket(socket.AF_INET6) as one:
            return not one.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    except OSError:
        return False


def own_address(family):
    """Return the address that this machine has on its network, or None. A network without a way out has one too."""
    for look in (_by_route, _by_interfaces, _by_name):
        with contextlib.suppress(OSError):
            for found in look(family):
                if _is_reachable(found):
                    return found
    return None


def _by_route(family):
    """UDP only looks up which address would be the sender's."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((PROBES[family], PROBE_PORT))
        yield probe.getsockname()[0]


def _by_interfaces(family):
    if sys.platform != "linux":
        return
    if family == socket.AF_INET6:
        for line in Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines():
            yield str(ipaddress.IPv6Address(bytes.fromhex(line.split()[0])))
        return
    from fcntl import ioctl     # Windows has none
    with socket.socket(family, socket.SOCK_DGRAM) as any_socket:
        for _index, name in socket.if_nameindex():
            with contextlib.suppress(OSError):      # it has no address
                yield socket.inet_ntoa(ioctl(any_socket, GET_ADDRESS, struct.pack(INTERFACE, name.encode()))[20:24])


def _by_name(family):
    for *_kind, place in getaddrinfo(socket.gethostname(), None, family):
        yield place[0]


def _is_reachable(text):
    address = ipaddress.ip_address(text.partition("%")[0])
    return not (address.is_loopback or address.is_unspecified or address.version == 6 and address.is_link_local)


def note(folder, host, port):
    """Write down where the chat is, for whoever starts the doctor in the same folder."""
    with contextlib.suppress(OSError):
        with open(os.open(Path(folder) / NOTE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, NOTE_MODE), "w", encoding="utf-8") as file:
            file.write(url(host, port))


def noted(folder):
    """Return what the last server in this folder has noted, or None."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (Path(folder) / NOTE).read_text(encoding="utf-8")

"""A network and file systems of our own, in which packets can be dropped and a disk can be full. Linux only."""
import contextlib
import functools
import itertools
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import programs

OUTSIDE = "CHAT_LAB_OUTSIDE"    # environment variable: the namespaces in which `prove` was started
FILLING = "filling"             # name of the file that fills a disk
BLOCK = bytes(1024 * 1024)
DROPPED = re.compile(r"counter packets (\d+)")

_numbers = itertools.count(1)
_small_disks = set()


# --- entering the namespaces ------------------------------------------------------------------------------------------

def enter(command):
    """Replace this process by the command (program and arguments), in a new network namespace and a new mount namespace.

    Returns if we are inside already, or if the machine does not allow it. Then the run goes on without them.
    """
    if OUTSIDE not in os.environ and _unshare():
        os.environ[OUTSIDE] = " ".join(_namespaces())
        os.environ["LOGNAME"] = "root"      # the only user that exists inside, so servers must run as root
        sys.stdout.flush()
        lo_up = f"{_path(programs.IP)} link set lo up"
        os.execvp(_unshare()[0], [*_unshare(), "sh", "-c", f'{lo_up} && exec "$@"', "sh", *command])


def inside():
    """Tell whether we are in namespaces of our own. Changes there do not affect the machine."""
    outside = set(os.environ.get(OUTSIDE, "").split())
    return bool(outside) and outside.isdisjoint(_namespaces())


def missing():
    """Return what cannot be injected on this machine, as (what, why)."""
    if not inside():
        why = "this machine lets us have no network and no file systems of our own (unshare)"
        return [("30 % of packets lost", why), ("database full", why)]
    return [
        *[("30 % of packets lost", "nftables could not drop packets at random")] * (not loss_possible()),
        *[("database full", "a small file system could not be mounted")] * (not _disk_possible()),
    ]


@functools.cache
def _unshare():
    """Return the command that creates the namespaces; None if it does not work."""
    if sys.platform != "linux":
        return None
    as_root = ["--map-root-user"] if os.geteuid() else []
    command = [_path(programs.UNSHARE), *as_root, "--net", "--mount"]
    try:
        _run([*command, _path(programs.IP), "link", "set", "lo", "up"])
    except RuntimeError:
        return None
    return command


def _namespaces():
    return [os.readlink(f"/proc/self/ns/{kind}") for kind in ("net", "mnt")]


# --- packets ----------------------------------------------------------------------------------------------------------

class Loss:
    """From begin() to end(), drops a share of all packets from and to some ports of this machine, at random."""

    def __init__(self, ports, percent):
        self.ports = ", ".join(str(port) for port in ports)
        self.percent = percent
        self.table = _new_table()

    def begin(self):
        """Begin to drop packets. Raises RuntimeError if that is impossible, or if we are on the machine's own network."""
        drop = f"numgen random mod 100 <= {self.percent - 1} counter drop"
        _put_rules(self.table, [f"iif lo tcp {way} {{ {self.ports} }} {drop}" for way in ("dport", "sport")])

    def end(self):
        """Stop dropping packets; return how many were dropped."""
        lost = sum(int(packets) for packets in DROPPED.findall(_nft(f"list table {self.table}")))
        _nft(f"delete table {self.table}")
        return lost


@contextlib.contextmanager
def cut_off(host, port=None):
    """Inside, drop every packet to and from an address; with a port, only packets from or to that port."""
    ways = [f" tcp {way} {port}" for way in ("sport", "dport")] if port else [""]
    with _rules([f"ip {side} {host}{way} drop" for side in ("saddr", "daddr") for way in ways]):
        yield


@contextlib.contextmanager
def groups_marked(groups):
    """Inside, mark every connection that a process of these groups opens with the group's number.

    The kernel knows the process of an outgoing packet but not of an incoming one. It knows the connection of both.
    """
    with _rules([], [f"meta skgid {group} ct mark set {group}" for group in groups]):
        yield


@contextlib.contextmanager
def group_cut_off(group, ports):
    """Inside, drop every packet between these ports and the processes of a marked group, on new connections too."""
    those = ", ".join(str(port) for port in ports)
    with _rules([f"ct mark {group} tcp {way} {{ {those} }} drop" for way in ("sport", "dport")]):
        yield


@functools.cache
def loss_possible():
    """Tell whether packets can be dropped here."""
    trial = Loss([1], 1)
    try:
        trial.begin()
        trial.end()
    except RuntimeError:
        return False
    return True


@functools.cache
def group_cut_possible():
    """Tell whether this kernel tracks connections. That is a compile-time option."""
    try:
        with groups_marked([1]), group_cut_off(1, [1]):
            return True
    except RuntimeError:
        return False


@contextlib.contextmanager
def _rules(incoming, outgoing=()):
    table = _new_table()
    _put_rules(table, incoming, outgoing)
    try:
        yield
    finally:
        _nft(f"delete table {table}")


def _new_table():
    return f"inet chat_lab_{os.getpid()}_{next(_numbers)}"


def _put_rules(table, incoming, outgoing=()):
    """Apply these rules to every incoming and outgoing packet. Raises RuntimeError if that is impossible."""
    if not inside():
        raise RuntimeError("packets are lost in a network of our own only")
    comes, goes = "\n".join(incoming), "\n".join(outgoing)
    _nft(f"""
        table {table}
        delete table {table}
        table {table} {{
            chain input {{
                type filter hook input priority 0
                {comes}
            }}
            chain output {{
                type filter hook output priority 0
                {goes}
            }}
        }}""")


def _nft(script):
    return _run([_path(programs.NFT), "--file", "-"], script)


# --- disks ------------------------------------------------------------------------------------------------------------

def small_disk(path, megabytes):
    """Mount a small file system in memory on an empty directory, visible to us only; return whether that was allowed."""
    if not inside() or os.listdir(path):    # a mount would hide what is in the directory
        return False
    try:
        _run([_path(programs.MOUNT), "-t", "tmpfs", "-o", f"size={megabytes}m", "chat-lab", str(path)])
    except RuntimeError:
        return False
    _small_disks.add(str(path))
    return True


def fill(path):
    """Fill a small disk completely."""
    if str(path) not in _small_disks:
        raise RuntimeError(f"{path} is no small disk of ours")
    with open(Path(path) / FILLING, "ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(BLOCK)


def free(path):
    """Free the space of a disk that was filled."""
    (Path(path) / FILLING).unlink(missing_ok=True)


def remove_disk(path):
    """Unmount a small disk; its content is lost."""
    if str(path) in _small_disks:
        _run(["umount", "--lazy", str(path)])
        _small_disks.discard(str(path))


@functools.cache
def _disk_possible():
    with tempfile.TemporaryDirectory() as path:
        if not small_disk(path, 1):
            return False
        _run(["umount", path])
    return True


def _path(program):
    return program.path() or program.names[0]


def _run(command, text=""):
    """Return the output of a program. Raises RuntimeError if it is missing or fails."""
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True)
    except OSError as error:
        raise RuntimeError(str(error)) from error
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip()}")
    return done.stdout

"""The programs that the tests start: where they are, and how to install them."""

import contextlib
import os
import shutil
import sys
from dataclasses import dataclass

from tools import debian
from tools.console import SetupError

# Servers are in directories that an ordinary user's PATH may lack.
SERVER_DIRECTORIES = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"]


@dataclass(frozen=True)
class Program:
    """A program with its names on different systems, and the packages that contain it; "" if there is none."""

    names: tuple
    debian: tuple
    homebrew: str

    def path(self):
        """Return where it is, or None."""
        directories = os.pathsep.join([os.environ.get("PATH", os.defpath), *SERVER_DIRECTORIES])
        return next((found for name in self.names if (found := shutil.which(name, path=directories))), None)


MARIADB = Program(("mariadbd", "mysqld"), ("mariadb-server",), "mariadb")
MARIADB_INSTALL = Program(("mariadb-install-db", "mysql_install_db"), ("mariadb-server",), "mariadb")
REDIS = Program(("redis-server",), ("redis-server",), "redis")
# Without any font, Chromium lays out text with no size.
CHROMIUM = Program(
    ("chromium", "chromium-browser", "google-chrome"),
    ("chromium-browser" if debian.is_ubuntu() else "chromium", "fonts-liberation"),
    "--cask chromium",
)
# The same engine without windows, menus and notifications: a test takes half the time with it. Where it is not to be had, the whole one serves.
HEADLESS_CHROMIUM = Program(("chromium-headless-shell",), ("chromium-headless-shell",), "")
ALL = (MARIADB, MARIADB_INSTALL, REDIS, CHROMIUM)

# The reverse proxies of deploy/, and the program that makes a certificate for them.
NGINX = Program(("nginx",), ("nginx-light",), "nginx")
HAPROXY = Program(("haproxy",), ("haproxy",), "haproxy")
OPENSSL = Program(("openssl",), ("openssl",), "openssl")
FRONT = (NGINX, HAPROXY, OPENSSL)

# What the fault-injection suite uses to inject faults. Other systems lack these programs; the suite then says what it left out.
UNSHARE = Program(("unshare",), ("util-linux",), "")
MOUNT = Program(("mount",), ("mount",), "")
IP = Program(("ip",), ("iproute2",), "")
NFT = Program(("nft",), ("nftables",), "")
FAKETIME = Program(("faketime",), ("faketime",), "")
PROVE = (UNSHARE, MOUNT, IP, NFT, FAKETIME) if sys.platform == "linux" else ()


def headless_chromium():
    """Return the path of the lightest Chromium that this machine has."""
    return HEADLESS_CHROMIUM.path() or CHROMIUM.path()


def ensure_headless_chromium():
    """Install the lighter Chromium where Debian has it. Nothing needs it: without rights or without a network the whole one serves."""
    if HEADLESS_CHROMIUM.path() is None and debian.has_headless_chromium():
        with contextlib.suppress(SetupError):
            debian.install(HEADLESS_CHROMIUM.debian, purpose="run the tests sooner")


def ensure(programs, purpose):
    """Install the missing programs, or say in one sentence how to; `purpose` is what they are for."""
    missing = [program for program in programs if program.path() is None]
    if missing and debian.is_debian():
        debian.install(sorted({name for program in missing for name in program.debian}), purpose=purpose)
    elif shutil.which("brew") and (formulae := sorted({program.homebrew for program in missing} - {""})):
        commands = [f"brew install {formula}" for formula in formulae]
        raise SetupError(f"To {purpose}, run: {' && '.join(commands)}")
    still_missing = [program.names[0] for program in missing if program.path() is None]
    if still_missing:
        raise SetupError(f"To {purpose}, these programs are needed, which were not found: {', '.join(still_missing)}.")

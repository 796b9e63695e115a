"""The pins of the requirements files, and the packages of the npm lock files."""

import json
import re
from typing import NamedTuple

from tools import ROOT

PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[\w,]+\])?==([\w.+!-]+)(?: *; *([^\\#]+?))? *$")


class Pin(NamedTuple):
    """A package with one version; the marker says for which machines."""

    name: str
    version: str
    marker: str = ""

    def __str__(self):
        return f"{self.name}=={self.version}" + (f" ; {self.marker}" if self.marker else "")


def read_pin(line):
    """Return the pin of a line of a requirements file, or None."""
    match = PIN.match(line.removesuffix("\\").partition(" #")[0].rstrip())
    return Pin(match[1], match[2], match[3] or "") if match else None


def sources(folder=ROOT):
    """Return the files in which people write pins."""
    return sorted(folder.glob("requirements*.in"))


def read_pins(path):
    """Return the pins of a requirements file itself, for all machines."""
    return [pin for line in path.read_text(encoding="utf-8").splitlines() if (pin := read_pin(line))]


def without(path, names):
    """Return the text of a requirements file, with those that it includes, and without the packages of these names."""
    lines, is_left_out = [], False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            lines.append(without(path.parent / line.removeprefix("-r ").strip(), names))
            continue
        if not line.startswith(" "):        # otherwise it is a hash of the pin above
            pin = read_pin(line)
            is_left_out = pin is not None and pin.name in names
        if not is_left_out:
            lines.append(line)
    return "\n".join(lines) + "\n"


def python_pins(folder=ROOT):
    """Return every pin of every requirements file."""
    return sorted({pin for path in sources(folder) for pin in read_pins(path)})


def npm_packages(lock):
    """Return {name: versions} of all packages in a package-lock.json, including bundled ones."""
    packages = {}
    for path, package in json.loads(lock.read_text(encoding="utf-8"))["packages"].items():
        if path and not package.get("link"):
            name = package.get("name") or path.rpartition("node_modules/")[2]
            packages.setdefault(name, set()).add(package["version"])
    return packages

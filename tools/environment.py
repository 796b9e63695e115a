"""The virtual environment: created once, updated when the pins change."""

import os
import re
import subprocess
import sys
import sysconfig

from tools import ROOT, debian
from tools.console import SetupError, StepFailed, step
from tools.pins import read_pins, without
from tools.stamp import Stamp, digest

VENV = ROOT / ".venv"
STAMP = Stamp(VENV / "installed.json")
LEFT_OUT = "left out"       # in the stamp
NEWEST_KNOWN = "3.15"       # the newest Python for which all wheels were checked
OFFLINE_SIGNS = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ReadTimeoutError", "ProxyError")
# How pip reports a file with a wrong hash: which one it is, and where it came from.
CHANGED_FILE = re.compile(r"DO NOT MATCH THE HASHES.*?^ +(\S+) from (\S+?)(?:#\S*)? ", re.M | re.S)

MISSING_WHEEL = re.compile(r"No matching distribution found for ([\w.-]+)==([\w.+!-]+)")


# Packages that not every machine has a wheel of -> what else goes without them, and what works in their place.
OPTIONAL = {
    "greenlet": (("greenlet", "eventlet"), "ASYNC_MODE=threading serves in place of eventlet, fewer people at once"),
    "msgspec": (("msgspec",), "the standard library reads sessions and events, in more time"),
    "orjson": (("orjson",), "the standard library reads and writes JSON, in more time"),
}


class NoWheel(SetupError):
    """There is no wheel of a pinned package for this Python on this machine."""

    def __init__(self, package, version):
        self.package = package
        self.what = f"There is no ready-made wheel of {package} {version} for Python {_python_version()} on {sysconfig.get_platform()}"
        super().__init__(f"{self.what}: a 64-bit Python from 3.10 to {NEWEST_KNOWN} has one on most machines.")


def python():
    """The environment's interpreter."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ensure_venv():
    """Create .venv unless there is a complete, working one for this Python."""
    if STAMP.read().get("python") == _python_version() and _works():
        return
    ensure_venv_module()
    # In an active environment use the base interpreter, because the active one may be replaced.
    interpreter = getattr(sys, "_base_executable", None) or sys.executable
    try:
        step(f"Making .venv with Python {_python_version()}", [interpreter, "-m", "venv", "--clear", str(VENV)])
    except StepFailed as failure:
        raise SetupError(f"The virtual environment .venv could not be made: {failure.reason}") from None
    STAMP.write({"python": _python_version()})


def ensure_venv_module():
    """Debian and Ubuntu have a part of Python's venv in a separate package."""
    try:
        import ensurepip    # noqa: F401
        import venv         # noqa: F401
    except ImportError:
        package = f"python{_python_version()}-venv"
        if not debian.is_debian():
            raise SetupError("This Python has no venv and ensurepip modules: install a complete Python.") from None
        debian.install([package], purpose="make a virtual environment")


def ensure_packages(requirements, optional=tuple(OPTIONAL)):
    """Install a requirements file unless exactly that is installed. pip refuses files with other hashes than the pinned ones.

    What is `optional` is left out where there is no wheel of it.
    """
    path = ROOT / requirements
    current = digest(*_with_included(path))
    installed = STAMP.read()
    if installed.get(requirements) == current:
        return
    # Without a stamp, an interrupted installation is repeated.
    STAMP.remove()
    left_out = set()
    while True:
        try:
            _install(path, left_out)
            break
        except NoWheel as error:        # pip has given up before changing anything
            if error.package in left_out or error.package not in optional:
                STAMP.write(installed)
                raise
            packages, replacement = OPTIONAL[error.package]
            left_out.update(packages)
            print(f"{error.what}: {replacement}.", flush=True)
    left_out.update(installed.get(LEFT_OUT, ()))
    STAMP.write({**installed, requirements: current, **({LEFT_OUT: sorted(left_out)} if left_out else {})})


def left_out():
    """Return the names of the packages that were left out here."""
    return STAMP.read().get(LEFT_OUT, [])


def _install(path, left_out):
    command = [str(python()), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--require-hashes"]
    file = path
    if left_out:        # everything that the others need is pinned, so pip need not look for what is left out
        command.append("--no-deps")
        file = STAMP.path.with_name(f"reduced-{path.name}")
        file.write_text(without(path, left_out), encoding="utf-8")
    try:
        step(f"Installing the Python packages of {path.name}", [*command, "-r", str(file)],
             progress=lambda output: _pip_progress(output, _count(path)))
    except StepFailed as failure:
        raise _explain_pip(failure) from None


def _with_included(path):
    """Return a requirements file and those that it includes."""
    included = re.findall(r"^-r (\S+)$", path.read_text(encoding="utf-8"), re.M)
    return [path, *(each for name in included for each in _with_included(path.parent / name))]


def _count(path):
    """Return how many packages a requirements file pins, with those that it includes."""
    return len({pin.name for each in _with_included(path) for pin in read_pins(each)})


def _pip_progress(output, total):
    """Return what pip is doing, and how far it is."""
    if "\nInstalling collected packages" in output:
        return "unpacking"
    seen = re.findall(r"^(?:Collecting|Requirement already satisfied:) ([\w.-]+)", output, re.M)
    return f"{min(len(seen), total)} of {total}: {seen[-1]}" if seen else ""


def _explain_pip(failure):
    """Return an error that says in one sentence why pip failed."""
    if changed := CHANGED_FILE.search(failure.output):
        return SetupError(f"{changed[1]} was refused and nothing was installed: the file that came is none of those whose hashes"
                          f" are pinned. It came from {changed[2]}")
    if any(sign in failure.output for sign in OFFLINE_SIGNS):
        return SetupError("The Python packages could not be fetched: the first start needs the network.")
    if missing := MISSING_WHEEL.search(failure.output):
        return NoWheel(missing[1], missing[2])
    return SetupError(f"The Python packages could not be installed: {failure.reason} (all of it: .setup.log)")


def _python_version():
    return "{}.{}".format(*sys.version_info)


def _works():
    """Tell whether the environment's interpreter starts and finds pip. Takes about 30 ms."""
    try:
        check = subprocess.run([str(python()), "-c", "import pip"], stdin=subprocess.DEVNULL, capture_output=True)
    except OSError:
        return False
    return check.returncode == 0

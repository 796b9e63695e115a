"""Debian and Ubuntu packages, for programs that pip and npm do not have."""

import contextlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

from tools.console import SetupError, StepFailed, step

LOCK_TIMEOUT_SECONDS = 600
FIRST_WITH_HEADLESS_CHROMIUM = 12      # a release of Debian; what is not released yet has no number


def is_debian():
    """Tell whether this is Debian, Ubuntu or another system with their packages."""
    return Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def is_ubuntu():
    """Tell whether this is Ubuntu, where Chromium's package has another name."""
    return is_debian() and platform.freedesktop_os_release().get("ID") == "ubuntu"


def has_headless_chromium():
    """Tell whether this is a Debian that has Chromium without windows too."""
    release = platform.freedesktop_os_release() if is_debian() else {}
    return release.get("ID") == "debian" and float(release.get("VERSION_ID", FIRST_WITH_HEADLESS_CHROMIUM)) >= FIRST_WITH_HEADLESS_CHROMIUM


def install(packages, purpose):
    """Install packages with apt-get. If that is not allowed, raises SetupError with the command to run."""
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    prefix = _root_prefix()
    if prefix is None:
        raise SetupError(f"To {purpose}, run: sudo {' '.join(command)}")
    # sudo drops the environment, so the variable is set after it, by env.
    as_root = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive"]
    patient = ["-o", f"DPkg::Lock::Timeout={LOCK_TIMEOUT_SECONDS}"]
    # A broken source of other packages must not stop us: apt-get install decides.
    with contextlib.suppress(StepFailed):
        step("Reading the list of Debian packages", [*as_root, "apt-get", "update", *patient])
    try:
        # A package may start a server, which must not inherit the set-up's lock, because it never ends.
        step(f"Installing {', '.join(packages)}", [*as_root, *command, *patient], close_fds=True)
    except StepFailed as failure:
        raise SetupError(f"{' '.join(command)} failed: {failure.reason} (all of it: .setup.log)") from None


def _root_prefix():
    """Return what to put before a command to run it as root; None if that would need a password."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        allowed = subprocess.run(["sudo", "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True)
        if allowed.returncode == 0:
            return ["sudo", "-n"]
    return None

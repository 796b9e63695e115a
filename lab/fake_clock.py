"""Moves the wall clock of a running server with libfaketime. Its monotonic clock stays right."""
import functools
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIBRARIES = ("usr/lib/*/faketime/libfaketimeMT.so.1", "usr/lib*/faketime/libfaketimeMT.so.1",
             "usr/local/lib/faketime/libfaketimeMT.so.1")
RUN_FIRST = Path(__file__).parent / "faked"     # contains a sitecustomize.py
SHARED_MEMORY = Path("/dev/shm")
SHARED = re.compile(r"(?:faketime_shm|sem\.faketime_sem)_(\d+)")     # libfaketime's shared memory, named by process id

HOUR = 3600                 # seconds
TRIAL = "import time; time.sleep(0.01); print(time.time(), time.monotonic())"
TRIAL_SECONDS = 10


class FakeClock:
    """The clock of the processes that are started with its environment. A file contains the difference to the right time."""

    def __init__(self, directory):
        self.file = Path(directory) / "clock"
        self.set(0)

    @property
    def possible(self):
        """Whether the clock can be moved on this machine."""
        return not missing()

    def environment(self):
        """Return the environment variables to start a process with; none if the clock cannot be moved."""
        if not self.possible:
            return {}
        _remove_leftovers()
        return _environment(self.file)

    def set(self, seconds):
        """Set the wall clock to so many seconds after the right time, or before it if negative. It takes effect at once."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+f}\n", encoding="ascii")
        os.replace(new, self.file)


@functools.cache
def missing():
    """Return what cannot be injected on this machine, as (what, why). It is tried once."""
    with tempfile.TemporaryDirectory() as directory:
        why = _try(directory) if _library() else "libfaketime is not installed"
    return [("clock one hour off, stepping back", why)] if why else []


def _try(directory):
    """Run a small program whose clock is an hour off. Return what goes wrong; "" if it works."""
    clock = FakeClock(directory)
    clock.set(-HOUR)
    command = [sys.executable, "-c", TRIAL]
    begun = time.time(), time.monotonic()
    try:
        done = subprocess.run(command, env={**os.environ, **_environment(clock.file)}, capture_output=True, text=True,
                              timeout=TRIAL_SECONDS, check=True)
        wall, monotonic = (float(text) for text in done.stdout.split())
    except (subprocess.SubprocessError, ValueError) as error:
        return f"a Python under libfaketime does not work: {error}"
    took = time.monotonic() - begun[1]
    right = 0 <= wall + HOUR - begun[0] <= took and begun[1] <= monotonic <= begun[1] + took
    return "" if right else "libfaketime does not move the wall clock alone"


def _environment(file):
    return {
        "LD_PRELOAD": _library(),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",        # read the file at each call: 5 µs
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",             # older name of the same setting
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",    # with Debian's default of 1, threads wait 0.1 s for each other
        "FAKETIME_DONT_RESET": "1",
        "NO_FAKE_STAT": "1",        # otherwise Python would find its compiled modules out of date
        "PYTHONPATH": os.pathsep.join([str(RUN_FIRST), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }


def _library():
    return next((str(path) for place in LIBRARIES for path in Path("/").glob(place)), None)


def _remove_leftovers():
    """Remove the shared memory of processes that were killed."""
    for path in SHARED_MEMORY.glob("*faketime_*"):
        found = SHARED.fullmatch(path.name)
        if found and not Path("/proc", found.group(1)).exists():
            path.unlink(missing_ok=True)

"""The wall clock of a running server, moved from outside by libfaketime; its monotonic clock stays true."""
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
RUN_FIRST = Path(__file__).parent / "faked"     # the folder of a sitecustomize.py
SHARED_MEMORY = Path("/dev/shm")
SHARED = re.compile(r"(?:faketime_shm|sem\.faketime_sem)_(\d+)")     # what libfaketime leaves there: by process id

HOUR = 3600     # seconds
TRIAL = "import time; time.sleep(0.01); print(time.time(), time.monotonic())"
TRIAL_SECONDS = 10


class FakeClock:
    """The clock of the processes started with its environment; a file in the directory says how far it is off."""

    def __init__(self, directory):
        self.file = Path(directory) / "clock"
        self.set(0)

    @property
    def possible(self):
        """Whether the clock can be moved on this machine."""
        return not missing()

    def environment(self):
        """Return the environment variables to start a process with; none where the clock cannot be moved."""
        if not self.possible:
            return {}
        _remove_leftovers()
        return _environment(self.file)

    def set(self, seconds):
        """Move the wall clock to so many seconds after the right time, or before it; it takes effect at once."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+f}\n", encoding="ascii")
        os.replace(new, self.file)


@functools.cache
def missing():
    """Return what cannot be injected here, as (what, why); it is found out by trying."""
    with tempfile.TemporaryDirectory() as directory:
        why = _try(directory) if _library() else "libfaketime is not installed"
    return [("clock one hour off, stepping back", why)] if why else []


def _try(directory):
    """Return what goes wrong with a small program whose clock is an hour off; "" where all is well."""
    clock = FakeClock(directory)
    clock.set(-HOUR)
    command = [sys.executable, "-c", TRIAL]
    begun = time.time(), time.monotonic()
    try:
        done = subprocess.run(command, env={**os.environ, **_environment(clock.file)}, capture_output=True, text=True,
                              timeout=TRIAL_SECONDS, check=True)
        wall, monotonic = (float(told) for told in done.stdout.split())
    except (subprocess.SubprocessError, ValueError) as error:
        return f"a Python under libfaketime does not work: {error}"
    took = time.monotonic() - begun[1]
    right = 0 <= wall + HOUR - begun[0] <= took and begun[1] <= monotonic <= begun[1] + took
    return "" if right else "libfaketime does not move the wall clock alone"


def _environment(file):
    return {
        "LD_PRELOAD": _library(),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",               # look into the file each time: costs 5 us a look
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",             # its older name
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",    # Debian's default of 1 makes threads wait 0.1 s for each other
        "FAKETIME_DONT_RESET": "1",
        "NO_FAKE_STAT": "1",                    # compiled modules would look out of date, and be written anew
        "PYTHONPATH": os.pathsep.join([str(RUN_FIRST), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }


def _library():
    return next((str(path) for place in LIBRARIES for path in Path("/").glob(place)), None)


def _remove_leftovers():
    """Remove what processes that were killed have left behind."""
    for path in SHARED_MEMORY.glob("*faketime_*"):
        found = SHARED.fullmatch(path.name)
        if found and not Path("/proc", found.group(1)).exists():
            path.unlink(missing_ok=True)

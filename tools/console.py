"""One line on the terminal for each step, and one sentence for each failure."""

import re
import shutil
import subprocess
import sys
import time

from tools import ROOT

LOG = ROOT / ".setup.log"
COLOR = re.compile(r"\x1b\[[\d;]*m")


class SetupError(Exception):
    """A failure that the user can fix, in one sentence."""


class StepFailed(Exception):
    """A program has ended with an error; `output` is everything it has printed."""

    def __init__(self, output):
        super().__init__(output)
        self.output = output

    @property
    def reason(self):
        """The first line of the output that describes an error; otherwise its last line."""
        plain = COLOR.sub("", self.output)
        lines = [line for line in (line.strip(" \t\u2502") for line in plain.splitlines()) if line]
        errors = [line for line in lines if "error" in line.lower() and " " in line]
        return (errors or lines[-1:] or ["it printed nothing"])[0]


def step(title, command, close_fds=False, folder=ROOT, progress=None):
    """Run a program quietly under a one-line title that counts the seconds. Raises StepFailed.

    On a terminal, the line also shows what `progress` returns for the output so far.
    """
    started = time.monotonic()
    print(f"{title} ...", end="", flush=True)
    with open(LOG, "w+", encoding="utf-8", errors="replace") as log:
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
        process, shown = subprocess.Popen(command, cwd=folder, close_fds=close_fds, **streams), 0
        try:
            while process.poll() is None:
                _wait_a_second(process)
                if sys.stdout.isatty():
                    shown = _show(f"{title} ... {time.monotonic() - started:.0f} s", shown, progress)
        except BaseException:
            process.kill()
            print()
            raise
        if sys.stdout.isatty():
            _show(f"{title} ... {time.monotonic() - started:.0f} s", shown)
        print("" if sys.stdout.isatty() else f" {time.monotonic() - started:.0f} s")
        if process.returncode:
            log.seek(0)
            raise StepFailed(log.read())


def _show(line, shown, progress=None):
    """Overwrite the terminal's last line, which has `shown` characters, and return how many it has now.

    It must not be longer than the terminal is wide. Spaces erase the rest: the console of older Windows prints control codes as they are.
    """
    if progress and (said := progress(LOG.read_text(encoding="utf-8", errors="replace"))):
        line += f", {said}"
    line = line[:shutil.get_terminal_size().columns - 1]
    print(f"\r{line.ljust(shown)}", end="", flush=True)
    return len(line)


def _wait_a_second(process):
    try:
        process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        pass

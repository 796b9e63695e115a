"""One line on the terminal for each step, and one sentence for each failure."""

import re
import subprocess
import sys
import time

from tools import ROOT

LOG = ROOT / ".setup.log"
COLOR = re.compile(r"\x1b\[[\d;]*m")


class SetupError(Exception):
    """A failure that a person can act on, in one sentence."""


class StepFailed(Exception):
    """A program ended with an error; `output` is all that it printed."""

    def __init__(self, output):
        super().__init__(output)
        self.output = output

    @property
    def reason(self):
        """The first line of the output that says more of an error than the word, else its last line."""
        plain = COLOR.sub("", self.output)
        lines = [line for line in (line.strip(" \t\u2502") for line in plain.splitlines()) if line]
        errors = [line for line in lines if "error" in line.lower() and " " in line]
        return (errors or lines[-1:] or ["it printed nothing"])[0]


def step(title, command, close_fds=False, folder=ROOT):
    """Run a program quietly under a one-line title that counts the seconds. Raises StepFailed."""
    started = time.monotonic()
    print(f"{title} ...", end="", flush=True)
    with open(LOG, "w+", encoding="utf-8", errors="replace") as log:
        streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(command, cwd=folder, close_fds=close_fds, **streams)
        try:
            while process.poll() is None:
                _wait_a_second(process)
                if sys.stdout.isatty():
                    print(f"\r{title} ... {time.monotonic() - started:.0f} s", end="", flush=True)
        except BaseException:
            process.kill()
            print()
            raise
        print("" if sys.stdout.isatty() else f" {time.monotonic() - started:.0f} s")
        if process.returncode:
            log.seek(0)
            raise StepFailed(log.read())


def _wait_a_second(process):
    try:
        process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        pass

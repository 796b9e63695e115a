"""What takes longest, beside the other tests: the fault laboratory, which mostly waits, and a taste of the benchmark.

These programs start early and have the lowest priority. They get what the others leave of the processor, which is a third of it.
"""
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from lab.mutants import MUTANTS
from tools import ROOT

MOST_SECONDS = 1500     # for one of its runs, on a machine that is slow and does something else
LANES = 2               # of its runs at once
# The lease of a process that was killed takes as long to end as all others together: the full run tries that one too.
SHORT = [mutant for mutant in MUTANTS if mutant.promise != "P6"]
BENCHMARKED = ("talk", "crowd", "store", "cluster")      # every part that needs no browser
GENTLY = ["nice", "-n", "19"] if shutil.which("nice") else []


class Laboratory:
    """Runs `manage.py prove` and `bench`, without their set-up, as the tests need it; `result` waits for one of the runs."""

    def __init__(self):
        self.lanes = ThreadPoolExecutor(LANES)
        self.runs = {}
        self.processes = set()
        self.lock = threading.Lock()

    def start(self):
        """Start everything, if it has not started."""
        with self.lock:
            if not self.runs:
                self.runs["quick"] = self.lanes.submit(self._run, "lab", "--quick", "--seed", "1")
                for mutant in SHORT:
                    self.runs[mutant.name] = self.lanes.submit(self._run, "lab", "--mutants", "--only", mutant.name)
                if sys.platform == "linux":     # it reads what Linux tells of processes
                    parts = (argument for part in BENCHMARKED for argument in ("--only", part))
                    self.runs["bench"] = self.lanes.submit(self._run, "bench", "--quick", *parts)

    def result(self, name):
        """Return what a run printed. Raises AssertionError with its end where it failed."""
        self.start()
        return self.runs[name].result()

    def stop(self):
        """End what is still running: the tests were broken off."""
        self.lanes.shutdown(wait=False, cancel_futures=True)
        for process in list(self.processes):
            process.terminate()

    def _run(self, module, *arguments):
        command = [*GENTLY, sys.executable, "-W", "ignore", "-m", module, *arguments]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, encoding="utf-8") as process:
            self.processes.add(process)
            try:
                said, _nothing = process.communicate(timeout=MOST_SECONDS)
            finally:
                process.kill()
                self.processes.discard(process)
        assert process.returncode == 0, said[-6_000:]
        return said

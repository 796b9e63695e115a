"""Controls the load generator, the Node process that simulates the clients."""
import contextlib
import json
import subprocess
import time

from tools import ROOT, node
from tools.processes import cpu_seconds


STARVING_SECONDS = 30       # without a single message; then the measurement is given up
LOAD = ROOT / "bench" / "load" / "load.mjs"


class LoadError(Exception):
    """The load generator could not execute a command; the text is its own."""


class Load(contextlib.AbstractContextManager):
    """Runs the generator. `load("connect", url=…)` sends it a command and returns its answer."""

    def __init__(self):
        self.process = subprocess.Popen([*node.node_command(), str(LOAD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, encoding="utf-8")

    def __call__(self, command, **options):
        self.process.stdin.write(json.dumps({"command": command, **options}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "it ended"}')
        if "error" in answer:
            raise LoadError(f"{command}: {answer['error']}")
        return answer

    def __exit__(self, *_error):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def measure(self, subject, seconds, warm_up, command="figures", counted="messages"):
        """Return the figures of so many seconds of the current load, after a warm-up.

        `cpu_us` is the CPU time of the server's process tree, the database and Redis for one stored and delivered message, or for
        whatever else is `counted`; `command` is the generator's that tells how many there were.
        `load_percent` is the load generator's own share of one core.
        """
        time.sleep(warm_up)
        self("reset")
        before, own, begun = subject.cpu_seconds(), cpu_seconds(self.process.pid), time.monotonic()
        while True:
            time.sleep(seconds)
            after = subject.cpu_seconds()
            figures = self(command)
            # With the lowest priority on a busy machine, a second may pass without a message.
            if figures["messages"] or figures["refused"] or time.monotonic() - begun > STARVING_SECONDS:
                break
        own = (cpu_seconds(self.process.pid) - own) / (time.monotonic() - begun)
        if figures["refused"] or not figures["messages"]:
            raise LoadError(f"{subject.name} refused: {figures['refused']}")
        parts = {name: (after[name] - before[name]) / figures[counted] * 1e6 for name in after}
        return {**{f"{name}_s": figures[name] / figures["seconds"] for name in dict.fromkeys(("messages", counted))},
                "p50_ms": figures.get("p50"), "p99_ms": figures.get("p99"),
                "cpu_us": sum(parts.values()), "load_percent": 100 * own, "parts": parts}

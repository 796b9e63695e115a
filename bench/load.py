"""The load generator's other end: commands to the Node process that plays the people."""
import contextlib
import json
import subprocess
import time

from tools import ROOT, node

from .processes import cpu_seconds

STARVING_SECONDS = 30       # without a single message, until a measurement is given up
LOAD = ROOT / "bench" / "load" / "load.mjs"


class LoadError(Exception):
    """The load generator could not do what it was told; its text is its own."""


class Load(contextlib.AbstractContextManager):
    """Runs the generator; `load("connect", url=…)` gives it a command and returns its answer."""

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

    def measure(self, subject, seconds, warm_up):
        """Let what goes on go on; return the figures of so many seconds after the warm-up, with the CPU they cost.

        `cpu_us` is that of the server's process tree, the database and Redis, for one message stored and delivered;
        `load_percent` is what the generator itself used of one core.
        """
        time.sleep(warm_up)
        self("reset")
        before, own, begun = subject.cpu_seconds(), cpu_seconds(self.process.pid), time.monotonic()
        while True:
            time.sleep(seconds)
            after = subject.cpu_seconds()
            figures = self("figures")
            # Beside other programs, at the lowest priority, a second may pass without a message.
            if figures["messages"] or figures["refused"] or time.monotonic() - begun > STARVING_SECONDS:
                break
        own = (cpu_seconds(self.process.pid) - own) / (time.monotonic() - begun)
        if figures["refused"] or not figures["messages"]:
            raise LoadError(f"{subject.name} refused: {figures['refused']}")
        parts = {name: (after[name] - before[name]) / figures["messages"] * 1e6 for name in after}
        return {"messages_s": figures["messages"] / figures["seconds"], "p50_ms": figures["p50"], "p99_ms": figures["p99"],
                "cpu_us": sum(parts.values()), "load_percent": 100 * own, "parts": parts}

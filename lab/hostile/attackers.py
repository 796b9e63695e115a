"""Starts the attackers' process with a plan. It ends when its input is closed."""
import json
import subprocess
import sys
import threading
import time

from ..attacks import ATTACKS
from ..attacks.registry import BUDGET_SPENT, CUT
from ..attacks.requests import IN_LOG, EscapesInLog

END_SECONDS = 60            # for the process to end by itself
GRACE_SECONDS = 8           # for requests under way to be answered
BAD_GATEWAY = "502"         # what a proxy answers where the server behind it cuts the connection


class Attackers:
    """All attacks at once, as often as needed."""

    def __init__(self, target, options):
        self.target, self.options = target, options

    def attack_for(self, seconds, sids, rate=1, seed=0, patience=0):
        """Attack for so many seconds, or longer if an attack has no answer yet; return (begin, end, {attack: {sent, answers}})."""
        begun = time.monotonic()
        plan = {"target": {**self.target, "sids": sids}, "only": list(self.options["only"]), "seed": f"{self.options['seed']}/{seed}",
                "rate": rate, "seconds": seconds, "patience": patience, "grace_seconds": 2 if self.options["quick"] else GRACE_SECONDS}
        with subprocess.Popen([sys.executable, "-W", "ignore", "-m", "lab.attacks"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              encoding="utf-8") as process:
            process.stdin.write(json.dumps(plan) + "\n")
            process.stdin.flush()       # not closed: the process ends when this one does
            killer = threading.Timer(seconds + patience + END_SECONDS, process.kill)
            killer.start()
            output = process.stdout.read()
            killer.cancel()
        return begun, time.monotonic(), json.loads(output.splitlines()[-1])


def rows_of_attacks(results, log_lines):
    """Return a row for each attack: how often it was sent, the answers, and which of them are wrong."""
    rows = []
    for kind in ATTACKS:
        if kind.name not in results:
            continue
        sent, answers = results[kind.name]["sent"], dict(results[kind.name]["answers"])
        if kind is EscapesInLog and any(sign in line for line in log_lines for sign in IN_LOG):
            answers["raw in the log"] = sum(any(sign in line for sign in IN_LOG) for line in log_lines)
        allowed = kind.allowed | {BUDGET_SPENT} | ({BAD_GATEWAY} if CUT in kind.allowed else set())
        wrong = sorted(outcome for outcome in answers if outcome not in allowed)
        if not sent:
            wrong.append("was never sent")
        if kind.required and not any(answers.get(outcome) for outcome in kind.required):
            wrong.append("never: " + " or ".join(sorted(kind.required)))
        rows.append({"attack": kind.name, "sent": sent, "answers": answers, "wrong": wrong})
    return rows

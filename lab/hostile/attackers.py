"""The attackers' process, seen from the run: started with a plan, ended by closing its input."""
import json
import subprocess
import sys
import threading
import time

from ..attacks import ATTACKS
from ..attacks.registry import BUDGET_SPENT
from ..attacks.requests import IN_LOG, EscapesInLog

END_SECONDS = 60            # for the process to end by itself
FAREWELL_SECONDS = 8        # for what is under way to be answered


class Attackers:
    """Everything at once, as often as one likes."""

    def __init__(self, target, options):
        self.target, self.options = target, options

    def attack_for(self, seconds, sids, rate=1, seed=0, patience=0):
        """Attack for so many seconds, longer where an attack was not yet answered; return (begin, end, {attack: {sent, answers}})."""
        begun = time.monotonic()
        plan = {"target": {**self.target, "sids": sids}, "only": list(self.options["only"]), "seed": f"{self.options['seed']}/{seed}",
                "rate": rate, "seconds": seconds, "patience": patience, "farewell": 2 if self.options["quick"] else FAREWELL_SECONDS}
        with subprocess.Popen([sys.executable, "-W", "ignore", "-m", "lab.attacks"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              encoding="utf-8") as process:
            process.stdin.write(json.dumps(plan) + "\n")
            process.stdin.flush()       # and left open: the process ends when this one does
            killer = threading.Timer(seconds + patience + END_SECONDS, process.kill)
            killer.start()
            told = process.stdout.read()
            killer.cancel()
        return begun, time.monotonic(), json.loads(told.splitlines()[-1])


def rows_of_attacks(told, log_lines):
    """Return a row for each attack: how often it was sent, what was answered, and what of that is wrong."""
    rows = []
    for kind in ATTACKS:
        if kind.name not in told:
            continue
        sent, answers = told[kind.name]["sent"], dict(told[kind.name]["answers"])
        if kind is EscapesInLog and any(sign in line for line in log_lines for sign in IN_LOG):
            answers["raw in the log"] = sum(any(sign in line for sign in IN_LOG) for line in log_lines)
        wrong = sorted(outcome for outcome in answers if outcome not in kind.accepted | {BUDGET_SPENT})
        if not sent:
            wrong.append("was never sent")
        if kind.needed and not any(answers.get(outcome) for outcome in kind.needed):
            wrong.append("never: " + " or ".join(sorted(kind.needed)))
        rows.append({"attack": kind.name, "sent": sent, "answers": answers, "wrong": wrong})
    return rows

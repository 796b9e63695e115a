"""The attackers' process, seen from the run: started with a plan, ended by closing its input."""
import json
import subprocess
import sys
import time

from ..attacks import ATTACKS
from ..attacks.requests import IN_LOG, EscapesInLog

END_SECONDS = 60            # for the process to end when it is told to
FAREWELL_SECONDS = 8        # for what is under way to be answered


class Attackers:
    """Everything at once, from `start` to `stop`."""

    def __init__(self, target, options):
        self.target, self.options = target, options

    def start(self, seconds, sids, rate=1, seed=0):
        """Let them begin; they end by themselves after so many seconds and some more."""
        plan = {"target": {**self.target, "sids": sids}, "only": list(self.options["only"]), "seed": f"{self.options['seed']}/{seed}",
                "rate": rate, "seconds": seconds + END_SECONDS, "farewell": 2 if self.options["quick"] else FAREWELL_SECONDS}
        self.process = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "lab.attacks"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self.process.stdin.write(json.dumps(plan) + "\n")
        self.process.stdin.flush()
        return self

    def stop(self):
        """End them; return {attack: {sent, answers}}."""
        try:
            told, _nothing = self.process.communicate(timeout=END_SECONDS)
        finally:
            self.process.kill()
            self.process.wait()
        return json.loads(told.splitlines()[-1])

    def attack_for(self, seconds, sids, **options):
        """Attack for so many seconds; return (when it began, when it ended, what was sent and answered)."""
        begun = time.monotonic()
        self.start(seconds, sids, **options)
        time.sleep(seconds)
        told = self.stop()
        return begun, time.monotonic(), told


def rows_of_attacks(told, log_lines):
    """Return a row for each attack: how often it was sent, what was answered, and what of that is wrong."""
    rows = []
    for kind in ATTACKS:
        if kind.name not in told:
            continue
        sent, answers = told[kind.name]["sent"], dict(told[kind.name]["answers"])
        if kind is EscapesInLog and any(sign in line for line in log_lines for sign in IN_LOG):
            answers["raw in the log"] = sum(any(sign in line for sign in IN_LOG) for line in log_lines)
        wrong = sorted(outcome for outcome in answers if outcome not in kind.accepted)
        if not sent:
            wrong.append("was never sent")
        if kind.needed and not any(answers.get(outcome) for outcome in kind.needed):
            wrong.append("never: " + " or ".join(sorted(kind.needed)))
        rows.append({"attack": kind.name, "sent": sent, "answers": answers, "wrong": wrong})
    return rows

"""The attackers, a process of their own: `python -m lab.attacks`, the plan as JSON on the first line of standard input.

They go on until that input ends, or until the plan's time is over and each attack has been answered as it should be, for which
there is some patience; the last line printed is what was sent and answered, as JSON.
"""
import json
import os
import random
import sys
import threading
import time

from chat.live.process_tuning import raise_fd_limit

from . import ATTACKS
from .target import Target

MAX_SECONDS = 2 * 3600      # of one process, whatever the plan says
NICENESS = 10               # the attackers' own work would be done on other machines


def main():
    os.nice(NICENESS)
    raise_fd_limit()
    threading.stack_size(512 * 1024)
    plan = json.loads(sys.stdin.readline())
    ending, dice = threading.Event(), random.Random(plan["seed"])
    target = Target(**plan["target"])
    chosen = [kind for kind in ATTACKS if not plan["only"] or kind.name in plan["only"]]
    running = []
    for kind in chosen:
        for _n in range(kind.workers):
            attack = kind(target, random.Random(dice.random()))
            thread = threading.Thread(target=attack.run, args=(ending, plan["rate"]), daemon=True)
            running.append((attack, thread))
            thread.start()
    threading.Thread(target=lambda: (sys.stdin.read(), ending.set()), daemon=True).start()
    ending.wait(min(plan["seconds"], MAX_SECONDS))
    patient_until = time.monotonic() + plan["patience"]
    while time.monotonic() < patient_until and not all(attack.has_shown() for attack, _thread in running):
        if ending.wait(0.1):
            break
    ending.set()
    until = time.monotonic() + plan["farewell"]
    for _attack, thread in running:
        thread.join(max(0, until - time.monotonic()))
    told = {}
    for attack, _thread in running:
        row = told.setdefault(attack.name, {"sent": 0, "answers": {}})
        row["sent"] += attack.sent
        for outcome, times in dict(attack.counts).items():
            row["answers"][outcome] = row["answers"].get(outcome, 0) + times
    print(json.dumps(told), flush=True)
    os._exit(0)     # a thread that waits for an answer need not get it


if __name__ == "__main__":
    main()

"""The attackers' process: `python -m lab.attacks`. The first line of standard input is the plan, as JSON.

The attacks run until standard input ends, or until the plan's time is over and each attack has got an expected answer
(the plan says how long to wait for that). The last line printed says, as JSON, what was sent and answered.
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
NICENESS = 10               # in reality the attackers would use the processors of other machines


def main():
    os.nice(NICENESS)
    raise_fd_limit()
    threading.stack_size(512 * 1024)
    plan = json.loads(sys.stdin.readline())
    ending, rng = threading.Event(), random.Random(plan["seed"])
    target = Target(**plan["target"])
    chosen = [kind for kind in ATTACKS if not plan["only"] or kind.name in plan["only"]]
    running = []
    for kind in chosen:
        for _n in range(kind.workers):
            attack = kind(target, random.Random(rng.random()))
            thread = threading.Thread(target=attack.run, args=(ending, plan["rate"]), daemon=True)
            running.append((attack, thread))
            thread.start()
    threading.Thread(target=lambda: (sys.stdin.read(), ending.set()), daemon=True).start()
    ending.wait(min(plan["seconds"], MAX_SECONDS))
    patient_until = time.monotonic() + plan["patience"]
    while time.monotonic() < patient_until and not all(attack.is_answered() for attack, _thread in running):
        if ending.wait(0.1):
            break
    ending.set()
    until = time.monotonic() + plan["grace_seconds"]
    for _attack, thread in running:
        thread.join(max(0, until - time.monotonic()))
    results = {}
    for attack, _thread in running:
        row = results.setdefault(attack.name, {"sent": 0, "answers": {}})
        row["sent"] += attack.sent
        for outcome, times in dict(attack.counts).items():
            row["answers"][outcome] = row["answers"].get(outcome, 0) + times
    print(json.dumps(results), flush=True)
    os._exit(0)     # do not wait for threads that still wait for an answer


if __name__ == "__main__":
    main()

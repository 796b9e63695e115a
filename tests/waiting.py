"""Waiting for what tells nobody that it has come, and measuring on a machine that does something else."""
import time

LOOK_SECONDS = 0.02     # also for `serve_forever`, which otherwise notices its end after half a second


def wait_for(look, seconds):
    """Return what `look` returns as soon as it is true; None where that takes longer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(LOOK_SECONDS)
    return None


def shortest_time(work, limit, tries):
    """Return the shortest of the times that some work took, in seconds: what else the machine does only adds.

    The work is done until it took less than the limit, and at most so many times.
    """
    shortest = float("inf")
    for _n in range(tries):
        started = time.monotonic()
        work()
        shortest = min(shortest, time.monotonic() - started)
        if shortest < limit:
            break
    return shortest

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

"""Child processes that end with their parent, however that one ends."""
import ctypes
import functools
import signal
import sys

PR_SET_PDEATHSIG = 1        # of prctl(2); no other system than Linux has the like
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None       # found before the fork: a child may not wait for a lock


def ending_with_parent(number=signal.SIGKILL):
    """Return a function for Popen's `preexec_fn`: the child gets that signal when its parent dies."""
    return functools.partial(LIBC.prctl, PR_SET_PDEATHSIG, int(number)) if LIBC else None

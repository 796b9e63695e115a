"""Settings of the process itself: the garbage collector, how often Python switches threads, and how many files it may open."""
import contextlib
import gc
import sys

# New objects until the youngest generation is searched, and searches until the next older one is. What is there from the start is frozen
# and costs nothing. With (20,000, 20, 50) the oldest was searched after 20 million objects: ten minutes of attacks left 170 MB of cycles.
GC_THRESHOLDS = 5_000, 10, 2
# Seconds that a thread may hold Python's lock (the GIL) while another one waits for it. A commit of SQLite runs in a thread and needs the
# lock after each statement: with the usual 0.005 a commit of six statements took 14 ms beside a busy event loop, and now takes 4.
SWITCH_INTERVAL = 0.0005
FD_LIMITS = (20_000, 10_000, 4_000)     # open files, one for each connection: the first that the system grants


def tune_gc():
    """Run the garbage collector less often, and leave out the objects that are there from the start: each run pauses everything."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def shorten_switch_interval():
    """Switch between threads more often: the event loop holds the lock most of the time."""
    sys.setswitchinterval(SWITCH_INTERVAL)


def raise_fd_limit():
    """Raise the limit of open files as far as the system allows. The usual limit is 1,024, and each connection is one."""
    try:
        import resource
    except ImportError:     # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in FD_LIMITS:
        wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            return
        with contextlib.suppress(ValueError, OSError):      # macOS has another limit, lower than the one it reports
            return resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

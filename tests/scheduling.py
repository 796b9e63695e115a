"""Which tests run together in one of pytest's processes, and which of them start first.

A test mostly waits for servers, so `manage.py test` runs several at once, in processes of their own (pytest-xdist's workers). Each
worker has its own database, Redis, chat and browser. Tests that share such a server go to one worker as one unit: all tests of a file
that use the chat in the same mode. The longest units start first, so that no worker is alone at the end.
"""
import os
import re

from xdist.scheduler import LoadScopeScheduling

MAX_WORKERS = 4     # each has servers and a browser of its own: more would be short of memory before they are short of processors

# These break and attack servers of their own, and take the processors that they get. They are one unit, so that none runs beside
# another, and it starts first.
LABORATORY = ("tests/test_prove.py", "tests/test_hostile.py", "tests/test_bench.py", "tests/attacks/test_fuzz.py")
# What takes more than half a minute follows, in this order, then all other files.
LONG = ("tests/test_migrations.py", "tests/attacks/test_06_half_requests.py", "tests/test_clusters.py", "tests/test_cluster.py")

MODE = re.compile(r"\[(?:.*-)?(embedded|server|threading)[-\]]")     # of `chat` in tests/conftest.py, in a test's id


def worker_count():
    """Return how many workers a run has: one more than processors, for most of the time a test waits."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MAX_WORKERS - 1) + 1


def unit_of(nodeid):
    """Return the name of a test's unit."""
    file, _, test = nodeid.partition("::")
    if file in LABORATORY:
        return "the laboratory"
    mode = MODE.search(test)
    return f"{file} {mode[1]}" if mode else file


def start_rank(unit):
    """Return what to sort units by: those with the lowest start first."""
    first = ("the laboratory", *LONG)
    file = unit if unit in first else unit.partition(" ")[0]
    return first.index(file) if file in first else len(first)


class UnitScheduling(LoadScopeScheduling):
    """Gives each worker that has nothing to do the unit that has to start next."""

    def __init__(self, config, log):
        config.option.loadscopereorder = False      # the order of collection keeps the tests of a mode together
        super().__init__(config, log)

    def _split_scope(self, nodeid):
        return unit_of(nodeid)

    def _assign_work_unit(self, node):
        self.workqueue.move_to_end(min(self.workqueue, key=start_rank), last=False)
        super()._assign_work_unit(node)

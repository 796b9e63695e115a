"""What the operating system says of processes: the CPU time of a whole tree, and the memory of one. Linux alone tells it."""
import os
from pathlib import Path

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
PAGE_KB = os.sysconf("SC_PAGE_SIZE") / 1024


def tree(root):
    """Return the ids of a process and of all its descendants."""
    children = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = _fields(path)
        except OSError:
            continue    # it ended meanwhile
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, waiting = [], [root]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def cpu_seconds(root):
    """Return the CPU time that a process and its descendants have used, those that ended and were awaited included."""
    total = 0
    for pid in tree(root):
        fields = _fields(Path(f"/proc/{pid}/stat"))
        total += sum(int(field) for field in fields[11:15])     # of itself and of its ended children, user and system
    return total * TICK_SECONDS


def memory_kb(pid):
    """Return the resident memory of one process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_KB


def _fields(path):
    """Return what stands after the name, which may hold anything."""
    return path.read_text().rpartition(")")[2].split()

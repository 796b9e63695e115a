"""CPU time, memory, open files and threads of processes, read from /proc. Linux only."""
import os
from pathlib import Path


def tree(root):
    """Return the ids of a process and of all its descendants."""
    children = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = _fields(path)
        except OSError:
            continue    # the process has just ended
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, waiting = [], [root]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def cpu_seconds(root):
    """Return the CPU time of a process and its descendants, including those that have ended and were waited for."""
    total = 0
    for pid in tree(root):
        fields = _fields(Path(f"/proc/{pid}/stat"))
        total += sum(int(field) for field in fields[11:15])     # its own and its ended children's, user and system
    return total / os.sysconf("SC_CLK_TCK")


def memory_kb(pid):
    """Return the resident memory of one process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def open_files(pid):
    """Return how many file descriptors a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def thread_count(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def _fields(path):
    """Return the fields of a stat file after the name, which may contain spaces and parentheses."""
    return path.read_text().rpartition(")")[2].split()

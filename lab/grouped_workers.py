"""`run --processes N` in which each process has its own group, so that a firewall rule can select its packets: `python -m lab.grouped_workers N`."""
import sys

from tools import cluster

FIRST_GROUP = 42_001        # a group id that nothing else on this machine uses


def group_of(n):
    """Return the group of the n-th process, counted from 1."""
    return FIRST_GROUP + n - 1


class GroupedWorker(cluster.Worker):
    """A server process that starts in its own group. The kernel records the group when a socket is opened, so it must not change later."""

    def __init__(self, name, *arguments):
        super().__init__(name, *arguments)
        self.options = {**cluster.CHILD_OPTIONS, "group": group_of(int(name.removeprefix("process ")))}


if __name__ == "__main__":
    cluster.Worker = GroupedWorker
    cluster.main(int(sys.argv[1]))

"""`run --processes N` with a group of its own for each process, by which its packets are known: `python -m lab.grouped N`."""
import sys

from tools import cluster

FIRST_GROUP = 42_001        # which nobody else of this machine is in


def group_of(n):
    """Return the group of the n-th process, counted from 1."""
    return FIRST_GROUP + n - 1


class GroupedMember(cluster.Member):
    """A server process that is in its own group from its first moment on: whose a socket is, is decided when it is opened."""

    def __init__(self, name, *arguments):
        super().__init__(name, *arguments)
        self.options = {**cluster.APART, "group": group_of(int(name.removeprefix("process ")))}


if __name__ == "__main__":
    cluster.Member = GroupedMember
    cluster.main(int(sys.argv[1]))

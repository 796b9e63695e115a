"""How much is measured: everything, or a quick run of two minutes that only shows that everything works."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Scope:
    """Seconds, numbers and repetitions of a run."""

    rounds: int = 3
    seconds: float = 6
    warm_up: float = 2
    paced_seconds: float = 12
    many: int = 1_000        # people in a large room, and in a large reconnect storm; a small one has a tenth
    messages: int = 10_000_000
    long: int = 1_000_000       # messages of the long conversation
    short: int = 100
    rooms: int = 500            # of a person whose home page is opened
    few_rooms: int = 5
    people: int = 100_000
    few_people: int = 100
    openings: int = 40
    uploads: int = 20           # files of 25 MB, one after the other
    resting: float = 12        # seconds until the memory of idle connections is read


FULL = Scope()
QUICK = Scope(rounds=1, seconds=1, warm_up=0.5, paced_seconds=1, many=100, messages=20_000, long=10_000, rooms=100, people=2_000,
              openings=5, uploads=2, resting=1)

"""Many connections: what an idle one costs, what a restart costs when all come back at once, what one more costs the others."""
import time

from .load import Load

WARMING = 50                # connections that come and go before the memory is read
AT_ONCE = 100               # connections that are being opened at a time; a storm opens all at once
LEAVING_SECONDS = 1


def memory(subject, scope):
    """Return the resident memory that one idle WebSocket adds, in KB, after its first pings."""
    people = subject.people(scope.many)
    with Load() as load:
        load("connect", url=subject.url, who=people[:WARMING])
        load("leave")
        time.sleep(LEAVING_SECONDS)
        before = subject.memory_kb()
        load("connect", url=subject.url, who=people, atOnce=AT_ONCE)
        time.sleep(scope.resting)
        return {"kb": (subject.memory_kb() - before) / len(people)}


def storm(subject, number):
    """Restart the server and let so many people reconnect at once, until each knows of all.

    Returns the CPU for each in microseconds and the bytes that each received, and then the bytes that one more costs each.
    """
    subject.restart()
    people = subject.people(number)
    newcomer = subject.people(1, first=100_001)     # the same one each time: an id of another length weighs a byte more
    with Load() as load:
        before = sum(subject.cpu_seconds().values())
        load("connect", url=subject.url, who=people, atOnce=number)
        received = load("settle", online=number)["bytes"]
        spent = sum(subject.cpu_seconds().values()) - before
        load("connect", url=subject.url, who=newcomer, more=True)
        told = load("settle", online=number + 1)["bytes"][:number]
    return {"cpu_us": spent / number * 1e6, "bytes": max(received), "online": number,
            "bytes_for_one_more": sum(after - earlier for earlier, after in zip(received, told)) / number}

"""Many connections: the memory of an idle one, the cost of a restart after which all reconnect, the cost of one more person online."""
import time

from .load import Load

WARMING = 50                # connections that come and go before the memory is read
AT_ONCE = 100               # connections that are opened in parallel; a reconnect storm opens all at once
LEAVING_SECONDS = 1


def memory(subject, scope):
    """Return the resident memory in KB that one idle WebSocket adds, after its first pings."""
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
    """Restart the server and let so many people reconnect at once, until each of them sees all the others.

    Returns the CPU time for each in microseconds, the bytes that each receives, and the bytes that one more person costs each.
    """
    subject.restart()
    people = subject.people(number)
    newcomer = subject.people(1, first=100_001)     # always the same one, because an id with more digits adds a byte
    with Load() as load:
        before = sum(subject.cpu_seconds().values())
        load("connect", url=subject.url, who=people, atOnce=number)
        received = load("waitForPresence", online=number)["bytes"]
        spent = sum(subject.cpu_seconds().values()) - before
        load("connect", url=subject.url, who=newcomer, more=True)
        received_with_one_more = load("waitForPresence", online=number + 1)["bytes"][:number]
    return {"cpu_us": spent / number * 1e6, "bytes": max(received), "online": number,
            "bytes_for_one_more": sum(after - earlier for earlier, after in zip(received, received_with_one_more)) / number}

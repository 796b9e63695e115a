"""A seeded simulation of many people: the bytes of presence, and the work that several processes cause each other.

It is a model and runs no code of the chat. It builds the same frames as the chat and counts their bytes, and it counts how often each
process stores, receives and delivers a message. It backs the formulas of docs/scale.md for numbers that no single machine can run.
"""
import heapq
import random
from collections import Counter
from dataclasses import dataclass

import orjson

WINDOW_SECONDS = 1          # the chat's PRESENCE_WINDOW: changes within it are sent together
OBSERVERS = 50              # people whose bytes are counted
EVENT = '42["updateOnlineUsers",]'


class Population:
    """People who come online and go offline at random, with these average durations."""

    def __init__(self, people, online_seconds, offline_seconds, rng):
        self.mean = {True: online_seconds, False: offline_seconds}
        self.rng = rng
        self.online = {person for person in range(people) if rng.random() < online_seconds / (online_seconds + offline_seconds)}
        self.turns = [(self._stay(person), person) for person in range(people)]
        heapq.heapify(self.turns)

    def _stay(self, person):
        return self.rng.expovariate(1 / self.mean[person in self.online])

    def until(self, second):
        """Return who came online and who went offline since the last call."""
        touched = set()
        while self.turns[0][0] <= second:
            at, person = heapq.heappop(self.turns)
            touched ^= {person}        # two changes within a window cancel each other
            self.online ^= {person}
            heapq.heappush(self.turns, (at + self._stay(person), person))
        return touched & self.online, touched - self.online


def presence_bytes(people, online_seconds, offline_seconds, seconds, seed, watched=None):
    """Return the bytes per second that the server sends to one person who is online.

    As in the chat, everybody receives everybody's changes; with `watched`, only those of so many people.
    """
    rng = random.Random(seed)
    population = Population(people, online_seconds, offline_seconds, rng)
    everybody = range(people)
    looks = [set(rng.sample(everybody, watched)) if watched else None for _observer in range(OBSERVERS)]
    total = 0
    for second in range(WINDOW_SECONDS, seconds + 1, WINDOW_SECONDS):
        joined, left = population.until(second)
        total += sum(frame_bytes(joined, left) if look is None else frame_bytes(joined & look, left & look) for look in looks)
    return total / OBSERVERS / seconds


def frame_bytes(joined, left):
    """Return the length of the packet for a change; 0 if there is none."""
    if not joined and not left:
        return 0
    return len(EVENT) + len(orjson.dumps({"snapshot": False, "online": sorted(joined), "offline": sorted(left)}))


@dataclass
class FanOut:
    """How often each process stored, received and delivered a message."""

    stored: Counter
    received: Counter
    delivered: Counter

    def busiest_us(self, store_us, receive_us, deliver_us):
        """Return the CPU time in microseconds that the busiest process needs per message of the whole chat."""
        return max(store_us * self.stored[process] + receive_us * self.received[process] + deliver_us * self.delivered[process]
                   for process in self.received | self.stored) / self.stored.total()


def fan_out(processes, people, messages, tabs, seed, is_broadcast=False):
    """Let random pairs write, and count the work of each process.

    Everybody has `tabs` tabs, all at one process, because the proxy is sticky. As in the chat, a message is published only to the
    processes of its receiver; with `is_broadcast`, to every other process.
    """
    rng, outcome = random.Random(seed), FanOut(Counter(), Counter(), Counter())
    home = [rng.randrange(processes) for _person in range(people)]
    for _n in range(messages):
        sender, receiver = rng.sample(range(people), 2)
        outcome.stored[home[sender]] += 1
        outcome.delivered[home[sender]] += tabs - 1
        outcome.delivered[home[receiver]] += tabs
        receivers = set(range(processes)) if is_broadcast else {home[sender], home[receiver]}
        outcome.received.update(receivers - {home[sender]})
    return outcome

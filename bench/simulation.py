"""A seeded simulation of many people: what presence sends, and what several processes have to do for each other.

It is a model and runs nothing of the chat: it writes the frames as the chat does and counts their bytes, and it counts how often each
process stores, hears and delivers, where the chat would have it do so. So it backs the formulas of docs/scale.md, which hold for numbers
that no single machine can run.
"""
import heapq
import random
from collections import Counter
from dataclasses import dataclass

import orjson

WINDOW_SECONDS = 1          # the chat's PRESENCE_WINDOW: changes within it are told together
OBSERVERS = 50              # people whose bytes are counted
EVENT = '42["updateOnlineUsers",]'


class Coming:
    """People who come and go at random; each stays, and is away, for so many seconds on average."""

    def __init__(self, people, here_seconds, away_seconds, dice):
        self.mean = {True: here_seconds, False: away_seconds}
        self.dice = dice
        self.online = {person for person in range(people) if dice.random() < here_seconds / (here_seconds + away_seconds)}
        self.turns = [(self._stay(person), person) for person in range(people)]
        heapq.heapify(self.turns)

    def _stay(self, person):
        return self.dice.expovariate(1 / self.mean[person in self.online])

    def until(self, second):
        """Return who came and who went since the last call."""
        touched = set()
        while self.turns[0][0] <= second:
            at, person = heapq.heappop(self.turns)
            touched ^= {person}         # whoever comes and goes within a window has not changed
            self.online ^= {person}
            heapq.heappush(self.turns, (at + self._stay(person), person))
        return touched & self.online, touched - self.online


def presence_bytes(people, here_seconds, away_seconds, seconds, seed, watched=None):
    """Return the bytes a second that one person who is online is sent.

    Everybody hears of everybody, as the chat has it; or, with `watched`, of so many people whom they look at.
    """
    dice = random.Random(seed)
    coming = Coming(people, here_seconds, away_seconds, dice)
    everybody = range(people)
    looks = [set(dice.sample(everybody, watched)) if watched else None for _observer in range(OBSERVERS)]
    total = 0
    for second in range(WINDOW_SECONDS, seconds + 1, WINDOW_SECONDS):
        came, went = coming.until(second)
        total += sum(frame_bytes(came, went) if look is None else frame_bytes(came & look, went & look) for look in looks)
    return total / OBSERVERS / seconds


def frame_bytes(came, went):
    """Return the length of the packet that tells of a change; nothing is sent where there is none."""
    if not came and not went:
        return 0
    return len(EVENT) + len(orjson.dumps({"snapshot": False, "online": sorted(came), "offline": sorted(went)}))


@dataclass
class FanOut:
    """How often each process stored, heard and delivered a message."""

    stored: Counter
    heard: Counter
    delivered: Counter

    def busiest_us(self, store_us, hear_us, deliver_us):
        """Return what the busiest process needs for one message of the whole chat, microseconds of a processor."""
        return max(store_us * self.stored[process] + hear_us * self.heard[process] + deliver_us * self.delivered[process]
                   for process in self.heard | self.stored) / self.stored.total()


def fan_out(processes, people, messages, tabs, seed, is_heard_by_all=False):
    """Let random pairs write, and count what each process has to do.

    Everybody has `tabs` tabs, all at one process, because the proxy is sticky. What is stored that process hears alone at which the
    receiver is, as the chat has it; or, where it `is_heard_by_all`, every other process.
    """
    dice, outcome = random.Random(seed), FanOut(Counter(), Counter(), Counter())
    home = [dice.randrange(processes) for _person in range(people)]
    for _n in range(messages):
        sender, receiver = dice.sample(range(people), 2)
        outcome.stored[home[sender]] += 1
        outcome.delivered[home[sender]] += tabs - 1
        outcome.delivered[home[receiver]] += tabs
        hearers = set(range(processes)) if is_heard_by_all else {home[sender], home[receiver]}
        outcome.heard.update(hearers - {home[sender]})
    return outcome

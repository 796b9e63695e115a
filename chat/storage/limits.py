"""Limits: how often something may happen within a time, in memory or in Redis, with the same two verbs.

By hand and not by the package `limits` (5.6): its strategies cannot uncount an event, which a right password has to, and a hit in
memory takes it 5 to 8 µs where this one takes 1.
"""
import ipaddress
import threading
import time
from collections import deque

IPV6_PREFIX = 64            # bits; one household, or one machine, has all addresses of such a network
SWEEP_THRESHOLD = 10_000    # keys in memory; with more, the expired ones are removed


def network_of(address):
    """Return what is counted as one place: an IPv4 address, the /64 of an IPv6 one, or the text as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False))


class MemoryLimits:
    """A sliding window for each key, in this process."""

    def __init__(self, enabled=True, clock=time.monotonic):
        self.enabled = enabled
        self.clock = clock
        self.times = {}     # key -> when each counted event ends to count
        self.lock = threading.Lock()

    def take(self, key, most, seconds):
        """Count one event; return 0, or the seconds to wait where there were `most` within `seconds` already."""
        if not self.enabled:
            return 0
        now = self.clock()
        with self.lock:
            if len(self.times) > SWEEP_THRESHOLD:
                self.times = {k: ends for k, ends in self.times.items() if ends and ends[-1] > now}
            ends = self.times.setdefault(key, deque())
            while ends and ends[0] <= now:
                ends.popleft()
            if len(ends) >= most:
                return max(1, round(ends[0] - now + 0.5))
            ends.append(now + seconds)
            return 0

    def give_back(self, key):
        """Uncount the latest event of a key."""
        with self.lock:
            if self.times.get(key):
                self.times[key].pop()


# Each is one step for Redis: between two commands a counter could end, and the second would make one without an end.
TAKE = """
local taken = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
if taken >= tonumber(ARGV[1]) then return math.max(1, redis.call('TTL', KEYS[1])) end
if taken > 0 then redis.call('INCR', KEYS[1]) else redis.call('SET', KEYS[1], 1, 'EX', ARGV[2]) end
return 0
"""
GIVE_BACK = "if (tonumber(redis.call('GET', KEYS[1]) or '0') or 0) > 0 then redis.call('DECR', KEYS[1]) end"


class RedisLimits:
    """A counter for each key that ends with its window, for all processes together."""

    def __init__(self, client, enabled=True):
        self.enabled = enabled
        self.take_script = client.register_script(TAKE)
        self.give_back_script = client.register_script(GIVE_BACK)

    def take(self, key, most, seconds):
        if not self.enabled:
            return 0
        return self.take_script(keys=[f"chat:limit:{key}"], args=[most, seconds])

    def give_back(self, key):
        if self.enabled:
            self.give_back_script(keys=[f"chat:limit:{key}"])

"""Rate limits: how many events a key may have in a window of time, counted in memory or in Redis.

By hand and not by the package `limits` (5.6): its strategies cannot uncount an event, which a right password has to, and a hit in
memory takes it 5 to 8 µs where this one takes 1.
"""
import functools
import ipaddress
import threading
import time
from collections import deque

IPV6_PREFIX = 64            # bits; one household, or one machine, has all addresses of such a network
MAX_REMEMBERED = 4096       # addresses whose network is known; it takes 10 µs to find
SWEEP_THRESHOLD = 10_000    # keys in memory; with more, and with twice as many as a sweep left, the expired ones are removed


@functools.lru_cache(MAX_REMEMBERED)
def network_of(address):
    """Return what counts as one client: an IPv4 address, the /64 network of an IPv6 address, or any other text as it is."""
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
        self.left = 0           # keys that the last sweep has left
        self.expiries = {}      # key -> when each of its events leaves the window, the earliest first
        self.amounts = {}       # key -> (when its amount is forgotten, the amount)
        self.lock = threading.Lock()

    def hit(self, key, limit, window):
        """Count one event and return 0. After `limit` events in `window` seconds: count nothing and return the seconds to wait."""
        if not self.enabled:
            return 0
        now = self.clock()
        with self.lock:
            if len(self.expiries) > max(SWEEP_THRESHOLD, 2 * self.left):
                self.expiries = {k: expiries for k, expiries in self.expiries.items() if expiries and expiries[-1] > now}
                self.left = len(self.expiries)
            wait = self._wait(key, limit, now)
            if not wait:
                self.expiries.setdefault(key, deque()).append(now + window)
            return wait

    def seconds_to_wait(self, key, limit):
        """Return 0 if one more event would be counted, else the seconds to wait."""
        with self.lock:
            return self._wait(key, limit, self.clock()) if self.enabled else 0

    def _wait(self, key, limit, now):
        expiries = self.expiries.get(key, ())
        while expiries and expiries[0] <= now:
            expiries.popleft()
        return max(1, round(expiries[0] - now + 0.5)) if len(expiries) >= limit else 0

    def undo(self, key):
        """Uncount the latest event of a key."""
        with self.lock:
            if self.expiries.get(key):
                self.expiries[key].pop()

    def add(self, key, amount, window):
        """Add to a key's amount. It expires `window` seconds after the last addition."""
        if self.enabled:
            with self.lock:
                self.amounts = {k: found for k, found in self.amounts.items() if found[0] > self.clock()}
                self.amounts[key] = self.clock() + window, self.amounts.get(key, (0, 0))[1] + amount

    def amounts_of(self, *keys):
        """Return the amount of each of these keys, in their order."""
        found = [self.amounts.get(key, (0, 0)) for key in keys]
        return [amount if expiry > self.clock() else 0 for expiry, amount in found]


# Scripts, because Redis runs each as one step: between two commands the counter could expire, and the second command would
# create a counter that never expires.
HIT = """
local count = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
if count >= tonumber(ARGV[1]) then return math.max(1, redis.call('TTL', KEYS[1])) end
if count > 0 then redis.call('INCR', KEYS[1]) else redis.call('SET', KEYS[1], 1, 'EX', ARGV[2]) end
return 0
"""
ADD = """
if not string.match(redis.call('GET', KEYS[1]) or '0', '^%d+$') then redis.call('DEL', KEYS[1]) end
redis.call('INCRBY', KEYS[1], ARGV[1]) redis.call('EXPIRE', KEYS[1], ARGV[2])
"""
UNDO = "if (tonumber(redis.call('GET', KEYS[1]) or '0') or 0) > 0 then redis.call('DECR', KEYS[1]) end"


class RedisLimits:
    """A fixed window for each key, which begins with its first event; all processes share it."""

    def __init__(self, client, enabled=True):
        self.enabled = enabled
        self.hit_script = client.register_script(HIT)
        self.undo_script = client.register_script(UNDO)
        self.add_script = client.register_script(ADD)
        self.client = client

    def hit(self, key, limit, window):
        if not self.enabled:
            return 0
        return self.hit_script(keys=[f"chat:limit:{key}"], args=[limit, window])

    def seconds_to_wait(self, key, limit):
        [count] = self.amounts_of(key)
        return max(1, self.client.ttl(f"chat:limit:{key}")) if self.enabled and count >= limit else 0

    def undo(self, key):
        if self.enabled:
            self.undo_script(keys=[f"chat:limit:{key}"])

    def add(self, key, amount, window):
        if self.enabled:
            self.add_script(keys=[f"chat:limit:{key}"], args=[amount, window])

    def amounts_of(self, *keys):
        kept = self.client.mget([f"chat:limit:{key}" for key in keys]) if self.enabled else [None] * len(keys)
        return [int(amount) if amount and amount.isdigit() else 0 for amount in kept]       # what is no count counts as none

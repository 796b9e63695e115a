"""Presence: who is online. A user is online while one of their connections is open, and a few seconds longer.

A user of this process is in one of three states:

    connected  --last connection closes-->  grace_until  --GRACE_SECONDS-->  gone
        ^                                        |
        `------------ connects again ------------'

Both `connected` and `grace_until` count as online, and are registered with a lease in the registry of all processes.
"""
import threading
import time

from ..errors import Unavailable

GRACE_SECONDS = 3       # from the last connection to "offline", so that a reload does not blink
LEASE_SECONDS = 20      # the users of a process that dies go offline when their leases end
RENEW_INTERVAL = 1      # second; a lease may have been given to a former master of Redis, which does not know yet that it is none
MAX_ID_DIGITS = 10      # of a user's id; any other text in the registry is nobody's


class Presence:
    """Counts the connections of each user in this process, and keeps the shared registry up to date.

    `on_lease_lost` is called when the registry had lost somebody who is connected here: other processes did not know of them.
    """

    def __init__(self, registry, clock=time.monotonic, on_lease_lost=lambda: None):
        self.registry = registry
        self.clock = clock
        self.on_lease_lost = on_lease_lost
        self.connections = {}       # user id -> set of sids
        self.grace_until = {}       # user id -> when they go offline
        self.lock = threading.RLock()
        self.renewed_at = 0
        self.registered = set()     # user ids that this process has put into the registry
        self.has_lost_lease = False     # somebody could not be registered
        self.known_online = frozenset()

    def connect(self, user_id, sid):
        """Note a connection; return whether the user comes back before anybody was told that they were gone."""
        with self.lock:
            is_in_grace_period = self.grace_until.pop(user_id, None) is not None
            comes_from_other_process = user_id in self.known_online and user_id not in self.connections
            is_back = is_in_grace_period or comes_from_other_process
            self.connections.setdefault(user_id, set()).add(sid)
        try:
            self.registry.renew({user_id})
            self.registered.add(user_id)
        except Unavailable:
            self.has_lost_lease = True      # until the next renewal
        return is_back

    def disconnect(self, user_id, sid):
        """Forget a connection; after the last one the user goes offline when the grace period is over."""
        with self.lock:
            sids = self.connections.get(user_id, set())
            sids.discard(sid)
            if not sids and self.connections.pop(user_id, None) is not None:
                self.grace_until[user_id] = self.clock() + GRACE_SECONDS

    def expire_now(self, user_id):
        """Let a user who has no connection any more go offline at once."""
        with self.lock:
            if user_id in self.grace_until:
                self.grace_until[user_id] = self.clock()

    def connections_of(self, user_id):
        """Return the sids of one user in this process."""
        with self.lock:
            return tuple(self.connections.get(user_id, ()))

    def online(self):
        """Return the ids of all who are online, as of the last refresh."""
        return self.known_online

    def refresh(self):
        """End the grace periods that are over, renew the leases, and return the ids of all who are online."""
        now = self.clock()
        with self.lock:
            gone = {user_id for user_id, until in self.grace_until.items() if until <= now}
            for user_id in gone:
                del self.grace_until[user_id]
            self.registered -= gone
        if gone:
            self._release(gone)
        with self.lock:
            local_users = frozenset(self.connections) | frozenset(self.grace_until)
        came_back_meanwhile = bool(local_users & gone)      # their leases were just released
        is_renewal_due = bool(local_users) and now - self.renewed_at >= RENEW_INTERVAL
        if came_back_meanwhile or is_renewal_due:
            self.renewed_at = now
            self._renew(local_users)
        try:
            self.known_online = local_users | self.registry.online()
        except Unavailable:
            self.known_online = local_users | (self.known_online - gone)
        return self.known_online

    def _renew(self, local_users):
        registered = local_users & self.registered
        try:
            if self.registry.renew(registered):
                self.has_lost_lease = True      # Redis has forgotten them, as a new master may
            self.registry.renew(local_users - registered)
        except Unavailable:
            return      # the next renewal tries again
        self.registered |= local_users
        if self.has_lost_lease:
            self.has_lost_lease = False
            self.on_lease_lost()

    def _release(self, gone):
        try:
            self.registry.release(gone)
        except Unavailable:
            pass        # their leases end by themselves


class MemoryRegistry:
    """One process: nobody is online elsewhere."""

    def renew(self, user_ids):
        return 0

    def release(self, user_ids):
        pass

    def online(self):
        return frozenset()


class RedisRegistry:
    """A sorted set of leases: `user:process` by the time at which it ends, on Redis' clock, which all processes share."""

    KEY = "chat:online"

    def __init__(self, client, process_id):
        self.client = client
        self.process_id = process_id

    def renew(self, user_ids):
        """Give these users a new lease; return how many of them had none."""
        if not user_ids:
            return 0
        ends = self._now() + LEASE_SECONDS
        return self.client.zadd(self.KEY, {f"{user_id}:{self.process_id}": ends for user_id in user_ids})

    def release(self, user_ids):
        self.client.zrem(self.KEY, *(f"{user_id}:{self.process_id}" for user_id in user_ids))

    def online(self):
        now = self._now()
        self.client.zremrangebyscore(self.KEY, "-inf", now)
        user_ids = (member.partition(b":")[0] for member in self.client.zrangebyscore(self.KEY, now, "+inf"))
        return frozenset(int(user_id) for user_id in user_ids if user_id.isdigit() and len(user_id) <= MAX_ID_DIGITS)

    def _now(self):
        seconds, microseconds = self.client.time()
        return seconds + microseconds / 1_000_000

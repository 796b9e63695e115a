"""Presence: who is online. A person is online while one of their connections is, and a short delay beyond."""
import threading
import time

from ..errors import Unavailable

DELAY = 3               # seconds before "gone", so that a reload does not blink
MAX_ID_DIGITS = 10      # of a user's id: what else lies on the board is nobody
LEASE = 20              # seconds; a process that dies takes its people offline when its lease ends
RENEWAL = 1             # second between renewals of the lease: some go to a former master of Redis, which does not know that it is none any more


class Presence:
    """Counts the connections of each person in this process, and keeps `board`, which all processes share, told."""

    def __init__(self, board, clock=time.monotonic, missing=lambda: None):
        self.board = board
        self.clock = clock
        self.missing = missing      # called when somebody here was not on the board for a while: the others did not know of them
        self.connections = {}       # user id -> set of connection ids
        self.leaving = {}           # user id -> when the delay ends
        self.lock = threading.RLock()
        self.renewed_at = 0
        self.listed = set()         # whom this process has put on the board
        self.is_missing = False     # somebody could not be put there
        self.known_online = frozenset()

    def connect(self, user_id, sid):
        """Note a connection; return whether this person comes back: nobody has told yet that they were gone."""
        with self.lock:
            back = (self.leaving.pop(user_id, None) is not None
                    or user_id in self.known_online and user_id not in self.connections)    # they were at another process
            self.connections.setdefault(user_id, set()).add(sid)
        try:
            self.board.put({user_id})
            self.listed.add(user_id)
        except Unavailable:
            self.is_missing = True      # until the next renewal
        return back

    def disconnect(self, user_id, sid):
        """Forget a connection; after the last one the person goes offline when the delay is over."""
        with self.lock:
            sids = self.connections.get(user_id, set())
            sids.discard(sid)
            if not sids and self.connections.pop(user_id, None) is not None:
                self.leaving[user_id] = self.clock() + DELAY

    def end_delay(self, user_id):
        """Let a person who has no connection any more go offline at once."""
        with self.lock:
            if user_id in self.leaving:
                self.leaving[user_id] = self.clock()

    def of(self, user_id):
        """Return the connection ids of one person in this process."""
        with self.lock:
            return tuple(self.connections.get(user_id, ()))

    def online(self):
        """Return the ids of all who are online, as last seen."""
        return self.known_online

    def refresh(self):
        """End the delays that are over, renew the lease, and return the ids of all who are online."""
        now = self.clock()
        with self.lock:
            gone = {user_id for user_id, ends in self.leaving.items() if ends <= now}
            for user_id in gone:
                del self.leaving[user_id]
            self.listed -= gone
        if gone:
            self._remove(gone)
        with self.lock:
            here = frozenset(self.connections) | frozenset(self.leaving)
        if here & gone or (here and now - self.renewed_at >= RENEWAL):   # some came back while they were removed
            self.renewed_at = now
            self._renew(here)
        try:
            self.known_online = here | self.board.online()
        except Unavailable:
            self.known_online = here | (self.known_online - gone)
        return self.known_online

    def _renew(self, here):
        listed = here & self.listed
        try:
            if self.board.put(listed):
                self.is_missing = True      # Redis has forgotten them, as a new master may
            self.board.put(here - listed)
        except Unavailable:
            return      # the next renewal tells it again
        self.listed |= here
        if self.is_missing:
            self.is_missing = False
            self.missing()

    def _remove(self, gone):
        try:
            self.board.remove(gone)
        except Unavailable:
            pass        # their leases end


class MemoryBoard:
    """One process: what it knows itself is all there is."""

    def put(self, user_ids):
        return 0

    def remove(self, user_ids):
        pass

    def online(self):
        return frozenset()


class RedisBoard:
    """A sorted set of leases, `user:process` by the time each ends: Redis' time, which all processes share."""

    KEY = "chat:online"

    def __init__(self, client, process_id):
        self.client = client
        self.process_id = process_id

    def put(self, user_ids):
        """Give these people a new lease; return how many of them were not on the board."""
        if not user_ids:
            return 0
        ends = self._now() + LEASE
        return self.client.zadd(self.KEY, {f"{user_id}:{self.process_id}": ends for user_id in user_ids})

    def remove(self, user_ids):
        self.client.zrem(self.KEY, *(f"{user_id}:{self.process_id}" for user_id in user_ids))

    def online(self):
        now = self._now()
        self.client.zremrangebyscore(self.KEY, "-inf", now)
        people = (member.partition(b":")[0] for member in self.client.zrangebyscore(self.KEY, now, "+inf"))
        return frozenset(int(user_id) for user_id in people if user_id.isdigit() and len(user_id) <= MAX_ID_DIGITS)

    def _now(self):
        seconds, microseconds = self.client.time()
        return seconds + microseconds / 1_000_000

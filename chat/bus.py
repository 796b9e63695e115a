"""The bus: what one process tells the others, over Redis. Where there is no Redis, there is one process.

Every process says something once a second, if only that it is there; as long as nobody else listens, it says no more. What is told
is a hint, and may get lost, with Redis or with a connection to it. So each numbers what it says: the others notice what they did not
hear. Who has missed something, or hears nothing at all, not even itself, looks into the database, where every message is, until all is
well again.
"""
import logging
import time
from collections import deque

import orjson
import redis

from .errors import Unavailable
from .message import Message

log = logging.getLogger(__name__)

CHANNEL = "chat:bus"
BEAT = 1                    # second between two things that a process says, if only that it is there
DEAF = 3                    # seconds without hearing oneself: the connection is given up, and made anew
FORGOTTEN = 30              # seconds without hearing another process: it has ended, and does not speak elsewhere
PAUSE = 0.5                 # seconds before another attempt to connect
LOOK_EVERY = 1              # second between looks into the database while something was missed
LONGEST_SPEECH = 500        # things said at once
HOLD = 10                   # seconds in which messages may be committed in another order than that of their ids


class NoBus:
    """One process: there is nobody to tell."""

    def start(self, socket):
        pass

    def tell(self, event, payload, people):
        return True


class RedisBus:
    """Tells the other processes what the people connected there are to hear, and passes on what they tell."""

    def __init__(self, client, process_id):
        self.client = client
        self.process_id = process_id
        self.socket = self.trail = None
        self.said = 0               # how often this process has spoken
        self.heard = {}             # process id -> (the number of what was last heard from it, when)
        self.alone = True           # nobody else listens
        self.missed = True          # something may be in the database that nobody here was told
        self.waiting = deque()

    def start(self, socket):
        """Begin to speak and to listen; `socket` is told what comes, by hear(event, payload, people)."""
        self.socket, self.trail = socket, Trail(socket.database)
        self.something_waits = socket.server.eio.create_event()
        for task in (self._speak, self._listen, self._look_after):
            socket.server.start_background_task(task)

    def tell(self, event, payload, people):
        """Have an event reach every connection that these people have to other processes. Returns at once.

        Returns whether those connected here are still to be told: while Redis is away, a look into the database may find
        a message between its commit and this call.
        """
        if not self.alone:
            self.waiting.append((event, payload, people))
            self.something_waits.set()
        return self._note(event, payload)

    def _speak(self):
        while True:
            self.something_waits.wait(BEAT)
            self.something_waits.clear()
            words = [self.waiting.popleft() for _n in range(min(len(self.waiting), LONGEST_SPEECH))]
            if self.waiting:
                self.something_waits.set()
            self.said += 1
            try:
                self.alone = self.client.publish(CHANNEL, orjson.dumps([self.process_id, self.said, words])) < 2
            except Unavailable:
                self.waiting.clear()                # the others will miss this number, and look
                self.socket.server.sleep(PAUSE)

    def _listen(self):
        while True:
            try:
                with self.client.pubsub(ignore_subscribe_messages=True) as ears:
                    ears.subscribe(CHANNEL)
                    self.something_waits.set()      # the others learn at once that somebody listens
                    since = time.monotonic()
                    while not self._is_silent(self.process_id, since):
                        said = ears.get_message(timeout=BEAT)
                        if said:
                            self._hear(*orjson.loads(said["data"]))
            except (redis.RedisError, Unavailable, OSError) as error:
                log.warning("the other processes are not heard: %s", error)
            except Exception:
                log.exception("listening goes on after an error")
            self.missed = True
            self.socket.server.sleep(PAUSE)

    def _hear(self, process_id, number, words):
        latest, _at = self.heard.get(process_id, (0, 0))
        if number != latest + 1:
            self.missed = True
        self.heard[process_id] = number, time.monotonic()
        if process_id == self.process_id:
            return
        self.alone = False      # who begins to listen says so, and hears everything from then on
        for event, payload, people in words:
            if self._note(event, payload):
                self.socket.hear(event, payload, people)

    def _is_silent(self, process_id, since=0):
        """Tell whether a process was not heard for long, from a moment on."""
        _number, at = self.heard.get(process_id, (0, 0))
        return time.monotonic() - max(at, since) > DEAF

    def _misses_somebody(self):
        """Tell whether one who was heard lately is not any more: it may speak where this process does not listen.

        After a change of Redis' master some still talk to the old one, and hear themselves there.
        """
        for process_id, (_number, at) in list(self.heard.items()):
            if time.monotonic() - at > FORGOTTEN and process_id != self.process_id:
                del self.heard[process_id]
        return any(self._is_silent(process_id) for process_id in [self.process_id, *self.heard])

    def _note(self, event, payload):
        """Note that a message is being delivered here; return whether it is the first time, True for all else."""
        return event != "receiveMessage" or self.trail.note(payload["id"])

    def _look_after(self):
        """Deliver from the database what was not heard, every second for as long as nothing is heard."""
        while True:
            self.socket.server.sleep(LOOK_EVERY)
            try:
                if self.missed or self._misses_somebody():
                    self.missed = False
                    for message in self.trail.unseen():
                        self.socket.hear("receiveMessage", message.as_json(), (message.receiver_id, message.sender_id))
                self.trail.move_on()
            except Unavailable:
                self.missed = True
            except Exception:
                self.missed = True
                log.exception("looking for what was missed goes on after an error")


class Trail:
    """Which messages were delivered in this process, so that the others are found by their ids.

    Ids are given before the commit, so a smaller one can turn up after a greater one: a look begins at what was the
    greatest id at least HOLD seconds ago.
    """

    def __init__(self, database, clock=time.monotonic):
        self.database = database
        self.clock = clock
        self.floor = self.greatest = Message.highest_id(database)   # nothing up to the floor is looked for
        self.moved_at = clock()
        self.seen = set()           # ids above the floor

    def note(self, message_id):
        """Note a message as delivered; return whether it was not before."""
        is_new = message_id not in self.seen
        self.seen.add(message_id)
        return is_new

    def unseen(self):
        """Yield the stored messages that were not noted, in the order of their ids, each noted as it comes."""
        after = self.floor
        while page := Message.stored_after(self.database, after):
            yield from (message for message in page if self.note(message.id))
            after = page[-1].id

    def move_on(self):
        """Raise the floor to what was the greatest id when this was last done, unless that is too short ago."""
        if self.clock() - self.moved_at >= HOLD:
            self.moved_at = self.clock()
            self.floor, self.greatest = self.greatest, max(self.seen, default=self.greatest)
            self.seen = {message_id for message_id in self.seen if message_id > self.floor}

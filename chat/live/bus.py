"""The bus: what one process tells the others, over Redis. Where there is no Redis, there is one process.

What is told goes to those processes alone at which its people are online: a script in Redis looks them up on the board of presence.
It is a hint, and may get lost, with Redis or with a connection to it. So every process says once a second that it is there, over the
same line on which it tells, and numbers its lines: as long as the number stays, and one's own ear stays open, nothing that was told
got lost. Who hears another number, or hears nothing at all, not even itself, looks into the database, where every message is, until
all is well again.
"""
import logging
import time
from collections import deque

from ..conversations.message import Message
from ..errors import Unavailable
from ..storage import fast_json
from ..storage.redis_client import Line
from . import bus_messages
from .presence import RedisBoard

log = logging.getLogger(__name__)

BEAT = 1                    # second between two times that a process says that it is there
DEAF = 3                    # seconds without hearing oneself: the connection is given up, and made anew
FORGOTTEN = 30              # seconds without hearing another process: it has ended, and does not speak elsewhere
PAUSE = 0.5                 # seconds before another attempt to connect
LOOK_EVERY = 1              # second between looks into the database while something was missed
LONGEST_SPEECH = 500        # things said at once
HOLD = 10                   # seconds in which messages may be committed in another order than that of their ids

# KEYS: the board. ARGV: what the names of all ears begin with, who speaks, then of each word its people ("7 9") and itself.
TELL = """
local begin, speaker = ARGV[1], ARGV[2]
for _, ear in ipairs(redis.call('PUBSUB', 'CHANNELS', begin .. '*')) do
    local process, words = string.sub(ear, #begin + 1), {}
    for i = 3, process == speaker and 0 or #ARGV, 2 do
        for person in string.gmatch(ARGV[i], '%d+') do
            if redis.call('ZSCORE', KEYS[1], person .. ':' .. process) then
                table.insert(words, ARGV[i + 1])
                break
            end
        end
    end
    if #words > 0 then redis.call('PUBLISH', ear, '[' .. table.concat(words, ',') .. ']') end
end
"""


class NoBus:
    """One process: there is nobody to tell."""

    waiting = ()

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
        # A channel is the same for all databases of a Redis; a chat in another one is another chat.
        self.channel = f"chat:bus:{client.connection_pool.connection_kwargs.get('db') or 0}"
        self.ear = f"{self.channel}:{process_id}"
        self.line = 0               # how often this process has begun to tell everything
        self.heard = {}             # process id -> (its line, when it was last heard)
        self.listening = False
        self.alone = True           # nobody else listens, and nothing is told
        self.missed = True          # something may be in the database that nobody here was told
        self.beat_at = 0
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

    def look(self):
        """Look into the database: somebody here may not have been told something."""
        self.missed = True

    def _speak(self):
        while True:
            try:
                with Line(self.client) as mouth:
                    script = mouth.ask("SCRIPT", "LOAD", TELL)
                    self.line += 1
                    self.beat_at = 0
                    while True:
                        self._beat(mouth)
                        words = self._next_words()
                        if words:
                            # No answer is waited for: that the next beat is heard shows that this was carried out.
                            mouth.say("EVALSHA", script, 1, RedisBoard.KEY, f"{self.channel}:", self.process_id, *words)
                        else:
                            self.something_waits.wait(BEAT)
                            self.something_waits.clear()
            except Unavailable:
                self.waiting.clear()                # the others will hear another line, and look
            except Exception:
                log.exception("speaking goes on after an error")
            self.socket.server.sleep(PAUSE)

    def _beat(self, mouth):
        now = time.monotonic()
        if now - self.beat_at >= BEAT:
            self.beat_at = now
            listeners = mouth.ask("PUBLISH", self.channel, fast_json.dumps([self.process_id, self.line, self.trail.top]))
            self._find(alone=listeners <= self.listening)

    def _next_words(self):
        """Take what waits to be told: of each word its people, and itself."""
        words = []
        for event, payload, people in [self.waiting.popleft() for _n in range(min(len(self.waiting), LONGEST_SPEECH))]:
            words += [" ".join(map(str, people)), fast_json.dumps([event, payload, people])]
        return words

    def _find(self, alone):
        """Note whether anybody else listens. From the moment that somebody does on, everything is told."""
        if self.alone and not alone:
            self.line += 1
        self.alone = alone

    def _listen(self):
        while True:
            try:
                with Line(self.client) as line:
                    line.say("SUBSCRIBE", self.channel, self.ear)
                    since = time.monotonic()
                    while not self._is_silent(self.process_id, since):
                        self._hear(*line.next())
            except Unavailable as error:
                log.warning("the other processes are not heard: %s", error)
            except Exception:
                log.exception("listening goes on after an error")
            self.listening, self.missed = False, True
            self.socket.server.sleep(PAUSE)

    def _hear(self, kind, channel, said):
        if kind == b"subscribe":
            self.listening, self.beat_at = True, 0
            self.something_waits.set()      # the others learn at once that somebody listens
        elif channel.decode() == self.channel:
            heartbeat = bus_messages.heartbeat(said)
            if heartbeat:
                self._hear_beat(*heartbeat)
        else:
            for event, payload, people in bus_messages.events(said):
                if self._note(event, payload):
                    self.socket.hear(event, payload, people)

    def _hear_beat(self, process_id, line, highest_id):
        known_line, _at = self.heard.get(process_id, (None, 0))
        self.heard[process_id] = line, time.monotonic()
        self.trail.reach(highest_id)
        if process_id != self.process_id:
            self.missed |= line != known_line
            self._find(alone=False)

    def _is_silent(self, process_id, since=0):
        """Tell whether a process was not heard for long, from a moment on."""
        _line, at = self.heard.get(process_id, (None, 0))
        return time.monotonic() - max(at, since) > DEAF

    def _misses_somebody(self):
        """Tell whether one who was heard lately is not any more: it may speak where this process does not listen.

        After a change of Redis' master some still talk to the old one, and hear themselves there.
        """
        for process_id, (_line, at) in list(self.heard.items()):
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
        self.floor = self.greatest = self.top = Message.highest_id(database)    # nothing up to the floor is looked for
        self.moved_at = clock()
        self.seen = set()           # ids above the floor

    def note(self, message_id):
        """Note a message as delivered; return whether it was not before."""
        is_new = message_id not in self.seen
        self.seen.add(message_id)
        self.reach(message_id)
        return is_new

    def reach(self, message_id):
        """Note that a message of that id is stored, here or elsewhere."""
        self.top = max(self.top, message_id)

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
            self.floor, self.greatest = self.greatest, self.top
            self.seen = {message_id for message_id in self.seen if message_id > self.floor}

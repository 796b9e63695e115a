"""Publisher: the half of the bus that speaks. It publishes events and, over the same connection, a heartbeat every second."""
import logging
import time
from collections import deque

from ..errors import Unavailable
from ..storage import fast_json
from ..storage.redis_client import DedicatedConnection
from .presence import RedisRegistry

log = logging.getLogger(__name__)

HEARTBEAT_INTERVAL = 1      # second
RECONNECT_DELAY = 0.5       # seconds
MAX_BATCH = 500             # events
MAX_WAIT = 2                # seconds that an event waits to be published: what it tells may have been deleted since

# Publishes the events of a room to the room's channel, and the other events to the inbox channel of each other process that one
# of their recipients is connected to. KEYS[1] is the registry, with an entry "user:process" for each connected user. ARGV: the
# prefix of all inbox channels, that of the rooms' channels, our own process id; then pairs: the recipients of an event ("7 9", or
# "room 12"), and the event as JSON.
PUBLISH = """
local registry, inbox_prefix, room_prefix, own_process = KEYS[1], ARGV[1], ARGV[2], ARGV[3]

local function publish(channel, events)
    redis.call('PUBLISH', channel, '["' .. own_process .. '",' .. table.concat(events, ',') .. ']')
end

local function is_connected_to(process, user_ids)
    for user_id in string.gmatch(user_ids, '%d+') do
        if redis.call('ZSCORE', registry, user_id .. ':' .. process) then return true end
    end
    return false
end

local events_of_room, events_of_users = {}, {}
for i = 4, #ARGV, 2 do
    local recipients, event = ARGV[i], ARGV[i + 1]
    local room_id = string.match(recipients, '^room (%d+)$')
    if room_id then
        events_of_room[room_id] = events_of_room[room_id] or {}
        table.insert(events_of_room[room_id], event)
    else
        table.insert(events_of_users, {user_ids = recipients, event = event})
    end
end

for _, inbox in ipairs(redis.call('PUBSUB', 'CHANNELS', inbox_prefix .. '*')) do
    local process = string.sub(inbox, #inbox_prefix + 1)
    if process ~= own_process then
        local events = {}
        for _, item in ipairs(events_of_users) do
            if is_connected_to(process, item.user_ids) then table.insert(events, item.event) end
        end
        if #events > 0 then publish(inbox, events) end
    end
end
-- The rooms come last: who has just become a member is to be in the room when a message comes to it.
for room_id, events in pairs(events_of_room) do publish(room_prefix .. room_id, events) end
"""


class Publisher:
    """Publishes what is put into its queue, as soon as there is another process.

    `position()` returns the greatest id of a message that this process knows, and whether it hears its own heartbeats.
    """

    def __init__(self, client, process_id, channel, room_channel, position):
        self.client = client
        self.process_id = process_id
        self.channel, self.room_channel = channel, room_channel
        self.position = position
        self.epoch = 0                  # how often this process has begun to publish everything
        self.has_no_peers = True        # then nothing is published
        self.heartbeat_at = 0
        self.queue = deque()            # (when it came, event, payload, user ids, room id) to publish
        self.server = self.wakeup = None

    def open(self, server):
        """Prepare to publish: `loop` is a task of that server."""
        self.server, self.wakeup = server, server.eio.create_event()

    def publish(self, event, payload, user_ids, room_id):
        """Publish an event soon, if there are peers. Returns at once."""
        if not self.has_no_peers:
            self.queue.append((time.monotonic(), event, payload, user_ids, room_id))
            self.wakeup.set()

    def send_heartbeat_now(self):
        """Do not wait for the end of the interval."""
        self.heartbeat_at = 0
        self.wakeup.set()

    def note_peers(self, has_peers):
        """Note whether there are peers. From the moment that there are, everything is published: that is a new epoch."""
        if self.has_no_peers and has_peers:
            self.epoch += 1
        self.has_no_peers = not has_peers

    def loop(self):
        """Publish for ever."""
        while True:
            try:
                with DedicatedConnection(self.client) as connection:
                    script = connection.request("SCRIPT", "LOAD", PUBLISH)
                    self.epoch += 1
                    self.heartbeat_at = 0
                    while True:
                        self.send_heartbeat(connection)
                        self._send_events(connection, script)
            except Unavailable:
                self.queue.clear()                  # the peers will see another epoch, and catch up
            except Exception:
                log.exception("publishing goes on after an error")
            self.server.sleep(RECONNECT_DELAY)

    def send_heartbeat(self, connection):
        """Publish a heartbeat if it is time, and learn from the reply whether there are peers."""
        now = time.monotonic()
        if now - self.heartbeat_at >= HEARTBEAT_INTERVAL:
            self.heartbeat_at = now
            highest_id, is_heard_here = self.position()
            heard_by = connection.request("PUBLISH", self.channel, fast_json.dumps([self.process_id, self.epoch, highest_id]))
            self.note_peers(heard_by > is_heard_here)

    def _send_events(self, connection, script):
        """Publish the next events, or wait for some. Raises Unavailable if they have waited for too long: the peers read the database then."""
        if not self.queue:
            self.wakeup.wait(HEARTBEAT_INTERVAL)
            self.wakeup.clear()
            return
        if time.monotonic() - self.queue[0][0] > MAX_WAIT:
            raise Unavailable
        # No reply is awaited: our own next heartbeat, which comes after it, shows that it was carried out.
        connection.send("EVALSHA", script, 1, RedisRegistry.KEY, f"{self.channel}:", self.room_channel, self.process_id, *self._next_batch())

    def _next_batch(self):
        """Take the next events from the queue, each as its recipients and itself."""
        batch = []
        for _at, event, payload, user_ids, room_id in [self.queue.popleft() for _n in range(min(len(self.queue), MAX_BATCH))]:
            recipients = " ".join(map(str, user_ids)) if room_id is None else f"room {room_id}"
            batch += [recipients, fast_json.dumps([event, payload, user_ids, room_id])]
        return batch

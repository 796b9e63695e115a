"""The bus: events from one process to the others, over Redis. Without Redis there is one process, and nothing to publish.

An event goes only to processes that have one of its recipients connected: for users a script in Redis looks them up in the
presence registry; each room has a channel, to which the processes subscribe that have a member connected. Delivery is best
effort: events are lost if Redis or a connection to it fails. Each process therefore publishes a heartbeat every second, over the
same connection as its events. The heartbeat carries the epoch of the process, which grows when its events may have been lost
(bus_publisher.py). A process has missed nothing of a peer if the peer's epoch is the same as before and its own subscription has
stayed open. Otherwise it reads from the database what it has not delivered.
"""
import contextlib
import logging
import threading
import time

from ..conversations.change import Change
from ..conversations.message import Message
from ..errors import Unavailable
from ..storage.redis_client import DedicatedConnection
from . import bus_messages
from .bus_publisher import RECONNECT_DELAY, Publisher
from .delivery_cursor import DeliveryCursor

log = logging.getLogger(__name__)

HEARTBEAT_TIMEOUT = 3       # seconds without our own heartbeat: reconnect
MEMBERSHIP_TTL = 1.9        # seconds without our own heartbeat: somebody may have left a room unnoticed, and must get nothing from 2 s after leaving
PEER_TTL = 30               # seconds without a heartbeat of a peer: it has ended
POLL_INTERVAL = 1           # second between reads of the database while something was missed
STORED = {"receiveMessage": Message, "messageChanged": Change}      # events that tell of a row in the database -> its class
SUBSCRIBE_TIMEOUT = 1       # second that a connection waits until the channels of its rooms are subscribed to


class LocalBus:
    """One process: there are no peers."""

    queue = ()

    def start(self, server, database, on_bus_event, resync):
        pass

    def publish(self, event, payload, user_ids, room_id=None):
        pass

    def claim_delivery(self, event, payload, room_id=None):
        return True

    def subscribe(self, room_ids, waits=True):
        pass

    def unsubscribe(self, room_ids):
        pass


class RedisBus:
    """Publishes events to the processes that have a recipient connected, and passes on what they publish."""

    def __init__(self, client, process_id):
        self.client = client
        self.process_id = process_id
        self.server = self.on_bus_event = None
        self.cursors = {}               # event that tells of a stored row -> DeliveryCursor
        # A channel is the same for all databases of a Redis server; a chat in another database is another chat.
        self.channel = f"chat:bus:{client.connection_pool.connection_kwargs.get('db') or 0}"
        self.inbox_channel = f"{self.channel}:{process_id}"
        self.room_channel = self.channel.replace("bus", "room") + ":"       # followed by the room's id
        self.peers = {}                 # process id -> (its epoch, when its last heartbeat came); this process is one of them
        self.is_subscribed = False
        self.is_stale = False           # the subscription was lost, and who is in which room was not read since it is back
        self.needs_catch_up = True      # the database may have messages that were not delivered here
        self.rooms = {}                 # id of a room with a connection here -> an event that is set once it is subscribed to
        self.unconfirmed = set()        # ids of rooms for whose subscription nobody waits: a catch-up follows it
        self.subscriber = None          # the connection that is subscribed, while there is one
        self.lock = threading.Lock()    # guards what is sent over it
        self.publisher = Publisher(client, process_id, self.channel, self.room_channel, self._position)

    @property
    def queue(self):
        """What waits to be published."""
        return self.publisher.queue

    def _position(self):
        """Return what the next heartbeat says: up to which id messages are known here, and whether this process hears it itself."""
        return self.cursors["receiveMessage"].high_watermark, self.is_subscribed

    def start(self, server, database, on_bus_event, resync):
        """Begin to publish and to subscribe; `on_bus_event(event, payload, user_ids, room_id)` is called for what comes.

        `resync()` is called before a catch-up: events that let a connection enter or leave a room may have been missed.
        """
        self.server, self.on_bus_event, self.resync = server, on_bus_event, resync
        self.cursors = {event: DeliveryCursor(database, row_class) for event, row_class in STORED.items()}
        self.publisher.open(server)
        for task in (self.publisher.loop, self._subscribe_loop, self._catch_up_loop):
            server.start_background_task(task)

    def publish(self, event, payload, user_ids, room_id=None):
        """Publish an event to the processes to which one of these users, or of a room's members, is connected. Returns at once."""
        self.publisher.publish(event, payload, user_ids, room_id)

    def claim_delivery(self, event, payload, room_id=None):
        """Return whether this process still has to deliver an event to its own connections.

        A catch-up may have delivered a stored row already. Where a departure may have been missed, the next catch-up delivers it instead.
        """
        if event in STORED and room_id is not None and self._may_have_missed_a_departure():
            self.needs_catch_up = True      # it reads who is in the room, and delivers the message after that
            return False
        return self._mark_delivered(event, payload)

    def _may_have_missed_a_departure(self):
        """Tell whether a peer may have ended a membership and this process does not know."""
        _epoch, heard_at = self.peers.get(self.process_id, (None, 0))
        return not self.publisher.has_no_peers and (self.is_stale or time.monotonic() - heard_at > MEMBERSHIP_TTL)

    def subscribe(self, room_ids, waits=True):
        """Get what other processes send to these rooms.

        With `waits`, return after Redis has confirmed, or after SUBSCRIBE_TIMEOUT. A bus event handler must not wait: the reply comes
        over its own connection. A catch-up then finds what was missed.
        """
        new = [room_id for room_id in room_ids if room_id not in self.rooms]
        self.rooms.update((room_id, self.server.eio.create_event()) for room_id in new)
        if not waits:
            self.unconfirmed.update(new)
        self._send_to_subscriber("SUBSCRIBE", new)
        if waits and self.is_subscribed and not self.publisher.has_no_peers:
            deadline = time.monotonic() + SUBSCRIBE_TIMEOUT
            for subscribed in filter(None, map(self.rooms.get, room_ids)):
                subscribed.wait(max(0, deadline - time.monotonic()))
                self.needs_catch_up |= not subscribed.is_set()

    def unsubscribe(self, room_ids):
        """Get nothing more of these rooms: nobody here is a member."""
        for room_id in room_ids:
            self.rooms.pop(room_id, None)
            self.unconfirmed.discard(room_id)
        self._send_to_subscriber("UNSUBSCRIBE", room_ids)

    def _send_to_subscriber(self, command, room_ids):
        with self.lock, contextlib.suppress(Unavailable):     # the next subscription begins with all rooms
            if self.subscriber and room_ids:
                self.subscriber.send(command, *(f"{self.room_channel}{room_id}" for room_id in room_ids))

    def request_catch_up(self):
        """Read from the database soon: somebody here may have missed an event."""
        self.needs_catch_up = True

    def _subscribe_loop(self):
        while True:
            try:
                with DedicatedConnection(self.client) as subscriber:
                    with self.lock:
                        self.subscriber = subscriber
                        subscriber.send("SUBSCRIBE", self.channel, self.inbox_channel, *(f"{self.room_channel}{room_id}" for room_id in list(self.rooms)))
                    since = time.monotonic()
                    while not self._is_silent(self.process_id, since):
                        self._on_reply(*subscriber.read_reply())
            except Unavailable as error:
                log.warning("the other processes are not heard: %s", error)
            except Exception:
                log.exception("the subscription goes on after an error")
            self.subscriber, self.is_subscribed, self.needs_catch_up, self.is_stale = None, False, True, True
            self.server.sleep(RECONNECT_DELAY)

    def _on_reply(self, kind, channel, data):
        if kind == b"unsubscribe":
            pass
        elif kind == b"subscribe" and channel.decode().startswith(self.room_channel):
            room_id = int(channel.decode().removeprefix(self.room_channel))
            subscribed = self.rooms.get(room_id)
            if subscribed:
                subscribed.set()
            if room_id in self.unconfirmed:
                self.unconfirmed.discard(room_id)
                self.needs_catch_up |= not self.publisher.has_no_peers
        elif kind == b"subscribe":
            # A catch-up may have run since the last subscription was lost: what was published after it is still missing.
            self.is_subscribed, self.needs_catch_up = True, True
            self.publisher.send_heartbeat_now()     # the peers learn at once that there is one more
        elif channel.decode() == self.channel:
            heartbeat = bus_messages.heartbeat(data)
            if heartbeat:
                self._on_heartbeat(*heartbeat)
        else:
            for event, payload, user_ids, room_id in bus_messages.events(data, self.process_id):
                if self._mark_delivered(event, payload):
                    self.on_bus_event(event, payload, user_ids, room_id)

    def _on_heartbeat(self, process_id, epoch, highest_id):
        known_epoch, _at = self.peers.get(process_id, (None, 0))
        self.peers[process_id] = epoch, time.monotonic()
        self.cursors["receiveMessage"].advance_high(highest_id)
        if process_id != self.process_id:
            if epoch != known_epoch:        # a new peer, or one that may have lost events
                self.needs_catch_up = True
            self.publisher.note_peers(True)

    def _is_silent(self, process_id, since=0):
        """Tell whether a process has sent no heartbeat for HEARTBEAT_TIMEOUT, from a moment on."""
        _epoch, at = self.peers.get(process_id, (None, 0))
        return time.monotonic() - max(at, since) > HEARTBEAT_TIMEOUT

    def _has_silent_peer(self):
        """Tell whether a peer that was heard lately is silent: it may publish where this process is not subscribed.

        After a failover of Redis some processes stay with the old master for a while, and hear themselves there.
        """
        for process_id, (_epoch, at) in list(self.peers.items()):
            if time.monotonic() - at > PEER_TTL and process_id != self.process_id:
                del self.peers[process_id]
        return any(self._is_silent(process_id) for process_id in [self.process_id, *self.peers])

    def _mark_delivered(self, event, payload):
        """Note that a message or a change is delivered here; return whether it is the first time, and True for all other events."""
        return event not in STORED or self.cursors[event].mark_delivered(payload["id"])

    def _catch_up_loop(self):
        """Deliver from the database what was missed, every second for as long as a peer is silent."""
        while True:
            self.server.sleep(POLL_INTERVAL)
            try:
                if self.needs_catch_up or self._has_silent_peer():
                    self.needs_catch_up, is_subscribed = False, self.is_subscribed
                    self.resync()
                    self.is_stale &= not is_subscribed
                    for event, cursor in self.cursors.items():
                        for row in cursor.undelivered():
                            self.on_bus_event(event, row.as_json(), *row.audience)
                for cursor in self.cursors.values():
                    cursor.advance_low()
            except Unavailable:
                self.needs_catch_up = True
            except Exception:
                self.needs_catch_up = True
                log.exception("catching up goes on after an error")

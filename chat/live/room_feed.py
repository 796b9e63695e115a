"""RoomFeed: what is sent to a room, delivered to the connections that its members have to this process.

An event is encoded once. What came while others were served goes out together: each connection gets it in one piece, in the
order in which it came, which is the same for everybody. A large room is served in chunks, and whoever waits has a turn after
each: a thousand members do not hold up a message between two.

Members of a large room can write faster than it is served. What waits for a room is bounded: beyond that its messages are
dropped, and only the newest one goes out. Its `seq` jumps, so every tab fetches the others from the database, in large pages.
Writers are not made to wait instead: by now their messages are stored, and the task that would wait commits for everybody.
"""
import logging
import threading
from collections import deque

from engineio.exceptions import SocketIsClosedError
from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from socketio.packet import EVENT

from ..conversations.rooms import CHANGED

log = logging.getLogger(__name__)

MAX_AT_ONCE = 8     # connections of a room that is served without a task: starting one costs as much as three calls of the kernel
CHUNK = 50          # connections that are served in one go: less than a millisecond
MAX_BATCH_CHARACTERS = 32 * 1024    # of one batch: far less than a connection may be behind before it is cut
MAX_WAITING_CHARACTERS = 1024 * 1024    # for one room: 32 batches. To fetch costs more than to get it live, so that is for the worst only


class Batch:
    """Packets that a connection gets together. `frames` is what they are on a WebSocket, once somebody has packed them."""

    __slots__ = ("packets", "frames")

    def __init__(self, packets):
        self.packets = packets
        self.frames = None


class Queue:
    """The events that wait for the connections of one room, the oldest first: (name, packet, sid that gets no copy)."""

    __slots__ = ("events", "characters")

    def __init__(self):
        self.events = deque()
        self.characters = 0

    def append(self, name, packet, sender_sid):
        self.events.append((name, packet, sender_sid))
        self.characters += len(packet.data)

    def take_batch(self):
        """Take what fits into one batch, and one event at least. Return its (packet, sid that gets no copy)."""
        taken, left = [], MAX_BATCH_CHARACTERS
        while self.events and (not taken or left >= len(self.events[0][1].data)):
            _name, packet, sender_sid = self.events.popleft()
            left -= len(packet.data)
            self.characters -= len(packet.data)
            taken.append((packet, sender_sid))
        return taken

    def drop_what_is_fetched(self):
        """Drop the messages, marks and typing signs; return how many. A message, or a heartbeat, tells a tab where things stand.

        Nothing tells it of a changed name, so those events stay. They are few: a budget bounds them, and each stores a notice.
        """
        kept = [event for event in self.events if event[0] == CHANGED]
        dropped = len(self.events) - len(kept)
        self.events = deque(kept)
        self.characters = sum(len(packet.data) for _name, packet, _sid in kept)
        return dropped


class RoomFeed:
    """Knows which connections of this process belong to which room, and sends to them.

    `bus.subscribe(room_ids, waits)` is called when a connection enters rooms, `bus.unsubscribe(room_ids)` after the last one of a room.
    `batch_sender(connection)` returns the function that sends a Batch to an Engine.IO connection.
    """

    def __init__(self, server, bus, batch_sender):
        self.server = server
        self.bus = bus
        self.batch_sender = batch_sender
        self.connections = {}       # room id -> {sid: the function that sends to it}
        self.rooms = {}             # sid -> set of room ids
        self.waiting = {}           # room id -> Queue, the room that waits longest first
        self.is_sending = False
        self.lock = threading.Lock()    # guards the tables, what waits and `is_sending`

    def join(self, sid, eio_sid, room_ids, waits=True):
        """Let a connection get what is sent to these rooms. With `waits`, return after Redis has confirmed, or after SUBSCRIBE_TIMEOUT."""
        connection = self.server.eio.sockets.get(eio_sid)
        if not room_ids or connection is None:      # then it has just ended
            return
        send = self.batch_sender(connection)
        with self.lock:
            self.rooms.setdefault(sid, set()).update(room_ids)
            for room_id in room_ids:
                self.connections.setdefault(room_id, {})[sid] = send
        self.bus.subscribe(room_ids, waits)

    def is_in(self, sid, room_id):
        """Tell whether a connection gets what is sent to a room."""
        return room_id in self.rooms.get(sid, ())

    def replace(self, sid, eio_sid, room_ids):
        """Let a connection get what is sent to these rooms and to no other."""
        there = self.rooms.get(sid, set())
        self.leave(sid, there - room_ids)
        self.join(sid, eio_sid, room_ids - there)

    def leave(self, sid, room_ids=None):
        """Let a connection get nothing more of these rooms, or of all of them."""
        with self.lock:
            left = self.rooms.get(sid, set()) & set(room_ids) if room_ids is not None else self.rooms.get(sid, set()).copy()
            empty = [room_id for room_id in left if self._remove(sid, room_id)]
            if sid in self.rooms and not self.rooms[sid]:
                del self.rooms[sid]
        if empty:
            self.bus.unsubscribe(empty)
            entered = [room_id for room_id in empty if room_id in self.connections]
            if entered:     # by another connection, meanwhile
                self.bus.subscribe(entered, waits=False)

    def _remove(self, sid, room_id):
        """Remove a connection from a room; return whether it was the last one."""
        self.rooms[sid].discard(room_id)
        connections = self.connections[room_id]
        connections.pop(sid, None)
        if not connections:
            del self.connections[room_id]
        return not connections

    def emit(self, event, payload, room_id, sender_sid=None):
        """Send an event to the connections of a room but the sender's own."""
        if room_id not in self.connections:
            return
        packet = EnginePacket(MESSAGE, self.server.packet_class(EVENT, namespace="/", data=[event, payload]).encode())
        dropped = 0
        with self.lock:
            queue = self.waiting.setdefault(room_id, Queue())
            if queue.characters + len(packet.data) > MAX_WAITING_CHARACTERS:
                dropped = queue.drop_what_is_fetched()
            queue.append(event, packet, sender_sid)
            goes_out_later, self.is_sending = self.is_sending, True
        if dropped:
            log.warning("room %d is written faster than sent: its members fetch %d events", room_id, dropped)
        if goes_out_later:
            return      # behind what is being sent
        if len(self.connections.get(room_id, ())) <= MAX_AT_ONCE:
            self._send_all()
            return
        try:
            self.server.start_background_task(self._send_all)
        except RuntimeError:    # no thread is left
            self._send_all()

    def _send_all(self):
        """Send what waits, a part of each room in turns, and let others have their turn after each chunk."""
        in_chunk = 0
        while True:
            with self.lock:
                if not self.waiting:
                    self.is_sending = False
                    return
                room_id, events = self._next_events()
                recipients = list(self.connections.get(room_id, {}).items())
            batch, senders = Batch([packet for packet, _sid in events]), {sid for _packet, sid in events}
            for sid, send in recipients:
                if in_chunk == CHUNK:
                    self.server.sleep(0)
                    in_chunk = 0
                in_chunk += 1
                if sid not in senders:
                    self._send(send, batch)
                elif own := [packet for packet, sender_sid in events if sender_sid != sid]:
                    self._send(send, Batch(own))

    def _next_events(self):
        """Take from the room that waits longest what fits into one batch. Return the room's id and its (packet, sid that gets no copy)."""
        room_id = next(iter(self.waiting))
        queue = self.waiting.pop(room_id)
        events = queue.take_batch()
        if queue.events:
            self.waiting[room_id] = queue
        return room_id, events

    @staticmethod
    def _send(send, batch):
        try:
            send(batch)
        except SocketIsClosedError:
            pass
        except Exception:       # the others get it all the same
            log.exception("an event of a room could not be sent to one connection")

    def entries(self):
        """Return how many entries the tables have together. It would grow if something was not removed."""
        return len(self.connections) + sum(map(len, self.connections.values())) + len(self.rooms)

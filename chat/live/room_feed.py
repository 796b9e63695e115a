"""RoomFeed: what is sent to a room, delivered to the connections that its members have to this process.

An event is encoded once. What came while others were served goes out together: each connection gets it in one piece, in the
order in which it came, which is the same for everybody. A large room is served in chunks, and whoever waits has a turn after
each: a thousand members do not hold up a message between two.
"""
import logging
import threading
from collections import deque

from engineio.exceptions import SocketIsClosedError
from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from socketio.packet import EVENT

log = logging.getLogger(__name__)

MAX_AT_ONCE = 8     # connections of a room that is served without a task: starting one costs as much as three calls of the kernel
CHUNK = 50          # connections that are served in one go: less than a millisecond
MAX_BATCH_CHARACTERS = 32 * 1024    # of one batch: far less than a connection may be behind before it is cut


class Batch:
    """Packets that a connection gets together. `frames` is what they are on a WebSocket, once somebody has packed them."""

    __slots__ = ("packets", "frames")

    def __init__(self, packets):
        self.packets = packets
        self.frames = None


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
        self.waiting = {}           # room id -> deque of (packet, sid that gets no copy), the room that waits longest first
        self.is_sending = False
        self.lock = threading.Lock()    # guards the tables, what waits and `is_sending`

    def join(self, sid, eio_sid, room_ids, waits=True):
        """Let a connection get what is sent to these rooms. `waits`: return when that is certain."""
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
        with self.lock:
            self.waiting.setdefault(room_id, deque()).append((packet, sender_sid))
            if self.is_sending:
                return      # it goes out behind what is being sent
            self.is_sending = True
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
        events, left = [], MAX_BATCH_CHARACTERS
        while queue and (not events or left >= len(queue[0][0].data)):
            left -= len(queue[0][0].data)
            events.append(queue.popleft())
        if queue:
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

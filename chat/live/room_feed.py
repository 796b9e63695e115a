"""RoomFeed: what is sent to a room, delivered to the connections that its members have to this process.

An event is encoded once. Events go out one after the other, so that everybody gets them in one order. A large room is served
in chunks, and whoever waits has a turn after each: a thousand members do not hold up a message between two.
"""
import logging
import threading
from collections import deque

from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from socketio.packet import EVENT

log = logging.getLogger(__name__)

CHUNK = 50      # deliveries, about a millisecond


class RoomFeed:
    """Knows which connections of this process belong to which room, and sends to them.

    `bus.subscribe(room_ids, waits)` is called when a connection enters rooms, `bus.unsubscribe(room_ids)` after the last one of a room.
    """

    def __init__(self, server, bus):
        self.server = server
        self.bus = bus
        self.connections = {}       # room id -> {sid: Engine.IO session id}
        self.rooms = {}             # sid -> set of room ids
        self.queue = deque()        # (room id, encoded event, sid that gets no copy)
        self.is_sending = False
        self.lock = threading.Lock()    # guards the tables, the queue and `is_sending`

    def join(self, sid, eio_sid, room_ids, waits=True):
        """Let a connection get what is sent to these rooms. `waits`: return when that is certain."""
        if not room_ids:
            return
        with self.lock:
            self.rooms.setdefault(sid, set()).update(room_ids)
            for room_id in room_ids:
                self.connections.setdefault(room_id, {})[sid] = eio_sid
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
            self.queue.append((room_id, packet, sender_sid))
            if self.is_sending:
                return      # it goes out behind what is being sent
            self.is_sending = True
        if len(self.connections.get(room_id, ())) <= CHUNK:
            self._send_all()
        else:
            self.server.start_background_task(self._send_all)

    def _send_all(self):
        """Send what is in the queue."""
        while True:
            with self.lock:
                if not self.queue:
                    self.is_sending = False
                    return
                room_id, packet, sender_sid = self.queue.popleft()
                recipients = list(self.connections.get(room_id, {}).items())
            for start in range(0, len(recipients), CHUNK):
                if start:
                    self.server.sleep(0)
                for sid, eio_sid in recipients[start:start + CHUNK]:
                    if sid != sender_sid:
                        self._send(eio_sid, packet)

    def _send(self, eio_sid, packet):
        try:
            self.server.eio.send_packet(eio_sid, packet)
        except KeyError:
            pass        # it has closed meanwhile
        except Exception:       # the others get it all the same
            log.exception("an event of a room could not be sent to one connection")

    def entries(self):
        """Return how many entries the tables have together. It would grow if something was not removed."""
        return len(self.connections) + sum(map(len, self.connections.values())) + len(self.rooms)

"""Broadcaster: an event to every connection of some users, or of all members of a room, whichever process they are connected to."""


def channel_of(user_id):
    """Return the name of the Socket.IO room that all connections of one user are in."""
    return f"user:{user_id}"


class Broadcaster:
    """Emits events, through Socket.IO and the RoomFeed here and through the bus elsewhere."""

    def __init__(self, server, bus, room_feed):
        self.server = server
        self.bus = bus
        self.room_feed = room_feed

    def broadcast(self, event, payload, user_ids=(), room_id=None, sender_sid=None):
        """Emit an event in all processes: to every connection of these users, or of a room's members, but the sender's own."""
        self.bus.publish(event, payload, user_ids, room_id)
        if self.bus.claim_delivery(event, payload, room_id):
            self.emit(event, payload, user_ids, room_id, sender_sid)

    def emit(self, event, payload, user_ids=(), room_id=None, sender_sid=None):
        """Emit an event to the connections that these users, or the members of a room, have to this process."""
        if room_id is not None:
            self.room_feed.emit(event, payload, room_id, sender_sid)
        else:
            self.server.emit(event, payload, to=[channel_of(user_id) for user_id in user_ids], skip_sid=sender_sid)

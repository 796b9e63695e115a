"""Broadcaster: an event to every connection of some users, whichever process they are connected to."""


def room_of(user_id):
    """Return the name of the Socket.IO room that all connections of one user are in."""
    return f"user:{user_id}"


class Broadcaster:
    """Emits events to users, through Socket.IO here and through the bus elsewhere."""

    def __init__(self, server, bus):
        self.server = server
        self.bus = bus

    def broadcast(self, event, payload, user_ids, sender_sid=None):
        """Emit an event to every connection of these users but the sender's own, in all processes."""
        if self.bus.publish(event, payload, user_ids):
            self.emit(event, payload, user_ids, sender_sid)

    def emit(self, event, payload, user_ids, sender_sid=None):
        """Emit an event to the connections that these users have to this process."""
        self.server.emit(event, payload, to=[room_of(user_id) for user_id in user_ids], skip_sid=sender_sid)

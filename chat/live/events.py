"""The small events of a live connection: how far somebody has read, that a message has arrived, that somebody types."""
import functools

from flask_babel import lazy_gettext as _

from ..budgets import TYPING
from ..errors import UnknownEvent
from .payloads import require_fields, require_int


class Events:
    """Handlers of (sid, payload); each returns its acknowledgement. See docs/protocol.md."""

    def __init__(self, connections, messaging, budgets, broadcaster):
        self.connections = connections
        self.messaging = messaging
        self.budgets = budgets
        self.broadcaster = broadcaster

    def mark_read(self, sid, data):
        """Move a read mark forward, tell both users, and acknowledge with where the conversation stands."""
        return self._mark(sid, data, functools.partial(self.messaging.mark_read, sender_sid=sid))

    def mark_delivered(self, sid, data):
        """Note that what the other user wrote has reached a tab, and acknowledge as for a read mark."""
        return self._mark(sid, data, self.messaging.mark_delivered)

    def _mark(self, sid, data, mark):
        user = self.connections.user_of(sid)
        other_id, seq = require_fields(data, "userId", "seq")
        other_id = self.messaging.recipients.require_id(other_id, user, "userId")
        return {"ok": True, **self.messaging.mark(user.id, other_id, require_int(seq, "seq"), mark)}

    def typing(self, sid, data):
        """Pass on that a user types, at most once in a while for each receiver."""
        user = self.connections.user_of(sid)
        receiver_id = self.messaging.recipients.require_id(*require_fields(data, "userId"), user, "userId")
        if self.may_type(user.id, receiver_id):
            self.broadcaster.broadcast("typing", {"userId": user.id}, [receiver_id])
        return {"ok": True}

    def may_type(self, sender_id, receiver_id):
        """Count a typing sign; return whether it is passed on."""
        return not self.budgets.hit(TYPING, f"{sender_id}:{receiver_id}")

    @staticmethod
    def unknown(_sid, _data):
        raise UnknownEvent(_("Unknown event."))

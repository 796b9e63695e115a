"""The events of a live connection but the message itself: what is changed, how far somebody has read, that somebody types."""
import functools

from flask_babel import lazy_gettext as _

from ..budgets import TYPING
from ..errors import NotFound, UnknownEvent
from .payloads import require_fields, require_int

ADDRESS = ("userId", "conversationId")      # what says which conversation an event is about


class Events:
    """Handlers of (sid, payload); each returns its acknowledgement. See docs/protocol.md."""

    def __init__(self, connections, gate, messaging, budgets, broadcaster):
        self.connections = connections
        self.gate = gate
        self.messaging = messaging
        self.budgets = budgets
        self.broadcaster = broadcaster

    def mark_read(self, sid, data):
        """Move a read mark forward, tell the others, and acknowledge with where the conversation stands."""
        return self._mark(sid, data, functools.partial(self.messaging.mark_read, sender_sid=sid))

    def mark_delivered(self, sid, data):
        """Note that what others wrote has reached a tab, and acknowledge as for a read mark."""
        return self._mark(sid, data, self.messaging.mark_delivered)

    def mark_unread(self, sid, data):
        """Note from which seq on a user wants to see a conversation as unread, and acknowledge as for a read mark."""
        return self._mark(sid, data, functools.partial(self.messaging.mark_unread, sender_sid=sid))

    def change_message(self, sid, data):
        """Change a message that is there, and acknowledge it after the commit."""
        user = self.connections.user_of(sid)
        _client_id, conversation_id, seq = require_fields(data, "clientId", "conversationId", "seq")
        try:
            change = self.messaging.change(user, self.gate.to_conversation(user, conversation_id), seq, data)
        except NotFound:
            change = self.messaging.resends.change(user, data["clientId"], conversation_id)
            if not change:
                raise
        return {"ok": True, **change.as_answer()}

    def _mark(self, sid, data, mark):
        user = self.connections.user_of(sid)
        [seq] = require_fields(data, "seq", one_of=ADDRESS)
        access = self.gate.of_event(user, data)
        return {"ok": True, **self.messaging.mark(access, require_int(seq, "seq"), mark)}

    def typing(self, sid, data):
        """Pass on that a user types, at most once in a while for each conversation."""
        user = self.connections.user_of(sid)
        require_fields(data, one_of=ADDRESS)
        access = self.gate.of_event(user, data)
        if not access.is_room:
            if self.is_typing_passed_on(user.id, [access.peer_id]):
                self.broadcaster.broadcast("typing", {"userId": user.id}, [access.peer_id])
        elif not access.is_archived and self.is_typing_passed_on(user.id, access.conversation_id) and self.messaging.is_live(access.conversation_id):
            payload = {"userId": user.id, "conversationId": access.conversation_id, "username": user.username}
            self.broadcaster.broadcast("typing", payload, room_id=access.conversation_id, sender_sid=sid)
        return {"ok": True}

    def is_typing_passed_on(self, sender_id, recipient):
        """Count a typing event; return whether it is passed on. `recipient` is a room's id, or a list with a user's id."""
        return not self.budgets.hit(TYPING, f"{sender_id}:{recipient}")

    @staticmethod
    def unknown(_sid, _data):
        raise UnknownEvent(_("Unknown event."))

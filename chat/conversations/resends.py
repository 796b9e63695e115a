"""What is sent again: who repeats a (user, clientId) gets what was stored at first, whatever else the repetition says.

Whoever has left the conversation meanwhile learns that it is stored, and nothing more of what was said or done there.
"""
from ..errors import Invalid
from . import members
from .change import Change
from .message import Message
from .message_text import validate_client_id


class Resends:
    """Finds what a user has sent before, as the user may see it now."""

    def __init__(self, database):
        self.database = database

    def message(self, user, client_id, conversation_id=None):
        """Return the Message that a user has sent under this id, to that conversation if one is given; None if there is none."""
        return self._find(Message, Message(user.id, None, "", _valid(client_id), user.username), conversation_id)

    def change(self, user, client_id, conversation_id=None):
        """Return the Change that a user has made under this id, likewise."""
        return self._find(Change, Change(0, 0, "", user.id, _valid(client_id)), conversation_id)

    def _find(self, row_class, draft, conversation_id):
        if not draft.client_id:
            return None
        stored = row_class.find_duplicates(self.database, [draft]).get(draft.key)
        if not stored or conversation_id not in (None, stored.conversation_id):
            return None
        return self.as_sender_sees(stored, draft)

    def as_sender_sees(self, stored, draft):
        """Return a stored row as its sender may see it: whole for a member, else without what others did."""
        if stored is draft or members.role_of(self.database, stored.conversation_id, stored.key[0]):
            return stored
        return stored.for_outsider()


def _valid(client_id):
    try:
        return validate_client_id(client_id)
    except Invalid:
        return ""

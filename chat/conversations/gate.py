"""The gate: what a user may see and do in a conversation. Pages, JSON and events alike come through here, and nowhere else."""
from collections import OrderedDict
from typing import NamedTuple

from flask_babel import lazy_gettext as _

from ..accounts.user import User
from ..errors import Forbidden, Invalid, NotFound
from ..storage.schema import MAX_ID
from . import members
from .batch_writer import lru_put
from .members import MEMBER, OWNER
from .room import Room

MAX_PAIRS = 100_000         # direct conversations whose two users are kept in memory


class Access(NamedTuple):       # one for each message: a frozen dataclass takes three times as long to make
    """One user's access to one conversation. `peer_id` is the other user of a direct one, None in a room.

    `conversation_id` is None while two users have not written to each other.
    """

    user_id: int
    peer_id: int | None = None
    conversation_id: int | None = None
    role: str = ""
    is_archived: bool = False
    peer: User | None = None        # where it was looked up already

    @property
    def is_room(self):
        return self.peer_id is None

    @property
    def is_owner(self):
        return self.role == OWNER

    def require_owner(self):
        """Raise Forbidden for a member who is no owner."""
        if not self.is_owner:
            raise Forbidden(_("Only owners of the room can do this."))

    def require_writable(self):
        """Raise Forbidden where nothing more is written."""
        if self.is_archived:
            raise Forbidden(_("This room is archived. Nothing more can be written in it."))


class Gate:
    """Looks up what a user may do. Who is not a member gets NotFound, whether the conversation exists or not."""

    def __init__(self, database):
        self.database = database
        self.known_user_ids = set()     # users are never deleted, so each is looked up once
        self.pairs = OrderedDict()      # id of a direct conversation -> its two users, who stay the same

    def to_user(self, user, other_id, field):
        """Return the access to the direct conversation with another user. Raises Invalid if the id is no number, or NotFound."""
        _require_number(other_id, field)
        if other_id == user.id or not 0 < other_id <= MAX_ID or not self._exists(other_id):
            raise NotFound(_("User not found."))
        return Access(user.id, other_id)

    @staticmethod
    def to_person(user, person):
        """Return the access to the direct conversation with another User. Raises NotFound for nobody and for oneself."""
        if not person or person.id == user.id:
            raise NotFound(_("User not found."))
        return Access(user.id, person.id, peer=person)

    def to_conversation(self, user, conversation_id, field="conversationId"):
        """Return the access of a member to a conversation of either kind. Raises Invalid if the id is no number, or NotFound."""
        _require_number(conversation_id, field)
        pair = self.pairs.get(conversation_id, ())
        if user.id in pair:
            return Access(user.id, _other(pair, user.id), conversation_id, MEMBER)
        if not 0 < conversation_id <= MAX_ID:
            raise NotFound(_("Conversation not found."))
        rows = self.database.query(
            "SELECT c.lower_id, c.higher_id, c.archived_at, m.role FROM members m JOIN conversations c ON c.id = m.conversation_id"
            " WHERE m.conversation_id = %s AND m.user_id = %s", (conversation_id, user.id))
        if not rows:
            raise NotFound(_("Conversation not found."))
        row = rows[0]
        pair = row["lower_id"], row["higher_id"]
        is_room = row["lower_id"] is None
        if not is_room:
            lru_put(self.pairs, conversation_id, pair, MAX_PAIRS)
        return Access(user.id, None if is_room else _other(pair, user.id), conversation_id, row["role"], row["archived_at"] is not None)

    def to_room(self, user, room_id):
        """Return the access of a member to a room. Raises NotFound."""
        access = self.to_conversation(user, room_id)
        if not access.is_room:
            raise NotFound(_("Conversation not found."))
        return access

    def to_visible_room(self, user, room_id):
        """Return (Room, the user's role or None) of an open room, or of one that the user is a member of. Raises NotFound."""
        room = Room.by_id(self.database, room_id)
        role = members.role_of(self.database, room_id, user.id) if room else None
        if not room or not (role or room.is_open):
            raise NotFound(_("Conversation not found."))
        return room, role

    def to_file(self, user, file):
        """Return True if a user may fetch a File: a member of a conversation that shows it, or who has uploaded it. Raises NotFound for others.

        Nobody may once the last message that held it was deleted.
        """
        if file and file.user_id == user.id and not file.is_released:
            return True
        if file and file.is_shown_to(self.database, user.id):
            return True
        raise NotFound(_("File not found."))

    def of_event(self, user, payload, field="userId"):
        """Return the access to what an event addresses: a conversation, or another user by `field`. Raises Invalid or NotFound."""
        if payload.get("conversationId") is not None:
            return self.to_conversation(user, payload["conversationId"])
        return self.to_user(user, payload[field], field)

    def _exists(self, user_id):
        if user_id not in self.known_user_ids:
            if not User.by_id(self.database, user_id):
                return False
            self.known_user_ids.add(user_id)
        return True


def _other(pair, user_id):
    """Return the other one of two user ids."""
    first, second = pair
    return second if first == user_id else first


def _require_number(value, name):
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid(_("%(name)s must be a number, %(least)s or greater.", name=name, least=1))

"""The rooms of a user: what was written last in each, and what waits for them there. Then the open rooms that one may join."""
import functools
from dataclasses import dataclass

from ..accounts.usernames import search_key
from ..clock import from_db
from . import members
from .conversation_list import SHOWN_READ_SEQ
from .file_words import preview_words
from .formatting import plain
from .message import NOTICE, Message
from .message_parts import files_at
from .previews import shortened
from .room import COLUMNS, Room

MAX_UNREAD = 100        # messages or mentions, counted no further: the badge says 99+
PAGE = 50               # rooms in one answer
MAX_SEARCHED = 1000     # rooms whose names are searched: the newest of a user


@dataclass(slots=True)
class RoomSummary:
    """A room as one user sees it. `role` is None for a user who is not a member; the summary then has no messages."""

    room: Room
    role: str | None = None
    notify: str = members.ALL
    members: int = 0
    read_seq: int = 0
    last: Message | None = None
    unread: int = 0
    mentions: int = 0
    last_change: int = 0

    @property
    def id(self):
        return self.room.id

    @property
    def last_seq(self):
        return self.last.seq if self.last else 0

    @property
    def preview(self):
        """The beginning of the last message; of a notice nothing, its words are made where it is shown."""
        return (shortened(plain(self.last.text)) or preview_words(self.last.files)) if self.last else ""

    @property
    def is_muted(self):
        return self.notify == members.NOTHING

    def as_json(self):
        """Return R of the protocol."""
        return {**self.room.as_json(), "role": self.role, "members": self.members, "lastSeq": self.last_seq, "lastChange": self.last_change,
                "readSeq": self.read_seq, "unread": self.unread, "mentions": self.mentions, "notify": self.notify}


# One step back from the end of the index, where MariaDB would read a whole conversation for a MAX(seq) inside another query.
_LAST_ID = "(SELECT id FROM messages WHERE conversation_id = m.conversation_id ORDER BY seq DESC LIMIT 1)"

_LAST_CHANGE = "(SELECT number FROM changes WHERE conversation_id = n.conversation_id ORDER BY number DESC LIMIT 1)"


# To make a key takes up to a third of a millisecond, and a search asks for all of them at each letter.
_search_key = functools.lru_cache(maxsize=10_000)(search_key)


def list_rooms(database, user_id, before=None, limit=PAGE):
    """Return a page of summaries of a user's rooms, the latest activity first; `before` is the message id that ended the page before."""
    return _summaries(database, user_id, limit=limit, before=before)


def summary(database, user_id, room_id):
    """Return a member's summary of one room, or None."""
    found = _summaries(database, user_id, " AND m.conversation_id = %s", (room_id,), limit=1)
    return found[0] if found else None


def search_rooms(database, user_id, text, before=None, limit=PAGE):
    """Return what `list_rooms` does, of the rooms whose name contains `text`, without regard to case and accents."""
    wanted = search_key(text)
    names = database.query("SELECT c.id, c.name FROM members m JOIN conversations c ON c.id = m.conversation_id AND c.kind = 'room'"
                           " WHERE m.user_id = %s ORDER BY c.id DESC LIMIT %s", (user_id, MAX_SEARCHED)) if wanted else []
    ids = [row["id"] for row in names if wanted in _search_key(row["name"])]
    if not ids:
        return []
    return _summaries(database, user_id, f" AND m.conversation_id IN ({', '.join(['%s'] * len(ids))})", ids, limit=limit, before=before)


def count_mentions(database, user_id):
    """Return how many unread messages of all rooms mention a user, MAX_UNREAD at most."""
    # Twice an equality, where an IN would have a database read the mentions of everybody in all rooms.
    unread = f"n.conversation_id = m.conversation_id AND n.seq > {SHOWN_READ_SEQ} AND n.sender_id <> m.user_id"
    rows = database.query(
        f"SELECT SUM((SELECT COUNT(*) FROM mentions n WHERE n.user_id = m.user_id AND {unread})"
        f" + (SELECT COUNT(*) FROM mentions n WHERE n.user_id = 0 AND {unread} AND NOT EXISTS (SELECT 1 FROM mentions o"
        " WHERE o.user_id = m.user_id AND o.conversation_id = n.conversation_id AND o.seq = n.seq))) AS mentions"
        " FROM members m WHERE m.user_id = %s", (user_id,))
    return min(MAX_UNREAD, int(rows[0]["mentions"] or 0))


def open_rooms(database, user_id, after=0, limit=PAGE):
    """Return summaries of the open rooms that a user is not a member of, in the order in which they were made."""
    rooms = database.query(
        # Rooms have no pair: by this the index of pairs finds them among all conversations. MySQL would walk along all of them.
        f"SELECT {COLUMNS} FROM conversations c /*! IGNORE INDEX (PRIMARY) */ WHERE c.lower_id IS NULL AND c.higher_id IS NULL AND c.kind = 'room' AND c.open = 1"
        " AND c.archived_at IS NULL AND c.id > %s"
        " AND NOT EXISTS (SELECT 1 FROM members m WHERE m.conversation_id = c.id AND m.user_id = %s)"
        " ORDER BY c.id LIMIT %s", (after, user_id, limit), Room.from_row)
    counts = _member_counts(database, [room.id for room in rooms])
    return [RoomSummary(room, members=counts[room.id]) for room in rooms]


def seen_from_outside(database, room):
    """Return the summary of a room for somebody who is not a member, or is one no more."""
    return RoomSummary(room, members=members.count(database, room.id))


def _summaries(database, user_id, condition="", values=(), *, limit, before=None):
    # First which rooms, by the ids alone: somebody in 500 rooms sees a page of them, and only of these is the rest read.
    ordered = (f"SELECT m.conversation_id, m.role, m.notify, m.read_seq, {SHOWN_READ_SEQ} AS shown_read_seq, {_LAST_ID} AS last_id"
               f" FROM members m JOIN conversations c ON c.id = m.conversation_id AND c.kind = 'room' WHERE m.user_id = %s{condition}")
    if before is not None:
        ordered, values = f"SELECT * FROM ({ordered}) n WHERE n.last_id < %s", (*values, before)
    rows = database.query(
        f"SELECT {COLUMNS}, n.role, n.notify, n.read_seq, n.shown_read_seq, {_LAST_CHANGE} AS last_change, t.id AS message_id, t.seq, t.kind AS message_kind, t.message, t.timestamp,"
        f" t.deleted_at, t.files, t.last_change AS message_change, t.sender_id, u.username AS sender FROM ({ordered} ORDER BY last_id DESC LIMIT %s) n"
        " JOIN conversations c ON c.id = n.conversation_id LEFT JOIN messages t ON t.id = n.last_id LEFT JOIN users u ON u.id = t.sender_id"
        " ORDER BY n.last_id DESC", (user_id, *values, limit))
    ids = [row["id"] for row in rows]
    counts = _member_counts(database, ids)
    unread = _unread(database, user_id, [row for row in rows if (row["seq"] or 0) > row["shown_read_seq"]])
    files = files_at(database, [(row["id"], row["seq"]) for row in rows if row["files"]])
    return [RoomSummary(Room.from_row(row), row["role"], row["notify"], counts[row["id"]], row["read_seq"], _last_message(row, files),
                        *unread.get(row["id"], (0, 0)), row["last_change"] or 0) for row in rows]


def _last_message(row, files):
    if row["seq"] is None:
        return None
    return Message(row["sender_id"], None, row["message"], "", row["sender"], from_db(row["timestamp"]), row["message_id"], row["id"],
                   row["seq"], row["message_kind"], deleted_at=row["deleted_at"] and from_db(row["deleted_at"]),
                   last_change=row["message_change"],
                   files=files.get((row["id"], row["seq"]), ()))


def _member_counts(database, room_ids):
    """Return {room id: how many members it has}."""
    if not room_ids:
        return {}
    rows = database.query("SELECT conversation_id, COUNT(*) AS members FROM members"
                          f" WHERE conversation_id IN ({', '.join(['%s'] * len(room_ids))}) GROUP BY conversation_id", room_ids)
    return {**dict.fromkeys(room_ids, 0), **{row["conversation_id"]: row["members"] for row in rows}}


def _unread(database, user_id, rows):
    """Return {room id: (messages of others after the read mark, those among them that mention the user)}, in one statement."""
    if not rows:
        return {}
    one = ("SELECT %s AS id, (SELECT COUNT(*) FROM (SELECT seq FROM messages WHERE conversation_id = %s AND seq > %s"
           f" AND sender_id <> %s AND kind <> '{NOTICE}' LIMIT {MAX_UNREAD}) n) AS unread,"
           " (SELECT COUNT(*) FROM (SELECT DISTINCT seq FROM mentions WHERE user_id IN (0, %s) AND conversation_id = %s AND seq > %s"
           f" AND sender_id <> %s LIMIT {MAX_UNREAD}) n) AS mentions")
    values = [value for row in rows for value in
              (row["id"], row["id"], row["shown_read_seq"], user_id, user_id, row["id"], row["shown_read_seq"], user_id)]
    counts = database.query(" UNION ALL ".join([one] * len(rows)), values)
    return {int(row["id"]): (row["unread"], row["mentions"]) for row in counts}

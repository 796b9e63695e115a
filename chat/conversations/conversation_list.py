"""The conversation list of a user: the last message and the unread count of each, then everybody else by name."""
from dataclasses import dataclass, replace

from ..accounts.user import PAGE, User
from ..clock import from_db
from ..web.avatars import face_parameter
from .answer_size import MAX_PAGE_BYTES, size_of
from .file_words import preview_words
from .formatting import plain
from .message_parts import files_at
from .previews import shortened

MAX_UNREAD = 100        # counted no further: the badge says 99+
BEGINNING = 1000        # code points that are left of a last message where those of a page are too large together


@dataclass(slots=True)
class ConversationSummary:
    """One line of the list: the other user and what was written last. `last_*` is None or 0 while nothing was written."""

    id: int
    username: str
    online: bool = False
    unread: int = 0
    last_message: str | None = None
    last_seq: int = 0
    last_timestamp: str | None = None
    last_is_mine: bool = False
    face: int = 0
    conversation_id: int | None = None
    last_is_deleted: bool = False
    last_files: tuple = ()
    last_change: int = 0        # of the last message

    @property
    def face_parameter(self):
        """The `face` parameter of the URL of this user's avatar."""
        return face_parameter(self.face, self.username)

    @property
    def preview(self):
        """The beginning of the last message, in characters as a reader sees them."""
        return shortened(plain(self.last_message or "")) or preview_words(self.last_files)

    def as_json(self):
        return {"id": self.id, "username": self.username, "online": self.online, "unread": self.unread,
                "lastMessage": self.last_message, "lastSeq": self.last_seq, "conversationId": self.conversation_id,
                **({"lastFiles": [file.as_json() for file in self.last_files]} if self.last_files else {})}


def count_unread(database, me):
    """Return the number of unread messages of the user id `me`, MAX_UNREAD at most."""
    rows = database.query(f"SELECT c.conversation_id, c.read_seq, c.other_id AS id FROM ({_mine()}) c"
                          f" WHERE c.last_seq > c.read_seq LIMIT {MAX_UNREAD}", (me, me))
    return min(MAX_UNREAD, sum(_unread(database, rows).values()))


def list_conversations(database, me, after=None, limit=PAGE):
    """Return a page of the list of the user id `me`: latest conversations first, then all others by name.

    `after` is the user id that ended the page before.
    """
    summaries = []
    last_message_id = _last_message_id(database, me, after) if after else None
    if not after or last_message_id:
        summaries = _talked_with(database, me, last_message_id, limit)
        after = None
    if len(summaries) < limit:
        summaries += _not_talked_with(database, me, after, limit - len(summaries))
    return _cut_to_fit(summaries)


def search_people(database, me, text, after=None, limit=PAGE):
    """Return summaries of the users whose name contains `text`."""
    people = User.search(database, text, me, after, limit)
    known = {summary.id: summary for summary in _talked_with(database, me, None, limit, among=[p.id for p in people])}
    return _cut_to_fit([known.get(person.id) or ConversationSummary(person.id, person.username, face=person.face) for person in people])


def _cut_to_fit(summaries):
    """Leave only the beginning of the last messages that do not fit into one answer, and only their first files, undescribed."""
    size = 0
    for summary in summaries:
        size += size_of(summary.last_message or "", summary.last_files)
        if size > MAX_PAGE_BYTES:
            summary.last_message = summary.last_message and summary.last_message[:BEGINNING]
            summary.last_files = tuple(replace(file, alt=None) for file in summary.last_files[:1])
    return summaries


# The read seq as shown: lower if the user marked the conversation unread.
SHOWN_READ_SEQ = "CASE WHEN m.unread_from > 0 AND m.unread_from <= m.read_seq THEN m.unread_from - 1 ELSE m.read_seq END"

# One step back from the end of the index, where MariaDB would read a whole conversation for a MAX(seq) inside another query.
_LAST_SEQ = "(SELECT seq FROM messages WHERE conversation_id = m.conversation_id ORDER BY seq DESC LIMIT 1) AS last_seq"

# The direct conversations of one user, each with the other one and its last seq; rooms have no pair. SQLite joins in the order that
# CROSS JOIN names; any other would begin with all conversations.
_MINE_AS = """
    SELECT m.conversation_id, {read_seq} AS read_seq, c.{theirs} AS other_id, {last_seq}
    FROM conversations c CROSS JOIN members m ON m.conversation_id = c.id AND m.user_id = c.{mine}
    WHERE c.{mine} = %s{among}"""
_SIDES = (("lower_id", "higher_id"), ("higher_id", "lower_id"))


def _mine(among=""):
    """Return the SQL of one user's direct conversations, with each user id twice among its parameters: once for each side of the pair."""
    return " UNION ALL ".join(_MINE_AS.format(mine=mine, theirs=theirs, read_seq=SHOWN_READ_SEQ, last_seq=_LAST_SEQ, among=among.format(theirs=theirs))
                              for mine, theirs in _SIDES)


def _talked_with(database, me, before_message_id, limit, among=None):
    if among == []:
        return []
    mine, values, before = _mine(), [me, me], ""
    if among:
        mine = _mine(f" AND c.{{theirs}} IN ({', '.join(['%s'] * len(among))})")
        values = [me, *among, me, *among]
    if before_message_id:
        before, values = " WHERE t.id < %s", [*values, before_message_id]
    rows = database.query(
        "SELECT u.id, u.username, u.face, t.message, t.seq, t.timestamp, t.sender_id, t.deleted_at, t.files, t.last_change, c.conversation_id, c.read_seq"
        f" FROM ({mine}) c"
        " JOIN messages t ON t.conversation_id = c.conversation_id AND t.seq = c.last_seq"
        f" JOIN users u ON u.id = c.other_id{before} ORDER BY t.id DESC LIMIT %s", (*values, limit))
    unread = _unread(database, [row for row in rows if row["seq"] > row["read_seq"]])
    files = files_at(database, [(row["conversation_id"], row["seq"]) for row in rows if row["files"]])
    return [ConversationSummary(row["id"], row["username"], False, unread.get(row["conversation_id"], 0), None if row["deleted_at"] else row["message"], row["seq"],
                                from_db(row["timestamp"]), row["sender_id"] == me, row["face"], row["conversation_id"], row["deleted_at"] is not None,
                                files.get((row["conversation_id"], row["seq"]), ()), row["last_change"]) for row in rows]


def _unread(database, rows):
    """Count the other's messages after the read mark, in one statement for all of a page's conversations."""
    if not rows:
        return {}
    one = ("SELECT %s AS conversation_id, COUNT(*) AS unread FROM (SELECT seq FROM messages"
           f" WHERE conversation_id = %s AND seq > %s AND sender_id = %s LIMIT {MAX_UNREAD}) n")
    values = [value for row in rows
              for value in (row["conversation_id"], row["conversation_id"], row["read_seq"], row["id"])]
    counts = database.query(" UNION ALL ".join([one] * len(rows)), values)
    return {int(count["conversation_id"]): count["unread"] for count in counts}


def _not_talked_with(database, me, after, limit):
    written = "SELECT 1 FROM conversations c JOIN messages t ON t.conversation_id = c.id AND t.seq = 1"
    start, values = "", []
    if after:
        sort_key = "(SELECT sort_key FROM username_sort_keys WHERE user_id = %s)"
        start = f" AND o.sort_key >= {sort_key} AND (o.sort_key > {sort_key} OR o.user_id > %s)"
        values = [after] * 3
    return database.query(
        # MySQL would sort all users; SQLite reads the hints as comments
        "SELECT /*! STRAIGHT_JOIN */ u.id, u.username, u.face FROM username_sort_keys o /*! FORCE INDEX (PRIMARY) */"
        " JOIN users u ON u.id = o.user_id WHERE o.user_id <> %s"
        # a conversation may be open and empty: one whose first message could not be stored
        f" AND NOT EXISTS ({written} WHERE c.lower_id = %s AND c.higher_id = o.user_id)"
        f" AND NOT EXISTS ({written} WHERE c.higher_id = %s AND c.lower_id = o.user_id)"
        f"{start} ORDER BY o.sort_key, o.user_id LIMIT %s",
        (me, me, me, *values, limit), lambda row: ConversationSummary(row["id"], row["username"], face=row["face"]))


def _last_message_id(database, me, other):
    rows = database.query("SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id"
                          " WHERE c.lower_id = %s AND c.higher_id = %s ORDER BY m.seq DESC LIMIT 1", sorted((me, other)))
    return rows[0]["id"] if rows else None

"""The list of people, as one person sees it: the last word, what is unread, whom one has not talked with yet."""
import unicodedata
from dataclasses import dataclass

from ..accounts.user import PAGE, User
from ..clock import from_db

MAX_UNREAD = 100        # counted no further: the badge says 99+
MAX_PREVIEW_LENGTH = 120        # code points
MAX_EMOJI_LENGTH = 32           # code points, joined ones: a longer run of what joins is cut
JOINER = "\u200d"
REGIONAL = ("\U0001f1e6", "\U0001f1ff")        # two of them are a flag
JOINED = ((JOINER, JOINER), ("\u1160", "\u11ff"), ("\U0001f3fb", "\U0001f3ff"), ("\U000e0020", "\U000e007f"))


@dataclass(slots=True)
class Card:
    """A person as the list shows them to `me`; `last_*` is None or 0 where nothing was written yet."""

    id: int
    username: str
    online: bool = False
    unread: int = 0
    last_message: str | None = None
    last_seq: int = 0
    last_timestamp: str | None = None
    last_is_mine: bool = False

    @property
    def preview(self):
        """The beginning of the last message, in characters as a reader sees them."""
        return shortened(self.last_message or "")

    def as_json(self):
        return {"id": self.id, "username": self.username, "online": self.online, "unread": self.unread,
                "lastMessage": self.last_message, "lastSeq": self.last_seq}


def shortened(text):
    """Return the beginning of a text; no emoji and no letter is cut off what belongs to it."""
    end = MAX_PREVIEW_LENGTH
    while end > MAX_PREVIEW_LENGTH - MAX_EMOJI_LENGTH and _is_joined(text, end):
        end -= 1
    return text[:MAX_PREVIEW_LENGTH if _is_joined(text, end) else end]


def _is_joined(text, at):
    """Whether the character there belongs to the one before it: accents, skin tones, joined emoji, the other half of a flag."""
    if at >= len(text):
        return False
    if text[at - 1] == JOINER or any(first <= text[at] <= last for first, last in JOINED):
        return True
    if REGIONAL[0] <= text[at] <= REGIONAL[1]:
        before = text[max(0, at - MAX_PREVIEW_LENGTH):at]
        return (len(before) - len(before.rstrip("".join(map(chr, range(ord(REGIONAL[0]), ord(REGIONAL[1]) + 1)))))) % 2 == 1
    return unicodedata.category(text[at]).startswith("M")


def unread_by(database, me):
    """Return how many messages wait for `me` in all conversations, counted no further than a badge does."""
    rows = database.query(f"SELECT c.conversation_id, c.read_seq, c.other_id AS id FROM ({_MINE}) c"
                          f" WHERE c.last_seq > c.read_seq LIMIT {MAX_UNREAD}", (me,))
    return min(MAX_UNREAD, sum(_unread(database, rows).values()))


def people_for(database, me, after=None, limit=PAGE):
    """Return the list of people for `me`: whom one talked with last comes first, then all others by name.

    `after` is the id of the last person of the page before.
    """
    cards = []
    last_message_id = _last_message_id(database, me, after) if after else None
    if not after or last_message_id:
        cards = _talked_with(database, me, last_message_id, limit)
        after = None
    if len(cards) < limit:
        cards += _not_talked_with(database, me, after, limit - len(cards))
    return cards


def people_found(database, me, text, after=None, limit=PAGE):
    """Return the people whose name contains `text`, as cards."""
    people = User.search(database, text, me, after, limit)
    known = {card.id: card for card in _talked_with(database, me, None, limit, among=[p.id for p in people])}
    return [known.get(person.id) or Card(person.id, person.username) for person in people]


# One step back from the end of the index, where MariaDB would read a whole conversation for a MAX(seq) inside another query.
_LAST_SEQ = "(SELECT seq FROM messages WHERE conversation_id = m.conversation_id ORDER BY seq DESC LIMIT 1) AS last_seq"

# The conversations of one person, each with the other one and its last seq.
_MINE = f"""
    SELECT m.conversation_id, m.read_seq, o.user_id AS other_id, {_LAST_SEQ}
    FROM members m JOIN members o ON o.conversation_id = m.conversation_id AND o.user_id <> m.user_id
    WHERE m.user_id = %s"""

# The same with a few people alone: looked up by the pair, where the one above would go through all conversations. SQLite joins in
# the order that CROSS JOIN names; any other would begin with all conversations again.
_MINE_WITH = """
    SELECT m.conversation_id, m.read_seq, c.{theirs} AS other_id, {last_seq}
    FROM conversations c CROSS JOIN members m ON m.conversation_id = c.id AND m.user_id = c.{mine}
    WHERE c.{mine} = %s AND c.{theirs} IN ({places})"""


def _talked_with(database, me, before_message_id, limit, among=None):
    if among == []:
        return []
    mine, values, before = _MINE, [me], ""
    if among:
        places = ", ".join(["%s"] * len(among))
        mine = " UNION ALL ".join(_MINE_WITH.format(mine=mine, theirs=theirs, last_seq=_LAST_SEQ, places=places)
                                  for mine, theirs in (("lower_id", "higher_id"), ("higher_id", "lower_id")))
        values = [me, *among, me, *among]
    if before_message_id:
        before, values = " WHERE t.id < %s", [*values, before_message_id]
    rows = database.query(
        "SELECT u.id, u.username, t.message, t.seq, t.timestamp, t.sender_id, c.conversation_id, c.read_seq"
        f" FROM ({mine}) c"
        " JOIN messages t ON t.conversation_id = c.conversation_id AND t.seq = c.last_seq"
        f" JOIN users u ON u.id = c.other_id{before} ORDER BY t.id DESC LIMIT %s", (*values, limit))
    unread = _unread(database, [row for row in rows if row["seq"] > row["read_seq"]])
    return [Card(row["id"], row["username"], False, unread.get(row["conversation_id"], 0), row["message"], row["seq"],
                 from_db(row["timestamp"]), row["sender_id"] == me) for row in rows]


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
        "SELECT /*! STRAIGHT_JOIN */ u.id, u.username FROM username_sort_keys o /*! FORCE INDEX (PRIMARY) */"
        " JOIN users u ON u.id = o.user_id WHERE o.user_id <> %s"
        # a conversation may be open and empty: one whose first message could not be stored
        f" AND NOT EXISTS ({written} WHERE c.lower_id = %s AND c.higher_id = o.user_id)"
        f" AND NOT EXISTS ({written} WHERE c.higher_id = %s AND c.lower_id = o.user_id)"
        f"{start} ORDER BY o.sort_key, o.user_id LIMIT %s",
        (me, me, me, *values, limit), lambda row: Card(row["id"], row["username"]))


def _last_message_id(database, me, other):
    rows = database.query("SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id"
                          " WHERE c.lower_id = %s AND c.higher_id = %s ORDER BY m.seq DESC LIMIT 1", sorted((me, other)))
    return rows[0]["id"] if rows else None

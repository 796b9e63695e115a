"""File: what somebody has uploaded. A message holds files; the content is in the file store, under its hash.

A file that no message holds is removed after a day. `unheld_since` says since when that is so, so the sweep reads only the end of an
index, however many files there are.
"""
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from flask_babel import lazy_gettext as _

from ..clock import from_db, to_db
from ..errors import Invalid, NotFound
from ..storage.schema import MAX_ID
from .file_types import INLINE

MAX_FILES = 10              # of a message
KEPT_HOURS = 24             # without a message
RELEASE_SECONDS = 20        # from the deletion of the last message that holds a file to its removal: twice what a message waits for its commit
MAX_PAGE = 50               # files in one answer
MAX_COUNTED = 1000          # of the files that a conversation shows
NAMES = ("id", "user_id", "client_id", "hash", "name", "type", "size", "width", "height", "alt", "duration", "is_animated", "has_preview",
         "created_at", "unheld_since")
COLUMNS = ", ".join(f"files.{name}" for name in NAMES)

# What was shared in a conversation: the columns, the tables, the rows before a seq, and how many there are.
SHOWN = f"l.seq, l.position, m.timestamp, u.username AS sender, {COLUMNS}"
SHOWN_BY = ("message_files l JOIN files ON files.id = l.file_id JOIN messages m ON m.conversation_id = l.conversation_id AND m.seq = l.seq"
            " JOIN users u ON u.id = m.sender_id")
BEFORE = "l.conversation_id = %s AND l.seq < %s ORDER BY l.seq DESC, l.position DESC LIMIT %s"
COUNT = ("SELECT COUNT(latest.width) AS images, COUNT(*) AS number FROM (SELECT files.width FROM message_files l JOIN files ON files.id = l.file_id"
         " WHERE l.conversation_id = %s ORDER BY l.seq DESC LIMIT %s) latest")


@dataclass(slots=True)
class File:
    """One file. `duration` is in milliseconds, `created_at` UTC in the format of the protocol, `unheld_since` as the database keeps it."""

    user_id: int
    client_id: str
    hash: str
    name: str
    type: str
    size: int
    width: int | None = None
    height: int | None = None
    alt: str | None = None
    duration: int | None = None
    is_animated: bool = False
    has_preview: bool = False
    created_at: str = ""
    unheld_since: str | None = None
    id: int = 0

    @classmethod
    def from_row(cls, row):
        row["created_at"] = from_db(row["created_at"])
        row["is_animated"], row["has_preview"] = bool(row["is_animated"]), bool(row["has_preview"])
        return cls(**row)

    @property
    def is_image(self):
        return self.width is not None

    @property
    def is_shown(self):
        """Whether a browser shows it; everything else is downloaded."""
        return self.type in INLINE

    @property
    def is_released(self):
        """Whether it was given up, as when the last message that held it was deleted: its time is over within RELEASE_SECONDS."""
        return self.unheld_since is not None and self.unheld_since <= _release_time()

    def as_json(self):
        """Return F of the protocol."""
        told = {"id": self.id, "name": self.name, "type": self.type, "size": self.size}
        if self.width is not None:
            told.update(width=self.width, height=self.height)
        if self.alt:
            told["alt"] = self.alt
        if self.duration is not None:
            told["duration"] = self.duration / 1000
        if self.is_animated:
            told["animated"] = True
        if self.has_preview:
            told["hasPreview"] = True
        return told

    @classmethod
    def by_id(cls, database, file_id):
        """Return the file with that id, or None."""
        found = database.query(f"SELECT {COLUMNS} FROM files WHERE id = %s", (file_id,), cls.from_row) if 0 < file_id <= MAX_ID else []
        return found[0] if found else None

    @classmethod
    def by_client_id(cls, database, user_id, client_id):
        """Return what a user has uploaded under this id, or None."""
        found = database.query(f"SELECT {COLUMNS} FROM files WHERE user_id = %s AND client_id = %s", (user_id, client_id), cls.from_row)
        return found[0] if found else None

    @classmethod
    def claim(cls, database, user_id, ids):
        """Return the files with these ids, in their order, for a message that is about to be sent: the sweep leaves them alone for a day.

        Raises Invalid unless it is a list of different ids, or NotFound unless all are the user's own, and none is released: a message that
        was deleted may be sent once more, and its files are to go all the same.
        """
        if not isinstance(ids, list) or len(ids) > MAX_FILES or not all(type(each) is int and 0 < each <= MAX_ID for each in ids) or len(set(ids)) < len(ids):
            raise Invalid(_("files must be a list of up to %(most)s different ids.", most=MAX_FILES))
        placeholders = ", ".join(["%s"] * len(ids))
        database.execute(f"UPDATE files SET unheld_since = %s WHERE id IN ({placeholders}) AND user_id = %s AND unheld_since > %s",
                         (_from_now(), *ids, user_id, _release_time()))
        found = {file.id: file for file in database.query(
            f"SELECT {COLUMNS} FROM files WHERE id IN ({placeholders}) AND user_id = %s", (*ids, user_id), cls.from_row)}
        if len(found) < len(ids) or any(file.is_released for file in found.values()):
            raise NotFound(_("File not found."))
        return tuple(found[file_id] for file_id in ids)

    def insert(self, database):
        """Store a file that no message holds yet, and set its id. Raises Duplicate if its uploader has used the client id before."""
        values = {name: getattr(self, name) for name in NAMES[1:]}
        values.update(created_at=to_db(self.created_at), unheld_since=_from_now(), is_animated=int(self.is_animated), has_preview=int(self.has_preview))
        ids = database.insert(f"INSERT INTO files ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))})", tuple(values.values()), rows=1)
        self.id = ids[0] if ids else File.by_client_id(database, self.user_id, self.client_id).id
        self.unheld_since = values["unheld_since"]

    @classmethod
    def of_messages(cls, database, condition, values):
        """Return {(conversation id, seq): files in their order} of the messages whose rows `l` of message_files fulfil a condition."""
        found = {}
        for row in database.query(f"SELECT l.conversation_id, l.seq, {COLUMNS} FROM message_files l JOIN files ON files.id = l.file_id"
                                  f" WHERE {condition} ORDER BY l.conversation_id, l.seq, l.position", values):
            place = row.pop("conversation_id"), row.pop("seq")
            found[place] = (*found.get(place, ()), cls.from_row(row))
        return found

    @classmethod
    def page(cls, database, conversation_id, before=None, limit=MAX_PAGE):
        """Return [{file, seq, sender, timestamp}] of a conversation, the latest message first; `before` is a seq, `limit` more than MAX_FILES."""
        return cls._shown(database.query(f"SELECT {SHOWN} FROM {SHOWN_BY} WHERE {BEFORE}", (conversation_id, MAX_ID if before is None else before, limit)),
                          limit)

    @classmethod
    def page_with_counts(cls, database, conversation_id, before=None, limit=MAX_PAGE):
        """Return a page, and how many (images, other files) the conversation shows: of the latest MAX_COUNTED, and (0, 0) with an empty page."""
        rows = database.query(f"SELECT counted.images, counted.number, {SHOWN} FROM {SHOWN_BY} CROSS JOIN ({COUNT}) counted WHERE {BEFORE}",
                              (conversation_id, MAX_COUNTED, conversation_id, MAX_ID if before is None else before, limit))
        counts = [(row.pop("images"), row.pop("number")) for row in rows] or [(0, 0)]
        images, number = counts[0]
        return cls._shown(rows, limit), (images, number - images)

    @classmethod
    def _shown(cls, rows, limit):
        if len(rows) == limit:      # the last message may have more files than are here
            rows = [row for row in rows if row["seq"] != rows[-1]["seq"]]
        rows.sort(key=lambda row: (-row["seq"], row.pop("position")))
        return [{"seq": row.pop("seq"), "sender": row.pop("sender"), "timestamp": from_db(row.pop("timestamp")), "file": cls.from_row(row)}
                for row in rows]

    def is_shown_to(self, database, user_id):
        """Tell whether a user is a member of a conversation that shows the file."""
        # CROSS JOIN: SQLite begins with the user's conversations, which are fewer than the messages that may show one file.
        return bool(database.query("SELECT 1 FROM members m CROSS JOIN message_files l ON l.file_id = %s AND l.conversation_id = m.conversation_id"
                                   " WHERE m.user_id = %s LIMIT 1", (self.id, user_id)))

    @classmethod
    def usage(cls, database, user_id):
        """Return (bytes that a user has uploaded, those of the last day, when the oldest of that day was)."""
        row = database.query("SELECT SUM(size) AS total, SUM(CASE WHEN created_at > %s THEN size ELSE 0 END) AS today,"
                             " MIN(CASE WHEN created_at > %s THEN created_at END) AS since FROM files WHERE user_id = %s",
                             (_from_now(-KEPT_HOURS * 3600),) * 2 + (user_id,))[0]
        return int(row["total"] or 0), int(row["today"] or 0), row["since"] and from_db(row["since"])

    @staticmethod
    def total_bytes(database):
        """Return how many bytes all files have together."""
        return int(database.query("SELECT SUM(size) AS total FROM files")[0]["total"] or 0)

    @classmethod
    def release(cls, database, user_id, client_id):
        """Give up a file that no message holds; return whether there was one. Its client id is free from then on."""
        return bool(database.execute("UPDATE files SET unheld_since = %s, client_id = %s WHERE user_id = %s AND client_id = %s AND unheld_since IS NOT NULL",
                                     (_release_time(), f"released {secrets.token_hex(8)}", user_id, client_id)))

    @classmethod
    def due(cls, database, limit):
        """Return files to remove: no message holds them, and their time is over. The most recently released come first."""
        return database.query(f"SELECT {COLUMNS} FROM files WHERE unheld_since < %s ORDER BY unheld_since DESC LIMIT %s",
                              (_from_now(-KEPT_HOURS * 3600), limit), cls.from_row)

    def is_due(self, database):
        """Tell whether its time is still over: a message that is being sent renews it."""
        return bool(database.query("SELECT 1 FROM files WHERE id = %s AND unheld_since < %s", (self.id, _from_now(-KEPT_HOURS * 3600))))

    def delete(self, database):
        """Delete the row of a file whose time is over; return whether it was."""
        return bool(database.execute("DELETE FROM files WHERE id = %s AND unheld_since < %s", (self.id, _from_now(-KEPT_HOURS * 3600))))

    @staticmethod
    def hashes_among(database, hashes):
        """Return the set of those hashes that some file has."""
        return set(database.query(f"SELECT DISTINCT hash FROM files WHERE hash IN ({', '.join(['%s'] * len(hashes))})", hashes, lambda row: row["hash"]))

    @staticmethod
    def with_hash(database, content_hash, besides=0):
        """Tell whether there is a file with that content, another one than that with the id `besides`."""
        return bool(database.query("SELECT 1 FROM files WHERE hash = %s AND id <> %s LIMIT 1", (content_hash, besides)))


def holding_statements(messages):
    """Return the statements that let new messages hold their files, for the transaction of the messages."""
    rows = [(m.conversation_id, m.seq, position, file.id) for m in messages for position, file in enumerate(m.files)]
    ids = sorted({row[3] for row in rows})
    return [("INSERT INTO message_files (conversation_id, seq, position, file_id) VALUES " + ", ".join(["(%s, %s, %s, %s)"] * len(rows)),
             [value for row in rows for value in row]),
            (f"UPDATE files SET unheld_since = NULL WHERE id IN ({', '.join(['%s'] * len(ids))})", ids)]


def releasing_statements(place, files):
    """Return the statements by which a message lets go of its files, for the transaction in which it is deleted."""
    placeholders = ", ".join(["%s"] * len(files))
    return [("DELETE FROM message_files WHERE conversation_id = %s AND seq = %s", place),
            (f"UPDATE files SET unheld_since = %s WHERE id IN ({placeholders})"
             " AND NOT EXISTS (SELECT 1 FROM message_files WHERE file_id = files.id)", (_release_time(), *(file.id for file in files)))]


def _from_now(seconds=0):
    at = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03}"


def _release_time():
    """Return since when a file counts as unheld that is to be removed in RELEASE_SECONDS."""
    return _from_now(RELEASE_SECONDS - KEPT_HOURS * 3600)

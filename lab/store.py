"""What is stored, read from the chat's database directly."""
import contextlib
import sqlite3
import time
from pathlib import Path

import pymysql

from .record import conversation_of, room_name

ROWS = ("SELECT m.id, m.conversation_id, m.seq, m.sender_id, m.receiver_id, m.message, m.client_id, m.kind, m.mentions, m.reply_to, m.edited_at,"
        " m.deleted_at, m.last_change FROM messages m ORDER BY m.conversation_id, m.seq")
CONVERSATIONS = "SELECT id, kind, lower_id, higher_id FROM conversations"
CHANGES = "SELECT conversation_id, number, seq, kind, actor_id, client_id FROM changes ORDER BY conversation_id, number"
LAST_CHANGES = "SELECT conversation_id, MAX(number) FROM changes GROUP BY conversation_id"
REACTIONS = "SELECT conversation_id, seq, user_id, emoji FROM reactions"
PINS = "SELECT conversation_id, seq, user_id FROM pins"
FILES = "SELECT id, user_id, client_id FROM files ORDER BY id"
MESSAGE_FILES = "SELECT conversation_id, seq, file_id FROM message_files ORDER BY conversation_id, seq, position"
MENTIONS = "SELECT conversation_id, seq, user_id FROM mentions"
LAST_SEQS = ("SELECT conversation_id, sender_id, receiver_id, seq FROM messages m"
             " WHERE seq = (SELECT MAX(seq) FROM messages n WHERE n.conversation_id = m.conversation_id)")
READ_MARKS = ("SELECT c.id, c.lower_id, c.higher_id, m.user_id, m.read_seq FROM members m"
              " JOIN conversations c ON c.id = m.conversation_id")
MEMBERS = "SELECT c.id, m.user_id FROM members m JOIN conversations c ON c.id = m.conversation_id AND c.kind = 'room'"
PATIENCE_SECONDS = 20       # for a database to answer
PAUSE_SECONDS = 0.2


class Store:
    """The chat's database. Each query uses a new connection."""

    def __init__(self, connect):
        self.connect = connect      # connect(): a DB-API connection

    def query(self, sql):
        """Return the rows. A cluster that elects its members does not answer for a moment, so the query is repeated."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._query_once(sql)
            except pymysql.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(PAUSE_SECONDS)

    def _query_once(self, sql):
        with contextlib.closing(self.connect()) as connection, contextlib.closing(connection.cursor()) as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def conversations(self):
        """Return {conversation: its rows by seq, as dicts}, each with what stands in other tables.

        `mentions` has the ids of those whom a text mentions, 0 for everybody, `mentionRows` those of the other table.
        """
        reactions, pins, mention_rows, files = map(self._by_place, (REACTIONS, PINS, MENTIONS, MESSAGE_FILES))
        found = {}
        for (row_id, conversation_id, seq, sender, receiver, text, client_id, kind, mentions, reply_to, edited_at, deleted_at,
             last_change) in self.query(ROWS):
            place = conversation_id, seq
            found.setdefault(_name(conversation_id, sender, receiver), []).append(
                {"id": row_id, "seq": seq, "senderId": sender, "receiverId": receiver, "message": text, "clientId": client_id, "kind": kind,
                 "mentions": {int(mention.partition(":")[0]) for mention in mentions.split()}, "replyTo": reply_to or 0,
                 "edited": edited_at is not None, "deleted": deleted_at is not None, "lastChange": last_change,
                 "reactions": frozenset(reactions.get(place, ())), "pinned": place in pins,
                 "mentionRows": {user_id for user_id, in mention_rows.get(place, ())}, "files": [file_id for file_id, in files.get(place, ())]})
        return found

    def _by_place(self, sql):
        """Return {(conversation id, seq): what else the rows have}."""
        found = {}
        for conversation_id, seq, *values in self.query(sql):
            found.setdefault((conversation_id, seq), []).append(tuple(values))
        return found

    def _names(self):
        """Return {id: the name of a conversation in the record}."""
        return {row_id: room_name(row_id) if kind == "room" else conversation_of(*pair) for row_id, kind, *pair in self.query(CONVERSATIONS)}

    def changes(self):
        """Return {conversation: its changes by number, as dicts}."""
        names, found = self._names(), {}
        for conversation_id, number, seq, kind, actor, client_id in self.query(CHANGES):
            found.setdefault(names[conversation_id], []).append(
                {"number": number, "seq": seq, "changeKind": kind, "actorId": actor, "clientId": client_id})
        return found

    def files(self):
        """Return the files that were uploaded, as dicts."""
        return [{"id": file_id, "userId": user_id, "clientId": client_id} for file_id, user_id, client_id in self.query(FILES)]

    def last_changes(self):
        """Return {conversation: the number of its last change}."""
        names = self._names()
        return {names[conversation_id]: number for conversation_id, number in self.query(LAST_CHANGES)}

    def last_seqs(self):
        """Return {conversation: its last seq}."""
        return {_name(*one): seq for *one, seq in self.query(LAST_SEQS)}

    def read_marks(self):
        """Return {(conversation, user id): the seq up to which this person has read}."""
        return {(_name(*one), user): seq for *one, user, seq in self.query(READ_MARKS)}

    def members(self):
        """Return {room: the ids of its members}."""
        found = {}
        for room_id, user_id in self.query(MEMBERS):
            found.setdefault(room_name(room_id), set()).add(user_id)
        return found


def _name(conversation_id, one_id, other_id):
    """Return the name of a conversation in the record; in a room there is no other person."""
    return room_name(conversation_id) if other_id is None else conversation_of(one_id, other_id)


def sqlite_store(instance):
    """Return the database of the embedded mode in that instance folder."""
    path = Path(instance) / "chat.sqlite3"
    return Store(lambda: sqlite3.connect(path, timeout=10))


def mariadb_store(server):
    """Return the database of a private MariaDB, without any proxy."""
    return Store(lambda: server.connect(database="chat"))

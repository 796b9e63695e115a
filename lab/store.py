"""What is stored, read from the chat's database directly."""
import contextlib
import sqlite3
import time
from pathlib import Path

import pymysql

from .record import conversation_of

ROWS = ("SELECT m.id, m.seq, m.sender_id, m.receiver_id, m.message, m.client_id FROM messages m"
        " ORDER BY m.conversation_id, m.seq")
LAST_SEQS = ("SELECT sender_id, receiver_id, seq FROM messages m"
             " WHERE seq = (SELECT MAX(seq) FROM messages n WHERE n.conversation_id = m.conversation_id)")
READ_MARKS = ("SELECT c.lower_id, c.higher_id, m.user_id, m.read_seq FROM members m"
              " JOIN conversations c ON c.id = m.conversation_id")
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
        """Return {conversation: its rows by seq, as dicts}."""
        found = {}
        for row_id, seq, sender, receiver, text, client_id in self.query(ROWS):
            found.setdefault(conversation_of(sender, receiver), []).append(
                {"id": row_id, "seq": seq, "senderId": sender, "receiverId": receiver, "message": text, "clientId": client_id})
        return found

    def last_seqs(self):
        """Return {conversation: its last seq}."""
        return {conversation_of(sender, receiver): seq for sender, receiver, seq in self.query(LAST_SEQS)}

    def read_marks(self):
        """Return {(conversation, user id): the seq up to which this person has read}."""
        return {(conversation_of(lower, higher), user): seq for lower, higher, user, seq in self.query(READ_MARKS)}


def sqlite_store(instance):
    """Return the database of the embedded mode in that instance folder."""
    path = Path(instance) / "chat.sqlite3"
    return Store(lambda: sqlite3.connect(path, timeout=10))


def mariadb_store(server):
    """Return the database of a private MariaDB, without any proxy."""
    return Store(lambda: server.connect(database="chat"))

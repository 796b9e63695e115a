"""Conversation: who talks with whom, how far it goes, and how far each of them has read it."""
from dataclasses import dataclass

from ..errors import Duplicate, Unavailable
from . import receipts

LAST_NUMBERS = ("(SELECT MAX(seq) FROM messages WHERE conversation_id = %s) AS seq,"
                " (SELECT MAX(number) FROM changes WHERE conversation_id = %s) AS number")


@dataclass(slots=True)
class Conversation:
    """A conversation of two people, or of the members of a room. Its `id` never changes, so that it may be remembered."""

    id: int

    @classmethod
    def between(cls, database, one, other):
        """Return the conversation of two user ids, or None while nothing was written."""
        found = database.query("SELECT id FROM conversations WHERE lower_id = %s AND higher_id = %s",
                               sorted((one, other)), lambda row: cls(row["id"]))
        return found[0] if found else None

    @classmethod
    def open_between(cls, database, one, other):
        """Return the conversation of two user ids, made if there is none; two processes at once make one."""
        pair = sorted((one, other))
        if not cls.between(database, one, other):
            member = ("INSERT INTO members (conversation_id, user_id, read_seq)"
                      " SELECT id, %s, 0 FROM conversations WHERE lower_id = %s AND higher_id = %s")
            try:
                database.transaction([
                    ("INSERT INTO conversations (kind, lower_id, higher_id) VALUES ('direct', %s, %s)", pair),
                    (member, (one, *pair)),
                    (member, (other, *pair)),
                ])
            except Duplicate:
                pass    # another process was faster
        return cls.between(database, one, other)

    def last_numbers(self, database):
        """Return the greatest seq and the greatest number of a change, each 0 while there is none: one step in either index."""
        row = database.query(f"SELECT {LAST_NUMBERS}", (self.id, self.id))[0]
        return row["seq"] or 0, row["number"] or 0

    def numbers_and_unread_from(self, database, user_id):
        """Return the last numbers, and the seq from which a user wants to see the conversation as unread, or 0."""
        row = database.query(f"SELECT {LAST_NUMBERS}, (SELECT unread_from FROM members WHERE conversation_id = %s AND user_id = %s) AS unread_from",
                             (self.id, self.id, self.id, user_id))[0]
        return row["seq"] or 0, row["number"] or 0, row["unread_from"] or 0

    @staticmethod
    def last_seqs(database, conversation_ids):
        """Return {conversation id: the greatest seq, 0 while nothing is stored}, in one statement for all of them."""
        one = "SELECT %s AS id, MAX(seq) AS seq FROM messages WHERE conversation_id = %s"
        rows = database.query(" UNION ALL ".join([one] * len(conversation_ids)),
                              [value for conversation_id in conversation_ids for value in (conversation_id,) * 2])
        return {row["id"]: row["seq"] or 0 for row in rows}

    def read_seqs(self, database):
        """Return {user_id: the last seq that this person has read}."""
        rows = database.query("SELECT user_id, read_seq FROM members WHERE conversation_id = %s", (self.id,))
        return {row["user_id"]: row["read_seq"] for row in rows}

    def read_seq_of(self, database, user_id):
        """Return the last seq that one user has read, 0 if the user is not a member."""
        rows = database.query("SELECT read_seq FROM members WHERE conversation_id = %s AND user_id = %s", (self.id, user_id))
        return rows[0]["read_seq"] if rows else 0

    def mark_read(self, database, reader_id, seq):
        """Move the read mark of one user forward; return whether it moved. It never goes back."""
        moved = database.execute("UPDATE members SET read_seq = %s, unread_from = 0"
                                 " WHERE conversation_id = %s AND user_id = %s AND read_seq < %s",
                                 (seq, self.id, reader_id, seq)) > 0
        if moved:
            try:
                receipts.insert(database, self.id, reader_id, receipts.READ, seq)
            except Unavailable:
                pass    # it is read all the same: only the time is lost
        return moved

    def mark_unread(self, database, user_id, seq):
        """Note from which seq on a user wants to see the conversation as unread, 0 for nothing more; return whether that is new."""
        return database.execute("UPDATE members SET unread_from = %s WHERE conversation_id = %s AND user_id = %s AND unread_from <> %s",
                                (seq, self.id, user_id, seq)) > 0

    def mark_delivered(self, database, user_id, seq):
        """Note that everything up to `seq` has reached one user, unless that much is noted already."""
        if seq and not receipts.receipt_time(database, self.id, user_id, receipts.DELIVERED, seq):
            receipts.insert(database, self.id, user_id, receipts.DELIVERED, seq)

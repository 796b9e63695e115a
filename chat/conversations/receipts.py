"""Receipts: when messages were delivered to a user and when they were read.

A receipt says that everything up to a seq had been delivered, or read, at a time. So a message's own time is that of the first
receipt at its seq or above.
"""
from ..clock import from_db, now, to_db
from ..errors import Duplicate

DELIVERED, READ = "delivered", "read"       # kinds


def insert(database, conversation_id, user_id, kind, seq):
    """Note that a user has everything up to `seq`, as of now."""
    try:
        database.execute("INSERT INTO receipts (conversation_id, user_id, kind, seq, at) VALUES (%s, %s, %s, %s, %s)",
                         (conversation_id, user_id, kind, seq, to_db(now())))
    except Duplicate:
        pass    # another tab was faster


def receipt_time(database, conversation_id, user_id, kind, seq):
    """Return when a user's receipts reached `seq`, or None: one step in the index."""
    times = database.query("SELECT at FROM receipts WHERE conversation_id = %s AND user_id = %s AND kind = %s"
                           " AND seq >= %s ORDER BY seq LIMIT 1", (conversation_id, user_id, kind, seq),
                           lambda row: from_db(row["at"]))
    return times[0] if times else None


def of_message(database, message):
    """Return when a message was delivered to its receiver and when it was read; None for what is not known."""
    delivered, read = (receipt_time(database, message.conversation_id, message.receiver_id, kind, message.seq)
                       for kind in (DELIVERED, READ))
    # What was read had been delivered, even if no tab said so.
    return min((time for time in (delivered, read) if time), default=None), read

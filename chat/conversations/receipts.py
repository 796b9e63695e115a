"""Receipts: when messages were delivered to a user and when they were read.

A receipt says that everything up to a seq had been delivered, or read, at a time. So a message's own time is that of the first
receipt at its seq or above.
"""
from ..clock import from_db, now, to_db
from ..errors import Duplicate

DELIVERED, READ = "delivered", "read"       # kinds
MAX_READERS = 100       # members of a room of whom a message's details tell


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
    """Return `delivered` and `read`: when a message had reached its receiver and been read; None for what is not known.

    In a room these are the times at which the last member had received and read it, None while one has not. `isRead` says whether
    everybody has read it, and `readers` lists the first members: [{id, username, delivered, read, isRead}].
    """
    if message.receiver_id is not None:
        delivered, read = _times_of(database, message, [message.receiver_id])[message.receiver_id]
        return {"delivered": delivered, "read": read}
    others, (count, behind) = _others(database, message), _counts(database, message)
    readers, times_of = [], _times_of(database, message, [user_id for user_id, _username, _read_seq in others])
    for user_id, username, read_seq in others:
        delivered, read = times_of[user_id]
        readers.append({"id": user_id, "username": username, "delivered": delivered, "read": read, "isRead": read_seq >= message.seq})
    all_are_listed = count <= len(readers)       # otherwise the times of those who are left out are not known
    times = {name: _latest([reader[name] for reader in readers]) if all_are_listed else None for name in ("delivered", "read")}
    return {**times, "isRead": count > 0 and behind == 0, "readers": readers}


def _times_of(database, message, user_ids):
    """Return {user id: (when the message was delivered to them, when they read it)}, by one statement: one step in the index for each time."""
    asked = [(user_id, kind) for user_id in user_ids for kind in (DELIVERED, READ)]
    one = ("SELECT * FROM (SELECT user_id, kind, at FROM receipts WHERE conversation_id = %s AND user_id = %s AND kind = %s AND seq >= %s"
           " ORDER BY seq LIMIT 1) n")
    rows = database.query(" UNION ALL ".join([one] * len(asked)), [
        value for user_id, kind in asked for value in (message.conversation_id, user_id, kind, message.seq)]) if asked else []
    found = {(row["user_id"], row["kind"]): from_db(row["at"]) for row in rows}
    times = {}
    for user_id in user_ids:
        delivered, read = (found.get((user_id, kind)) for kind in (DELIVERED, READ))
        # What was read had been delivered, even if no tab said so.
        times[user_id] = min((time for time in (delivered, read) if time), default=None), read
    return times


def _latest(times):
    return max(times) if times and all(times) else None


# The members who were there when a message was written, but for its sender.
_OTHERS = "FROM members m JOIN users u ON u.id = m.user_id WHERE m.conversation_id = %s AND m.user_id <> %s AND m.joined_at <= %s"


def _counts(database, message):
    """Return how many others there are, and how many of them have not read it."""
    [row] = database.query(f"SELECT COUNT(*) AS others, COALESCE(SUM(m.read_seq < %s), 0) AS behind {_OTHERS}", (message.seq, *_others_parameters(message)))
    return row["others"], int(row["behind"])


def _others(database, message):
    """Return (id, username, read seq) of the first others."""
    return database.query(f"SELECT u.id, u.username, m.read_seq {_OTHERS} ORDER BY u.id LIMIT %s", (*_others_parameters(message), MAX_READERS),
                          lambda row: tuple(row.values()))


def _others_parameters(message):
    """Return the parameters of _OTHERS."""
    return message.conversation_id, message.sender_id, to_db(message.timestamp)

"""Conversations that were held before the test: written into the embedded mode's database as the server would."""
import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path


def ago(**how_long):
    """The time so long ago, as `ago(days=1, minutes=5)`."""
    return datetime.now(timezone.utc) - timedelta(**how_long)


def numbered(one, other, count, until=None):
    """`count` messages of two people in turns, a minute apart, for `hold`."""
    until = until or ago(minutes=1)
    return [((one, other)[n % 2], f"message {n}", until - timedelta(minutes=count - n)) for n in range(1, count + 1)]


def hold(server, one, other, said, read=True):
    """Store what two people said, as [(sender, text, time)]; `read` says whether both have read it."""
    with sqlite3.connect(Path(server.settings["INSTANCE_PATH"]) / "chat.sqlite3", timeout=10) as database:
        conversation = database.execute("INSERT INTO conversations (kind, lower_id, higher_id) VALUES ('direct', ?, ?)",
                                        sorted((one.id, other.id))).lastrowid
        database.executemany("INSERT INTO members (conversation_id, user_id, read_seq) VALUES (?, ?, ?)",
                             [(conversation, person.id, len(said) if read else 0) for person in (one, other)])
        database.executemany(
            "INSERT INTO messages (conversation_id, seq, sender_id, receiver_id, message, timestamp, client_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(conversation, seq, sender.id, (other if sender is one else one).id, text,
              stored(time), f"past-{conversation}-{seq}")
             for seq, (sender, text, time) in enumerate(said, 1)])
    database.close()


def hold_in_room(server, room_id, said, read_by=()):
    """Store what was said in a room, as [(sender, text, time)], after what happened in it, which was an hour before that."""
    began = said[0][2] - timedelta(hours=1)
    with sqlite3.connect(Path(server.settings["INSTANCE_PATH"]) / "chat.sqlite3", timeout=10) as database:
        (last,) = database.execute("SELECT MAX(seq) FROM messages WHERE conversation_id = ?", (room_id,)).fetchone()
        database.execute("UPDATE messages SET timestamp = ? WHERE conversation_id = ?", (stored(began), room_id))
        database.executemany(
            "INSERT INTO messages (conversation_id, seq, sender_id, message, timestamp, client_id) VALUES (?, ?, ?, ?, ?, ?)",
            [(room_id, seq, sender.id, text, stored(time), f"past-{room_id}-{seq}") for seq, (sender, text, time) in enumerate(said, last + 1)])
        database.executemany("UPDATE members SET read_seq = ? WHERE conversation_id = ? AND user_id = ?",
                             [(last + len(said), room_id, person.id) for person in read_by])
    database.close()


def move_back(server, conversation_id, minutes):
    """Let messages have been said some minutes ago: {seq: minutes}."""
    with sqlite3.connect(Path(server.settings["INSTANCE_PATH"]) / "chat.sqlite3", timeout=10) as database:
        database.executemany("UPDATE messages SET timestamp = ? WHERE conversation_id = ? AND seq = ?",
                             [(stored(ago(minutes=past)), conversation_id, seq) for seq, past in minutes.items()])
    database.close()


def stored(time):
    """Return a time as the database has it."""
    return time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]

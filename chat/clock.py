"""The server's clock, and the two forms of a time: as the protocol sends it and as the database keeps it."""
from datetime import datetime, timezone


def now():
    """Return the time as the protocol sends it: `2024-07-07T15:04:17.601Z`."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")[:-6] + "Z"


def to_db(iso_time):
    """Return such a time as the database keeps it: `2024-07-07 15:04:17.601`, UTC."""
    return iso_time[:-1].replace("T", " ")


def from_db(stored_time):
    """Return a time of the database as the protocol sends it."""
    return stored_time.replace(" ", "T") + "Z"

"""The server's clock, and the two forms of a time: as the contract sends it and as the database keeps it."""
from datetime import datetime, timezone


def now():
    """Return the time as the contract sends it: `2024-07-07T15:04:17.601Z`."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")[:-6] + "Z"


def stored(iso_time):
    """Return it as the database keeps it: `2024-07-07 15:04:17.601`, UTC."""
    return iso_time[:-1].replace("T", " ")


def iso(stored_time):
    """Return what the database kept as the contract sends it."""
    return stored_time.replace(" ", "T") + "Z"

"""The format of the events that processes publish to each other over Redis. Anything else is logged and skipped."""
import logging
from typing import TypedDict

import msgspec

log = logging.getLogger(__name__)


class MessageForm(TypedDict):
    id: int
    seq: int
    senderId: int
    receiverId: int
    message: str
    timestamp: str
    clientId: str


class ReadForm(TypedDict):
    userId: int
    readerId: int
    seq: int


class TypingForm(TypedDict):
    userId: int


FORMS = {"receiveMessage": MessageForm, "messagesRead": ReadForm, "typing": TypingForm, "sessionEnded": str}
Heartbeat = tuple[str, int, int]                    # process id, its epoch, the highest message id that it knows
Event = tuple[str, msgspec.Raw, list[int | None]]   # name, payload, recipients


def heartbeat(data):
    """Return the three values of a heartbeat, or None if it is malformed."""
    return _decoded(data, Heartbeat)


def events(data):
    """Yield (name, payload, recipients) of each valid event in a batch. Fields that a newer process has added are kept."""
    for raw in _decoded(data, list[msgspec.Raw]) or ():
        name, payload, recipients = _decoded(raw, Event) or (None, b"", ())
        if name in FORMS and _decoded(payload, FORMS[name]) is not None:
            yield name, msgspec.json.decode(payload), recipients


def _decoded(data, form):
    try:
        return msgspec.json.decode(data, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        log.warning("a message over Redis has not the chat's format: %s", error)
        return None

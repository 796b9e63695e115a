"""What processes tell each other, as it has to look: whatever else comes over Redis is not believed, and passed over."""
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
Beat = tuple[str, int, int]                         # process id, its line, the greatest id of a message it knows
Word = tuple[str, msgspec.Raw, list[int | None]]    # event, payload, people


def beat(said):
    """Return what a beat says, or None where it is none."""
    return _read(said, Beat)


def words(said):
    """Yield each event with its payload and its people. Fields that a newer process has added are passed on."""
    for raw in _read(said, list[msgspec.Raw]) or ():
        event, payload, people = _read(raw, Word) or (None, b"", ())
        if event in FORMS and _read(payload, FORMS[event]) is not None:
            yield event, msgspec.json.decode(payload), people


def _read(said, form):
    try:
        return msgspec.json.decode(said, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        log.warning("something that no process of the chat says was heard over Redis: %s", error)
        return None

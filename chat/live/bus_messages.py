"""The format of the events that processes publish to each other over Redis. Anything else is logged and skipped."""
import logging
from typing import TypedDict

from ..storage.typed_json import DECODE_ERRORS, Raw, decode

log = logging.getLogger(__name__)


class MessageForm(TypedDict):
    id: int
    seq: int
    senderId: int
    receiverId: int | None
    conversationId: int
    kind: str
    message: str
    timestamp: str
    clientId: str


class ReadForm(TypedDict):
    readerId: int
    seq: int


class UnreadForm(TypedDict):
    seq: int


class TypingForm(TypedDict):
    userId: int


class ChangeForm(TypedDict):
    id: int
    conversationId: int
    change: int
    message: MessageForm


class ConversationId(TypedDict):
    id: int


class ChangedForm(TypedDict):
    conversation: ConversationId


class LeftForm(TypedDict):
    conversationId: int


FORMS = {"receiveMessage": MessageForm, "messageChanged": ChangeForm, "messagesRead": ReadForm, "markedUnread": UnreadForm, "typing": TypingForm, "sessionEnded": str,
         "conversationChanged": ChangedForm, "conversationLeft": LeftForm}
Heartbeat = tuple[str, int, int]                    # process id, its epoch, the highest message id that it knows
Event = tuple[str, Raw, list[int | None], int | None]   # name, payload, recipients: users, or the members of a room


def heartbeat(data):
    """Return the three values of a heartbeat, or None if it is malformed."""
    return _decoded(data, Heartbeat)


def events(data, process_id):
    """Yield (name, payload, user ids, room id) of each valid event in a batch, unless the process has sent it itself.

    A batch begins with the process that sent it. Fields that a newer process has added are kept.
    """
    sender, *batch = _decoded(data, list[Raw]) or (b"",)
    for raw in batch if bytes(sender) != f'"{process_id}"'.encode() else ():
        name, payload, user_ids, room_id = _decoded(raw, Event) or (None, b"", (), None)
        if name in FORMS and _decoded(payload, FORMS[name]) is not None:
            yield name, decode(payload), user_ids, room_id


def _decoded(data, form):
    try:
        return decode(data, form)
    except DECODE_ERRORS as error:
        log.warning("a message over Redis has not the chat's format: %s", error)
        return None

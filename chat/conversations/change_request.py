"""What somebody asks to change of a message: taken apart with care."""
from flask_babel import lazy_gettext as _

from ..errors import Invalid, NotFound
from ..storage.schema import MAX_ID
from .change import DELETE, EDIT, PIN, REACT, UNPIN, UNREACT, Change
from .emoji_set import EMOJI
from .message_text import validate_client_id, validate_text

VERBS = ("edit", "delete", "react", "pin")


def draft(user, access, seq, fields):
    """Return the Change that the fields of an event or a form ask for, not stored yet. Raises Invalid or TooLong with the reason."""
    verbs = [name for name in VERBS if fields.get(name) is not None]
    if len(verbs) != 1:
        raise Invalid(_("Expected one of: %(values)s.", values=", ".join(VERBS)))
    if isinstance(seq, bool) or not isinstance(seq, int) or seq < 1:
        raise Invalid(_("%(name)s must be a number, %(least)s or greater.", name="seq", least=1))
    if seq > MAX_ID:
        raise NotFound(_("Message not found."))
    change = Change(access.conversation_id, seq, "", user.id, validate_client_id(fields.get("clientId")), is_owner=access.is_owner)
    {"edit": _edit, "delete": _delete, "react": _react, "pin": _pin}[verbs[0]](change, fields)
    return change


def _edit(change, fields):
    change.kind, change.text = EDIT, validate_text(fields["edit"], may_be_empty=True)     # the writer refuses it where there are no files
    seen = fields.get("seen")
    if seen is not None and (isinstance(seen, bool) or not isinstance(seen, int) or seen < 0):
        raise Invalid(_("%(name)s must be a number, %(least)s or greater.", name="seen", least=0))
    change.seen = seen


def _delete(change, fields):
    if fields["delete"] is not True:
        raise Invalid(_("%(name)s must be true or false.", name="delete"))
    change.kind = DELETE


def _react(change, fields):
    if not isinstance(fields["react"], str) or fields["react"] not in EMOJI:
        raise Invalid(_("A reaction is one emoji."))
    change.emoji, change.kind = fields["react"], REACT if _boolean(fields, "on") else UNREACT


def _pin(change, fields):
    change.kind = PIN if _boolean(fields, "pin") else UNPIN


def _boolean(fields, name):
    if not isinstance(fields.get(name), bool):
        raise Invalid(_("%(name)s must be true or false.", name=name))
    return fields[name]

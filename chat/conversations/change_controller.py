"""ChangeController: what happens to messages that are there, by JSON or by a form, and the messages that are pinned."""
import secrets

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_required

from ..errors import ChatError, Invalid, NotFound
from ..storage.schema import MAX_ID
from ..web.request_args import MAX_DIGITS, wants_json
from .change import pinned
from .room import boolean


class ChangeController:
    """`gate` and `messaging` are those of the live connections, `chat` shows a conversation or a message."""

    def __init__(self, database, gate, messaging, chat):
        self.database = database
        self.gate = gate
        self.messaging = messaging
        self.chat = chat

    def blueprint(self):
        blueprint = Blueprint("changes", __name__)
        for rule, view, method in (
                ("/conversations/<int:conversation_id>/messages/<int:seq>", self.change, "POST"),
                ("/conversations/<int:conversation_id>/pins", self.get_pins, "GET"),
                ("/conversations/<int:conversation_id>/unread", self.mark_unread, "POST")):
            blueprint.add_url_rule(rule, view.__name__, login_required(view), methods=[method])
        return blueprint

    def change(self, conversation_id, seq):
        """Change a message: JSON is answered with it, a form leads back to the conversation."""
        fields = _fields()
        try:
            access = self.gate.to_conversation(current_user, conversation_id)
            change = self.messaging.change(current_user, access, seq, fields)
        except NotFound:
            change = self.messaging.changed_before(current_user, conversation_id, fields.get("clientId"))
            if not change:
                raise
        except ChatError as error:
            if wants_json():
                raise
            return self.chat.show_message(access, seq, error, fields.get("edit"))
        if wants_json():
            return jsonify(change=change.number, message=change.message.as_json())
        return redirect(self.chat.page_url(access, at=seq, _anchor=f"message-{seq}"))

    def get_pins(self, conversation_id):
        """The pinned messages of a conversation, the latest pin first: a page, or JSON."""
        access = self.gate.to_conversation(current_user, conversation_id)
        found = pinned(self.database, conversation_id)
        if wants_json():
            return jsonify(messages=[message.as_json() for message in found])
        return render_template("chat/pins.html", page=True, **self.chat.pane.context(), **self.chat.subject(access), pinned=found)

    def mark_unread(self, conversation_id):
        """Note from which message on a user wants to see the conversation as unread, and lead to the lists."""
        access = self.gate.to_conversation(current_user, conversation_id)
        told = self.messaging.mark(access, _number(_fields().get("seq"), "seq"), self.messaging.mark_unread)
        return jsonify(told) if wants_json() else redirect(url_for("chat.get_home_page"))


def _fields():
    """Return what is asked for: a JSON object as it is, or a form's fields as the JSON would have them. Raises Invalid for anything else."""
    if request.is_json:
        fields = request.get_json(silent=True)
        if not isinstance(fields, dict):
            raise Invalid(_("Expected a JSON object with %(names)s.", names="clientId"))
        return fields
    fields = request.form.to_dict()
    fields.setdefault("clientId", secrets.token_urlsafe(16))
    for name in ("delete", "on", "pin"):
        if name in fields:
            fields[name] = boolean(fields[name], name)
    if "seen" in fields:
        fields["seen"] = _number(fields["seen"], "seen")
    return fields


def _number(value, name):
    """Return a whole number from 0, of JSON or the text of a form's field, at most MAX_ID. Raises Invalid for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Invalid(_("%(name)s must be a number, %(least)s or greater.", name=name, least=0))
    return min(value, MAX_ID)

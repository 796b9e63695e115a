"""ChangeController: what happens to messages that are there, by JSON or by a form, and the messages that are pinned."""
import hashlib
import json
import secrets

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_required
from flask_wtf.csrf import CSRFError

from ..errors import ChatError, Invalid, NotFound
from ..storage.schema import MAX_ID
from ..web.error_handlers import answer_with, handle_csrf_error
from ..web.forms import is_of_another_session
from ..web.request_args import MAX_DIGITS, wants_json
from .change import pinned
from .change_request import VERBS
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
        blueprint.register_error_handler(CSRFError, self.show_form_again)
        return blueprint

    def change(self, conversation_id, seq):
        """Change a message: JSON is answered with it, a form leads back to the conversation."""
        fields = _fields()
        access = None       # until the gate has opened
        try:
            access = self.gate.to_conversation(current_user, conversation_id)
            change = self.messaging.change(current_user, access, seq, fields)
        except ChatError as error:
            change = isinstance(error, NotFound) and self.messaging.resends.change(current_user, fields.get("clientId"), conversation_id)
            if not change:
                return self._refused(access, seq, error, fields.get("edit"))
        if wants_json():
            return jsonify(change.as_answer())
        if access is None:      # the change was stored before its writer had to leave
            return redirect(url_for("chat.get_home_page"))
        return redirect(self.chat.page_url(access, at=seq, _anchor=f"message-{seq}"))

    def _refused(self, access, seq, error, text):
        """Answer a refused change: a form comes back with the text that somebody wrote, and with its id where its fate is not known."""
        if wants_json() or not access and not text:
            raise error
        if not access:
            return answer_with(error.status, error.message, unsaved_text=text)
        answer = make_response(self._shown_again(access, seq, error, text, request.form.get("page") if error.retry else None))
        if error.retry_after:
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer

    def _shown_again(self, access, seq, error, text, client_id=None):
        """Return the page of a message with the reason and the text; where it cannot be shown, the text alone, if there is one."""
        try:
            return self.chat.show_message(access, seq, error, text, client_id)
        except ChatError:
            if not text:
                raise
            return answer_with(error.status, error.message, unsaved_text=text)

    def show_form_again(self, error):
        """Answer a form whose token is another session's: the edit that was written comes back with it."""
        text = request.form.get("edit", "")
        if wants_json() or not text or "seq" not in request.view_args or not is_of_another_session():
            return handle_csrf_error(error)
        if not current_user.is_authenticated:
            return answer_with(401, _("Your session has expired. Log in and edit your message again."), unsaved_text=text)
        try:
            access = self.gate.to_conversation(current_user, request.view_args["conversation_id"])
        except ChatError as refusal:
            return answer_with(refusal.status, refusal.message, unsaved_text=text)
        return self._shown_again(access, request.view_args["seq"], Invalid(_("This form has expired. Please try again.")), text)

    def get_pins(self, conversation_id):
        """The pinned messages of a conversation, the latest pin first: a page, or JSON."""
        access = self.gate.to_conversation(current_user, conversation_id)
        found = pinned(self.database, conversation_id)
        if wants_json():
            return jsonify(messages=[message.as_json() for message in found])
        return render_template("chat/pins.html", page=True, **self.chat.pane.context(), **self.chat.subject(access), pinned=found,
                               conversation_id=conversation_id)

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
    fields["clientId"] = _client_id(fields)
    for name in ("delete", "on", "pin"):
        if name in fields:
            fields[name] = boolean(fields[name], name)
    if "seen" in fields:
        fields["seen"] = _number(fields["seen"], "seen")
    return fields


def _client_id(fields):
    """Return the id of a change by a form: that of its page and of what is asked for.

    So a form that comes twice is taken once, while another text from the same page, which the browser may show again, is another change.
    """
    asked = hashlib.sha256(json.dumps({name: fields.get(name) for name in (*VERBS, "on")}).encode()).hexdigest()
    return fields.get("clientId") or f"{fields.get('page') or secrets.token_urlsafe(16)}-{asked[:16]}"


def _number(value, name):
    """Return a whole number from 0, of JSON or the text of a form's field, at most MAX_ID. Raises Invalid for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Invalid(_("%(name)s must be a number, %(least)s or greater.", name=name, least=0))
    return min(value, MAX_ID)

"""FileController: uploads, and files as people fetch them. docs/protocol.md has the requests."""
import math
import unicodedata

from flask import Blueprint, g, jsonify, render_template, request
from flask_babel import gettext as _
from flask_login import current_user, login_required

from ..errors import Invalid, NotFound
from ..storage.schema import MAX_ID
from ..web.forms import STREAMED
from ..web.request_args import MAX_DIGITS, answers_json, number
from . import file_answers
from .file import MAX_FILES, MAX_PAGE, File
from .message_text import validate_client_id

MAX_ALT_LENGTH = 1000       # characters
MAX_DURATION = 24 * 3600    # seconds
FORM_BYTES = 4096           # that a form has around its file, more or less
MAX_NAME_FIELD = 4096       # characters of a name before it is cut


class FileController:
    """`store` has the contents, `gate` says who may fetch one, `uploads` takes them in, `chat` is the ChatController."""

    def __init__(self, database, store, gate, uploads, chat):
        self.database = database
        self.store = store
        self.gate = gate
        self.uploads = uploads
        self.chat = chat

    def blueprint(self):
        blueprint = Blueprint("files", __name__)
        for rule, view, method in (
                ("/files", self.upload, "POST"), ("/files/<text:client_id>", self.resume, "PUT"),
                ("/files/<text:client_id>", self.cancel, "DELETE"), ("/files/<text:client_id>/offset", self.get_offset, "GET"),
                ("/files/quota", self.get_quota, "GET"), ("/files/<int:file_id>", self.get_file, "GET"),
                ("/files/<int:file_id>/preview", self.get_preview, "GET"), ("/files/<text:other>", self.get_nothing, "GET"),
                ("/conversations/<int:conversation_id>/files", self.get_files, "GET"),
                ("/conversations/<int:conversation_id>/shared", self.get_shared_page, "GET")):
            blueprint.add_url_rule(rule, view.__name__, login_required(view), methods=[method])
        return blueprint

    # --- uploads

    @answers_json
    def upload(self):
        """Take in one file of a multipart form. Where its clientId comes after it, what is cut cannot go on."""
        form, body = g.get("streamed_form"), request.environ[STREAMED]
        if not form:
            raise Invalid(_("Expected a form with %(names)s.", names="clientId, file"))
        self._accept(body)
        if "clientId" in form.fields:
            known = File.by_client_id(self.database, current_user.id, validate_client_id(form.fields["clientId"]))
            if known:
                return known.as_json(), 201
        self.uploads.begin(current_user.id, max(0, body.left - FORM_BYTES))
        return self._receive(form).as_json(), 201

    def _receive(self, form):
        user_id, path, client_id = current_user.id, None, form.fields.get("clientId")
        try:
            with self.uploads.transfers.begin(user_id, client_id or "") as transfer:
                for field, filename, chunks in form.files():
                    if field != "file" or path:
                        raise Invalid(_("Expected a form with %(names)s.", names="clientId, file"))
                    path, name = self.uploads.transfers.receive(user_id, client_id, chunks, transfer, keeps_part=bool(client_id)), filename
            if not path:
                raise Invalid(_("Expected a form with %(names)s.", names="clientId, file"))
            client_id = validate_client_id(form.fields.get("clientId"))
            return File.by_client_id(self.database, user_id, client_id) or self.uploads.finish(user_id, client_id, path, name, **_about(form.fields))
        finally:
            if path:
                path.unlink(missing_ok=True)

    def resume(self, client_id):
        """Take in the rest of a file, from the byte `offset` on."""
        body, user_id = request.environ[STREAMED], current_user.id
        validate_client_id(client_id)
        about, offset = _about(request.args), number("offset", 0)
        self._accept(body)
        known = File.by_client_id(self.database, user_id, client_id)
        if known:
            return known.as_json(), 201
        if offset:
            self.uploads.require_disk(body.left)
        else:
            self.uploads.begin(user_id, body.left)
        path = self.uploads.transfers.resume(user_id, client_id, offset, body.left, iter(body.read, b""))
        name = request.args.get("name", "")[:MAX_NAME_FIELD]
        return self.uploads.finish(user_id, client_id, path, name, **about).as_json(), 201

    def _accept(self, body):
        """Wait for the file, also for one that is a little too large."""
        body.accept(discardable=2 * self.uploads.max_bytes)

    @answers_json
    def get_offset(self, client_id):
        """Where an upload goes on."""
        size, file = self.uploads.find(current_user.id, validate_client_id(client_id))
        return jsonify(offset=size, **({"file": file.as_json()} if file else {}))

    def cancel(self, client_id):
        """Forget an upload, or a file that no message holds."""
        self.uploads.cancel(current_user.id, validate_client_id(client_id))
        return "", 204

    @answers_json
    def get_quota(self):
        """What one may upload still, so that it can be shown before it is reached."""
        return jsonify(self.uploads.quotas.as_json(current_user.id))

    # --- files

    def get_file(self, file_id):
        """The content of a file, to who may see a message that shows it."""
        file = self._file(file_id)
        return file_answers.content(self.store, file, file.hash)

    def get_preview(self, file_id):
        """The small picture of an image."""
        file = self._file(file_id)
        if not file.has_preview:
            raise NotFound(_("File not found."))
        return file_answers.preview(self.store, file)

    def get_nothing(self, other):
        """What no file has as its id is not there. Without this, the address would only not accept a GET, since it accepts others."""
        raise NotFound(_("File not found."))

    def _file(self, file_id):
        file = File.by_id(self.database, file_id)
        self.gate.to_file(current_user, file)
        return file

    @answers_json
    def get_files(self, conversation_id):
        """What was shared in a conversation, the latest first."""
        access = self.gate.to_conversation(current_user, conversation_id)
        found = File.page(self.database, access.conversation_id, number("before", None), MAX_PAGE)
        return jsonify(files=[{**shown["file"].as_json(), "seq": shown["seq"], "sender": shown["sender"], "timestamp": shown["timestamp"]}
                              for shown in found])

    def get_shared_page(self, conversation_id):
        """The same as a page."""
        access = self.gate.to_conversation(current_user, conversation_id)
        shared, counts = File.page_with_counts(self.database, conversation_id, number("before", None))
        last_seq = shared[-1]["seq"] if shared else 0
        has_older = bool(File.page(self.database, conversation_id, last_seq, limit=MAX_FILES + 1))
        return render_template("chat/shared.html", page=True, **self.chat.pane.context(), **self.chat.subject(access), shared=shared,
                               shared_counts=counts, older=last_seq if has_older else None,
                               quota_words=self.uploads.quotas.left_words(current_user.id))


def _about(fields):
    """Return what a sender says of a file: `alt`, a text, and `duration` in milliseconds. Raises Invalid."""
    alt, duration = fields.get("alt") or "", fields.get("duration") or ""
    alt = " ".join(alt.split())
    if len(alt) > MAX_ALT_LENGTH or any(unicodedata.category(c) in ("Cc", "Cs") for c in alt):
        raise Invalid(_("A description can have at most %(most)s characters.", most=MAX_ALT_LENGTH))
    if not duration:
        return {"alt": alt or None, "duration": None}
    try:
        seconds = float(duration) if len(duration) <= MAX_DIGITS and duration.isascii() else math.nan
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= MAX_DURATION:
        raise Invalid(_("%(name)s must be a number, %(least)s or greater.", name="duration", least=0))
    return {"alt": alt or None, "duration": min(max(1, round(seconds * 1000)), MAX_ID)}

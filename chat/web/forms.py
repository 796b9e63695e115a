"""Forms: how much CPU one may cost, which session it belongs to, and where it may redirect to."""
import re
from urllib.parse import unquote_to_bytes

from flask import abort, request
from flask import current_app as app
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.sansio.multipart import BLANK_LINE_RE, LINE_BREAK_RE

from .origin import is_this_site

STREAMED = "chat.streamed_body"     # in the environ: the body, where it is read while it arrives
MAX_FIELDS = 32                 # of a form: each takes up to 100 µs, and no page has ten
MAX_ESCAPES = 44 * 1024         # of a form: a message of 4,000 emoji has 16,000, a password of 20,000 accents 40,000
MAX_LINES = 8 * 1024            # of a multipart form
MAX_HEAD_BYTES = 4 * 1024       # of a part's headers: a name of 255 characters has 1,020
MAX_HEAD_LINES = 16             # of a part's headers, which are read line by line
MAX_HEAD_SEPARATORS = 2048      # semicolons and backslashes in the heads of a form together, at 3 µs each: names of files have some


class PartHeads:
    """Looks at the head of each part of a multipart form, before Werkzeug reads it, and refuses what no browser sends."""

    def __init__(self):
        self.separators = 0

    def check(self, content):
        """Look at a part that begins with its head, or at what has come of it. Aborts with 400."""
        end = BLANK_LINE_RE.search(content, 0, MAX_HEAD_BYTES)
        if not end:
            abort(400)
        head = content[:end.start()]
        self.separators += head.count(b";") + head.count(b"\\")
        if len(head.splitlines()) > MAX_HEAD_LINES or self.separators > MAX_HEAD_SEPARATORS:
            abort(400)

    def check_all(self, body, boundary):
        """Look at all parts of a whole form. Aborts with 413 where it has too many."""
        _preamble, *parts = re.split(rb"(?:^|[\r\n])--" + re.escape(boundary), body, maxsplit=MAX_FIELDS + 2)
        if len(parts) > MAX_FIELDS + 1:
            abort(413)
        for part in parts:
            if not part.startswith(b"--"):      # as the end does
                line_break = LINE_BREAK_RE.search(part)
                self.check(part[line_break.end():] if line_break else b"")


def is_of_another_session():
    """Tell whether a form is from this site but its CSRF token from another session: its page is older than the login."""
    origin = request.headers.get("Origin")
    if origin is not None and not is_this_site(origin, request.environ):
        return False        # otherwise another site, with a token that this one gave it, could have its text shown here
    try:
        return bool(URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").loads(request.form.get("csrf_token", "")))
    except BadSignature:
        return False


def refuse_costly():
    """Refuse a form that would cost much CPU. Counting characters costs nearly nothing, and comes before parsing."""
    if STREAMED in request.environ:     # streamed_form.py reads it piece by piece
        return
    if request.mimetype == "application/x-www-form-urlencoded":
        body = request.get_data(parse_form_data=False)
        if body.count(b"&") >= MAX_FIELDS or body.count(b"%") > MAX_ESCAPES:
            abort(413)
        try:
            unquote_to_bytes(body).decode()
        except UnicodeDecodeError:      # Werkzeug would replace invalid bytes one by one, at 3 µs each
            abort(400)
    elif request.mimetype == "multipart/form-data":
        body = request.get_data(parse_form_data=False)
        if body.count(b"\n") > MAX_LINES:
            abort(413)
        boundary = request.mimetype_params.get("boundary", "")
        if boundary and boundary.isascii():     # otherwise Werkzeug reads nothing
            PartHeads().check_all(body, boundary.encode())
        if None in request.form or None in request.files:      # a part without a name, on which Flask-WTF would fail
            abort(400)


def safe_path(target):
    """Return the target of a redirect if it is a path on this site, else `/`."""
    target = target or ""
    if not target.startswith("/") or target.startswith("//"):
        return "/"
    # Browsers treat a backslash as a slash, and remove control characters first.
    if "\\" in target or any(ord(c) <= 32 or ord(c) == 127 for c in target):
        return "/"
    return target

"""What a form may cost, whose page it is from, and where a visitor may be sent after it."""
from urllib.parse import unquote_to_bytes

from flask import abort, request
from flask import current_app as app
from itsdangerous import BadSignature, URLSafeTimedSerializer

MAX_FIELDS = 32                 # of a form: each costs a microsecond or a hundred, and no page has ten
MAX_ESCAPES = 44 * 1024         # of a form: a message of 4,000 emoji has 16,000, a password of 20,000 accents 40,000
MAX_LINES = 8 * 1024            # of a form in parts, whose headers are read line by line


def is_of_another_session():
    """Tell whether the form is of this site, and its CSRF token of another session: its page is an older one."""
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        return False        # a foreign page with a token that it was given itself would show its own text here
    try:
        return bool(URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").loads(request.form.get("csrf_token", "")))
    except BadSignature:
        return False


def refuse_costly():
    """Refuse a form that would take the processor long, before it is taken apart: it is counted first, which costs nothing."""
    if request.mimetype == "application/x-www-form-urlencoded":
        body = request.get_data(parse_form_data=False)
        if body.count(b"&") >= MAX_FIELDS or body.count(b"%") > MAX_ESCAPES:
            abort(413)
        try:
            unquote_to_bytes(body).decode()
        except UnicodeDecodeError:      # replaced one by one, each byte would cost three microseconds
            abort(400)
    elif request.mimetype == "multipart/form-data":
        if request.get_data(parse_form_data=False).count(b"\n") > MAX_LINES:
            abort(413)
        if None in request.form or None in request.files:      # a part without a name, which Flask-WTF takes for a text
            abort(400)


def safe_path(target):
    """Return the target if it is a path of this site, else `/`."""
    target = target or ""
    if not target.startswith("/") or target.startswith("//"):
        return "/"
    # Browsers read a backslash as a slash, and drop control characters before they look.
    if "\\" in target or any(ord(c) <= 32 or ord(c) == 127 for c in target):
        return "/"
    return target

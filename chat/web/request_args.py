"""What a request asks for: numbers in its query, JSON or a page."""
from flask import abort, request
from flask_babel import gettext as _

from ..storage.schema import MAX_ID
from ..errors import Invalid

MAX_DIGITS = 20


def number(name, default, minimum=0):
    """Return a whole number from the query. Raises Invalid where it is none."""
    value = request.args.get(name)
    if value in (None, ""):
        return default
    if not (value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS) or int(value) < minimum:
        raise Invalid(_("%(name)s must be a number, %(least)s or greater.", name=name, least=minimum))
    return min(int(value), MAX_ID)


def refuse_unreadable():
    """Refuse a query that is not UTF-8: Werkzeug would raise UnicodeDecodeError wherever it is first looked at."""
    try:
        request.query_string.decode()
    except UnicodeDecodeError:
        abort(400)


def wants_json():
    """Tell whether the client asks for JSON rather than for a page."""
    accept = request.accept_mimetypes
    named = "application/json" in accept.values()
    return request.is_json or (named and accept["application/json"] >= accept["text/html"])

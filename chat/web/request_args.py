"""The arguments of a request: numbers in its query, and whether it wants JSON or a page."""
from flask import abort, request
from flask_babel import gettext as _

from ..storage.schema import MAX_ID
from ..errors import Invalid

MAX_DIGITS = 20


def number(name, default, minimum=0):
    """Return an integer from the query, at most MAX_ID. Raises Invalid if it is not a number from `minimum` on."""
    value = request.args.get(name)
    if value in (None, ""):
        return default
    if not (value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS) or int(value) < minimum:
        raise Invalid(_("%(name)s must be a number, %(least)s or greater.", name=name, least=minimum))
    return min(int(value), MAX_ID)


def refuse_unreadable():
    """Refuse a query that is not UTF-8: Werkzeug would raise UnicodeDecodeError at its first use."""
    try:
        request.query_string.decode()
    except UnicodeDecodeError:
        abort(400)


def wants_json():
    """Tell whether the client wants JSON rather than a page. PUT, DELETE and uploads of one file come from scripts alone."""
    if request.method in ("PUT", "DELETE") or request.method == "POST" and request.path == "/files":
        return True
    accept = request.accept_mimetypes
    named = "application/json" in accept.values()
    return request.is_json or (named and accept["application/json"] >= accept["text/html"])

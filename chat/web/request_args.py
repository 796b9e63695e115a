"""The arguments of a request: what its address and its query may have, and whether it wants JSON or a page."""
from flask import abort, request
from flask import current_app as app
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter, IntegerConverter

from ..errors import Invalid
from ..storage.schema import MAX_ID

MAX_DIGITS = 20
# Headers that are parsed piece by piece, at 3 to 10 µs each, mostly before anybody is known: characters that are read of each.
MAX_CHARACTERS = dict.fromkeys(("HTTP_ACCEPT", "HTTP_ACCEPT_CHARSET", "HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT_LANGUAGE", "HTTP_CACHE_CONTROL", "HTTP_IF_MATCH",
                                "HTTP_IF_NONE_MATCH", "HTTP_IF_RANGE", "HTTP_RANGE", "CONTENT_TYPE"), 1000) | {"HTTP_COOKIE": 8192}


class Number(IntegerConverter):
    """`<int:name>` in the addresses of the whole chat: beyond MAX_ID nothing is there, and no database would take it."""

    regex = "[0-9]+"

    def to_python(self, value):
        if len(value) > MAX_DIGITS or int(value) > MAX_ID:
            raise NotFound()    # a ValidationError would be a 405 where the same address has a route of another method
        return int(value)


class AnyText(BaseConverter):
    """`<text:name>`: any characters, slashes and line breaks too. A client chooses them, and the view says which are valid."""

    regex = "(?s:.+)"
    part_isolating = False
    weight = 200        # after every rule that says more


def install(app):
    """Prepare what addresses may have, before any route is made."""
    app.url_map.converters.update(int=Number, text=AnyText)
    app.before_request(refuse_unreadable)
    app.wsgi_app = cut_headers(app.wsgi_app)


def cut_headers(application):
    """Return the WSGI application with the headers of MAX_CHARACTERS cut, before anything parses them. Each keeps whole elements."""
    def cut(environ, start_response):
        for name, limit in MAX_CHARACTERS.items():
            if len(environ.get(name, "")) > limit:
                begin = environ[name][:limit]
                environ[name] = begin[:max(begin.rfind(","), begin.rfind(";"), 0)]
        return application(environ, start_response)
    return cut


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


def answers_json(view):
    """Mark a view that has no page: its refusals are JSON too, whatever was asked for."""
    view.answers_json = True
    return view


def wants_json():
    """Tell whether the client wants JSON rather than a page. PUT and DELETE come from scripts alone."""
    if request.method in ("PUT", "DELETE") or getattr(app.view_functions.get(request.endpoint), "answers_json", False):
        return True
    accept = request.accept_mimetypes
    named = "application/json" in accept.values()
    return request.is_json or (named and accept["application/json"] >= accept["text/html"])

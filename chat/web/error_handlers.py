"""Answers errors with a page or with JSON. What went wrong inside the server stays in the log."""
import traceback
from urllib.parse import quote, urlencode

from flask import current_app as app
from flask import jsonify, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from ..errors import ChatError, Internal, Unauthorized
from .request_args import wants_json


def install(app, login_manager, on_error):
    """Register the handlers; `on_error(error)` is called for each ChatError that is answered."""
    app.config["PROPAGATE_EXCEPTIONS"] = False      # to the server, which would answer in its own format
    app.on_chat_error = on_error
    app.register_error_handler(ChatError, handle_chat_error)
    app.register_error_handler(CSRFError, handle_csrf_error)
    app.register_error_handler(HTTPException, handle_http_error)
    login_manager.unauthorized_handler(handle_unauthorized)


def handle_chat_error(error):
    """Answer an error of the chat's own."""
    app.on_chat_error(error)
    answer = answer_with(error.status, error.message, error.as_json(), **error.details)
    if error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def handle_csrf_error(_error):
    """Answer a form without the token of its session. A program whose session has ended is told that, where it has sent the former token."""
    has_ended = wants_json() and request.headers.get("X-CSRFToken") and not current_user.is_authenticated
    if has_ended and request.blueprint != "auth":
        return handle_unauthorized()
    return answer_with(400, _("This form has expired or comes from another site. Go back, reload the page and try again."))


def handle_http_error(error):
    """Answer an error of Flask's own. An exception that nobody caught arrives here as a 500 with `original_exception`."""
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, ChatError):
        return handle_chat_error(cause)
    if cause and app.debug:
        return "".join(traceback.format_exception(cause)), 500, {"Content-Type": "text/plain; charset=utf-8"}
    if cause:
        return handle_chat_error(Internal())
    code = error.code or 500
    if 300 <= code < 400:
        return error
    answer = answer_with(code, TEXTS.get(code, lambda: "")())
    if code == 405 and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer


def handle_unauthorized():
    """Redirect to the login page, which leads back afterwards; answer 401 where JSON is wanted."""
    if wants_json():
        return handle_chat_error(Unauthorized(_("Please log in.")))
    here = quote(request.path) + ("?" if request.query_string else "") + request.query_string.decode("latin-1")
    return redirect("/login" if request.method not in ("GET", "HEAD") or here == "/" else f"/login?{urlencode({'next': here})}")


TEXTS = {
    400: lambda: _("The server did not understand this request."),
    403: lambda: _("You do not have access to this page."),
    404: lambda: _("Page not found."),
    405: lambda: _("This address does not accept such a request."),
    413: lambda: _("What you sent is too large."),
}

TITLES = {
    400: lambda: _("That did not work"),
    401: lambda: _("Please log in"),
    403: lambda: _("Access denied"),
    404: lambda: _("Not found"),
    413: lambda: _("Too large"),
    429: lambda: _("Too many requests"),
    503: lambda: _("Service unavailable"),
}


def answer_with(status, text, error=None, unsaved_text="", **extra):
    """Return an answer with this status: a page, or JSON where that is wanted. It needs neither session nor database.

    `text` is shown to people, `error` is the JSON and `extra` the fields beside it, `unsaved_text` is what the user wrote and would
    lose.
    """
    if wants_json():
        answer = jsonify(error=error or {"code": CODE_OF_STATUS.get(status, "invalid"), "message": str(text), "retry": False}, **extra)
    else:
        title = TITLES.get(status, lambda: _("Something went wrong"))()
        answer = make_response(render_template("errors/error.html", status=status, title=title, text=text, unsaved_text=unsaved_text))
    answer.status_code = status
    return answer


CODE_OF_STATUS = {404: "not_found", 413: "too_long"}     # status -> code, of errors that Flask raises itself

"""Errors as pages or as JSON, in words; what went wrong inside stays in the log."""
import traceback
from urllib.parse import quote, urlencode

from flask import current_app as app
from flask import jsonify, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from ..errors import ChatError, Internal, Unauthorized
from .request_args import wants_json


def install(app, login_manager, note):
    """Answer errors; `note(error)` is told of each refusal."""
    app.config["PROPAGATE_EXCEPTIONS"] = False      # to the server, which knows no better answer
    app.refused = note
    app.register_error_handler(ChatError, refuse)
    app.register_error_handler(CSRFError, refuse_csrf)
    app.register_error_handler(HTTPException, refuse_http)
    login_manager.unauthorized_handler(ask_to_log_in)


def refuse(error):
    """Answer a refusal of the chat's own."""
    app.refused(error)
    answer = answer_with(error.status, error.message, error.as_json())
    if error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


def refuse_csrf(_error):
    return answer_with(400, _("This form has expired or comes from another site. Go back, reload the page and try again."))


def refuse_http(error):
    """Answer what Flask refuses. An error that nobody foresaw arrives here as 500, with itself inside."""
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, ChatError):
        return refuse(cause)
    if cause and app.debug:
        return "".join(traceback.format_exception(cause)), 500, {"Content-Type": "text/plain; charset=utf-8"}
    if cause:
        return refuse(Internal())
    code = error.code or 500
    if 300 <= code < 400:
        return error
    answer = answer_with(code, DETAILS.get(code, lambda: "")())
    if code == 405 and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer


def ask_to_log_in():
    """Lead to the login page and back again; a program is told."""
    if wants_json():
        return refuse(Unauthorized(_("Please log in.")))
    here = quote(request.path) + ("?" if request.query_string else "") + request.query_string.decode("latin-1")
    return redirect("/login" if request.method != "GET" or here == "/" else f"/login?{urlencode({'next': here})}")


DETAILS = {
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


def answer_with(code, detail, error=None, kept=""):
    """Return a page, or JSON where that is asked for. Needs neither session nor database: they may be what fails.

    `kept` is what somebody wrote, and would lose.
    """
    if wants_json():
        answer = jsonify(error=error or {"code": CODES.get(code, "invalid"), "message": str(detail), "retry": False})
    else:
        title = TITLES.get(code, lambda: _("Something went wrong"))()
        answer = make_response(render_template("errors/error.html", code=code, title=title, detail=detail, kept=kept))
    answer.status_code = code
    return answer


CODES = {404: "not_found", 413: "too_long"}     # of what Flask itself refuses

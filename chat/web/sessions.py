"""Sessions: of logged-in users on the server, by Flask-Session; of visitors in a signed cookie."""
from datetime import timedelta

from flask import current_app as app
from flask import request
from werkzeug.http import parse_cookie

from ..errors import Unavailable
from ..storage.session_stores import PREFIX, USER, JsonFiles, Session, user_id_in
from .request_args import wants_json

LIFETIME = timedelta(days=14)
SAFE_METHODS = ("GET", "HEAD")
WITHOUT_SESSION = ("/static/", "/avatars/", "/healthz", "/readyz", "/metrics")      # answered while Redis is away too


def install(app, cookie, sessions, https, connected):
    """Give the app sessions in the store `sessions`, with a `cookie` (a SessionCookie) that is Secure if `https`.

    `connected(session_id)` returns the id of the user who has a live connection by that session, or None.
    """
    app.session_cookie = cookie
    app.config.update(
        sessions.config,
        SESSION_KEY_PREFIX=PREFIX,
        SESSION_PERMANENT=True,
        PERMANENT_SESSION_LIFETIME=LIFETIME,
        # Otherwise a request that is under way during the logout would save the deleted session again.
        SESSION_REFRESH_EACH_REQUEST=False,
        SESSION_COOKIE_NAME=cookie.name,
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    Session(app)
    app.session_interface.serializer = JsonFiles.serializer
    app.session_interface._generate_sid = cookie.new_id
    app.session_interface.get_cookie_name = lambda _app: cookie.name_in(request.cookies)
    _keep_visitors_in_cookies(app, cookie)
    _survive_store_failures(app, connected)


def _keep_visitors_in_cookies(app, cookie):
    """Keep a visitor's session, which has only the CSRF token, in the cookie itself.

    A thousand requests for a form then store nothing on the server, and a form that was open for days still works.
    """
    interface = app.session_interface
    save_stored = interface.save_session

    def open_session(_app, request):
        value = cookie.value_in(request.cookies)
        known = cookie.known_of_visitor(value)
        if known is None and value:
            stored = interface._retrieve_session_data(PREFIX + value)
            if stored is not None:
                return interface.session_class(stored, sid=value)
        return interface.session_class(known, sid=cookie.new_id(), permanent=True)

    def save_session(app, session, response):
        if not session or USER in session:
            save_stored(app, session, response)
            cookies = response.headers.getlist("Set-Cookie")
            if len(cookies) > 1:    # the session's comes first, for programs that read only one cookie
                response.headers.setlist("Set-Cookie", cookies[-1:] + cookies[:-1])
            return
        response.vary.add("Cookie")
        if session.modified:
            response.set_cookie(cookie.name_in(request.cookies), cookie.signer.dumps(dict(session)),
                                expires=interface.get_expiration_time(app, session), httponly=True,
                                secure=app.config["SESSION_COOKIE_SECURE"], samesite=app.config["SESSION_COOKIE_SAMESITE"])
    interface.open_session, interface.save_session = open_session, save_session


def _survive_store_failures(app, connected):
    """Open no session where none is needed, and answer with an error page if the store does not answer.

    Flask opens the session before anything else. An exception there would bypass the error page, so it is raised later, in
    `before_request`. A user with a live connection may go on reading without the store: that connection was accepted for the
    same session.
    """
    open_session = app.session_interface.open_session

    def open_or_remember(app, request):
        if request.path.startswith(WITHOUT_SESSION):
            return None         # Flask then uses an empty session that is read-only
        try:
            return open_session(app, request)
        except Unavailable as error:
            session_id = app.session_cookie.value_in(request.cookies)
            user_id = connected(session_id) if request.method in SAFE_METHODS and wants_json() else None
            if user_id:     # a request that only reads JSON never saves its session
                return app.session_interface.session_class({USER: str(user_id)}, sid=session_id)
            request.session_error = error
    app.session_interface.open_session = open_or_remember

    @app.before_request
    def refuse_without_session():
        if hasattr(request, "session_error"):
            raise request.session_error


def has_ended():
    """Tell whether the browser still has the id of a session of this chat. Called when nobody is logged in: it has ended."""
    return app.session_cookie.is_own_id(app.session_cookie.value_in(request.cookies))


def forget_cookie(answer):
    """Delete the session's cookie in the browser that gets this answer."""
    # A browser deletes a __Host- cookie only if the attributes are those with which it was set.
    answer.delete_cookie(app.session_cookie.name_of_value(request.cookies), secure=app.config["SESSION_COOKIE_SECURE"], httponly=True,
                         samesite="Lax")


def user_id_of(sessions, session_id):
    """Return the user id of a session, or None if it is unknown, ended or without a login."""
    stored = sessions.read(session_id) if session_id else None
    return user_id_in(stored or {})


def is_logged_in(sessions, session_id):
    """Tell whether somebody is logged in by a session. If the store does not answer, the answer is yes, to be safe."""
    try:
        return user_id_of(sessions, session_id) is not None
    except Unavailable:
        return True


def session_id_of(environ, cookie):
    """Return the value of the session cookie in a handshake: a session id, a visitor's signed session, or an empty string."""
    return cookie.value_in(parse_cookie(environ))

"""Sessions, kept on the server by Flask-Session: in files, or in Redis. JSON only; nothing is ever unpickled."""
import time
from datetime import timedelta

import msgspec
from cachelib import FileSystemCache
from flask import request
from flask_session import Session
from flask_session.base import Serializer

from .asking import wants_json
from .errors import Unavailable
from .private import private_folder

LIFETIME = timedelta(days=14)
ANONYMOUS_LIFETIME = timedelta(hours=1)     # of a visitor who only saw a form
SWEEP_EVERY = 3600                          # seconds between clean-ups of the session files
PREFIX = "session:"
USER = "_user_id"                           # where Flask-Login keeps the id of who is logged in
READING = ("GET", "HEAD")
WITHOUT_SESSION = ("/static/", "/avatars/", "/healthz", "/readyz", "/metrics")      # nobody's: answered while Redis is away too


class JsonSerializer(Serializer):
    """Turns a session into JSON; what is no JSON object is no session."""

    def encode(self, session):
        return msgspec.json.encode(dict(session))

    def decode(self, serialized_data):
        try:
            return msgspec.json.decode(serialized_data, type=dict)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    # cachelib's files are written through the same two, under other names.
    def dump(self, value, file):
        file.write(self.encode(value))

    def load(self, file):
        return self.decode(file.read())


class JsonFiles(FileSystemCache):
    """cachelib's files, with JSON in them; `threshold=0` because its own limit evicts sessions that are in use."""

    serializer = JsonSerializer()

    def __init__(self, directory):
        super().__init__(directory, threshold=0, mode=0o600)
        self.swept_at = time.time()

    def _prune(self):
        if time.time() - self.swept_at > SWEEP_EVERY:
            self.swept_at = time.time()
            self._remove_expired(self.swept_at)

    def _update_count(self, delta=None, value=None):
        """The count serves the threshold alone: without one, it would be one more file to write."""


class FileSessions:
    """Sessions of the embedded mode: one file each."""

    def __init__(self, directory):
        self.files = JsonFiles(str(private_folder(directory)))
        self.config = {"SESSION_TYPE": "cachelib", "SESSION_CACHELIB": self.files}

    def read(self, session_id):
        return self.files.get(PREFIX + session_id)

    def delete(self, session_id):
        self.files.delete(PREFIX + session_id)

    def ended(self, session_ids):
        """Return those of the ids that are no session any more."""
        return {session_id for session_id in session_ids if not self.files.has(PREFIX + session_id)}


class RedisSessions:
    """Sessions of the server mode: one Redis key each."""

    def __init__(self, client):
        self.client = client
        self.config = {"SESSION_TYPE": "redis", "SESSION_REDIS": client}

    def read(self, session_id):
        stored = self.client.get(PREFIX + session_id)
        return JsonFiles.serializer.decode(stored) if stored else None

    def delete(self, session_id):
        self.client.delete(PREFIX + session_id)

    def ended(self, session_ids):
        session_ids = list(session_ids)
        if not session_ids or self.client.exists(*(PREFIX + s for s in session_ids)) == len(session_ids):
            return set()
        found = self.client.mget(PREFIX + s for s in session_ids)
        return {session_id for session_id, session in zip(session_ids, found) if session is None}


def install(app, sessions, https, connected):
    """Give the app server-side sessions in that store, with cookies as strict as the address allows.

    `connected(session id)` returns whose session a live connection has, or None.
    """
    app.config.update(
        sessions.config,
        SESSION_KEY_PREFIX=PREFIX,
        SESSION_PERMANENT=True,
        PERMANENT_SESSION_LIFETIME=LIFETIME,
        # A request under way while its person logs out must not save the deleted session again.
        SESSION_REFRESH_EACH_REQUEST=False,
        SESSION_COOKIE_NAME="__Host-session" if https else "session",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    Session(app)
    app.session_interface.serializer = JsonFiles.serializer
    _shorten_anonymous(app.session_interface)
    _open_gently(app, connected)


def _shorten_anonymous(interface):
    store = interface._upsert_session

    def upsert(lifetime, session, store_id):
        return store(lifetime if USER in session else ANONYMOUS_LIFETIME, session, store_id)
    interface._upsert_session = upsert


def _open_gently(app, connected):
    """Open no session where none is needed, and let a store that does not answer be refused with a page of the chat.

    Flask opens the session before anything that could answer; an error there would leave the error page without one.
    Whoever has a live connection reads on without the store: that connection was let in by this very session.
    """
    open_session = app.session_interface.open_session

    def open_or_remember(app, request):
        if request.path.startswith(WITHOUT_SESSION):
            return None         # Flask puts an empty one there that nothing can be written to
        try:
            return open_session(app, request)
        except Unavailable as error:
            session_id = request.cookies.get(app.config["SESSION_COOKIE_NAME"])
            user_id = connected(session_id) if request.method in READING and wants_json() else None
            if user_id:     # what only reads changes no session, so none is written
                return app.session_interface.session_class({USER: str(user_id)}, sid=session_id)
            request.session_error = error
    app.session_interface.open_session = open_or_remember

    @app.before_request
    def refuse_without_session():
        if hasattr(request, "session_error"):
            raise request.session_error


def user_of(sessions, session_id):
    """Return the user id of a session, or None for one that is unknown, ended or not logged in."""
    stored = sessions.read(session_id) if session_id else None
    user_id = (stored or {}).get(USER)
    return int(user_id) if isinstance(user_id, str) and user_id.isdigit() else None


def is_logged_in(sessions, session_id):
    """Tell whether a session is somebody's; where its store does not answer, it may be."""
    try:
        return user_of(sessions, session_id) is not None
    except Unavailable:
        return True


def session_cookie(environ, name):
    """Return the session id that a handshake carries, or None."""
    for part in environ.get("HTTP_COOKIE", "").split(";"):
        key, _equals, value = part.strip().partition("=")
        if key == name:
            return value.strip('"')
    return None

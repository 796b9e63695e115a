"""The chat: create_app() puts its parts together. docs/protocol.md says what they promise."""
import functools

from flask import Flask, request
from flask_login import LoginManager
from flask_socketio import SocketIO
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

import config

from .accounts.user import User                                 # the six classes of the report
from .conversations.message import Message
from .live.sockets import Socket
from .conversations.chat_controller import ChatController
from .accounts.auth_controller import AuthController
from .storage.database import Database, open_database

from .accounts import name_index
from .conversations.writer import Writer
from .live.backends import open_stores
from .live.deadlines import Bodies
from .live.fast_websocket import NoShortcuts, Shortcuts
from .live.message_log import Silence, Terminal
from .live.runtime import Runtime
from .live.transport import MOST_BODY, Guard, TextPacket, Transports
from .storage.secret_key import secret_key
from .web import assets, compression, error_handlers, headers, languages, page_owner, sessions
from .web.avatars import addresses, avatars, inline
from .web.forms import MAX_FIELDS, refuse_costly
from .web.health import health_blueprint
from .web.json_codec import FlaskJson, SocketJson
from .web.metrics import Measures, metrics_blueprint
from .web.request_args import refuse_unreadable

__all__ = ["User", "Message", "Socket", "ChatController", "AuthController", "Database", "create_app"]

MOST_FORM = 256 * 1024      # bytes of a form
PING_EVERY, PING_TIMEOUT = 10, 10       # seconds; someone who vanished is offline 20 + 3 seconds later


class SessionLogin(LoginManager):
    """Flask-Login by the session alone: its `remember_token` would open an account to whoever learns the key."""

    def _load_user_from_remember_cookie(self, _cookie):
        return None


SOCKETIO_OPTIONS = {
    "async_handlers": False,            # in order: one client's events would overtake each other
    "manage_session": False,            # a copy of the session would outlive the logout
    "cors_allowed_origins": [],         # the guard looks at origins; the library believes X-Forwarded-Host
    "json": SocketJson, "serializer": TextPacket, "max_http_buffer_size": MOST_BODY, "http_compression": False,
    "ping_interval": PING_EVERY, "ping_timeout": PING_TIMEOUT,
}


def create_app(settings=None):
    """Return the Flask application, wired; `app.chat` is its Socket. Raises ConfigError where it cannot start."""
    settings = settings or config.load()
    runtime = Runtime(settings["ASYNC_MODE"])
    database, stores = open_database(settings, runtime.wait_for, name_index.complete), open_stores(settings)

    app = Flask(__name__, static_folder=None)
    app.json = FlaskJson(app)
    app.debug = settings["DEBUG"]       # not FLASK_DEBUG: it is asked for here or not at all
    app.config.update(SECRET_KEY=secret_key(settings), MAX_CONTENT_LENGTH=MOST_FORM, MAX_FORM_PARTS=MAX_FIELDS,
                      WTF_CSRF_TIME_LIMIT=None)
    sessions.install(app, stores.sessions, settings["HTTPS"], lambda session_id: socket.connected_by(session_id))
    headers.install(app, settings["HTTPS"])
    compression.install(app)
    languages.install(app)
    app.before_request(refuse_unreadable)
    app.before_request(refuse_costly)
    CSRFProtect(app)
    login_manager = SessionLogin(app)
    login_manager.session_protection = None     # it would write the session when an address changes
    login_manager.user_loader(lambda user_id: User.by_id(database, int(user_id)))
    measures = Measures()
    error_handlers.install(app, login_manager, measures.refusal)
    page_owner.install(app)

    socketio = SocketIO(app, async_mode=settings["ASYNC_MODE"], **SOCKETIO_OPTIONS)
    session_id_of = functools.partial(sessions.session_id_of, cookie=app.session_cookie)
    guard = app.wsgi_app = Guard(app.wsgi_app, runtime,
                                 session_id_of,
                                 lambda session_id: sessions.is_logged_in(stores.sessions, session_id), settings["HTTPS"])
    if settings["PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings["PROXIES"], x_proto=settings["PROXIES"])
    app.wsgi_app = Bodies(app.wsgi_app, runtime)
    shortcuts = Shortcuts(socketio.server) if settings["SHORTCUTS"] and runtime.library.has_shortcuts else NoShortcuts()
    transports = Transports(socketio.server, guard, shortcuts, stores.budgets)
    terminal = Terminal(runtime) if settings["LOG_MESSAGES"] else Silence()
    socket = Socket(socketio.server, database, stores, transports, terminal, session_id_of,
                    languages.speaker(app), measures)
    socket.writer = Writer(database, socket.receive_message, runtime.new_signal, socketio.start_background_task,
                           measures)

    app.register_blueprint(AuthController(database, stores, runtime, socket, settings["BCRYPT_ROUNDS"]).blueprint())
    app.register_blueprint(ChatController(database, stores, socket).blueprint())
    app.register_blueprint(health_blueprint(database, stores))
    app.register_blueprint(metrics_blueprint(measures, socket, runtime.deadlines, settings["METRICS_TOKEN"]))
    app.register_blueprint(avatars)
    app.register_blueprint(assets.assets)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(asset=assets.asset, icon=assets.icon, own_avatar=inline,
                                 avatars_of=addresses)
    app.context_processor(lambda: {"theme": theme()})
    app.chat, app.runtime = socket, runtime
    return app


def theme():
    """Return the theme that was chosen, `dark` or `light`, or an empty string: then the system's is followed."""
    chosen = request.cookies.get("theme")
    return chosen if chosen in ("dark", "light") else ""

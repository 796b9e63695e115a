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
from .accounts.profile_controller import ProfileController
from .conversations.change_controller import ChangeController
from .conversations import file_words, text_look
from .conversations.file_controller import FileController
from .conversations.uploads import Uploads
from .conversations.room_controller import RoomController
from .live.backends import open_backends
from .live.connections import Connections
from .live.bodies import Bodies
from .live.fast_engineio import NoShortcuts, Shortcuts
from .live.guard import Guard
from .live.message_log import MessageLog, NoMessageLog
from .live.packets import MAX_BODY_BYTES, TextPacket
from .live.presence_feed import PresenceFeed
from .live.room_feed import RoomFeed
from .live.runtime import Runtime
from .live.transports import Transports
from .storage.file_store import open_file_store
from .storage.log_eraser import LogEraser
from .storage.secret_key import secret_key
from .web import assets, compression, error_handlers, headers, languages, origin, page_owner, request_args, sessions, streamed_form
from .web.avatars import avatar_url, avatar_urls, avatars, inline
from .web.forms import MAX_FIELDS, refuse_costly
from .web.health import health_blueprint
from .web.json_codec import FlaskJson, SocketJson
from .web.metrics import Metrics, metrics_blueprint
from .web.session_cookie import SessionCookie

__all__ = ["User", "Message", "Socket", "ChatController", "AuthController", "Database", "create_app"]

MAX_FORM_BYTES = 256 * 1024
PING_INTERVAL, PING_TIMEOUT = 10, 10    # seconds; someone who vanished is offline 20 + 3 seconds later


class SessionLogin(LoginManager):
    """Flask-Login by the session alone: its `remember_token` would open an account to whoever learns the key."""

    def _load_user_from_remember_cookie(self, _cookie):
        return None


SOCKETIO_OPTIONS = {
    "async_handlers": False,            # in order: one client's events would overtake each other
    "manage_session": False,            # a copy of the session would outlive the logout
    "cors_allowed_origins": [],         # the guard looks at origins; the library believes X-Forwarded-Host
    "json": SocketJson, "serializer": TextPacket, "max_http_buffer_size": MAX_BODY_BYTES, "http_compression": False,
    "ping_interval": PING_INTERVAL, "ping_timeout": PING_TIMEOUT,
}


def create_app(settings=None):
    """Return the Flask application, wired; `app.chat` is its Socket. Raises ConfigError where it cannot start."""
    settings = settings or config.load()
    runtime, metrics = Runtime(settings["ASYNC_MODE"]), Metrics()
    database = open_database(settings, runtime.run_blocking, name_index.complete)
    backends = open_backends(settings)
    app = new_flask(settings)
    cookie = SessionCookie(app.secret_key, settings["HTTPS"])
    store = open_file_store(settings, runtime.run_blocking)
    uploads = Uploads(database, store, backends.budgets, runtime, settings)
    socket = connect_socket(app, settings, runtime, database, backends, metrics, cookie, [uploads.sweeper.loop, LogEraser(database.engine).loop])
    install_web(app, settings, backends, cookie, socket.connections)

    login_manager = SessionLogin(app)
    login_manager.session_protection = None     # it would write the session when an address changes
    login_manager.user_loader(lambda user_id: User.by_id(database, int(user_id)))
    error_handlers.install(app, login_manager, metrics.observe_error)
    page_owner.install(app)

    auth = AuthController(database, backends, runtime, socket.connections, settings["BCRYPT_ROUNDS"])
    chat = ChatController(database, backends.presence, socket.gate, socket.messaging, uploads)
    rooms = RoomController(database, backends.presence, socket.gate, socket.rooms, chat)
    changes = ChangeController(database, socket.gate, socket.messaging, chat)
    files = FileController(database, store, socket.gate, uploads, chat)
    for blueprint in (auth.blueprint(), chat.blueprint(), rooms.blueprint(), changes.blueprint(), files.blueprint(), health_blueprint(database, backends.ping),
                      metrics_blueprint(metrics, socket, runtime.deadlines, settings["METRICS_TOKEN"]), avatars,
                      ProfileController(database, backends.budgets).blueprint(), assets.assets):
        app.register_blueprint(blueprint)
    app.chat, app.runtime = socket, runtime
    return app


def new_flask(settings):
    """Return Flask, configured."""
    app = Flask(__name__, static_folder=None)
    app.json = FlaskJson(app)
    app.debug = settings["DEBUG"]       # not FLASK_DEBUG: it is asked for here or not at all
    app.config.update(SECRET_KEY=secret_key(settings), MAX_CONTENT_LENGTH=MAX_FORM_BYTES, MAX_FORM_PARTS=MAX_FIELDS,
                      WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)     # not by the Referer, which not everybody sends: origin.py
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(**file_words.WORDS, **text_look.WORDS, asset=assets.asset, icon=assets.icon, own_avatar=inline, avatars_of=avatar_urls,
                                 avatar_of=lambda user: avatar_url(user.id, user.face_parameter))
    app.context_processor(lambda: {"theme": theme()})
    return app


def connect_socket(app, settings, runtime, database, backends, metrics, cookie, tasks):
    """Return the Socket, with Socket.IO below it and in front of that what refuses bad requests."""
    server = SocketIO(app, async_mode=settings["ASYNC_MODE"], **SOCKETIO_OPTIONS).server
    session_id_of = functools.partial(sessions.session_id_of, cookie=cookie)
    is_logged_in = functools.partial(sessions.is_logged_in, backends.sessions)
    guard = app.wsgi_app = Guard(app.wsgi_app, runtime, session_id_of, is_logged_in, settings["HTTPS"])
    app.wsgi_app = Bodies(app.wsgi_app, runtime, MAX_FORM_BYTES, settings["HTTPS"])
    if settings["PROXIES"]:     # outermost: everything counts the address that the proxy names, and not the proxy's
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings["PROXIES"], x_proto=settings["PROXIES"])
    shortcuts = Shortcuts(server) if settings["SHORTCUTS"] and runtime.library.has_shortcuts else NoShortcuts()
    transports = Transports(server, guard, shortcuts, backends.budgets)
    presence_feed = PresenceFeed(server, backends.presence)
    room_feed = RoomFeed(server, backends.bus, shortcuts.batch_sender)
    connections = Connections(server, database, backends, transports, presence_feed, room_feed, session_id_of,
                              languages.locale_context_of(app), metrics)
    message_log = MessageLog(runtime) if settings["LOG_MESSAGES"] else NoMessageLog()
    return Socket(server, database, backends, connections, message_log, metrics, runtime.new_event, tasks)


def install_web(app, settings, backends, cookie, connections):
    """Give every page its session, headers and language, and refuse bad requests before a view sees them."""
    sessions.install(app, cookie, backends.sessions, settings["HTTPS"], connections.user_id_of_session)
    headers.install(app, settings["HTTPS"])
    compression.install(app)
    languages.install(app)
    request_args.install(app)
    origin.install(app, settings["HTTPS"])
    streamed_form.install(app)
    app.before_request(refuse_costly)
    CSRFProtect(app)


def theme():
    """Return the theme that was chosen, `dark` or `light`, or an empty string: then the system's is followed."""
    chosen = request.cookies.get("theme")
    return chosen if chosen in ("dark", "light") else ""

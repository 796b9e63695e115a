"""Socket, as in the report: it opens connections, takes messages in, delivers them, and tells who is online.

Handlers are registered on python-socketio's server and not through Flask-SocketIO: each event would cost a Flask
request context, whose session and user are those of the handshake, frozen. A connection's user is settled once, on connecting.
"""
from socketio.exceptions import ConnectionRefusedError

from ..conversations.change_writer import ChangeWriter
from ..conversations.gate import Gate
from ..conversations.messaging import Messaging
from ..conversations.rooms import Rooms
from ..conversations.writer import Writer
from ..errors import ChatError, NotFound
from ..web.languages import reader_language
from .broadcaster import Broadcaster, channel_of
from .connections import SESSION_ENDED
from .events import Events
from .payloads import require_fields, with_ack


class Socket:
    """The chat over Socket.IO. See docs/protocol.md for the events. `tasks` are functions of `sleep` that run in the background."""

    def __init__(self, server, database, backends, connections, message_log, metrics, new_event, tasks=()):
        self.server = server
        self.database = database
        self.backends = backends
        self.connections = connections
        self.message_log = message_log
        self.metrics = metrics
        self.tasks = tasks
        self.broadcaster = Broadcaster(server, backends.bus, connections.room_feed)
        self.writer = Writer(database, self.receive_message, new_event, server.start_background_task, metrics)
        self.change_writer = ChangeWriter(database, self.tell_change, new_event, server.start_background_task)
        self.gate = Gate(database)
        self.messaging = Messaging(database, self.writer, self.change_writer, backends.budgets, self.broadcaster.broadcast)
        self.rooms = Rooms(database, self.gate, self.writer, backends.budgets, self.tell_room_change, self._start_later)
        self.events = Events(connections, self.gate, self.messaging, backends.budgets, self.broadcaster)
        server.on("connect", self.initialize_socket)
        server.on("disconnect", connections.close)
        for event, handler in (("sendMessage", self.send_message), ("changeMessage", self.events.change_message),
                               ("markRead", self.events.mark_read), ("markDelivered", self.events.mark_delivered),
                               ("markUnread", self.events.mark_unread), ("typing", self.events.typing)):
            server.on(event, with_ack(handler, connections.locale_of, metrics.observe_error))
        unknown_event = with_ack(self.events.unknown, connections.locale_of, metrics.observe_error)
        server.on("*", lambda _event, sid, *_data: unknown_event(sid))

    def start(self):
        """Start the background tasks."""
        self.connections.transports.start()
        self.backends.bus.start(self.server, self.database, self.on_bus_event, self.connections.resync_rooms)
        self.server.start_background_task(self.connections.presence_feed.loop, self.update_online_users)
        self.server.start_background_task(self.connections.sweep_loop)
        for task in self.tasks:
            self.server.start_background_task(task, self.server.sleep)

    def initialize_socket(self, sid, environ, auth=None):
        """Let the tab of a logged-in user connect, or refuse it with the reason."""
        try:
            user = self.connections.open(sid, environ, auth)
        except ChatError as error:
            self.metrics.observe_error(error)
            with self.connections.locale_context(reader_language(environ)):
                raise ConnectionRefusedError(str(error.message), error.as_json()) from error
        self.connections.enter_rooms(sid)
        self.server.enter_room(sid, channel_of(user.id))    # last: what others wait for comes after the confirmation
        self.connections.presence_feed.add(sid)
        if not self.connections.is_transport_open(sid):     # it ended meanwhile, when nobody knew yet whose it was
            self.connections.close(sid)

    def send_message(self, sid, data):
        """Store what a tab sends, and acknowledge it after the commit."""
        client_id, text = require_fields(data, "clientId", "message", one_of=("receiverId", "conversationId"))
        user = self.connections.user_of(sid)
        try:
            access = self.gate.of_event(user, data, "receiverId")
        except NotFound:
            stored = self.messaging.resends.message(user, client_id, data.get("conversationId"))
            if not stored:
                raise
        else:
            stored = self.messaging.send(user, access, text, client_id, data.get("replyTo"), sender_sid=sid, file_ids=data.get("files"))
        return {"ok": True, "message": stored.as_json()}

    def receive_message(self, message, sender_sid=None):
        """Deliver a stored message to every connection of both users, or of a room's members, but the one it came from."""
        self.message_log.show(message)
        self.broadcaster.broadcast("receiveMessage", message.as_json(), *message.audience, sender_sid)

    def tell_change(self, change, _sender_sid=None):
        """Tell every connection of those who see a message how it is now."""
        self.broadcaster.broadcast("messageChanged", change.as_json(), *change.audience)

    def tell_room_change(self, event, payload, user_ids=(), room_id=None):
        """Tell users, or all members of a room, that something of it changed. Their connections enter or leave it before."""
        self.connections.note_membership(event, payload, user_ids)
        self.broadcaster.broadcast(event, payload, user_ids, room_id)

    def _start_later(self, seconds, task):
        """Call `task()` in the background, after a pause."""
        def run():
            self.server.sleep(seconds)
            task()
        self.server.start_background_task(run)

    def update_online_users(self, payload, **recipients):
        """Tell connections who is online: a snapshot at first, then who came and who went."""
        self.server.emit("updateOnlineUsers", payload, **recipients)

    def on_bus_event(self, event, payload, user_ids, room_id):
        """Pass on what another process has published, to the connections that these users, or a room's members, have here."""
        if event == SESSION_ENDED:
            self.connections.close_session(payload, *user_ids)
        elif event != "typing" or self.events.is_typing_passed_on(payload["userId"], room_id or user_ids):
            self.connections.note_membership(event, payload, user_ids)
            if event == "receiveMessage":
                self.messaging.note_stored_elsewhere(payload)
            elif event == "messageChanged":
                self.change_writer.note_number(payload["conversationId"], payload["change"])
            self.broadcaster.emit(event, payload, user_ids, room_id)

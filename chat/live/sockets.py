"""Socket, as in the report: it opens connections, takes messages in, delivers them, and tells who is online.

Handlers are registered on python-socketio's server and not through Flask-SocketIO: each event would cost a Flask
request context, whose session and user are those of the handshake, frozen. Who speaks is settled once, on connecting.
"""
import contextlib
import functools
import itertools
import logging
import time
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from socketio.exceptions import ConnectionRefusedError

from ..accounts.user import User
from ..budgets import CONNECTIONS, FORM_MESSAGES, MESSAGES, TYPING
from ..conversations.conversation import Conversation
from ..conversations.message import Message
from ..errors import ChatError, Invalid, NotFound, RateLimited, Unauthorized, Unavailable, UnknownEvent
from ..storage.schema import HIGHEST_ID
from ..web.languages import LANGUAGES, understood
from ..web.page_owner import refuse_connection_of_another
from ..web.sessions import user_of
from .payloads import acknowledged, fields, whole_number

log = logging.getLogger(__name__)

PRESENCE_WINDOW = 1                         # seconds between two changes of presence that everyone is told
WATCH_EVERY = 1                             # seconds between looks at the sessions and the transports
GATHER = 0.02                               # seconds; those who connect together are answered together
SESSION_ENDED = "sessionEnded"              # for the other processes alone
TOLD = "told"                               # the room of those who have their first list: changes are for them alone


@dataclass(slots=True)
class Connection:
    """A connected tab: whose it is, by which session, over which transport, and in which language it is answered."""

    user: User
    session_id: str
    eio_sid: str
    language: str


def room(user_id):
    """Return the name of the room in which all connections of one person are."""
    return f"user:{user_id}"


class Socket:
    """The chat over Socket.IO. See docs/protocol.md for the events."""

    def __init__(self, server, database, stores, transports, terminal, session_id_of, speak, measures):
        self.server = server
        self.database = database
        self.stores = stores
        self.transports = transports
        self.terminal = terminal
        self.session_id_of = session_id_of  # session_id_of(environ): the session id that a handshake carries
        self.speak = speak              # speak(language): a context in which words are in that language
        self.measures = measures
        self.writer = None              # set by create_app: the writer delivers through this object
        self.stopping = False           # set when the process is asked to end: nothing more is taken in
        self.connections = {}           # Socket.IO session id -> Connection
        self.known_people = set()       # ids that were looked up once: people are never deleted
        self.newcomers = []             # those who wait for their first list of who is online
        self.presence_changed = server.eio.create_event()
        server.on("connect", self.initialize_socket)
        server.on("disconnect", self.close_socket)
        for event, handler in (("sendMessage", self.send_message), ("markRead", self.mark_read),
                               ("markDelivered", self.mark_delivered), ("typing", self.typing)):
            server.on(event, acknowledged(handler, self.speaking, measures.refusal))
        unknown_event = acknowledged(self.unknown_event, self.speaking, measures.refusal)
        server.on("*", lambda _event, sid, *_data: unknown_event(sid))

    def start(self):
        """Start the background tasks."""
        self.transports.shortcuts.start()
        self.stores.bus.start(self)
        self.server.start_background_task(self.update_online_users)
        self.server.start_background_task(self.watch)

    # --- connections ------------------------------------------------------------------------------------------

    def initialize_socket(self, sid, environ, auth=None):
        """Let a logged-in person's tab in, or refuse it with the reason."""
        try:
            session_id = self.session_id_of(environ)
            user_id = user_of(self.stores.sessions, session_id)
            user = User.by_id(self.database, user_id) if user_id else None
            if not user:
                raise Unauthorized(_("Please log in."))
            refuse_connection_of_another(auth, user)
            if self.stores.budgets.is_spent(CONNECTIONS, len(self.stores.presence.of(user.id))):
                raise RateLimited(_("Too many connections of one person."), retry_after=WATCH_EVERY)
        except ChatError as refusal:
            self.measures.refusal(refusal)
            with self.speak(understood(environ)):
                raise ConnectionRefusedError(str(refusal.message), refusal.as_json()) from refusal
        eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
        self.connections[sid] = Connection(user, session_id, eio_sid, understood(environ))
        self.measures.connection(again=self.stores.presence.connect(user.id, sid))
        self.transports.logged_in(eio_sid)
        self.server.enter_room(sid, room(user.id))      # last: what others wait for comes after the confirmation
        self.newcomers.append(sid)
        self.presence_changed.set()
        transport = self.server.eio.sockets.get(eio_sid)
        if not transport or transport.closed:       # it ended meanwhile, when nobody knew yet whose it was
            self.close_socket(sid)

    def close_socket(self, sid, reason=None):
        connection = self.connections.pop(sid, None)
        if connection:
            self.stores.presence.disconnect(connection.user.id, sid)

    def close_session(self, session_id, user_id=None):
        """Close every connection of a session at the transport; whoever has no other goes offline at once.

        `user_id` is whose session it was, where that is known: their last connection may have just closed by itself.
        """
        people = {user_id}
        for sid, connection in list(self.connections.items()):
            if connection.session_id == session_id:
                self.connections.pop(sid, None)
                self.stores.presence.disconnect(connection.user.id, sid)
                people.add(connection.user.id)
                self.server.disconnect(sid)
                self.transports.close(connection.eio_sid)
        for person in people:
            self.stores.presence.end_delay(person)
        self.presence_changed.set()

    def end_session(self, session_id, user_id):
        """Close every connection of a session that its person has ended, in this process and in the others."""
        self.close_session(session_id, user_id)
        self.stores.bus.tell(SESSION_ENDED, session_id, [user_id])

    def connected_by(self, session_id):
        """Return the id of the person who has a live connection here by that session, or None."""
        return next((c.user.id for c in self.connections.copy().values() if c.session_id == session_id), None)

    def close_all(self):
        for connection in list(self.connections.values()):
            self.transports.close(connection.eio_sid)

    def watch(self):
        """Close what must not stay open: connections of sessions that ended by any road, transports that only cost."""
        while True:
            self.server.sleep(WATCH_EVERY)
            try:
                self.transports.reap()
                for session_id in self.stores.sessions.ended({c.session_id for c in self.connections.values()}):
                    self.close_session(session_id)
            except Unavailable:
                pass    # whether a session ended is not known; the next look tells
            except Exception:
                log.exception("the watch goes on after an error")

    # --- messages ---------------------------------------------------------------------------------------------

    def send_message(self, sid, data):
        """Store what a tab sends, and acknowledge it after the commit."""
        client_id, receiver_id, text = fields(data, "clientId", "receiverId", "message")
        stored = self.accept(self.who(sid), receiver_id, text, client_id, origin=sid)
        return {"ok": True, "message": stored.as_json()}

    def accept(self, sender, receiver_id, text, client_id, origin=None):
        """Return the message as stored: well-formed, to a person who exists, within the limits.

        Every message passes here, from a socket or from a form. `origin` is the tab that needs no copy, or None.
        Raises ChatError with the reason where it is refused.
        """
        if self.stopping:
            raise Unavailable(_("The server is restarting."))
        receiver_id = self.person(receiver_id, sender, "receiverId")
        draft = Message.written(sender, receiver_id, text, client_id)
        wait = self._take_turn(sender, origin)
        if wait:
            for first_row in Message.resent(self.database, [draft]).values():
                return first_row        # it asks for nothing to be stored
            raise RateLimited(_("Too many messages at once. Wait %(seconds)s seconds.", seconds=wait), retry_after=wait)
        return self.writer.store(draft, origin)

    def _take_turn(self, sender, origin):
        """Count a message; return 0, or the seconds that its sender has to wait."""
        wait = self.stores.budgets.hit(MESSAGES, sender.id)
        if wait or origin:
            return wait
        # Of what comes by a form the other processes hear nothing, unless its sender has a tab at them too.
        return self.stores.budgets.hit(FORM_MESSAGES, sender.id)

    def receive_message(self, message, origin=None):
        """Deliver a stored message to every connection of both people but the one it came from."""
        self.terminal.show(message)
        self.tell("receiveMessage", message.as_json(), [message.receiver_id, message.sender_id], origin)

    def tell(self, event, payload, people, origin=None):
        """Emit an event to every connection of some people but one, whichever process they are connected to."""
        if self.stores.bus.tell(event, payload, people):
            self._emit(event, payload, people, origin)

    def hear(self, event, payload, people):
        """Emit what another process tells, to the connections that these people have here."""
        if event == SESSION_ENDED:
            self.close_session(payload, *people)
            return
        if event == "receiveMessage":
            self.writer.heard(payload["senderId"], payload["receiverId"], payload["seq"])
            # It counts here as well: whoever has tabs at several processes has no more messages than with one.
            self.stores.budgets.hit(MESSAGES, payload["senderId"])
        if event == "typing" and not self._may_type(payload["userId"], *people):
            return
        self._emit(event, payload, people)

    def _emit(self, event, payload, people, origin=None):
        self.server.emit(event, payload, to=[room(user_id) for user_id in people], skip_sid=origin)

    def mark_read(self, sid, data):
        """Move a read mark forward, tell both people, and acknowledge with where the conversation stands."""
        return self._mark(sid, data, functools.partial(self.move_read_mark, origin=sid))

    def mark_delivered(self, sid, data):
        """Note that what the other wrote has reached a tab, and acknowledge as for a read mark."""
        return self._mark(sid, data, lambda conversation, own_id, _other_id, seq:
                          conversation.mark_delivered(self.database, own_id, seq))

    def _mark(self, sid, data, move):
        """Call `move(conversation, own id, other id, seq)` for a mark, and return where the conversation stands."""
        me = self.who(sid)
        other_id, seq = fields(data, "userId", "seq")
        other_id, seq = self.person(other_id, me, "userId"), whole_number(seq, "seq")
        conversation = Conversation.between(self.database, me.id, other_id)
        if not conversation:
            return {"ok": True, "lastSeq": 0, "readSeq": 0, "peerReadSeq": 0}
        last_seq = conversation.last_seq(self.database)
        move(conversation, me.id, other_id, min(seq, last_seq))
        read_seqs = conversation.read_seqs(self.database)
        return {"ok": True, "lastSeq": last_seq, "readSeq": read_seqs.get(me.id, 0),
                "peerReadSeq": read_seqs.get(other_id, 0)}

    def move_read_mark(self, conversation, reader_id, other_id, seq, origin=None):
        """Note that one has read what the other wrote up to `seq`, and tell both people where that is new."""
        if conversation.mark_read(self.database, reader_id, seq):
            self.tell("messagesRead", {"userId": other_id, "readerId": reader_id, "seq": seq}, [reader_id, other_id], origin)

    def typing(self, sid, data):
        """Pass on that a person writes, at most once in a while for each receiver."""
        writer = self.who(sid)
        receiver_id = self.person(*fields(data, "userId"), writer, "userId")
        if self._may_type(writer.id, receiver_id):
            self.tell("typing", {"userId": writer.id}, [receiver_id])
        return {"ok": True}

    def _may_type(self, writer_id, receiver_id):
        return not self.stores.budgets.hit(TYPING, f"{writer_id}:{receiver_id}")

    @staticmethod
    def unknown_event(_sid, _data):
        raise UnknownEvent(_("There is no event of this name."))

    # --- who ----------------------------------------------------------------------------------------------------

    def speaking(self, sid):
        """Return a context in which words are in the language of a connection."""
        connection = self.connections.get(sid)
        return self.speak(connection.language if connection else LANGUAGES[0])

    def who(self, sid):
        connection = self.connections.get(sid)
        if not connection:
            raise Unauthorized(_("Please log in."))
        return connection.user

    def person(self, user_id, me, name):
        """Return the id of another person, checked; whoever is not there and whoever is oneself are both not found."""
        if isinstance(user_id, bool) or not isinstance(user_id, int):
            raise Invalid(_("%(name)s must be a number from %(least)s.", name=name, least=1))
        if user_id == me.id or not 0 < user_id <= HIGHEST_ID or not self.exists(user_id):
            raise NotFound(_("There is nobody of this name."))
        return user_id

    def exists(self, user_id):
        if user_id not in self.known_people:
            if not User.by_id(self.database, user_id):
                return False
            self.known_people.add(user_id)
        return True

    # --- presence -----------------------------------------------------------------------------------------------

    def update_online_users(self):
        """Tell each newcomer who is online, and everyone who came and who went since they were last told."""
        told, told_at, welcomed = frozenset(), 0, {}    # welcomed: a first list -> the newcomers who were given it since
        while True:
            self.presence_changed.wait(PRESENCE_WINDOW)
            self.presence_changed.clear()
            self.server.sleep(GATHER)
            try:
                online = self.stores.presence.refresh()
                ready = self._welcome(online)
                if ready:
                    welcomed.setdefault(online, []).extend(ready)
                if time.monotonic() - told_at >= PRESENCE_WINDOW and (online != told or welcomed):
                    self._tell_change(told, online, to=TOLD, skip_sid=[*itertools.chain(*welcomed.values())])
                    for first_list, sids in welcomed.items():
                        self._tell_change(first_list, online, to=sids)
                    told, told_at, welcomed = online, time.monotonic(), {}
            except Exception:
                log.exception("presence goes on after an error")

    def _tell_change(self, before, online, **whom):
        if online != before:
            self.server.emit("updateOnlineUsers", {"snapshot": False, "online": sorted(online - before),
                                                   "offline": sorted(before - online)}, **whom)

    def _welcome(self, online):
        waiting, self.newcomers = self.newcomers, []
        ready = [sid for sid in waiting if self.server.manager.is_connected(sid, "/")]
        early = [sid for sid in waiting if sid not in ready and sid in self.connections]
        if early:       # their connection is being confirmed in another thread
            self.newcomers += early
            self.presence_changed.set()
        if ready:
            self.server.emit("updateOnlineUsers", {"snapshot": True, "online": sorted(online)}, to=ready)
            for sid in ready:
                with contextlib.suppress(KeyError, ValueError):     # it has left meanwhile
                    self.server.enter_room(sid, TOLD)
        return ready

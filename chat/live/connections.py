"""Connections: the live tabs of this process, the user of each, and when one has to be closed."""
import logging
from dataclasses import dataclass

from flask_babel import lazy_gettext as _

from ..accounts.user import User
from ..budgets import CONNECTIONS
from ..conversations import members
from ..conversations.rooms import CHANGED, LEFT
from ..errors import RateLimited, Unauthorized, Unavailable
from ..web.languages import LANGUAGES, reader_language
from ..web.page_owner import refuse_connection_of_another
from ..web.sessions import user_id_of

log = logging.getLogger(__name__)

SWEEP_INTERVAL = 1          # second between looks at the sessions and the transports
RESYNC_USERS = 200          # in one statement
SESSION_ENDED = "sessionEnded"      # published to the other processes alone


@dataclass(slots=True)
class Connection:
    """A connected tab: its user, its session, its transport, and the language in which it is answered."""

    user: User
    session_id: str
    eio_sid: str
    language: str
    gets_rooms: bool = True     # False for a page from before there were rooms, which could not show them


class Connections:
    """Opens and closes connections, by their Socket.IO session ids (`sid`).

    `session_id_of(environ)` returns the session id of a handshake; `locale_context(language)` is a context in which texts
    are in that language.
    """

    def __init__(self, server, database, backends, transports, presence_feed, room_feed, session_id_of, locale_context, metrics):
        self.server = server
        self.database = database
        self.backends = backends
        self.transports = transports
        self.presence_feed = presence_feed
        self.room_feed = room_feed
        self.session_id_of = session_id_of
        self.locale_context = locale_context
        self.metrics = metrics
        self.by_sid = {}        # sid -> Connection
        self.membership_changes = 0     # how often somebody has entered or left a room

    def __len__(self):
        return len(self.by_sid)

    def open(self, sid, environ, auth):
        """Note a new connection and return its user. Raises ChatError if nobody is logged in by it, or too many are open."""
        session_id = self.session_id_of(environ)
        user_id = user_id_of(self.backends.sessions, session_id)
        user = User.by_id(self.database, user_id) if user_id else None
        if not user:
            raise Unauthorized(_("Please log in."))
        refuse_connection_of_another(auth, user)
        if self.backends.budgets.is_spent(CONNECTIONS, len(self.backends.presence.connections_of(user.id))):
            raise RateLimited(_("Too many open tabs."), retry_after=SWEEP_INTERVAL)
        eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
        self.by_sid[sid] = Connection(user, session_id, eio_sid, reader_language(environ), _knows_rooms(auth))
        self.metrics.observe_connection(is_reconnect=self.backends.presence.connect(user.id, sid))
        self.transports.logged_in(eio_sid)
        return user

    def is_transport_open(self, sid):
        """Tell whether a connection that was just opened still has its transport."""
        connection = self.by_sid.get(sid)
        transport = connection and self.server.eio.sockets.get(connection.eio_sid)
        return bool(transport) and not transport.closed

    def close(self, sid, reason=None):
        """Forget a connection that has ended."""
        connection = self.by_sid.pop(sid, None)
        if connection:
            self.backends.presence.disconnect(connection.user.id, sid)
        self.presence_feed.discard(sid)
        self.room_feed.leave(sid)

    def enter_rooms(self, sid):
        """Let a connection get what is sent to the rooms of its user."""
        connection = self.by_sid.get(sid)
        if connection and connection.gets_rooms:
            self._replace_rooms({connection.user.id: [(sid, connection.eio_sid)]})

    def note_membership(self, event, payload, user_ids):
        """Let the connections of these users enter or leave a room, where the event says that they have."""
        for user_id in user_ids:
            if event == CHANGED:
                self.enter_room(user_id, payload["conversation"]["id"])
            elif event == LEFT:
                self.leave_room(user_id, payload["conversationId"])

    def enter_room(self, user_id, room_id):
        """Let every connection of a user get what is sent to a room."""
        self.membership_changes += 1
        entering = [(sid, eio_sid) for sid, eio_sid in self._getting_rooms(user_id) if not self.room_feed.is_in(sid, room_id)]
        for sid, eio_sid in entering:
            self.room_feed.join(sid, eio_sid, [room_id], waits=False)
        if entering:
            self.server.start_background_task(self._verify_rooms, user_id)

    def _getting_rooms(self, user_id):
        """Return (sid, Engine.IO session id) of the connections of a user that get something of rooms."""
        found = [(sid, self.by_sid.get(sid)) for sid in self.backends.presence.connections_of(user_id)]
        return [(sid, connection.eio_sid) for sid, connection in found if connection and connection.gets_rooms]

    def _verify_rooms(self, user_id):
        """Check the membership in the database. Events of two processes can arrive out of order, so an old "joined" may follow a "left"."""
        while connections := self._getting_rooms(user_id):
            try:
                return self._replace_rooms({user_id: connections})
            except Unavailable:
                self.server.sleep(SWEEP_INTERVAL)

    def leave_room(self, user_id, room_id):
        """Let no connection of a user get anything more of a room."""
        self.membership_changes += 1
        for sid in self.backends.presence.connections_of(user_id):
            self.room_feed.leave(sid, [room_id])

    def resync_rooms(self):
        """Read from the database which rooms the users of all connections are in: a change may have been missed."""
        by_user = {}
        for sid, connection in list(self.by_sid.items()):
            if connection.gets_rooms:
                by_user.setdefault(connection.user.id, []).append((sid, connection.eio_sid))
        user_ids = list(by_user)
        for start in range(0, len(user_ids), RESYNC_USERS):
            self._replace_rooms({user_id: by_user[user_id] for user_id in user_ids[start:start + RESYNC_USERS]})

    def _replace_rooms(self, by_user):
        """Let the connections of users, {user id: [(sid, Engine.IO session id)]}, get what the database says and no more.

        It is read again if somebody has entered or left a room meanwhile: the answer may be older than that.
        """
        changes = None
        while changes != self.membership_changes:
            changes = self.membership_changes
            for user_id, room_ids in members.room_ids(self.database, by_user).items():
                for sid, eio_sid in by_user[user_id]:
                    self.room_feed.replace(sid, eio_sid, room_ids)
                    if sid not in self.by_sid:      # it has closed meanwhile
                        self.room_feed.leave(sid)

    def close_session(self, session_id, user_id=None):
        """Close every connection of a session at the transport; whoever has no other goes offline at once.

        `user_id` is whose session it was, where that is known: their last connection may have just closed by itself.
        """
        users = {user_id}
        for sid, connection in list(self.by_sid.items()):
            if connection.session_id == session_id:
                self.close(sid)
                users.add(connection.user.id)
                self.server.disconnect(sid)
                self.transports.close(connection.eio_sid)
        for user in users:
            self.backends.presence.expire_now(user)
        self.presence_feed.look_now()

    def end_session(self, session_id, user_id):
        """Close every connection of a session that its user has ended, in this process and in the others."""
        self.close_session(session_id, user_id)
        self.backends.bus.publish(SESSION_ENDED, session_id, [user_id])

    def close_all(self):
        for connection in list(self.by_sid.values()):
            self.transports.close(connection.eio_sid)

    def sweep_loop(self):
        """Close connections of sessions that ended by any road, and transports that only cost."""
        while True:
            self.server.sleep(SWEEP_INTERVAL)
            try:
                self.transports.reap()
                for session_id in self.backends.sessions.ended({c.session_id for c in list(self.by_sid.values())}):
                    self.close_session(session_id)
            except Unavailable:
                pass    # whether a session ended is not known; the next look tells
            except Exception:
                log.exception("the sweep goes on after an error")

    def user_of(self, sid):
        """Return the user of a connection. Raises Unauthorized if it is closed."""
        connection = self.by_sid.get(sid)
        if not connection:
            raise Unauthorized(_("Please log in."))
        return connection.user

    def user_id_of_session(self, session_id):
        """Return the id of the user who has a live connection here by that session, or None."""
        return next((c.user.id for c in self.by_sid.copy().values() if c.session_id == session_id), None)

    def locale_of(self, sid):
        """Return a context in which texts are in the language of a connection."""
        connection = self.by_sid.get(sid)
        return self.locale_context(connection.language if connection else LANGUAGES[0])


def _knows_rooms(auth):
    """Tell whether a client can show rooms. A page from before there were rooms sends `userId` without `rooms`; other programs send neither."""
    is_page = isinstance(auth, dict) and "userId" in auth
    return not is_page or auth.get("rooms") is True

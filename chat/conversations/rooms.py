"""Rooms: what people do with a room and its members. Each change is stored, told to whom it concerns, and becomes a notice."""
import contextlib
import logging

from flask_babel import lazy_gettext as _

from ..accounts.user import User
from ..budgets import MEMBERS_ADDED, ROOM_CHANGES, ROOMS
from ..clock import now, to_db
from ..errors import Conflict, Forbidden, Invalid, NotFound, RateLimited, Unavailable
from ..web.languages import waiting_time
from . import members, room_list
from .message import Message
from .room import Room, boolean, validate

SETTLE_INTERVAL = 1     # second between attempts to learn whether a change was made whose answer was lost
NOTICE_ATTEMPTS = 3600  # to store a notice while the database does not answer
CHANGED, LEFT = "conversationChanged", "conversationLeft"      # events to those whose membership or settings changed

log = logging.getLogger(__name__)


class Rooms:
    """Every action takes who acts, a User, and a room's id; it raises a ChatError with the reason if it is refused.

    `broadcast(event, payload, user_ids, room_id)` tells users, or all members of a room; `start_later(seconds, task)` calls in the
    background.
    """

    def __init__(self, database, gate, writer, budgets, broadcast, start_later):
        self.database = database
        self.gate = gate
        self.writer = writer
        self.budgets = budgets
        self.broadcast = broadcast
        self.start_later = start_later
        self.in_doubt = set()       # (user id, room id) of changes whose answer was lost

    def create(self, creator, fields):
        """Make a room of the given `name`, and of `topic`, `open`, `icon` and `color` where they are given. Return its summary."""
        values = validate({"name": "", **fields})
        self._count(ROOMS, creator)
        room = Room.create(self.database, creator.id, {"color": creator.id % 8, **values})
        self._tell_member(creator.id, room.id)
        self._store_notice(creator, room.id, "created", value=room.name)
        return self._tell_member(creator.id, room.id)

    def join(self, user, room_id):
        """Make a user a member of an open room; who is one already stays it."""
        room, role = self.gate.to_visible_room(user, room_id)
        if not role:
            if room.is_archived:
                raise Forbidden(_("This room is archived: nobody can join it any more."))
            self._count(ROOM_CHANGES, user)
            self._add(room_id, user, user, "joined")
        return room_list.summary(self.database, user.id, room_id)

    def add(self, actor, room_id, username):
        """Make another user a member. Every member may."""
        self.gate.to_room(actor, room_id).require_writable()
        user = self._user(username)
        self._count(MEMBERS_ADDED, actor)
        if not members.role_of(self.database, room_id, user.id):
            self._add(room_id, actor, user, "added")

    def leave(self, user, room_id):
        """End one's own membership."""
        self.gate.to_room(user, room_id)
        self._count(ROOM_CHANGES, user)
        self._end(room_id, user, user, "left")

    def remove(self, actor, room_id, username):
        """End another user's membership. Owners may."""
        self.gate.to_room(actor, room_id).require_owner()
        user = self._member(room_id, username)
        self._count(ROOM_CHANGES, actor)
        self._end(room_id, actor, user, "removed" if user.id != actor.id else "left")

    def set_role(self, actor, room_id, username, role):
        """Make a member an owner, or an owner a member. Owners may."""
        self.gate.to_room(actor, room_id).require_owner()
        if role not in members.ROLES:
            raise Invalid(_("%(name)s must be one of: %(values)s.", name="role", values=", ".join(members.ROLES)))
        user = self._member(room_id, username)
        if members.role_of(self.database, room_id, user.id) == role:
            return
        self._count(ROOM_CHANGES, actor)
        if not members.set_role(self.database, room_id, user.id, role):
            self._member(room_id, username)     # or they have just gone
            raise Conflict(_("A room needs an owner. Make somebody else one first."))
        self._tell_member(user.id, room_id)
        self._store_notice(actor, room_id, "role", user, role)

    def change(self, user, room_id, fields):
        """Change the settings that are given: of the room, which owners may, and of what this member is notified."""
        access = self.gate.to_room(user, room_id)
        if "notify" in fields and fields["notify"] not in members.NOTIFY_LEVELS:
            raise Invalid(_("%(name)s must be one of: %(values)s.", name="notify", values=", ".join(members.NOTIFY_LEVELS)))
        values = validate(fields)
        if "archived" in fields:
            values["archived_at"] = to_db(now()) if boolean(fields["archived"], "archived") else None
        if values:
            access.require_owner()
        self._count(ROOM_CHANGES, user)
        if values:
            self._change_room(user, room_id, values)
        if "notify" in fields:
            members.set_notify(self.database, room_id, user.id, fields["notify"])
            self._tell_member(user.id, room_id)

    def _change_room(self, actor, room_id, values):
        before = Room.by_id(self.database, room_id)
        before.update(self.database, values)
        after = Room.by_id(self.database, room_id)
        if after == before:
            return
        self.broadcast(CHANGED, {"conversation": after.as_json()}, room_id=room_id)
        if after.name != before.name:
            self._store_notice(actor, room_id, "renamed", value=after.name)
        if after.is_archived != before.is_archived:
            self._store_notice(actor, room_id, "archived" if after.is_archived else "reopened")

    def _add(self, room_id, actor, user, what):
        notice = Message.notice_draft(actor, room_id, what, user if user.id != actor.id else None)
        with self._settled(user.id, room_id, notice, is_member=True):
            is_new = members.add(self.database, room_id, user.id)
            if is_new is None:
                raise Conflict(_("This room is full. It can have %(most)s members.", most=members.MAX_MEMBERS))
            if is_new:
                self.in_doubt.discard((user.id, room_id))       # what an earlier request wanted is not there, or is told now
                # Their connections enter the room before anything is sent to it, so that nothing is missed in between.
                self._tell_member(user.id, room_id)
                self._store(notice)
                self._tell_count(room_id)

    def _end(self, room_id, actor, user, what):
        notice = Message.notice_draft(actor, room_id, what, user if user.id != actor.id else None)
        with self._settled(user.id, room_id, notice, is_member=False):
            if members.remove(self.database, room_id, user.id):
                self.in_doubt.discard((user.id, room_id))
                self.broadcast(LEFT, {"conversationId": room_id}, [user.id])
                self._store(notice)
                self._tell_count(room_id)
            elif members.role_of(self.database, room_id, user.id):      # otherwise it has just ended by another request
                raise Conflict(_("Make somebody else an owner before you leave.") if members.count(self.database, room_id) > 1
                               else _("You are the only member. Archive the room, or add somebody before you leave."))

    @contextlib.contextmanager
    def _settled(self, user_id, room_id, notice, is_member):
        """If the database does not answer, the change may have been made. As soon as that is known, it is told, and becomes a notice."""
        try:
            yield
        except Unavailable:
            self._settle_later(user_id, room_id, notice, is_member)
            raise

    def _settle_later(self, user_id, room_id, notice, is_member):
        if (user_id, room_id) not in self.in_doubt:
            self.in_doubt.add((user_id, room_id))
            self.start_later(SETTLE_INTERVAL, lambda: self._settle(user_id, room_id, notice, is_member))

    def _settle(self, user_id, room_id, notice, was_to_be_member):
        """Tell a user's connections whether the user is a member. `notice` says what was to be done."""
        if (user_id, room_id) not in self.in_doubt:
            return
        self.in_doubt.discard((user_id, room_id))
        try:
            is_member = bool(self._tell_member(user_id, room_id))
        except Unavailable:
            return self._settle_later(user_id, room_id, notice, was_to_be_member)
        if not is_member:
            self.broadcast(LEFT, {"conversationId": room_id}, [user_id])
        if is_member == was_to_be_member:
            self._store(notice)

    def _tell_member(self, user_id, room_id):
        """Tell every connection of one member how the room is for them now; return the summary."""
        summary = room_list.summary(self.database, user_id, room_id)
        if summary:
            self.broadcast(CHANGED, {"conversation": summary.as_json()}, [user_id])
        return summary

    def _tell_count(self, room_id):
        count = members.count(self.database, room_id)
        self.broadcast(CHANGED, {"conversation": {"id": room_id, "members": count}}, room_id=room_id)

    def _store_notice(self, actor, room_id, what, whom=None, value=None):
        self._store(Message.notice_draft(actor, room_id, what, whom, value))

    def _store(self, notice, attempts=NOTICE_ATTEMPTS):
        """Store a notice. What it tells has been done: if the database does not answer now, it is stored as soon as it does."""
        try:
            self.writer.store(notice)
        except Unavailable:
            if attempts > 1:
                self.start_later(SETTLE_INTERVAL, lambda: self._store(notice, attempts - 1))
            else:
                log.error("a notice of the room %d could not be stored: %s", notice.conversation_id, notice.message)

    def _user(self, username):
        user = isinstance(username, str) and User.named(self.database, username)
        if not user:
            raise NotFound(_("User not found."))
        return user

    def _member(self, room_id, username):
        user = self._user(username)
        if not members.role_of(self.database, room_id, user.id):
            raise NotFound(_("User not found."))
        return user

    def _count(self, budget, user):
        wait = self.budgets.hit(budget, user.id)
        if wait:
            raise RateLimited(_("Too many attempts. Wait %(time)s, then try again.", time=waiting_time(wait)), retry_after=wait)

"""RoomController: the pages and forms by which people make rooms, look around in them, and come and go."""
from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_required

from ..errors import ChatError, Invalid, NotFound
from ..web.request_args import number, wants_json
from . import members, room_list
from .pane import Pane
from .room import COLORS, ICONS, Room, validate


class RoomController:
    """`rooms` does what is asked, `chat` shows a room as it does any conversation."""

    def __init__(self, database, presence, gate, rooms, chat):
        self.database = database
        self.presence = presence
        self.gate = gate
        self.rooms = rooms
        self.chat = chat
        self.pane = Pane(database, presence)

    def blueprint(self):
        blueprint = Blueprint("rooms", __name__)
        for rule, view, method in (
                ("/rooms", self.get_rooms, "GET"), ("/rooms", self.create, "POST"), ("/rooms/new", self.get_form, "GET"),
                ("/rooms/<int:room_id>", self.get_room, "GET"), ("/rooms/<int:room_id>/join", self.join, "POST"),
                ("/rooms/<int:room_id>/leave", self.leave, "POST"), ("/rooms/<int:room_id>/settings", self.change, "POST"),
                ("/rooms/<int:room_id>/members", self.add_member, "POST"),
                ("/rooms/<int:room_id>/members/<username>/remove", self.remove_member, "POST"),
                ("/rooms/<int:room_id>/members/<username>/role", self.set_role, "POST")):
            blueprint.add_url_rule(rule, view.__name__, login_required(view), methods=[method])
        return blueprint

    def get_rooms(self):
        """One's own rooms and the open ones: a page, or JSON."""
        if "list" in request.args:
            text = request.args.get("q", "")
            return render_template("chat/_rooms.html", me=current_user, q=text, **self.pane.rooms(text))
        own = room_list.list_rooms(self.database, current_user.id, number("before", None), room_list.PAGE + 1)
        others = room_list.open_rooms(self.database, current_user.id, number("after", 0), room_list.PAGE + 1)
        next_own, next_open = (found[room_list.PAGE - 1] if len(found) > room_list.PAGE else None for found in (own, others))
        own, others = own[:room_list.PAGE], others[:room_list.PAGE]
        if wants_json():
            return jsonify(rooms=[summary.as_json() for summary in [*own, *others]])
        return render_template("chat/rooms.html", page=True, **self.pane.context(), own_rooms=own, open_rooms=others,
                               next_own=next_own and next_own.last and next_own.last.id, next_open=next_open and next_open.id)

    def get_form(self):
        """The form that makes a room."""
        return self._show_form()

    def create(self):
        """Make a room: JSON is answered with it, a form leads to its page."""
        fields = _fields()
        try:
            summary = self.rooms.create(current_user, fields)
        except ChatError as error:
            if wants_json():
                raise
            return _with_wait(self._show_form(fields, _refusal(error, fields, "new"), error.status), error)
        return (jsonify(summary.as_json()), 201) if wants_json() else redirect(_page_of(summary.id))

    def get_room(self, room_id):
        """The page of a room, with the panel `?info`; to others that of an open one says what joining means."""
        room, role = self.gate.to_visible_room(current_user, room_id)
        if not role:
            summary = room_list.seen_from_outside(self.database, room)
            return jsonify(**summary.as_json(), people=[]) if wants_json() else render_template(
                "chat/room_entrance.html", page=True, **self.pane.context(), room=summary)
        if wants_json():
            summary = room_list.summary(self.database, current_user.id, room_id)
            if not summary:     # the membership has ended since the role was asked for
                raise NotFound(_("Conversation not found."))
            return jsonify(**summary.as_json(), people=[person.as_json() for person in self._people(room_id)])
        return self._show_part(room_id) if "part" in request.args else self._show(room_id)

    def join(self, room_id):
        """Become a member of an open room."""
        return self._answer(room_id, lambda: self.rooms.join(current_user, room_id))

    def leave(self, room_id):
        """End one's own membership."""
        return self._answer(room_id, lambda: self.rooms.leave(current_user, room_id), url_for("chat.get_home_page"))

    def change(self, room_id):
        """Change the room's settings, or one's own in it."""
        fields = _fields()
        changed = {name: value for name, value in fields.items() if (f"shown_{name}", value) not in fields.items()}
        return self._answer(room_id, lambda: self.rooms.change(current_user, room_id, changed), fields=fields, form="room")

    def add_member(self, room_id):
        """Make somebody a member."""
        fields = _fields()
        return self._answer(room_id, lambda: self.rooms.add(current_user, room_id, fields.get("username")), fields=fields, form="add")

    def remove_member(self, room_id, username):
        """End somebody's membership."""
        return self._answer(room_id, lambda: self.rooms.remove(current_user, room_id, username))

    def set_role(self, room_id, username):
        """Make somebody an owner, or a member."""
        fields = _fields()
        return self._answer(room_id, lambda: self.rooms.set_role(current_user, room_id, username, fields.get("role")))

    def _answer(self, room_id, act, leads_to=None, fields=None, form=None):
        """Do what a form or JSON asks, and answer it: 302 back, or the room as JSON; a form's error stands in the panel.

        Then the panel has the `fields` as they were typed into the `form`.
        """
        try:
            act()
        except ChatError as error:
            if wants_json() or not members.role_of(self.database, room_id, current_user.id):
                raise
            return _with_wait(self._show(room_id, _refusal(error, fields or {}, form), error.status), error)
        if not wants_json():
            return redirect(leads_to or _page_of(room_id) + ("" if request.path.endswith("/join") else "?info"))
        summary = room_list.summary(self.database, current_user.id, room_id)
        if not summary:     # one's own membership has ended
            summary = room_list.seen_from_outside(self.database, Room.by_id(self.database, room_id))
        return jsonify(summary.as_json())

    def _show(self, room_id, refused=None, status=200):
        """Return the page of a room, with the panel where it is asked for."""
        access, more = self.gate.to_room(current_user, room_id), {}
        if refused or "info" in request.args:
            more = {**self._listed(room_id), "refused": refused, "icons": ICONS, "colors": range(COLORS), **self.chat.panel(access)}
        return self.chat.show_conversation(access, status=status, **more)

    def _show_part(self, room_id):
        """Return what changes in the panel: who is in the room, and what it is called."""
        access = self.gate.to_room(current_user, room_id)
        room = room_list.summary(self.database, current_user.id, room_id)
        if not room:        # the membership has ended since the gate was asked
            raise NotFound(_("Conversation not found."))
        return render_template("chat/_room_part.html", me=current_user, access=access, room=room, **self._listed(room_id))

    def _listed(self, room_id):
        """Return a page of the members for a template, and the id after which the next one begins, or None."""
        people = self._people(room_id, members.PAGE + 1)
        online = self.presence.online()
        for person in people:
            person.online = person.id in online
        return {"info": people[:members.PAGE], "next_member": people[members.PAGE - 1].id if len(people) > members.PAGE else None}

    def _people(self, room_id, limit=members.PAGE):
        return members.people(self.database, room_id, number("after", None), limit)

    def _show_form(self, fields=None, refused=None, status=200):
        return render_template("chat/room_form.html", page=True, **self.pane.context(), fields=fields or {}, refused=refused, icons=ICONS,
                               colors=range(COLORS)), status


def _fields():
    """Return the fields of a form, or of a JSON object. Raises Invalid if it is none."""
    if not request.is_json:
        return request.form.to_dict()
    fields = request.get_json(silent=True)
    if not isinstance(fields, dict):
        raise Invalid(_("Expected a JSON object with %(names)s.", names="name"))
    return fields


def _refusal(error, fields, form):
    """Return what a template shows of a refusal: the words, the id of the field that they are about, and what was typed.

    `form` is the name with which the ids of its fields begin; the settings of a room have those of "room".
    """
    if form == "add":
        field = "username" if isinstance(error, NotFound) else None
    else:
        field = next((name for name in ("name", "topic") if name in fields and _is_refused(name, fields[name])), None)
    return {"message": error.message, "field_id": f"{form}-{field}" if field else None, "fields": fields, "form": form}


def _is_refused(name, value):
    """Tell whether no room can have this."""
    try:
        validate({name: value})
    except ChatError:
        return True
    return False


def _page_of(room_id):
    return url_for("rooms.get_room", room_id=room_id)


def _with_wait(page, error):
    """Return the page of a refusal, with how many seconds to wait where waiting helps."""
    answer = make_response(page)
    if error.retry_after is not None:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer

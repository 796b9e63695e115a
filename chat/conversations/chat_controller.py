"""ChatController, as in the report: the home page, the messages of a conversation, sending without a socket."""
import secrets

from flask import Blueprint, g, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_required
from flask_wtf.csrf import CSRFError

from ..accounts.user import User
from ..errors import ChatError, Invalid, NotFound
from ..storage.schema import MAX_ID
from ..web.avatars import avatar_urls
from ..web.error_handlers import answer_with, handle_csrf_error
from ..web.forms import is_of_another_session
from ..web.request_args import MAX_DIGITS, number, wants_json
from . import change, members, message_parts, receipts, room_list
from .answer_size import fitting
from .change import Change
from .file import File
from .formatting_examples import examples
from .message import MAX_ROWS, Message
from .pane import Pane
from .text_look import looks_of

FIRST_PAGE = 50             # messages that a conversation opens with
SHARED = 12                 # files that the panel about a conversation shows
SHOWN_MEMBERS = 3           # faces in the header of a room


class ChatController:
    """The pages of the chat and their JSON. A conversation is named by the other user, or by its id.

    `gate` says who has access, `messaging` takes messages in, as both do for the live connections, and `uploads` the files of a form.
    """

    def __init__(self, database, presence, gate, messaging, uploads):
        self.database = database
        self.presence = presence
        self.gate = gate
        self.messaging = messaging
        self.uploads = uploads
        self.pane = Pane(database, presence)

    def blueprint(self):
        chat = Blueprint("chat", __name__)
        for rule, view, method in (
                ("/", self.get_home_page, "GET"), ("/keyboard", self.get_keyboard_page, "GET"), ("/users", self.get_users, "GET"),
                ("/chat/<username>", self.get_conversation_page, "GET"),
                ("/messages/<username>", self.get_messages, "GET"),
                ("/messages/<username>", self.send_message, "POST"),
                ("/messages/<username>/<int:seq>", self.get_message, "GET"),
                ("/conversations/<int:conversation_id>/messages", self.get_messages, "GET"),
                ("/conversations/<int:conversation_id>/messages", self.send_message, "POST"),
                ("/conversations/<int:conversation_id>/messages/<int:seq>", self.get_message, "GET")):
            endpoint = view.__name__ + ("_by_id" if "conversation_id" in rule else "")
            chat.add_url_rule(rule, endpoint, login_required(view), methods=[method])
        chat.register_error_handler(CSRFError, self.show_form_again)
        return chat

    def get_home_page(self):
        """The welcome, and the lists of rooms and people; `q` filters the people where no JavaScript does."""
        return render_template("chat/home.html", **self.pane.context())

    def get_keyboard_page(self):
        """The keys, and how a text is formatted."""
        return render_template("chat/keyboard.html", page=True, examples=examples(), **self.pane.context())

    def get_conversation_page(self, username):
        """The conversation with one person, with the panel `?info`; `before` pages back where no JavaScript does."""
        access = self._access(username)
        return self.show_conversation(access, **{"info": [], **self.panel(access)} if "info" in request.args else {})

    def panel(self, access):
        """Return what the panel about a conversation shows: what is pinned and what was shared in it."""
        conversation = self.messaging.conversation(access)
        if not conversation:
            return {"pinned": [], "shared": [], "shared_counts": (0, 0)}
        shared, counts = File.page_with_counts(self.database, conversation.id, limit=SHARED)
        return {"pinned": change.pinned(self.database, conversation.id), "shared": shared, "shared_counts": counts}

    def get_users(self):
        """The people whose name contains `q`: JSON where it is asked for, else cards as HTML."""
        after = number("after", None)
        summaries, next_after = self.pane.people(request.args.get("q", ""), after)
        if wants_json():
            return jsonify(users=[summary.as_json() for summary in summaries])
        answer = render_template("chat/_people.html", people=summaries, next_after=next_after, q=request.args.get("q", ""),
                                 unread_total=self.pane.unread_total(summaries, after, next_after))
        return answer, {"X-Next-After": str(next_after)} if next_after else {}

    def get_messages(self, username=None, conversation_id=None):
        """One page of a conversation as JSON, ascending by seq."""
        conversation = self.messaging.conversation(access := self._access(username, conversation_id))
        before, after = number("before", None), number("after", None)
        limit, changed_after = number("limit", FIRST_PAGE, minimum=1), number("changedAfter", None)
        if not conversation:
            return jsonify(messages=[], lastSeq=0, lastChange=0, readSeq=0)
        # The numbers are read first: who has both the page and them has missed nothing up to there.
        last_seq, last_change = conversation.last_numbers(self.database)
        if changed_after is not None:
            page = Change.changed_since(self.database, conversation.id, changed_after, limit)
        else:
            page = Message.page(self.database, conversation.id, before, after, min(limit, MAX_ROWS))
        return jsonify(messages=[message.as_json() for message in page], lastSeq=last_seq, lastChange=last_change,
                       readSeq=conversation.read_seq_of(self.database, access.user_id))

    def get_message(self, seq, username=None, conversation_id=None):
        """One message with its times of delivery and reading: JSON where it is asked for, else a page."""
        return self.show_message(self._access(username, conversation_id), seq)

    def show_message(self, access, seq, error=None, text=None, client_id=None):
        """Return the details of one message; after a refused change with the reason, and with the text that somebody wanted it to have.

        `client_id` is that of a form whose fate is not known.
        """
        conversation = self.messaging.conversation(access)
        found = conversation and seq <= MAX_ID and Message.by_seq(self.database, conversation.id, seq)
        if not found:
            raise NotFound(_("Message not found."))
        told = {"message": found.as_json(), **receipts.of_message(self.database, found), **change.history(self.database, found)}
        if wants_json():
            return jsonify(told)
        is_read = told["isRead"] if access.is_room else self.messaging.is_read(conversation, found)
        return render_template("chat/message.html", **self.pane.context(), **self.subject(access), access=access, told=told, is_read=is_read,
                               message=found, error=error, text=text, client_id=client_id or secrets.token_urlsafe(16)), error.status if error else 200

    def send_message(self, username=None, conversation_id=None):
        """Send without a socket: a form leads back to the conversation, JSON is answered with the message."""
        sent = request.get_json(silent=True) if request.is_json else None
        try:
            access = self._access(username, conversation_id)
        except NotFound as error:
            client_id = (sent if isinstance(sent, dict) else request.form).get("clientId")
            if stored := self.messaging.resends.message(current_user, client_id, conversation_id):
                return (stored.as_json(), 201) if request.is_json else redirect(url_for(".get_home_page"))
            if wants_json() or not request.form.get("message"):
                raise
            return answer_with(error.status, error.message, unsaved_text=request.form["message"])
        if request.is_json:
            if not isinstance(sent, dict):
                raise Invalid(_("Expected a JSON object with %(names)s.", names="message, clientId"))
            stored = self.messaging.send(current_user, access, sent.get("message"), sent.get("clientId"), sent.get("replyTo"),
                                         file_ids=sent.get("files"))
            return stored.as_json(), 201
        form = g.get("streamed_form")
        fields = form.fields if form else request.form
        client_id = fields.get("clientId") or secrets.token_urlsafe(16)
        try:
            with self.uploads.of_form(current_user.id, form) as files:
                access = self._access(username, conversation_id)        # asked again: the files may have taken hours
                reply_to = self._reply_to() or fields.get("replyTo") or None        # what is no number is refused in words
                stored = self.messaging.send(current_user, access, fields.get("message", ""), client_id, reply_to,
                                             file_ids=[file.id for file in files])
        except ChatError as error:
            if wants_json():
                raise
            answer = make_response(self.show_conversation(
                access, fields.get("message", ""), error.message, error.status, client_id if error.retry else None))
            if error.retry_after:
                answer.headers["Retry-After"] = str(error.retry_after)
            return answer
        # Who sends by the form has the page before their eyes, and no script to tell how far they have read.
        self.messaging.mark(access, stored.seq, self.messaging.mark_read)
        return redirect(self.page_url(access) + "#message")

    @staticmethod
    def _reply_to():
        """Return the seq that a form, or the address of a page, says to answer; None for none."""
        value = request.form.get("replyTo") or request.args.get("reply") or ""
        return min(int(value), MAX_ID) if value.isascii() and value.isdigit() and len(value) <= MAX_DIGITS else None

    def show_conversation(self, access, draft="", send_error=None, status=200, client_id=None, **more):
        """Return the page of a conversation and its status.

        After a refused send the page comes back with the draft, and with its `client_id` where its fate is not known.
        """
        conversation = self.messaging.conversation(access)
        before, at, reply_to = number("before", None), number("at", None), self._reply_to()
        quoted = Message.by_seq(self.database, conversation.id, reply_to) if conversation and reply_to else None
        last_seq, last_change, unread_from = conversation.numbers_and_unread_from(self.database, access.user_id) if conversation else (0, 0, 0)
        if unread_from and request.method == "GET":
            self.messaging.mark_unread(conversation, access, 0)
        if at is not None and last_seq:
            page = self._around(conversation, min(at, last_seq))
        else:
            page = Message.page(self.database, conversation.id, before, limit=FIRST_PAGE) if conversation else []
        faces = avatar_urls(User.by_ids(self.database, {message.sender_id for message in page})) if access.is_room else {}
        read_seq, peer_read_seq = self.messaging.read_seqs(conversation, access) if conversation else (0, 0)
        return render_template(
            "chat/conversation.html", **self.pane.context(), **self.subject(access), **more, access=access, messages=page, looks=looks_of(page),
            faces=faces, conversation_id=conversation.id if conversation else None,
            last_seq=last_seq, last_change=last_change, read_seq=read_seq, peer_read_seq=peer_read_seq,
            has_older=bool(page) and page[0].seq > 1, client_id=client_id or secrets.token_urlsafe(16), at=at,
            reply=message_parts.Quote.of(quoted) if quoted else None,
            draft=draft, send_error=send_error), status

    def _around(self, conversation, seq):
        """Return the messages around the one with that seq. It is among them however long they are: the farthest are left out first."""
        half = FIRST_PAGE // 2
        page = [*Message.page(self.database, conversation.id, before=seq + 1, limit=half),
                *Message.page(self.database, conversation.id, after=seq, limit=half)]
        return sorted(fitting(sorted(page, key=lambda message: abs(message.seq - seq))), key=lambda message: message.seq)

    def show_form_again(self, error):
        """Answer a form whose token is another session's: what was written comes back with it."""
        text = request.form.get("message", "")
        if wants_json() or not text or not is_of_another_session():
            return handle_csrf_error(error)
        if current_user.is_authenticated:
            return self.show_conversation(self._access(**request.view_args), text, _("This form has expired. Please try again."), 400)
        return answer_with(401, _("Your session has expired. Log in and send your message again."), unsaved_text=text)

    def _access(self, username=None, conversation_id=None):
        """Return the current user's access to the conversation that an address names. Raises NotFound."""
        if conversation_id is not None:
            return self.gate.to_conversation(current_user, conversation_id)
        return self.gate.to_person(current_user, User.named(self.database, username))

    def page_url(self, access, **arguments):
        """Return the address of the page of a conversation."""
        if access.is_room:
            return url_for("rooms.get_room", room_id=access.conversation_id, **arguments)
        peer = access.peer or User.by_id(self.database, access.peer_id)
        return url_for("chat.get_conversation_page", username=peer.username, **arguments)

    def subject(self, access):
        """Return what the pages show of whom or what the conversation is with, and its addresses."""
        if access.is_room:
            room = room_list.summary(self.database, access.user_id, access.conversation_id)
            if not room:    # the membership has ended since the gate was asked
                raise NotFound(_("Conversation not found."))
            return {"peer": None, "room": room, "first_members": members.people(self.database, room.id, limit=SHOWN_MEMBERS),
                    "page_url": url_for("rooms.get_room", room_id=room.id),
                    "messages_url": url_for("chat.get_messages_by_id", conversation_id=room.id)}
        peer = access.peer or User.by_id(self.database, access.peer_id)
        return {"peer": peer, "room": None, "peer_online": peer.id in self.presence.online(),
                "page_url": url_for("chat.get_conversation_page", username=peer.username),
                "messages_url": url_for("chat.get_messages", username=peer.username)}

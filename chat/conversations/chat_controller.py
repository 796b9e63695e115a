"""ChatController, as in the report: the home page, the messages of a conversation, sending without a socket."""
import secrets

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_required
from flask_wtf.csrf import CSRFError

from ..accounts.user import PAGE, User
from ..errors import ChatError, Invalid, NotFound
from ..storage.schema import MAX_ID
from ..web.error_handlers import answer_with, handle_csrf_error
from ..web.forms import is_of_another_session
from ..web.request_args import number, wants_json
from . import receipts
from .conversation import Conversation
from .conversation_list import count_unread, list_conversations, search_people
from .message import MAX_ROWS, Message

FIRST_PAGE = 50             # messages that a conversation opens with


class ChatController:
    """The pages of the chat and their JSON. `messaging` takes messages in, as it does for the live ones."""

    def __init__(self, database, presence, messaging):
        self.database = database
        self.presence = presence
        self.messaging = messaging

    def blueprint(self):
        chat = Blueprint("chat", __name__)
        for rule, view, method in (
                ("/", self.get_home_page, "GET"), ("/users", self.get_users, "GET"),
                ("/chat/<username>", self.get_conversation_page, "GET"),
                ("/messages/<username>", self.get_messages, "GET"),
                ("/messages/<username>", self.send_message, "POST"),
                ("/messages/<username>/<int:seq>", self.get_message, "GET")):
            chat.add_url_rule(rule, view.__name__, login_required(view), methods=[method])
        chat.register_error_handler(CSRFError, self.show_form_again)
        return chat

    def get_home_page(self):
        """The welcome, and the list of people; `q` filters it where no JavaScript does."""
        return render_template("chat/home.html", **self._people_pane())

    def get_conversation_page(self, username, draft="", send_error=None, status=200, client_id=None):
        """The conversation with one person; `before` pages back where no JavaScript does.

        After a refused send the page comes back with the draft, and with its `client_id` where its fate is not known.
        """
        peer = self._person(username)
        before = number("before", None)
        conversation = Conversation.between(self.database, current_user.id, peer.id)
        page = Message.page(self.database, conversation.id, before, limit=FIRST_PAGE) if conversation else []
        read_seqs = conversation.read_seqs(self.database) if conversation else {}
        return render_template(
            "chat/conversation.html", **self._people_pane(), peer=peer, messages=page,
            peer_online=peer.id in self.presence.online(),
            last_seq=conversation.last_seq(self.database) if conversation else 0,
            read_seq=read_seqs.get(current_user.id, 0), peer_read_seq=read_seqs.get(peer.id, 0),
            has_older=bool(page) and page[0].seq > 1, client_id=client_id or secrets.token_urlsafe(16),
            draft=draft, send_error=send_error), status

    def get_users(self):
        """The people whose name contains `q`: JSON where it is asked for, else cards as HTML."""
        after = number("after", None)
        summaries, next_after = self._people(request.args.get("q", ""), after)
        if wants_json():
            return jsonify(users=[summary.as_json() for summary in summaries])
        answer = render_template("chat/_people.html", people=summaries, next_after=next_after, q=request.args.get("q", ""),
                                 unread_total=self._unread_total(summaries, after, next_after))
        return answer, {"X-Next-After": str(next_after)} if next_after else {}

    def get_messages(self, username):
        """One page of a conversation as JSON, ascending by seq."""
        peer = self._person(username)
        before, after = number("before", None), number("after", None)
        limit = number("limit", FIRST_PAGE, minimum=1)
        conversation = Conversation.between(self.database, current_user.id, peer.id)
        if not conversation:
            return jsonify(messages=[], lastSeq=0, readSeq=0)
        page = Message.page(self.database, conversation.id, before, after, min(limit, MAX_ROWS))
        return jsonify(messages=[message.as_json() for message in page],
                       lastSeq=conversation.last_seq(self.database),
                       readSeq=conversation.read_seqs(self.database).get(current_user.id, 0))

    def get_message(self, username, seq):
        """One message with its times of delivery and reading: JSON where it is asked for, else a page."""
        peer = self._person(username)
        conversation = Conversation.between(self.database, current_user.id, peer.id)
        found = conversation and seq <= MAX_ID and Message.by_seq(self.database, conversation.id, seq)
        if not found:
            raise NotFound(_("Message not found."))
        delivered, read = receipts.of_message(self.database, found)
        told = {"message": found.as_json(), "delivered": delivered, "read": read}
        if wants_json():
            return jsonify(told)
        read_seq = conversation.read_seqs(self.database).get(found.receiver_id, 0)
        return render_template("chat/message.html", **self._people_pane(), peer=peer, told=told, is_read=read_seq >= seq)

    def send_message(self, username):
        """Send without a socket: a form leads back to the conversation, JSON is answered with the message."""
        peer = self._person(username)
        if request.is_json:
            sent = request.get_json(silent=True)
            if not isinstance(sent, dict):
                raise Invalid(_("Expected a JSON object with %(names)s.", names="message, clientId"))
            stored = self.messaging.send(current_user, peer.id, sent.get("message"), sent.get("clientId"))
            return stored.as_json(), 201
        text, client_id = request.form.get("message", ""), request.form.get("clientId") or secrets.token_urlsafe(16)
        try:
            stored = self.messaging.send(current_user, peer.id, text, client_id)
        except ChatError as error:
            answer = make_response(self.get_conversation_page(
                username, text, error.message, error.status, client_id if error.retry else None))
            if error.retry_after:
                answer.headers["Retry-After"] = str(error.retry_after)
            return answer
        # Who sends by the form has the page before their eyes, and no script to tell how far they have read.
        self.messaging.mark_read(Conversation(stored.conversation_id), current_user.id, peer.id, stored.seq)
        return redirect(url_for("chat.get_conversation_page", username=peer.username) + "#message")

    def show_form_again(self, error):
        """Answer a form whose token is another session's: what was written comes back with it."""
        text = request.form.get("message", "")
        if wants_json() or not text or not is_of_another_session():
            return handle_csrf_error(error)
        if current_user.is_authenticated:
            return self.get_conversation_page(request.view_args["username"], text, _("This form has expired. Please try again."), 400)
        return answer_with(401, _("Your session has expired. Log in and send your message again."), kept=text)

    def _person(self, username):
        person = User.named(self.database, username)
        if not person or person.id == current_user.id:
            raise NotFound(_("User not found."))
        return person

    def _people(self, text, after=None):
        """Return the cards of one page, and the id after which the next one starts, or None."""
        if text.strip():
            summaries = search_people(self.database, current_user.id, text, after, PAGE + 1)
        else:
            summaries = list_conversations(self.database, current_user.id, after, PAGE + 1)
        online = self.presence.online()
        for summary in summaries:
            summary.online = summary.id in online
        return summaries[:PAGE], summaries[PAGE - 1].id if len(summaries) > PAGE else None

    def _unread_total(self, summaries, after, next_after):
        """Return how many messages wait, those of people who are not among the cards included; None where all who wrote are."""
        is_whole = not (after or request.args.get("q", "").strip()) and not (next_after and summaries[-1].last_seq)
        return None if is_whole else count_unread(self.database, current_user.id)

    def _people_pane(self):
        text = request.args.get("q", "")
        after = number("people_after", None)
        summaries, next_after = self._people(text, after)
        return {"me": current_user, "people": summaries, "next_after": next_after, "q": text,
                "unread_total": self._unread_total(summaries, after, next_after),
                "online_count": len(self.presence.online() - {current_user.id})}

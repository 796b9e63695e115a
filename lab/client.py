"""A scripted tab: the same outbox and message list as in the browser, over WebSocket or long polling. It records everything."""
import contextlib
import functools
import threading
import time
from collections import deque

import requests
import socketio

from tests.people import Person, session_of

from .changing import ChangingTab
from .conversations import DirectConversation, RoomConversation
from .http_session import ReportingSession
from .joined_rooms import JoinedRooms
from .message_list import MessageList
from .outbox import Entry
from .uploads import UploadingTab
from .versions import VersionLog

ANSWER_SECONDS = 4          # for an acknowledgement, as in the browser
REQUEST_SECONDS = 5
CONNECT_STEP_SECONDS = 2    # for one step of connecting; then the attempt is repeated
MIN_RETRY_SECONDS, MAX_RETRY_SECONDS = 0.2, 2
MAX_UNANSWERED = 2          # events without an acknowledgement until the connection counts as dead, as in the browser


class ScriptedTab(MessageList, ChangingTab, UploadingTab):
    """One tab of one person. `omissions` names the mechanisms that a mutant of it lacks: heartbeat, gaps, change gaps, patience, cursor.

    `rooms` are the ids of the rooms that the person may join while it runs.
    """

    def __init__(self, record, person, name, peers, transports=("websocket",), omissions=(), rooms=()):
        UploadingTab.__init__(self)
        self.record, self.person, self.name = record, person, name
        self.peers = {peer.id: peer for peer in peers}
        self.conversations = {one.key: one for one in (*(DirectConversation(person.id, peer.id, peer.username) for peer in peers),
                                                       *map(RoomConversation, rooms))}
        self.rooms = JoinedRooms(person, [RoomConversation(room).key for room in rooms])
        self.transports, self.omissions = list(transports), set(omissions)
        self.outboxes = {key: deque() for key in self.conversations}
        self.last_seqs = dict.fromkeys(self.conversations, 0)
        self.versions = {key: VersionLog() for key in self.conversations}
        self.locks = {key: threading.Lock() for key in self.conversations}
        self.work, self.needs_catch_up = threading.Condition(), threading.Event()
        self.client = None
        self.connected, self.disconnected = threading.Event(), threading.Event()
        self.closing, self.unanswered = False, 0
        self.logs_in = True
        self.online = frozenset()
        self.next_heartbeat_at = 0        # at once after each connect
        self.text_count = 0
        self.acknowledged = deque(maxlen=50)    # (clientId, key) of messages to send again
        self.acknowledged_changes = deque(maxlen=50)
        self.last_id = 0                        # used with the omission "cursor" only
        self.views = {key: record.view(name, one.name) for key, one in self.conversations.items()}
        targets = [self._stay_connected, self._catch_up, self._look_at_files, *(functools.partial(self._send_to, key) for key in self.conversations)]
        self.threads = [threading.Thread(target=target, daemon=True) for target in targets]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def close(self):
        """Stop for good."""
        self.closing = True
        self.disconnected.set()
        self.needs_catch_up.set()
        with self.work:
            self.work.notify_all()
        for thread in self.threads:
            thread.join(3 * REQUEST_SECONDS)

    # --- what a person does

    def write(self, key, text=None, reply_to=None, uploads=()):
        """Put a message into the outbox. It is sent after what was done earlier in that conversation, and after its files are uploaded."""
        entry = Entry(key, text or self.next_text(), reply_to, uploads)
        self.record.note("written", person=self.person.id, tab=self.name, clientId=entry.client_id, text=entry.text,
                         conversation=self.conversations[key].name, files=[(upload.client_id, upload.hash) for upload in entry.uploads])
        self.put(entry)
        return entry

    def next_text(self):
        """Return a text that nobody else writes."""
        self.text_count += 1
        return f"{self.name} {self.text_count}"

    def put(self, entry):
        """Put an entry into the outbox."""
        with self.work:
            self.outboxes[entry.key].append(entry)
            self.work.notify_all()

    def pending_count(self, before=float("inf")):
        """Return how many messages and changes of before that time are neither acknowledged nor refused."""
        with self.work:
            return sum(entry.written_at < before for outbox in self.outboxes.values() for entry in outbox)

    # --- the connection

    def _new_client(self, disconnected):
        return socketio.Client(reconnection=False, request_timeout=CONNECT_STEP_SECONDS,
                               http_session=session_of(self.person, ReportingSession(disconnected.set)))

    def _stay_connected(self):
        while not self.closing:
            disconnected = self.disconnected = threading.Event()
            client = self._new_client(disconnected)
            refusals, decided = [], threading.Event()
            client.on("connect", decided.set)
            client.on("connect_error", lambda refusal: (refusals.append(refusal), decided.set()))
            client.on("receiveMessage", self._on_message)
            client.on("messageChanged", self._on_change)
            client.on("updateOnlineUsers", self._on_presence)
            client.on("conversationChanged", self._on_room_changed)
            client.on("conversationLeft", self.rooms.on_left)
            client.on("disconnect", lambda *_reason, disconnected=disconnected: disconnected.set())
            with contextlib.suppress(socketio.exceptions.SocketIOError, OSError, ValueError):
                # With wait=True the library takes 10 s to report a refused connection: until the other side has closed it.
                client.connect(self.person.url, transports=self.transports, wait=False)
                decided.wait(CONNECT_STEP_SECONDS)
            if decided.is_set() and not refusals and client.connected:
                self.client = client
                self._run_connection(disconnected)
            elif self.logs_in and any("unauthorized" in str(refusal) for refusal in refusals):
                self._log_in()
            if self.closing:
                _disconnect(client)
            else:       # in a thread, because the library waits for its last poll to end: 15 s without a network
                threading.Thread(target=_disconnect, args=(client,), daemon=True).start()
                time.sleep(MIN_RETRY_SECONDS)

    def _run_connection(self, disconnected):
        self.record.note("connected", tab=self.name, person=self.person.id)
        self.next_heartbeat_at = 0
        self.rooms.forget()
        self.connected.set()
        self.needs_catch_up.set()
        with self.work:
            self.work.notify_all()
        self.unanswered = 0
        while not disconnected.wait(0.5) and not self.closing:
            # If the library's polling client had nothing to write for too long, its writer ends while its reader goes on.
            writing = self.client.eio.write_loop_task
            if not self.client.connected or not (writing and writing.is_alive()) or self.unanswered >= MAX_UNANSWERED:
                break
        disconnected.set()      # a call that waits for an answer gives up at once
        self.connected.clear()
        self.record.note("disconnected", tab=self.name, person=self.person.id)

    def _log_in(self):
        with contextlib.suppress(requests.RequestException, AttributeError):
            self.person.http.cookies.clear()
            answer = self.person.log_in()
            self.record.note("logged_in", person=self.person.id, status=answer.status_code)

    def call(self, event, payload):
        """Emit an event and return its acknowledgement; None if there was none."""
        client, disconnected, answers, came = self.client, self.disconnected, [], threading.Event()

        def take(answer=None):
            answers.append(answer)
            came.set()
        try:
            client.emit(event, payload, callback=take)
        except (socketio.exceptions.SocketIOError, OSError, AttributeError):
            return None
        until = time.monotonic() + ANSWER_SECONDS
        while not came.wait(0.1) and time.monotonic() < until and not disconnected.is_set():
            pass
        self.unanswered = 0 if answers else self.unanswered + 1
        return answers[0] if answers else None

    # --- the outbox: in order, one entry in flight per conversation, repeated until it is acknowledged

    def _send_to(self, key):
        outbox, pause = self.outboxes[key], MIN_RETRY_SECONDS
        while not self.closing:
            with self.work:
                self.work.wait_for(lambda: self.closing or (outbox and self.connected.is_set()), 1)
                entry = outbox[0] if outbox and self.connected.is_set() else None
            if entry and not self.closing:
                if self._send_once(entry):
                    pause = MIN_RETRY_SECONDS
                    with self.work:
                        outbox.popleft()
                else:
                    time.sleep(pause)
                    pause = min(2 * pause, MAX_RETRY_SECONDS)

    def _send_once(self, entry):
        """Send an entry once; return whether it is acknowledged or finally refused."""
        if not self.upload_all(entry):
            return False
        asked_at = time.monotonic()
        entry.attempts += 1
        answer = self.call(entry.event, entry.payload(self.conversations[entry.key]))
        outcome = "unknown" if answer is None else "acknowledged" if answer["ok"] else "refused"
        is_change = entry.event == "changeMessage"
        if answer is None and "patience" in self.omissions and not is_change:
            outcome, answer = "acknowledged", {"message": {"seq": 0, "id": 0, "clientId": entry.client_id}}
        again = outcome == "refused" and self.asks_again(answer)
        self.record.note(entry.answered, person=self.person.id, tab=self.name, clientId=entry.client_id, asked=asked_at,
                         outcome="unavailable" if again else outcome, message=(answer or {}).get("message"),
                         code=(answer or {}).get("error", {}).get("code"), **({"change": (answer or {}).get("change")} if is_change else {}))
        if answer and "seq" in (answer.get("message") or {}) and not self.closing:     # null for who is no member any more
            self._take_answer(entry, answer, outcome == "acknowledged")
        return outcome == "acknowledged" or (outcome == "refused" and not again)

    @staticmethod
    def asks_again(answer):
        """Tell whether an answer is a refusal after which the same is sent again."""
        return not answer["ok"] and (answer["error"]["retry"] or answer["error"]["code"] == "unauthorized")

    def _take_answer(self, entry, answer, is_done):
        """Keep the message of an acknowledgement, or of a conflict."""
        if entry.event == "sendMessage":
            self.acknowledged.append((entry.client_id, entry.key))
            if entry.attempts > 1 and self.conversations[entry.key].is_room:    # who has left meanwhile is told less of it: it is fetched
                return self._note_last(entry.key, answer["message"]["seq"], 0)
            self._receive(entry.key, [answer["message"]])
            return
        if is_done:
            self.acknowledged_changes.append(entry)
        self._take_change(entry.key, answer["message"], answer.get("change", 0))

    def resend_random(self, rng):
        """Send an acknowledged message again with another text, and note the answer."""
        if self.acknowledged and self.connected.is_set():
            client_id, key = rng.choice(self.acknowledged)
            answer = self.call("sendMessage", {"clientId": client_id, **self.conversations[key].address("receiverId"),
                                               "message": "another text"})
            if answer and answer["ok"]:
                self.record.note("resent", clientId=client_id, message=answer["message"])

    def _on_presence(self, change):
        before = self.online
        came, gone = set(change["online"]), set(change.get("offline", ()))
        self.online = frozenset(came if change["snapshot"] else (before | came) - gone)
        if self.online != before:
            self.record.note("online", tab=self.name, ids=sorted(self.online))


def scripted(record, account, url, name, peers, **options):
    """Return a started tab, with a login of its own, of a person who has an account."""
    person = Person(url, account.username)
    person._id = account.id
    person.log_in()
    return ScriptedTab(record, person, name, peers, **options).start()


def _disconnect(client):
    """End a connection in whatever state it is, without waiting for the other side."""
    with contextlib.suppress(Exception):
        if client.eio.ws:
            client.eio.ws.close(timeout=0)
    with contextlib.suppress(Exception):
        client.disconnect()

"""A scripted tab: the same outbox and message list as in the browser, over WebSocket or long polling. It records everything."""
import contextlib
import functools
import threading
import time
import uuid
from collections import deque

import requests
import socketio

from tests.people import Person, session_of

from .record import conversation_of
from .http_session import ReportingSession

ANSWER_SECONDS = 4          # for an acknowledgement, as in the browser
REQUEST_SECONDS = 5
CONNECT_STEP_SECONDS = 2    # for one step of connecting; then the attempt is repeated
HEARTBEAT_SECONDS = 15
MIN_RETRY_SECONDS, MAX_RETRY_SECONDS = 0.2, 2
PAGE_SIZE = 200             # messages in one request
MAX_UNANSWERED = 2          # events without an acknowledgement until the connection counts as dead, as in the browser


class Entry:
    """A message in the outbox. It keeps its clientId however often it is sent."""

    def __init__(self, peer, text):
        self.peer = peer
        self.text = text
        self.client_id = uuid.uuid4().hex
        self.written_at = time.monotonic()


class ScriptedTab:
    """One tab of one person. `omissions` names the mechanisms that a mutant of it lacks: heartbeat, gaps, patience, cursor."""

    def __init__(self, record, person, name, peers, transports=("websocket",), omissions=()):
        self.record, self.person, self.name = record, person, name
        self.peers = {peer.id: peer for peer in peers}
        self.transports, self.omissions = list(transports), set(omissions)
        self.outboxes = {peer_id: deque() for peer_id in self.peers}
        self.last_seqs = dict.fromkeys(self.peers, 0)
        self.locks = {peer_id: threading.Lock() for peer_id in self.peers}
        self.work, self.needs_catch_up = threading.Condition(), threading.Event()
        self.client = None
        self.connected, self.disconnected = threading.Event(), threading.Event()
        self.closing, self.unanswered = False, 0
        self.logs_in = True
        self.online = frozenset()
        self.next_heartbeat_at = 0        # at once after each connect
        self.text_count = 0
        self.acknowledged = deque(maxlen=50)    # (clientId, peer id) of messages to send again
        self.last_id = 0                        # used with the omission "cursor" only
        self.views = {peer_id: record.view(name, conversation_of(person.id, peer_id)) for peer_id in self.peers}
        targets = [self._stay_connected, self._catch_up, *(functools.partial(self._send_to, peer) for peer in self.peers)]
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

    def write(self, peer_id, text=None):
        """Put a message into the outbox. It is sent after the earlier messages of that conversation."""
        self.text_count += 1
        entry = Entry(peer_id, text or f"{self.name} {self.text_count}")
        self.record.note("written", person=self.person.id, tab=self.name, clientId=entry.client_id, text=entry.text,
                         conversation=conversation_of(self.person.id, peer_id))
        with self.work:
            self.outboxes[peer_id].append(entry)
            self.work.notify_all()
        return entry

    def pending_count(self, before=float("inf")):
        """Return how many messages written before that time are neither acknowledged nor refused."""
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
            client.on("updateOnlineUsers", self._on_presence)
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

    # --- the outbox: in order, one message in flight per conversation, repeated until it is acknowledged

    def _send_to(self, peer_id):
        outbox, pause = self.outboxes[peer_id], MIN_RETRY_SECONDS
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
        answer = self.call("sendMessage", {"clientId": entry.client_id, "receiverId": entry.peer, "message": entry.text})
        outcome = "unknown" if answer is None else "acknowledged" if answer["ok"] else "refused"
        if answer is None and "patience" in self.omissions:
            outcome, answer = "acknowledged", {"message": {"seq": 0, "id": 0, "clientId": entry.client_id}}
        again = outcome == "refused" and (answer["error"]["retry"] or answer["error"]["code"] == "unauthorized")
        self.record.note("answered", person=self.person.id, tab=self.name, clientId=entry.client_id,
                         outcome="unavailable" if again else outcome, message=(answer or {}).get("message"),
                         code=(answer or {}).get("error", {}).get("code"))
        if outcome == "acknowledged":
            self.acknowledged.append((entry.client_id, entry.peer))
            self._receive(entry.peer, [answer["message"]])
        return outcome == "acknowledged" or (outcome == "refused" and not again)

    def resend_random(self, rng):
        """Send an acknowledged message again with another text, and note the answer."""
        if self.acknowledged and self.connected.is_set():
            client_id, peer_id = rng.choice(self.acknowledged)
            answer = self.call("sendMessage", {"clientId": client_id, "receiverId": peer_id, "message": "another text"})
            if answer and answer["ok"]:
                self.record.note("resent", clientId=client_id, message=answer["message"])

    # --- the message list: seqs without a gap. A push is only a hint; gaps are fetched; the heartbeat finds a lost end.

    def _on_message(self, message):
        if not self.logs_in:    # this tab will be logged out: after that it must not receive anything
            self.record.note("received", tab=self.name, clientId=message["clientId"], sender=message["senderId"])
        peer_id = message["senderId"] if message["senderId"] != self.person.id else message["receiverId"]
        if peer_id in self.peers:
            self._receive(peer_id, [message])

    def _receive(self, peer_id, messages, last_seq=0):
        view = self.views[peer_id]
        with self.locks[peer_id]:
            if "cursor" in self.omissions:
                return self._receive_by_id(view, messages)
            for message in messages:
                self.last_seqs[peer_id] = max(self.last_seqs[peer_id], message["seq"])
                if message["seq"] == view.last + 1 or "gaps" in self.omissions and message["seq"] > view.last:
                    self.record.shown(view.tab, view.conversation, message["seq"], message["clientId"])
            self.last_seqs[peer_id] = max(self.last_seqs[peer_id], last_seq)
            if self.last_seqs[peer_id] > view.last:
                self.needs_catch_up.set()

    def _receive_by_id(self, view, messages):
        """The mutant "cursor": take the id for a position, so that a message with a smaller id than the last one is disconnected."""
        for message in messages:
            if message["id"] > self.last_id:
                self.last_id = message["id"]
                self.record.shown(view.tab, view.conversation, message["seq"], message["clientId"])

    def _catch_up(self):
        while not self.closing:
            self.needs_catch_up.wait(min(0.5, max(0, self.next_heartbeat_at - time.monotonic())))
            if not self.connected.wait(0.5):
                continue
            self.needs_catch_up.clear()
            if time.monotonic() >= self.next_heartbeat_at and "heartbeat" not in self.omissions:
                self.next_heartbeat_at = time.monotonic() + HEARTBEAT_SECONDS
                self._request_last_seqs()
            for peer_id in self.peers:
                if "gaps" not in self.omissions and self.last_seqs[peer_id] > self.views[peer_id].last:
                    self._fetch(peer_id)

    def _request_last_seqs(self):
        for peer_id in self.peers:
            ack = self.call("markRead", {"userId": peer_id, "seq": self.views[peer_id].last})
            if ack and ack.get("ok"):
                self._receive(peer_id, [], ack["lastSeq"])

    def _fetch(self, peer_id):
        after = self.views[peer_id].last
        try:
            answer = self.person.get(f"/messages/{self.peers[peer_id].username}?after={after}&limit={PAGE_SIZE}",
                                     headers={"Accept": "application/json"})
            page = answer.json() if answer.status_code == 200 else None
        except (requests.RequestException, ValueError):
            page = None
        if page is None:
            time.sleep(MIN_RETRY_SECONDS)
            self.needs_catch_up.set()
        else:
            self._receive(peer_id, page["messages"], page["lastSeq"])

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

"""A scripted tab: what the browser's outbox and log do, over a WebSocket or by polling, with everything noted."""
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
from .telltale import TelltaleSession

ANSWER_SECONDS = 4          # for an acknowledgement, as in the browser
REQUEST_SECONDS = 5
OPENING_SECONDS = 2         # for a step of an attempt to connect: one that hangs is begun anew
HEARTBEAT_SECONDS = 15
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 2
FETCHED_AT_ONCE = 200       # messages
MAX_UNANSWERED = 2          # events without an acknowledgement until the connection counts as dead, as in the browser


class Entry:
    """A message on its way; it keeps its clientId however often it is sent."""

    def __init__(self, peer, text):
        self.peer = peer
        self.text = text
        self.client_id = uuid.uuid4().hex
        self.written_at = time.monotonic()


class ScriptedTab:
    """One tab of one person. `lapses` names what a mutant of it leaves out: heartbeat, gaps, patience."""

    def __init__(self, record, person, name, peers, transports=("websocket",), lapses=()):
        self.record, self.person, self.name = record, person, name
        self.peers = {peer.id: peer for peer in peers}
        self.transports, self.lapses = list(transports), set(lapses)
        self.outboxes = {peer_id: deque() for peer_id in self.peers}
        self.heads = dict.fromkeys(self.peers, 0)
        self.locks = {peer_id: threading.Lock() for peer_id in self.peers}
        self.work, self.behind = threading.Condition(), threading.Event()
        self.client = None
        self.connected, self.lost = threading.Event(), threading.Event()
        self.closing, self.unanswered = False, 0
        self.logs_in = True
        self.online = frozenset()
        self.beat_at = 0            # when to ask for the heads next; after each connection at once
        self.texts = 0
        self.acknowledged = deque(maxlen=50)    # (clientId, peer id), to be sent again
        self.last_id = 0            # for the lapse "cursor" alone
        self.views = {peer_id: record.view(name, conversation_of(person.id, peer_id)) for peer_id in self.peers}
        targets = [self._stay_connected, self._catch_up, *(functools.partial(self._send_to, peer) for peer in self.peers)]
        self.threads = [threading.Thread(target=target, daemon=True) for target in targets]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def close(self):
        """Leave for good."""
        self.closing = True
        self.lost.set()
        self.behind.set()
        with self.work:
            self.work.notify_all()
        for thread in self.threads:
            thread.join(3 * REQUEST_SECONDS)

    # --- what a person does

    def write(self, peer_id, text=None):
        """Put a message into the outbox; it is sent as soon as what was written before it is."""
        self.texts += 1
        entry = Entry(peer_id, text or f"{self.name} {self.texts}")
        self.record.note("written", person=self.person.id, tab=self.name, clientId=entry.client_id, text=entry.text,
                         conversation=conversation_of(self.person.id, peer_id))
        with self.work:
            self.outboxes[peer_id].append(entry)
            self.work.notify_all()
        return entry

    def waiting(self, before=float("inf")):
        """Return how many messages written before that time are still unsettled."""
        with self.work:
            return sum(entry.written_at < before for outbox in self.outboxes.values() for entry in outbox)

    # --- the connection

    def _new_client(self, lost):
        return socketio.Client(reconnection=False, request_timeout=OPENING_SECONDS,
                               http_session=session_of(self.person, TelltaleSession(lost.set)))

    def _stay_connected(self):
        while not self.closing:
            lost = self.lost = threading.Event()
            client = self._new_client(lost)
            refusals, decided = [], threading.Event()
            client.on("connect", decided.set)
            client.on("connect_error", lambda refusal: (refusals.append(refusal), decided.set()))
            client.on("receiveMessage", self._heard)
            client.on("updateOnlineUsers", self._presence)
            client.on("disconnect", lambda *_reason, lost=lost: lost.set())
            with contextlib.suppress(socketio.exceptions.SocketIOError, OSError, ValueError):
                # Waiting for itself, the library ends a refused connection only when the other side has: 10 s later.
                client.connect(self.person.url, transports=self.transports, wait=False)
                decided.wait(OPENING_SECONDS)
            if decided.is_set() and not refusals and client.connected:
                self.client = client
                self._live(lost)
            elif self.logs_in and any("unauthorized" in str(refusal) for refusal in refusals):
                self._log_in()
            if self.closing:
                _drop(client)
            else:       # aside: the library waits until its last poll has ended, 15 s where the network is gone
                threading.Thread(target=_drop, args=(client,), daemon=True).start()
                time.sleep(FIRST_PAUSE_SECONDS)

    def _live(self, lost):
        self.record.note("connected", tab=self.name, person=self.person.id)
        self.beat_at = 0
        self.connected.set()
        self.behind.set()
        with self.work:
            self.work.notify_all()
        self.unanswered = 0
        while not lost.wait(0.5) and not self.closing:
            # Where it had nothing to write for too long, the library's polling client never writes again, and reads on.
            writing = self.client.eio.write_loop_task
            if not self.client.connected or not (writing and writing.is_alive()) or self.unanswered >= MAX_UNANSWERED:
                break
        lost.set()      # whoever waits for an answer need not wait on
        self.connected.clear()
        self.record.note("disconnected", tab=self.name, person=self.person.id)

    def _log_in(self):
        with contextlib.suppress(requests.RequestException, AttributeError):
            self.person.http.cookies.clear()
            answer = self.person.log_in()
            self.record.note("logged_in", person=self.person.id, status=answer.status_code)

    def ask(self, event, payload):
        """Emit and return the acknowledgement; None if none came."""
        client, lost, answers, came = self.client, self.lost, [], threading.Event()

        def take(answer=None):
            answers.append(answer)
            came.set()
        try:
            client.emit(event, payload, callback=take)
        except (socketio.exceptions.SocketIOError, OSError, AttributeError):
            return None
        until = time.monotonic() + ANSWER_SECONDS
        while not came.wait(0.1) and time.monotonic() < until and not lost.is_set():
            pass
        self.unanswered = 0 if answers else self.unanswered + 1
        return answers[0] if answers else None

    # --- the outbox: in order, one in flight a conversation, until acknowledged

    def _send_to(self, peer_id):
        outbox, pause = self.outboxes[peer_id], FIRST_PAUSE_SECONDS
        while not self.closing:
            with self.work:
                self.work.wait_for(lambda: self.closing or (outbox and self.connected.is_set()), 1)
                entry = outbox[0] if outbox and self.connected.is_set() else None
            if entry and not self.closing:
                if self._try(entry):
                    pause = FIRST_PAUSE_SECONDS
                    with self.work:
                        outbox.popleft()
                else:
                    time.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _try(self, entry):
        """Send an entry once; return whether it is settled."""
        answer = self.ask("sendMessage", {"clientId": entry.client_id, "receiverId": entry.peer, "message": entry.text})
        outcome = "unknown" if answer is None else "acknowledged" if answer["ok"] else "refused"
        if answer is None and "patience" in self.lapses:
            outcome, answer = "acknowledged", {"message": {"seq": 0, "id": 0, "clientId": entry.client_id}}
        again = outcome == "refused" and (answer["error"]["retry"] or answer["error"]["code"] == "unauthorized")
        self.record.note("answered", person=self.person.id, tab=self.name, clientId=entry.client_id,
                         outcome="unavailable" if again else outcome, message=(answer or {}).get("message"),
                         code=(answer or {}).get("error", {}).get("code"))
        if outcome == "acknowledged":
            self.acknowledged.append((entry.client_id, entry.peer))
            self._take(entry.peer, [answer["message"]])
        return outcome == "acknowledged" or (outcome == "refused" and not again)

    def resend_some(self, dice):
        """Send an acknowledged message once more, with another text, and note what comes back."""
        if self.acknowledged and self.connected.is_set():
            client_id, peer_id = dice.choice(self.acknowledged)
            answer = self.ask("sendMessage", {"clientId": client_id, "receiverId": peer_id, "message": "another text"})
            if answer and answer["ok"]:
                self.record.note("resent", clientId=client_id, message=answer["message"])

    # --- the log: a run of seq; push is a hint, a jump is fetched, the heartbeat shows a lost tail

    def _heard(self, message):
        if not self.logs_in:    # a tab that will be logged out: what it hears beyond that is a breach
            self.record.note("heard", tab=self.name, clientId=message["clientId"], sender=message["senderId"])
        peer_id = message["senderId"] if message["senderId"] != self.person.id else message["receiverId"]
        if peer_id in self.peers:
            self._take(peer_id, [message])

    def _take(self, peer_id, messages, head=0):
        view = self.views[peer_id]
        with self.locks[peer_id]:
            if "cursor" in self.lapses:
                return self._take_by_id(view, messages)
            for message in messages:
                self.heads[peer_id] = max(self.heads[peer_id], message["seq"])
                if message["seq"] == view.last + 1 or "gaps" in self.lapses and message["seq"] > view.last:
                    self.record.shown(view.tab, view.conversation, message["seq"], message["clientId"])
            self.heads[peer_id] = max(self.heads[peer_id], head)
            if self.heads[peer_id] > view.last:
                self.behind.set()

    def _take_by_id(self, view, messages):
        """What a tab does that takes the id for a cursor: whatever is older than the newest it knows, it knows."""
        for message in messages:
            if message["id"] > self.last_id:
                self.last_id = message["id"]
                self.record.shown(view.tab, view.conversation, message["seq"], message["clientId"])

    def _catch_up(self):
        while not self.closing:
            self.behind.wait(min(0.5, max(0, self.beat_at - time.monotonic())))
            if not self.connected.wait(0.5):
                continue
            self.behind.clear()
            if time.monotonic() >= self.beat_at and "heartbeat" not in self.lapses:
                self.beat_at = time.monotonic() + HEARTBEAT_SECONDS
                self._ask_heads()
            for peer_id in self.peers:
                if "gaps" not in self.lapses and self.heads[peer_id] > self.views[peer_id].last:
                    self._fetch(peer_id)

    def _ask_heads(self):
        for peer_id in self.peers:
            standing = self.ask("markRead", {"userId": peer_id, "seq": self.views[peer_id].last})
            if standing and standing.get("ok"):
                self._take(peer_id, [], standing["lastSeq"])

    def _fetch(self, peer_id):
        after = self.views[peer_id].last
        try:
            answer = self.person.get(f"/messages/{self.peers[peer_id].username}?after={after}&limit={FETCHED_AT_ONCE}",
                                     headers={"Accept": "application/json"})
            page = answer.json() if answer.status_code == 200 else None
        except (requests.RequestException, ValueError):
            page = None
        if page is None:
            time.sleep(FIRST_PAUSE_SECONDS)
            self.behind.set()
        else:
            self._take(peer_id, page["messages"], page["lastSeq"])

    def _presence(self, change):
        before = self.online
        came, gone = set(change["online"]), set(change.get("offline", ()))
        self.online = frozenset(came if change["snapshot"] else (before | came) - gone)
        if self.online != before:
            self.record.note("online", tab=self.name, ids=sorted(self.online))


def scripted(record, account, url, name, peers, **options):
    """Return a started tab of a person who has an account, with a login of its own, at that address."""
    person = Person(url, account.username)
    person._id = account.id
    person.log_in()
    return ScriptedTab(record, person, name, peers, **options).start()


def _drop(client):
    """End a connection whatever state it is in, without waiting for the other side."""
    with contextlib.suppress(Exception):
        if client.eio.ws:
            client.eio.ws.close(timeout=0)
    with contextlib.suppress(Exception):
        client.disconnect()

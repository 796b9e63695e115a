"""Attacks on live connections: packets that end a transport, floods, other people's ids, endless frames, readers that never read."""
import contextlib
import json
import time
import uuid

import websocket

from ..sockets import is_closed_by_peer
from .registry import Attack, Refused, attack
from .requests import DEPTH, END_SECONDS, LONG_TEXT, SMALL_BUFFER
from .target import POLLING, Polling

CLOSED, OPEN = "closed", "goes on"
LOOK_SECONDS = 25           # for the server to close a connection
ENDING_BODIES = ("45\x1e40", "1\x1e40", "4\x1e40", "42[\x1e40\x1e40", "40\x1e1\x1e40", "40\x1e45\x1e40", "441\x1e40\x1e1")
FLOOD = 3000                # events; the limit is 600 at once
LINK_BOMBS = ("http://a" + ")" * 3900, "http://" + "a." * 1900, "http://a/" + "(" * 3900, "www." * 990)


class Live(Attack):
    """An attack that speaks Engine.IO."""

    allowed = required = frozenset({CLOSED})

    def source(self):
        return self.rng.choice(self.target.sources)

    def account(self):
        return self.rng.choice(self.target.accounts)

    def event(self, name, payload, number=""):
        return f"42{number}{json.dumps([name, payload], separators=(',', ':'))}"


def is_closed(ws, seconds=LOOK_SECONDS, pong=True):
    """Read until the server ends the connection; return False if it stays open."""
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            ws.settimeout(max(0.1, until - time.monotonic()))
            if ws.recv() == "2" and pong:
                ws.send("3")
            elif not ws.connected:
                return True
    except (websocket.WebSocketTimeoutException, TimeoutError):
        return False
    except (websocket.WebSocketException, OSError):
        return True
    return False


def provoke(ws, act=lambda ws: None, pong=True):
    """Run `act` with a WebSocket, which the server may end meanwhile; return how the connection ends."""
    with contextlib.closing(ws.sock):
        with contextlib.suppress(websocket.WebSocketException, OSError):
            act(ws)
        return CLOSED if is_closed(ws, pong=pong) else OPEN


def send_all(packets):
    def act(ws):
        for packet in packets:
            ws.send(packet)
    return act


@attack
class EntriesThatStay(Live):
    name = "packets that end a transport, with CONNECT behind them"
    workers, per_second = 2, 3

    def attempt(self):
        polling = Polling(self.target, self.source(), self.account().cookie if self.rng.random() < 0.5 else "")
        polling.post(self.rng.choice(ENDING_BODIES))
        return CLOSED if polling.is_closed() else OPEN


@attack
class RefusedConnects(Live):
    name = "500 CONNECTs in one body"
    workers, per_second = 2, 3

    def attempt(self):
        polling = Polling(self.target, self.source())
        polling.post("\x1e".join(["40"] * 500))
        return CLOSED if polling.is_closed() else OPEN


@attack
class RefusedConnectsByWebSocket(Live):
    name = "refused CONNECTs by WebSocket, without end"
    per_second = 5

    def attempt(self):
        return provoke(self.target.websocket(self.source()), send_all(["40"] * 500))


@attack
class NeverConnected(Live):
    name = "transports that never connect"
    workers, per_second = 4, 2

    def attempt(self):
        return provoke(self.target.websocket(self.source()))


@attack
class Events(Live):
    name = "a person who is logged in sends typing and unknown events without end"
    workers, per_second = 2, 1

    def attempt(self):
        account = self.account()
        packets = [self.event("typing", {"receiverId": account.peer_id, "isTyping": True}), self.event("nothing", {}),
                   self.event("markRead", {"userId": account.peer_id, "seq": 10 ** 15}, 1)]
        return provoke(self.target.joined(self.source(), account), send_all(self.rng.choices(packets, k=FLOOD)))


@attack
class SecondUpgrades(Live):
    name = "a second upgrade of one transport"
    allowed = required = frozenset({"400"})

    def attempt(self):
        source, account = self.source(), self.account()
        polling = Polling(self.target, source, account.cookie)
        polling.post("40")
        with contextlib.closing(self.target.websocket(source, account.cookie, polling.sid).sock):
            try:
                with contextlib.closing(self.target.websocket(source, account.cookie, polling.sid).sock):
                    return "upgraded again"
            except Refused as refused:
                return str(refused)


CLOSE_PACKET = "1"      # of Engine.IO, as the answer to a poll


@attack
class ForeignSids(Live):
    """Uses the transport id of a person who is connected, or a random one."""

    name = "other people's transport ids"
    per_second = 4
    allowed = frozenset({"400", "nothing done"})
    required = frozenset({"400", "nothing done"})

    def attempt(self):
        sid, account = self.rng.choice(self.target.sids or [uuid.uuid4().hex]), self.account()
        headers = {"Cookie": account.cookie} if self.rng.random() < 0.7 else {}
        if self.rng.random() < 0.2:
            try:
                with contextlib.closing(self.target.websocket(self.source(), account.cookie, sid).sock):
                    return "upgraded"
            except Refused as refused:
                return str(refused)
        packet = self.event("sendMessage", {"clientId": uuid.uuid4().hex, "receiverId": account.id, "message": "as somebody else"}, 1)
        post = self.rng.random() < 0.5
        answer = self.target.request("POST" if post else "GET", f"{POLLING}&sid={sid}", self.source(), packet if post else None, headers)
        if answer.status == 200 and answer.text in ("OK", CLOSE_PACKET) and (not headers or self._is_closed(sid, headers)):
            return "nothing done"
        return str(answer.status)

    def _is_closed(self, sid, headers):
        """Tell whether the transport has just ended: then everybody is answered as if it were theirs, and nothing happens."""
        return self.target.request("GET", f"{POLLING}&sid={sid}", self.source(), None, headers).text == CLOSE_PACKET


@attack
class DeepFrames(Live):
    name = "frames that cannot be read"
    FRAMES = ("42" + "[" * 60_000, '42["x",' + "[" * DEPTH, "4" + "x" * 65536, '451-["sendMessage",{"_placeholder":true,"num":0}]', "42[", "42{}", "4x")

    def attempt(self):
        return provoke(self.target.joined(self.source(), self.account()), send_all([self.rng.choice(self.FRAMES)]))


@attack
class EndlessFragments(Live):
    name = "fragments without end"
    per_second = 1

    def attempt(self):
        return provoke(self.target.joined(self.source(), self.account()), self._send_fragments, pong=False)

    @staticmethod
    def _send_fragments(ws):
        kind = websocket.ABNF.OPCODE_TEXT
        for _n in range(1000):
            ws.send_frame(websocket.ABNF.create_frame("x" * 100, kind, fin=0))
            kind = websocket.ABNF.OPCODE_CONT


@attack
class LinkBombs(Live):
    """Texts on which a naive search for links would be quadratic. The page of the conversation is requested too."""

    name = "messages in which the end of a link is hard to find"
    per_second = 1
    allowed = frozenset({"stored", "rate_limited"})
    required = frozenset({"stored"})

    def attempt(self):
        account = self.account()
        ws = self.target.joined(self.source(), account)
        with contextlib.closing(ws.sock):
            ws.send(self.event("sendMessage", {"clientId": uuid.uuid4().hex, "receiverId": account.peer_id,
                                               "message": self.rng.choice(LINK_BOMBS)}, 7))
            packet = ""
            while not packet.startswith("437"):
                packet = ws.recv()
        page = self.target.request("GET", f"/chat/{account.peer}", self.source(), headers={"Cookie": account.cookie})
        answer = json.loads(packet[3:])[0]
        return f"page {page.status}" if page.status != 200 else "stored" if answer["ok"] else answer["error"]["code"]


@attack
class SlowConsumers(Live):
    """A WebSocket that reads nothing and answers no ping, while the other attackers send it long messages."""

    name = "readers that never read"
    workers, per_second = 2, 1
    allowed = frozenset({CLOSED, "open at the end"})
    required = frozenset()
    PATIENCE_SECONDS = 40

    def prepare(self):
        self.sock = None

    def attempt(self):
        """Open the connection, or send it another message. After PATIENCE_SECONDS check whether the server has closed it."""
        account = self.rng.choice(self.target.accounts)
        if not self.sock:
            self.reader = account
            self.sock = self.target.joined(self.source(), account, SMALL_BUFFER).sock
            self.since = time.monotonic()
            self.sent += 1
            return None
        if time.monotonic() - self.since > self.PATIENCE_SECONDS:
            sock, self.sock = self.sock, None
            with contextlib.closing(sock):
                self.counts[CLOSED if is_closed_by_peer(sock, END_SECONDS) else OPEN] += 1
            return None
        writer = next(other for other in self.target.accounts if other.peer_id == self.reader.id)
        answer = self.target.request("POST", f"/messages/{writer.peer}", self.source(),
                                 json.dumps({"message": LONG_TEXT, "clientId": uuid.uuid4().hex}),
                                 {"Cookie": writer.cookie, "X-CSRFToken": writer.token, "Content-Type": "application/json"})
        if answer.status not in (201, 429):
            self.counts[f"a message to it: {answer.status}"] += 1
        return None

    def close(self):
        if self.sock:
            self.counts["open at the end"] += 1
            self.sock.close()

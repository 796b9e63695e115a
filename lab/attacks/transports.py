"""Attacks on live connections: packets that end a transport, floods, ids of others, frames without end, readers that never read."""
import contextlib
import json
import time
import uuid

import websocket

from .registry import Attack, Refused, attack
from .requests import DEPTH, LONG_TEXT, SMALL_BUFFER
from .target import POLLING, Polling

CLOSED, OPEN = "closed", "goes on"
LOOK_SECONDS = 25           # for the server to close a connection
STAYING = ("45\x1e40", "1\x1e40", "4\x1e40", "42[\x1e40\x1e40", "40\x1e1\x1e40", "40\x1e45\x1e40", "441\x1e40\x1e1")
FLOOD = 3000                # events: the burst of 600 is passed soon
LINK_BOMBS = ("http://a" + ")" * 3900, "http://" + "a." * 1900, "http://a/" + "(" * 3900, "www." * 990)


class Live(Attack):
    """What speaks Engine.IO."""

    accepted = needed = frozenset({CLOSED})

    def source(self):
        return self.dice.choice(self.target.sources)

    def account(self):
        return self.dice.choice(self.target.accounts)

    def event(self, name, payload, number=""):
        return f"42{number}{json.dumps([name, payload], separators=(',', ':'))}"


def is_closed(ws, seconds=LOOK_SECONDS, pong=True):
    """Read until the server ends the connection; False where it goes on."""
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


@attack
class EntriesThatStay(Live):
    name = "packets that end a transport, with CONNECT behind them"
    workers, per_second = 2, 3

    def once(self):
        polling = Polling(self.target, self.source(), self.account().cookie if self.dice.random() < 0.5 else "")
        polling.post(self.dice.choice(STAYING))
        return CLOSED if polling.is_closed() else OPEN


@attack
class RefusedConnects(Live):
    name = "500 CONNECTs in one body"
    workers, per_second = 2, 3

    def once(self):
        polling = Polling(self.target, self.source())
        polling.post("\x1e".join(["40"] * 500))
        return CLOSED if polling.is_closed() else OPEN


@attack
class RefusedConnectsByWebSocket(Live):
    name = "refused CONNECTs by WebSocket, without end"
    per_second = 5

    def once(self):
        ws = self.target.websocket(self.source())
        with contextlib.closing(ws.sock), contextlib.suppress(websocket.WebSocketException, OSError):
            for _n in range(500):
                ws.send("40")
            return CLOSED if is_closed(ws) else OPEN
        return CLOSED


@attack
class NeverConnected(Live):
    name = "transports that never connect"
    workers, per_second = 4, 2

    def once(self):
        ws = self.target.websocket(self.source())
        with contextlib.closing(ws.sock):
            return CLOSED if is_closed(ws) else OPEN


@attack
class Events(Live):
    name = "a person who is logged in sends typing and unknown events without end"
    workers, per_second = 2, 1

    def once(self):
        account = self.account()
        ws = self.target.joined(self.source(), account)
        with contextlib.closing(ws.sock):
            packets = [self.event("typing", {"receiverId": account.peer_id, "isTyping": True}), self.event("nothing", {}),
                       self.event("markRead", {"userId": account.peer_id, "seq": 10 ** 15}, 1)]
            with contextlib.suppress(websocket.WebSocketException, OSError):
                for _n in range(FLOOD):
                    ws.send(self.dice.choice(packets))
            return CLOSED if is_closed(ws) else OPEN


@attack
class SecondUpgrades(Live):
    name = "a second upgrade of one transport"
    accepted = needed = frozenset({"400"})

    def once(self):
        source, account = self.source(), self.account()
        polling = Polling(self.target, source, account.cookie)
        polling.post("40")
        with contextlib.closing(self.target.websocket(source, account.cookie, polling.sid).sock):
            try:
                with contextlib.closing(self.target.websocket(source, account.cookie, polling.sid).sock):
                    return "upgraded again"
            except Refused as refused:
                return str(refused)


@attack
class ForeignSids(Live):
    """The transport of a person who is connected now, and one that is nobody's."""

    name = "other people's transport ids"
    per_second = 4
    accepted = frozenset({"400", "nothing done"})
    needed = frozenset({"400", "nothing done"})

    def once(self):
        sid, account = self.dice.choice(self.target.sids or [uuid.uuid4().hex]), self.account()
        headers = {"Cookie": account.cookie} if self.dice.random() < 0.7 else {}
        if self.dice.random() < 0.2:
            try:
                with contextlib.closing(self.target.websocket(self.source(), account.cookie, sid).sock):
                    return "upgraded"
            except Refused as refused:
                return str(refused)
        packet = self.event("sendMessage", {"clientId": uuid.uuid4().hex, "receiverId": account.id, "message": "as somebody else"}, 1)
        post = self.dice.random() < 0.5
        answer = self.target.ask("POST" if post else "GET", f"{POLLING}&sid={sid}", self.source(), packet if post else None, headers)
        return "nothing done" if answer.status == 200 and answer.text in ("OK", "1") and not headers else str(answer.status)


@attack
class DeepFrames(Live):
    name = "frames that cannot be read"
    FRAMES = ("42" + "[" * 60_000, '42["x",' + "[" * DEPTH, "4" + "x" * 65536, '451-["sendMessage",{"_placeholder":true,"num":0}]', "42[", "42{}", "4x")

    def once(self):
        ws = self.target.joined(self.source(), self.account())
        with contextlib.closing(ws.sock):
            ws.send(self.dice.choice(self.FRAMES))
            return CLOSED if is_closed(ws) else OPEN


@attack
class EndlessFragments(Live):
    name = "fragments without end"
    per_second = 1

    def once(self):
        ws = self.target.joined(self.source(), self.account())
        with contextlib.closing(ws.sock):
            kind = websocket.ABNF.OPCODE_TEXT
            with contextlib.suppress(OSError, websocket.WebSocketException):
                for _n in range(1000):
                    ws.send_frame(websocket.ABNF.create_frame("x" * 100, kind, fin=0))
                    kind = websocket.ABNF.OPCODE_CONT
            return CLOSED if is_closed(ws, pong=False) else OPEN


@attack
class LinkBombs(Live):
    """Texts on which a search for links would be quadratic; the page of the conversation is asked for too."""

    name = "messages in which the end of a link is hard to find"
    per_second = 1
    accepted = frozenset({"stored", "rate_limited"})
    needed = frozenset({"stored"})

    def once(self):
        account = self.account()
        ws = self.target.joined(self.source(), account)
        with contextlib.closing(ws.sock):
            ws.send(self.event("sendMessage", {"clientId": uuid.uuid4().hex, "receiverId": account.peer_id,
                                               "message": self.dice.choice(LINK_BOMBS)}, 7))
            told = ""
            while not told.startswith("437"):
                told = ws.recv()
        page = self.target.ask("GET", f"/chat/{account.peer}", self.source(), headers={"Cookie": account.cookie})
        answer = json.loads(told[3:])[0]
        return f"page {page.status}" if page.status != 200 else "stored" if answer["ok"] else answer["error"]["code"]


@attack
class SlowConsumers(Live):
    """A WebSocket that reads nothing, to which the other attackers write long messages; it answers no ping either."""

    name = "readers that never read"
    workers, per_second = 2, 1
    accepted = frozenset({CLOSED, "open at the end"})
    needed = frozenset()
    PATIENCE_SECONDS = 40

    def prepare(self):
        self.sock = None

    def once(self):
        """Open it, or write it something more; see whether it is there after its time."""
        account = self.dice.choice(self.target.accounts)
        if not self.sock:
            self.reader = account
            self.sock = self.target.joined(self.source(), account, SMALL_BUFFER).sock
            self.since = time.monotonic()
            self.sent += 1
            return None
        if time.monotonic() - self.since > self.PATIENCE_SECONDS:
            sock, self.sock = self.sock, None
            self.counts[self._end(sock)] += 1
            return None
        writer = next(other for other in self.target.accounts if other.peer_id == self.reader.id)
        answer = self.target.ask("POST", f"/messages/{writer.peer}", self.source(),
                                 json.dumps({"message": LONG_TEXT, "clientId": uuid.uuid4().hex}),
                                 {"Cookie": writer.cookie, "X-CSRFToken": writer.token, "Content-Type": "application/json"})
        if answer.status not in (201, 429):
            self.counts[f"a message to it: {answer.status}"] += 1
        return None

    @staticmethod
    def _end(sock):
        with contextlib.closing(sock):
            sock.settimeout(3)
            with contextlib.suppress(TimeoutError):
                try:
                    while sock.recv(1 << 20):
                        pass
                except ConnectionError:
                    pass
                return CLOSED
            return OPEN

    def close(self):
        if self.sock:
            self.counts["open at the end"] += 1
            self.sock.close()



"""The baseline of this stack: a relay over bare eventlet WebSockets, without Socket.IO, database and sessions.

It speaks only as much of the protocol as the load generator needs. Every Python chat on eventlet costs at least as much.
"""
import socket

import eventlet

eventlet.monkey_patch()

import eventlet.wsgi
import orjson
from eventlet.websocket import WebSocketWSGI

from chat.clock import now

people = {}     # user id -> WebSocket


def relay(websocket):
    own_id = int(websocket.environ["HTTP_COOKIE"].partition("=")[2])
    people[own_id] = websocket
    websocket.send("0{}")
    while True:
        packet = websocket.wait()
        if packet is None:
            break
        if packet == "40":
            websocket.send('40{"sid":""}')
        elif packet.startswith("42"):
            number, bracket, rest = packet[2:].partition("[")
            _event, sent = orjson.loads(bracket + rest)
            message = {"id": 0, "seq": 0, "clientId": sent["clientId"], "sender": f"person{own_id}", "senderId": own_id,
                       "receiverId": sent["receiverId"], "message": sent["message"], "timestamp": now()}
            websocket.send(f"43{number}" + orjson.dumps([{"ok": True, "message": message}]).decode())
            people[sent["receiverId"]].send("42" + orjson.dumps(["receiveMessage", message]).decode())
    people.pop(own_id, None)


if __name__ == "__main__":
    listener = eventlet.listen(("127.0.0.1", 0))
    # As in the chat. Otherwise the baseline would wait for TCP acknowledgements and would not reach saturation.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(f"The baseline is at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    eventlet.wsgi.server(listener, WebSocketWSGI(relay), log_output=False, max_size=10_000, debug=False)

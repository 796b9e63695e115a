"""Wrappers around Engine.IO's handler of a WebSocket: a limit on the size of a message, and a clean end after an error.

eventlet has its own WebSocket; the other two modes use simple-websocket.
"""
import contextlib
import functools
import socket

from .packets import is_costly

CONTROL_BIT = 8     # of an opcode: a close, a ping or a pong


def close_on_error(handler):
    """Return the handler so that it closes its connection when a packet is invalid or the client has gone.

    The library would raise (a traceback in the log) and leave the connection half upgraded, or with a task that writes to nobody.
    """
    def handle(websocket):
        try:
            return handler(websocket)
        except (ValueError, OSError):
            handler.__self__.close(wait=False, abort=True)
            return []
    return handle


def limit_frames(handler, max_bytes, count_frame):
    """Return the handler so that a message of more than `max_bytes` closes its connection, and each frame that is no message counts.

    `count_frame()` returns whether more may come. A ping of the protocol, a pong and a fragment never reach Engine.IO.

    eventlet limits each frame, but collects any number of fragments. simple-websocket has a limit for messages, but checks it
    only when a frame has arrived, and not when the frame's header announces its length.
    """
    def handle(websocket):
        if hasattr(websocket, "Message"):
            websocket.Message = functools.partial(_limited_message(websocket.Message, max_bytes), count_frame)
        else:
            websocket.ws.max_message_size = max_bytes
            websocket.close = _close_at_once(websocket)
            _count_events(websocket.ws.ws, count_frame)
            _limit_announced_length(websocket.ws.ws.connection._proto._frame_decoder, max_bytes)
        return handler(websocket)
    return handle


def refuse_costly_packets(handler):
    """Return the handler so that a packet which Engine.IO would parse as JSON for nothing closes its connection."""
    def handle(websocket):
        wait = websocket.wait

        def wait_for_packet():
            packet = wait()
            if packet and (not isinstance(packet, str) or is_costly(packet)):
                raise ValueError("no packet of a client")
            return packet
        if not hasattr(websocket, "begin"):     # FastConnection checks it itself
            websocket.wait = wait_for_packet
        return handler(websocket)
    return handle


@functools.cache
def _limited_message(message_class, max_bytes):
    class LimitedMessage(message_class):
        size = 0

        def __init__(self, count_frame, *arguments, **options):
            super().__init__(*arguments, **options)
            self.count_frame = count_frame

        def push(self, data, final=False):
            if (not final or self.opcode & CONTROL_BIT) and not self.count_frame():
                raise ValueError("too many frames")
            self.size += max(1, len(data))      # an empty fragment costs its place in a list
            if self.size > max_bytes:
                raise ValueError("the fragments are too large")     # eventlet answers it by closing
            super().push(data, final)
    return LimitedMessage


def _close_at_once(websocket):
    """Return a `close` that also ends the connection, and wakes the thread that waits for frames. It raises nothing.

    simple-websocket leaves both to the client's answer. A client that gives none would keep the thread and the connection; and
    where frames come in just then, nobody wakes the thread even when the client is gone.
    """
    from wsproto.utilities import LocalProtocolError
    close, inner = websocket.close, websocket.ws

    def close_at_once():
        with contextlib.suppress(OSError, LocalProtocolError):     # it is closed, or being closed, already
            close()
        with contextlib.suppress(OSError):
            inner.sock.shutdown(socket.SHUT_RDWR)
        inner.connected = False
        inner.event.set()
    return close_at_once


def _count_events(connection, count_frame):
    from wsproto.events import Message, Ping, Pong
    events = connection.events

    def counted_events():
        for event in events():
            is_fragment = isinstance(event, Message) and event.frame_finished and not event.message_finished
            if (is_fragment or isinstance(event, Ping | Pong)) and not count_frame():
                raise ConnectionAbortedError    # it ends simple-websocket's task that reads
            yield event
    connection.events = counted_events


def _limit_announced_length(decoder, max_bytes):
    from wsproto.frame_protocol import CloseReason, ParseFailed
    parse_length = decoder.parse_extended_payload_length

    def parse_limited_length(opcode, length):
        length = parse_length(opcode, length)
        if length is not None and length > max_bytes:
            raise ParseFailed("The frame is too large.", CloseReason.MESSAGE_TOO_BIG)   # simple-websocket answers it by closing
        return length
    decoder.parse_extended_payload_length = parse_limited_length

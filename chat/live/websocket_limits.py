"""Wrappers around Engine.IO's handler of a WebSocket: a limit on the size of a message, and a clean end after an error.

eventlet has its own WebSocket; the other two modes use simple-websocket.
"""
import contextlib
import functools
import socket

from .packets import is_costly


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


def limit_message_size(handler, max_bytes):
    """Return the handler so that a message of more than `max_bytes` closes its connection.

    eventlet limits each frame, but collects any number of fragments. simple-websocket has a limit for messages, but checks it
    only when a frame has arrived, and not when the frame's header announces its length.
    """
    def handle(websocket):
        if hasattr(websocket, "Message"):
            websocket.Message = _limited_message(websocket.Message, max_bytes)
        else:
            websocket.ws.max_message_size = max_bytes
            websocket.close = _close_at_once(websocket)
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
        if not hasattr(websocket, "begin"):     # FastConnection looks itself
            websocket.wait = wait_for_packet
        return handler(websocket)
    return handle


@functools.cache
def _limited_message(message_class, max_bytes):
    class LimitedMessage(message_class):
        size = 0

        def push(self, data, final=False):
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


def _limit_announced_length(decoder, max_bytes):
    from wsproto.frame_protocol import CloseReason, ParseFailed
    parse_length = decoder.parse_extended_payload_length

    def parse_limited_length(opcode, length):
        length = parse_length(opcode, length)
        if length is not None and length > max_bytes:
            raise ParseFailed("The frame is too large.", CloseReason.MESSAGE_TOO_BIG)   # simple-websocket answers it by closing
        return length
    decoder.parse_extended_payload_length = parse_limited_length

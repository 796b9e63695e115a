"""Packets of Engine.IO and Socket.IO: which ones the server accepts, and how many fit into one HTTP body."""
from engineio.packet import NOOP
from engineio.packet import Packet as EnginePacket
from engineio.payload import Payload
from socketio.packet import BINARY_ACK, BINARY_EVENT, EVENT, Packet

MAX_BODY_BYTES = 64 * 1024      # of one WebSocket message or one polling body
MAX_BODY_PACKETS = 500          # in one polling body; the library's own limit of 16 would drop a browser's burst
MAX_POLL_PACKETS = 16           # in one polling answer: python-socketio's client drops an answer with more
SEPARATOR = "\x1e"              # between the packets of a polling body
CLIENT_PACKETS = "134"          # Engine.IO packets that a client sends by polling: close, pong, message. It upgrades by WebSocket
MAX_CONTROL_LENGTH = len("2probe")       # characters of an Engine.IO packet that is no message: the longest one that a client sends
CLOSE_PACKET = b"1"             # of Engine.IO: the transport is closed
CONNECT_DIGIT = "0"             # a Socket.IO packet that opens a connection begins with it
RESERVED = ("connect", "disconnect", "*")      # event names that python-socketio would handle as its own

Payload.max_decode_packets = MAX_BODY_PACKETS


def is_costly(packet):
    """Tell whether Engine.IO would parse a long packet as JSON: it does so with all but messages that begin with a digit."""
    return len(packet) > MAX_CONTROL_LENGTH and not (packet[0] == "4" and "0" <= packet[1] <= "9")


class TextPacket(Packet):
    """A Socket.IO packet without binary attachments. The protocol has none, so the server never waits for one."""

    def decode(self, encoded_packet):
        if not isinstance(encoded_packet, str) or encoded_packet[:1] in (str(BINARY_EVENT), str(BINARY_ACK)):
            raise ValueError("binary packets are not part of the protocol")
        attachments = super().decode(encoded_packet)
        if self.packet_type == EVENT and self.data[0] in RESERVED:
            self.data[0] = "reserved"       # an event without a handler: it is refused like any other unknown one
        return attachments

    @classmethod
    def data_is_binary(cls, data):
        return False    # the library would search every payload for bytes


def limit_poll_size(poll):
    """Return an Engine.IO `poll` that gives at most MAX_POLL_PACKETS packets at a time; `.pending` holds the others."""
    pending = []

    def limited_poll():
        if not pending:
            pending.extend(poll())
        packets = pending[:MAX_POLL_PACKETS]
        del pending[:MAX_POLL_PACKETS]
        return packets
    limited_poll.pending = pending
    return limited_poll


def poll_once_at_a_time(connection, handle_request, sleep):
    """Return an Engine.IO connection's `handle_get_request` so that one poll waits at most: a new one ends the one before.

    The library lets any number wait. Nobody is refused: a browser asks again after a cut, which the poll before has not noticed.
    """
    waiting = None      # stands for the poll that waits

    def handle(environ, start_response):
        nonlocal waiting
        if environ.get("HTTP_UPGRADE", "").lower() == "websocket":      # of anything else the library would make a poll
            return handle_request(environ, start_response)
        if waiting:
            if not connection.queue.qsize():
                connection.queue.put(EnginePacket(NOOP))
            sleep(0)        # the poll before takes it
        if waiting:
            return [EnginePacket(NOOP)]     # one that came at the same time waits already
        this = waiting = object()
        try:
            return handle_request(environ, start_response)
        finally:
            if waiting is this:     # of two threads that began at the same time, the later one stays known
                waiting = None
    return handle

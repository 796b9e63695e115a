"""A faster WebSocket for eventlet: the same frames, for less CPU.

Each method says what the library does and what is done here instead. fast_engineio.py puts it into the server; SHORTCUTS=0
leaves both out. `tests/test_fast_websocket.py` fails when a library has changed where this file relies on it.
"""
import functools
from collections import deque

TEXT_FRAME = 0x81           # the first byte of a text message in one frame
MASK_BIT, LENGTH_BITS = 0x80, 0x7F      # of the second byte
LENGTH_16_BITS, LENGTH_64_BITS = 126, 127       # in place of the length: it follows, in 2 or 8 bytes
MASK_SIZE = 4               # bytes
MIN_FRAME_SIZE = 2 + MASK_SIZE      # two bytes of header, and the mask
READ_SIZE = 4096            # bytes asked for at once


class BufferedSocket:
    """A socket that reads ahead. eventlet asks the kernel for 2, 4 and n bytes of each frame."""

    __slots__ = ("socket", "unread")

    def __init__(self, socket):
        self.socket = socket
        self.unread = b""

    def recv(self, max_bytes):
        data = self.unread or self.receive()
        self.unread = data[max_bytes:]
        return data[:max_bytes]

    def receive(self):
        """Wait for the next bytes and return them. The library reads first and then waits: its first attempt mostly fails."""
        self.socket._read_trampoline()
        return self.socket.recv(READ_SIZE)

    def __getattr__(self, name):
        return getattr(self.socket, name)


class FastWebSocket:
    """Mixed into eventlet's WebSocket: it unmasks in one step, and writes directly what the kernel accepts."""

    closing = False

    def begin(self, start_task):
        self.socket = BufferedSocket(self.socket)
        self.start_task = start_task
        self.write = self.socket.fd.send    # of the socket under eventlet's, which does not block
        self.backlog = deque()      # frames, the first one perhaps in part, that wait until the client reads

    def wait(self):
        """Return the next message. A masked text in one frame, as nearly all are, is parsed here; the library does the rest.

        Such a frame (RFC 6455, section 5.2): TEXT_FRAME, the mask bit with the length, a longer length if needed, the mask, the text.
        """
        buffer = self.socket
        data = buffer.unread = buffer.unread or buffer.receive()
        if len(data) > MIN_FRAME_SIZE and data[0] == TEXT_FRAME and data[1] & MASK_BIT:
            length, mask_start = data[1] & LENGTH_BITS, 2
            is_short = length != LENGTH_64_BITS
            if length == LENGTH_16_BITS:
                length, mask_start = int.from_bytes(data[2:4], "big"), 4
            text_start = mask_start + MASK_SIZE
            end = text_start + length
            if is_short and end <= len(data):
                buffer.unread = data[end:]
                return self._apply_mask(data[text_start:end], data[mask_start:text_start]).decode()
        return super().wait()

    def unsent_bytes(self):
        """Return how many bytes wait until the client reads."""
        return sum(map(len, self.backlog))

    @staticmethod
    def _apply_mask(data, mask, length=None, offset=0):
        """XOR two large integers; eventlet makes an object for each byte."""
        shift = offset % MASK_SIZE
        key = bytes(mask[shift:] + mask[:shift]) * (len(data) // MASK_SIZE + 1)
        return (int.from_bytes(data, "big") ^ int.from_bytes(key[:len(data)], "big")).to_bytes(len(data), "big")

    def _send(self, frame):
        """Write without waiting: the task that sends to a slow client also sends to others."""
        if self.closing:
            return
        if self.backlog:
            self.backlog.append(frame)
            return
        try:
            sent = self.write(frame)
        except BlockingIOError:
            sent = 0
        except OSError:     # the client has gone; the task that reads from it notices too
            return
        if sent < len(frame):
            self.backlog.append(memoryview(frame)[sent:])   # not a copy: others who are slow wait for the same bytes
            self.start_task(self._write_backlog)

    def _write_backlog(self):
        try:
            while self.backlog:
                self.socket.sendall(self.backlog[0])
                self.backlog.popleft()
        except OSError:
            self.backlog.clear()
        if self.closing:
            super().close()

    def close(self, close_data=None):
        if self.closing:
            return
        if self.backlog:    # _write_backlog sends it first, and then closes
            self.closing = True
        else:
            super().close(close_data)
            self.closing = True


@functools.cache
def fast(websocket_class):
    """Return eventlet's class of WebSockets with FastWebSocket mixed in."""
    return type("Fast" + websocket_class.__name__, (FastWebSocket, websocket_class), {})

"""A client that takes its place and then reads nothing, over a socket with a small receive buffer."""
import base64
import contextlib
import os
import socket
import time
from urllib.parse import urlsplit

RECEIVE_BUFFER = 4096           # bytes
FLOOD = 600                     # messages of LONG_TEXT, 7 MB: more than the kernel takes and the server keeps together
LONG_TEXT = "漢" * 3_900        # 3 bytes each
FLOOD_SECONDS = 30
DROPPED_SECONDS = 25            # by its size at once, by the missing pong at the latest


class Deaf:
    """A WebSocket of one person that is opened by hand and never read again: to the server itself, past any proxy."""

    def __init__(self, person, url):
        self.person, self.url = person, url

    def __enter__(self):
        address = urlsplit(self.url)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self.socket.settimeout(5)
        self.socket.connect((address.hostname, address.port))
        self.socket.sendall(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address.netloc}\r\nOrigin: {self.url}\r\n"
            f"Cookie: {self.person.cookie()}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n".encode())
        self.socket.recv(1024)
        self.socket.sendall(b"\x81\x82\x00\x00\x00\x0040")      # a masked text frame: Socket.IO's CONNECT
        return self

    def __exit__(self, *_error):
        self.socket.close()

    def flood(self, world):
        """Have Anna and Bert, whose tab this is, write each other more than any buffer holds; return when that is sent."""
        for n in range(FLOOD):
            tab = world.tabs[n % len(world.tabs)]
            tab.write(next(iter(tab.peers)), LONG_TEXT)
        written = time.monotonic()      # what people write beside it goes on, and belongs to the run
        while any(tab.waiting(before=written) for tab in world.tabs) and time.monotonic() < written + FLOOD_SECONDS:
            time.sleep(0.02)

    def wait_until_dropped(self):
        """Tell whether the server has closed the connection: read what the kernel holds, to its end."""
        self.socket.settimeout(0.5)
        until = time.monotonic() + DROPPED_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(socket.timeout):
                try:
                    if not self.socket.recv(1 << 20):
                        return True
                except ConnectionError:
                    return True
        return False

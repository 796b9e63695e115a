"""A client that connects and then reads nothing, over a socket with a small receive buffer."""
import time

from tests.private_server import HOST
from tests.waiting import wait_for

from .attacks.target import Account, Target
from .sockets import is_closed_by_peer

RECEIVE_BUFFER_BYTES = 4096
FLOOD_MESSAGES = 600        # of LONG_TEXT, 7 MB: more than the kernel and the server buffer together
LONG_TEXT = "漢" * 3_900     # 3 bytes each
FLOOD_SECONDS = 120     # a slow machine works longer on the flood, and its backlog is no catch-up after the fault
DISCONNECT_SECONDS = 25     # at once because too much is buffered, or at the latest when the pong is missing


class SlowConsumer:
    """A WebSocket of one person that is never read. It goes to the server itself, not through the person's proxy."""

    def __init__(self, person, url):
        self.target = Target(url, cafile="", sources=[HOST], accounts=[], victim="")
        self.account = Account(person.username, person.id, person.cookie(), token="")

    def __enter__(self):
        self.socket = self.target.joined(HOST, self.account, RECEIVE_BUFFER_BYTES).sock
        return self

    def __exit__(self, *_error):
        self.socket.close()

    def flood(self, environment):
        """Have every tab write more than the buffers hold; return when it was sent."""
        for n in range(FLOOD_MESSAGES):
            tab = environment.tabs[n % len(environment.tabs)]
            tab.write(next(iter(tab.peers)), LONG_TEXT)
        written = time.monotonic()      # later messages are those of the ordinary load
        wait_for(lambda: not any(tab.pending_count(before=written) for tab in environment.tabs), FLOOD_SECONDS)

    def wait_until_disconnected(self):
        """Tell whether the server has closed the connection."""
        return is_closed_by_peer(self.socket, DISCONNECT_SECONDS)

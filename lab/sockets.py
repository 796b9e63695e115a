"""Helpers for bare sockets."""
import time

READ_BYTES = 1 << 20


def is_closed_by_peer(sock, seconds):
    """Read until the other side closes the connection; return False if it does not do so in time."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            if not sock.recv(READ_BYTES):
                return True
        except TimeoutError:
            return False
        except OSError:
            return True
    return False

"""A reverse proxy in front of the chat, right or wrong in one way: what the doctor is called to."""
import itertools
import re
import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

LARGEST_HEAD = 64 * 1024    # bytes


def without(*headers):
    """Return a change of a request's head that loses these headers."""
    lost = re.compile(rb"^(?:%s):.*\r\n" % "|".join(headers).encode(), re.IGNORECASE | re.MULTILINE)
    return lambda head: lost.sub(b"", head)


class FrontProxy:
    """Passes each connection to the next of `targets`, its first request changed by `change`; `url` is its address.

    A connection stays with its target. Who comes again by another one, as the doctor does, may meet another server.
    """

    def __init__(self, *targets, change=lambda head: head):
        self.targets = itertools.cycle([(urlsplit(url).hostname, urlsplit(url).port) for url in targets])
        self.change = change
        self.serving = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()
        return self

    def __exit__(self, *_error):
        self.listener.shutdown(socket.SHUT_RDWR)    # closing alone would leave accept() waiting
        self.accepting.join()
        self.listener.close()
        for thread in self.serving:
            thread.join()

    def _accept(self):
        with suppress(OSError):
            while True:
                connection, _address = self.listener.accept()
                self.serving.append(threading.Thread(target=self._serve, args=(connection, next(self.targets)), daemon=True))
                self.serving[-1].start()

    def _serve(self, client, target):
        with suppress(OSError), client, socket.create_connection(target) as server:
            head = b""
            while b"\r\n\r\n" not in head:
                part = client.recv(LARGEST_HEAD)
                if not part:
                    return
                head += part
            head, end, body = head.partition(b"\r\n\r\n")
            server.sendall(self.change(head + b"\r\n")[:-2] + end + body)
            back = threading.Thread(target=_pour, args=(server, client), daemon=True)
            back.start()
            _pour(client, server)
            back.join()


def _pour(source, target):
    with suppress(OSError):
        while data := source.recv(LARGEST_HEAD):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)

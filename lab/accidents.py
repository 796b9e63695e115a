"""What the proxy can be told to do once, when certain bytes come: lose an answer, or repeat a request."""
import http.client
import io
import re
import threading
import types

HEAD_END = b"\r\n\r\n"
REQUEST_BEGINS = re.compile(rb"[A-Z]{3,7} /")
BODY_LENGTH = re.compile(rb"^content-length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)


class LostAnswer:
    """Some bytes, after which the target's answer is lost."""

    def __init__(self, match):
        self.match = match
        self.happened = threading.Event()
        self._tails = {}        # link -> the end of what came by it, too short for a match

    def found_in(self, link, data):
        """Tell whether what comes by a link now, together with what came before, holds the bytes."""
        text = self._tails.get(link, b"") + data
        self._tails[link] = text[max(0, len(text) - len(self.match) + 1):]
        return self.match in text


class Repeat:
    """A request that is sent twice, and the two answers."""

    def __init__(self, match):
        self.match = match
        self.happened = threading.Event()
        self.first, self.second = Answer(), Answer()

    def check(self, proxy):
        """When both are answered, keep the second answer and say so."""
        if self.first.whole and self.second.whole and not self.happened.is_set():
            proxy.repeated = self.second.data
            self.happened.set()


class Answer:
    """An HTTP answer that comes in piece by piece."""

    def __init__(self):
        self.data = b""
        self.whole = False

    def add(self, data, ended=False):
        """Take in the next piece; `ended` when it is the last one that the connection brought."""
        if not self.whole:
            self.data += data
            self.whole = is_whole(self.data, ended)


def is_whole(answer, ended=False):
    """Tell whether these bytes are an HTTP answer with all of its body, be it announced or ended by the connection."""
    if HEAD_END not in answer:
        return False
    response = http.client.HTTPResponse(types.SimpleNamespace(makefile=lambda _mode: io.BytesIO(answer)))
    try:
        response.begin()
        announced = response.chunked or response.length is not None
        response.read()
    except http.client.HTTPException:
        return False
    return announced or ended


def begins_request(data):
    """Tell whether a read looks like the beginning of an HTTP request."""
    return REQUEST_BEGINS.match(data) is not None


def body_length(head):
    """Return how many bytes of body the head of a request announces."""
    announced = BODY_LENGTH.search(head)
    return int(announced.group(1)) if announced else 0

"""What the proxy does once, when certain bytes pass: lose a response, or repeat a request."""
import threading

from .http_bytes import is_complete_response


class LostAnswer:
    """The target's response to these bytes is lost."""

    def __init__(self, match):
        self.match = match
        self.happened = threading.Event()
        self._tails = {}        # proxied connection -> the last bytes that passed, in which a match may have begun

    def found_in(self, link, data):
        """Tell whether the bytes of a connection contain the match, also if it began in an earlier piece."""
        text = self._tails.get(link, b"") + data
        self._tails[link] = text[max(0, len(text) - len(self.match) + 1):]
        return self.match in text


class Repeat:
    """A request that is sent twice, and the two responses."""

    def __init__(self, match):
        self.match = match
        self.happened = threading.Event()
        self.first, self.second = Response(), Response()

    def check(self, proxy):
        """Once both responses are complete, keep the second one and set `happened`."""
        if self.first.is_complete and self.second.is_complete and not self.happened.is_set():
            proxy.repeated = self.second.data
            self.happened.set()


class Response:
    """An HTTP response that arrives piece by piece."""

    def __init__(self):
        self.data = b""
        self.is_complete = False

    def add(self, data, ended=False):
        """Add a piece; `ended` if the connection ends with it."""
        if not self.is_complete:
            self.data += data
            self.is_complete = is_complete_response(self.data, ended)

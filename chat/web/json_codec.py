"""JSON for Flask and for Socket.IO. Invalid JSON of any kind raises ValueError."""
import re

from flask.json.provider import DefaultJSONProvider

from ..storage import fast_json

MAX_BRACKETS = 5000     # lists and objects, at 3 µs each
STRING = r'"[^"\\]*(?:\\.?[^"\\]*)*(?:"|\Z)'      # to the end where none ends it: whatever it holds, each character is looked at once
STRINGS = {str: re.compile(STRING, re.DOTALL), bytes: re.compile(STRING.encode(), re.DOTALL)}


def loads(text):
    """Parse JSON. Raises ValueError, also for too deep nesting, and for more lists than any client sends."""
    if _brackets(text) > MAX_BRACKETS and _brackets(STRINGS[str if isinstance(text, str) else bytes].sub(type(text)(), text)) > MAX_BRACKETS:
        raise ValueError("too many lists and objects")
    try:
        return fast_json.loads(text)
    except ValueError:
        return fast_json.loads_leniently(text)      # accepts half a surrogate pair, so that the sender gets a validation error


def _brackets(text):
    """Return how many brackets open in JSON, those in its texts included."""
    return sum(map(text.count, "[{" if isinstance(text, str) else (b"[", b"{")))


class FlaskJson(DefaultJSONProvider):
    """The JSON provider of Flask."""

    ensure_ascii = False        # an emoji takes 4 bytes, and 12 as an escape

    def loads(self, s, **_options):
        return loads(s)


class SocketJson:
    """The JSON module of Socket.IO."""

    loads = staticmethod(loads)

    @staticmethod
    def dumps(value, **_options):
        return fast_json.dumps(value).decode()

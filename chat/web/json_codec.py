"""JSON for Flask and for Socket.IO. Invalid JSON of any kind raises ValueError."""
from flask.json.provider import DefaultJSONProvider

from ..storage import fast_json


def loads(text):
    """Parse JSON. Raises ValueError, also for too deep nesting."""
    try:
        return fast_json.loads(text)
    except ValueError:
        return fast_json.loads_leniently(text)      # accepts half a surrogate pair, so that the sender gets a validation error


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

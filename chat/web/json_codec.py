"""JSON for Flask and for Socket.IO. Invalid JSON of any kind raises ValueError."""
from flask.json.provider import DefaultJSONProvider

from ..storage import fast_json


def loads(text):
    """Return what a JSON text says. Raises ValueError, for one that is nested too deeply as well."""
    try:
        return fast_json.loads(text)
    except ValueError:
        return fast_json.loads_leniently(text)      # half of a surrogate pair too, so that the sender is told why it is refused


class FlaskJson(DefaultJSONProvider):
    """What Flask asks of a JSON module."""

    ensure_ascii = False        # an emoji has 4 bytes, and 12 as an escape

    def loads(self, s, **_options):
        return loads(s)


class SocketJson:
    """What Socket.IO asks of a JSON module, the fastest that there is."""

    loads = staticmethod(loads)

    @staticmethod
    def dumps(value, **_options):
        return fast_json.dumps(value).decode()

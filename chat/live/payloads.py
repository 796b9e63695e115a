"""What the events of the live connection carry: taken apart with care, and always answered."""
import functools
import logging

from flask_babel import lazy_gettext as _

from ..errors import ChatError, Internal, Invalid

log = logging.getLogger(__name__)


def with_ack(handler, locale_of, note):
    """Make a handler of (sid, payload) answer a refusal in its acknowledgement; python-socketio would send none.

    `locale_of(sid)` is a context in which texts are in the language of that connection; `note(error)` is told of each refusal.
    """
    @functools.wraps(handler)
    def answer(sid, payload=None, *_more):
        try:
            return handler(sid, payload)
        except ChatError as refusal:
            error = refusal
        except Exception:
            log.exception("%s failed", handler.__name__)
            error = Internal()
        note(error)
        with locale_of(sid):
            return {"ok": False, "error": error.as_json(), **error.details}
    return answer


def require_fields(payload, *names, one_of=()):
    """Return the values of these fields of an object. Raises Invalid where it is none, or lacks one, or has not exactly one of `one_of`."""
    if (not isinstance(payload, dict) or [name for name in names if name not in payload]
            or one_of and len([name for name in one_of if payload.get(name) is not None]) != 1):
        expected = [*names, f"({'|'.join(one_of)})"] if one_of else names
        raise Invalid(_("Expected a JSON object with %(names)s.", names=", ".join(expected)))
    return [payload[name] for name in names]


def require_int(value, name):
    """Return the value if it is a whole number from 0, which `true` is not. Raises Invalid otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Invalid(_("%(name)s must be a number, %(least)s or greater.", name=name, least=0))
    return value

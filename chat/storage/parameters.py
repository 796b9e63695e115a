"""The parameters of a statement: only what every engine stores as it is."""
from flask_babel import lazy_gettext as _

from ..errors import Invalid

TYPES = (str, int, bytes, type(None))


def checked(params):
    """Return the parameters as a tuple. Raises TypeError for a value that a driver would convert, such as a bool or a list.

    Raises Invalid for a text that no driver can encode: JSON may have half a surrogate pair.
    """
    for value in params:
        if isinstance(value, bool) or not isinstance(value, TYPES):
            raise TypeError(f"{type(value).__name__} is no SQL parameter")
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise Invalid(_("This text contains characters that cannot be saved.")) from error
    return tuple(params)

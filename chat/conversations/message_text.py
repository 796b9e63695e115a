"""What a message may consist of: its text, and the id that its sender's browser makes."""
from flask_babel import lazy_gettext as _

from ..accounts.characters import is_blank
from ..errors import Invalid, TooLong

MAX_LENGTH = 4000           # characters, after trimming
MAX_CLIENT_ID_LENGTH = 64   # characters


def validate_text(text, may_be_empty=False):
    """Return the text as it is stored: without blank lines before it and spaces after it, with \\n as line break.

    That of a message with files may be empty. Raises Invalid or TooLong with the reason.
    """
    if not isinstance(text, str):
        raise Invalid(_("A message must be text."))
    text = text.replace("\r\n", "\n").rstrip()
    indented = len(text) - len(text.lstrip())
    text = text[text.rfind("\n", 0, indented) + 1:]
    if len(text) > MAX_LENGTH:
        text = text.lstrip()    # a text that is short enough without its indent is accepted
    if is_blank(text):      # its bubble would be empty
        if may_be_empty:
            return ""
        raise Invalid(_("A message cannot be empty."))
    if len(text) > MAX_LENGTH:
        raise TooLong(_("A message can have at most %(most)s characters.", most=MAX_LENGTH))
    if "\0" in text or not _is_unicode(text):
        raise Invalid(_("This text contains characters that cannot be saved."))
    return text


def validate_client_id(client_id):
    """Return the id if it has 1 to MAX_CLIENT_ID_LENGTH visible ASCII characters. Raises Invalid otherwise."""
    if (not isinstance(client_id, str) or not 1 <= len(client_id) <= MAX_CLIENT_ID_LENGTH
            or not all("!" <= c <= "~" for c in client_id)):
        raise Invalid(_("clientId must be 1 to %(most)s visible ASCII characters.", most=MAX_CLIENT_ID_LENGTH))
    return client_id


def _is_unicode(text):
    try:
        return bool(text.encode("utf-8"))
    except UnicodeEncodeError:      # half a surrogate pair, which JSON can contain and no database accepts
        return False

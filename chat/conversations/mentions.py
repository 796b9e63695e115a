"""Mentions: whom a message to a room speaks to by `@name`. They are kept by id and place, so that a name may change later."""
import re

from flask_babel import lazy_gettext as _

from ..accounts import usernames
from ..errors import Invalid
from .message import EVERYBODY

MAX_MENTIONS = 20           # people whom one message may mention
MAX_PLACES = 50             # signs that are looked at in one message; those behind them are text
MAX_PREFIXES = 8            # beginnings of the text after a sign that may be a name: names have few words
EVERYBODY_NAME = "all"      # `@all`, for owners

SIGN = re.compile(r"(?<![\w@])@(?=\w)")
WORD_END = re.compile(r"(?<=\w)(?!\w)")


def find(database, access, text):
    """Return (user id, start, length) for each member whom a text mentions, in code points. Raises Invalid if there are too many."""
    places = [(match.start(), _prefixes(text[match.end():match.end() + usernames.MAX_LENGTH])) for match in SIGN.finditer(text)]
    places = places[:MAX_PLACES]
    ids_by_key = _members(database, access.conversation_id, {key for _start, prefixes in places for _length, keys in prefixes for key in keys})
    if access.is_owner:
        ids_by_key.setdefault(EVERYBODY_NAME, EVERYBODY)
    found = []
    for start, prefixes in places:
        for length, keys in prefixes:
            user_id = next((ids_by_key[key] for key in keys if key in ids_by_key), None)
            if user_id is not None:
                found.append((user_id, start, 1 + length))
                break       # the longest name is meant
    if len({user_id for user_id, _start, _length in found}) > MAX_MENTIONS:
        raise Invalid(_("A message can mention at most %(most)s people.", most=MAX_MENTIONS))
    return tuple(found[:MAX_MENTIONS])


def _prefixes(text):
    """Return (length, the keys of a name) for the beginnings of a text that may be a name, the longest first."""
    text = text.partition("\n")[0]
    ends = [match.end() for match in WORD_END.finditer(text)][:MAX_PREFIXES]
    return [(end, {usernames.canonical(text[:end]), usernames.former_key(text[:end])}) for end in reversed(ends)]


def _members(database, conversation_id, keys):
    """Return {key of the name: id} of the members who have one of these."""
    if not keys:
        return {}
    rows = database.query("SELECT u.id, u.username_key FROM users u JOIN members m ON m.user_id = u.id AND m.conversation_id = %s"
                          f" WHERE u.username_key IN ({', '.join(['%s'] * len(keys))})", (conversation_id, *sorted(keys)))
    return {row["username_key"]: row["id"] for row in rows}

"""Mentions: whom a message to a room speaks to by `@name`. They are kept by id and place, so that a name may change later."""
import itertools

import regex
from flask_babel import lazy_gettext as _

from ..accounts import usernames
from ..errors import Invalid
from .message import EVERYBODY

MAX_MENTIONS = 20           # people whom one message may mention
MAX_PLACES = 50             # signs that are looked at in one message; those behind them are text
MAX_BEGINNINGS = 200        # of names, in one message: to compare one costs 30 µs, and up to 150
MAX_KEPT = 26               # places that fit into the column `mentions`
EVERYBODY_NAME = "all"      # `@all`, for owners

# A vowel sign of an Indic script and a joiner belong to a word as its letters do, which `\w` does not know.
WORD = r"[\p{L}\p{M}\p{N}\p{Cf}_]"
SIGN = regex.compile(rf"(?<!{WORD}|@)@(?=[^\s@])")
NAME_END = regex.compile(rf"(?<=\S)(?<!{WORD}(?={WORD}))(?![\p{{M}}\p{{Cf}}])")


def find(database, access, text):
    """Return (user id, start, length) for each member whom a text mentions, in code points. Raises Invalid if there are too many."""
    places = _places(text)
    ids_by_key = _members(database, access.conversation_id, {key for _start, beginnings in places for _length, keys in beginnings for key in keys})
    if access.is_owner:
        ids_by_key[EVERYBODY_NAME] = EVERYBODY
    found = []
    for start, beginnings in places:
        for length, keys in beginnings:
            user_id = next((ids_by_key[key] for key in keys if key in ids_by_key), None)
            if user_id is not None:
                found.append((user_id, start, 1 + length))
                break       # the longest name is meant
    return _kept(found)


def _places(text):
    """Return (start of a sign, the beginnings of the text after it that may be a name) for the signs of a text."""
    places, left = [], MAX_BEGINNINGS
    for match in itertools.islice(SIGN.finditer(text), MAX_PLACES):
        beginnings = _beginnings(text[match.end():match.end() + usernames.MAX_LENGTH + 1])
        left -= len(beginnings)
        if left < 0:
            break
        places.append((match.start(), [(end, {usernames.canonical(name), usernames.former_key(name)}) for end, name in beginnings]))
    return places


def _beginnings(text):
    """Return (length, name) for the beginnings of a line that may be a name, the longest first. `text` has one character more than a name."""
    line = text.partition("\n")[0].partition(" @")[0]      # at a sign that follows, the next name begins
    ends = [match.end() for match in NAME_END.finditer(line) if 0 < match.end() <= usernames.MAX_LENGTH]
    return [(end, line[:end]) for end in reversed(ends)]


def _kept(found):
    """Return the places that are stored: the first one of everybody, and others as long as there is room."""
    firsts = {}
    for place in found:
        firsts.setdefault(place[0], place)
    if len(firsts.keys() - {EVERYBODY}) > MAX_MENTIONS:
        raise Invalid(_("A message can mention at most %(most)s people.", most=MAX_MENTIONS))
    others = [place for place in found if firsts[place[0]] != place]
    return tuple(sorted([*firsts.values(), *others[:MAX_KEPT - len(firsts)]], key=lambda place: place[1]))


def _members(database, conversation_id, keys):
    """Return {key of the name: id} of the members who have one of these."""
    if not keys:
        return {}
    rows = database.query("SELECT u.id, u.username_key FROM users u JOIN members m ON m.user_id = u.id AND m.conversation_id = %s"
                          f" WHERE u.username_key IN ({', '.join(['%s'] * len(keys))})", (conversation_id, *sorted(keys)))
    return {row["username_key"]: row["id"] for row in rows}

"""What may be a username, and when two of them are the same."""
import unicodedata

from flask_babel import lazy_gettext as _

from .errors import Invalid

SHORTEST = 2    # characters
LONGEST = 32    # characters
MAX_RAW_LENGTH = 4 * LONGEST    # characters before normalisation, which joins up to four and is quadratic in accents

# Letters and symbols that Unicode does not class as invisible, though they are: fillers, blank patterns, selectors.
INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10), *range(0x180B, 0x1810)}
REFUSED_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

# Scripts that one word is written in: Japanese mixes three, Korean and Bopomofo stand beside Chinese characters.
SCRIPTS_TOGETHER = ({"CJK", "HIRAGANA", "KATAKANA"}, {"CJK", "HANGUL"}, {"CJK", "BOPOMOFO"})


def canonical(name):
    """Return the form that must be unique: `Alice`, `alice` and `ＡＬＩＣＥ` share one.

    What is too long to be anybody's name gives an empty string, which is nobody's, before it costs anything.
    """
    if len(name) > MAX_RAW_LENGTH:
        return ""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def searchable(name):
    """Return the canonical form without accents, as people type it into the search."""
    parts = unicodedata.normalize("NFKD", canonical(name))
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


def shown(name):
    """Return the name as it is stored and shown.

    Raises Invalid with the reason where it could be taken for another name, or could not be typed or seen.
    """
    name = unicodedata.normalize("NFKC", name).strip() if len(name) <= MAX_RAW_LENGTH else ""
    if not SHORTEST <= len(name) <= LONGEST:
        raise Invalid(_("A username has %(least)s to %(most)s characters.", least=SHORTEST, most=LONGEST))
    if any(unicodedata.category(c) in REFUSED_CATEGORIES or ord(c) in INVISIBLE for c in name):
        raise Invalid(_("A username has no invisible or control characters."))
    if any(c in "/\\" for c in name) or not any(c.isalnum() for c in name):
        raise Invalid(_("A username needs a letter or a digit, and has no slash."))
    if unicodedata.combining(name[0]):
        raise Invalid(_("A username does not begin with an accent alone."))
    scripts = {_script(c) for c in name if c.isalpha() or (c.isdigit() and not c.isascii())}
    if len(scripts) > 1 and not any(scripts <= together for together in SCRIPTS_TOGETHER):
        raise Invalid(_("A username is written in one alphabet only."))
    return name


def _script(character):
    # The first word of a character's Unicode name is its script: LATIN SMALL LETTER A, CYRILLIC SMALL LETTER A.
    return unicodedata.name(character, "UNKNOWN").split()[0].split("-")[0]

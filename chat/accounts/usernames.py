"""Usernames: which are valid, when two are the same, when two look alike, and how they are searched and sorted."""
import unicodedata

import regex
from flask_babel import lazy_gettext as _

from ..errors import Invalid
from . import collation
from .characters import (
    IN_PLACE, MISPLACED_MARK, SPACES, is_blank, is_one_writing, same_punctuation, skeleton, without_idle_joiners, without_ignorable,
    without_signs_in_words,
)

MIN_LENGTH = 2                      # characters
MAX_LENGTH = 32                     # characters
MAX_RAW_LENGTH = 4 * MAX_LENGTH     # characters before normalisation, which joins up to four and is quadratic in accents
MAX_KEY_LENGTH = 128                # characters of the keys that are stored to compare names; longer ones are cut

REFUSED_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
NO_DIGITS = regex.compile(r"\P{Nd}+")
ACUTE = "\u00B4"        # often typed for an apostrophe; NFKC would turn it into a space with an accent


def canonical(name):
    """Return the form that must be unique: `O'Brien`, `o’brien` and `Ｏ´ＢＲＩＥＮ` share one.

    A name that is too long to be valid gives an empty string, which is nobody's, before it costs any time.
    """
    name = former_key(name.replace(ACUTE, "'"))
    name = unicodedata.normalize("NFKC", same_punctuation(without_ignorable(name)).casefold())
    return " ".join(name.split())[:MAX_KEY_LENGTH].strip()


def former_key(name):
    """Return the canonical form of earlier versions, which did not unify spaces and punctuation.

    Accounts from then have it as their `username_key`.
    """
    if len(name) > MAX_RAW_LENGTH:
        return ""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()


def skeletons(name):
    """Return the forms that no two people may share, because their names would look the same.

    There are four forms. Two are lower case: of the canonical form, and of the name as shown, where `AIice` has a capital I. Two keep
    capitals and digits, because more letters look alike as capitals (Kim, КІМ): of all letters as capitals, and of the name as shown,
    `KlM`. Names that look alike as capitals may differ as small letters: Elia and Ella, Maxi and Max1.
    """
    small, shown = canonical(name), _spaced(name[:MAX_RAW_LENGTH])
    found = {canonical(skeleton(canonical(text)).casefold()) for text in (small, skeleton(shown))}
    for text in (unicodedata.normalize("NFKC", small.upper()), without_ignorable(same_punctuation(shown))):
        text = unicodedata.normalize("NFKC", NO_DIGITS.sub(lambda letters: skeleton(letters[0]), text))
        found.add(" ".join(text.split())[:MAX_KEY_LENGTH].strip())
    return sorted(found)


def search_key(name):
    """Return the canonical form in base letters, as people type it into the search: `lukasz` for Łukasz, `obrien` for O'Brien."""
    # In capitals first: ı is a letter of its own in every table, but its capital is I, as that of i.
    return collation.base_letters(without_signs_in_words(canonical(canonical(name).upper())))[:MAX_KEY_LENGTH].strip()


def sort_key(name):
    """Return what sorts names as people expect: Élodie after Eddy."""
    return collation.sort_key(canonical(name)[:MAX_LENGTH])


def validate(name):
    """Return the name as it is stored and shown.

    Raises Invalid with the reason if the name could be taken for another one, or could not be typed or seen.
    """
    name = _spaced(name) if len(name) <= MAX_RAW_LENGTH else ""
    if not MIN_LENGTH <= len(name) <= MAX_LENGTH:
        raise Invalid(_("A username must have %(least)s to %(most)s characters.", least=MIN_LENGTH, most=MAX_LENGTH))
    letters = IN_PLACE.sub("", name)
    if any(unicodedata.category(c) in REFUSED_CATEGORIES or (c != " " and is_blank(c)) for c in letters):
        raise Invalid(_("A username cannot contain invisible or control characters."))
    if any(c in "/\\" for c in name) or not any(c.isalnum() for c in name):
        raise Invalid(_("A username must contain a letter or a digit, and no slash."))
    if MISPLACED_MARK.search(unicodedata.normalize("NFD", letters)):
        raise Invalid(_("In a username, an accent must follow a letter, and not be repeated."))
    if not is_one_writing(letters):
        raise Invalid(_("A username must use the letters of one alphabet only, and not of an ancient one."))
    return name


def _spaced(name):
    """Return the name in NFKC, with single spaces inside and none around it."""
    return without_idle_joiners(SPACES.sub(" ", unicodedata.normalize("NFKC", name.replace(ACUTE, "'"))).strip())

"""Sorting and searching by the Unicode Collation Algorithm (UTS #10), whose table comes from the package `pyuca`."""
import functools
import unicodedata

from .base_letters import base_letter
from .collation_table import Collator

_COLLATOR = Collator()
MAX_KEY_LENGTH = 128        # characters; the rest of a longer key does not count

# A key is text, which both engines compare by code points. Its characters are the weights, moved above the space, because
# MySQL pads the shorter of two texts with spaces before it compares them.
LEVEL_END = "!"
_ABOVE_SPACE = 0x30
_SURROGATES = range(0xD800, 0xE000)     # not allowed in text; weights from here on are moved further, past them
_USUAL_WEIGHTS = (None, 0x20, 0x02)     # of a plain small letter, by level: no weight is smaller


def sort_key(text):
    """Return a key that sorts as people expect: by letters first, then by accents, then by case."""
    elements = _COLLATOR.collation_elements(unicodedata.normalize("NFD", text))
    levels = []
    for level, usual in enumerate(_USUAL_WEIGHTS):
        weights = [element[level] for element in elements if element[level]]
        while weights and weights[-1] == usual:     # at the end the smallest weight changes no order, and would fill the index
            weights.pop()
        levels.append("".join(map(_character, weights)))
    return LEVEL_END.join(levels)[:MAX_KEY_LENGTH]


def _character(weight):
    return chr(weight + (_ABOVE_SPACE if weight + _ABOVE_SPACE < _SURROGATES.start else 0x10000))


def base_letters(text):
    """Return the text in base letters, as people type it into a search: l for Ł, o for Ø, oe for Œ, and no accents.

    Letters with the same primary weight are the same. The text is mapped letter by letter, and those of Korean syllables stay apart:
    so half a syllable is found too while somebody types.
    """
    return "".join(map(_base, unicodedata.normalize("NFD", text)))


@functools.lru_cache(maxsize=4096)
def _base(character):
    _found, elements, _rest = _COLLATOR.table.find_prefix([ord(character)])
    weights = [element[0] for element in elements or () if element[0]]
    # A Chinese character is not in the table, or has weights of its own.
    is_known = elements is not None and all(weight in _COLLATOR.table.base_letters for weight in weights)
    text = "".join(_COLLATOR.table.base_letters[weight] for weight in weights) if is_known else character
    simpler = "".join(map(_simpler, text))
    return text if simpler == text else base_letters(simpler)


def _simpler(letter):
    """Return its base letter, unless that is newer than the table: only some versions of Python know it, and keys are stored."""
    base = base_letter(letter)
    return base if all(_COLLATOR.table.find_prefix([ord(part)])[1] for part in base) else letter

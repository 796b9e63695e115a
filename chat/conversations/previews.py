"""The beginning of a message, cut between characters as a reader sees them."""
import unicodedata

MAX_PREVIEW_LENGTH = 120        # code points
MAX_EMOJI_LENGTH = 32           # code points, joined ones: a longer run of joined code points is cut
JOINER = "\u200d"
REGIONAL = ("\U0001f1e6", "\U0001f1ff")        # two of them are a flag
JOINED = ((JOINER, JOINER), ("\u1160", "\u11ff"), ("\U0001f3fb", "\U0001f3ff"), ("\U000e0020", "\U000e007f"))


def shortened(text):
    """Return the beginning of a text, without cutting an emoji or an accented letter."""
    end = MAX_PREVIEW_LENGTH
    while end > MAX_PREVIEW_LENGTH - MAX_EMOJI_LENGTH and _is_joined(text, end):
        end -= 1
    return text[:MAX_PREVIEW_LENGTH if _is_joined(text, end) else end]


def _is_joined(text, at):
    """Tell whether the code point there belongs to the one before it: an accent, a skin tone, half of a flag."""
    if at >= len(text):
        return False
    if text[at - 1] == JOINER or any(first <= text[at] <= last for first, last in JOINED):
        return True
    if REGIONAL[0] <= text[at] <= REGIONAL[1]:
        halves = 0
        while halves < at and REGIONAL[0] <= text[at - 1 - halves] <= REGIONAL[1]:
            halves += 1
        return halves % 2 == 1
    return unicodedata.category(text[at]).startswith("M")

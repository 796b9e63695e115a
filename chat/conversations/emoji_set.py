"""The emoji that Unicode recommends for general interchange (RGI), each as one sequence."""
import emoji

EMOJI = frozenset(text for text, known in emoji.EMOJI_DATA.items() if known["status"] == emoji.STATUS["fully_qualified"])
MAX_EMOJI_LENGTH = max(map(len, EMOJI))     # code points
emoji.EMOJI_DATA.clear()    # the package keeps their names in all languages as well: 10 MB that nobody needs here


def count_alone(text, limit):
    """Return how many emoji a text consists of, besides blanks; 0 if there is anything else, or more than `limit` of them."""
    count, at = 0, 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        length = next((n for n in range(MAX_EMOJI_LENGTH, 0, -1) if text[at:at + n] in EMOJI), 0) if count < limit else 0
        if not length:
            return 0
        at += length
        count += 1
    return count

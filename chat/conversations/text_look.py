"""How the text of a message is shown, beside its tree: emoji alone are large, long texts and code are folded. formatted-text.js does the same."""
from .emoji_set import count_alone
from .formatting import plain, plain_of, tree_of
from .previews import shortened

MAX_LARGE_EMOJI = 3
MAX_LARGE_LENGTH = 33       # code points of them, blanks beside them too
MAX_LINES = 20              # of a text or of code that is not folded
WIDE, NARROW = 100, 42      # characters in a line of a wide and of a narrow bubble: rather too many, so that nothing is folded in vain

NAMES = {"python": "Python", "javascript": "JavaScript", "html": "HTML", "css": "CSS", "sql": "SQL", "php": "PHP", "java": "Java", "c": "C",
         "shell": "Shell", "json": "JSON"}
ALIASES = {"py": "python", "python3": "python", "js": "javascript", "mjs": "javascript", "jsx": "javascript", "node": "javascript", "htm": "html",
           "xml": "html", "svg": "html", "mysql": "sql", "mariadb": "sql", "sqlite": "sql", "postgresql": "sql", "h": "c", "sh": "shell",
           "bash": "shell", "zsh": "shell", "console": "shell"}


class TextLook:
    """The text of a message as it is shown. `source` is what was written, where the elements of the page do not say so."""

    __slots__ = ("tree", "source", "mentions", "fold", "is_large")

    def __init__(self, text, mentions=()):
        self.tree = tree_of(text, mentions)
        is_plain = len(self.tree) == 1 and self.tree[0] == text
        self.source = "" if is_plain or _length(self.tree) == len(text) else text
        self.mentions = " ".join(f"{user_id}:{start}:{length}" for user_id, start, length in mentions) if self.source else ""
        self.fold = fold_of(text, self.tree)
        self.is_large = is_plain and bool(text) and len(text) <= MAX_LARGE_LENGTH and text.rstrip(" ")[-1:] > "\x7f" \
            and count_alone(text, MAX_LARGE_EMOJI) > 0

    @property
    def is_styled(self):
        """Whether the page needs the style sheet of formatted text."""
        return bool(self.source or self.fold or self.is_large)


def looks_of(messages):
    """Return {seq: TextLook} of the messages of a page."""
    return {message.seq: TextLook("" if message.is_deleted else message.text, message.mentions) for message in messages}


def _length(tree):
    """Return how many characters a tree shows: as many as were written if none of them is a mark."""
    length = 0
    for node in tree:
        if isinstance(node, str):
            length += len(node)
        elif node[0] == "address":
            length += len(node[1])
        elif node[0] == "mention":
            length += len(node[2])
        else:
            return -1       # it has marks
    return length


def fold_of(text, tree):
    """Return whether more than MAX_LINES lines are shown: "wide" if so in every window, "narrow" if on a phone, else "".

    Blocks of code do not count: they are folded by themselves.
    """
    if len(text) <= MAX_LINES * NARROW and text.count("\n") < MAX_LINES:
        return ""
    lengths = [len(line) for line in plain_of([node for node in tree if node[0] != "block"]).split("\n")]
    for name, width in (("wide", WIDE), ("narrow", NARROW)):
        if sum(max(1, -(-length // width)) for length in lengths) > MAX_LINES:
            return name
    return ""


def beginning(text):
    """Return the beginning of a text without its marks."""
    return shortened(plain(text))


def language_of(word):
    """Return the key of a language that is coloured, of what stands after a fence; else an empty text."""
    key = ALIASES.get(word, word)
    return key if key in NAMES else ""


def language_name(word):
    """Return how a language is called: one that nobody knows as its writer calls it."""
    return NAMES.get(ALIASES.get(word, word), word)


def line_count(tree):
    """Return the number of lines of code."""
    return plain_of(tree).count("\n") + 1


WORDS = {"plain": plain, "beginning": beginning, "language_of": language_of, "language_name": language_name, "line_count": line_count}     # for the templates

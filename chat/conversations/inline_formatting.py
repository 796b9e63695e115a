"""What stands in a line of a message: bold, italic, struck and code, addresses, links and mentions (formatting.py says which nodes).

Addresses, code and links are found first, and emphasis.py finds what stands between stars.
"""
import re

import regex

from ..accounts.characters import is_blank
from .emphasis import Run, built, joined
from .links import TARGET, addresses_in, is_address

MAX_MARKS = 500             # that are looked at in one message, those of blocks too; what is behind them is text, with its mentions

# A mention takes the place of two characters: \0, which no message may have in it, and its number from here on.
FIRST_MENTION = 0xE000
MENTION = re.compile("\0[\ue000-\ue0ff]")

TOKEN = re.compile("`+|\\*+|~+|[\\[\\]]|\0[\ue000-\ue0ff]")
ANY_MARK = re.compile("[*`~[\0]|://")
VISIBLE = {"address", "link", "mention", "numbers"}      # nodes, whatever is in them
BLANK, MARK, LETTER = 0, 1, 2
ASCII_MARKS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\0"
# All code points of the emoji blocks count as marks: Python and the browser may know different Unicode versions.
OTHER_MARKS = regex.compile(r"[\p{P}\p{S}\U0001F000-\U0001FAFF]")
OTHER_BLANKS = regex.compile(r"\p{Zs}")


class MarkedText:
    """A text in which mentions are signs of two characters, and their nodes; and how many marks of it may still be looked at."""

    def __init__(self, text, mentions):
        self.text, self.nodes, self.marks_left = text, [], MAX_MARKS
        if mentions:
            self.text = self._with_signs(text.replace("\0", "\ufffd"), sorted(mentions, key=lambda mention: mention[1]))

    def _with_signs(self, text, mentions):
        pieces, at = [], 0
        for user_id, start, length in mentions:
            pieces += [text[at:start], "\0", chr(FIRST_MENTION + len(self.nodes))]
            at = start + length
            self.nodes.append(["mention", user_id, text[start:at]])
        return "".join(pieces) + text[at:]

    def take_mark(self):
        """Tell whether one more mark is looked at."""
        if self.marks_left == 0:
            return False
        self.marks_left -= 1
        return True

    def split(self, text=None):
        """Return a text in which nothing else is read as a tree: what was typed, and the mentions in it."""
        text = self.text if text is None else text
        if not self.nodes:
            return [text] if text else []
        tree, at = [], 0
        for sign in MENTION.finditer(text):
            tree += [text[at:sign.start()], self.node(sign.group())]
            at = sign.end()
        return joined([*tree, text[at:]])

    def node(self, sign):
        return self.nodes[ord(sign[1]) - FIRST_MENTION]


def inline_nodes(text, marked):
    """Return the tree of a paragraph."""
    if not ANY_MARK.search(text) or not marked.marks_left and not marked.nodes and "://" not in text:
        return [text]
    return _Paragraph(text, marked).tree()


class _Paragraph:
    """The paragraph that is being read. `items` holds texts, nodes and runs, `openings` the places of [ in it."""

    __slots__ = ("text", "marked", "items", "runs", "openings", "at", "address_count")

    def __init__(self, text, marked):
        self.text, self.marked = text, marked
        self.items, self.runs, self.openings = [], [], []
        self.at, self.address_count = 0, 0

    def tree(self):
        text = self.text
        addresses = addresses_in(text) if "://" in text else []
        following = 0
        ticks = _partners(text) if "`" in text else {}
        for token in TOKEN.finditer(text):
            start = token.start()
            while following < len(addresses) and addresses[following][0] < start:
                self._add_address(addresses[following])
                following += 1
            if start < self.at:
                continue        # in an address, in code, or in the target of a link
            sign = token.group()
            if sign[0] == "\0" or self.marked.take_mark():
                self._add_token(sign, start, token.end(), ticks)
            elif not self.marked.nodes:
                break           # else the rest may have mentions
        for address in addresses[following:]:
            self._add_address(address)
        self._add_text(len(text))
        return built(self.items, self.runs)

    def _add_text(self, end):
        if end > self.at:
            self.items.append(self.text[self.at:end])
            self.at = end

    def _add(self, item, start, end):
        self._add_text(start)
        self.items.append(item)
        self.at = end

    def _add_address(self, address):
        start, end = address
        if start >= self.at:
            self._add(["address", self.text[start:end]], start, end)
            self.address_count += 1

    def _add_token(self, sign, start, end, ticks):
        mark = sign[0]
        if mark == "`":
            partner = ticks.get(start)
            if partner:
                self._add(["code", self.marked.split(_code(self.text[end:partner]))], start, partner + end - start)
        elif mark == "*" or mark == "~":
            self._add_run(mark, start, end)
        elif mark == "[":
            self._add_text(start)
            self.openings.append((len(self.items), len(self.runs), self.address_count))
            self._add(mark, start, end)
        elif mark == "]":
            self._close_link(start, end)
        elif self.marked.nodes:
            self._add(self.marked.node(sign), start, end)

    def _add_run(self, mark, start, end):
        if mark == "~" and end - start != 2:
            return
        before = _class_of(self.text[start - 1]) if start else BLANK
        after = _class_of(self.text[end]) if end < len(self.text) else BLANK
        can_open = after != BLANK and (after == LETTER or before != LETTER)
        can_close = before != BLANK and (before == LETTER or after != LETTER)
        if can_open or can_close:
            run = Run(mark, end - start, can_open, can_close)
            self.runs.append(run)
            self._add(run, start, end)

    def _close_link(self, start, end):
        """What stands in [ and ] with a target after it is a link, if it is neither invisible nor an address that might differ from the target."""
        if not self.openings:
            return
        first, first_run, address_count = self.openings.pop()
        target = TARGET.match(self.text, end)
        self._add_text(start)
        if not target or first == len(self.items) - 1 or address_count < self.address_count or not is_address(target[1]):
            return
        children = built(self.items[first + 1:], self.runs[first_run:])
        if not is_visible(children):
            return
        del self.items[first:], self.runs[first_run:]
        self.openings.clear()   # no link is in another one
        self._add(["link", target[1], children], start, target.end())


def is_visible(tree):
    """Tell whether a reader sees a character of a tree."""
    for node in tree:
        if isinstance(node, str):
            found = not is_blank(node)
        elif node[0] == "list":
            found = any(map(is_visible, node[1]))
        else:
            found = node[0] in VISIBLE or is_visible(node[-1])
        if found:
            return True
    return False


def _code(text):
    """Return the text of code in a line, without the blank at both ends that lets it begin or end with a backtick."""
    text = text.replace("\n", " ")
    return text[1:-1] if text[0] == text[-1] == " " and text.strip(" ") else text


def _partners(text):
    """Return {start of a run of backticks: start of the next one that is as long}."""
    partners, earlier = {}, {}
    for run in re.finditer("`+", text):
        start, end = run.span()
        if end - start in earlier:
            partners[earlier[end - start]] = start
        earlier[end - start] = start
    return partners


def _class_of(character):
    if character <= "\x7f":
        return BLANK if character in " \t\n\f\r\v" else MARK if character in ASCII_MARKS else LETTER
    return MARK if OTHER_MARKS.match(character) else BLANK if OTHER_BLANKS.match(character) else LETTER

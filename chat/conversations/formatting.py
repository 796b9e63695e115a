"""The small Markdown of messages. `tree_of(text)` reads it; a macro (_text.html) shows it. formatting.js makes the same tree in the browser.

A tree is a list of nodes. A node is a text, or a list that begins with its kind:

    ["bold", tree]  ["italic", tree]  ["struck", tree]  ["code", tree]
    ["address", href]  ["link", href, tree]  ["mention", user id, text]
    ["block", language, tree]  ["quote", tree]  ["list", [tree, ...]]  ["numbers", first number, [tree, ...]]

Text without formatting stays as typed, blanks and line breaks too. So does a text that would become invisible.

Each line is read once for each quote or list that it is in, and they are nested MAX_DEPTH deep at most; inline_formatting.py
reads what stands between the blocks in one pass. So no text takes long.
"""
import re

from .emphasis import joined
from .inline_formatting import MarkedText, inline_nodes, is_visible

MAX_DEPTH = 4               # of quotes and lists in one another
MAX_PLAIN_LENGTH = 500      # code points of a message of which a preview is made

# Most messages are plain, and this one search says so.
MARKUP = re.compile(r"[*`]|~~|://|^ {0,3}(?:>(?: |$)|-[ \t]|\d{1,9}\.[ \t])", re.MULTILINE | re.ASCII)

FENCE = re.compile(r"( {0,3})(`{3,}(?=[^`]*\Z)|~{3,})[ \t]*")
LANGUAGE = re.compile(r"[\w+#.-]*(?=[ \t]*\Z)", re.ASCII)      # alone behind a fence
FENCE_END = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*\Z")
BEGINNING = re.compile(r" {0,3}(?:```|~~~|>(?: |\Z)|(?:[-*]|[0-9]{1,9}\.)[ \t])")       # of a block, perhaps
QUOTE = re.compile(r" {0,3}>(?: |\Z)")
ITEM = re.compile(r"( {0,3})([-*]|([0-9]{1,9})\.)([ \t]{1,4}(?=[^ \t])|[ \t](?=[ \t]*[^ \t])|(?=[ \t]*\Z))")
PLAIN = re.compile(r"[^*`~\[:>\-0-9\0]*\Z")       # a line in which there is nothing to read
RULE = re.compile(r" {0,3}([-*])[ \t]*(?:\1[ \t]*){2,}\Z")       # a line across the page, to many: here it stays what it is
BLANKS = " \t"
TAB_WIDTH = 4               # columns


def tree_of(text, mentions=()):
    """Return the tree of a text. `mentions` are (user id, start, length), as a Message has them."""
    if not mentions and not MARKUP.search(text):
        return [text] if text else []
    marked = MarkedText(text, mentions)
    tree = _blocks(marked.text.split("\n"), marked, 0)
    return tree if is_visible(tree) else marked.split()


def plain(text, limit=MAX_PLAIN_LENGTH):
    """Return the beginning of a text, at least, without its markers: for a preview."""
    return plain_of(tree_of(text[:limit])) if MARKUP.search(text, 0, limit) else text


def plain_of(tree):
    """Return a tree as text: blocks and items on lines of their own."""
    lines, is_block = [""], False
    for node in tree:
        if isinstance(node, str) or node[0] not in BLOCKS:
            if is_block:
                lines.append("")
            lines[-1] += node if isinstance(node, str) else INLINE[node[0]](node)
            is_block = False
        else:
            is_block = True
            lines += BLOCKS[node[0]](node)
    return "\n".join(lines if lines[0] or len(lines) == 1 else lines[1:])


INLINE = {
    "bold": lambda node: plain_of(node[1]), "italic": lambda node: plain_of(node[1]), "struck": lambda node: plain_of(node[1]),
    "code": lambda node: plain_of(node[1]), "address": lambda node: node[1], "link": lambda node: plain_of(node[2]),
    "mention": lambda node: node[2],
}
BLOCKS = {
    "block": lambda node: [plain_of(node[2])], "quote": lambda node: [plain_of(node[1])],
    "list": lambda node: [plain_of(item) for item in node[1]],
    "numbers": lambda node: [f"{number}. {plain_of(item)}" for number, item in enumerate(node[2], node[1])],
}


def _blocks(lines, marked, depth):
    """Return the tree of the lines of a message, a quote or an item."""
    tree, text_from = [], 0
    for at in [at for at, line in enumerate(lines) if BEGINNING.match(line)]:
        if at < text_from:
            continue        # in the block before
        block = _block_at(lines, at, marked, depth, at > text_from and lines[at - 1].strip(BLANKS) != "") if marked.marks_left else None
        if block:
            _add_text(tree, lines, text_from, at, marked, depth > 0)
            node, text_from = block
            tree.append(node)
    _add_text(tree, lines, text_from, len(lines), marked, depth > 0)
    return joined(tree)


def _block_at(lines, at, marked, depth, is_after_text):
    """Return the block that begins at a line, and where the next one begins; None if it is text."""
    fence = FENCE.match(lines[at])
    if fence:
        return _code(lines, at, fence, marked) if marked.take_mark() else None
    if depth == MAX_DEPTH:
        return None
    if QUOTE.match(lines[at]):
        return _quote(lines, at, marked, depth) if marked.take_mark() else None
    item = _item_at(lines[at])
    # In the middle of a paragraph "1999. " is a year that has come to the beginning of a line, and a dash alone is no list.
    if not item or not item[4] or is_after_text and item[3] and int(item[3]) != 1:
        return None
    return _list(lines, at, item, marked, depth) if marked.take_mark() else None


def _code(lines, at, fence, marked):
    """A block ends with a fence at least as long as the first one, or with what it stands in.

    Behind the first one stands a language, or code: some write it there, and no word of a message is lost.
    """
    indent, first = fence.groups()
    end = at + 1
    while end < len(lines):
        last = FENCE_END.match(lines[end])
        if last and last[1][0] == first[0] and len(last[1]) >= len(first):
            break
        end += 1
    code = [_without_indent(line, len(indent)) for line in lines[at + 1:end]] if indent else lines[at + 1:end]
    if end == len(lines) and not any(line.strip(BLANKS) for line in code):
        return None     # somebody is about to write one, or writes about fences
    language = LANGUAGE.match(lines[at], fence.end())
    code = code if language else [lines[at][fence.end():], *code]
    return ["block", language.group().lower() if language else "", marked.split("\n".join(code))], end + 1


def _without_indent(line, limit):
    """Return a line without the first blanks, as many as the fence has before it."""
    return line[min(limit, len(line) - len(line.lstrip(" "))):]


def _quote(lines, at, marked, depth):
    quoted = []
    while at < len(lines):
        mark = QUOTE.match(lines[at])
        if not mark:
            break
        quoted.append(lines[at][mark.end():])
        at += 1
    return ["quote", _blocks(quoted, marked, depth + 1)], at


def _item_at(line):
    item = ITEM.match(line)
    return None if item and item[2] in "-*" and RULE.match(line) else item


def _list(lines, at, item, marked, depth):
    """The items of a list have the same mark; what belongs to one is indented as far as its text. Blank lines between are left out."""
    mark, number, items = item[2][-1], item[3], []
    while item:
        width = _width(item)
        inside, blanks, following = [lines[at][item.end():]], 0, None
        at += 1
        while at < len(lines):
            line = _with_spaces(lines[at])
            if not line.strip(BLANKS):
                blanks += 1
            elif line[:width].strip(" "):
                following = _item_at(lines[at])
                break
            else:
                inside += [""] * blanks + [line[width:]]
                blanks = 0
            at += 1
        is_plain = len(inside) == 1 and PLAIN.match(inside[0])
        items.append(marked.split(inside[0].strip(BLANKS) and inside[0]) if is_plain else _blocks(inside, marked, depth + 1))
        item = following if following and following[2][-1] == mark and marked.take_mark() else None
    return ["numbers", int(number), items] if number else ["list", items], at


def _with_spaces(line):
    """Return a line with spaces for the tabs of its indent."""
    indent = len(line) - len(line.lstrip(BLANKS))
    return line[:indent].expandtabs(TAB_WIDTH) + line[indent:] if "\t" in line[:indent] else line


def _width(item):
    """Return the columns before the text of an item; an empty one has them too."""
    return len(item[1]) + len(item[2]) + max(1, len(item[4]))


def _add_text(tree, lines, start, end, marked, is_nested):
    """Read lines that are no block. Blank ones beside a block only part it from the text; those between paragraphs stay."""
    if is_nested or start > 0:
        while start < end and not lines[start].strip(BLANKS):
            start += 1
    if is_nested or end < len(lines):
        while end > start and not lines[end - 1].strip(BLANKS):
            end -= 1
    paragraph = start
    for at in range(start, end + 1):
        if at < end and lines[at].strip(BLANKS):
            continue
        if at > paragraph:
            tree += ["\n" if paragraph > start else "", *inline_nodes("\n".join(lines[paragraph:at]), marked)]
        if at < end:
            tree += ["\n" if at > start else "", lines[at]]
        paragraph = at + 1

"""Stars and tildes find their partners, and what stands between them becomes a node.

The rules are those of CommonMark; so is the way to find partners, which looks at each run of stars a fixed number of times. CommonMark
nests without end; here it ends at MAX_NESTED, since who reads a tree goes down all its levels, and some do so by a call for each.
"""
MAX_NESTED = 16             # of bold, italic and struck in one another; marks of deeper ones are text

KINDS = {"*": ("italic", "bold"), "~": (None, "struck")}
MARKS = {"italic": "*", "bold": "**", "struck": "~~"}


class Run:
    """Stars, or two tildes. `closes` and `opens` are the kinds of nodes that end and begin at it, in the order in which they were found."""

    __slots__ = ("mark", "length", "left", "can_open", "can_close", "closes", "opens")

    def __init__(self, mark, length, can_open, can_close):
        self.mark, self.length, self.left, self.can_open, self.can_close = mark, length, length, can_open, can_close
        self.closes, self.opens = [], []


def joined(tree):
    """Return a tree in which texts beside each other are one, and none is empty."""
    nodes, texts = [], []
    for node in tree:
        if isinstance(node, str):
            texts.append(node)
            continue
        if texts:
            nodes.append("".join(texts))
            texts = []
        nodes.append(node)
    nodes.append("".join(texts))
    return [node for node in nodes if node]


def built(items, runs):
    """Return the tree of items, after each run has found its partners."""
    if runs:
        _pair(runs)
    tree, outer, too_deep = [], [], 0      # `too_deep` counts the partners that are open and stay text
    for item in items:
        if not isinstance(item, Run):
            tree.append(item)
            continue
        for kind in item.closes:
            if too_deep:
                tree.append(MARKS[kind])
                too_deep -= 1
            else:
                node, tree = [kind, joined(tree)], outer.pop()
                tree.append(node)
        tree.append(item.mark * item.left)
        for kind in reversed(item.opens):
            if len(outer) == MAX_NESTED:
                tree.append(MARKS[kind])
                too_deep += 1
            else:
                outer.append(tree)
                tree = []
    return joined(tree)


def _pair(runs):
    """Find the partners of runs. `lowest` has for each kind of closer the index below which no opener matches. It keeps the search linear."""
    openers, lowest = [], {}
    for closer in runs:
        kind_of_closer = closer.mark, closer.can_open, closer.length % 3
        while closer.can_close and closer.left:
            at, end = len(openers) - 1, lowest.get(kind_of_closer, 0)
            while at >= end and not _are_partners(openers[at], closer):
                at -= 1
            if at < end:
                lowest[kind_of_closer] = len(openers)
                break
            opener = openers[at]
            count = 2 if opener.left > 1 and closer.left > 1 else 1
            kind = KINDS[closer.mark][count - 1]
            opener.opens.append(kind)
            closer.closes.append(kind)
            opener.left -= count
            closer.left -= count
            del openers[at + 1 if opener.left else at:]
            for known, index in lowest.items():
                if index > len(openers):
                    lowest[known] = len(openers)
        if closer.can_open and closer.left:
            openers.append(closer)


def _are_partners(opener, closer):
    if opener.mark != closer.mark:
        return False
    both = opener.can_close or closer.can_open
    return not both or (opener.length + closer.length) % 3 != 0 or opener.length % 3 == 0 and closer.length % 3 == 0

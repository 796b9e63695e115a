"""The addresses in a text. links.js finds the same ones. Each character is looked at a fixed number of times, so that no text takes long."""
import re
import unicodedata

from .link_characters import ENDING, character_class

MAX_HOST_LENGTH = 255       # code points before the path; no host has a longer name

START = re.compile(r"\bhttps?://", re.ASCII | re.IGNORECASE)

# Punctuation inside words does not end an address: "Bose–Einstein", "ル・ダ".
ASCII_OUTSIDE = r"""\s\x00-\x1f\x7f<>"`"""
OUTSIDE = ASCII_OUTSIDE + r"\ud800-\udfff" + character_class(ENDING)
MARK = re.compile(rf"[()\[\]{{}}{OUTSIDE}]")
ASCII_MARK = re.compile(rf"[()\[\]{{}}{ASCII_OUTSIDE}]")     # the same for most texts, and ten times as fast
CLOSING = {"(": ")", "[": "]", "{": "}"}
ASCII_TRAILING = ".,;:!?'*~"
JOINERS = "\u200c\u200d"      # inside words of some scripts, and between emoji

# After the scheme: a name and a password perhaps, a host without the characters that URLs forbid in one, a port perhaps.
HOST = re.compile(r"https?://(?:[^/?#\\@]*@)?(?:\[[0-9a-f:.]+\]|[^\x00-\x20#/:<>?@\[\]\\^|%\x7f]+)(?::[0-9]{0,5})?(?=[/?#\\]|\Z)", re.IGNORECASE | re.ASCII)
HOST_END = re.compile(r"[/?#\\]")

# What may stand between the parentheses of [text](address): parentheses in it have partners.
INSIDE = f"[^(){OUTSIDE}]"
TARGET = re.compile(rf"\(([Hh][Tt][Tt][Pp][Ss]?://(?:{INSIDE}|\({INSIDE}*\))+)\)")


def addresses_in(text):
    """Return (start, end) of each http or https address in a text."""
    found = START.search(text)
    if not found:
        return []
    addresses, line_end = [], -1
    while found:
        begun, after = found.span()
        if begun > line_end:
            line_end = text.find("\n", after)
            line_end = len(text) if line_end < 0 else line_end
            # `following` is an index in `ends`; it only grows, so that all addresses of a line together look at each end once.
            ends, following = _ends_in(text, text.rfind("\n", 0, begun) + 1, line_end), 0
        while following < len(ends) and (ends[following][0] < after or ends[following][1] > begun):
            following += 1      # before the address, or a bracket whose partner is in the address too
        end = without_punctuation(text, after, ends[following][0] if following < len(ends) else line_end)
        if is_address(text[begun:end]):
            addresses.append((begun, end))
        found = START.search(text, max(after, end))
    return addresses


def is_address(text):
    """Tell whether a text that begins with the scheme names a host. Long names of hosts are not looked at."""
    start = text.index("//") + 2
    path = HOST_END.search(text, start)
    return (path.start() if path else len(text)) - start <= MAX_HOST_LENGTH and HOST.match(text) is not None


def without_punctuation(text, start, end):
    """Return where an address ends: punctuation and symbols at its end, such as emoji, belong to the sentence around it."""
    while end > start and _is_trailing(text[end - 1]):
        end -= 1
    return end


def _is_trailing(character):
    if character.isascii():
        return character in ASCII_TRAILING
    return unicodedata.category(character)[0] in "PS" or character in JOINERS


def _ends_in(text, line_start, line_end):
    """Return the places in a line where an address may end, ascending: [index, least start]. It ends there if it starts at that or later.

    For most characters that is anywhere. A closing bracket ends only addresses that start after its opening bracket, and an
    opening bracket with a partner ends none: "(see https://example.org/a_(b))" keeps `a_(b)`.
    """
    ends, opened = [], []       # `opened` holds the opening brackets without a partner yet
    for found in (ASCII_MARK if text.isascii() else MARK).finditer(text, line_start, line_end):
        index, mark = found.start(), found.group()
        end = [index, 0, mark]
        ends.append(end)
        if mark in CLOSING:
            opened.append(end)
        elif opened and mark == CLOSING[opened[-1][2]]:
            opening = opened.pop()
            end[1], opening[1] = opening[0] + 1, len(text)
        else:
            opened.clear()
    return ends

"""What texts are read as: the server and the browser agree, on each case of a list and on random texts."""
import json
import random
import re
import subprocess
import unicodedata
from pathlib import Path

import pytest
import regex

from chat.accounts.characters import INVISIBLE as INVISIBLE_CLASS
from chat.conversations import link_characters
from chat.conversations.formatting import MARKUP, plain, plain_of, tree_of
from chat.conversations.text_look import TextLook
from tools import ROOT, node

LISTS = json.loads((Path(__file__).parent / "formatting_cases.json").read_text(encoding="utf-8"))
CASES, EMOJI = LISTS["cases"], LISTS["emoji"]
RANDOM_TEXTS = 5_000
NODE_SECONDS = 60
INVISIBLE = regex.compile(f"[{INVISIBLE_CLASS}]")

# What a random text is put together from: marks, blanks, beginnings of lines, addresses, letters and signs of many kinds.
PIECES = ("*", "**", "***", "~~", "~", "`", "``", "```", "~~~", "[", "](", "]", ")", "(", "http://a", "https://b.c/d", "[x](https://e.f)", "> ", ">",
          "- ", "* ", "1. ", "2. ", "10. ", "\n", "\n\n", "  ", "   ", "    ", "\t", " ", "a", "é", "„", "”", "😀", "👨‍👩‍👧", "\u202e", "\u200f", "مرحبا",
          "日本", "。", "_", "!", ".", ",", "@bob", "\\", "<b>", "&amp;", "\u2028", "\r", "\u00a0", "\u0301", "-", "---", "* * *", "python", "|", "¡", "€",
          "\ufeff", "ſ", "İ", "\ue000", "\u3000",
          "＜", "｜", "\u3164", "\u2800", "❤\ufe0f", "→", "\u034f", "☆")


def in_the_browser(texts):
    """Return (tree, plain text) for each (text, mentions), as formatting.js has them."""
    result = subprocess.run([*node.node_command(), str(ROOT / "tests" / "js" / "trees.mjs")], input=json.dumps(texts), capture_output=True, text=True,
                            encoding="utf-8", timeout=NODE_SECONDS)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def as_lists(tree):
    return json.loads(json.dumps(tree))


def test_it_works():
    assert tree_of("**a** `b`") == [["bold", ["a"]], " ", ["code", ["b"]]]
    assert len(CASES) >= 150 and sum("CommonMark" in case["about"] for case in CASES) >= 100


@pytest.mark.parametrize("case", CASES, ids=[f"{number} {case['about']}" for number, case in enumerate(CASES)])
def test_a_text_is_read_as_the_list_says(case):
    tree = as_lists(tree_of(case["text"], [tuple(mention) for mention in case.get("mentions", ())]))
    assert tree == case["tree"]
    assert plain_of(tree) == case["plain"]


def test_after_500_marks_the_rest_is_text():
    tree = tree_of("*a* " * 251)
    assert [node[0] for node in tree if not isinstance(node, str)] == ["italic"] * 250 and tree[-1] == " *a* "


@pytest.mark.parametrize("seed", range(3))
def test_the_browser_reads_random_texts_alike(seed):
    rng = random.Random(seed)
    texts = [random_text(rng) for _n in range(RANDOM_TEXTS)]
    different = [(text, mentions) for (text, mentions), (tree, plain_text) in zip(texts, in_the_browser(texts))
                 if as_lists(tree_of(text, mentions)) != tree or plain_of(tree) != plain_text]
    assert different == []


def test_the_browser_knows_the_same_marks_and_blanks():
    """Those that this Python knows, of letters every eleventh, and all that are emoji or may become some."""
    texts = [f"**{chr(code)}**a" for code in range(1, 0x20000)
             if 0x1F000 <= code < 0x1FB00 or (kind := unicodedata.category(chr(code)))[0] in "PSZ" or code % 11 == 0 and kind not in ("Cn", "Cs")]
    different = [text for text, (tree, _plain_text) in zip(texts, in_the_browser([(text, []) for text in texts])) if as_lists(tree_of(text)) != tree]
    assert len(texts) > 10_000 and different == []


def random_text(rng):
    text = "".join(rng.choices(PIECES, k=rng.randint(1, rng.choice((6, 15, 60)))))
    mentions, at = [], 0
    for _n in range(rng.choice((0, 0, 1, 3))):
        start, length = at + rng.randint(0, 9), rng.randint(1, 4)
        at = start + length
        if at <= len(text):
            mentions.append((rng.randint(0, 3), start, length))
    return text, mentions


def test_no_character_is_lost_but_marks():
    """What is read out of a text is in it, in the same order."""
    rng = random.Random(7)
    for _n in range(RANDOM_TEXTS):
        text, mentions = random_text(rng)
        shown = re.sub(r"\s", "", plain_of(tree_of(text, mentions)))
        shown = re.sub(r"\d+\.", "", shown)      # numbers are counted anew
        letters = iter(text)
        assert all(letter in letters for letter in shown), text


@pytest.mark.parametrize("text", ["a", "just words, and more of them", "l’été à 16 h : on y va !", "مرحبا بالعالم", "1.5 < 2", "a-b", "me@example.org", "#1", "a_b_c"])
def test_plain_texts_are_found_by_one_search(text):
    assert not MARKUP.search(text) and tree_of(text) == [text] and plain(text) is text


def test_the_search_overlooks_nothing():
    """A text in which it finds nothing would be read as itself."""
    rng = random.Random(11)
    for _n in range(RANDOM_TEXTS):
        text, _mentions = random_text(rng)
        if not MARKUP.search(text):
            assert tree_of(text + "\n\n**a**")[:-1] == ([text + "\n\n"] if text else ["\n\n"])


def ends_an_address(character):
    category = unicodedata.category(character)
    return (character.isspace() or bool(INVISIBLE.match(character)) and character not in "\u200c\u200d" or category == "Cc"
            or category[0] == "P" and category != "Pd" and not ("a" + character).isidentifier() and character not in "\u30fb\uff65"
            or character in "＜＞﹤﹥≪≫｀｜￨" or "\u2500" <= character <= "\u257f")


def test_the_characters_that_end_an_address_are_those_of_unicode():
    """Of those that this Python knows. The ranges are of the Unicode of the browser's engine."""
    ending = re.compile(f"[{link_characters.character_class(link_characters.ENDING)}]")
    known = [chr(code) for code in range(0x80, 0x110000) if not 0xD800 <= code < 0xE000 and unicodedata.category(chr(code)) not in ("Cn", "Co")]
    assert [f"{ord(c):x}" for c in known if bool(ending.match(c)) != ends_an_address(c)] == []


def test_the_browser_ends_addresses_at_the_same_characters():
    """Before a letter, and at the end: each character of the first planes that both know."""
    known = [chr(code) for code in [*range(0x80, 0xD800), *range(0xF900, 0x20000), *range(0xE0000, 0xE0200)]
             if unicodedata.category(chr(code)) not in ("Cn", "Co")]
    texts = [("\n".join(f"http://a.b/c{c}d http://a.b/c{c}" for c in known[start:start + 100]), ()) for start in range(0, len(known), 100)]
    different = [text for (text, _mentions), (tree, _plain) in zip(texts, in_the_browser(texts)) if as_lists(tree_of(text)) != tree]
    assert different == []


@pytest.mark.parametrize("text, is_large", [*EMOJI, ("👍" * 4_000, False)])
def test_up_to_three_emoji_alone_are_large(text, is_large):
    assert TextLook(text).is_large is is_large


@pytest.mark.parametrize("text, fold", [
    ("a\n" * 19 + "a", ""), ("a\n" * 20 + "a", "wide"), ("a" * 2000, "narrow"), ("a" * 2001, "wide"), ("a" * 840, ""), ("a" * 841, "narrow"),
    ("```\n" + "a\n" * 100 + "```", ""), ("```\n" + "a\n" * 100 + "```" + "\na" * 21, "wide"), ("\n".join(["- a"] * 21), "wide")])
def test_more_than_twenty_lines_are_folded(text, fold):
    assert TextLook(text).fold == fold


@pytest.mark.parametrize("text, mentions, has_source", [
    ("a", (), False), ("see https://example.org/", (), False), ("@bob", ((2, 0, 4),), False), ("**a**", (), True), ("> a", (), True), ("a * b", (), False)])
def test_what_was_written_is_kept_where_the_page_does_not_say_it(text, mentions, has_source):
    assert bool(TextLook(text, mentions).source) is has_source

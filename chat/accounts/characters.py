"""What Unicode says about characters: which are invisible, which scripts are mixed within a word, which look alike.

The tables are Unicode's own and come from two packages: `regex` has the properties that the standard library leaves out,
`confusable_homoglyphs` has confusables.txt of UTS #39.
"""
import json
import string
import unicodedata
from importlib import resources

import regex

# Fonts draw nothing for these, though no property of Unicode says so: a blank Braille pattern, an object that is not there,
# two hieroglyphs, a filler, a note without a head. chat/static/js/blank.js has the same list.
BLANK_GLYPHS = "\u2800\uFFFC\U00013441\U00013442\U00016FE4\U0001D159"
INVISIBLE = rf"\p{{Cc}}\p{{Cf}}\p{{Z}}\p{{Default_Ignorable_Code_Point}}{BLANK_GLYPHS}"

# UAX #31, tables 5 and 7: the scripts that are in use today.
SCRIPTS_IN_USE = """
    Arabic Armenian Bengali Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Hebrew Kannada Khmer Lao Latin
    Malayalam Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan
    Adlam Balinese Bamum Batak Canadian_Aboriginal Chakma Cham Cherokee Hanifi_Rohingya Javanese Kayah_Li Lepcha Limbu Lisu
    Mandaic Meetei_Mayek Miao Mongolian New_Tai_Lue Newa Nko Nyiakeng_Puachue_Hmong Ol_Chiki Osage Saurashtra Sundanese
    Syloti_Nagri Syriac Tai_Le Tai_Tham Tai_Viet Tifinagh Vai Wancho Yi""".split()
# UTS #39, section 5.1: Japanese mixes three scripts; Korean and Bopomofo are mixed with Chinese characters.
SCRIPTS_TOGETHER = [["Han", "Hiragana", "Katakana"], ["Han", "Hangul"], ["Han", "Bopomofo"]]

# The invisible characters that change how others are drawn. UAX #31, section 2.3.1: a joiner after a virama, or between two letters
# that would join. The Unicode Standard, 12.2 and 12.8: a joiner before a virama, as in র‍্যাচেল and ರ‍್ಯಾಚೆಲ್, Rachel. Chapters 13.5, 18.1 and
# 23.4, UTS #51: what chooses a form of a Mongolian letter, of a Chinese character, or of an emoji, and what joins emoji.
IN_PLACE = regex.compile(
    r"(?<=\p{L}\p{M}*\p{ccc=9}\p{M}*)\u200D(?![\u200C\u200D]|\p{Indic_Syllabic_Category=Vowel_Dependent})"
    r"|(?<=\p{L}\p{M}*\p{ccc=9}\p{M}*)\u200C(?=\p{L})"
    r"|(?<=\p{Indic_Syllabic_Category=Consonant})\u200D(?=\p{Indic_Syllabic_Category=Virama}\p{Indic_Syllabic_Category=Consonant})"
    r"|(?<=[\p{Joining_Type=L}\p{Joining_Type=D}]\p{Joining_Type=T}*)\u200C"
    r"(?=\p{Joining_Type=T}*[\p{Joining_Type=R}\p{Joining_Type=D}])"
    r"|(?<=(?=\p{L})\p{Script=Mongolian})(?:[\u180B-\u180D\u180F]|\u180E(?=[\u1820\u1821]))"
    r"|(?<=\p{Ideographic})[\uFE00-\uFE02\U000E0100-\U000E01EF]"
    r"|(?<=\p{Extended_Pictographic})\uFE0F|(?<=[0-9#*])\uFE0F(?=\u20E3)"
    r"|(?<=\p{Extended_Pictographic}[\uFE0F\p{Emoji_Modifier}]?)\u200D(?=\p{Extended_Pictographic})")

# People type it after letters that never join, as in محمد‌رضا: there it changes nothing that is seen.
ARABIC_NON_JOINER = regex.compile(r"(?<=\p{Script=Arabic}\p{M}*)\u200C(?=\p{Script=Arabic})")

# UTS #39, section 5.4: an accent on nothing, twice on one letter, too many of them, or a dot on a letter that has its dot.
MISPLACED_MARK = regex.compile(r"(?<!\p{L}|\p{M}|\p{N}|\p{So})\p{M}|(\p{Mn})\1|\p{Mn}{5}|\p{Soft_Dotted}\p{Mn}*?\u0307")

SPACES = regex.compile(r"\p{Zs}+")
_ALL_INVISIBLE = regex.compile(f"[{INVISIBLE}]*")
_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
_DOT_ABOVE = regex.compile(r"(\p{Soft_Dotted}\p{Mn}*?)\u0307")
_PUNCTUATION = regex.compile(r"[\p{P}\p{S}\p{Lm}]")
_DASH = regex.compile(r"\p{Dash}")
_OVERLAY = regex.compile(r"\p{ccc=1}+")
_STRETCH = regex.compile(r"\p{Joining_Type=Join_Causing}+")
# UAX #29: signs that belong to a word; and the modifier letters that are written like an apostrophe.
_SIGN = r"[\p{Word_Break=Single_Quote}\p{Word_Break=Double_Quote}\p{Word_Break=MidLetter}\u02B9-\u02C1]"
_SIGN_IN_WORD = regex.compile(rf"(?<=[\p{{L}}\p{{M}}\p{{N}}]){_SIGN}|{_SIGN}(?=[\p{{L}}\p{{N}}])")


def _one_writing(scripts):
    """Return a pattern for texts in these scripts only. `Script_Extensions` knows that ー belongs to two of them."""
    allowed = "".join(rf"\p{{Script_Extensions={script}}}" for script in [*scripts, "Common", "Inherited"])
    return regex.compile(f"[{allowed}]*")


_WRITINGS = [_one_writing(scripts) for scripts in [*([script] for script in SCRIPTS_IN_USE), *SCRIPTS_TOGETHER]]


def is_blank(text):
    """Tell whether the whole text is invisible."""
    return _ALL_INVISIBLE.fullmatch(text) is not None


def without_ignorable(text):
    """Return the text without the characters that are invisible by default (Default_Ignorable_Code_Point)."""
    return _IGNORABLE.sub("", text)


def is_one_writing(text):
    """Tell whether the text is in one of SCRIPTS_IN_USE, or in scripts that are mixed within words."""
    return any(writing.fullmatch(text) for writing in _WRITINGS)


# --- what looks alike ----------------------------------------------------------------------------------------------


def _prototypes():
    """Return {character: its prototype}: in confusables.txt, all characters that look alike have the same prototype."""
    file = resources.files("confusable_homoglyphs").joinpath("confusables.json")
    table = json.loads(file.read_bytes())     # {text: [{"c": a text that looks like it}, …]}, in both directions
    lookalikes = {_without_mark(text): [_without_mark(entry["c"]) for entry in entries] for text, entries in table.items()}
    prototypes = {text: similar[0] for text, similar in lookalikes.items()
                  if len(text) == 1 and len(similar) == 1 and _is_prototype(similar[0], text, lookalikes)}
    for text, target in list(prototypes.items()):       # names are compared in NFKC
        plain = unicodedata.normalize("NFKC", text)
        if len(plain) == 1 and not plain.isalnum():
            prototypes.setdefault(plain, target)
    return prototypes


def _is_prototype(candidate, text, lookalikes):
    """Tell which of two texts that look alike is the prototype: the package lists both directions and does not say it.

    A prototype has several characters (`rn` for m), or several lookalikes. In a pair of single characters either would do.
    """
    return len(candidate) > 1 or len(lookalikes[candidate]) > 1 or candidate < text


def _without_mark(text):
    return text.replace("\u200E", "")      # the table has left-to-right marks beside right-to-left letters


def _small_capitals():
    """Return {small capital: the prototype of its letter}. The table has ᴄ, ᴏ and others but not ᴀ and ʙ; Unicode's names say it of all."""
    found = {}
    for letter in string.ascii_lowercase:
        try:
            found[unicodedata.lookup(f"LATIN LETTER SMALL CAPITAL {letter}")] = _PROTOTYPES.get(letter, letter)
        except KeyError:    # X has none
            pass
    return found


_PROTOTYPES = _prototypes()
_PROTOTYPES.update(_small_capitals())
_PROTOTYPES["\u04CF"] = "l"      # the Cyrillic palochka: the table says i, but fonts draw it as its capital, which is l in the table
# What the table leaves out: the half ring that it knows as an Armenian one, and the khanda ta, which has an older spelling. And
# the prototype of the em dash, the Japanese long vowel mark and the Chinese one.
_MORE_PROTOTYPES = str.maketrans({"\u0559": "'", "\u09CE": "\u09A4\u09CD", _PROTOTYPES["\u2014"]: "-"})


def same_punctuation(text):
    """Return the text with each kind of punctuation (apostrophes, quotation marks, dashes) as the one on most keyboards."""
    return _PUNCTUATION.sub(_plain, text)


def _plain(match):
    character = match[0]
    if _DASH.match(character):
        return "-"
    if character.isascii() and character != "`":
        return character
    target = _PROTOTYPES.get(character, character)      # ' for ‘ ’ ´ ʻ ʼ, '' for “ ” ״
    if target == "''":
        return '"'
    return target if len(target) == 1 and not target.isalnum() else character


def skeleton(text):
    """Return the skeleton of a text: texts that look the same have the same one (UTS #39, section 4)."""
    text = _DOT_ABOVE.sub(r"\1", unicodedata.normalize("NFD", without_ignorable(text)))
    for form in ("NFC", "NFD"):     # the table also has accented letters, which NFD takes apart
        text = "".join(_PROTOTYPES.get(c, c) for c in unicodedata.normalize(form, text))
    return unicodedata.normalize("NFD", _OVERLAY.sub("\u0335", _STRETCH.sub("", text)).translate(_MORE_PROTOTYPES))


def without_signs_in_words(text):
    """Return the text as those write it who leave out its apostrophes, middle dots, and strokes that only stretch a word."""
    return _STRETCH.sub("", _SIGN_IN_WORD.sub("", text))


def without_idle_joiners(text):
    """Return the text without the Arabic non-joiners that change nothing that is seen."""
    in_place = {match.start() for match in IN_PLACE.finditer(text)}
    return ARABIC_NON_JOINER.sub(lambda match: match[0] if match.start() in in_place else "", text)

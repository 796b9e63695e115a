"""The base letter of a letter that an alphabet has made of another one: k for қ, b for ɓ, th for þ, ي for ی.

Unicode keeps no table of them, but its names and its joining groups say it.
"""
import unicodedata

import regex

# In a Unicode name, the words between LETTER and the last word say how the letter is drawn: SMALL CAPITAL, BARRED.
DRAWN_OTHERWISE = regex.compile(r"(LATIN|CYRILLIC)(?: SMALL)? LETTER \S.* (\S+)")
FINAL = "HANGUL JONGSEONG "

# Arabic, Persian and Urdu write the same sound with different letters, and each keyboard has its own.
JOINING_GROUPS = {
    "ا": "Alef", "ي": "Yeh|Farsi_Yeh|Yeh_With_Tail|Yeh_Barree", "ك": "Swash_Kaf", "ه": "Heh_Goal|Knotted_Heh|Teh_Marbuta|Teh_Marbuta_Goal"}
_GROUPS = [(letter, regex.compile("[" + "".join(rf"\p{{Joining_Group={group}}}" for group in groups.split("|")) + "]"))
           for letter, groups in JOINING_GROUPS.items()]

# Letters whose Unicode name does not give the base letter, each with what people without that key type. Also Korean vowels typed in two steps.
LETTERS = {
    "þ": "th", "ð": "d", "ŋ": "n", "ə": "e", "ʒ": "z", "ʃ": "s", "ɑ": "a", "ɣ": "g", "ɩ": "i", "ʊ": "u", "ƿ": "w", "ĸ": "k", "ә": "а", "ک": "ك",
    **{chr(0x1100 + vowel): chr(0x1100 + first) + chr(0x1100 + second) for vowel, first, second in (
        (0x6A, 0x69, 0x61), (0x6B, 0x69, 0x62), (0x6C, 0x69, 0x75), (0x6F, 0x6E, 0x65), (0x70, 0x6E, 0x66), (0x71, 0x6E, 0x75), (0x74, 0x73, 0x75))}}


def base_letter(character):
    """Return what a small letter was made of, in one step: perhaps several characters; the letter itself if nothing is known."""
    if character.isascii():
        return character
    if character in LETTERS:
        return LETTERS[character]
    for letter, group in _GROUPS:
        if group.match(character):
            return letter
    name = unicodedata.name(character, "")
    if name.startswith(FINAL):
        return _initials(character, name.removeprefix(FINAL))
    drawn = DRAWN_OTHERWISE.fullmatch(name)
    candidates = [name.partition(" WITH ")[0]] if " WITH " in name else [f"{drawn[1]} SMALL LETTER {drawn[2]}"] if drawn else []
    for candidate in candidates:
        try:
            return unicodedata.lookup(candidate)
        except KeyError:
            pass
    return character


def _initials(character, name):
    """Return the consonants at the end of a Korean syllable as those of the next one, which they become while somebody types."""
    try:
        return "".join(unicodedata.lookup(f"HANGUL CHOSEONG {part}") for part in name.split("-"))
    except KeyError:        # of an old spelling
        return character

"""The beginning of a message, as the list of people shows it."""
import pytest

from chat.conversations.previews import MAX_PREVIEW_LENGTH, shortened

CHARACTERS = ["👨\u200d👩\u200d👧\u200d👦", "👍🏽", "🇫🇷", "e\u0301", "❤\ufe0f", "😀", "\u1100\u1161\u11a8", "नि",
              "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"]


def test_it_works():
    assert shortened("short") == "short"
    assert shortened("x" * 200) == "x" * MAX_PREVIEW_LENGTH


@pytest.mark.parametrize("character", CHARACTERS, ids=ascii)
def test_it_holds_all_of_a_character_or_nothing(character):
    for before in range(MAX_PREVIEW_LENGTH - 20, MAX_PREVIEW_LENGTH + 1):
        start = "x" * before
        shown = shortened(start + character + "y" * MAX_PREVIEW_LENGTH)
        assert shown == start or shown.startswith(start + character)
        assert len(shown) <= MAX_PREVIEW_LENGTH


@pytest.mark.parametrize("text", ["e" + "\u0301" * 4000, "🇫🇷" * 2000, "\u200d" * 4000], ids=["accents", "flags", "joiners"])
def test_what_never_ends_is_short_all_the_same(text):
    assert MAX_PREVIEW_LENGTH - 1 <= len(shortened(text)) <= MAX_PREVIEW_LENGTH

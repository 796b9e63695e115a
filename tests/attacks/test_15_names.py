"""Names that look like somebody's: refused beside them, whichever way of Unicode they take. Names that people have: accepted."""
import time
import unicodedata

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chat.accounts import characters, collation, usernames
from chat.errors import Duplicate, Invalid
from chat.accounts.name_index import is_taken
from chat.accounts.user import User
from tests.databases import database, person     # noqa: F401: a fixture
from tests.people import Person

EXAMPLES = settings(max_examples=400, deadline=None)

REAL_NAMES = """
Alice|Anna Maria|O'Brien|O’Brien|N'Diaye|Jean-Luc|Séamus Ó Séaghdha|Ní Dhomhnaill|Gal·la Pol·la|Łukasz|Søren|Đặng Thị Đào
Nguyễn Văn Ướt|Œuvre|ışık|İrem Yılmaz|Iğdır|Ğülşen|Ångström|Élodie|Čapek|Þórdís|Straße|Æsa|Kaʻiulani|Liliʻuokalani
ʻŌiwi|Hawaiʻi|Oʻzbek Gʻafur|Táŋŋa
Kwakw’ala|Ọlájùmọ̀kẹ́|Ŋgũgĩ|Марʼяна|Дар'я|Лук’ян|Ґалаґан Їжак|Ђорђе Љубиша|Ёлка Йодль|Ұлпан Әсел|Ελένη Ψαρού|Αϊνστάιν
Արամ Խաչատրյան|გიორგი|ნინო|ጌታቸው|አበበ ቢቂላ|ᏣᎳᎩ|ᏍᏏᏉᏯ|ג׳ורג׳|ז'בוטינסקי|צה״ל משה|דָּוִד|محمد|عبد الله|علی‌رضا|می‌نا|شاه‌رخ|رضایی‌پور|ܡܪܝܡ
ދިވެހި|ߒߞߏ|𞤀𞤣𞤤𞤢𞤥|राम|क्‍षमा|प्रज्ञा|र्‍याना|श्रीमती|ক্ষমা|র‍্যাচেল|ਹਰਪ੍ਰੀਤ|ગુણવંત|ଓଡ଼ିଆ|தமிழ்|తెలుగు|ಕನ್ನಡ|ರಾಜ್‌ಕುಮಾರ್
മോഹന്‍|മോഹൻ|അവന്‍|ക്‌ഷമ
ක්‍රිෂ්ණ|ශ්‍රී|සුරේෂ්|สมชาย|ปิ่นเกล้า|ສົມພອນ|ကျော်|ភិរម្យ|བསྟན་འཛིན|ᠮᠣᠩᠭᠣᠯ|佐々木|野々村 花子|タロー|ジョー・バイデン|山田 太郎です|𠮷野家|高橋〆|김철수|金철수
王小明|歐陽修|ㄅㄆㄇ|ರ‍್ಯಾಚೆಲ್|葛󠄀城|ᠮᠣᠩᠭ᠎ᠠ|Ana ❤️|Ana 👩🏽‍🚀|Ana 1️⃣|ʿAbbās""".strip().replace("\n", "|").split("|")

BLANK = ["\u3164", "\u2800", "\uFE0F", "\U000E0100", "\U0001D159", "\U00016FE4", "\u00AD", "\u200B", "\u2060", "\u115F",
         "\u17B4", "\u180E", "\uFFA0", "\U000E0001", "\U0001BCA0", "\U0001D173", "\u061C", "\u034F", "\u2065", "\uFFF0",
         "\U000E0FFF", "\uFFFC"]

LOOK_ALIKES = [      # (a name, what is refused beside it)
    ("Alice", "ɑlice"), ("Alice", "Аӏісе"), ("Alice", "AIice"), ("alice", "aIice"), ("Alice", "Alıce"), ("Alice", "A1ice"),
    ("Alice", "ＡＬＩＣＥ"),
    ("space", "ѕрасе"), ("apple", "аррӏе"), ("Mark", "ᎷᎪᏒᏦ"), ("Anna Maria", "Anna  Maria"), ("Anna Maria", "Anna\u00A0Maria"),
    ("Anna Maria", "Anna \u2003 Maria"),
    ("Anna Maria", "Anna\u3000Maria"), ("Anna Maria", "Anna Rnaria"),
    *(("O'Brien", f"O{apostrophe}Brien") for apostrophe in "’‘‛′`´ʼʻʽʹˈꞌ＇"),
    *(("Jean-Luc", f"Jean{dash}Luc") for dash in "‐‑‒–—―−﹣－⁃˗⸺"),
    ('The "Rock"', "The “Rock”"), ('The "Rock"', "The ''Rock''"), ("Gal·la", "Gal•la"), ("Gal·la", "Gal‧la"), ("b0b", "bOb"),
    ("modern", "modem"),
    ("タロー", "タロ—"), ("タロー", "タロ一"), ("ニコ", "二コ"), ("علیرضا", "علی\u200Cرضا"), ("علی", "على"), ("क्षमा", "क्\u200Dषमा"),
    ("Alice", "ᴀlice"), ("Bob", "ʙoʙ"), ("Mark", "ᴍᴀʀᴋ"), ("Finn", "ꜰɪɴɴ"), ("Jed", "ᴊᴇᴅ"), ("Hugh", "ʜᴜɢʜ"), ("ᴘaul", "Paul"),
    # the same in capitals, in another alphabet
    ("Kim", "КІМ"), ("niko", "ΝΙΚΟ"), ("Tim", "ΤΙΜ"), ("Mia", "ΜΙΑ"), ("Ali", "ꓮꓡꓲ"), ("вера", "BEPA"), ("Марк", "MAPK"), ("Ната", "HATA"),
    ("ΝΙΚΗ", "NIKH"), ("Elia", "ELlA"),
    ("محمد", "محـمد"), ("উৎস", "উত্\u200Dস"), ("łanna", "l\u0335anna"), ("łanna", "l\u0338anna"), ("ʾIsa", "ʿIsa"), ("'Omar", "ʿOmar"),
    ("葛城", "葛\U000E0100城"), ("Bo ❤", "Bo ❤\uFE0F"), ("Kaʻiulani", "Ka'iulani"), ("Марʼяна", "Мар'яна"), ("irem", "İrem"), ("user 1", "user l"), ("Łukasz", "Ł\u200Bukasz"),
]


# --- who is let in -----------------------------------------------------------------------------------------------------


def test_it_works(embedded):
    alice = Person(embedded.url, "Anna Maria O'Brien")
    assert alice.register().status_code == 302
    for name in ("Anna  Maria O'Brien", "Anna Maria O’Brien", "Аnnа", "Anna Maria O'Brien\U000E0100", "ɑnna maria o'brien"):
        answer = Person(embedded.url, name).register()
        assert answer.status_code == 400, name
    for name in ("anna maria o’brien", "ANNA  MARIA O´BRIEN"):
        assert Person(embedded.url, name).log_in().status_code == 302, "she herself may write it as she likes"


def test_there_are_names_of_many_scripts():
    assert len(REAL_NAMES) >= 100 and len(set(REAL_NAMES)) == len(REAL_NAMES)


@pytest.mark.parametrize("name", REAL_NAMES)
def test_a_name_that_somebody_has_is_accepted(name):
    shown = usernames.validate(name)
    assert shown == unicodedata.normalize("NFKC", name)
    assert usernames.canonical(shown) and usernames.search_key(shown) and usernames.sort_key(shown)


def test_they_are_all_different(database):
    for name in REAL_NAMES:
        if name not in ("O’Brien", "മോഹൻ"):      # as another one is written, or looks
            assert not is_taken(database, name), name
            person(database, usernames.validate(name))


# --- what is not seen --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("character", BLANK, ids=ascii)
@pytest.mark.parametrize("name", ["Alice{}", "{}Alice", "Al{}ice"])
def test_what_is_not_seen_is_refused(name, character):
    with pytest.raises(Invalid):
        usernames.validate(name.format(character))


@pytest.mark.slow
def test_every_ignorable_character_is_refused():
    for code_point in range(0x110000):
        if regex.match(r"\p{Default_Ignorable_Code_Point}", chr(code_point)) and not 0xD800 <= code_point < 0xE000:
            for name in (f"Ali{chr(code_point)}ce", f"Alice{chr(code_point)}"):
                with pytest.raises(Invalid):
                    usernames.validate(name)


@pytest.mark.parametrize("name", ["葛\U000E0100\U000E0100城", "Ana\uFE0F", "1\uFE0Fa", "Ana ❤\uFE0F\uFE0F", "Ana \u200D❤", "ᠮᠣᠩ\u180E\u180Eᠠ", "\u180Bᠮᠣᠩ",
                                  "ಕ\u200Dರ"])
def test_what_chooses_a_form_is_refused_where_there_is_none(name):
    with pytest.raises(Invalid):
        usernames.validate(name)


@pytest.mark.parametrize("joiner", ["\u200C", "\u200D"])
@pytest.mark.parametrize("name", ["Al{}ice", "Alice{}", "{}علی", "علی{}", "علی{}{}رضا", "राम{}", "{}राम", "佐{}々木", "क{}षमा", "Ам{}н"])
def test_a_joiner_that_changes_nothing_is_refused(name, joiner):
    with pytest.raises(Invalid):
        usernames.validate(name.replace("{}", joiner))


@pytest.mark.parametrize("name", ["ali\u0307ce", "a\u0301\u0301b", "a\u0300\u0301\u0302\u0303\u0304b", "a \u0301b", "-\u0301ab",
    "j\u0307an"])
def test_marks_that_are_not_seen_or_too_many_are_refused(name):
    with pytest.raises(Invalid, match="accent"):
        usernames.validate(name)


@pytest.mark.parametrize("name", ["Аlice", "ΑΒc", "Alice\u0661", "佐々木x", "タローx", "ᚠᛁ", "𐌰𐌱", "𓀀𓀁", "김タ"])
def test_scripts_that_do_not_stand_together_and_dead_ones_are_refused(name):
    with pytest.raises(Invalid, match="one alphabet"):
        usernames.validate(name)


# --- what looks alike --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, other", LOOK_ALIKES)
def test_beside_a_name_what_looks_like_it_is_refused(database, name, other):
    def is_refused(text):
        try:
            shown = usernames.validate(text)
        except Invalid:
            return True
        return is_taken(database, shown)
    if not is_taken(database, name):
        person(database, usernames.validate(name))
    assert is_refused(other), "and the other way round"
    assert set(usernames.skeletons(name)) & set(usernames.skeletons(other)) or is_refused(other)


@pytest.mark.parametrize("name, other", [("Alice", "Alicia"), ("Anna Maria", "AnnaMaria"), ("Zoë", "Zoe"), ("Elia", "Ella"), ("佐々木", "佐佐木"),
                                         ("O'Brien", "OBrien"), ("Łukasz", "Lukasz"), ("Søren", "Soren"), ("Иван", "Ивана"), ("user1",
                                         "user2"),
                                         ("Maxi", "Max1"), ("Вова", "Рома"), ("タロ", "タロー"), ("김철수", "김철주"), ("Jean-Luc", "Jean Luc"), ("は", "ば")])
def test_what_people_tell_apart_is_not_the_same(name, other):
    assert not set(usernames.skeletons(name)) & set(usernames.skeletons(other))


def test_every_character_that_unicode_says_looks_like_a_letter_is_refused_in_its_place(database):
    """For each name and each place in it: what stands in confusables.txt beside the letter."""
    likes = {}
    for character, prototype in characters._PROTOTYPES.items():
        likes.setdefault(prototype, set()).add(character)
    checked = 0
    for name in REAL_NAMES:
        name = usernames.validate(name)
        own = set(usernames.skeletons(name))
        for place, letter in enumerate(name):
            prototype = characters._PROTOTYPES.get(letter, letter)
            for like in (likes.get(prototype, set()) | {prototype}) - {letter}:
                if (plain := unicodedata.normalize("NFKC", like)) != like and plain.isalnum():
                    continue        # ſ looks like f, and is stored as s
                other = name[:place] + like + name[place + 1:]
                try:
                    other = usernames.validate(other)
                except Invalid:
                    continue
                checked += 1
                assert own & set(usernames.skeletons(other)), (name, other)
    assert checked > 500


def test_the_database_refuses_it_too_when_two_come_at_once(database):
    person(database, "Michelle")
    with pytest.raises(Duplicate):
        User.register(database, "Miche11e", "x")
    assert User.named(database, "Miche11e") is None


# --- for every text ----------------------------------------------------------------------------------------------------

TRICKY = st.text(st.sampled_from(
    "aAiIlL1|0OoşŞ'’´ʼʻ`\"“ー-–—− \u00a0\u3000\u0301\u0307\u0327ıİßΣσςﷺﬁǅ\u0345\u200d\u200c한ᄒ\u11abＡ①½\u0958ÅåᏣꮳक्"), max_size=60)
TEXTS = st.one_of(st.text(max_size=140), TRICKY)


@pytest.mark.slow
@EXAMPLES
@given(TEXTS)
@example("Ｏ´ＢＲＩＥＮ")
@example("İ" * 32)
@example("ﷺ" * 128)
def test_a_canonical_form_is_its_own_canonical_form(text):
    form = usernames.canonical(text)
    assert usernames.canonical(form) == form and len(form) <= usernames.MAX_KEY_LENGTH
    assert not regex.search(r"\p{Default_Ignorable_Code_Point}|\s\s", form)


@EXAMPLES
@given(TEXTS)
def test_what_is_stored_compares_as_what_was_typed(text):
    try:
        name = usernames.validate(text)
    except Invalid:
        return
    assert usernames.validate(name) == name
    for form in (usernames.canonical, usernames.skeletons, usernames.search_key):
        assert form(name) == form(text)
    assert usernames.canonical(usernames.former_key(name)) == usernames.canonical(name), "one account, one count of tries"
    for key in (usernames.canonical(name), *usernames.skeletons(name), usernames.search_key(name), usernames.sort_key(name)):
        assert len(key) <= 128 and "\0" not in key and key.encode()


def best_time(work, text):
    times = []
    for _time in range(5):
        started = time.thread_time()
        try:
            work(text)
        except Invalid:
            pass
        times.append(time.thread_time() - started)
    return min(times)


@pytest.mark.parametrize("work", [usernames.validate, usernames.canonical, usernames.skeletons, usernames.search_key, usernames.sort_key])
@pytest.mark.parametrize("text",
    ["ﷺ" * 128, "e\u0301" * 64, "\u0315\u0300" * 64, "ᾂ" * 128, "山" * 128, "œ" * 128, "İ" * 128, "ක්\u200D" * 40,
                                  "\u0315\u0300" * 40_000, "x" * 200_000, " " * 200_000, "\u200D" * 200_000])
def test_a_name_costs_little_whatever_it_is(record, work, text):
    assert record(None, work.__name__, best_time(work, text), "s") < 0.005     # seconds of CPU; 0.5 to 1.5 ms at worst on a quiet machine


# --- finding and sorting -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed, name", [
    ("lukasz", "Łukasz"), ("soren", "Søren"), ("dang", "Đặng"), ("oeuvre", "Œuvre"), ("isik", "ışık"), ("ISIK", "Işık"), ("irem",
    "İrem"), ("aesa", "Æsa"),
    ("strasse", "Straße"), ("STRAẞE", "Strasse"), ("angstrom", "Ångström"), ("capek", "Čapek"), ("nguyen", "Nguyễn"), ("o’brien",
    "O'Brien"),
    ("jean–luc", "Jean-Luc"), ("ka'iu", "Kaʻiulani"), ("ｌｕｋ", "Łukasz"), ("anna  maria", "Anna Maria"), ("ελενη", "Ελένη"), ("たろ",
    "タロー"), ("елка", "Ёлка"),
    ("علیرضا", "علی\u200Cرضا"), ("דוד", "דָּוִד"), ("4", "room ٤"), ("เ", "เกม"),
    ("كريم", "کریم"), ("علي", "علی"), ("احمد", "ٱحمد"), ("فاطمه", "فاطمة"), ("محمد", "محـمد"), ("kaiulani", "Kaʻiulani"), ("obrien", "O'Brien"),
    ("o’b", "O'Brien"), ("otkir", "Oʻtkir"), ("маряна", "Марʼяна"), ("galla", "Gal·la"), ("צהל", "צה״ל"), ("abbas", "ʿAbbās"), ("thor", "Þór"),
    ("bala", "Ɓala"), ("da", "Ɗa"), ("tanna", "Táŋŋa"), ("eli", "Əli"), ("асел", "Әсел"), ("гани", "Ғани"), ("орис", "Өріс"), ("хамид", "Ҳамид"),
    ("кгнухчоа", "ҚҒҢҰҲҶӨӘ"), ("고", "곡철"), ("곡", "고기"), ("고", "과학"), ("ㄱ", "김철수"), ("김철ㅅ", "김철수"), ("崎", "山崎"), ("﨑", "山﨑"),
    ("'", "rock ' roll")])
def test_a_search_finds_a_name_in_any_of_its_forms(typed, name):
    assert usernames.search_key(typed) in usernames.search_key(name)


def test_names_are_sorted_as_people_expect():
    expected = ["42", "ada", "Ångström", "Anna", "Anna B", "Annabel", "bob", "Čapek", "Dora", "Eddy", "Élodie", "Emil", "Łukasz",
                "Lyn", "Zoe",
                "Αννα", "Ωρίων", "Анна", "Ґалаґан", "Иван", "Ігор", "Їжак", "Ірина", "Яна"]
    assert sorted(reversed(expected), key=usernames.sort_key) == expected
    assert usernames.sort_key("resume") < usernames.sort_key("résumé") < usernames.sort_key("resumes")
    assert collation.sort_key("a") < collation.sort_key("A") < collation.sort_key("á") < collation.sort_key("aa")


def test_the_list_is_sorted_by_the_collation_and_its_pages_have_no_holes(database):
    from chat.conversations.conversation_list import list_conversations
    me = person(database, "the one who looks")
    everybody, after = [], None
    while page := list_conversations(database, me.id, after, limit=7):
        everybody += [summary.username for summary in page]
        after = page[-1].id
    count = database.query("SELECT COUNT(*) AS n FROM users")[0]["n"]
    assert len(everybody) == len(set(everybody)) == count - 1
    assert everybody == sorted(everybody, key=usernames.sort_key)


def test_a_joiner_between_letters_that_never_join_is_refused():
    with pytest.raises(Invalid):
        usernames.validate("دا\u200Dر")


@pytest.mark.parametrize("name, shown", [("دا\u200Cر", "دار"), ("محمد\u200Cرضا", "محمدرضا"), ("رضا\u200Cپور", "رضاپور"), ("علی\u200Cرضا", "علی\u200Cرضا")])
def test_a_non_joiner_that_changes_nothing_is_left_out(name, shown):
    """People type it as they learned to, behind letters that never join. Both spellings are one name."""
    assert usernames.validate(name) == shown
    assert usernames.canonical(name) == usernames.canonical(shown) and usernames.skeletons(name) == usernames.skeletons(shown)

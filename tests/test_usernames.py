"""Usernames: one canonical form is unique, and no name can be taken for another."""
import pytest

from chat.accounts import collation, passwords, usernames
from chat.errors import Invalid
from tests.people import Person, new_client_id


def test_it_works():
    assert usernames.validate("Alice") == "Alice"
    assert usernames.canonical("Alice") == usernames.canonical("ＡＬＩＣＥ") == "alice"


@pytest.mark.parametrize("name", ["Al", "x" * 32, "Anne Marie", "O'Brien", "名前", "Иван", "Ελένη", "山田 太郎です", "김철수", "user_1",
                                  "100%", "Zoë", "Nguyễn", "a.b-c", "علي", "राम", "A1", "İrem", "Straße", "<b>x", "42"])
def test_names_that_people_have(name):
    assert usernames.validate(name) == name


@pytest.mark.parametrize("typed, shown", [(" Alice ", "Alice"), ("ＡＬＩＣＥ", "ALICE"), ("Zoe\u0308", "Zoë"), ("ﬁona", "fiona"),
                                          ("Al\u00a0Bo", "Al Bo")])
def test_a_name_is_stored_in_one_form(typed, shown):
    assert usernames.validate(typed) == shown


@pytest.mark.parametrize("name, reason", [
    ("", "2 to 32"), ("a", "2 to 32"), ("x" * 33, "2 to 32"), ("   ", "2 to 32"), ("\u3000\u3000a", "2 to 32"),
    ("a\0b", "invisible"), ("a\nb", "invisible"), ("a\tb", "invisible"), ("a\x7fb", "invisible"), ("a\x85b", "invisible"),
    ("al\u200bice", "invisible"), ("al\u200dice", "invisible"), ("al\u2060ice", "invisible"), ("\ufeffalice", "invisible"),
    ("al\u00adice", "invisible"), ("\u202ealice", "invisible"), ("ali\u2066ce", "invisible"), ("alice\u200f", "invisible"),
    ("al\u034fice", "invisible"), ("al\u3164ice", "invisible"), ("al\uffa0ice", "invisible"), ("al\u2800ice", "invisible"),
    ("al\ufe0fice", "invisible"), ("al\U000e0041ice", "invisible"), ("al\ue000ice", "invisible"), ("al\u2028ice", "invisible"),
    ("al\ud800ice", "invisible"), ("al\u0378ice", "invisible"),
    ("\u0430lice", "one alphabet"), ("p\u0430ypal", "one alphabet"), ("Αlice", "one alphabet"), ("alice\u0661", "one alphabet"),
    ("Иvan", "one alphabet"), ("名前name", "one alphabet"),
    ("a/b", "slash"), ("a\\b", "slash"), ("..", "letter or a digit"), ("🔑🔑", "letter or a digit"), ("\u0301alice", "accent must")])
def test_names_that_are_refused_with_the_reason(name, reason):
    with pytest.raises(Invalid, match=reason):
        usernames.validate(name)


@pytest.mark.parametrize("one, other", [
    ("Alice", "alice"), ("alice", "ＡＬＩＣＥ"), ("Straße", "STRASSE"), ("Zoë", "zoe\u0308"), ("ﬁona", "Fiona"), ("Σας", "ΣΑΣ"),
    ("Al  ", "al")])
def test_names_that_are_the_same(one, other):
    assert usernames.canonical(one) == usernames.canonical(other)


@pytest.mark.parametrize("one, other", [("Zoë", "Zoe"), ("a b", "ab"), ("alice1", "alice2")])
def test_names_that_are_not_the_same(one, other):
    assert usernames.canonical(one) != usernames.canonical(other)


@pytest.mark.parametrize("name", ["Alice", "ＡＬＩＣＥ", "Zoë", "ﬁona", "İrem", "Straße", "ΣΑΣ", "ǅ", "\u1fb3", "ß\u0345"])
def test_the_canonical_form_of_a_canonical_form_is_itself(name):
    assert usernames.canonical(usernames.canonical(name)) == usernames.canonical(name)


@pytest.mark.parametrize("typed, wanted", [("ÉLODIE", "elodie"), ("Zoë", "zoe"), ("Nguyễn", "nguyen"), ("ＡＢＣ", "abc"), ("김", "\u1100\u1175\u1106")])
def test_the_search_form_has_no_accents(typed, wanted):
    assert usernames.search_key(typed) == wanted


def test_the_search_form_is_the_same_in_every_python(monkeypatch):
    """Python 3.14 knows letters of Unicode 16, of which older ones turn out to be made; what an older Python stored is still found."""
    assert [usernames.search_key(letter) for letter in "ƛԏ"] == ["ƛ", "ԏ"]
    monkeypatch.setattr(collation, "base_letter", {"ƛ": "\uA7DB"}.get)
    assert collation._base.__wrapped__("ƛ") == "ƛ"


def test_two_people_of_one_name_cannot_be(chat, arrive):
    name = f"Alice{new_client_id()[:8]}"
    alice = arrive(chat, name)
    for other in (name.upper(), name.lower(), "".join(chr(ord(c) + 0xFEE0) for c in name)):
        second = Person(chat.url, other)
        answer = second.register()
        assert answer.status_code == 400 and "taken" in answer.text
        assert second.log_in().status_code == 302 and second.id == alice.id
        second.leave()


# --- passwords ------------------------------------------------------------------------------------------------

def test_the_3000_most_used_passwords_are_refused():
    most_used = passwords.FREQUENCY_LISTS["passwords"][:3000]
    assert len(most_used) == 3000 and "password" in most_used
    for password in most_used:
        for typed in (password, password.upper(), password.title()):
            with pytest.raises(Invalid):
                passwords.validate(typed)


@pytest.mark.parametrize("password", ["8 chars!", "x" * 64, " " * 7 + "x", "пароль на русском", "🔑" * 8, "aaaaaaab", "é" * 1000])
def test_passwords_that_are_accepted(password):
    passwords.validate(password)


@pytest.mark.parametrize("password", ["", "7 chars", "x" * 1001, "Password1"])
def test_passwords_that_are_refused(password):
    with pytest.raises(Invalid):
        passwords.validate(password)


def test_a_hash_names_its_cost_and_its_salt_differs():
    one, other = passwords.hash_password("same", 4), passwords.hash_password("same", 4)
    assert one != other and one.startswith("$2b$04$")
    assert passwords.verify("same", one, 4) and not passwords.verify("Same", one, 4)
    assert passwords.verify("same", None, 4) is False and passwords.verify("nobody", None, 4) is False

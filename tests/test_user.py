"""User: registering, finding by name however it is written, and the search by any part of a name."""
import pytest

from chat.errors import Duplicate
from chat.accounts.user import User
from tests.databases import BackgroundCall, beside, database, person  # noqa: F401

NOBODY = 0      # an id that nobody has


def names(database, text, me=NOBODY, **options):
    return [user.username for user in User.search(database, text, me, **options)]


def test_it_works(database):
    user = User.register(database, "Émile", "a hash")
    assert user.username == "Émile" and user.password == "a hash"
    assert User.by_id(database, user.id) == user == User.named(database, "ÉMILE")
    assert User.by_id(database, 10**9) is None and User.named(database, "emile") is None


@pytest.mark.parametrize("taken", ["Ada", "ada", "ADA", "Ａｄａ"])
def test_one_name_one_person(database, taken):
    if not User.named(database, "ada"):
        person(database, "Ada")
    before = database.query("SELECT COUNT(*) AS n FROM username_suffixes")
    with pytest.raises(Duplicate):
        User.register(database, taken, "x")
    assert database.query("SELECT COUNT(*) AS n FROM username_suffixes") == before, "nothing is left of the second"


def test_of_many_who_want_a_name_at_once_one_gets_it(database):
    other = beside(database)
    outcomes = []
    for background_call in [BackgroundCall(lambda where=where: User.register(where, "wanted by many", "x"))
                  for where in (database, other) for _n in range(5)]:
        try:
            outcomes.append(background_call.outcome())
        except Duplicate:
            outcomes.append(None)
    assert len([user for user in outcomes if user]) == 1


def test_a_name_is_found_by_each_of_its_parts(database):
    person(database, "Zélie Quatre-Vents")
    for text in ("zélie", "ZELIE", "elie q", "quatre", "-v", "vents", "s", "zelie quatre-vents"):
        assert "Zélie Quatre-Vents" in names(database, text, limit=1000), text
    assert "Zélie Quatre-Vents" not in names(database, "zélia", limit=1000)


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", '"', "%s", "?"])
def test_signs_of_sql_are_letters_like_others(database, text):
    other = person(database)
    signed = User.named(database, f"sign {text} x") or person(database, f"sign {text} x")
    found = names(database, text, limit=1000)
    assert signed.username in found and other.username not in found


def test_a_name_that_matches_twice_is_found_once(database):
    person(database, "bananarama")
    assert names(database, "an").count("bananarama") == names(database, "a", limit=1000).count("bananarama") == 1


def test_oneself_is_left_out(database):
    me, other = person(database, "mirror one"), person(database, "mirror two")
    assert names(database, "mirror", me.id) == [other.username]


def test_pages_of_a_search_have_neither_doubles_nor_holes(database):
    everybody = {person(database, name).username for name in
                 ("paging", "pagingpaging", "a paging", "Päging", "PAGING b", "x paging paging")}
    for limit in (1, 2, 3, 50):
        found, after = [], None
        while page := User.search(database, "paging", NOBODY, after, limit):
            found += [user.username for user in page]
            after = page[-1].id
        assert len(found) == len(set(found)) and set(found) == everybody


def test_letters_beyond_the_basic_plane(database):
    person(database, "𠮷野家")
    assert names(database, "𠮷") == names(database, "野") == ["𠮷野家"]

"""The faces: everybody has one, and whoever does not like it takes another one, or initials."""
import re
from urllib.parse import unquote

import pytest
import requests

from chat.budgets import FACES as FACES_BUDGET
from chat.web.avatars import FACES, INITIALS, avatar_urls, draw, initials
from tests.people import new_client_id


def form(person, face):
    return person.http.post(f"{person.url}/face", data={"face": face, "csrf_token": person.token("/face")}, allow_redirects=False)


def address_of(page, user_id):
    return re.search(rf'data-user-id="{user_id}".*?src="([^"]+)"', page, re.S)[1].replace("&amp;", "&")


def found(person, other):
    """Return the list in which `person` has looked for the other one."""
    return person.get(f"/?q={other.username}").text


def test_a_sheet_shows_each_as_they_have_chosen(chat, arrive):
    tag = new_client_id()[:8]
    one, other, _third = (arrive(chat, f"{tag} {letter}") for letter in "abc")
    form(other, "2")
    page = one.get(f"/?q={tag}").text
    drawn = address_of(page, other.id)
    assert drawn.endswith(f"#u{other.id}") and "2" in re.search(r"faces=([^#]+)", drawn)[1].split(",")


def test_it_works(chat, alice, bob):
    assert address_of(found(alice, bob), bob.id) == f"/avatars/{bob.id}.svg"
    before = alice.get(f"/avatars/{bob.id}.svg").text
    assert form(bob, "3").status_code == 302
    page = alice.get(f"/chat/{bob.username}?q={bob.username}").text
    drawn = alice.get(f"/avatars/{bob.id}.svg?face=3")
    assert drawn.text == draw(bob.id, "3") != before and "immutable" in drawn.headers["Cache-Control"]
    assert page.count(f'src="/avatars/{bob.id}.svg?face=3"') == 2, "in the list and above the messages"
    assert re.search(r'name="face" value="3" checked', bob.get("/face").text)


def test_initials_stand_for_a_face(chat, alice, bob):
    assert form(bob, INITIALS).status_code == 302
    assert unquote(address_of(found(alice, bob), bob.id)) == f"/avatars/{bob.id}.svg?face=-{initials(bob.username)}"
    drawn = alice.get(f"/avatars/{bob.id}.svg", params={"face": "-" + initials(bob.username)})
    assert f">{initials(bob.username)}</text>" in drawn.text and drawn.headers["Content-Type"].startswith("image/svg+xml")


def test_who_comes_new_into_a_list_is_shown_as_they_are_now(chat, alice, bob):
    form(bob, "5")
    moved = alice.http.get(f"{chat.url}/face/{bob.id}", allow_redirects=False)
    assert moved.status_code == 302 and moved.headers["Location"] == f"/avatars/{bob.id}.svg?face=5" and moved.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("number", ["0", "2000000000", "2147483648", "9" * 20, "9" * 5000, "-1", "x"])
def test_the_face_of_nobody_is_not_there(chat, alice, number):
    assert alice.http.get(f"{chat.url}/face/{number}", allow_redirects=False).status_code == 404


def test_a_stranger_is_not_told_who_has_which_face(chat, bob):
    form(bob, INITIALS)
    answer = requests.get(f"{chat.url}/face/{bob.id}", allow_redirects=False, timeout=10)
    assert answer.status_code == 302 and answer.headers["Location"].startswith("/login")
    assert requests.get(f"{chat.url}/avatars/{bob.id}.svg?face=current", timeout=10).status_code == 404


def test_a_face_is_not_changed_without_end(start_server, arrive):
    alice = arrive(start_server(RATELIMIT_ENABLED="1"))
    answers = [form(alice, "3") for _n in range(FACES_BUDGET.limit + 1)]
    assert [answer.status_code for answer in answers] == [302] * FACES_BUDGET.limit + [429] and int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize("username, letters", [
    ("alice", "A"), ("Anna Maria Luisa", "AM"), ("jean-pierre", "JP"), ("élodie", "É"), ("e\u0301lodie", "E\u0301"), ("佐々木", "佐"), ("o'brien", "O"),
    ("x_y", "XY"), ("ßtraße", "SS"), ("مح\u200cمد", "م")])
def test_the_initials_of_a_name(username, letters):
    assert initials(username) == letters


@pytest.mark.parametrize("face", ["", "-1", "x", str(FACES), "99", "101", "1e1", "٣", "0" * 5000])
def test_a_face_that_is_none_is_refused(chat, alice, face):
    assert form(alice, face).status_code == 400
    assert 'value="0" checked' in alice.get("/face").text


@pytest.mark.parametrize("query", ["face=99", "face=12", "face=0", "face=03", "face=AL", "face=-" + "x" * 17, "face=-%00", "face=-%E2%80%AE", "face=³", "face=٣"])
def test_an_address_that_names_no_face_is_not_there(chat, alice, query):
    assert alice.get(f"/avatars/{alice.id}.svg?{query}").status_code == 404
    assert alice.get(f"/avatars/{alice.id}-{alice.id + 1}.svg?{query.replace('face=', 'faces=')}").status_code == 404


def test_letters_are_text_in_the_drawing(chat, alice):
    drawn = alice.get(f"/avatars/{alice.id}.svg", params={"face": "-<a>&"})
    assert "&lt;a&gt;&amp;" in drawn.text and "<a>" not in drawn.text


def test_more_faces_than_people_are_not_there(chat, alice):
    assert alice.get("/avatars/1-2.svg?faces=1,2,3").status_code == 404
    assert alice.get("/avatars/1-2.svg?faces=1").text == alice.get("/avatars/1-2.svg?faces=1,").text


def test_a_list_in_which_nobody_has_chosen_has_the_addresses_that_it_had():
    class User:
        face_parameter = ""

        def __init__(self, user_id):
            self.id = user_id
    assert avatar_urls([User(9), User(7)]) == {7: "/avatars/7-9.svg#u7", 9: "/avatars/7-9.svg#u9"}
    assert avatar_urls([User(7)]) == {7: "/avatars/7.svg"}


def test_a_stranger_chooses_nothing(chat, arrive, alice):
    token = alice.token("/face")
    alice.log_out()
    assert alice.http.post(f"{chat.url}/face", data={"face": "3", "csrf_token": token}, allow_redirects=False).status_code in (302, 400)


def test_to_look_at_the_page_changes_nothing(chat, alice):
    answer = alice.http.head(f"{chat.url}/face", data={"face": "3"}, timeout=30)
    assert answer.status_code == 200 and "?face=3" not in alice.get("/").text

"""Coming in and going out: /register, /login, /logout, and the cookie between them."""
import re

import pytest
import requests

from tests.conftest import SECRET_KEY
from tests.people import PASSWORD, Person

FRENCH = {"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.5"}


@pytest.fixture
def visitor(chat):
    """Somebody who has no account yet."""
    person = Person(chat.url)
    yield person
    person.leave()


def has_field(html, label, name):
    """Tell whether a label of these words belongs to the input of that name."""
    field = re.search(rf'<label[^>]* for="([^"]+)"[^>]*>\s*{label}\s*</label>', html)
    return bool(field and re.search(rf'<input(?=[^>]* id="{field[1]}")(?=[^>]* name="{name}")', html))


def has_button(html, words):
    buttons = re.findall(r'<button.*?</button>', html, re.S)
    return any(' '.join(re.sub(r'<svg.*?</svg>|<[^>]+>', ' ', button, flags=re.S).split()) == words for button in buttons)


def has_link(html, words, path):
    return bool(re.search(rf'<a[^>]* href="{path}[^"]*"[^>]*>\s*{words}\s*</a>', html))


def reason_beside(html, name):
    """Return what stands beside a field as its error, or None."""
    described = re.search(rf'<input(?=[^>]*\sname="{name}")[^>]*aria-describedby="([^"]*)"', html)
    for described_by in described[1].split() if described else ():
        if described_by.endswith("-error"):
            text = re.search(rf'id="{described_by}"[^>]*>(.*?)</p>', html, re.S)[1]
            return re.sub(r"<svg.*?</svg>|<[^>]+>", "", text, flags=re.S).strip()
    return None


def test_it_works(chat, visitor):
    answer = visitor.register()
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert visitor.username in visitor.get("/").text
    answer = visitor.log_out()
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")
    assert visitor.get("/").headers["Location"] == "/login"
    answer = visitor.log_in()
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert visitor.username in visitor.get("/").text


@pytest.mark.parametrize("path, button, link, other", [
    ("/register", "Register", "Login", "/login"), ("/login", "Login", "Register", "/register")])
def test_the_two_forms(chat, visitor, path, button, link, other):
    answer = visitor.get(path)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert has_field(answer.text, "Username", "username") and has_field(answer.text, "Password", "password")
    assert has_button(answer.text, button) and has_link(answer.text, link, other)
    assert re.search(r'<meta name="csrf-token" content="[^"]+">', answer.text)
    assert '<html lang="en"' in answer.text


@pytest.mark.parametrize("path, button, link, other", [
    ("/register", "S’inscrire", "Se connecter", "/login"), ("/login", "Se connecter", "S’inscrire", "/register")])
def test_the_two_forms_in_french(chat, visitor, path, button, link, other):
    html = visitor.get(path, headers=FRENCH).text
    assert has_field(html, "Nom d’utilisateur", "username") and has_field(html, "Mot de passe", "password")
    assert has_button(html, button) and has_link(html, link, other)
    assert '<html lang="fr"' in html


@pytest.mark.parametrize("headers, language", [
    ({"Accept-Language": "de"}, "en"), ({"Accept-Language": "fr-CA"}, "fr"), ({"Accept-Language": "en;q=0.3, fr"}, "fr"),
    ({"Accept-Language": ""}, "en"), ({"Accept-Language": ";;,q=x"}, "en")])
def test_the_language_is_the_browsers(chat, visitor, headers, language):
    assert f'<html lang="{language}"' in visitor.get("/login", headers=headers).text


def test_the_buttons_of_the_home_page(chat, alice):
    html = alice.get("/").text
    assert has_button(html, "Logout") and has_button(html, "Toggle Dark Mode")
    french = alice.get("/", headers=FRENCH).text
    assert has_button(french, "Se déconnecter") and has_button(french, "Basculer le mode sombre")


@pytest.mark.parametrize("username, password, wrong, reason", [
    ("", PASSWORD, "username", "2 to 32 characters"), ("x", PASSWORD, "username", "2 to 32 characters"),
    ("x" * 33, PASSWORD, "username", "2 to 32 characters"), ("a\u200bb", PASSWORD, "username", "invisible"),
    ("somebody new", "", "password", "at least 8 characters"), ("somebody new", "7 chars", "password", "8 characters"),
    ("somebody new", "password", "password", "too common")])
def test_a_refused_registration_keeps_the_name_and_says_why(chat, visitor, username, password, wrong, reason):
    visitor.username = username
    answer = visitor.register(password)
    assert answer.status_code == 400
    assert reason in reason_beside(answer.text, wrong)
    assert reason_beside(answer.text, "password" if wrong == "username" else "username") is None
    assert f'value="{username}"' in answer.text
    assert password not in answer.text or not password or password in ("password",), "the password is never sent back"
    assert has_button(answer.text, "Register")


def test_both_reasons_at_once(chat, visitor):
    visitor.username = "x"
    html = visitor.register("short").text
    assert reason_beside(html, "username") and reason_beside(html, "password")
    assert 'value="short"' not in html


def test_the_reasons_in_french(chat, visitor):
    visitor.username = "x"
    visitor.http.headers.update(FRENCH)
    html = visitor.register("court").text
    assert "2 à 32 caractères" in reason_beside(html, "username")
    assert "au moins 8 caractères" in reason_beside(html, "password")


def test_a_name_that_is_taken(chat, visitor, alice):
    visitor.username = alice.username.upper()
    answer = visitor.register()
    assert answer.status_code == 400 and "taken" in reason_beside(answer.text, "username")
    assert f'value="{alice.username.upper()}"' in answer.text


def test_a_refused_login_keeps_the_name(chat, visitor, alice):
    visitor.username = alice.username
    answer = visitor.log_in("not the password")
    assert answer.status_code == 401 and "Wrong username or password." in answer.text
    assert f'value="{alice.username}"' in answer.text and "not the password" not in answer.text
    assert visitor.get("/").headers["Location"] == "/login"


def test_the_name_may_be_written_otherwise_at_login(chat, alice, visitor):
    visitor.username = f" {alice.username.upper()} "
    assert visitor.log_in().status_code == 302
    assert visitor.id == alice.id


def test_who_is_in_needs_no_form(chat, alice):
    assert alice.get("/login").headers["Location"] == alice.get("/register").headers["Location"] == "/"
    for path in ("/login", "/register"):
        assert alice.get(f"{path}?next=/chat/bob").headers["Location"] == "/chat/bob"
        assert alice.get(f"{path}?next=//evil.example").headers["Location"] == "/"
        assert alice.post(path, {"csrf_token": alice.token("/"), "next": "/chat/bob"}).headers["Location"] == "/chat/bob"


@pytest.mark.parametrize("path", ["/chat/somebody", "/?q=é b", "/chat/a b?before=3"])
def test_after_the_login_one_is_where_one_wanted_to_be(chat, alice, path):
    alice.log_out()
    asked = alice.get(path)
    assert alice.http.head(alice.url + path, allow_redirects=False).headers["Location"] == asked.headers["Location"]
    assert asked.status_code == 302 and asked.headers["Location"].startswith("/login?next=%2F")
    html = alice.get(asked.headers["Location"]).text
    wanted = re.search(r'name="next"[^>]*value="([^"]*)"', html)[1].replace("&amp;", "&")
    answer = alice.log_in(next=wanted)
    assert answer.status_code == 302
    assert alice.get(answer.headers["Location"]).url == alice.get(path).url, "the same page, however it is escaped"


def test_the_wish_outlives_a_wrong_password_and_the_way_to_the_other_form(chat, alice):
    alice.log_out()
    html = alice.get("/login?next=/chat/bob").text
    assert re.search(r'href="/register\?next=(/|%2F)chat(/|%2F)bob"', html)
    assert re.search(r'name="next"[^>]*value="/chat/bob"', alice.log_in("not the password", next="/chat/bob").text)


@pytest.mark.parametrize("method", ["get", "head"])
def test_fetching_the_logout_changes_nothing(chat, alice, method):
    tab = alice.tab()
    answer = alice.http.request(method, chat.url + "/logout", allow_redirects=False)
    assert answer.status_code == 405 and "Set-Cookie" not in answer.headers
    assert answer.headers["Allow"].split(", ") == ["OPTIONS", "POST"]
    assert alice.get("/").status_code == 200 and not tab.ended.is_set()


def test_the_logout_ends_the_session_in_its_store(chat, alice):
    stolen = {"Cookie": alice.cookie()}
    assert alice.get("/", headers=stolen).status_code == 200
    answer = alice.log_out()
    cookies = answer.raw.headers.getlist("Set-Cookie")
    assert [cookie.partition(";")[0] for cookie in cookies] == ["session="] and "Max-Age=0" in cookies[0]
    assert [name.partition("-")[0] for name in alice.http.cookies.keys()] == ["device"], "that she was here, so that nobody can lock her out"
    alice.http.cookies.clear()
    assert alice.get("/", headers=stolen).status_code == 302
    assert alice.get("/users", headers={**stolen, "Accept": "application/json"}).status_code == 401


def test_who_is_out_already_may_log_out(chat, alice):
    token = alice.token("/")
    alice.log_out()
    assert alice.post("/logout", {"csrf_token": token}).headers["Location"] == "/login", "the token went with the session"
    token = alice.token("/login")
    assert alice.post("/logout", {"csrf_token": token}).headers["Location"] == "/login"


def test_the_cookie_is_for_the_server_alone(chat, visitor):
    cookies = visitor.register().raw.headers.getlist("Set-Cookie")
    assert [cookie.partition("=")[0].partition("-")[0] for cookie in cookies] == ["session", "device"]
    for cookie in cookies:
        parts = {part.strip() for part in cookie.split(";")[1:]}
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= parts
        assert "Secure" not in parts and not any(part.startswith("Domain") for part in parts)


def test_the_session_id_changes_at_the_login_and_the_old_one_is_dead(chat, alice):
    alice.log_out()
    token = alice.token("/login")
    planted = alice.cookie()
    assert alice.log_in(csrf_token=token).status_code == 302
    assert alice.cookie() != planted
    fresh = Person(chat.url, alice.username)
    assert fresh.get("/", headers={"Cookie": planted}).status_code == 302
    fresh.leave()


def test_an_id_that_somebody_made_up_is_not_taken(chat, visitor):
    answer = visitor.get("/login", headers={"Cookie": "session=made-up-by-somebody"})
    assert "made-up-by-somebody" not in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("mode", ["embedded", "server"])
def test_under_https_the_cookie_is_secure_and_the_sites_own(start_server, request, mode):
    settings = request.getfixturevalue("server_mode_settings") if mode == "server" else {"SECRET_KEY": SECRET_KEY}
    person = Person(start_server(HTTPS="1", PROXIES="1", **settings).url)
    person.http.headers["X-Forwarded-Proto"] = "https"
    cookies = _pass_on_cookies(person)
    answer = person.register()
    chosen = requests.post(f"{person.url}/language", {"language": "fr", "csrf_token": person.token("/")}, headers=person.http.headers, allow_redirects=False)
    for cookie in (*answer.raw.headers.getlist("Set-Cookie"), *chosen.raw.headers.getlist("Set-Cookie")):
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert chosen.headers["Set-Cookie"].startswith("__Host-language=fr")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert person.get("/").status_code == 200
    answer = person.log_out()
    [cleared] = answer.raw.headers.getlist("Set-Cookie")
    assert cleared.startswith("__Host-session=;") and "Secure" in cleared and "Max-Age=0" in cleared, \
        "a browser ignores the deletion of a __Host- cookie that is not Secure"
    person.leave()


def test_under_https_a_form_comes_from_this_site_or_from_nobody_who_says_so(start_server):
    """Some browsers are told to send no Referer, and programs send neither. What has no token is refused anyway."""
    server = start_server(HTTPS="1", PROXIES="1", SECRET_KEY=SECRET_KEY)
    person = Person(server.url)
    person.http.headers["X-Forwarded-Proto"] = "https"
    _pass_on_cookies(person)
    person.register()
    form, here = {"csrf_token": person.token("/"), "name": "a room"}, server.url.replace("http:", "https:")
    for origin, status in ((server.url, 400), ("https://evil.example", 400), ("null", 400), ("", 400), (here, 302), (None, 302)):
        answer = person.post("/rooms", form, headers={"Origin": origin, "Referer": "https://evil.example/"})
        assert (answer.status_code, "comes from another site" in answer.text) == (status, status == 400), origin
    assert person.post("/rooms", {"name": "a room"}, headers={"Origin": here}).status_code == 400
    person.leave()


def test_under_https_every_answer_says_so(start_server):
    """Those that no page is made for, too: of the live connections, and what is refused before they are asked."""
    url = start_server(HTTPS="1", SECRET_KEY=SECRET_KEY).url
    for path, headers, status in (("/login", {}, 200), ("/no/such", {}, 404), ("/static/x/y.js", {}, 404), ("/socket.io/?EIO=4&transport=polling", {}, 200),
                                  ("/socket.io/?EIO=4&transport=polling", {"Origin": "https://evil.example"}, 400), ("/", {"Content-Length": "+5"}, 400)):
        answer = requests.get(url + path, headers=headers, timeout=30, allow_redirects=False)
        assert (answer.status_code, answer.headers.get("Strict-Transport-Security")) == (status, "max-age=31536000"), path


def _pass_on_cookies(person):
    """Send secure cookies over the plain connection that a proxy has to the server."""
    class Cookies:
        name = ""
    cookies = Cookies()

    def keep(answer, **_options):
        if "Set-Cookie" in answer.headers:
            pair = answer.headers["Set-Cookie"].partition(";")[0]
            cookies.name = pair.partition("=")[0]
            person.http.headers["Cookie"] = pair
    person.http.hooks["response"].append(keep)
    return cookies


def test_a_program_whose_session_has_ended_is_told_so(chat, alice, bob):
    """It sends the token that it has, of the former session; a form without any token stays a form without a token."""
    token = alice.token("/")
    alice.post("/logout", {"csrf_token": token})
    for path in (f"/messages/{bob.username}", "/rooms"):
        asked = {"json": {"message": "x", "clientId": "a", "name": "x"}, "timeout": 30}
        answer = alice.http.post(f"{chat.url}{path}", headers={"Accept": "application/json", "X-CSRFToken": token}, **asked)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized"), path
        assert alice.http.post(f"{chat.url}{path}", headers={"Accept": "application/json"}, **asked).status_code == 400


def test_no_browser_keeps_the_answers_of_long_polling(chat):
    answer = requests.get(f"{chat.url}/socket.io/?EIO=4&transport=polling", timeout=30)
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"

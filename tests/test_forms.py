"""Forms that come twice, late, or from another session: nobody stands before a closed door, and nothing that was written is lost."""
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import requests

from chat.accounts.clicks import MAX_REMEMBERED, WINDOW_SECONDS, Clicks
from tests.people import PASSWORD, Person
from tests.test_sessions import store, store_of    # noqa: F401 (a fixture)

TOO_OLD = "This form has expired. Please try again."


@pytest.fixture
def visitor(chat):
    person = Person(chat.url)
    yield person
    person.leave()


def test_it_works(visitor):
    assert visitor.register().status_code == 302


@pytest.mark.parametrize("at_once", [False, True])
def test_a_double_click_registers_once_and_logs_in(chat, visitor, at_once):
    """The browser drops the first answer and shows the second."""
    token = visitor.token("/register")
    form = {"username": visitor.username, "password": PASSWORD, "csrf_token": token}
    cookie = {"Cookie": visitor.cookie()}

    def click(_n):
        return requests.post(chat.url + "/register", form, headers=cookie, allow_redirects=False, timeout=30)
    if at_once:
        with ThreadPoolExecutor(2) as clicks:
            answers = list(clicks.map(click, range(2)))
    else:
        answers = [click(1), click(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    for answer in answers:
        page = requests.get(chat.url + "/", cookies=answer.cookies, timeout=10)
        assert "Welcome, " in page.text and visitor.username in page.text


def test_a_name_that_is_taken_stays_taken_for_another_password(chat, visitor):
    visitor.register()
    other = Person(chat.url, visitor.username)
    answer = other.register("another password that is long")
    assert answer.status_code == 400 and "This name is taken" in answer.text
    other.leave()


def test_another_browser_that_knows_the_password_registers_nobody(chat, visitor):
    """Only the same click twice is the same registration; else it would be a way to guess beside the login's."""
    visitor.register()
    other = Person(chat.url, visitor.username)
    for _n in range(2):
        answer = other.register()
        assert answer.status_code == 400 and "This name is taken" in answer.text
    other.leave()


def test_another_browser_that_clicks_twice_at_once_registers_nobody_either(chat, visitor):
    """Neither half has registered anybody, whatever password it brought."""
    visitor.register()
    other = Person(chat.url, visitor.username)
    form = {"username": visitor.username, "password": PASSWORD, "csrf_token": other.token("/register")}
    cookie = {"Cookie": other.cookie()}
    with ThreadPoolExecutor(4) as clicks:
        answers = list(clicks.map(lambda _n: requests.post(chat.url + "/register", form, headers=cookie, allow_redirects=False, timeout=30), range(4)))
    assert [answer.status_code for answer in answers] == [400] * 4
    other.leave()


def test_either_half_of_a_double_click_may_be_the_one_that_registers():
    clicks = Clicks()
    first, second = clicks.begin("token", "ada"), clicks.begin("token", "ada")
    assert first is second
    clicks.end(first, None)             # the name is taken: by the other half, which is still under way
    clicks.end(second, "Ada")
    assert clicks.registered(first) == clicks.registered(second) == "Ada"


def test_a_form_that_registered_nobody_is_a_new_one_the_next_time():
    clicks = Clicks()
    first, second = clicks.begin("token", "ada"), clicks.begin("token", "ada")
    for click in (first, second):
        clicks.end(click, None)
    assert clicks.registered(first) is None
    assert clicks.begin("token", "ada") is not first


def test_clicks_are_forgotten():
    clock = SimpleNamespace(now=0)
    clicks = Clicks(lambda: clock.now)
    known = clicks.begin("a", "b")
    assert clicks.begin("a", "b") is known and clicks.begin("ab", "") is not known
    clock.now = WINDOW_SECONDS
    assert clicks.begin("a", "b") is not known and len(clicks.by_digest) == 1
    for number in range(MAX_REMEMBERED + 10):
        clicks.begin(str(number))
    assert len(clicks.by_digest) <= MAX_REMEMBERED + 1


@pytest.mark.parametrize("path", ["/login", "/register"])
def test_a_form_with_another_sessions_token_comes_back(chat, visitor, bob, path):
    form = {"username": visitor.username, "password": PASSWORD, "csrf_token": bob.token("/")}
    answer = visitor.post(path, form)
    assert answer.status_code == 400 and TOO_OLD in answer.text
    assert f'value="{visitor.username}"' in answer.text
    token = answer.text.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    assert visitor.post(path, {**form, "csrf_token": token}).status_code == (302 if path == "/register" else 401)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://127.0.0.1", "http://["])
@pytest.mark.parametrize("path", ["/login", "/register", "/logout", "/messages/somebody"])
def test_a_foreign_page_shows_nothing_here_with_a_token_of_its_own(chat, visitor, bob, path, origin):
    form = {"username": "read this", "password": PASSWORD, "message": "read this", "csrf_token": bob.token("/")}
    answer = visitor.post(path, form, headers={"Origin": origin})
    assert answer.status_code == 400 and "read this" not in answer.text
    answer = visitor.post(path, form, headers={"Origin": chat.url})
    assert "read this" in answer.text or answer.status_code == 302


def test_a_form_that_stayed_open_while_its_visitors_cookie_was_replaced_comes_back(visitor):
    token = visitor.token("/register")
    visitor.http.cookies.clear()
    answer = visitor.post("/register", {"username": visitor.username, "password": PASSWORD, "csrf_token": token})
    assert answer.status_code == 400 and TOO_OLD in answer.text and visitor.username in answer.text


@pytest.mark.parametrize("path", ["/login", "/register"])
def test_who_logged_in_in_a_second_tab_goes_on_there(chat, visitor, path):
    token = visitor.token(path)
    visitor.register()
    answer = visitor.post(path, {"username": visitor.username, "password": PASSWORD, "csrf_token": token, "next": "/chat/x"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/chat/x")
    assert visitor.username in visitor.get("/").text


def test_a_logout_with_an_old_token_asks_again_and_who_is_out_is_led_on(chat, alice):
    old = alice.token("/")
    alice.log_out()
    answer = alice.post("/logout", {"csrf_token": old})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login")
    alice.log_in()
    answer = alice.post("/logout", {"csrf_token": old})
    assert answer.status_code == 400 and alice.username in answer.text
    assert alice.get("/").status_code == 200, "a page from elsewhere logs nobody out"
    token = answer.text.partition('name="csrf_token"')[2].partition('value="')[2].partition('"')[0]
    assert alice.post("/logout", {"csrf_token": token}).status_code == 302
    assert alice.get("/").status_code == 302


def test_what_was_written_comes_back_when_the_session_is_another(chat, alice, bob):
    form = {"message": "a long <letter>", "csrf_token": alice.token("/")}
    alice.log_out()
    answer = alice.post(f"/messages/{bob.username}", form)
    assert answer.status_code == 401 and "a long &lt;letter&gt;</textarea>" in answer.text and "Your session has expired" in answer.text
    alice.log_in()
    answer = alice.post(f"/messages/{bob.username}", form)
    assert answer.status_code == 400 and "a long &lt;letter&gt;" in answer.text and TOO_OLD in answer.text
    assert alice.history(bob)["messages"] == []


def test_a_session_that_ended_is_said_once(chat, alice, store_of):      # noqa: F811
    store_of.delete(alice.http.cookies["session"])
    assert alice.get("/").headers["Location"] == "/login"
    assert "Your session has expired. Your draft is saved." in alice.get("/login").text
    assert "Your session has expired" not in alice.get("/login").text


def test_who_logged_out_is_told_nothing(chat, alice, visitor):
    alice.log_out()
    for person in (alice, visitor):
        assert "Your session has expired" not in person.get("/login").text


# --- another person's page ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/", "/users?q=a", "/messages/{}", "/chat/{}", "/messages/{}/1"])
def test_a_page_of_another_is_given_nothing(chat, alice, bob, path):
    alice.send(bob, "for Bob alone")
    headers = {"Accept": "application/json"}
    answer = bob.get(path.format(alice.username), headers={**headers, "X-User-Id": str(bob.id)})
    assert answer.status_code == 200
    for owner in (str(alice.id), "", "x", f"{bob.id}0", "0"):
        answer = bob.get(path.format(alice.username), headers={**headers, "X-User-Id": owner})
        assert answer.status_code == 401 and answer.json()["error"]["code"] == "unauthorized"


def test_a_page_of_another_sends_nothing(chat, alice, bob):
    answer = bob.post(f"/messages/{alice.username}", json={"message": "as Bob?", "clientId": "x"},
                      headers={"X-CSRFToken": bob.token("/"), "X-User-Id": str(alice.id)})
    assert answer.status_code == 401 and bob.history(alice)["messages"] == []


@pytest.mark.parametrize("auth", [{"userId": 0}, {"userId": -1}, {"userId": "1"}, {"userId": None}, {"userId": [1]}])
def test_a_connection_of_anothers_page_is_refused(chat, alice, auth):
    with pytest.raises(Exception, match="Connection refused|One or more namespaces"):
        alice.tab(auth=auth)
    alice.tab(auth={"userId": alice.id}).close()
    alice.tab(auth={"new": 1}).close()


def test_a_session_of_an_earlier_version_goes_on_and_ends_with_its_cookie(chat, alice, store_of):     # noqa: F811
    """Its id has no mark of this chat."""
    unmarked = "x" * 43
    store(store_of, unmarked, store_of.read(alice.http.cookies["session"]))
    alice.http.cookies.set("session", unmarked, domain="127.0.0.1", path="/")
    for cookie in list(alice.http.cookies):
        if cookie.name == "session" and cookie.value != unmarked:
            alice.http.cookies.clear(cookie.domain, cookie.path, cookie.name)
    assert alice.username in alice.get("/").text
    alice.tab(transports=["polling"]).close()
    answer = alice.log_out()
    assert [cookie.partition(";")[0] for cookie in answer.raw.headers.getlist("Set-Cookie")] == ["session="]
    assert store_of.read(unmarked) is None and alice.get("/").status_code == 302


# --- two chats on one host ----------------------------------------------------------------------------------------------------

def test_two_chats_on_one_host_do_not_log_each_other_out(start_server):
    """A browser gives its cookies to every port."""
    one, other = (start_server() for _n in range(2))
    with requests.Session() as browser:
        people = [Person(server.url) for server in (one, other)]
        for person in people:
            person.http = browser
            browser.headers["Accept"] = "text/html"
            assert person.register().status_code == 302
        for _n in range(2):
            for person in people:
                assert person.username in person.get("/").text and person.tab(transports=["polling"]).client.connected
        assert people[1].log_out().status_code == 302
        assert people[1].get("/").status_code == 302 and people[0].username in people[0].get("/").text
        assert people[1].log_in().status_code == 302
        assert people[0].log_out().status_code == 302
        assert people[0].get("/").status_code == 302 and people[1].username in people[1].get("/").text
        assert people[0].log_in().status_code == 302
        assert [people[n].username in people[n].get("/").text for n in (0, 1)] == [True, True]
        for person in people:
            for tab in person.tabs:
                tab.close()


@pytest.mark.parametrize("value", ["eyJfZnJlc2giOmZhbHNlfQ.aGVsbG8.dGhpcyBpcyAyNyBjaGFyYWN0ZXJz", "s%3Aid.signature"], ids=["Flask's", "any"])
def test_the_cookie_of_another_program_on_the_host_is_left_alone(chat, visitor, value):
    visitor.http.cookies.set("session", value, domain="127.0.0.1", path="/")
    assert visitor.register().status_code == 302
    assert visitor.username in visitor.get("/").text and visitor.tab(transports=["polling"]).client.connected
    assert visitor.http.cookies["session"] == value
    assert visitor.log_out().status_code == 302
    assert visitor.get("/").status_code == 302 and visitor.http.cookies["session"] == value


@pytest.mark.parametrize("planted", ["planted-by-somebody", "x", "x" * 43, "a.b", ""])
def test_a_planted_cookie_becomes_nobodys_session(chat, visitor, planted):
    visitor.http.cookies.set("session", planted, domain="127.0.0.1", path="/")
    assert visitor.register().status_code == 302
    assert visitor.username in visitor.get("/").text
    stolen = requests.get(chat.url + "/", cookies={"session": planted}, allow_redirects=False, timeout=10)
    assert stolen.status_code == 302

"""The pages and their JSON: home, conversations, search, files, health, and refusals in words."""
import gzip
import html
import re

import pytest
import requests

from tests import services
from tests.browser.past import hold, numbered
from tests.people import Person, new_client_id

JSON = {"Accept": "application/json"}
FRENCH = {"Accept-Language": "fr"}


def words(page):
    """Return the visible words of a page, markup and white space aside."""
    body = re.sub(r"<(script|template|svg|head)\b.*?</\1>", " ", page, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", body)).split())


def names(page):
    """Return the names on the cards of a page, in order."""
    listed = re.search(r'<ul id="people".*?</ul>', page, re.S)[0]
    return [html.unescape(name) for name in re.findall(r'data-part="name">([^<]*)</bdi>', listed)]


def texts(page):
    """Return the messages of a page, in order."""
    shown = re.search(r'<ol id="history".*?</ol>', page, re.S)[0]
    return [html.unescape(text) for text in re.findall(r'data-part="text"[^>]*>([^<]*)</div>', shown)]


def form_of(page, action):
    """Return the hidden fields of a form."""
    form = re.search(rf'<form[^>]* action="{re.escape(action)}".*?</form>', page, re.S)[0]
    return {name: html.unescape(value)
            for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)}


@pytest.fixture
def talk(alice, bob):
    """Seven messages from alice to bob; `talk(n)` writes more."""
    def write(count):
        token = {"X-CSRFToken": alice.token("/")}
        for number in range(1, count + 1):
            sent = {"message": f"number {number}", "clientId": new_client_id()}
            assert alice.post(f"/messages/{bob.username}", json=sent, headers=token).status_code == 201
    write(7)
    return write


def test_it_works(chat, alice, bob):
    home = words(alice.get("/").text)
    assert f"Welcome, {alice.username}" in home and "Users" in home
    assert f"Welcome, {alice.username}! Please choose someone to talk to." in home
    page = alice.get(f"/chat/{bob.username}").text
    assert f"Chat with: {bob.username}" in words(page) and texts(page) == []
    assert re.search(r'<label[^>]* for="message">Message</label>', page) and re.search(r"<button[^>]*>(?:(?!</button>).)*Send", page, re.S)


def test_the_home_page_has_the_list_and_its_search(chat, alice, bob):
    page = alice.get("/", params={"q": bob.username}).text
    assert names(page) == [bob.username]
    assert re.search(rf'<a href="/chat/{bob.username}"[^>]*>', page)
    assert re.search(r'<input(?=[^>]* type="search")(?=[^>]* name="q")', page)
    assert f'src="/avatars/{bob.id}.svg"' in page


def test_the_pages_in_french(chat, alice, bob):
    home = words(alice.get("/", headers=FRENCH).text)
    assert f"Bienvenue, {alice.username}" in home and "Utilisateurs" in home and "Choisissez à qui parler." in home
    assert "Envoyer" in words(alice.get(f"/chat/{bob.username}", headers=FRENCH).text)


# --- messages -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("query, seqs", [
    ("", [1, 2, 3, 4, 5, 6, 7]), ("?limit=3", [5, 6, 7]), ("?before=4", [1, 2, 3]), ("?before=4&limit=2", [2, 3]),
    ("?after=4", [5, 6, 7]), ("?after=2&limit=2", [3, 4]), ("?after=0", [1, 2, 3, 4, 5, 6, 7]), ("?after=7", []),
    ("?before=1", []), ("?before=0", []), ("?after=2&before=5", [3, 4]), ("?limit=1000", [1, 2, 3, 4, 5, 6, 7]),
    ("?before=99999999999999999999", [1, 2, 3, 4, 5, 6, 7]), ("?before=&after=&limit=", [1, 2, 3, 4, 5, 6, 7])])
def test_the_pages_of_a_conversation(chat, alice, bob, talk, query, seqs):
    answer = bob.history(alice, query)
    assert [m["seq"] for m in answer["messages"]] == seqs
    assert (answer["lastSeq"], answer["readSeq"]) == (7, 0)


def test_a_message_has_the_fields_of_the_contract(chat, alice, bob):
    sent = alice.send(bob, "all of it").json()
    [read] = bob.history(alice)["messages"]
    assert read == sent
    assert set(read) == {"id", "seq", "clientId", "sender", "senderId", "receiverId", "message", "timestamp",
                         "conversationId", "kind", "mentions", "replyTo", "editedAt", "deleted", "reactions", "pinned", "lastChange", "files"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", read["timestamp"])


def test_how_many_messages_come_at_once(chat, alice, bob, talk):
    talk(200)
    assert [m["seq"] for m in bob.history(alice)["messages"]] == list(range(158, 208))
    assert [m["seq"] for m in bob.history(alice, "?limit=1000")["messages"]] == list(range(8, 208))


@pytest.mark.parametrize("query", ["?before=x", "?before=-1", "?after=1.5", "?after=١", "?limit=0", "?limit=-5", "?limit=many"])
def test_a_value_that_is_no_number_is_refused_in_words(chat, alice, bob, query):
    answer = alice.get(f"/messages/{bob.username}{query}", headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid" and "must be a number" in answer.json()["error"]["message"]
    assert "must be a number" in words(alice.get(f"/messages/{bob.username}{query}").text)


@pytest.mark.parametrize("path", ["/messages/nobody of this name", "/chat/nobody of this name", "/nowhere"])
def test_what_is_not_there_is_told_as_a_page_and_as_json(chat, alice, path):
    page, told = alice.get(path), alice.get(path, headers=JSON)
    assert page.status_code == told.status_code == 404
    assert "Not found" in words(page.text) and 'href="/"' in page.text
    assert told.json()["error"]["code"] == "not_found" and told.json()["error"]["retry"] is False
    assert "Not found" not in words(alice.get(path, headers=FRENCH).text)


def test_a_conversation_with_oneself_is_not_there(chat, alice):
    assert alice.get(f"/chat/{alice.username}").status_code == 404


def test_a_name_may_be_written_otherwise_in_an_address(chat, alice, bob, talk):
    assert len(bob.json(f"/messages/{alice.username.upper()}")["messages"]) == 7


@pytest.mark.parametrize("path", ["/", "/users", "/chat/somebody", "/messages/somebody", "/messages/somebody/1"])
def test_who_is_not_logged_in_is_led_to_the_login_and_a_program_is_told(chat, path):
    stranger = Person(chat.url)
    assert stranger.get(path).headers["Location"].startswith("/login")
    told = stranger.get(path, headers=JSON)
    assert told.status_code == 401 and told.json()["error"]["code"] == "unauthorized"
    stranger.leave()


@pytest.mark.parametrize("query, numbers, mark", [("", "1 – 7. Up to date.", "Up to date"), ("?before=5", "1 – 4 of 7.", "Older messages"),
                                                  ("?before=2", "1 of 7.", "Older messages")])
def test_the_page_says_which_messages_are_on_it(chat, alice, bob, talk, query, numbers, mark):
    page = bob.get(f"/chat/{alice.username}{query}").text
    assert mark in words(page) and f'title="Messages shown: {numbers}"' in page


def test_the_language_is_chosen_by_a_form_and_kept(chat, alice):
    answer = alice.post("/language", {"language": "fr", "next": "/?q=x", "csrf_token": alice.token("/")})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/?q=x")
    assert 'lang="fr"' in alice.get("/").text
    for language, target in (("xx", "//elsewhere.example"), ("", "")):
        answer = alice.post("/language", {"language": language, "next": target, "csrf_token": alice.token("/")})
        assert answer.headers["Location"] == "/" and 'lang="fr"' in alice.get("/").text
    assert alice.post("/language", {"language": "en"}).status_code == 400, "without the token of a page"
    answer = alice.post("/language", {"language": "en", "csrf_token": alice.token("/")})
    assert "HttpOnly" in answer.headers["Set-Cookie"] and "SameSite=Lax" in answer.headers["Set-Cookie"]
    assert 'lang="fr"' in requests.get(f"{chat.url}/login", headers={"Cookie": "language=en; __Host-language=fr"}, timeout=30).text
    assert 'lang="en"' in alice.get("/", headers={"Accept-Language": "fr"}).text


def test_the_numbers_are_in_the_readers_language(chat, alice, bob, talk):
    talk(100)
    page = bob.get(f"/chat/{alice.username}?before=61", headers=FRENCH).text
    assert 'title="Messages affichés\u00a0: 11 – 60 sur 107."' in page


@pytest.mark.parametrize("tags, pattern", [
    ("en-US,en;q=0.9", r"\d\d?:\d\d [AP]M"), ("en-GB", r"\d\d:\d\d"), ("de,en-GB;q=0.5", r"\d\d:\d\d"), ("fr-CA", r"\d\d h \d\d"),
    ("en-XX", r"\d\d?:\d\d [AP]M"), ("enm-GB", r"\d\d?:\d\d [AP]M"), ("*,-,en--US", r"\d\d?:\d\d [AP]M"), ("en-" + "x" * 2000, r"\d\d?:\d\d [AP]M")])
def test_the_hour_is_written_as_in_the_readers_region(alice, bob, tags, pattern):
    alice.send(bob, "hello")
    page = bob.get(f"/chat/{alice.username}", headers={"Accept-Language": tags}).text
    assert re.fullmatch(pattern, re.search(r'data-part="time" dir="auto" datetime="[^"]+">([^<]*)</time>', page)[1].replace("\u00a0", " "))


@pytest.mark.parametrize("query", ["", "?before=1"])
def test_a_page_without_messages_says_nothing_of_them(chat, alice, bob, query):
    page = bob.get(f"/chat/{alice.username}{query}").text
    assert re.search(r'<p id="completeness"[^>]* hidden>', page)


# --- the details of one message --------------------------------------------------------------------------------

def steps(page):
    """Return {step: what a page says of it}, those left out aside, and which of them the message has reached."""
    shown = re.search(r'<dl class="trail">.*?</dl>', page, re.S)[0]
    found = re.findall(r'data-step="(\w+)" data-reached="(\w+)">(.*?)</div>', shown, re.S)
    return {name: words(said) for name, _reached, said in found}, {name for name, reached, _said in found if reached == "true"}


def test_the_details_of_a_message(chat, alice, bob, talk):
    sent = alice.history(bob)["messages"][4]
    path = f"/messages/{bob.username}/5"
    assert alice.json(path) == {"message": sent, "delivered": None, "read": None, "edited": None, "deleted": None, "deletedBy": None,
                                "reactions": []}
    page = alice.get(path).text
    said, reached = steps(page)
    moment = f"{sent['timestamp'][:10]} {sent['timestamp'][11:19]} UTC"
    # What only the sender's browser knows is left out.
    assert said == {"stored": f"Saved (no. 5) {moment}", "delivered": "Delivered Not yet", "read": "Read Not yet"}
    assert reached == {"stored"}
    assert "number 5" in words(page) and f'href="/chat/{bob.username}"' in page
    bob.tab().call("markRead", {"userId": alice.id, "seq": 5})
    told = alice.json(path)
    assert told["message"] == sent and told["delivered"] == told["read"] >= sent["timestamp"]
    said, reached = steps(alice.get(path).text)
    assert said["read"].startswith(f"Read {told['read'][:10]}") and reached == set(said)


def test_what_was_read_before_times_were_noted(start_server, arrive):
    server = start_server()
    alice, bob = arrive(server), arrive(server)
    hold(server, alice, bob, numbered(alice, bob, 3))
    assert alice.json(f"/messages/{bob.username}/3")["read"] is None
    said, reached = steps(alice.get(f"/messages/{bob.username}/3").text)
    assert said["delivered"] == "Delivered" and said["read"] == "Read"
    assert reached == set(said)


def test_the_details_are_text_in_the_readers_language(chat, alice, bob):
    alice.send(bob, "<b>bold</b> & more")
    page = bob.get(f"/messages/{alice.username}/1", headers=FRENCH).text
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; more</p>" in page and "<b>bold" not in page
    assert steps(page)[0]["read"] == "Lu Pas encore" and "Enregistré (n° 1)" in words(page)


@pytest.mark.parametrize("seq", ["0", "8", str(2**31), str(10**30), "9" * 5000, "-1", "x", "1.5"])
def test_a_message_that_is_not_there(chat, alice, bob, talk, seq):
    page, told = (alice.get(f"/messages/{bob.username}/{seq}", headers=headers) for headers in ({}, JSON))
    assert page.status_code == told.status_code == 404 and "Not found" in words(page.text)
    assert told.json()["error"]["code"] == "not_found"


def test_the_messages_of_others_are_not_there(chat, alice, bob, charlie, talk):
    for path in (f"/messages/{alice.username}/1", f"/messages/{bob.username}/1", f"/messages/{charlie.username}/1"):
        assert charlie.get(path, headers=JSON).status_code == 404


# --- sending over HTTP, and everything else that works without JavaScript --------------------------------------

def test_sending_a_form(chat, alice, bob):
    path = f"/chat/{bob.username}"
    fields = form_of(alice.get(path).text, f"/messages/{bob.username}")
    answer = alice.post(f"/messages/{bob.username}", {**fields, "message": " \r\n  by hand\r\nand pen "})
    assert answer.status_code == 302 and answer.headers["Location"].startswith(path)
    assert texts(alice.get(path).text) == texts(bob.get(f"/chat/{alice.username}").text) == ["  by hand\nand pen"]
    assert alice.post(f"/messages/{bob.username}", {**fields, "message": "sent twice"}).status_code == 302
    assert len(alice.history(bob)["messages"]) == 1, "going back and sending again stores nothing"


@pytest.mark.parametrize("message, reason", [("", "cannot be empty"), (" \n ", "cannot be empty"), ("x" * 4001, "at most")])
def test_a_refused_form_keeps_what_was_written(chat, alice, bob, message, reason):
    fields = form_of(alice.get(f"/chat/{bob.username}").text, f"/messages/{bob.username}")
    answer = alice.post(f"/messages/{bob.username}", {**fields, "message": message})
    assert answer.status_code == 400 and reason in words(answer.text)
    assert re.search(r'role="alert"[^>]*>[^<]*' + reason, answer.text)
    assert html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", answer.text, re.S)[1]) == message
    assert alice.history(bob)["messages"] == []


def test_sending_json(chat, alice, bob):
    client_id = new_client_id()
    first, again = alice.send(bob, "as JSON", client_id), alice.send(bob, "again", client_id)
    assert first.status_code == again.status_code == 201 and first.json() == again.json()


@pytest.mark.parametrize("sent", ["[]", "7", '"text"', "null", "{", "", '{"message": "no clientId"}', '{"clientId": "1"}'])
def test_json_that_is_not_well_formed(chat, alice, bob, sent):
    answer = alice.post(f"/messages/{bob.username}", sent,
                        headers={"Content-Type": "application/json", "X-CSRFToken": alice.token("/")})
    assert answer.status_code == 400 and answer.json()["error"]["message"]
    assert alice.history(bob)["messages"] == []


def test_sending_to_nobody(chat, alice):
    nobody = Person(chat.url, "nobody of this name")
    answer = alice.send(nobody, "hello?")
    assert answer.status_code == 404 and answer.json()["error"]["code"] == "not_found"
    nobody.leave()


def test_what_was_sent_over_http_arrives_live(chat, alice, bob):
    listening = bob.tab()
    assert alice.send(bob, "by post").json() == listening.wait_for("receiveMessage")


def test_older_messages_without_javascript(chat, alice, bob, talk):
    talk(60)
    page = bob.get(f"/chat/{alice.username}").text
    assert len(texts(page)) == 50 and texts(page)[-1] == "number 60"
    older = html.unescape(re.search(r'<a id="older"[^>]* href="([^"]+)"', page)[1])
    page = bob.get(older).text
    assert texts(page) == [f"number {n}" for n in [*range(1, 8), *range(1, 11)]] and 'id="older"' not in page


def test_unread_messages_are_counted_on_the_card(chat, alice, bob, talk):
    [card] = [card for card in bob.json("/users")["users"] if card["id"] == alice.id]
    assert card == {"id": alice.id, "username": alice.username, "online": card["online"], "unread": 7,
                    "lastMessage": "number 7", "lastSeq": 7, "conversationId": card["conversationId"]}
    assert bob.json("/users")["users"][0] == card, "whom one talked with last comes first"
    assert [card["unread"] for card in alice.json("/users")["users"] if card["id"] == bob.id] == [0]


# --- searching ------------------------------------------------------------------------------------------------

@pytest.fixture
def crowd(chat, arrive):
    """People whose names share a tag that nobody else's has; returns (register, the tag)."""
    tag = new_client_id()[:8]
    return lambda *endings: [arrive(chat, f"{tag} {ending}") for ending in endings], tag


def found(person, text, **more):
    return [card["username"] for card in person.get("/users", headers=JSON, params={"q": text, **more}).json()["users"]]


@pytest.mark.parametrize("ending, query, fits", [
    ("Élodie", "elodie", True), ("Élodie", "ÉLOD", True), ("elodie", "Élodie", True), ("Zoë", "zoe", True),
    ("Ñandú", "nandu", True), ("STRASSE", "straße", True), ("under_score", "under_", True), ("under_score", "underx", False),
    ("plainword", "pl_in", False), ("100% sure", "0%", True), ("1000 sure", "0% ", False), ("plainword", "%", False),
    ("back-slash", "\\", False), ("inside", "nsid", True), ("ＡＢＣ", "abc", True)])
def test_the_search_ignores_case_and_accents_and_takes_signs_as_letters(chat, alice, crowd, ending, query, fits):
    people, tag = crowd
    [person] = people(ending)
    assert (person.id in everybody_found(alice, query)) is fits


def everybody_found(person, query):
    """Return the ids of everybody whom a search finds, page after page."""
    everybody, after = [], ""
    while page := person.get("/users", headers=JSON, params={"q": query, "after": after}).json()["users"]:
        everybody += [card["id"] for card in page]
        after = everybody[-1]
    return everybody


def test_the_search_pages_by_fifty(chat, crowd):
    people, tag = crowd
    everyone = people(*(f"n{number:02}" for number in range(54)))
    searching = everyone[10]
    first = found(searching, tag)
    assert len(first) == 50 and first == sorted(first)
    listed = searching.get("/users", params={"q": tag})
    assert names(listed.text) == first
    after = listed.headers["X-Next-After"]
    rest = found(searching, tag, after=after)
    assert first + rest == sorted(p.username for p in everyone if p is not searching), "everyone but oneself, once"
    link = html.unescape(re.search(r'<a id="people-more"[^>]* href="([^"]+)"', listed.text)[1])
    assert names(searching.get("/" + link).text) == rest
    assert "X-Next-After" not in searching.get("/users", params={"q": tag, "after": after}).headers


def test_the_search_answers_with_cards_or_with_json(chat, alice, bob):
    cards = alice.get("/users", params={"q": bob.username})
    assert cards.headers["Content-Type"].startswith("text/html") and names(cards.text) == [bob.username]
    assert "<html" not in cards.text
    told = alice.get("/users", params={"q": bob.username}, headers=JSON)
    assert told.headers["Content-Type"] == "application/json"
    assert told.json() == {"users": [{"id": bob.id, "username": bob.username, "online": told.json()["users"][0]["online"],
                                      "unread": 0, "lastMessage": None, "lastSeq": 0, "conversationId": None}]}


def test_a_search_that_finds_nobody_says_so(chat, alice):
    page = alice.get("/", params={"q": "<nobody>"}).text
    assert names(page) == [] and "No results for “<nobody>”." in words(page)


@pytest.mark.parametrize("after", ["x", "-1", "1.0"])
def test_a_page_that_cannot_be_is_refused(chat, alice, after):
    assert alice.get("/users", params={"after": after}, headers=JSON).status_code == 400


# --- avatars, files, health -----------------------------------------------------------------------------------

def test_an_avatar_is_drawn_here_and_kept(chat, alice, bob):
    one, other = (alice.get(f"/avatars/{person.id}.svg") for person in (alice, bob))
    assert one.headers["Content-Type"].startswith("image/svg+xml") and one.text.startswith("<svg")
    assert one.text != other.text and one.text == bob.get(f"/avatars/{alice.id}.svg").text
    assert "immutable" in one.headers["Cache-Control"] and "Set-Cookie" not in one.headers
    assert alice.get("/avatars/x.svg").status_code == alice.get("/avatars/-1.svg").status_code == 404


def test_the_avatars_of_a_list_come_on_one_sheet(chat, alice, bob, charlie):
    page = alice.get("/users", params={"q": ""}).text
    sheet = html.unescape(re.search(r'src="(/avatars/[\d-]+\.svg)#u\d+"', page).group(1))
    answer = alice.get(sheet)
    assert answer.headers["Content-Type"].startswith("image/svg+xml") and "immutable" in answer.headers["Cache-Control"]
    faces = re.findall(r'<view id="u(\d+)"', answer.text)
    assert faces == re.findall(r"\d+", sheet) and 1 < len(faces) <= 25
    assert alice.get(f"/avatars/{faces[0]}.svg").text.partition(">")[2] in answer.text
    for wrong in ("1-", "1--2", "1-x", "-".join(["1"] * 26), "1-99999999999"):
        assert alice.get(f"/avatars/{wrong}.svg").status_code == 404


def test_a_file_is_kept_for_a_year_under_the_name_of_its_contents(chat, alice):
    paths = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', alice.get("/").text))
    assert any(path.endswith("app.css") for path in paths) and any(path.endswith("app.js") for path in paths)
    for path in paths:
        answer = alice.get(path)
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "public, max-age=31536000, immutable", path
        assert answer.headers["Content-Type"].partition(";")[0] in ("text/css", "text/javascript"), path
        assert "Set-Cookie" not in answer.headers
        old = alice.get(re.sub(r"/static/\w+/", "/static/old/", path))
        assert old.status_code == 200 and old.headers["Cache-Control"] == "no-cache"


def test_a_file_is_compressed_for_a_browser_that_can_read_it(chat, alice):
    path = re.search(r'"(/static/[^"]+app\.css)"', alice.get("/").text)[1]
    plain = alice.get(path, headers={"Accept-Encoding": "identity"})
    small = alice.get(path, headers={"Accept-Encoding": "br, gzip"}, stream=True)
    assert "Content-Encoding" not in plain.headers and small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.raw.read(decode_content=False)) == plain.content
    assert plain.headers["Vary"] == small.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["Content-Type"] == small.headers["Content-Type"]


@pytest.mark.parametrize("path", ["../__init__.py", "..%2f__init__.py", "js/../../user.py", "build/.stamp", "nothing.js", "js",
                                  "build/app.css.gz", "%00.css", "/etc/passwd.css"])
def test_only_files_of_the_browser_are_served(chat, alice, path):
    assert alice.get(f"/static/x/{path}").status_code in (308, 404)
    assert alice.get(f"/static/x/{path}", allow_redirects=True).status_code == 404


def test_health(chat):
    visitor = Person(chat.url)
    for path in ("/healthz", "/readyz"):
        answer = visitor.get(path)
        assert answer.status_code == 200 and answer.json()["status"] == "ok" and "Set-Cookie" not in answer.headers
    visitor.leave()


@pytest.mark.parametrize("method, path, allowed", [
    ("POST", "/", "GET, HEAD, OPTIONS"), ("DELETE", "/login", "GET, HEAD, OPTIONS, POST"), ("GET", "/logout", "OPTIONS, POST")])
def test_what_cannot_be_done_here_is_told_with_what_can(chat, alice, method, path, allowed):
    headers = {"X-CSRFToken": alice.token("/"), **JSON}
    answer = alice.http.request(method, chat.url + path, headers=headers, allow_redirects=False)
    assert answer.status_code == 405 and answer.headers["Allow"] == allowed
    assert answer.json()["error"]["message"] == "This address does not accept such a request."


@pytest.mark.slow
def test_a_form_whose_fate_is_not_known_comes_back_with_its_client_id(server_mode_settings, arrive, start_server):
    with services.MariaDB() as own:
        server = start_server(**{**server_mode_settings, "DATABASE_URL": own.url})
        alice, bob = arrive(server), arrive(server)
        path = f"/messages/{bob.username}"
        form = form_of(alice.get(f"/chat/{bob.username}").text, path)
        with own.connect(database="chat") as connection, connection.cursor() as cursor:
            cursor.execute("LOCK TABLES messages READ")
            refused = alice.post(path, {**form, "message": "only once"})
            cursor.execute("UNLOCK TABLES")
        assert refused.status_code == 503 and "only once" in refused.text
        again = form_of(refused.text, path)
        assert again["clientId"] == form["clientId"]
        for _n in range(2):
            assert alice.post(path, {**again, "message": "only once"}).status_code == 302
        assert [m["message"] for m in alice.history(bob)["messages"]] == ["only once"]


def test_a_form_marks_as_read_what_its_page_showed(chat, alice, bob, talk):
    assert bob.json("/users")["users"][0]["unread"] == 7
    path = f"/messages/{alice.username}"
    form = form_of(bob.get(f"/chat/{alice.username}").text, path)
    assert bob.post(path, {**form, "message": "thank you"}).status_code == 302
    assert bob.json("/users")["users"][0]["unread"] == 0


@pytest.mark.parametrize("path", ["/users?after=", "/messages/{bob}?before="])
def test_a_number_without_end_is_refused(chat, alice, bob, path):
    answer = alice.get(path.format(bob=bob.username) + "9" * 5000, headers=JSON)
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "invalid"


def test_a_form_written_by_hand_needs_no_client_id(chat, alice, bob):
    fields = {"message": "by hand", "csrf_token": alice.token("/")}
    assert alice.post(f"/messages/{bob.username}", fields).status_code == 302
    assert [m["message"] for m in alice.history(bob)["messages"]] == ["by hand"]


@pytest.mark.parametrize("accept, kind", [
    ("application/json", "json"), ("application/json, text/plain, */*", "json"), ("*/*", "html"),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html")])
def test_json_is_for_those_who_name_it(chat, alice, bob, accept, kind):
    assert kind in alice.get("/users", headers={"Accept": accept}).headers["Content-Type"]


def test_pages_are_compressed_for_who_takes_it(chat, alice):
    small = alice.get("/", headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip" and "Accept-Encoding" in small.headers["Vary"]
    plain = alice.get("/", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert int(small.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2

"""Files: uploading them, sending them with messages, and what becomes of them."""
import re
from urllib.parse import quote

import pytest

from chat.conversations.file import MAX_PAGE
from chat.live.bodies import is_streamed

from tests.people import Person, new_client_id
from tests.uploads import JSON, TEXT, cancel, image_of, picture, put, send_files, token, upload, uploaded


def test_it_works(alice, bob):
    file = uploaded(alice, picture(), "Où ça.png", alt="Un plan 👩‍💻")
    assert file == {"id": file["id"], "name": "Où ça.png", "type": "image/png", "size": file["size"], "width": 800, "height": 600,
                    "alt": "Un plan 👩‍💻", "hasPreview": True}
    told = send_files(alice, bob, file)
    assert (told["message"], told["files"]) == ("", [file])
    assert bob.history(alice)["messages"][-1] == told
    assert image_of(bob.get(f"/files/{file['id']}")).size == (800, 600)
    assert image_of(bob.get(f"/files/{file['id']}/preview")).size == (560, 420)


def test_the_same_client_id_gives_the_same_file(alice):
    client_id = new_client_id()
    first = uploaded(alice, client_id=client_id)
    assert uploaded(alice, b"something else", client_id=client_id) == first
    assert alice.json(f"/files/{client_id}/offset") == {"offset": len(TEXT), "file": first}


def test_the_file_may_come_before_its_fields(alice):
    client_id = new_client_id()
    answer = alice.post("/files", files=[("file", ("a.txt", TEXT)), ("clientId", (None, client_id)), ("alt", (None, "x"))], headers={"X-CSRFToken": token(alice)})
    assert (answer.status_code, answer.json()["name"], answer.json()["alt"]) == (201, "a.txt", "x")
    assert alice.json(f"/files/{client_id}/offset")["file"] == answer.json()
    answer = alice.post("/files", files=[("file", ("a.txt", b"another")), ("clientId", (None, client_id))], headers={"X-CSRFToken": token(alice)})
    assert answer.json()["size"] == len(TEXT), "the same id gives the same file"


def test_an_upload_goes_on_where_it_was_cut(alice):
    client_id, content = new_client_id(), picture(size=(900, 700))
    assert alice.json(f"/files/{client_id}/offset") == {"offset": 0}
    assert put(alice, client_id, content[:100], 5).json()["offset"] == 0, "it has to begin at the beginning"
    answer = put(alice, client_id, content, name="a.png")
    assert (answer.status_code, answer.json()["name"]) == (201, "a.png")
    assert put(alice, client_id, b"", len(content)).json() == answer.json()


def test_an_upload_is_canceled(alice, bob):
    client_id = new_client_id()
    file = uploaded(alice, client_id=client_id)
    assert cancel(alice, client_id).status_code == 204
    assert alice.json(f"/files/{client_id}/offset") == {"offset": 0}
    held = new_client_id()
    send_files(alice, bob, uploaded(alice, client_id=held))
    assert cancel(alice, held).status_code == 409
    assert file


@pytest.mark.parametrize("client_id", ["a/b", "/a", "a//", "7/preview", "quota", "a/offset", "%2F?#&;+~"])
def test_a_client_id_may_have_any_visible_character(alice, client_id):
    client_id, content = client_id + new_client_id(), picture()
    escaped = quote(client_id, safe="")
    assert put(alice, escaped, content[:100], 5).json()["offset"] == 0
    file = uploaded(alice, content, client_id=client_id)
    assert alice.json(f"/files/{escaped}/offset") == {"offset": file["size"], "file": file}
    assert put(alice, escaped, content).json() == file
    assert cancel(alice, escaped).status_code == 204 and alice.json(f"/files/{escaped}/offset") == {"offset": 0}


@pytest.mark.parametrize("client_id", ["a\nb", "\n", "a/\nb", "a b", "é", "a\0", "x" * 65, "\u2028"])
def test_what_is_no_client_id_is_invalid_in_an_address_too(alice, client_id):
    escaped = quote(client_id, safe="")
    for answer in (put(alice, escaped, TEXT), cancel(alice, escaped), alice.get(f"/files/{escaped}/offset")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


@pytest.mark.parametrize("path", ["/files", "/files/a", "/files/a\nb", "/files//a", "//files", "//files/a", "//messages/bob", "///conversations/7/messages"])
def test_what_reads_the_bodies_understands_an_address_as_the_routes_do(path):
    """They do not mind how many slashes it begins with. Some servers, and `requests`, take them out before."""
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_TYPE": "multipart/form-data; boundary=b"}
    assert is_streamed(environ) and not is_streamed({**environ, "PATH_INFO": f"/other{path}"})


def test_what_has_no_page_is_refused_in_json(chat, alice, bob):
    """Whatever is asked for: here a page."""
    room, stranger = bob.make_room("secret"), Person(chat.url)
    for answer, status in ((stranger.get("/files/quota"), 401), (stranger.get("/files/a/offset"), 401), (alice.get(f"/files/{'x' * 65}/offset"), 400),
                           (alice.get(f"/conversations/{room}/files"), 404), (alice.post("/files"), 400)):
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json") and answer.json()["error"]["message"]
    assert stranger.get("/files/7").headers["Location"] == "/login?next=%2Ffiles%2F7", "a file is opened by people too"
    stranger.leave()


def test_a_message_by_a_live_connection(alice, bob):
    file, other = uploaded(alice), uploaded(alice, picture("JPEG"), "photo.jpg")
    tab = bob.tab()
    answer = alice.tab().call("sendMessage", {"clientId": new_client_id(), "receiverId": bob.id, "message": "voilà",
                                              "files": [other["id"], file["id"]]})
    assert answer["message"]["files"] == [other, file]
    assert tab.wait_for("receiveMessage") == answer["message"]


@pytest.mark.parametrize("files", ["1", [1.5], [True], ["1"], [0], [None], list(range(1, 12)), {"1": 1}])
def test_what_is_no_list_of_files(alice, bob, files):
    answer = alice.ask(f"/messages/{bob.username}", message="x", clientId=new_client_id(), files=files)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


def test_only_files_of_ones_own_are_sent(alice, bob):
    file = uploaded(bob)
    for ids in ([file["id"]], [2**31 - 1]):
        answer = alice.ask(f"/messages/{bob.username}", message="x", clientId=new_client_id(), files=ids)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_resend_is_stored_once(alice, bob):
    file, client_id = uploaded(alice), new_client_id()
    first = send_files(alice, bob, file, client_id=client_id)
    assert send_files(alice, bob, file, client_id=client_id) == first
    assert len(bob.history(alice)["messages"]) == 1


def test_an_empty_message_without_files_is_refused(alice, bob):
    assert alice.ask(f"/messages/{bob.username}", message=" ", clientId=new_client_id(), files=[]).status_code == 400


def test_a_form_without_javascript(alice, bob):
    fields = {"csrf_token": token(alice), "clientId": new_client_id(), "message": ""}
    answer = alice.post(f"/messages/{bob.username}", fields, files=[("files", ("a.txt", TEXT)), ("files", ("b.png", picture()))])
    assert answer.status_code == 302
    [told] = bob.history(alice)["messages"]
    assert [file["name"] for file in told["files"]] == ["a.txt", "b.png"]
    assert alice.post(f"/messages/{bob.username}", fields, files=[("files", ("a.txt", TEXT))]).status_code == 302, "sent twice"
    assert bob.history(alice)["messages"] == [told]


def test_a_form_with_no_file_chosen(alice, bob):
    fields = {"csrf_token": token(alice), "clientId": new_client_id(), "message": "bonjour"}
    assert alice.post(f"/messages/{bob.username}", fields, files=[("files", ("", b""))]).status_code == 302
    assert [m["message"] for m in bob.history(alice)["messages"]] == ["bonjour"]


def test_a_form_of_another_site(alice, bob):
    answer = alice.post(f"/messages/{bob.username}", {"clientId": "x", "message": "x"}, files=[("files", ("a.txt", TEXT))])
    assert answer.status_code == 400
    assert alice.post("/files", {"clientId": "x"}, files={"file": ("a", b"x")}).status_code == 400


def test_who_may_fetch_it(alice, bob, charlie):
    file = uploaded(alice)
    path = f"/files/{file['id']}"
    assert [person.get(path).status_code for person in (alice, bob, charlie)] == [200, 404, 404]
    send_files(alice, bob, file)
    assert [person.get(path).status_code for person in (alice, bob, charlie)] == [200, 200, 404]


def test_who_has_left_a_room_fetches_nothing_of_it_but_their_own(alice, bob):
    room_id = alice.make_room("a room", bob)
    own, other = uploaded(bob), uploaded(alice)
    for person, file in ((bob, own), (alice, other)):
        answer = person.ask(f"/conversations/{room_id}/messages", message="", clientId=new_client_id(), files=[file["id"]])
        assert answer.status_code == 201
    fetched = lambda: [person.get(f"/files/{file['id']}").status_code for person in (alice, bob) for file in (own, other)]     # noqa: E731
    assert fetched() == [200, 200, 200, 200]
    assert bob.ask(f"/rooms/{room_id}/leave").status_code == 200
    assert fetched() == [200, 200, 200, 404]


def test_an_edit_keeps_the_files(alice, bob):
    told = send_files(alice, bob, uploaded(alice), text="one")
    url = f"/conversations/{told['conversationId']}/messages/{told['seq']}"
    changed = alice.ask(url, clientId=new_client_id(), edit="").json()["message"]
    assert (changed["message"], changed["files"]) == ("", told["files"])
    plain = alice.send(bob, "plain").json()
    assert alice.ask(f"/conversations/{plain['conversationId']}/messages/{plain['seq']}", clientId=new_client_id(), edit=" ").status_code == 400


def test_a_deleted_message_has_no_files(alice, bob):
    file = uploaded(alice)
    told, other = send_files(alice, bob, file), send_files(alice, bob, file)
    url = f"/conversations/{told['conversationId']}/messages/"
    assert alice.ask(f"{url}{told['seq']}", clientId=new_client_id(), delete=True).json()["message"]["files"] == []
    assert bob.get(f"/files/{file['id']}").status_code == 200, "the other message holds it"
    alice.ask(f"{url}{other['seq']}", clientId=new_client_id(), delete=True)
    assert [person.get(f"/files/{file['id']}").status_code for person in (alice, bob)] == [404, 404]


def test_a_quote_shows_the_first_file(alice, bob):
    file = uploaded(alice, picture(), "a.png")
    told = send_files(alice, bob, file, uploaded(alice))
    answer = bob.ask(f"/messages/{alice.username}", message="oui", clientId=new_client_id(), replyTo=told["seq"]).json()
    assert answer["replyTo"]["file"] == {"id": file["id"], "name": "a.png", "type": "image/png", "hasPreview": True}
    assert alice.history(bob)["messages"][-1] == answer


def test_what_was_shared(alice, bob, charlie):
    file = uploaded(alice)
    told = send_files(alice, bob, file)
    path = f"/conversations/{told['conversationId']}/files"
    assert bob.json(path) == {"files": [{**file, "seq": told["seq"], "sender": alice.username, "timestamp": told["timestamp"]}]}
    assert bob.json(f"{path}?before={told['seq']}") == {"files": []}
    assert charlie.get(path, headers=JSON).status_code == 404


def test_what_was_shared_as_a_page(alice, bob, charlie):
    """The panel has the beginning, with how much there is; a page of its own has everything, page after page."""
    photos = [uploaded(alice, picture(color=(n, 0, 0)), f"{n}.png") for n in range(6)]
    told = send_files(alice, bob, *photos)
    plan = uploaded(alice, TEXT, "plan.txt")
    for _n in range(MAX_PAGE):
        last = send_files(bob, alice, uploaded(bob, new_client_id().encode(), "notes.txt"))
    send_files(alice, bob, plan)
    path = f"/conversations/{told['conversationId']}/shared"
    panel = bob.get(f"/chat/{alice.username}?info").text
    assert f'<a class="shared-all" href="{path}">' in panel and "6 images, 51 files" in panel
    first = bob.get(path)
    assert first.status_code == 200 and "plan.txt" in first.text and "0.png" not in first.text
    older = re.search(r'href="\?before=(\d+)"', first.text)
    second = bob.get(f"{path}?before={older[1]}").text
    assert all(f'/files/{photo["id"]}' in second for photo in photos) and 'href="?before=' not in second
    assert charlie.get(path).status_code == 404
    assert last["seq"] > int(older[1]) > told["seq"]


def test_the_last_image_of_the_panel_leads_to_all(alice, bob):
    photos = [uploaded(alice, picture(color=(n, 9, 0)), f"{n}.png") for n in range(6)]
    told = send_files(alice, bob, *photos)
    panel = bob.get(f"/chat/{alice.username}?info").text
    shown = panel[panel.index('id="shared"'):]
    assert f'href="/conversations/{told["conversationId"]}/shared" data-behind="+2"' in shown
    assert shown.count('data-part="file"') >= 3 and f'/files/{photos[5]["id"]}' not in shown.partition("shared-files")[0]


def test_what_is_left(alice):
    before = alice.json("/files/quota")
    uploaded(alice)
    after = alice.json("/files/quota")
    assert after["usedToday"] - before["usedToday"] == len(TEXT) == before["leftToday"] - after["leftToday"]
    assert after["maxFileBytes"] == 25_000_000


def test_a_file_that_is_too_large(chat, alice):
    answer = upload(alice, bytes(25_100_000), "zeros")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_the_pages_show_files(alice, bob):
    photo, plan = uploaded(alice, picture(), "a.png", alt="Le plan"), uploaded(alice, TEXT, '"><b>x.txt')
    told = send_files(alice, bob, photo, plan)
    bob.ask(f"/messages/{alice.username}", message="oui", clientId=new_client_id(), replyTo=told["seq"])
    page = bob.get(f"/chat/{alice.username}?info").text
    assert f'<img src="/files/{photo["id"]}/preview" width="267" height="200" alt="Le plan"' in page
    assert f'href="/files/{plan["id"]}?download"' in page and "&#34;&gt;&lt;b&gt;x.txt" in page and "<b>x.txt" not in page
    assert f'<img data-part="quote-image" src="/files/{photo["id"]}/preview"' in page and "Photo" in page
    assert "24 bytes" in page and 'id="shared"' in page


def test_a_list_says_what_was_sent(alice, bob):
    send_files(alice, bob, uploaded(alice, picture(), "a.png"))
    assert "Photo" in bob.get("/").text
    [told] = [person for person in bob.json(f"/users?q={alice.username}")["users"]]
    assert (told["lastMessage"], [file["name"] for file in told["lastFiles"]]) == ("", ["a.png"])
    room_id = alice.make_room("a room", bob)
    alice.ask(f"/conversations/{room_id}/messages", message="", clientId=new_client_id(), files=[uploaded(alice)["id"], uploaded(alice)["id"]])
    assert "2 files" in bob.get("/rooms").text

"""Uploads on bad networks, at the same time, on a full disk, and what no message holds."""
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chat.storage.partial_files import PartialFiles
from chat.storage.file_store import OWNER
from tests.attacks.conftest import ASYNC_MODES, measure
from tests.people import new_client_id
from tests.server import Server
from tests.uploads import JSON, TEXT, cancel, picture, put, send_files, token, upload, uploaded
from tests.waiting import wait_for
from tools import processes

SIZE = 400_000
CONTENT = bytes(range(256)) * (SIZE // 256 + 1)


def until(look):
    """Return what `look` returns as soon as it is true."""
    found = wait_for(look, 30)
    assert found, "it does not come"
    return found


def raw_put(person, client_id, length, offset=0):
    """Begin an upload on a bare connection, without its body; return the connection."""
    parts = urlsplit(person.url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=30)
    head = (f"PUT /files/{client_id}?offset={offset}&name=raw HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {person.cookie()}\r\n"
            f"X-CSRFToken: {token(person)}\r\nContent-Length: {length}\r\n\r\n")
    connection.sendall(head.encode())
    return connection


def answer_of(connection):
    """Return (status, JSON) of the answer on a bare connection."""
    data = b""
    while part := connection.recv(65536):
        data += part
        head, _line, body = data.partition(b"\r\n\r\n")
        if b"\r\n\r\n" in data and len(body) >= int(dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)[b"content-length"]):
            break
    return int(data.split()[1]), json.loads(data.partition(b"\r\n\r\n")[2])


def offset_of(person, client_id):
    return person.json(f"/files/{client_id}/offset")["offset"]


def send_rest(person, client_id, **fields):
    """Go on where an upload was cut, again where the server had not read all that came before; return the file."""
    def attempt():
        stored = offset_of(person, client_id)
        answer = put(person, client_id, CONTENT[stored:SIZE], stored, **fields)
        assert answer.status_code in (201, 409), answer.text
        return answer if answer.status_code == 201 else None
    return until(attempt).json()


def test_it_works(alice):
    client_id = new_client_id()
    with raw_put(alice, client_id, SIZE) as connection:
        connection.sendall(CONTENT[:SIZE])
        status, file = answer_of(connection)
    assert (status, file["size"]) == (201, SIZE)


def test_a_cut_upload_goes_on(alice):
    client_id = new_client_id()
    connection = raw_put(alice, client_id, SIZE)
    connection.sendall(CONTENT[:SIZE // 2])
    connection.close()
    assert 0 < until(lambda: offset_of(alice, client_id)) <= SIZE // 2
    file = send_rest(alice, client_id, name="a.bin")
    assert file["size"] == SIZE
    assert alice.get(f"/files/{file['id']}").content == CONTENT[:SIZE]


def raw_form(person, client_id, content):
    """Begin a form with a file on a bare connection, with a part of the file; return the connection."""
    parts = urlsplit(person.url)
    body = (f'--b\r\nContent-Disposition: form-data; name="clientId"\r\n\r\n{client_id}\r\n--b\r\n'
            'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n').encode() + content
    connection = socket.create_connection((parts.hostname, parts.port), timeout=30)
    connection.sendall(f"POST /files HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {person.cookie()}\r\nX-CSRFToken: {token(person)}\r\n"
                       f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {SIZE}\r\n\r\n".encode() + body)
    return connection


def test_a_cut_form_goes_on_too(alice):
    client_id = new_client_id()
    raw_form(alice, client_id, CONTENT[:SIZE // 2]).close()
    until(lambda: offset_of(alice, client_id))
    assert send_rest(alice, client_id)["size"] == SIZE


def test_what_is_left_of_a_cut_form_takes_no_running_uploads_place(chat, alice):
    """The form was cut in the network, and the client has begun again before the server knows."""
    client_id, uploads = new_client_id(), Path(chat.settings["INSTANCE_PATH"]) / "uploads" / str(alice.id)
    with raw_put(alice, client_id, SIZE) as connection:
        form = raw_form(alice, client_id, CONTENT[:SIZE // 2])
        until(lambda: [path for path in uploads.glob("*.incoming") if path.stat().st_size])
        connection.sendall(CONTENT[:10])
        until(lambda: offset_of(alice, client_id) == 10)
        form.close()
        until(lambda: not list(uploads.glob("*.incoming")))
        connection.sendall(CONTENT[10:SIZE])
        status, file = answer_of(connection)
    assert (status, file["size"]) == (201, SIZE)
    assert alice.get(f"/files/{file['id']}").content == CONTENT[:SIZE]


def test_what_was_begun_anew_after_a_removal_is_not_taken_for_the_old(tmp_path):
    partials = PartialFiles(tmp_path, SIZE)
    with partials.open_locked(1, "a") as old:
        old.write(b"old")
        partials.remove(1, "a")
        with partials.open_locked(1, "a") as new:
            new.write(b"new one")
            assert partials.take(1, "a", old) is None
            assert partials.size(1, "a") == 7
            assert partials.take(1, "a", new).read_bytes() == b"new one"


def part(partials, client_id, size, age):
    """Leave a part of an upload that has stood there for `age` seconds."""
    with partials.open_locked(1, client_id) as file:
        file.write(bytes(size))
    os.utime(partials.path(1, client_id), (time.time() - age,) * 2)


def test_room_is_made_by_the_oldest_but_never_by_what_is_being_sent(tmp_path):
    partials = PartialFiles(tmp_path, 100)
    part(partials, "resumed", 20, 500)
    part(partials, "written", 20, 400)
    part(partials, "old", 20, 300)
    part(partials, "young", 20, 200)
    with partials.open_locked(1, "written"):
        partials.make_room(1, "resumed", 20)
        assert [partials.size(1, name) for name in ("resumed", "written", "old", "young")] == [20, 20, 20, 20]
        partials.make_room(1, "resumed", 30)
        assert [partials.size(1, name) for name in ("resumed", "written", "old", "young")] == [20, 20, 0, 20]


def test_the_last_of_many_parts_can_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr("chat.storage.partial_files.MAX_PARTIALS", 3)
    partials = PartialFiles(tmp_path, SIZE)
    for n in range(3):
        part(partials, f"part{n}", 10, 300 - n)
    partials.make_room(1, "part0", 5)
    assert [partials.size(1, f"part{n}") for n in range(3)] == [10, 10, 10]
    partials.make_room(1, "another", 5)
    assert [partials.size(1, f"part{n}") for n in range(3)] == [0, 10, 10]


def test_what_a_killed_process_left_is_removed_after_a_day(tmp_path):
    partials, day = PartialFiles(tmp_path, SIZE), 24 * 3600
    old, young = [[partials.incoming(1) for _n in range(5)] for _age in range(2)]
    for n, ending in enumerate((".clean", ".turned", ".preview", "")):
        old[n] = old[n].rename(str(old[n]) + ending)
    old[4] = old[4].rename(tmp_path / "restored.incoming.preview")
    for path in old:
        os.utime(path, (time.time() - day - 5,) * 2)
    partials.sweep()
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(young)


@pytest.mark.parametrize("mode", ["eventlet", "gevent", "threading"])
def test_a_slow_sender_is_patient_and_a_silent_one_is_cut(start_server, arrive, mode):
    server = start_server(ASYNC_MODE=mode, tuned={"chat.live.bodies.STALL_SECONDS": 1})
    alice, slow, silent, late = arrive(server), new_client_id(), new_client_id(), new_client_id()
    with raw_put(alice, silent, SIZE) as stuck, raw_put(alice, slow, SIZE) as connection, raw_form(alice, late, b"x") as form:
        stuck.sendall(CONTENT[:SIZE // 4])
        for start in range(0, SIZE, SIZE // 5):      # two seconds in all
            time.sleep(0.4)     # the network of a train
            connection.sendall(CONTENT[start:start + SIZE // 5])
        assert answer_of(connection)[0] == 201
        assert until(lambda: offset_of(alice, silent)) == SIZE // 4, "what has arrived is kept, while the connection is still open"
        for cut in (stuck, form):
            status, told = answer_of(cut)
            assert (status, told["error"]["code"], told["error"]["retry"]) == (503, "unavailable", True), "it goes on"


def test_two_requests_send_the_same_upload(alice):
    """Each gets the same file, however it is sent."""
    client_id, content, answers = new_client_id(), CONTENT[:SIZE], []
    jobs = [threading.Thread(target=lambda way=way: answers.append(way())) for way in
            2 * [lambda: put(alice, client_id, content, name="a"), lambda: upload(alice, content, "a", client_id)]]
    token(alice)
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    stored = [answer.json() for answer in answers if answer.status_code == 201]
    others = [answer for answer in answers if answer.status_code != 201]
    assert stored and all(file == stored[0] for file in stored)
    assert all(answer.status_code == 409 for answer in others)
    assert put(alice, client_id, b"", SIZE).json() == stored[0]


def test_another_request_takes_a_stalled_upload_over(alice):
    """A phone changes the network: the server does not know yet that the old connection is dead."""
    client_id = new_client_id()
    with raw_put(alice, client_id, SIZE) as stalled:
        stalled.sendall(CONTENT[:SIZE // 2])
        stored = until(lambda: offset_of(alice, client_id))
        answer = put(alice, client_id, CONTENT[stored:SIZE], stored)
        if answer.status_code == 409:       # more of the first one has arrived meanwhile
            stored = answer.json()["offset"]
            answer = put(alice, client_id, CONTENT[stored:SIZE], stored)
        assert answer.json()["size"] == SIZE, answer.text
        stalled.sendall(b"something else" * 5000)
    assert alice.get(f"/files/{answer.json()['id']}").content == CONTENT[:SIZE]


def test_a_canceled_upload_is_gone(alice):
    client_id = new_client_id()
    with raw_put(alice, client_id, SIZE) as connection:
        connection.sendall(CONTENT[:SIZE // 2])
        until(lambda: offset_of(alice, client_id))
        assert cancel(alice, client_id).status_code == 204
        assert offset_of(alice, client_id) == 0
        connection.sendall(CONTENT[SIZE // 2:SIZE])
        assert answer_of(connection)[0] == 409
    assert alice.json(f"/files/{client_id}/offset") == {"offset": 0}


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of another process is set by prlimit")
@pytest.mark.parametrize("way", ["POST", "PUT", "form"])
def test_a_full_disk_is_told_in_words_and_nothing_is_left(start_server, arrive, way, tmp_path):
    import resource
    server = start_server(INSTANCE_PATH=str(tmp_path), LOG_MESSAGES="0")
    alice, bob = arrive(server), arrive(server)
    token(alice), token(bob)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    if way == "form":
        answer = alice.post(f"/messages/{bob.username}", {"csrf_token": token(alice), "message": "x"}, files={"files": ("a", CONTENT)})
        assert answer.status_code == 503 and "no room" in answer.text
    else:
        answer = put(alice, "c", CONTENT) if way == "PUT" else upload(alice, CONTENT, client_id="c")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable") and "no room" in answer.text
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()] == []
    assert bob.history(alice)["messages"] == []
    assert uploaded(alice, CONTENT, client_id="c")["size"] == len(CONTENT), "the same one works later"


def test_what_no_message_holds_is_removed(start_server, arrive, tmp_path):
    server = start_server(INSTANCE_PATH=str(tmp_path), tuned={"chat.conversations.file_removal.SWEEP_INTERVAL": 0.1, "chat.conversations.file.RELEASE_SECONDS": 0.2})
    alice, bob = arrive(server), arrive(server)
    photo = uploaded(alice, picture())
    first, second = send_files(alice, bob, photo), send_files(alice, bob, uploaded(alice, picture()))
    contents = lambda: sorted(path.name for path in (tmp_path / "files").rglob("*") if path.is_file())     # noqa: E731
    assert len(contents()) == 2, "the same content is kept once, and its preview"
    for told in (first, second):
        assert len(contents()) == 2
        alice.ask(f"/conversations/{told['conversationId']}/messages/{told['seq']}", clientId=new_client_id(), delete=True)
        time.sleep(0.5)     # nothing is to happen after the first one
    until(lambda: not contents())
    assert alice.get(f"/files/{photo['id']}").status_code == 404


def test_quotas_say_what_is_left_and_when(start_server, arrive):
    server = start_server(RATELIMIT_ENABLED="1", FILE_BYTES_A_DAY="1000", FILE_BYTES_A_PERSON="1500", FILE_BYTES="2000")
    alice, bob, charlie = (arrive(server) for _n in range(3))
    uploaded(alice, b"x" * 900)
    answer = upload(alice, b"x" * 101)
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["retry"]) == (429, "rate_limited", True)
    assert 86_000 < answer.json()["error"]["retryAfter"] <= 86_400 and answer.headers["Retry-After"]
    assert "in 1 day" in answer.json()["error"]["message"]
    assert alice.json("/files/quota")["leftToday"] == 100
    assert put(alice, "p", b"x" * 101).status_code == 429
    direct = send_files(alice, bob, uploaded(alice, b"z" * 10))["conversationId"]
    assert "You may upload 90 bytes more today." in alice.get(f"/conversations/{direct}/shared").text
    assert "more today" not in bob.get(f"/conversations/{direct}/shared").text
    uploaded(bob, b"y" * 990)
    answer = upload(charlie, b"z" * 101)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "over_quota")


def test_ten_thousand_tiny_files(start_server, arrive, tmp_path):
    server = start_server(INSTANCE_PATH=str(tmp_path), RATELIMIT_ENABLED="1", FILES_A_DAY="30")
    alice = arrive(server)
    codes = [upload(alice, b"tiny").status_code for _n in range(35)]
    assert codes == [201] * 30 + [429] * 5
    assert len([path for path in (tmp_path / "files").rglob("*") if path.is_file() and path.name != OWNER]) == 1


@pytest.mark.parametrize("mode", ASYNC_MODES)
def test_uploads_leave_no_descriptor(start_server, arrive, mode):
    """Real threads write the files. With green files each of them would open an event loop and keep it."""
    server = start_server(ASYNC_MODE=mode)
    alice = arrive(server)
    uploaded(alice)
    before = processes.open_files(server.process.pid)
    for n in range(40):
        uploaded(alice, f"{n}".encode())
    assert wait_for(lambda: processes.open_files(server.process.pid) <= before + 1, 20), (before, processes.open_files(server.process.pid))


def test_partial_uploads_have_a_limit(chat, alice):
    for n in range(25):
        connection = raw_put(alice, f"part{n}", SIZE)
        connection.sendall(CONTENT[:70_000])
        connection.close()
        until(lambda n=n: offset_of(alice, f"part{n}"))
    assert sum(bool(offset_of(alice, f"part{n}")) for n in range(25)) <= 20


def test_processes_share_what_is_half_sent(server_mode_settings, arrive, tmp_path):
    shared = {**server_mode_settings, "INSTANCE_PATH": str(tmp_path)}
    with Server(**shared) as one, Server(**shared) as other:
        alice = arrive(one)
        connection = raw_put(alice, "c", SIZE)
        connection.sendall(CONTENT[:SIZE // 2])
        connection.close()
        alice.url = other.url
        stored = until(lambda: (offset_of(alice, "c") == SIZE // 2) and SIZE // 2)
        assert put(alice, "c", CONTENT[stored:SIZE], stored).json()["size"] == SIZE


@pytest.mark.parametrize("fields, files", [
    ({"clientId": ""}, {"file": ("a", b"x")}), ({"clientId": "é"}, {"file": ("a", b"x")}), ({"clientId": "x" * 65}, {"file": ("a", b"x")}), ({}, {"file": ("a", b"x")}),
    ({"clientId": "a1"}, {"other": ("a", b"x")}), ({"clientId": "a2"}, {}), ({"clientId": "a3", "duration": "nan"}, {"file": ("a", b"x")}),
    ({"clientId": "a4", "duration": "-1"}, {"file": ("a", b"x")}), ({"clientId": "a5", "alt": "x" * 1001}, {"file": ("a", b"x")}),
    ({"clientId": "a6"}, [("file", ("a", b"x")), ("file", ("b", b"y"))])])
def test_what_is_no_upload(alice, fields, files):
    answer = alice.post("/files", fields, files=files or {"x": ("", b"")}, headers={"X-CSRFToken": token(alice)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid"), answer.text


@pytest.mark.parametrize("body", [b"", b"--b", b"--b--", b"nothing", b"--b\r\n\r\n\r\n--b--", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
                                  b"--b\r\n" + b"a: b\r\n" * 3000, b"--b\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nx\r\n--b--"])
def test_malformed_forms(alice, body):
    answer = alice.post("/files", body, headers={"X-CSRFToken": token(alice), "Content-Type": "multipart/form-data; boundary=b"})
    assert answer.status_code in (400, 413) and answer.json()["error"], answer.text


@pytest.mark.parametrize("query", ["offset=-1", "offset=x", "offset=1.5", "duration=x", "offset=0&duration=0"])
def test_malformed_queries(alice, query):
    answer = alice.http.put(f"{alice.url}/files/q1?{query}", data=b"x", headers={"X-CSRFToken": token(alice)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


def test_without_a_login_or_a_token(chat, alice):
    assert put(alice, "c9", b"x").status_code == 201
    assert alice.http.put(f"{alice.url}/files/c8", data=b"x").status_code == 400
    alice.http.cookies.clear()
    assert alice.get("/files/1", headers=JSON).status_code == 401
    assert alice.http.put(f"{alice.url}/files/c8", data=b"x").status_code == 400
    assert TEXT


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_a_gigabyte_in_flight(start_server, arrive):
    """Forty people send 25 MB each at the same time, and each piece of one waits for the others."""
    server = start_server(LOG_MESSAGES="0")
    people = [arrive(server) for _n in range(40)]
    connections, piece = [raw_put(person, "large", 25_000_000) for person in people], bytes(1_000_000)
    peak = 0
    for _piece in range(25):
        for connection in connections:
            connection.sendall(piece)
        peak = max(peak, measure(server, "process_resident_memory_bytes"))
    for connection in connections:
        with connection:
            assert answer_of(connection)[0] == 201
    assert peak < 250_000_000

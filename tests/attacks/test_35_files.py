"""Files that are no files: forms whose headers do not end, bodies that trickle, pictures that unpack to gigabytes, names that are headers."""
import contextlib
import socket
import struct
import time
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.attacks.conftest import ASYNC_MODES, measure
from tests.people import new_client_id
from tests.uploads import JSON, TEXT, picture, send_files, token, upload, uploaded
from tests.waiting import wait_for

MAX_CPU = 1.5       # seconds of the server for one of these, pages of the bystander included


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, *chunks):
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)) + b"".join(chunks) + chunk(b"IEND", b"")


def box(name, data):
    return struct.pack(">I", 8 + len(data)) + name + data


def heic(*boxes):
    return box(b"ftyp", b"heic\0\0\0\0") + box(b"meta", b"\0\0\0\0" + b"".join(boxes))


def tracks(depth):
    track = b""
    for _n in range(depth):
        track = box(b"trak", track)
    return box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", track)


ITEMS = range(10_000)
EXIF_ITEMS = box(b"iinf", b"\0\0\0\0\x27\x10" + b"".join(box(b"infe", b"\2\0\0\0" + struct.pack(">HH", n, 0) + b"Exif") for n in ITEMS))
BOMBS = {
    "a GIF of two million frames": b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff" + b",\0\0\0\0\x01\0\x01\0\0\x02\0" * 2_000_000 + b";",
    "10^8 extents that take no byte": heic(box(b"iloc", b"\0\0\0\0\0\0\x27\x10" + b"".join(struct.pack(">HHH", n, 0, 10_000) for n in ITEMS))),
    "the same million bytes overwritten 10,000 times": heic(
        EXIF_ITEMS, box(b"iloc", b"\0\0\0\0\x44\0\x27\x10" + b"".join(struct.pack(">HHHII", n, 0, 1, 0, 10**6) for n in ITEMS)), box(b"free", bytes(10**6))),
    "a thousand tracks in one another": tracks(1000),
    "300,000 boxes": box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", box(b"free", b"") * 300_000),
    "a list of items that ends at once": heic(box(b"iinf", b"")),
    "10^10 pixels": png(100_000, 100_000, chunk(b"IDAT", zlib.compress(bytes(10**6)))),
    "49 million pixels that are not there": png(7000, 7000, chunk(b"IDAT", zlib.compress(bytes(1000)))),
    "text that unpacks to 100 MB": png(10, 10, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**8))), chunk(b"IDAT", zlib.compress(bytes(410)))),
    "a color profile of 100 MB": png(10, 10, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**8))), chunk(b"IDAT", zlib.compress(bytes(410)))),
    "a hundred thousand chunks": png(10, 10, chunk(b"IDAT", zlib.compress(bytes(410))), *[chunk(b"tEXt", b"a\0b")] * 100_000),
    "a GIF of 65535 × 65535": b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;",
    "a GIF of 100,000 frames": b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff" + b"!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0" * 100_000 + b";",
}


@pytest.mark.parametrize("kind", BOMBS)
def test_pictures_that_unpack_to_much(embedded, arrive, bystander, kind):
    alice = arrive(embedded)
    uploaded(alice, picture())
    before = measure(embedded, "process_resident_memory_bytes")
    with bystander(embedded) as other:
        answer = upload(alice, BOMBS[kind], "bomb.png")
    assert answer.status_code in (201, 400)
    assert answer.status_code == 201 or answer.json()["error"]["code"] == "invalid"
    assert other.cpu < MAX_CPU
    assert measure(embedded, "process_resident_memory_bytes") - before < 30_000_000
    assert uploaded(alice, picture())["hasPreview"], "others go on"


@pytest.mark.parametrize("body", [
    b"--b\r\n" + b"a: b\r\n" * 200_000, b"--b\r\nContent-Disposition: form-data; name=\"clientId\"\r\n\r\n" + b"x" * 1_000_000,
    b"\r\n" * 400_000, b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n" + b"\r\n--" * 200_000,
    (b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n") * 20_000])
def test_forms_that_cost_much(embedded, arrive, bystander, body):
    alice = arrive(embedded)
    with bystander(embedded) as other:
        answer = alice.post("/files", body, headers={"X-CSRFToken": token(alice), "Content-Type": "multipart/form-data; boundary=b"})
    assert answer.status_code in (400, 413)
    assert other.cpu < MAX_CPU


@pytest.mark.parametrize("mode", ASYNC_MODES)
def test_a_body_that_nobody_asked_for_is_not_read(start_server, mode, arrive):
    """Without a login, and of 2 GB: the answer comes at once."""
    server = start_server(ASYNC_MODE=mode, RATELIMIT_ENABLED="1")
    alice, parts = arrive(server), urlsplit(server.url)
    for cookie in ("", f"Cookie: {alice.cookie()}\r\nX-CSRFToken: {token(alice)}\r\n"):
        with socket.create_connection((parts.hostname, parts.port), timeout=15) as connection:
            connection.sendall(f"PUT /files/c?offset=0 HTTP/1.1\r\nHost: {parts.netloc}\r\n{cookie}Content-Length: 2000000000\r\n\r\n".encode() + bytes(2_000_000))
            with contextlib.suppress(OSError):      # the server may have closed its half already
                connection.shutdown(socket.SHUT_WR)
            began = time.monotonic()
            status = int(connection.recv(100).split()[1])
        assert status in (400, 413) and time.monotonic() - began < 10


def trickling(connection):
    """Return a function that sends one byte more and tells whether the connection was answered or cut."""
    def is_cut():
        try:
            connection.sendall(b"x")
            connection.setblocking(False)
            return b"HTTP/1.1 " in connection.recv(100)
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            connection.setblocking(True)
    return is_cut


BEGUN = ["PUT /files/c?offset=0 HTTP/1.1\r\n{}\r\n\r\n",
         "POST /files HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\n{}\r\n\r\n--b\r\nContent-Dis",
         "POST /messages/bob HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\n{}\r\n\r\n--b\r\nContent-Dis"]


@pytest.mark.parametrize("mode", ASYNC_MODES)
@pytest.mark.parametrize("begun", BEGUN)
def test_uploads_without_a_login_have_no_more_time_than_other_bodies(start_server, mode, begun):
    """The patience with a slow phone is for who has an account: here a byte a moment would last for a quarter of an hour."""
    server = start_server(ASYNC_MODE=mode, RATELIMIT_ENABLED="1", tuned={"chat.live.bodies.BODY_SECONDS": 1})
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=15) as connection:
        connection.sendall(begun.format(f"Host: {parts.netloc}\r\nContent-Length: 500000").encode())
        assert wait_for(trickling(connection), 10)


@pytest.mark.parametrize("mode", ASYNC_MODES)
@pytest.mark.parametrize("begun", BEGUN)
def test_the_rest_of_a_body_that_was_cut_is_no_further_request(start_server, mode, begun):
    """Its time is over before the first byte is read: the answer comes, and the connection ends whatever is sent after it."""
    server = start_server(ASYNC_MODE=mode, RATELIMIT_ENABLED="1", tuned={"chat.live.bodies.BODY_SECONDS": -1})
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=15) as connection:
        connection.sendall(begun.format(f"Host: {parts.netloc}\r\nContent-Length: 500000").encode())
        answer = connection.recv(1000)
        assert answer.startswith(b"HTTP/1.1 ") and b"connection: close" in answer.lower()
        with contextlib.suppress(OSError):      # reset, where the server had not read all
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            while answer:
                answer = connection.recv(100_000)
                assert b"HTTP/1.1" not in answer


def test_uploads_that_trickle_end(start_server, arrive):
    server = start_server(RATELIMIT_ENABLED="1", tuned={"chat.live.bodies.UPLOAD_SECONDS": 1})
    alice, parts = arrive(server), urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=15) as connection:
        connection.sendall(f"PUT /files/c?offset=0 HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {alice.cookie()}\r\nX-CSRFToken: {token(alice)}\r\n"
                           "Content-Length: 100000\r\n\r\n".encode())
        assert wait_for(trickling(connection), 10)


def test_too_many_at_once(embedded, arrive):
    """A person has 12 uploads at once, and others have theirs."""
    alice, bob, parts = arrive(embedded), arrive(embedded), urlsplit(embedded.url)
    connections = []
    try:
        for n in range(12):
            connection = socket.create_connection((parts.hostname, parts.port), timeout=15)
            connection.sendall(f"PUT /files/c{n}?offset=0 HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {alice.cookie()}\r\nX-CSRFToken: {token(alice)}\r\n"
                               "Content-Length: 300000\r\n\r\n".encode() + bytes(200_000))
            connections.append(connection)
        assert wait_for(lambda: alice.json("/files/c11/offset")["offset"], 20)
        answer = upload(alice)
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limited")
        assert upload(bob).status_code == 201
    finally:
        for connection in connections:
            connection.close()


def test_names_that_are_headers(embedded, arrive):
    alice, bob = arrive(embedded), arrive(embedded)
    name = 'a"; filename=b\\\r\nSet-Cookie: x=1\r\n\r\n<script>alert(1)</script>.html'
    file = uploaded(alice, TEXT, name)
    send_files(alice, bob, file)
    answer = bob.get(f"/files/{file['id']}")
    assert "Set-Cookie" not in answer.headers and answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert "<script>alert(1)" not in bob.get(f"/chat/{alice.username}?info").text


@pytest.mark.parametrize("fields", [{"alt": "a\0b"}, {"duration": "1e400"}, {"duration": "9" * 400}, {"duration": "NaN"}, {"alt": "\ud800"}])
def test_fields_that_are_none(embedded, arrive, fields):
    alice = arrive(embedded)
    body = b"".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value.encode("utf-8", "surrogatepass") + b"\r\n"
                    for name, value in {"clientId": new_client_id(), **fields}.items())
    body += b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n'
    answer = alice.post("/files", body, headers={"X-CSRFToken": token(alice), "Content-Type": "multipart/form-data; boundary=b", **JSON})
    assert answer.status_code == 400


def test_a_form_that_outlasts_a_membership(embedded, arrive):
    """Bob begins a form with a file, is removed from the room, and ends the form: nothing of it is stored there."""
    alice, bob, parts = arrive(embedded), arrive(embedded), urlsplit(embedded.url)
    room = alice.make_room("maths", bob)
    fields = {"csrf_token": bob.token(f"/rooms/{room}"), "clientId": new_client_id()}
    begin = "".join(f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    begin += '--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
    end = '\r\n--b\r\nContent-Disposition: form-data; name="message"\r\n\r\nfrom outside\r\n--b--\r\n'
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(f"POST /conversations/{room}/messages HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {bob.cookie()}\r\n"
                           "Content-Type: multipart/form-data; boundary=b\r\n"
                           f"Content-Length: {len(begin) + len(TEXT) + len(end)}\r\n\r\n{begin}".encode() + TEXT)
        assert wait_for(lambda: list((Path(embedded.settings["INSTANCE_PATH"]) / "uploads" / str(bob.id)).glob("*.incoming")), 20), "its file is under way"
        assert alice.ask(f"/rooms/{room}/members/{bob.username}/remove").status_code == 200
        connection.sendall(end.encode())
        answer = connection.recv(100_000)
    assert answer.startswith(b"HTTP/1.1 404 "), answer[:200]
    assert "from outside" not in alice.get(f"/conversations/{room}/messages", headers=JSON).text

"""How files are served: to whom, as what, in which pieces, and so that a browser runs nothing of them."""
import contextlib
import re
import socket
from urllib.parse import unquote, urlsplit

import pytest

from chat.conversations.file_names import MAX_NAME_LENGTH, clean_name, content_disposition
from tests.attacks.conftest import measure
from tests.uploads import HTML, JSON, MP3, PDF, SVG, TEXT, animation, picture, upload, uploaded

BYTES = bytes(range(256)) * 40


@pytest.fixture
def file(alice):
    return uploaded(alice, b"\0" + BYTES, "a.bin")


def fetch(person, file, **headers):
    return person.get(f"/files/{file['id']}", headers=headers)


def test_it_works(alice, file):
    answer = fetch(alice, file)
    assert answer.content == b"\0" + BYTES
    assert {name: answer.headers[name] for name in ("Content-Type", "Content-Length", "Content-Disposition", "Content-Security-Policy", "X-Content-Type-Options",
                                                    "Cross-Origin-Resource-Policy", "Cache-Control", "Accept-Ranges", "Referrer-Policy")} == {
        "Content-Type": "application/octet-stream", "Content-Length": str(len(BYTES) + 1), "Content-Disposition": 'attachment; filename="a.bin"',
        "Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, max-age=60", "Accept-Ranges": "bytes", "Referrer-Policy": "same-origin"}
    assert "Cookie" in answer.headers["Vary"] and answer.headers["ETag"]


def test_a_head_has_the_same_headers_and_no_body(alice, file):
    answer = alice.http.head(f"{alice.url}/files/{file['id']}")
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, str(len(BYTES) + 1), b"")


@pytest.mark.parametrize("asked, status, part, said", [
    ("bytes=0-0", 206, slice(0, 1), "bytes 0-0/10241"), ("bytes=100-199", 206, slice(100, 200), "bytes 100-199/10241"),
    ("bytes=10000-", 206, slice(10000, None), "bytes 10000-10240/10241"), ("bytes=-5", 206, slice(-5, None), "bytes 10236-10240/10241"),
    ("bytes=0-999999", 206, slice(None), "bytes 0-10240/10241"), ("bytes=10241-", 416, None, "bytes */10241"), ("bytes=99999-100000", 416, None, "bytes */10241"),
    ("bytes=5-2", 200, slice(None), None), ("bytes=a-b", 200, slice(None), None), ("pages=1-2", 200, slice(None), None),
    ("bytes=0-1,5-6", 200, slice(None), None), ("bytes=" + "9" * 5000 + "-", 200, slice(None), None)])
def test_ranges(alice, file, asked, status, part, said):
    answer = fetch(alice, file, Range=asked)
    assert (answer.status_code, answer.headers.get("Content-Range")) == (status, said)
    if part:
        assert answer.content == (b"\0" + BYTES)[part]


def test_a_range_of_another_version_is_the_whole(alice, file):
    etag = fetch(alice, file).headers["ETag"]
    assert fetch(alice, file, **{"Range": "bytes=0-0", "If-Range": etag}).status_code == 206
    for other in ('"other"', "Sat, 29 Oct 1994 19:43:31 GMT"):
        assert fetch(alice, file, **{"Range": "bytes=0-0", "If-Range": other}).status_code == 200
    answer = fetch(alice, file, **{"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize("content, name, kind, disposition", [
    (picture(), "a.html", "image/png", "inline"), (animation(), "a.gif", "image/gif", "inline"), (PDF, "a.pdf", "application/pdf", "inline"),
    (MP3, "a.mp3", "audio/mpeg", "inline"), (HTML, "a.png", "application/octet-stream", "attachment"), (SVG, "a.svg", "application/octet-stream", "attachment"),
    (TEXT, "a.txt", "application/octet-stream", "attachment"), (picture("BMP"), "a.bmp", "application/octet-stream", "attachment"),
    (b"PK\3\4" + bytes(100), "a.png", "application/octet-stream", "attachment"), (b"GIF89a" + HTML, "a.gif", None, None),
    (b"%PDF-1.7\n" + HTML, "a.html", "application/pdf", "inline"), (b"\xff\xd8\xff" + HTML, "a.jpg", None, None), (b"RIFF\0\0\0\0WEBP" + HTML, "a.webp", None, None)])
def test_only_what_is_harmless_is_shown(alice, content, name, kind, disposition):
    """A polyglot is no image, or is kept without what makes it something else."""
    answer = upload(alice, content, name)
    if kind is None:
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")
        return
    served = fetch(alice, answer.json())
    assert (served.headers["Content-Type"], served.headers["Content-Disposition"].split(";")[0]) == (kind, disposition)
    saved = alice.get(f"/files/{answer.json()['id']}?download")
    assert saved.headers["Content-Disposition"].startswith("attachment")


NAMES = ["plan.txt", "Où ça ?.pdf", "日本語 😀.txt", 'a"b.txt', "a\\b.txt", "a;b=c.txt", "100%.txt", "../../etc/passwd", "C:\\temp\\x.txt", "a\r\nSet-Cookie: x=1.txt",
         "\u202egpj.exe", "....", "", " ", "x" * 400 + ".pdf", "a\0b", "עברית.txt", "%0d%0a.txt", "COM1", "a/b"]


@pytest.mark.parametrize("name", NAMES)
def test_names_with_any_character(name):
    clean = clean_name(name)
    header = content_disposition("attachment", clean)
    assert 0 < len(clean) <= MAX_NAME_LENGTH and not set("/\\\r\n\0\u202e") & set(clean) and clean.strip(".")
    assert header.isascii() and header.isprintable() and re.fullmatch(r'attachment; filename="[^"\\]+"(; filename\*=UTF-8\'\'[\w.~%!-]+)?', header)
    told = re.search(r"filename\*=UTF-8''(.*)", header)
    assert (unquote(told[1]) if told else re.search('filename="(.*)"', header)[1]) == clean


@pytest.mark.parametrize("name", ["Où ça ?.pdf", "日本語 😀.txt", "100%.txt", "../../etc/passwd"])
def test_a_name_comes_back(alice, name):
    file = uploaded(alice, TEXT, name)
    assert file["name"] == clean_name(name)
    assert content_disposition("attachment", file["name"]) == fetch(alice, file).headers["Content-Disposition"]


@pytest.mark.parametrize("path", ["/files/0", "/files/abc", "/files/-1", "/files/1/2", "/files/2147483648", "/files/99999999999999999999", "/files/1/preview", "/conversations/1/files"])
def test_what_is_not_there_is_not_ones_own(chat, alice, arrive, path):
    assert alice.get(path, headers=JSON).status_code == 404


def test_a_file_without_a_preview(alice, file):
    assert alice.get(f"/files/{file['id']}/preview").status_code == 404


@pytest.mark.parametrize("mode", ["eventlet", "gevent", "threading"])
def test_slow_readers_hold_little(start_server, arrive, mode):
    """Of a file of 8 MB each of them has a chunk; the rest waits on the disk. The first thirty start the threads that read from it."""
    server = start_server(ASYNC_MODE=mode)
    alice = arrive(server)
    large = uploaded(alice, bytes(8_000_000))
    with contextlib.ExitStack() as connections:
        read_slowly(alice, large, 30, connections)
        before = measure(server, "process_resident_memory_bytes")
        read_slowly(alice, large, 60, connections)
        assert measure(server, "process_resident_memory_bytes") - before < 60 * 250_000


def read_slowly(person, file, how_many, connections):
    """Ask for a file on so many connections, and read the head of each answer."""
    parts = urlsplit(person.url)
    for _n in range(how_many):
        connection = connections.enter_context(socket.socket())
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((parts.hostname, parts.port))
        connection.sendall(f"GET /files/{file['id']} HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {person.cookie()}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200")

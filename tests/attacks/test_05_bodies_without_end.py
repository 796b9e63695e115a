"""Chunk sizes without end, and lengths that are no number: a server reads them into memory for as long as they come."""
from contextlib import suppress
from types import SimpleNamespace

import pytest

from chat import MAX_FORM_BYTES
from chat.live.bodies import MAX_DISCARDED, Bodies
from chat.web.streamed_form import PIECE_BYTES
from tests.attacks.conftest import ASYNC_MODES, connect, measure
from tests.conftest import skip_without_gevent
from tests.server import Server

pytestmark = pytest.mark.slow

MAX_SENT = 64 * 1024 * 1024    # bytes; the server takes few of them
MAX_KEPT = 20 * 1024 * 1024    # bytes of memory; 314 MB in four seconds before


@pytest.fixture(scope="module", params=ASYNC_MODES)
def server(request):
    skip_without_gevent(request.param)
    with Server(ASYNC_MODE=request.param, RATELIMIT_ENABLED="1") as started:
        yield started


@pytest.mark.parametrize("path", ["/healthz", "/login", "/socket.io/?EIO=4&transport=polling"])
def test_a_chunk_size_without_end_is_not_read(server, bystander, record, path):
    before = measure(server, "process_resident_memory_bytes")
    with bystander(server) as watching, connect(server) as sock, suppress(OSError):
        sock.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for _n in range(MAX_SENT // 65536):
            sock.sendall(b"1" * 65536)
    assert record(server, "memory kept", measure(server, "process_resident_memory_bytes") - before, "bytes") < MAX_KEPT
    assert watching.cpu < 2


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "DELETE"])
@pytest.mark.parametrize("head", ["Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: x",
                                  "Content-Length: 1x", "Content-Length: 99999999999999"])
def test_a_body_of_no_known_length_is_refused(server, method, head):
    with connect(server) as sock:
        sock.sendall(f"{method} /healthz HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\nzz\r\n".encode())
        answer = sock.recv(1000)
        assert answer.split()[1] in (b"400", b"501")
        with suppress(ConnectionResetError):
            while sock.recv(1000):
                pass        # and closed, or what follows would be the next request


@pytest.mark.parametrize("length", [300_000, 5_000_000])
def test_a_body_that_is_too_large_is_not_kept(length):
    pieces, answered = [], []

    def read_some(_environ, size, _seconds):
        pieces.append(size)
        return b"x" * size

    runtime = SimpleNamespace(read_some=read_some, close_after_answer=answered.append)     # and no way to read it all at once
    bodies = Bodies(lambda environ, _start: [environ["wsgi.input"].read()], runtime, MAX_FORM_BYTES)
    assert bodies({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(length), "wsgi.input": None}, None) == [b""]
    assert max(pieces) <= PIECE_BYTES and sum(pieces) <= MAX_DISCARDED + PIECE_BYTES
    assert bool(answered) == (length > MAX_DISCARDED), "what was not read is no further request"

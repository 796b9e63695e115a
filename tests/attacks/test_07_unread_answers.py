"""Answers that are asked for and not read: each is held, so none is large without bound."""
import json
from contextlib import ExitStack

from chat.conversations.answer_size import MAX_PAGE_BYTES
from chat.conversations.message_text import MAX_LENGTH
from tests.attacks.conftest import connect, measure

READERS = 60
MAX_HELD = 20 * 1024 * 1024    # bytes, with what the sockets and the processor's pages add; 542 MB before
LONG = "\U0001F600" * MAX_LENGTH   # 16 KB in UTF-8, 48 KB as JSON escapes


def test_a_page_is_bounded_in_bytes_and_nothing_is_missing(start_server, arrive, record):
    server = start_server()
    alice, bob = arrive(server), arrive(server)
    tab = alice.tab()
    for _n in range(60):
        assert tab.send(bob, LONG)["ok"]
    answer = bob.get(f"/messages/{alice.username}?limit=200", headers={"Accept": "application/json"})
    assert record(server, "one answer", len(answer.content), "bytes") < MAX_PAGE_BYTES * 1.1
    seqs, after = [], 0
    while page := bob.history(alice, f"?after={after}&limit=200")["messages"]:
        seqs += [message["seq"] for message in page]
        after = seqs[-1]
    assert seqs == list(range(1, 61))
    assert bob.history(alice, "?before=30&limit=200")["messages"][-1]["seq"] == 29, "those next to it come first"
    held_before = measure(server, "process_resident_memory_bytes")
    with ExitStack() as opened:
        for _n in range(READERS):
            sock = opened.enter_context(connect(server))
            sock.sendall(f"GET /messages/{alice.username}?limit=200 HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n"
                         f"Cookie: {bob.cookie()}\r\n\r\n".encode())
        assert alice.get("/healthz").status_code == 200
        held = measure(server, "process_resident_memory_bytes") - held_before
        assert record(server, "memory held", held, "bytes") < MAX_HELD
    assert json.loads(answer.content)["lastSeq"] == 60

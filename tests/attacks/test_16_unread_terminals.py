"""A terminal that nobody reads, and one that obeys what is printed on it."""
import os
import subprocess
import sys

import pytest
import requests

from chat.conversations.message import Message
from chat.web.log_stream import printable
from chat.live.message_log import line
from tests.attacks.conftest import connect
from tests.server import OWN_SETTINGS, ROOT

DANGEROUS = ["\x1b[2J", "\x85", "\u2028", "\u2029", "\x9b31m", "\u202e", "\u2066", "\r", "\x00", "\x7f", "\ud800"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_would_move_a_terminal_is_escaped(text):
    shown = line(Message(1, 2, f"a{text}b", "1", f"eve{text}"))
    assert text not in shown and shown.startswith("{") and shown.encode()
    assert text not in printable(f"a{text}b")


@pytest.mark.parametrize("text", ["é", "日本", "\U0001F600", "a\tb\n", "\u0627"])
def test_what_people_write_is_printed_as_it_is(text):
    assert printable(text) == text


def test_a_log_has_one_line_for_each_entry(embedded):
    with connect(embedded) as sock:
        sock.sendall(b"GET /socket.io/?EIO=4&transport=polling&sid=a%0AINFO:%20all%20is%20well%1b[2J%e2%80%ae HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(100).split()[1] == b"400"
    said = embedded.line_with("all is well")
    assert not said.startswith("INFO") and "\x1b" not in said and "\u202e" not in said


@pytest.mark.slow
def test_a_terminal_that_nobody_reads_stops_nobody(tmp_path, record):
    unread, written = os.pipe()
    os.set_blocking(written, False)
    try:
        while True:
            os.write(written, b"x" * 4096)      # it is full already
    except BlockingIOError:
        os.set_blocking(written, True)
    settings = {"PORT": "0", "INSTANCE_PATH": str(tmp_path), "ASYNC_MODE": "eventlet"}
    process = subprocess.Popen([sys.executable, "-W", "ignore", "wsgi.py"], cwd=ROOT, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=written,
                               env={**{k: v for k, v in os.environ.items() if k not in OWN_SETTINGS}, **settings})
    try:
        url = process.stdout.readline().split()[4]
        answers = [requests.get(f"{url}/socket.io/?EIO=4&transport=polling&sid={number}{'y' * 4000}", timeout=5) for number in range(50)]
        assert {answer.status_code for answer in answers} == {400}
        record(None, "longest of 50 answers", max(answer.elapsed.total_seconds() for answer in answers), "s")
        assert requests.get(url + "/healthz", timeout=5).status_code == 200
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        os.close(unread)
        os.close(written)

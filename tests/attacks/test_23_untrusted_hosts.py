"""What a request says of itself, and nobody has checked: no answer goes where a Host header leads, nor shows what is not its."""
import gzip
import re
import socket
from urllib.parse import urlsplit

import pytest
import requests

FOREIGN = ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example#127.0.0.1", "[", "[::1", "",
           "127.0.0.1@evil.example")


def ask(url, host, path, **headers):
    """Ask for a path exactly as it is written, and return the answer."""
    session = requests.Session()
    prepared = session.prepare_request(requests.Request("GET", url, headers={"Host": host, **headers}))
    prepared.url = url + path
    return session.send(prepared, allow_redirects=False, timeout=10)


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/chat//x", "//evil.example/chat//x", "/static//x", "///", "/chat//x?next=//evil.example"])
def test_no_redirect_leads_where_the_host_header_says(chat, host, path):
    answer = ask(chat.url, host, path)
    to = urlsplit(answer.headers.get("Location", ""))
    assert not to.scheme and not to.netloc and not to.path.startswith(("//", "/\\"))
    assert "evil.example" not in to.path.removeprefix("/evil.example") and (answer.status_code < 300 or f'href="http' not in answer.text)


@pytest.mark.parametrize("host", FOREIGN)
def test_metrics_are_for_who_asks_this_machine_by_its_name(chat, host):
    assert ask(chat.url, host, "/metrics").status_code in (400, 404)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:5000", "127.1.2.3", "[::1]:5000", socket.gethostname()])
def test_this_machine_has_several_names(chat, host):
    assert ask(chat.url, host, "/metrics").status_code == 200


@pytest.mark.parametrize("settings, origin, status", [
    ({"HTTPS": "1"}, "http://{}", 400), ({"HTTPS": "1"}, "https://{}", 200), ({}, "http://{}", 200),
    ({"PROXIES": "1"}, "http://{}", 400), ({"PROXIES": "1"}, "https://{}", 200)])
def test_over_https_a_page_that_came_by_http_is_another_site(start_server, settings, origin, status):
    server = start_server(**settings, SECRET_KEY="thirty-two bytes for this test alone")
    headers = {"Origin": origin.format(urlsplit(server.url).netloc)}
    if "PROXIES" in settings:
        headers["X-Forwarded-Proto"] = "https"
    assert requests.get(server.url + "/socket.io/?EIO=4&transport=polling", headers=headers, timeout=10).status_code == status


def test_a_token_is_not_compressed_beside_what_was_asked_for(chat, alice, bob):
    long = "x" * 5000
    pages = [alice.get(f"/?q={long}"), requests.get(f"{chat.url}/login?next=/{long}", timeout=10), alice.get(f"/chat/{bob.username}?q={long}"),
             alice.post("/login?next=/", {"username": long, "csrf_token": "x"})]
    for page in pages:
        assert "gzip" not in page.headers.get("Content-Encoding", "") or not re.search(r'name="csrf', page.text)
    assert alice.get("/").headers["Content-Encoding"] == "gzip", "what nobody asked for stands beside no token"


def test_what_has_no_token_is_compressed(chat, alice, bob):
    for _n in range(20):
        alice.send(bob, "many words " * 100)
    answer = alice.get(f"/messages/{bob.username}?limit=50", headers={"Accept": "application/json"}, stream=True)
    assert answer.headers["Content-Encoding"] == "gzip" and gzip.decompress(answer.raw.read())

"""ASYNC_MODE: two people chat whichever concurrency library runs the server, by WebSocket and by polling."""
import http.client
import signal
from urllib.parse import urlsplit

import pytest

import config
from tests.people import new_client_id


@pytest.fixture(params=config.ASYNC_MODES)
def server(request, start_server):
    return start_server(ASYNC_MODE=request.param)


def test_it_works(server, arrive):
    alice, bob = arrive(server), arrive(server)
    for transports in (["websocket"], ["polling"], None):
        sending, receiving = alice.tab(transports=transports), bob.tab(transports=transports)
        answer = sending.send(bob, f"by {transports}")
        assert answer["ok"]
        assert receiving.wait_for("receiveMessage") == answer["message"]
        sending.close()
        receiving.close()
    assert [m["seq"] for m in bob.history(alice)["messages"]] == [1, 2, 3]
    assert alice.get("/").status_code == alice.get(f"/chat/{bob.username}").status_code == 200


def test_many_at_once_and_the_pages_go_on(server, arrive):
    alice, bob = arrive(server), arrive(server)
    tabs = [alice.tab() for _n in range(5)]
    listening = bob.tab()
    for number in range(20):
        for tab in tabs:
            tab.client.emit("sendMessage", {"clientId": new_client_id(), "receiverId": bob.id, "message": str(number)})
    assert alice.get("/").status_code == 200
    heard = [listening.wait_for("receiveMessage")["seq"] for _n in range(100)]
    assert heard == list(range(1, 101))


def test_the_terminal_shows_messages(server, arrive):
    alice, bob = arrive(server), arrive(server)
    alice.send(bob, "shown in every mode")
    assert '"sender"' in server.line_with("shown in every mode")


def test_a_logout_closes_the_tabs(server, arrive):
    alice = arrive(server)
    tabs = alice.tab(transports=["websocket"]), alice.tab(transports=["polling"])
    alice.log_out()
    assert all(tab.ended.wait(5) for tab in tabs)


@pytest.mark.parametrize("version, asks, kept", [
    (11, None, True), (11, "close", False), (10, None, False), (10, "keep-alive", True)])
def test_a_connection_is_kept_as_the_browser_asks(start_server, version, asks, kept):
    server = start_server(ASYNC_MODE="eventlet")    # Werkzeug keeps none
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=5)
    connection._http_vsn, connection._http_vsn_str = version, f"HTTP/1.{version % 10}"
    for _n in range(2 if kept else 1):
        connection.request("GET", "/healthz", headers={"Connection": asks} if asks else {})
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read()
        assert answer.will_close is not kept
    connection.close()


def test_it_ends_politely(server, arrive):
    alice, bob = arrive(server), arrive(server)
    tab = alice.tab()
    assert tab.send(bob, "the last one")["ok"]
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
    assert tab.ended.wait(5)

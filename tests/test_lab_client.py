"""The scripted tab of the fault-injection suite: how soon it considers a connection dead."""
import http.server
import threading
import time
from types import SimpleNamespace

import pytest
import requests

from lab.client import ANSWER_SECONDS, ScriptedTab, scripted
from lab.faults.changes import ask_over_http
from lab.outbox import Entry
from lab.proxy import Proxy
from lab.record import Record, room_name
from lab.http_session import ReportingSession
from lab.thread_failures import LaboratoryError, ThreadFailures
from tests.people import new_client_id
from tests.waiting import LOOK_SECONDS, wait_for


def test_a_tab_waits_for_no_answer_over_a_connection_that_is_dead(start_server, arrive, monkeypatch):
    """The library's polling client may lose its order to end, here always. Then it goes on sending and reads nothing."""
    server = start_server()
    anna, bert = arrive(server), arrive(server)
    with Proxy(int(server.settings["PORT"])) as proxy:
        tab = scripted(Record(), anna, f"http://127.0.0.1:{proxy.port}", "anna/1", [bert], transports=("polling",),
                       omissions=("heartbeat",))
        try:
            assert tab.connected.wait(ANSWER_SECONDS)
            packets = tab.client.eio.queue
            put = packets.put
            monkeypatch.setattr(packets, "put", lambda packet: packet and put(packet))
            lost = tab.disconnected
            until = time.monotonic() + ANSWER_SECONDS
            while not lost.wait(0.1):       # between two polls there is none that could fail
                assert time.monotonic() < until
                proxy.reset()
            tab.write(bert.id, "after the break")
            assert wait_for(lambda: not tab.pending_count(), ANSWER_SECONDS - 1)
        finally:
            tab.close()


def message_of(room, seq, **fields):
    """Return a message of the protocol."""
    return {"id": seq, "seq": seq, "clientId": "one", "sender": "anna", "senderId": 1, "receiverId": None, "message": "hello", "conversationId": room,
            "kind": "text", "replyTo": None, "editedAt": None, "deleted": False, "reactions": [], "pinned": False, "lastChange": 0, "files": [], **fields}


def test_what_who_has_left_is_told_of_a_message_is_not_shown():
    """The first answer is lost, and the person leaves: the second one is without what others did. The tab fetches the message instead."""
    room, key = 7, room_name(7)
    tab = ScriptedTab(Record(), SimpleNamespace(id=1), "anna/1", [], rooms=[room])
    entry, answers = Entry(key, "hello", reply_to=1), [None, {"ok": True, "message": message_of(room, 2)}]
    tab.call = lambda _event, _payload: answers.pop(0)
    assert not tab._send_once(entry) and tab._send_once(entry)
    assert not tab.versions[key].by_seq and tab.last_seqs[key] == 2
    tab._request_page = lambda _key, _query: {"messages": [message_of(room, 1), message_of(room, 2, replyTo={"seq": 1, "message": "x"})], "lastSeq": 2}
    tab._fetch(key)
    assert tab.versions[key].by_seq[2].reply_to == 1


def test_a_change_whose_message_came_without_it_is_not_known():
    room, key = 7, room_name(7)
    tab = ScriptedTab(Record(), SimpleNamespace(id=1), "anna/1", [], rooms=[room])
    tab._take_change(key, message_of(room, 2), 1)
    assert tab.versions[key].is_behind
    tab._take_change(key, message_of(room, 2, lastChange=1), 1)
    assert not tab.versions[key].is_behind


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers with the status in the path."""

    def do_GET(self):
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, *_words):
        pass


@pytest.mark.parametrize("status, is_told", [(200, False), (204, False), (400, True), (502, True)])
def test_an_answer_that_is_not_2xx_is_told(status, is_told):
    told = threading.Event()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(LOOK_SECONDS,)).start()
        answer = ReportingSession(told.set).get(f"http://127.0.0.1:{server.server_port}/{status}")
        server.shutdown()
    assert (answer.status_code, told.is_set()) == (status, is_told)


def test_no_answer_is_told():
    told = threading.Event()
    with pytest.raises(requests.ConnectionError), Proxy(1) as proxy:       # nobody listens there
        ReportingSession(told.set).get(f"http://127.0.0.1:{proxy.port}/")
    assert told.is_set()


def test_a_thread_that_dies_ends_the_run():
    with ThreadFailures() as failures:
        failures.raise_any()
        thread = threading.Thread(target=lambda: {}["offset"])
        thread.start()
        thread.join()
        with pytest.raises(LaboratoryError, match="KeyError: 'offset'"):
            failures.raise_any()


def test_a_change_over_http_is_noted_as_done_or_refused(start_server, arrive):
    """What is deleted meanwhile cannot be edited: the laboratory must not take that for a change that never ended."""
    server = start_server()
    anna, bert = arrive(server), arrive(server)
    message = anna.tab().send(bert, "soon gone")["message"]
    path, token = f"/conversations/{message['conversationId']}/messages/{message['seq']}", anna.token("/")
    outcomes = [ask_over_http(anna, token, path, {"clientId": new_client_id(), **verb})[0]
                for verb in ({"edit": "still there"}, {"delete": True}, {"edit": "too late"})]
    assert outcomes == ["acknowledged", "acknowledged", "refused"]

"""/metrics: what Prometheus reads of a process, and who may read it."""
import json
import re

import pytest
import requests

from tests.server import ROOT

DASHBOARD = ROOT / "deploy" / "grafana-dashboard.json"


def read(server, **options):
    """Return {series: value} of /metrics."""
    answer = requests.get(server.url + "/metrics", timeout=5, **options)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/plain")
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))}


def test_it_works(chat, alice, bob):
    before = read(chat)
    tab = alice.tab()
    for _n in range(3):
        tab.send(bob, "counted")
    assert not tab.send(bob, " ")["ok"]
    after = read(chat)

    def grew(series):
        return after[series] - before.get(series, 0)
    assert grew("chat_messages_total") == grew("chat_batch_size_sum") == 3
    assert grew("chat_batch_size_count") == grew('chat_batch_size_bucket{le="+Inf"}') == grew('chat_batch_size_bucket{le="1"}') == 3
    assert grew("chat_delivery_seconds_count") == 3 and 0 < grew("chat_delivery_seconds_sum") < 30
    assert grew('chat_refused_total{code="invalid"}') == 1
    assert grew("chat_connects_total") == 1 and after["chat_connections"] >= 1 and after["chat_local_users"] >= 1
    assert after["chat_writer_queue"] == after["chat_bus_queue"] == 0 and after["chat_waiting_bytes"] >= 0
    assert after["process_resident_memory_bytes"] > 10_000_000


def test_a_resend_is_no_message(chat, alice, bob):
    tab = alice.tab()
    tab.send(bob, "once", "the-same-id")
    before = read(chat)["chat_messages_total"]
    tab.send(bob, "once", "the-same-id")
    assert read(chat)["chat_messages_total"] == before


def test_who_comes_back_at_once_counts_as_a_reconnection(chat, alice):
    before = read(chat)["chat_reconnects_total"]
    alice.tab().close()
    alice.tab().call("no such event")
    assert read(chat)["chat_reconnects_total"] == before + 1


def test_a_refused_form_counts(chat, alice):
    before = read(chat).get('chat_refused_total{code="not_found"}', 0)
    assert alice.get("/chat/nobody-of-this-name").status_code == 404
    assert read(chat)['chat_refused_total{code="not_found"}'] == before + 1


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
def test_through_a_proxy_it_is_hidden(chat, header):
    answer = requests.get(chat.url + "/metrics", headers={header: "127.0.0.1"}, timeout=5)
    assert answer.status_code == 404 and "chat_messages" not in answer.text


def test_a_token_opens_it_and_nothing_else_does(start_server):
    server = start_server(METRICS_TOKEN="a token")
    url = server.url + "/metrics"
    for headers in ({}, {"Authorization": "Bearer another"}, {"Authorization": "a token"}, {"Authorization": "Bearer é".encode()}):
        assert requests.get(url, headers=headers, timeout=5).status_code == 404
    through_a_proxy = {"Authorization": "Bearer a token", "X-Forwarded-For": "192.0.2.1"}
    assert read(server, headers=through_a_proxy)["chat_messages_total"] == 0


def test_the_dashboard_asks_for_what_there_is(chat):
    there = {name.partition("{")[0] for name in read(chat)} | {"chat_refused_total"}
    asked = [target["expr"] for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
             for target in panel.get("targets", ())]
    named = {name for expression in asked for name in re.findall(r"\b(?:chat|process)_\w+", expression)}
    assert named <= there, named - there
    told = {name for name in there if name.startswith("chat_") and not re.search("_(bucket|count|sum|created)$", name)}
    assert told <= named

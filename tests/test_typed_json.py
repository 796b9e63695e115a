"""JSON of a known form is the same with msgspec and without it, and the chat serves without every package that is optional."""
import importlib
import sys

import pytest

from chat.live import bus_messages
from chat.storage import typed_json
from tools import environment

MESSAGE = {"id": 1, "seq": 2, "senderId": 3, "receiverId": None, "conversationId": 4, "kind": "direct", "message": "é 👍", "timestamp": "", "clientId": ""}
NO_MODULE = "raise ModuleNotFoundError(__name__, name=__name__)"


@pytest.fixture(params=["msgspec", "standard library"])
def codec(request, monkeypatch):
    """typed_json, and bus_messages with it."""
    if request.param == "msgspec":
        pytest.importorskip("msgspec")
        yield typed_json
        return
    before = sys.modules.get("msgspec")
    with monkeypatch.context() as lacking:
        lacking.setitem(sys.modules, "msgspec", None)       # an import of it fails
        importlib.reload(typed_json)
        yield importlib.reload(bus_messages) and typed_json
    if before:
        sys.modules["msgspec"] = before
    importlib.reload(typed_json)
    importlib.reload(bus_messages)


def batch(codec, *events):
    return codec.encode(["another process", *events])


def test_an_event_is_read(codec):
    more = {**MESSAGE, "ofANewerProcess": [1]}
    data = batch(codec, ["receiveMessage", more, [3, None], None], ["sessionEnded", "id", [3], 7], ["markedUnread", {"seq": 1}, [], None])
    assert list(bus_messages.events(data, "this one")) == [
        ("receiveMessage", more, [3, None], None), ("sessionEnded", "id", [3], 7), ("markedUnread", {"seq": 1}, [], None)]
    assert list(bus_messages.events(data, "another process")) == []
    assert bus_messages.heartbeat(codec.encode(["a", 1, 2])) == ("a", 1, 2)


@pytest.mark.parametrize("event", [
    ["receiveMessage", {**MESSAGE, "id": "1"}, [3], None], ["receiveMessage", {**MESSAGE, "receiverId": True}, [3], None],
    ["receiveMessage", {"id": 1}, [3], None], ["receiveMessage", [], [3], None], ["messageChanged", {"id": 1, "conversationId": 2, "change": 3}, [], None],
    ["messageChanged", {"id": 1, "conversationId": 2, "change": 3, "message": {**MESSAGE, "seq": None}}, [], None],
    ["sessionEnded", None, [3], None], ["sessionEnded", "id", ["3"], None], ["sessionEnded", "id", [3]], ["sessionEnded", "id", None, None],
    ["sessionEnded", "id", [3], None, 1], ["noEvent", {}, [3], None], [], None, "text"])
def test_what_has_another_form_is_skipped(codec, event):
    assert list(bus_messages.events(batch(codec, event, ["sessionEnded", "id", [3], None]), "this one")) == [("sessionEnded", "id", [3], None)]


@pytest.mark.parametrize("data", [b"", b"{", b"[1, 2", b"null", b"\xff", b"[" * 5000 + b"]" * 5000, b'["a", 1]', b'["a", 1, "2"]', b'{"a": 1}'])
def test_what_is_no_batch_is_nothing(codec, data):
    assert bus_messages.heartbeat(data) is None
    assert list(bus_messages.events(data, "this one")) == []


def test_the_chat_serves_without_what_some_machines_have_no_wheel_of(start_server, arrive, tmp_path):
    """As 32-bit Windows does, and Python 3.10 on Windows for ARM64."""
    for names, _replacement in environment.OPTIONAL.values():
        for name in names:
            (tmp_path / f"{name}.py").write_text(NO_MODULE, encoding="utf-8")
    server = start_server(PYTHONPATH=str(tmp_path), ASYNC_MODE="")
    assert server.seen[0].startswith("There is no eventlet here: ASYNC_MODE=threading serves"), server.seen
    alice, bob = arrive(server), arrive(server)
    tab, other = alice.tab(), bob.tab(transports=["polling"])
    assert tab.send(bob, "without them")["ok"] and other.client.connected
    assert [m["message"] for m in bob.history(alice)["messages"]] == ["without them"]
    with pytest.raises(RuntimeError, match="ASYNC_MODE=eventlet needs the package eventlet"):
        start_server(PYTHONPATH=str(tmp_path), ASYNC_MODE="eventlet")

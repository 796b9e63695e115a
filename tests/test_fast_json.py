"""JSON is the same with orjson and without it."""
import gc
import importlib
import json
import sys

import pytest

from chat.conversations.message_text import MAX_LENGTH
from chat.storage import fast_json
from chat.web.json_codec import SocketJson
from tests.waiting import shortest_time


@pytest.fixture(params=["orjson", "standard library"])
def codec(request, monkeypatch):
    if request.param == "orjson":
        pytest.importorskip("orjson")
        yield fast_json
        return
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "orjson", None)        # an import of it fails
        yield importlib.reload(fast_json)
    importlib.reload(fast_json)


@pytest.mark.parametrize("value", [None, True, 1, -2.5, "", "é 👍 \u2028 \x00", [], {"a": [1, {"b": None}]}, ["x", 2 ** 53]])
def test_what_is_written_is_read(codec, value):
    text = codec.dumps(value)
    assert isinstance(text, bytes) and codec.loads(text) == value
    assert text == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    assert SocketJson.loads(SocketJson.dumps(value)) == value


@pytest.mark.parametrize("text", ["", "{", "[1,]", "tru", "[" * 100_000, "[" * 5000 + "]" * 5000, "'a'"])
def test_what_is_no_json_is_a_value_error(codec, text):
    with pytest.raises(ValueError):
        SocketJson.loads(text)


@pytest.mark.parametrize("text", ["[" + "[]," * 85_000, "[" + "[]," * 85_000 + "0]", "[" + "{}," * 85_000, '{"a":[' + "[]," * 80_000 + '"\\ud800"]}'])
def test_lists_without_end_are_refused_before_they_are_made(codec, text):
    """To make those in the 256 KB that a form may have takes 250 ms."""
    def refuse(body):
        with pytest.raises(ValueError):
            SocketJson.loads(body)
    for body in (text, text.encode()):
        assert shortest_time(lambda: refuse(body), 0.02, 10) < 0.02


def test_a_message_of_brackets_is_read(codec):
    sent = {"message": "[" * (MAX_LENGTH // 2) + "{" * (MAX_LENGTH // 2), "clientId": "x"}
    assert SocketJson.loads(json.dumps(sent)) == SocketJson.loads(json.dumps(sent).encode()) == sent


def test_half_a_surrogate_pair_is_read_so_that_it_can_be_refused(codec):
    assert SocketJson.loads('"\\ud800"') == "\ud800"


class Garbage:
    """A cycle that only the garbage collector frees. Its finalizer needs room for FRAMES calls."""

    FRAMES = 100

    def __init__(self):
        self.cycle = self

    def __del__(self):
        self.call(self.FRAMES)

    def call(self, more):
        if more:
            self.call(more - 1)


def test_no_finalizer_is_called_at_the_limit_of_recursion(monkeypatch):
    """Where nesting is refused only there, the garbage collector may come by at that moment, and what it frees stays half freed."""
    unraisable = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    former = gc.get_threshold()
    gc.collect()
    try:
        for allocations in range(500, 1000, 50):    # until the collector comes by: one of them is near the limit
            Garbage()
            gc.set_threshold(allocations)
            with pytest.raises(ValueError):
                fast_json.loads_leniently("[" * 100_000)
    finally:
        gc.set_threshold(*former)
    gc.collect()
    assert unraisable == []

"""Limits: how often something may happen within a time, alike in memory and in Redis."""
import time

import pytest

from chat.storage import limits as module
from chat.storage.limits import MemoryLimits, RedisLimits
from tests.databases import BackgroundCall

WINDOW = 60     # seconds


class Stage:
    """Limits of one kind, and how time passes for them."""

    def __init__(self, limits, pass_time):
        self.limits = limits
        self.pass_time = pass_time

    def hit(self, key="door", limit=3, window=WINDOW):
        return self.limits.hit(key, limit, window)


@pytest.fixture(params=["memory", "redis"])
def stage(request):
    if request.param == "memory":
        clock = [1000.0]

        def pass_time(seconds):
            clock[0] += seconds
        yield Stage(MemoryLimits(clock=lambda: clock[0]), pass_time)
        return
    with request.getfixturevalue("redis_server").connect() as client:
        client.flushall()

        def pass_time(seconds):
            for key in client.keys("chat:limit:*"):
                left = client.pttl(key) - round(seconds * 1000)
                client.pexpire(key, left) if left > 0 else client.delete(key)
        yield Stage(RedisLimits(client), pass_time)


def test_it_works(stage):
    assert [stage.hit() for _n in range(3)] == [0, 0, 0]
    assert 1 <= stage.hit() <= WINDOW


def test_amounts_are_added_and_leave_with_the_window(stage):
    assert stage.limits.amounts_of("bytes") == [0]
    stage.limits.add("bytes", 700, WINDOW)
    stage.limits.add("bytes", 300, WINDOW)
    stage.pass_time(WINDOW - 10)
    stage.limits.add("other", 5, WINDOW)
    assert stage.limits.amounts_of("other", "bytes", "third") == [5, 1000, 0]
    stage.pass_time(11)
    assert stage.limits.amounts_of("bytes", "other") == [0, 5]


def test_keys_count_apart(stage):
    for _n in range(3):
        stage.hit("one")
    assert stage.hit("one") and not stage.hit("other")


def test_the_wait_is_what_is_left_of_the_window(stage):
    for _n in range(3):
        stage.hit()
    stage.pass_time(20)
    assert WINDOW - 22 <= stage.hit() <= WINDOW - 19


def test_after_the_window_it_is_free_again(stage):
    for _n in range(3):
        stage.hit()
    stage.pass_time(WINDOW - 5)
    assert stage.hit()
    stage.pass_time(5.1)
    assert [bool(stage.hit()) for _n in range(4)] == [False, False, False, True]


def test_who_asks_how_long_to_wait_is_not_counted(stage):
    for _n in range(3):
        assert stage.limits.seconds_to_wait("door", 3) == 0
        stage.hit()
    assert 1 <= stage.limits.seconds_to_wait("door", 3) <= WINDOW and stage.limits.seconds_to_wait("door", 4) == 0
    stage.pass_time(WINDOW + 0.1)
    assert stage.limits.seconds_to_wait("door", 3) == 0


def test_a_refused_event_is_not_counted(stage):
    for _n in range(3):
        stage.hit()
    for _n in range(10):
        assert stage.hit()
    stage.limits.undo("door")
    assert not stage.hit() and stage.hit()


def test_an_event_that_is_undone_leaves_room_for_another(stage):
    for _n in range(3):
        stage.hit()
    stage.limits.undo("door")
    stage.limits.undo("door")
    assert [bool(stage.hit()) for _n in range(3)] == [False, False, True]


def test_undoing_what_was_never_counted_changes_nothing(stage):
    for _n in range(5):
        stage.limits.undo("door")
    assert [bool(stage.hit()) for _n in range(4)] == [False, False, False, True]


def test_many_at_once_are_counted_one_by_one(stage):
    background_calls = [BackgroundCall(lambda: stage.hit(limit=10)) for _n in range(40)]
    assert [bool(background_call.outcome()) for background_call in background_calls].count(False) == 10


def test_limits_that_are_lifted(redis_server):
    with redis_server.connect() as client:
        for limits in (MemoryLimits(enabled=False), RedisLimits(client, enabled=False)):
            assert not any(limits.hit("lifted", 1, WINDOW) for _n in range(100)) and not limits.seconds_to_wait("lifted", 0)
            limits.undo("lifted")
        assert not client.exists("chat:limit:lifted")


def test_what_redis_keeps_always_ends(redis_server):
    """A counter without an end would lock somebody out for ever."""
    with redis_server.connect() as client:
        client.flushall()
        limits = RedisLimits(client)
        for _n in range(5):
            limits.hit("door", 3, 1)
            assert 0 < client.pttl("chat:limit:door") <= 1000
        end = time.monotonic() + 10
        while client.exists("chat:limit:door"):
            assert time.monotonic() < end
        limits.undo("door")
        assert client.keys("chat:limit:*") == []
        limits.hit("door", 3, 1)
        limits.undo("door")
        assert 0 < client.pttl("chat:limit:door") <= 1000


def test_redis_that_forgot_its_scripts_learns_them_again(redis_server):
    with redis_server.connect() as client:
        limits = RedisLimits(client)
        limits.hit("before", 3, 1)
        client.script_flush()
        assert limits.hit("after", 3, 1) == 0


def test_memory_forgets_what_has_ended(monkeypatch):
    monkeypatch.setattr(module, "SWEEP_THRESHOLD", 10)
    clock = [0]
    limits = MemoryLimits(clock=lambda: clock[0])
    for number in range(50):
        limits.hit(number, 1, 1)
        clock[0] += 1
    assert len(limits.expiries) <= 11


def test_memory_is_not_searched_at_each_event(monkeypatch):
    """Of many keys that are all alive, none can be removed: each event would cost as much as there are keys."""
    monkeypatch.setattr(module, "SWEEP_THRESHOLD", 10)
    limits, kept = MemoryLimits(clock=lambda: 0), []
    for number in range(1000):
        limits.hit(number, 1, 1)
        if not any(limits.expiries is seen for seen in kept):
            kept.append(limits.expiries)
    assert len(kept) <= 8, "each sweep waits for twice as many"


def test_what_is_no_count_counts_as_none(redis_server):
    with redis_server.connect() as client:
        limits = RedisLimits(client)
        for garbage in ("x", "", "[1]", "1e5x"):
            client.set("chat:limit:spoiled", garbage)
            limits.undo("spoiled")
            assert [limits.hit("spoiled", 2, 60) > 0 for _n in range(3)] == [False, False, True]
            client.set("chat:limit:spoiled", garbage)
            assert limits.amounts_of("spoiled") == [0]
            limits.add("spoiled", 7, 60)
            assert limits.amounts_of("spoiled") == [7]

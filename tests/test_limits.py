"""Limits: how often something may happen within a time, alike in memory and in Redis."""
import time

import pytest

from chat.storage import limits as module
from chat.storage.limits import MemoryLimits, RedisLimits
from tests.databases import Aside

WINDOW = 60     # seconds


class Stage:
    """Limits of one kind, and how time passes for them."""

    def __init__(self, limits, pass_time):
        self.limits = limits
        self.pass_time = pass_time

    def take(self, key="door", most=3, seconds=WINDOW):
        return self.limits.take(key, most, seconds)


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
    assert [stage.take() for _n in range(3)] == [0, 0, 0]
    assert 1 <= stage.take() <= WINDOW


def test_keys_count_apart(stage):
    for _n in range(3):
        stage.take("one")
    assert stage.take("one") and not stage.take("other")


def test_the_wait_is_what_is_left_of_the_window(stage):
    for _n in range(3):
        stage.take()
    stage.pass_time(20)
    assert WINDOW - 22 <= stage.take() <= WINDOW - 19


def test_after_the_window_it_is_free_again(stage):
    for _n in range(3):
        stage.take()
    stage.pass_time(WINDOW - 5)
    assert stage.take()
    stage.pass_time(5.1)
    assert [bool(stage.take()) for _n in range(4)] == [False, False, False, True]


def test_a_refused_try_is_not_counted(stage):
    for _n in range(3):
        stage.take()
    for _n in range(10):
        assert stage.take()
    stage.limits.give_back("door")
    assert not stage.take() and stage.take()


def test_what_is_given_back_may_be_taken_again(stage):
    for _n in range(3):
        stage.take()
    stage.limits.give_back("door")
    stage.limits.give_back("door")
    assert [bool(stage.take()) for _n in range(3)] == [False, False, True]


def test_giving_back_what_was_never_taken_gives_nothing(stage):
    for _n in range(5):
        stage.limits.give_back("door")
    assert [bool(stage.take()) for _n in range(4)] == [False, False, False, True]


def test_many_at_once_are_counted_one_by_one(stage):
    asides = [Aside(lambda: stage.take(most=10)) for _n in range(40)]
    assert [bool(aside.outcome()) for aside in asides].count(False) == 10


def test_limits_that_are_lifted(redis_server):
    with redis_server.connect() as client:
        for limits in (MemoryLimits(enabled=False), RedisLimits(client, enabled=False)):
            assert not any(limits.take("lifted", 1, WINDOW) for _n in range(100))
            limits.give_back("lifted")
        assert not client.exists("chat:limit:lifted")


def test_what_redis_keeps_always_ends(redis_server):
    """A counter without an end would lock somebody out for ever."""
    with redis_server.connect() as client:
        client.flushall()
        limits = RedisLimits(client)
        for _n in range(5):
            limits.take("door", 3, 1)
            assert 0 < client.pttl("chat:limit:door") <= 1000
        end = time.monotonic() + 3
        while client.exists("chat:limit:door"):
            assert time.monotonic() < end
        limits.give_back("door")
        assert client.keys("chat:limit:*") == []
        limits.take("door", 3, 1)
        limits.give_back("door")
        assert 0 < client.pttl("chat:limit:door") <= 1000


def test_redis_that_forgot_its_scripts_learns_them_again(redis_server):
    with redis_server.connect() as client:
        limits = RedisLimits(client)
        limits.take("before", 3, 1)
        client.script_flush()
        assert limits.take("after", 3, 1) == 0


def test_memory_forgets_what_has_ended(monkeypatch):
    monkeypatch.setattr(module, "SWEEP_THRESHOLD", 10)
    clock = [0]
    limits = MemoryLimits(clock=lambda: clock[0])
    for number in range(50):
        limits.take(number, 1, 1)
        clock[0] += 1
    assert len(limits.times) <= 11


def test_what_is_no_count_counts_as_none(redis_server):
    with redis_server.connect() as client:
        limits = RedisLimits(client)
        for garbage in ("x", "", "[1]", "1e5x"):
            client.set("chat:limit:spoiled", garbage)
            limits.give_back("spoiled")
            assert [limits.take("spoiled", 2, 60) > 0 for _n in range(3)] == [False, False, True]

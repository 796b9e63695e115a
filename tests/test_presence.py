"""Presence: who is online, through a reload and several tabs, over several processes, and when one of them dies."""
import json

import pytest
import websocket

from chat.live import presence as module
from chat.errors import Unavailable
from chat.live.presence import GRACE_SECONDS, LEASE_SECONDS, RENEW_INTERVAL, MemoryRegistry, Presence, RedisRegistry
from chat.storage.redis_client import EVERY_SERVER, Client
from tests import services
from tests.databases import BackgroundCall
from tests.people import ANSWER_SECONDS

ALICE, BOB = 1, 2

FORMER_MASTER_SECONDS = 16      # for which a Redis that was started again takes leases to itself, until the Sentinels reach it


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def client(redis_server):
    with redis_server.connect(socket_timeout=2) as client:
        client.flushall()
        yield client


@pytest.fixture(params=["memory", "redis"])
def presence(request, clock):
    """One process, alone."""
    if request.param == "memory":
        return Presence(MemoryRegistry(), clock)
    return Presence(RedisRegistry(request.getfixturevalue("client"), "first"), clock)


@pytest.fixture
def two(client, clock):
    """Two processes on one Redis."""
    return Presence(RedisRegistry(client, "first"), clock), Presence(RedisRegistry(client, "second"), clock)


def end_leases(client, seconds):
    """Let so many seconds of all leases pass."""
    for member, ends in client.zrange(RedisRegistry.KEY, 0, -1, withscores=True):
        client.zadd(RedisRegistry.KEY, {member: ends - seconds})


def test_it_works(presence, clock):
    assert presence.refresh() == presence.online() == frozenset()
    presence.connect(ALICE, "tab")
    assert presence.refresh() == presence.online() == {ALICE}
    assert presence.connections_of(ALICE) == ("tab",) and presence.connections_of(BOB) == ()
    presence.disconnect(ALICE, "tab")
    assert presence.connections_of(ALICE) == ()
    clock.move(GRACE_SECONDS + 0.1)
    assert presence.refresh() == frozenset()


def test_a_reload_does_not_blink(presence, clock):
    presence.connect(ALICE, "tab")
    presence.disconnect(ALICE, "tab")
    clock.move(GRACE_SECONDS - 0.1)
    assert presence.refresh() == {ALICE}
    presence.connect(ALICE, "reloaded tab")
    clock.move(GRACE_SECONDS + 0.1)
    assert presence.refresh() == {ALICE}


def test_the_last_tab_counts(presence, clock):
    presence.connect(ALICE, "one")
    presence.connect(ALICE, "two")
    presence.disconnect(ALICE, "one")
    clock.move(GRACE_SECONDS + 0.1)
    assert presence.refresh() == {ALICE}
    presence.disconnect(ALICE, "two")
    clock.move(GRACE_SECONDS + 0.1)
    assert presence.refresh() == frozenset()


def test_at_once_after_a_logout(presence):
    presence.connect(ALICE, "tab")
    presence.refresh()
    presence.disconnect(ALICE, "tab")
    presence.expire_now(ALICE)
    assert presence.refresh() == frozenset()


def test_a_logout_in_one_tab_leaves_another_session_online(presence, clock):
    presence.connect(ALICE, "here")
    presence.connect(ALICE, "elsewhere")
    presence.disconnect(ALICE, "here")
    presence.expire_now(ALICE)
    clock.move(GRACE_SECONDS + 0.1)
    assert presence.refresh() == {ALICE}


def test_a_connection_that_ends_twice_or_never_began_changes_nothing(presence, clock):
    presence.disconnect(BOB, "unknown")
    presence.connect(ALICE, "tab")
    presence.disconnect(ALICE, "tab")
    presence.expire_now(ALICE)
    presence.disconnect(ALICE, "tab")
    assert presence.refresh() == frozenset()


def test_connections_come_and_go_in_many_threads(presence):
    def work(number):
        for step in range(200):
            presence.connect(ALICE, (number, step))
            presence.connections_of(ALICE)
            presence.disconnect(ALICE, (number, step))
            presence.expire_now(ALICE)
    background_calls = [BackgroundCall(lambda number=number: work(number)) for number in range(4)]
    for background_call in background_calls:
        background_call.outcome()
    assert presence.connections_of(ALICE) == () and presence.refresh() == frozenset()


# --- several processes ---------------------------------------------------------------------------------------------


def test_each_process_sees_the_people_of_the_other(two):
    first, second = two
    first.connect(ALICE, "tab")
    second.connect(BOB, "tab")
    assert first.refresh() == second.refresh() == {ALICE, BOB}


def test_somebody_in_two_processes_is_online_until_the_last_one(two):
    first, second = two
    first.connect(ALICE, "tab")
    second.connect(ALICE, "tab")
    first.disconnect(ALICE, "tab")
    first.expire_now(ALICE)
    assert first.refresh() == second.refresh() == {ALICE}
    second.disconnect(ALICE, "tab")
    second.expire_now(ALICE)
    second.refresh()
    assert first.refresh() == frozenset()


def test_a_process_that_dies_takes_its_people_offline_when_the_lease_ends(two, client, clock):
    living, dead = two
    living.connect(BOB, "tab")
    dead.connect(ALICE, "tab")
    assert living.refresh() == {ALICE, BOB}
    end_leases(client, LEASE_SECONDS - 1)
    clock.move(LEASE_SECONDS - 1)
    assert living.refresh() == {ALICE, BOB}
    end_leases(client, 2)
    clock.move(2)
    assert living.refresh() == {BOB}
    assert [member for member in client.zrange(RedisRegistry.KEY, 0, -1)] == [b"2:first"], "nothing is left of it"


def test_the_lease_is_renewed_long_before_it_ends(two, client, clock):
    first, second = two
    first.connect(ALICE, "tab")
    first.refresh()
    for _time in range(10):
        end_leases(client, RENEW_INTERVAL + 1)
        clock.move(RENEW_INTERVAL + 1)
        first.refresh()
        assert second.refresh() == {ALICE}
    assert 2 * RENEW_INTERVAL < LEASE_SECONDS


def test_nobody_blinks_while_a_former_master_of_redis_takes_the_renewals(two, client, clock, monkeypatch):
    first, second = two
    first.connect(ALICE, "tab")
    first.refresh()

    def pass_seconds(seconds):
        for _second in range(seconds):
            end_leases(client, 1)
            clock.move(1)
            assert second.refresh() == {ALICE}
            first.refresh()
    pass_seconds(RENEW_INTERVAL)       # the last renewal that counts is as old as it can be
    with monkeypatch.context() as patch:
        patch.setattr(first.registry, "renew", lambda _user_ids: None)
        pass_seconds(FORMER_MASTER_SECONDS)
    pass_seconds(LEASE_SECONDS)


def test_the_leases_follow_one_clock(two, monkeypatch):
    """The process's own clock may be an hour off: what counts is the time of Redis."""
    first, second = two
    first.connect(ALICE, "tab")
    monkeypatch.setattr(module.time, "time", lambda: 10**10)
    second.connect(BOB, "tab")
    assert second.refresh() == {ALICE, BOB}
    monkeypatch.undo()
    assert first.refresh() == {ALICE, BOB}


def test_somebody_who_returns_while_they_are_removed_stays_online_for_all(two):
    """The other process must not wait for the next renewal."""
    first, second = two
    first.connect(ALICE, "tab")
    first.refresh()
    first.disconnect(ALICE, "tab")
    first.expire_now(ALICE)
    remove = first.registry.release

    def remove_slowly(user_ids):
        first.connect(ALICE, "reloaded tab")
        remove(user_ids)
    first.registry.release = remove_slowly
    assert first.refresh() == {ALICE}
    assert second.refresh() == {ALICE}


# --- who was not on the board ----------------------------------------------------------------------------------------


@pytest.fixture
def watched(client, clock):
    """A process, and how often it was told that somebody of its people had been missing."""
    told = []
    return Presence(RedisRegistry(client, "first"), clock, on_lease_lost=lambda: told.append("missing")), told


def test_who_comes_and_goes_is_not_missing(watched, clock):
    presence, told = watched
    presence.connect(ALICE, "tab")
    presence.refresh()
    presence.connect(BOB, "tab")
    presence.disconnect(ALICE, "tab")
    for _second in range(GRACE_SECONDS + 2):
        clock.move(RENEW_INTERVAL)
        presence.refresh()
    presence.connect(ALICE, "back")
    clock.move(RENEW_INTERVAL)
    presence.refresh()
    assert told == []


def test_whom_redis_has_forgotten_is_missing_until_the_next_renewal(watched, client, clock):
    """The one who has just come as well as the one who was there before, though another has come since."""
    presence, told = watched
    presence.connect(ALICE, "tab")
    presence.refresh()
    client.delete(RedisRegistry.KEY)
    presence.connect(BOB, "tab")
    clock.move(RENEW_INTERVAL)
    presence.refresh()
    assert told == ["missing"]
    presence.connect(3, "tab")
    client.delete(RedisRegistry.KEY)
    for _second in range(3):
        clock.move(RENEW_INTERVAL)
        presence.refresh()
    assert told == ["missing"] * 2


def test_who_could_not_be_put_on_the_board_is_missing_until_the_next_renewal(watched, clock, monkeypatch):
    def refuse(_user_ids):
        raise Unavailable()
    presence, told = watched
    with monkeypatch.context() as patch:
        patch.setattr(presence.registry, "renew", refuse)
        presence.connect(ALICE, "tab")
        presence.refresh()
    assert told == []
    clock.move(RENEW_INTERVAL)
    presence.refresh()
    assert told == ["missing"]


# --- Redis away ------------------------------------------------------------------------------------------------------


def as_the_chat(server, timeout):
    """A client that does not try again by itself, like the chat's own."""
    return Client.from_url(server.url, socket_timeout=timeout, **EVERY_SERVER)


def test_an_emptied_redis_is_filled_again(two, client, clock):
    first, second = two
    first.connect(ALICE, "tab")
    first.refresh()
    client.flushall()
    assert first.refresh() == {ALICE}, "one's own people are known without it"
    clock.move(RENEW_INTERVAL + 0.1)
    first.refresh()
    assert second.refresh() == {ALICE}


def test_while_redis_is_away_the_last_known_goes_on(clock):
    with services.Redis() as server:
        first, second = (Presence(RedisRegistry(as_the_chat(server, 1), name), clock) for name in "ab")
        first.connect(ALICE, "tab")
        second.connect(BOB, "tab")
        assert first.refresh() == {ALICE, BOB}
        server.stop()
        with pytest.raises(Unavailable):
            as_the_chat(server, 1).ping()
        first.connect(3, "new tab")
        assert first.refresh() == {ALICE, BOB, 3}
        first.disconnect(ALICE, "tab")
        first.expire_now(ALICE)
        assert first.refresh() == {BOB, 3}
        server.start()      # empty
        clock.move(RENEW_INTERVAL + 0.1)
        second.refresh()
        assert first.refresh() == {BOB, 3}
        assert second.refresh() == {BOB, 3}


def test_what_is_asked_of_redis_while_it_is_frozen_ends(clock):
    with services.Redis() as server:
        presence = Presence(RedisRegistry(as_the_chat(server, 0.2), "a"), clock)
        presence.connect(ALICE, "tab")
        server.pause()
        presence.connect(BOB, "tab")
        assert presence.refresh() == {ALICE, BOB}
        server.resume()


# --- as people see it ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_servers_on_one_redis_and_one_is_killed(start_server, arrive, server_mode_settings):
    here, there = start_server(**server_mode_settings), start_server(**server_mode_settings)
    alice, bob = arrive(here), arrive(there)
    watching = alice.tab()
    bob.tab()
    watching.wait_for("updateOnlineUsers", lambda p: bob.id in p["online"])
    there.kill()
    assert watching.wait_for("updateOnlineUsers", lambda p: bob.id in p.get("offline", []), timeout=LEASE_SECONDS + 3)
    assert alice.id in watching.person.tab().wait_for("updateOnlineUsers", lambda p: p["snapshot"])["online"]


def test_a_delay_that_already_runs_can_be_ended(presence):
    presence.connect(1, "a")
    presence.disconnect(1, "a")
    assert 1 in presence.refresh()
    presence.expire_now(1)
    assert 1 not in presence.refresh()


def test_ending_the_delay_leaves_those_alone_who_are_connected(presence):
    presence.connect(1, "a")
    presence.expire_now(1)
    presence.expire_now(None)
    assert 1 in presence.refresh()


def test_who_is_still_being_let_in_hears_of_no_change(start_server, arrive, mariadb, server_mode_settings):
    """The first that a tab hears is that it is connected, the next is who is online, however long its login takes."""
    server = start_server(**server_mode_settings)
    alice, bob, charlie, late = (arrive(server) for _n in range(4))
    watching = alice.tab()
    watching.wait_for("updateOnlineUsers", lambda change: change["snapshot"])
    bob.tab()
    watching.wait_for("updateOnlineUsers", lambda change: bob.id in change["online"])
    assert charlie.id   # asked while the database is there
    charlie.tab()       # a change was told just now: this one is told a second later
    mariadb.pause()
    try:
        ws = websocket.create_connection(server.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket",
                                         cookie=late.cookie(), origin=server.url, timeout=ANSWER_SECONDS)
        assert ws.recv().startswith("0")
        ws.send("40")
        watching.wait_for("updateOnlineUsers", lambda change: charlie.id in change["online"])
    finally:
        mariadb.resume()
    heard = [ws.recv(), ws.recv()]
    ws.shutdown()
    assert heard[0].startswith("40")
    assert json.loads(heard[1][2:])[1]["snapshot"] is True


@pytest.mark.parametrize("member", ["", "x", "x:second", ":", "-7:second", "7e3:second", "9" * 5000 + ":second", "[1]"])
def test_what_no_process_put_on_the_board_is_nobody(client, two, member):
    first, _second = two
    client.zadd(RedisRegistry.KEY, {member: 2**40})
    first.connect(ALICE, "tab")
    assert first.refresh() == {ALICE}

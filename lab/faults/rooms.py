"""Somebody leaves a room, or joins one, while others write in it."""
import threading
import time

import requests

from tests.waiting import wait_for

from .registry import SERVER, fault

MODES = ("embedded", "server", "cluster")
LEFT_SECONDS = 2            # after which nothing of the room may be delivered
WATCH_SECONDS = 1.5         # how long this is watched
STEP_SECONDS = 0.05
MESSAGES = 30               # while somebody joins
MAX_PENDING = 5             # messages to the room; above it the writer waits, so that a slow machine does not measure its own backlog
NOT_FOUND, UNAVAILABLE = 404, 503


@fault("removed from a room in which others write", MODES)
def removed(environment):
    place = environment.places[0]
    with environment.membership.paused():
        environment.membership.bring(place, True)
        environment.membership.bring(place, False)
        expect_nothing(environment, place)


@fault("the answer to a removal is lost", SERVER)
def answer_lost(environment):
    """The database has ended a membership and cannot say so: who asks again is told that there is none."""
    place = environment.places[0]
    with environment.membership.paused():
        environment.membership.bring(place, True)
        happened = environment.database_proxy.lose_answer(b"DELETE FROM members")
        environment.membership.bring(place, False)
        happened.wait(LEFT_SECONDS)
        expect_nothing(environment, place)


@fault("joins a room in which others write", MODES)
def joined(environment):
    """Before, both have written: who has not read it counts the messages of two."""
    place = environment.places[0]
    with environment.membership.paused():
        environment.membership.bring(place, True)
        wait_for(lambda: place.room in environment.bert.rooms, LEFT_SECONDS)
        environment.bert.write(place.room)
        wait_for(lambda: not environment.bert.pending_count(), LEFT_SECONDS)
        environment.membership.bring(place, False)
        writer = threading.Thread(target=write, args=(environment.anna, place.room))
        writer.start()
        time.sleep(MESSAGES * STEP_SECONDS / 3)
        environment.membership.bring(place, True)
        writer.join()


def write(tab, room):
    for _n in range(MESSAGES):
        write_one(tab, room)


def write_one(tab, room):
    if len(tab.outboxes[room]) < MAX_PENDING:
        tab.write(room)
    time.sleep(STEP_SECONDS)


def expect_nothing(environment, place):
    """Write to the room for longer than somebody who has just left may hear of it; then they read nothing over HTTP either."""
    until = time.monotonic() + LEFT_SECONDS + WATCH_SECONDS
    while time.monotonic() < until:
        write_one(environment.anna, place.room)
    person = environment.log_in(place.username)
    for path in (f"/conversations/{place.room_id}/messages", f"/rooms/{place.room_id}"):
        try:
            status = person.get(path, headers={"Accept": "application/json"}).status_code
        except requests.RequestException:
            continue
        if status not in (NOT_FOUND, UNAVAILABLE):
            environment.note_violation("P13", f"{place.username} was removed from {place.room} and {path} was answered {status}")

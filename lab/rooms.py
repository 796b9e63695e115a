"""The rooms of a run, and a thread that lets people join, leave, be added and be removed all the time."""
import contextlib
import random
import threading
import time
from collections import defaultdict
from dataclasses import dataclass

import requests

from .record import room_name

CHANGE_SECONDS = 1.0        # between two changes of membership, on average
CONFIRMED_SECONDS = 30      # until a change is acknowledged
RETRY_SECONDS = 0.2
OK, NOT_FOUND = 200, 404
MAKING = {"maths": {"open": False}, "physics": {"open": True}}      # the rooms of a run, and how they are made


@dataclass(frozen=True)
class Place:
    """Somebody's place in a room. The owner stays; an open room may be joined."""

    room_id: int
    username: str
    owner: str
    is_open: bool

    @property
    def room(self):
        return room_name(self.room_id)


class MembershipChanges(threading.Thread):
    """Lets people come and go all the time, each by themselves or by the owner, and notes what was asked and what was acknowledged."""

    def __init__(self, environment, places, seed):
        super().__init__(daemon=True)
        self.environment, self.places, self.rng = environment, places, random.Random(seed)
        self.is_in = defaultdict(lambda: True)      # place -> what was last asked for
        self.in_doubt = set()       # places for which there was no answer: the same is asked again
        self.people = {}            # username -> a logged-in Person
        self.lock, self.ended = threading.RLock(), threading.Event()

    def run(self):
        while not self.ended.wait(self.rng.expovariate(1 / CHANGE_SECONDS)):
            place = self.rng.choice(self.places)
            with self.lock:
                self._ask(place, self.is_in[place] == (place in self.in_doubt))

    def end(self):
        """Stop. Who has a real tab comes back to the room: only its page can tell what became of the latest messages."""
        self.ended.set()
        if self.is_alive():
            self.join()
        for place in self.places:
            if place.username in self.environment.browser_users:
                self.bring(place, True)

    @contextlib.contextmanager
    def paused(self):
        """Inside, nobody comes or goes but by `bring`."""
        with self.lock:
            yield

    def bring(self, place, is_in):
        """Make somebody a member, or end it; return when it was acknowledged. Raises RuntimeError if that takes too long."""
        until = time.monotonic() + CONFIRMED_SECONDS
        with self.lock:
            while not self._ask(place, is_in):
                if time.monotonic() > until:
                    raise RuntimeError(f"{place} could not be changed")
                time.sleep(RETRY_SECONDS)

    def _ask(self, place, is_in):
        """Ask for a change once, in one of the ways there are; return whether it was acknowledged."""
        asked_at = time.monotonic()
        status = self._post(*self._way(place, is_in))
        # Who is not a member is not found: that is the answer to a second request whose first one was carried out.
        is_acknowledged = status == OK or not is_in and status == NOT_FOUND
        self.is_in[place] = is_in
        self.in_doubt.discard(place) if is_acknowledged else self.in_doubt.add(place)
        note_membership(self.environment, place.username, place.room, is_in, asked_at, is_acknowledged)
        return is_acknowledged

    def _way(self, place, is_in):
        """Return who asks for it, the path, and the fields."""
        path, is_own_doing = f"/rooms/{place.room_id}", self.rng.random() < 0.5
        if is_in and place.is_open and is_own_doing:
            return place.username, f"{path}/join", {}
        if is_in:
            return place.owner, f"{path}/members", {"username": place.username}
        if is_own_doing:
            return place.username, f"{path}/leave", {}
        return place.owner, f"{path}/members/{place.username}/remove", {}

    def _post(self, username, path, fields):
        """Return the status of the answer; None if there is none."""
        try:
            if username not in self.people:
                self.people[username] = self.environment.log_in(username)
            status = self.people[username].ask(path, **fields).status_code
        except (requests.RequestException, AttributeError):     # the second: a page without a form token
            status = None
        if status not in (OK, NOT_FOUND):
            self.people.pop(username, None)     # perhaps the session is gone
        return status


def note_membership(environment, username, room, is_in, asked_at, is_acknowledged=True):
    environment.record.note("membership", person=environment.accounts[username].id, conversation=room, isIn=is_in, asked=asked_at,
                            acknowledged=is_acknowledged)


def make_rooms(environment):
    """Make a room that Anna owns and an open one that Bert owns, with all four in each; return the places of those who come and go."""
    anna, bert, carla, dirk = (environment.accounts[name] for name in ("anna", "bert", "carla", "dirk"))
    places = []
    for name, owner, other in (("maths", anna, bert), ("physics", bert, anna)):
        asked_at = time.monotonic()
        room_id = owner.make_room(name, other, carla, dirk, **MAKING[name])
        places.append(Place(room_id, other.username, owner.username, MAKING[name]["open"]))
        for person in (anna, bert, carla, dirk):
            note_membership(environment, person.username, room_name(room_id), True, asked_at)
    return places

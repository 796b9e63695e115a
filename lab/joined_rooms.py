"""In which rooms a scripted tab believes its person to be: as the server tells live, and as it answers when asked."""
import threading

import requests

from .record import room_name

OK = 200


class JoinedRooms:
    """The rooms of one tab, by their keys. `possible` are those that it would show."""

    def __init__(self, person, possible):
        self.person, self.possible = person, frozenset(possible)
        self.joined, self.lock = set(), threading.Lock()
        self.version = 0            # how often something has changed; an answer that is older than a change counts for nothing
        self.are_known = not possible

    def __contains__(self, key):
        return key in self.joined

    def keys(self):
        with self.lock:
            return sorted(self.joined)

    def forget(self):
        """Ask again soon: something has changed, or may have."""
        with self.lock:
            self.version += 1
            self.are_known = not self.possible

    def on_changed(self, room):
        """Take what `conversationChanged` tells; return the key of a room that the person is now in, else None."""
        key = room_name(room["id"])
        if key not in self.possible or not room.get("role"):
            return None
        with self.lock:
            self.joined.add(key)
        self.forget()       # the library starts a thread for each event, so the order of two is not certain
        return key

    def on_left(self, payload):
        """Take `conversationLeft`."""
        with self.lock:
            self.joined.discard(room_name(payload["conversationId"]))
        self.forget()

    def read(self):
        """Ask the server; return {key: (last seq, last change)} of the rooms that the person is in, empty if there is no answer."""
        version = self.version
        try:
            answer = self.person.get("/rooms", headers={"Accept": "application/json"})
            rooms = answer.json()["rooms"] if answer.status_code == OK else None
        except (requests.RequestException, ValueError):
            rooms = None
        if rooms is None:
            return {}
        last_numbers = {key: (room["lastSeq"], room["lastChange"]) for room in rooms if room["role"] and (key := room_name(room["id"])) in self.possible}
        with self.lock:
            if version != self.version:
                return {}
            self.joined, self.are_known = set(last_numbers), True
        return last_numbers

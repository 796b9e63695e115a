"""Budgets: what a transport, a user, an address and all together may do. docs/operations.md shows the same table to operators."""
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """At most `limit` events within `window` seconds; or, without a window, so many things at once."""

    name: str               # in /metrics
    who: str
    what: str
    limit: int
    window: int = 0         # seconds
    shared: bool = False    # counted for all processes together; asking Redis for each message would cost more than storing it
    setting: str = ""       # by which an operator changes `limit`


ACCOUNT_FAILURES = Budget("account_failures", "an account", "wrong passwords", 5, 60, shared=True)
DEVICE_FAILURES = Budget("device_failures", "a browser that this person has logged in from", "wrong passwords", 5, 60, shared=True)
ADDRESS_FAILURES = Budget("address_failures", "an address", "wrong passwords", 20, 60, shared=True, setting="ADDRESS_FAILURES")
LOGINS = Budget("logins", "a person", "logins, each of which costs a hash and a session", 30, 60, shared=True)
ADDRESS_REGISTRATIONS = Budget("address_registrations", "an address", "tries to register", 120, 600, shared=True,
                               setting="ADDRESS_REGISTRATIONS")
REGISTRATIONS = Budget("registrations", "everybody", "tries to register", 600, 600, shared=True, setting="REGISTRATIONS")
MESSAGES = Budget("messages", "a person", "messages", 30, 10)
FORM_MESSAGES = Budget("form_messages", "a person", "messages by a form", 30, 10, shared=True)
CHANGES = Budget("changes", "a person", "edits, deletions, reactions, pins, marks as unread", 60, 10)
TYPING = Budget("typing", "a person", "typing signs to the same person", 1, 3)
CONNECTIONS = Budget("connections", "a person", "connections to one process", 10)
ADDRESS_TRANSPORTS = Budget("address_transports", "an address", "transports by which nobody has logged in", 500,
                            setting="ADDRESS_TRANSPORTS")
ADDRESS_HANDSHAKES = Budget("address_handshakes", "an address", "new transports", 600, 10)
PACKETS = Budget("packets", "a transport", "packets at once; 50 a second for long", 600)
ROOMS = Budget("rooms", "a person", "new rooms", 50, 86_400, shared=True, setting="ROOMS_A_DAY")
MEMBERS_ADDED = Budget("members_added", "a person", "people added to rooms", 120, 60)
ROOM_CHANGES = Budget("room_changes", "a person", "changes of rooms: joining, leaving, removing, roles, settings", 60, 60)
FILES = Budget("files", "a person", "uploaded files", 500, 86_400, shared=True, setting="FILES_A_DAY")
UPLOADS = Budget("uploads", "a person", "uploads at once to one process", 12)
FACES = Budget("faces", "a person", "changes of the face", 20, 60)
IMAGES_WAITING = Budget("images_waiting", "the process", "images that wait to be checked", 100)
REGISTRATIONS_WAITING = Budget("registrations_waiting", "the process", "registrations that wait for their hash", 60)
LOGINS_WAITING = Budget("logins_waiting", "the process", "logins that wait for their hash; as many of browsers logged in from before", 120)

TABLE = (PACKETS, MESSAGES, FORM_MESSAGES, CHANGES, TYPING, ROOMS, MEMBERS_ADDED, ROOM_CHANGES, FILES, UPLOADS, FACES, CONNECTIONS, ACCOUNT_FAILURES, DEVICE_FAILURES, ADDRESS_FAILURES, LOGINS, ADDRESS_REGISTRATIONS,
         REGISTRATIONS, REGISTRATIONS_WAITING, LOGINS_WAITING, IMAGES_WAITING, ADDRESS_TRANSPORTS, ADDRESS_HANDSHAKES)


class Budgets:
    """Counts against the table, in the limits of all processes or of this one, and counts what was refused."""

    def __init__(self, settings, limits, local_limits):
        self.enabled = settings["RATELIMIT_ENABLED"]
        self.allowed = {budget.name: settings[budget.setting] if budget.setting else budget.limit for budget in TABLE}
        self.limits, self.local_limits = limits, local_limits
        self.refused = Counter()        # name of a budget -> how often there was nothing left of it

    def hit(self, budget, who):
        """Count one event of somebody; return 0, or the seconds to wait where nothing is left."""
        wait = self._limits(budget).hit(f"{budget.name}:{who}", self.allowed[budget.name], budget.window)
        self.refused[budget.name] += bool(wait)
        return wait

    def hit_all(self, charges):
        """Count one event in all of `charges`, [(budget, who)], or in none; return 0, or the seconds to wait where nothing is left."""
        for number, (budget, who) in enumerate(charges):
            wait = self.hit(budget, who)
            if wait:
                self.undo_all(charges[:number])
                return wait
        return 0

    def seconds_to_wait(self, charges):
        """Count nothing; return 0, or the seconds to wait where nothing is left for one of `charges`, [(budget, who)]."""
        for budget, who in charges:
            wait = self._limits(budget).seconds_to_wait(f"{budget.name}:{who}", self.allowed[budget.name])
            if wait:
                self.refused[budget.name] += 1
                return wait
        return 0

    def undo(self, budget, who):
        """Uncount the latest event of somebody."""
        self._limits(budget).undo(f"{budget.name}:{who}")

    def undo_all(self, charges):
        for budget, who in charges:
            self.undo(budget, who)

    def is_spent(self, budget, in_use):
        """Tell whether `in_use` things at once reach the limit of a budget, and count a refusal if so."""
        is_spent = self.enabled and in_use >= self.allowed[budget.name]
        self.refused[budget.name] += is_spent
        return is_spent

    def _limits(self, budget):
        return self.limits if budget.shared else self.local_limits

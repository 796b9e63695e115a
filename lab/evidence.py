"""Everything that the checkers need to know about a run, collected when nothing is pending any more."""
from dataclasses import dataclass, field


@dataclass
class Evidence:
    """`rows` is {conversation: stored rows by seq}; `events` and `views` are those of the record; times are monotonic seconds."""

    rows: dict
    events: list
    views: list
    faults: list = field(default_factory=list)      # what the runner noted about each fault
    unread: list = field(default_factory=list)      # (person, peer, the count of /users, the count of the rows)
    leftovers: list = field(default_factory=list)   # clientIds that are still in an outbox at the end
    footprints: list = field(default_factory=list)  # (before, after) of one server process
    ended_at: float = 0

    def of(self, *kinds):
        return [event for event in self.events if event["kind"] in kinds]

    @property
    def stored(self):
        """All rows by (sender, clientId). If a clientId was stored twice, P2 reports it."""
        return {(row["senderId"], row["clientId"]): row for rows in self.rows.values() for row in rows}

    def written(self):
        """Return {(person, clientId): the "written" event}."""
        return {(event["person"], event["clientId"]): event for event in self.of("written")}

    def answered(self, outcome):
        return [event for event in self.of("answered") if event["outcome"] == outcome]


def collect(environment, ended_at):
    """Return the evidence of an environment in which nothing is pending."""
    from .record import conversation_of
    rows, marks = environment.store.conversations(), environment.store.read_marks()
    unread = []
    for name in ("anna", "bert", "carla", "dirk"):
        person = environment.log_in(name)
        for user in person.json("/users")["users"]:
            conversation = conversation_of(person.id, user["id"])
            mark = marks.get((conversation, person.id), 0)
            others = [row for row in rows.get(conversation, ()) if row["senderId"] != person.id and row["seq"] > mark]
            unread.append((name, user["username"], user["unread"], min(len(others), 100)))
    leftovers = [entry.client_id for tab in environment.tabs for outbox in tab.outboxes.values() for entry in outbox]
    for browser_user in environment.browser_users.values():
        leftovers += browser_user.unsent().result(30)
    return Evidence(rows=rows, events=environment.record.events, views=list(environment.record.views.values()),
                    faults=environment.record.of("fault"), unread=unread, leftovers=leftovers,
                    footprints=[(e["before"], e["after"]) for e in environment.record.of("footprint")], ended_at=ended_at)

"""All that a verdict needs of a run, gathered when everything is quiet again."""
from dataclasses import dataclass, field


@dataclass
class Evidence:
    """`rows` is {conversation: stored rows by seq}; `events` and `views` are the record's; times are monotonic seconds."""

    rows: dict
    events: list
    views: list
    faults: list = field(default_factory=list)      # what the runner noted of each fault
    unread: list = field(default_factory=list)      # (person, peer, what /users says, what the rows say)
    leftovers: list = field(default_factory=list)   # clientIds that still wait in an outbox at the end
    footprints: list = field(default_factory=list)  # (before, after) of one server process
    ended_at: float = 0

    def of(self, *kinds):
        return [event for event in self.events if event["kind"] in kinds]

    @property
    def stored(self):
        """All rows by (sender, clientId); a clientId that stands twice is P2's business."""
        return {(row["senderId"], row["clientId"]): row for rows in self.rows.values() for row in rows}

    def written(self):
        """Return {(person, clientId): the event of writing it}."""
        return {(event["person"], event["clientId"]): event for event in self.of("written")}

    def answered(self, outcome):
        return [event for event in self.of("answered") if event["outcome"] == outcome]


def gather(world, ended_at):
    """Return the evidence of a world that has come to rest."""
    from .record import conversation_of
    rows, marks = world.store.conversations(), world.store.read_marks()
    unread = []
    for name in ("anna", "bert", "carla", "dirk"):
        person = world.guest(name)
        for user in person.json("/users")["users"]:
            conversation = conversation_of(person.id, user["id"])
            mark = marks.get((conversation, person.id), 0)
            others = [row for row in rows.get(conversation, ()) if row["senderId"] != person.id and row["seq"] > mark]
            unread.append((name, user["username"], user["unread"], min(len(others), 100)))
    leftovers = [entry.client_id for tab in world.tabs for outbox in tab.outboxes.values() for entry in outbox]
    for sitter in world.sitters.values():
        leftovers += sitter.unsent().result(30)
    return Evidence(rows=rows, events=world.record.events, views=list(world.record.views.values()),
                    faults=world.record.of("fault"), unread=unread, leftovers=leftovers,
                    footprints=[(e["before"], e["after"]) for e in world.record.of("footprint")], ended_at=ended_at)

"""Everything that the checkers need to know about a run, collected when nothing is pending any more."""
import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, field

from .record import conversation_of, room_name

NAMES = ("anna", "bert", "carla", "dirk")   # whose counts and histories are compared with the database
MAX_UNREAD = 100            # counted no further
EVERYBODY = 0               # in `mentions` of a row
MAX_COUNTS = 10             # attempts to count while nobody marks anything
PAGE_SIZE = 200             # messages in one request
TEXT = re.compile(r"\b[a-z]+/\d+ \d+\b")       # what the scripted tabs write: a text that nobody else writes


@dataclass
class Evidence:
    """`rows` is {conversation: stored rows by seq}; `events` and `views` are those of the record; times are monotonic seconds."""

    rows: dict
    events: list
    views: list
    faults: list = field(default_factory=list)      # what the runner noted about each fault
    unread: list = field(default_factory=list)      # (person, peer, the count of /users, the count of the rows)
    room_counts: list = field(default_factory=list)     # (person, room, where, (unread, mentions) as told, the same of the rows)
    histories: list = field(default_factory=list)   # (member or tab of one, room, the seqs that they have at the end)
    changes: dict = field(default_factory=dict)     # {conversation: stored changes by number}
    versions: list = field(default_factory=list)    # (tab, conversation, {seq: the Version that it shows at the end})
    told: dict = field(default_factory=dict)        # (conversation, seq) -> (up to when its text was told as what it is, to whom)
    told_versions: dict = field(default_factory=dict)   # (conversation, seq) -> the Versions after a change that were told
    pages: list = field(default_factory=list)       # (person, path, the texts of scripted tabs on that page at the end)
    files: list = field(default_factory=list)       # the files that were uploaded and are still known, as dicts
    contents: dict = field(default_factory=dict)    # id of a file of a message -> the SHA-256 of what is served at the end, or the status
    blobs: set = field(default_factory=set)         # the names under which contents are kept
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

    def asked_changes(self):
        """Return {(person, clientId): the "changing" event}."""
        return {(event["person"], event["clientId"]): event for event in self.of("changing")}

    def texts(self):
        """Return {(conversation, seq): the texts that the message ever had}: the one that was written, and those of stored edits."""
        written, asked, found = self.written(), self.asked_changes(), defaultdict(set)
        for conversation, rows in self.rows.items():
            for row in rows:
                if (key := (row["senderId"], row["clientId"])) in written:
                    found[conversation, row["seq"]].add(written[key]["text"])
            for change in self.changes.get(conversation, ()):
                verb = asked.get((change["actorId"], change["clientId"]), {}).get("verb", {})
                if "edit" in verb:
                    found[conversation, change["seq"]].add(verb["edit"])
        return found

    def answered(self, outcome):
        return [event for event in self.of("answered") if event["outcome"] == outcome]


def collect(environment, ended_at):
    """Return the evidence of an environment in which nothing is pending."""
    rows, members = environment.store.conversations(), environment.store.members()
    people = {name: environment.log_in(name) for name in NAMES}
    for _attempt in range(MAX_COUNTS):
        marks = environment.store.read_marks()
        unread, room_counts = _unread(people, rows, marks), _room_counts(environment, people, rows, members, marks)
        if environment.store.read_marks() == marks:     # else a tab has marked something meanwhile
            break
    leftovers = [entry.client_id for tab in environment.tabs for outbox in tab.outboxes.values() for entry in outbox]
    for browser_user in environment.browser_users.values():
        leftovers += browser_user.unsent().result(30)
    return Evidence(rows=rows, changes=environment.store.changes(), versions=_versions(environment, members), told=dict(environment.record.told),
                    told_versions={place: set(found) for place, found in environment.record.told_versions.items()},
                    pages=_pages(environment, people, members), files=environment.store.files(), contents=_contents(people, rows, members),
                    blobs=environment.kept_contents(), events=environment.record.events, views=list(environment.record.views.values()),
                    faults=environment.record.of("fault"), unread=unread, room_counts=room_counts,
                    histories=_histories(environment, people, members), leftovers=leftovers,
                    footprints=[(e["before"], e["after"]) for e in environment.record.of("footprint")], ended_at=ended_at)


def _after_mark(rows, person, mark):
    """Return the texts of others after a read mark."""
    return [row for row in rows if row["senderId"] != person.id and row["seq"] > mark and row["kind"] == "text"]


def _unread(people, rows, marks):
    unread = []
    for name, person in people.items():
        for user in person.json("/users")["users"]:
            conversation = conversation_of(person.id, user["id"])
            others = _after_mark(rows.get(conversation, ()), person, marks.get((conversation, person.id), 0))
            unread.append((name, user["username"], user["unread"], min(len(others), MAX_UNREAD)))
    return unread


def _room_counts(environment, people, rows, members, marks):
    """Ask for the counts of each member in the list of rooms, and in the room itself."""
    found = []
    for name, person in people.items():
        listed = {room["id"]: room for room in person.json("/rooms")["rooms"]}
        for room_id in environment.rooms:
            room = room_name(room_id)
            if person.id in members.get(room, ()):
                others = _after_mark(rows.get(room, ()), person, marks.get((room, person.id), 0))
                counted = min(len(others), MAX_UNREAD), sum(not row["mentions"].isdisjoint({EVERYBODY, person.id}) for row in others)
                found += [(name, room, where, (told.get("unread"), told.get("mentions")), counted)
                          for where, told in (("the list", listed.get(room_id, {})), ("the room", person.room(room_id)))]
    return found


def _versions(environment, members):
    """Take the messages that the scripted tabs show, in the version in which each shows them."""
    return [(tab.name, view.conversation, {seq: tab.versions[key].by_seq.get(seq) for seq in view.seqs})
            for tab in environment.tabs for key, view in tab.views.items()
            if not tab.conversations[key].is_room or tab.person.id in members.get(key, ())]


def _pages(environment, people, members):
    """Read what shows texts beside the history: both lists, the pinned messages, what has changed, and the pages themselves."""
    found = []
    for name, person in people.items():
        ids = {user["id"]: user.get("conversationId") for user in person.json("/users")["users"]}
        rooms = [room_id for room_id in environment.rooms if person.id in members.get(room_name(room_id), ())]
        conversations = [*filter(None, ids.values()), *rooms]
        paths = ["/users", "/rooms", "/", *(f"/rooms/{room_id}" for room_id in rooms),
                 *(f"/conversations/{one}/{what}" for one in conversations for what in ("pins", "messages", "messages?changedAfter=0"))]
        for path in paths:
            for accepted in ("application/json", "text/html"):
                texts = TEXT.findall(person.get(path, headers={"Accept": accepted}).text)
                found.append((name, path, set(texts)))
    return found


def _contents(people, rows, members):
    """Fetch each file of a message, as somebody who sees that message."""
    found = {}
    for conversation, stored in rows.items():
        ids = members.get(conversation) or {int(one) for one in conversation.split("-") if one.isdigit()}
        person = next((person for person in people.values() if person.id in ids), None)
        for file_id in {file_id for row in stored for file_id in row["files"]} if person else ():
            answer = person.get(f"/files/{file_id}")
            found[file_id] = hashlib.sha256(answer.content).hexdigest() if answer.status_code == 200 else answer.status_code
    return found


def _histories(environment, people, members):
    """Read the whole history of each member, and take what their tabs show."""
    found = []
    for room_id in environment.rooms:
        room = room_name(room_id)
        found += [(name, room, _history(person, room_id)) for name, person in people.items() if person.id in members.get(room, ())]
        found += [(tab.name, room, list(tab.views[room].seqs)) for tab in environment.tabs
                  if room in tab.views and tab.person.id in members.get(room, ())]
    return found


def _history(person, room_id):
    seqs, page = [], None
    while page is None or page:
        after = seqs[-1] if seqs else 0
        page = person.json(f"/conversations/{room_id}/messages?after={after}&limit={PAGE_SIZE}").get("messages", [])
        seqs += [message["seq"] for message in page]
    return seqs

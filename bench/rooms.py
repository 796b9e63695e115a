"""A room of 1,000 members: what a delivery costs, what the room costs others, and what it costs to open it or to come back."""
from . import crowd, seed_data
from .load import Load
from .store import browser, get, in_turns, open_and_page_back

ROOM = 1_000_000            # its id, far from those that conversations of two get
IN_FLIGHT = 8               # messages to the room
BESIDE, BESIDE_RATE = 100, 100      # people who talk beside the room, and their messages per second
OUTSIDERS = 100_001         # the number of the first of them
FEW_MEMBERS = 3
FIRST_OF_MANY = 2_000_000   # id of the first of many small rooms
SAID = 20                   # messages in each of them


def members_of(subject, scope):
    """Return the people of the room, which is made where it is not there."""
    people = subject.people(scope.many)
    subject.make_room(ROOM, people)
    return people


def saturated(subject, scope):
    """The room with always 8 messages in flight: deliveries per second, and the CPU time of one."""
    with Load() as load:
        load("connect", url=subject.url, who=members_of(subject, scope), kind="member")
        load("talkInRoom", roomId=ROOM, inFlight=IN_FLIGHT)
        figures = load.measure(subject, scope.seconds, scope.warm_up, "roomFigures", "deliveries")
        load("stop")
    return figures


def beside(subject, scope, rate):
    """Messages between two, while the room gets `rate` messages per second."""
    with Load() as load:
        load("connect", url=subject.url, who=subject.people(BESIDE, OUTSIDERS))
        load("connect", url=subject.url, who=members_of(subject, scope), kind="member", more=True)
        load("talkInRoom", roomId=ROOM, rate=rate)
        load("pace", rate=BESIDE_RATE)
        figures = load.measure(subject, scope.paced_seconds, scope.warm_up)
        room = load("roomFigures")
        load("stop")
    return {**figures, "room_messages_s": room["messages"] / room["seconds"]}


def half_rate(results):
    """Return half of the messages per second to the room that both the chat and the peer can deliver."""
    return min(results.median("room", who, "messages_s") for who in ("chat", "peer")) / 2


def storm(subject, scope, with_room):
    """All members reconnect after a restart, with the room or without it; see crowd.storm."""
    subject.run("DELETE FROM members WHERE conversation_id = %s", (ROOM,))
    if with_room:
        members_of(subject, scope)
    return crowd.storm(subject, scope.many)


def home(subject, scope):
    """Return the milliseconds of the home page of somebody with many rooms, and of somebody with few."""
    writer, *readers = subject.people(3)
    for first, reader, number in ((FIRST_OF_MANY, readers[0], scope.rooms), (FIRST_OF_MANY + scope.rooms, readers[1], scope.few_rooms)):
        for room_id in range(first, first + number):
            seed_data.room(subject, room_id, [writer["id"], reader["id"]], messages=SAID)
    subject.run("ANALYZE TABLE messages, members, conversations")
    with browser(readers[0]) as at_many, browser(readers[1]) as at_few:
        many, few = in_turns(scope.openings, lambda: get(at_many, f"{subject.url}/"), lambda: get(at_few, f"{subject.url}/"))
    return {"many_ms": many, "few_ms": few}


def history(subject, scope):
    """Return the milliseconds to open a room and page back in it, for a large one with many messages and for a small one."""
    people = subject.people(scope.many)
    ids = [person["id"] for person in people]
    seed_data.room(subject, ROOM, ids, messages=scope.long)
    seed_data.room(subject, ROOM + 1, ids[:FEW_MEMBERS], messages=scope.short)
    subject.run("ANALYZE TABLE messages, members, conversations")
    with browser(people[0]) as http:
        large, small = in_turns(scope.openings, *(
            open_and_page_back(http, f"{subject.url}/rooms/{room_id}", f"{subject.url}/conversations/{room_id}/messages", before)
            for room_id, before in ((ROOM, scope.long // 2), (ROOM + 1, scope.short // 2 + 1))))
    return {"large_ms": large, "small_ms": small}

"""Messages that change: what an edit and a reaction cost, a page of messages with reactions, and what it takes to catch up."""
import requests

from . import seed_data, talk
from .load import Load
from .store import browser, get, in_turns

SAID = 20                   # messages in the conversation of two who change them
PAGE, REACTIONS = 50, 10    # messages on a page, reactions at each of them
MISSED, OFTEN = 200, 5      # messages that were changed while somebody was away, and how often each: 1,000 changes


def saturated(subject, scope, kind):
    """200 people with always 64 changes in flight, each of a message of their own. `kind` is edit or react."""
    people = subject.people(talk.TALKERS)
    targets = _targets(subject, people)
    with Load() as load:
        load("connect", url=subject.url, who=people)
        load("saturateChanges", inFlight=talk.IN_FLIGHT, targets=targets, kind=kind)
        figures = load.measure(subject, scope.seconds, scope.warm_up)
        load("stop")
    return figures


def _targets(subject, people):
    """Return a message of each person in their conversation with their partner, which is made where it is not there."""
    targets = []
    for one, other in zip(people[::2], people[1::2]):
        pair = sorted((one["id"], other["id"]))
        sql = "SELECT id FROM conversations WHERE lower_id = %s AND higher_id = %s"
        if not subject.database.query(sql, pair):
            seed_data.talk(subject, seed_data.FIRST_OF_OTHERS + one["id"], one["id"], other["id"], SAID)
        conversation_id = subject.database.query(sql, pair)[0]["id"]
        for person in (one, other):
            seq = subject.database.query("SELECT MIN(seq) AS seq FROM messages WHERE conversation_id = %s AND sender_id = %s",
                                         (conversation_id, person["id"]))[0]["seq"]
            targets.append({"conversationId": conversation_id, "seq": seq})
    return targets


def pages(subject, scope):
    """Return the milliseconds of a page of messages with reactions, and of one without; the same of the messages alone, as JSON."""
    me, liked, plain = subject.people(3)
    for conversation_id, other in enumerate((liked, plain), 1):
        seed_data.talk(subject, conversation_id, me["id"], other["id"], PAGE)
    seed_data.reactions(subject, 1, PAGE, REACTIONS)
    subject.run("ANALYZE TABLE messages, members, conversations, reactions, changes, pins")
    urls = [f"{subject.url}/{what}/{person['username']}" for what in ("chat", "messages") for person in (liked, plain)]
    with browser(me) as http:
        figures = in_turns(scope.openings, *(lambda url=url: get(http, url) for url in urls))
    return dict(zip(("with_ms", "without_ms", "json_with_ms", "json_without_ms"), figures))


def catching_up(subject, _scope):
    """Return the bytes that somebody fetches who was away for 1,000 changes of 200 messages, and those of the 200 messages."""
    me, other = subject.people(2)
    conversation_id = subject.database.query("SELECT COALESCE(MAX(id), 0) + 1 AS id FROM conversations")[0]["id"]
    room = seed_data.FIRST_OF_OTHERS + conversation_id
    seed_data.room(subject, room, [me["id"], other["id"]], messages=MISSED)
    seed_data.changes(subject, room, MISSED, OFTEN, "edit")
    url = f"{subject.url}/conversations/{room}/messages"
    with browser(me) as http:
        found, known = [], 0
        while True:     # as a tab does
            answer = http.get(f"{url}?changedAfter={known}&limit=200", timeout=60)
            found.append(answer)
            known = answer.json()["messages"][-1]["lastChange"]
            if known == answer.json()["lastChange"]:
                break
        page = http.get(f"{url}?after=0&limit=200", timeout=60)
    assert len(page.json()["messages"]) == MISSED and sum(len(answer.json()["messages"]) for answer in found) == MISSED
    return {"caught_up_bytes": sum(map(_bytes, found)), "fetched_bytes": _bytes(page), "requests": len(found)}


def _bytes(answer: requests.Response):
    """Return how many bytes an answer has, uncompressed and with its headers."""
    return len(answer.content) + sum(len(name) + len(value) + 4 for name, value in answer.headers.items())

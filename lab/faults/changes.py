"""Messages are changed while the server dies, the database's answer is lost, a push is lost, or somebody is away."""
import contextlib
import time

import requests

from tests.people import Person, new_client_id
from tests.waiting import wait_for

from ..instrumented_server import AFTER_COMMIT, BEFORE_ANSWER, BEFORE_COMMIT, LOSE_PUSH, OF_CHANGE, SLOW_COMMIT
from ..outbox import ChangeEntry
from ..record import conversation_of
from ..server import LabServer
from .registry import HEARTBEAT_CATCH_UP_SECONDS, SERVER, TIMES_RARE, fault
from .server import restart

WAIT_SECONDS = 5
RACES = 6                   # deletions, each while the message is answered and changed
AWAY_CHANGES, AWAY_MESSAGES = 250, 5        # more changes than one answer can hold messages
RESUBSCRIBED_SECONDS = 1    # longer than the chat waits before it subscribes again
RETRY_SECONDS = 0.1
OK = 200
HOUR = 3600                 # seconds


def change_something(environment, count=1):
    """Edit messages of Anna's conversation with Bert at her first tab."""
    tab, own = environment.anna, own_messages(environment)
    for n in range(count):
        tab.change(environment.accounts["bert"].id, own[n % len(own)], edit=tab.next_text())


def own_messages(environment):
    """Return the seqs of some messages that Anna has written to Bert; one is written where there is none."""
    tab, key = environment.anna, environment.accounts["bert"].id
    if not tab.changeable(key, of=tab.person.id):
        tab.write(key)
        wait_for(lambda: tab.changeable(key, of=tab.person.id), WAIT_SECONDS)
    return tab.changeable(key, of=tab.person.id)[:AWAY_MESSAGES]


def exit_at(environment, point):
    environment.arm(point + OF_CHANGE)
    change_something(environment)
    if not environment.wait_until_ended():
        raise RuntimeError(f"the fail point {point}{OF_CHANGE} was not reached")
    restart(environment)


@fault("killed before COMMIT of a change", is_quiet=True)
def killed_before_commit(environment):
    """Anna does not ask again: nobody may have been told of a change that was never stored."""
    tab, bert = environment.anna, environment.accounts["bert"]
    seq = own_messages(environment)[0]
    environment.wait_until_sent()
    environment.arm(BEFORE_COMMIT + OF_CHANGE)
    entry = ChangeEntry(bert.id, tab.versions[bert.id].conversation_id, seq, {"edit": tab.next_text()})
    tab.note_changing(entry)
    if tab.call(entry.event, entry.payload(None)):
        raise RuntimeError(f"the fail point {BEFORE_COMMIT}{OF_CHANGE} was not reached")
    environment.record.note("changed", person=tab.person.id, tab=tab.name, clientId=entry.client_id, outcome="given up", message=None, code=None, change=None)
    environment.wait_until_ended()
    restart(environment)


@fault("killed after COMMIT of a change")
def killed_after_commit(environment):
    exit_at(environment, AFTER_COMMIT)


@fault("killed before the answer to a change")
def killed_before_answer(environment):
    exit_at(environment, BEFORE_ANSWER)


@fault("COMMIT of a change with a lost answer", SERVER)
def answer_lost(environment):
    """Nothing else that is done meanwhile commits by a statement of its own, but what mentions somebody in a room."""
    happened = environment.database_proxy.lose_answer(b"COMMIT")
    change_something(environment)
    happened.wait(WAIT_SECONDS)


@fault("a push of a change lost", times=TIMES_RARE, catch_up=HEARTBEAT_CATCH_UP_SECONDS, is_quiet=True)
def push_lost(environment):
    """A change is stored but not pushed, and no later one follows: only the number in the heartbeat can find it."""
    change_something(environment)
    environment.wait_until_sent()
    environment.arm(LOSE_PUSH + OF_CHANGE)
    change_something(environment)
    environment.wait_until_sent()


@fault("250 changes while somebody is away")
def away(environment):
    with bert_away(environment):
        change_something(environment, count=AWAY_CHANGES)
        wait_for(lambda: not environment.anna.pending_count(), 2 * WAIT_SECONDS)


@contextlib.contextmanager
def bert_away(environment):
    proxy = environment.proxies["bert"]
    proxy.cut()
    yield
    proxy.heal()
    proxy.reset()       # so that the tab comes back at once, and not when it notices


@fault("changes while somebody is away and the clock is set back", needs=lambda environment: environment.clock.possible)
def away_and_back(environment):
    """The order of changes does not depend on their time: Bert knows a later one than those that he missed."""
    anna, bert = environment.anna, environment.bert
    change_something(environment)
    wait_for(lambda: not anna.pending_count() and bert.versions[anna.person.id].known >= anna.versions[bert.person.id].known, WAIT_SECONDS)
    with bert_away(environment):
        environment.clock.set(-HOUR)
        change_something(environment, count=AWAY_MESSAGES)
        wait_for(lambda: not environment.anna.pending_count(), WAIT_SECONDS)
        environment.clock.set(0)


@fault("deleted while it is answered and changed")
def deleted(environment):
    """Bert answers and reacts to what Anna edits and deletes in the same moment."""
    anna, bert = environment.anna, environment.bert
    for _n in range(RACES):
        anna.write(bert.person.id)
        wait_for(lambda: not anna.pending_count(), WAIT_SECONDS)
        seqs = anna.changeable(bert.person.id, of=anna.person.id)[:1]
        if not seqs or not wait_for(lambda: seqs[0] in bert.versions[anna.person.id].by_seq, WAIT_SECONDS):
            continue
        bert.write(anna.person.id, reply_to=seqs[0])
        anna.change(bert.person.id, seqs[0], pin=True)      # it is there when she deletes, whatever Bert does meanwhile
        anna.change(bert.person.id, seqs[0], edit=anna.next_text())
        bert.change(anna.person.id, seqs[0], react="👍", on=True)
        anna.change(bert.person.id, seqs[0], delete=True)
        bert.write(anna.person.id, reply_to=seqs[0])
    wait_for(lambda: not environment.pending_count(), WAIT_SECONDS)


@fault("deleted while an answer to it is being stored")
def deleted_meanwhile(environment):
    """The answer was written when what it quotes was there, and is told when that is deleted."""
    anna, bert = environment.anna, environment.bert
    environment.anna.write(bert.person.id)
    wait_for(lambda: not anna.pending_count(), WAIT_SECONDS)
    seqs = anna.changeable(bert.person.id, of=anna.person.id)[:1]
    if not seqs:
        return
    bert.write(anna.person.id, reply_to=seqs[0])        # perhaps another message is slow, and this one waits behind it
    environment.arm(SLOW_COMMIT)
    bert.write(anna.person.id, reply_to=seqs[0])
    wait_for(lambda: not environment.is_armed(SLOW_COMMIT), WAIT_SECONDS)
    anna.change(bert.person.id, seqs[0], delete=True)
    wait_for(lambda: not environment.pending_count(), WAIT_SECONDS)


@fault("changed by another process while Redis is not heard", SERVER, times=TIMES_RARE)
def changed_elsewhere(environment):
    """A second process stores changes just when the first one's subscription is gone: they are found in the database."""
    settings = {name: value for name, value in environment.server.settings.items() if name != "PORT"}
    anna, bert = environment.accounts["anna"], environment.accounts["bert"]
    change_something(environment)
    with LabServer(**settings) as other:
        person = Person(other.url, anna.username)
        person._id = anna.id
        person.log_in()
        token, log = person.token("/"), environment.anna.versions[bert.id]
        for seq in environment.anna.changeable(bert.id, of=anna.id)[:AWAY_MESSAGES]:
            with environment.redis.connect() as client:
                client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            change_over_http(environment, person, token, log.conversation_id, seq, edit=environment.anna.next_text())
            time.sleep(RESUBSCRIBED_SECONDS)


def change_over_http(environment, person, token, conversation_id, seq, **verb):
    """Change a message over HTTP as a tab does: repeat it until it is done or finally refused, and note each answer."""
    client_id, tab, name = new_client_id(), "another process", conversation_of(environment.accounts["anna"].id, environment.accounts["bert"].id)
    environment.record.note("changing", person=person.id, tab=tab, clientId=client_id, seq=seq, verb=verb, conversation=name)
    until, outcome = time.monotonic() + WAIT_SECONDS, "unknown"
    while outcome in ("unknown", "unavailable") and time.monotonic() < until:
        asked_at = time.monotonic()
        outcome, answer = ask_over_http(person, token, f"/conversations/{conversation_id}/messages/{seq}", {"clientId": client_id, **verb})
        environment.record.note("changed", person=person.id, tab=tab, clientId=client_id, outcome=outcome, asked=asked_at,
                                message=answer.get("message"), change=answer.get("change"), code=answer.get("error", {}).get("code"))
        if outcome in ("unknown", "unavailable"):
            time.sleep(RETRY_SECONDS)


def ask_over_http(person, token, path, fields):
    """Return (the outcome of a request as the log names it, its JSON). Whoever is told "conflict" is refused: it was deleted meanwhile."""
    try:
        answer = person.post(path, json=fields, headers={"X-CSRFToken": token})
        told = answer.json()
    except (requests.RequestException, ValueError):
        return "unknown", {}
    if answer.status_code == OK:
        return "acknowledged", told
    return "unavailable" if told["error"]["retry"] else "refused", told

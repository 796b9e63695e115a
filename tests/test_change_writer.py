"""The writer of changes: what it promises of one change, and how it commits many together. No server, threads alone."""
import threading
import uuid

import pytest

from chat import clock
from chat.conversations import batch_writer as module
from chat.conversations.change import DELETE, EDIT, PIN, REACT, UNPIN, UNREACT, Change
from chat.conversations.change_effects import MAX_EMOJI
from chat.conversations.change_writer import ChangeWriter
from chat.conversations.file import File
from chat.conversations.message import Message
from chat.errors import Conflict, Forbidden, Locked, NotFound, Unavailable
from tests.databases import PATIENCE, BackgroundCall, Sender, alice, beside, bob, database, person, start_thread  # noqa: F401
from tests.test_writer import Gate, Steered, failing_once, wait_for_queue
from tests.waiting import wait_for

MANY_REACTIONS = 1_100      # more than SQLite takes conditions in one statement


class Changer:
    """A writer of changes on threads, and what it delivered: (number, message as it was told)."""

    def __init__(self, database):
        self.delivered = []
        self.writer = ChangeWriter(database, self.deliver, threading.Event, start_thread)

    def deliver(self, change, _origin):
        self.delivered.append((change.number, change.message.as_json()))

    def change(self, actor, message, kind, text="", client_id=None, **fields):
        """Store and return a change."""
        place = message.conversation_id, message.seq
        return self.writer.store(Change(*place, kind, actor.id, client_id or uuid.uuid4().hex, text=text, **fields))

    def edit(self, actor, message, text="mended", **fields):
        return self.change(actor, message, EDIT, text, **fields)

    def in_background(self, *arguments, **fields):
        """Begin to store a change in another thread; `outcome()` of what is returned waits for it."""
        return BackgroundCall(lambda: self.change(*arguments, **fields))


@pytest.fixture
def steered(database):
    return Steered(database.engine)


@pytest.fixture
def changer(steered):
    return Changer(steered)


@pytest.fixture
def message(database, alice, bob):
    """What Alice has written to Bob."""
    return Sender(database).send(alice, bob, "first")


def now(database, message):
    """The message as it is stored."""
    return Message.by_seq(database, message.conversation_id, message.seq)


def numbers(database, message):
    """The numbers of all changes of a conversation."""
    return database.query("SELECT number FROM changes WHERE conversation_id = %s ORDER BY number", (message.conversation_id,),
                          lambda row: row["number"])


class Interrupted:
    """A database in which something happens after the first statement of a reader."""

    def __init__(self, database, event):
        self.database, self.event = database, event

    def query(self, *arguments):
        rows = self.database.query(*arguments)
        event, self.event = self.event, None
        if event:
            event()
        return rows


@pytest.mark.parametrize("former, kind", [(REACT, PIN), (REACT, UNREACT), (PIN, REACT), (PIN, DELETE), (EDIT, REACT)])
def test_a_message_is_read_as_one_of_its_versions(changer, database, alice, message, former, kind):
    """Its row and its parts are read by several statements, and what happens between them belongs to no version that was there."""
    if former:
        changer.change(alice, message, former, "mended", emoji="👍")
    read = Message.by_seq(Interrupted(database, lambda: changer.change(alice, message, kind, emoji="👍" if kind == UNREACT else "❤️")),
                          message.conversation_id, message.seq)
    assert read.as_json() == now(database, message).as_json()


def test_a_message_with_files_is_read_as_one_of_its_versions(changer, database, alice, bob):
    file = File(alice.id, uuid.uuid4().hex, "f" * 64, "plan", "text/plain", 5, created_at=clock.now())
    file.insert(database)
    draft = Message.draft(alice, bob.id, "", uuid.uuid4().hex, has_files=True)
    draft.files, draft.file_count = File.claim(database, alice.id, [file.id]), 1
    message = Sender(database).writer.store(draft)
    read = Message.by_seq(Interrupted(database, lambda: changer.change(alice, message, DELETE)), message.conversation_id, message.seq)
    assert (read.is_deleted, read.files) == (True, ())


@pytest.mark.parametrize("again, told", [([0], [2]), ([0, 1], [3, 4])])
def test_a_page_of_changes_leaves_none_out(changer, database, alice, bob, again, told):
    """Its last number is what the reader asks from next: a message that was changed again meanwhile would let it skip the others."""
    messages = [Sender(database).send(alice, bob, f"message {n}") for n in range(3)]
    for message in messages:
        changer.change(alice, message, PIN)
    reader = Interrupted(database, lambda: [changer.change(alice, messages[n], UNPIN) for n in again])
    page = Change.changed_since(reader, messages[0].conversation_id, 0, 2)
    assert [message.last_change for message in page] == told


def in_one_batch(steered, changer, first, *changes):
    """Store one change, and those that follow in one batch behind it; return the calls of these, in order."""
    gate = Gate(steered)
    call = changer.in_background(*first)
    assert gate.reached.wait(PATIENCE)
    calls = []
    for count, (arguments, fields) in enumerate(changes, 1):
        calls.append(changer.in_background(*arguments, **fields))
        wait_for_queue(changer, count)
    gate.opened.set()
    call.outcome()
    return calls


def asked(*arguments, **fields):
    return arguments, fields


def test_it_works(steered, changer, alice, message):
    change = changer.edit(alice, message)
    assert (change.number, change.message.message, change.message.last_change) == (1, "mended", 1)
    assert now(steered, message) == change.message, "what the actor is told is what is stored"
    assert changer.delivered == [(1, change.message.as_json())]
    assert Change.last_edit(steered, message).id == change.id


def test_nothing_is_told_before_the_commit(steered, changer, alice, message):
    gate = Gate(steered)
    call = changer.in_background(alice, message, EDIT, "mended")
    assert gate.reached.wait(PATIENCE)
    call.thread.join(0.05)
    assert call.thread.is_alive(), "nor acknowledged"
    assert changer.delivered == [] and now(steered, message).message == "first"
    gate.opened.set()
    assert call.outcome().number == 1 and len(changer.delivered) == 1


def test_a_change_and_its_effect_are_one_transaction(steered, changer, alice, message):
    transact = steered.engine.run

    def fail_before_the_commit(work, writes=0):
        def failing(cursor):
            work(cursor)
            raise ValueError("the last statement fails") if writes > 1 else None
        return transact(failing, writes)
    steered.engine.run = fail_before_the_commit
    try:
        with pytest.raises(Unavailable):
            changer.edit(alice, message)
    finally:
        steered.engine.run = transact
    assert numbers(steered, message) == [] and now(steered, message) == message and changer.delivered == []


# --- one batch -------------------------------------------------------------------------------------------------------------


def test_several_changes_of_one_message_in_a_batch(steered, changer, alice, bob, message):
    calls = in_one_batch(steered, changer, (alice, message, EDIT, "one"),
                         asked(alice, message, EDIT, "two"), asked(bob, message, REACT, emoji="👍"), asked(bob, message, PIN),
                         asked(alice, message, EDIT, "three"))
    assert [call.outcome().number for call in calls] == [2, 3, 4, 5] and steered.batches[-1] == 4
    stored = now(steered, message)
    assert (stored.message, stored.last_change, stored.is_pinned, stored.reactions[0].user_ids) == ("three", 5, True, [bob.id])
    assert wait_for(changer.writer.idle, PATIENCE)
    assert changer.delivered[1:] == [(number, stored.as_json()) for number in (2, 3, 4, 5)], "each tells the message as it is now"


def test_a_text_that_is_deleted_in_its_batch_is_told_to_nobody(steered, changer, alice, bob, message):
    """Neither by the edit before it, nor by a refusal, nor by a quote of it."""
    reply = Message.draft(bob, alice.id, "yes", "a-reply")
    reply.reply_to = message.seq
    reply = Sender(steered).writer.store(reply)
    edit, conflict, react, delete, late = in_one_batch(
        steered, changer, (bob, message, PIN),
        asked(alice, message, EDIT, "secret"), asked(alice, message, EDIT, "lost", seen=0), asked(alice, reply, REACT, emoji="👍"),
        asked(alice, message, DELETE), asked(alice, message, EDIT, "too late"))
    assert (edit.outcome().number, react.outcome().number, delete.outcome().number) == (2, 3, 4)
    for refused in (conflict, late):
        with pytest.raises(Conflict) as error:
            refused.outcome()
        assert error.value.details["message"] == now(steered, message).as_json()
    assert wait_for(changer.writer.idle, PATIENCE)
    assert "secret" not in str(changer.delivered) and changer.delivered[2][1]["replyTo"]["deleted"]
    assert react.outcome().message.as_json() == now(steered, reply).as_json()
    assert steered.query("SELECT seq FROM pins WHERE conversation_id = %s", (message.conversation_id,)) == []


def test_a_refusal_waits_for_what_it_is_due_to(steered, changer, alice, message):
    """The text that it shows might never be stored."""
    def fail(params):
        if "second" in params:
            raise Unavailable("away")
    gate = Gate(steered)
    first = changer.in_background(alice, message, EDIT, "first one", client_id="first")
    assert gate.reached.wait(PATIENCE)
    calls = []
    for count, (client_id, seen) in enumerate([("second", None), ("third", 1)], 1):
        calls.append(changer.in_background(alice, message, EDIT, client_id, client_id=client_id, seen=seen))
        wait_for_queue(changer, count)
    steered.before = fail
    gate.opened.set()
    first.outcome()
    for call in calls:
        with pytest.raises(Unavailable):
            call.outcome()
    assert changer.edit(alice, message, "third", client_id="third", seen=1).number == 2, "nothing was in its way after all"


@pytest.mark.parametrize("toggles, is_there", [((REACT, UNREACT), False), ((REACT, UNREACT, REACT), True), ((UNREACT, REACT), True),
                                               ((REACT, REACT), True), ((UNREACT, UNREACT), False)])
@pytest.mark.parametrize("was_there", [False, True])
def test_a_reaction_is_toggled_within_a_batch(steered, changer, alice, bob, message, toggles, is_there, was_there):
    if was_there:
        changer.change(bob, message, REACT, emoji="👍")
    calls = in_one_batch(steered, changer, (alice, message, PIN), *(asked(bob, message, kind, emoji="👍") for kind in toggles))
    assert [call.outcome().number for call in calls] == list(range(2 + was_there, 2 + was_there + len(toggles)))
    assert [reaction.user_ids for reaction in now(steered, message).reactions] == [[bob.id]] * is_there
    assert calls[-1].outcome().message == now(steered, message)


def test_reactions_are_told_in_the_order_in_which_they_are_read_later(steered, changer, alice, bob, message):
    """After the first one was taken back, and where several have the time of their batch."""
    for user, kind, emoji in ((alice, REACT, "👍"), (bob, REACT, "❤️"), (bob, REACT, "👍"), (alice, UNREACT, "👍")):
        assert changer.change(user, message, kind, emoji=emoji).message == now(steered, message)
    calls = in_one_batch(steered, changer, (alice, message, PIN), *(
        asked(user, message, REACT, emoji=emoji) for user, emoji in ((bob, "🦄"), (alice, "🦄"), (alice, "🚀"))))
    assert calls[-1].outcome().message == now(steered, message)


def test_what_came_before_a_deletion_in_its_batch_leaves_no_row(steered, changer, alice, bob, message):
    in_one_batch(steered, changer, (alice, message, EDIT, "mended"), asked(bob, message, REACT, emoji="👍"), asked(bob, message, PIN),
                 asked(alice, message, EDIT, "x", mentions=((bob.id, 0, 1),)), asked(alice, message, DELETE))[-1].outcome()
    for table in ("reactions", "pins", "mentions"):
        assert steered.query(f"SELECT seq FROM {table} WHERE conversation_id = %s", (message.conversation_id,)) == []


@pytest.mark.parametrize("toggles, is_pinned", [((PIN, UNPIN), False), ((PIN, UNPIN, PIN), True), ((UNPIN, PIN), True), ((PIN, PIN), True)])
def test_a_pin_is_toggled_within_a_batch(steered, changer, alice, bob, message, toggles, is_pinned):
    calls = in_one_batch(steered, changer, (alice, message, EDIT, "mended"), *(asked(bob, message, kind) for kind in toggles))
    assert [call.outcome().message.is_pinned for call in calls] == [is_pinned] * len(toggles)
    assert now(steered, message).is_pinned == is_pinned


def test_what_is_refused_keeps_nothing_from_the_others(steered, changer, alice, bob, message):
    nothing = Message.draft(alice, bob.id, "not there", "nowhere")
    nothing.conversation_id, nothing.seq = message.conversation_id, 99
    calls = in_one_batch(steered, changer, (alice, message, PIN),
                         asked(bob, message, EDIT, "by another"), asked(alice, message, EDIT, "good"), asked(alice, nothing, DELETE),
                         asked(bob, message, DELETE), asked(bob, message, REACT, emoji="👍"))
    forbidden, edit, not_found, forbidden_too, react = calls
    assert (edit.outcome().number, react.outcome().number) == (2, 3), "no number is lost"
    for call, error in ((forbidden, Forbidden), (not_found, NotFound), (forbidden_too, Forbidden)):
        with pytest.raises(error):
            call.outcome()
    assert numbers(steered, message) == [1, 2, 3] and now(steered, message).message == "good"
    assert wait_for(changer.writer.idle, PATIENCE) and [number for number, _message in changer.delivered] == [1, 2, 3]


def test_the_number_of_different_reactions_is_bounded_within_a_batch(steered, changer, alice, bob, message):
    for n in range(MAX_EMOJI - 1):
        changer.change(alice, message, REACT, emoji=chr(0x1F600 + n))
    last, one_more, the_last_too = in_one_batch(steered, changer, (alice, message, PIN), *(
        asked(user, message, REACT, emoji=emoji) for user, emoji in ((alice, "🚀"), (bob, "🦄"), (bob, "🚀"))))
    assert last.outcome() and the_last_too.outcome()
    with pytest.raises(Conflict) as error:
        one_more.outcome()
    assert error.value.details["message"] == now(steered, message).as_json()
    assert len(now(steered, message).reactions) == MAX_EMOJI


def test_a_message_with_many_reactions_can_be_deleted(steered, changer, alice, message):
    for start in range(0, MANY_REACTIONS, 100):
        steered.insert("INSERT INTO reactions (conversation_id, seq, user_id, emoji, at) VALUES " + ", ".join(["(%s, %s, %s, '👍', '2026-01-01')"] * 100),
                       [value for n in range(100) for value in (message.conversation_id, message.seq, 10 ** 6 + start + n)], rows=100)
    steered.execute("UPDATE messages SET last_change = 1 WHERE id = %s", (message.id,))
    assert len(now(steered, message).reactions[0].user_ids) == MANY_REACTIONS
    changer.change(alice, message, DELETE)
    assert steered.query("SELECT user_id FROM reactions WHERE conversation_id = %s", (message.conversation_id,)) == []


def test_whom_an_edit_mentions_is_what_the_last_one_of_its_batch_says(steered, changer, alice, bob, message):
    def mentioned():
        return steered.query("SELECT user_id FROM mentions WHERE conversation_id = %s", (message.conversation_id,), lambda row: row["user_id"])

    def edit(*users):
        return asked(alice, message, EDIT, "x", mentions=tuple((user.id, 0, 1) for user in users))
    changer.edit(alice, message, mentions=((alice.id, 0, 1),))
    for edits, expected in (((edit(alice), edit(bob)), [bob.id]), ((edit(), edit(alice)), [alice.id]), ((edit(bob), edit()), []),
                            ((edit(), edit(alice, bob)), [alice.id, bob.id])):
        in_one_batch(steered, changer, (alice, message, PIN), *edits)[-1].outcome()
        assert sorted(mentioned()) == expected
    changer.change(alice, message, DELETE)
    assert mentioned() == []


# --- resends -----------------------------------------------------------------------------------------------------------------


def test_a_resend_changes_nothing_and_gives_the_first_number(steered, changer, alice, message):
    first = changer.edit(alice, message, "one", client_id="again")
    changer.edit(alice, message, "two")
    again = changer.edit(alice, message, "three", client_id="again")
    assert (again.number, again.id, again.message.message) == (first.number, first.id, "two"), "with the message as it is now"
    assert len(changer.delivered) == 2 and numbers(steered, message) == [1, 2]
    assert changer.edit(alice, message, "after").number == 3, "no number is lost"


def test_a_resend_of_what_is_refused_by_now(steered, changer, alice, message):
    first = changer.edit(alice, message, "one", client_id="again")
    changer.change(alice, message, DELETE)
    again = changer.edit(alice, message, "one", client_id="again")
    assert (again.number, again.message.is_deleted) == (first.number, True)


def test_a_resend_in_the_same_batch(steered, changer, alice, message):
    one, other, again = in_one_batch(steered, changer, (alice, message, PIN), *(
        asked(alice, message, EDIT, text, client_id=client_id) for text, client_id in (("one", "twice"), ("two", "other"), ("three", "twice"))))
    assert (one.outcome().number, other.outcome().number, again.outcome().number) == (2, 3, 2)
    assert now(steered, message).message == "two" and numbers(steered, message) == [1, 2, 3]
    assert wait_for(changer.writer.idle, PATIENCE) and [number for number, _message in changer.delivered] == [1, 2, 3]


def test_a_resend_does_not_hold_up_the_rest_of_its_batch(steered, changer, alice, bob, message):
    first = changer.edit(alice, message, "one", client_id="again")
    again, refused, new = in_one_batch(steered, changer, (alice, message, PIN),
                                       asked(alice, message, EDIT, "one", client_id="again"), asked(bob, message, DELETE),
                                       asked(bob, message, REACT, emoji="👍"))
    assert (again.outcome().number, new.outcome().number) == (first.number, 3)
    with pytest.raises(Forbidden):
        refused.outcome()
    assert now(steered, message).message == "one" and numbers(steered, message) == [1, 2, 3]


def test_two_people_may_use_the_same_client_id(changer, alice, bob, message):
    assert changer.change(alice, message, PIN, client_id="same").number == 1
    assert changer.change(bob, message, UNPIN, client_id="same").number == 2


# --- several processes -------------------------------------------------------------------------------------------------------------


def test_another_process_was_faster(steered, changer, alice, bob, message):
    """Each change is done on the message as the other process has left it."""
    other = Changer(beside(steered))
    for n in range(1, 6):
        mine = changer.edit(alice, message, f"text {n}")
        theirs = other.change(bob, message, REACT, emoji=chr(0x1F600 + n))
        assert (mine.number, theirs.number) == (2 * n - 1, 2 * n)
        assert theirs.message.message == f"text {n}" and len(mine.message.reactions) == n - 1
    assert numbers(steered, message) == list(range(1, 11))


def test_what_another_process_did_between_reading_and_storing_is_not_undone(steered, changer, alice, bob, message):
    """Deleted elsewhere: an edit that has read the text before must not bring one back, and a reaction must leave no row."""
    other = Changer(beside(steered))
    for kind, fields in ((EDIT, {"text": "back again"}), (REACT, {"emoji": "👍"}), (PIN, {})):
        written = Sender(steered).send(alice, bob, "second")
        changer.change(alice, written, PIN)      # now it knows the last number
        gate = Gate(steered)
        late = changer.in_background(alice, written, kind, **fields)
        assert gate.reached.wait(PATIENCE)
        other.change(alice, written, DELETE)
        gate.opened.set()
        with pytest.raises(Conflict) as error:
            late.outcome()
        stored = now(steered, written)
        assert stored.is_deleted and stored.message == "" and error.value.details["message"] == stored.as_json()
        for table in ("reactions", "pins"):
            assert steered.query(f"SELECT seq FROM {table} WHERE conversation_id = %s AND seq = %s", (written.conversation_id, written.seq)) == []


def test_the_same_change_by_two_processes_at_once_counts_once(steered, changer, alice, message):
    other = Changer(beside(steered))
    gate = Gate(steered)
    late = changer.in_background(alice, message, EDIT, "by one", client_id="both")
    assert gate.reached.wait(PATIENCE)
    first = other.edit(alice, message, "by the other", client_id="both")
    gate.opened.set()
    assert late.outcome().number == first.number == 1
    assert now(steered, message).message == "by the other" and changer.delivered == [] and len(other.delivered) == 1


def test_many_threads_over_two_processes(database, alice, bob):
    """Numbers have no gap, what was acknowledged is there, and the last one decides."""
    sender, changers = Sender(database), [Changer(beside(database)) for _n in range(2)]
    messages = [sender.send(alice, bob, f"message {n}") for n in range(3)]
    told, errors = [], []

    def change(number):
        author, kind = (alice, EDIT) if number % 3 else (bob, REACT)
        while True:
            try:
                done = changers[number % 2].change(author, messages[number % len(messages)], kind, f"text {number}", client_id=f"key-{number}",
                                                   emoji="👍" if kind == REACT else "")
                told.append((done.number, number))
                return
            except Unavailable:
                pass    # too busy: tried again, as a client does
            except Exception as error:
                errors.append(error)
                return
    threads = [start_thread(lambda n=number: change(n)) for number in range(30)]
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert errors == [] and numbers(database, messages[0]) == list(range(1, 31)) == sorted(number for number, _which in told)
    for message in messages:
        edit, stored = Change.last_edit(database, message), now(database, message)
        last_edit = edit.number if edit else 0
        assert stored.last_change == database.query("SELECT MAX(number) AS number FROM changes WHERE conversation_id = %s AND seq = %s", message.ref)[0]["number"]
        assert stored.message == (f"text {dict(told)[last_edit]}" if last_edit else message.message)
    assert sorted(number for changer in changers for number, _message in changer.delivered) == list(range(1, 31))


def test_a_writer_that_is_always_too_late_says_so(steered, changer, alice, bob, message):
    other = Changer(beside(steered))
    steered.before = lambda _params: other.change(bob, message, PIN)
    with pytest.raises(Unavailable):
        changer.edit(alice, message)
    steered.before = lambda _params: None
    assert changer.edit(alice, message).number == module.MAX_NUMBERING_ATTEMPTS + 1


def test_a_number_that_the_bus_tells_is_the_one_to_go_on_from(steered, changer, alice, bob, message):
    changer.edit(alice, message)
    Changer(beside(steered)).change(bob, message, PIN)
    changer.writer.note_number(message.conversation_id, 2)
    steered.batches.clear()
    assert changer.edit(alice, message).number == 3 and steered.batches == [1], "at the first attempt"
    changer.writer.note_number(message.conversation_id, 1)
    assert changer.edit(alice, message).number == 4


# --- failures ------------------------------------------------------------------------------------------------------------------------


def test_a_lost_answer(steered, changer, alice, message):
    """It is committed, and nobody learns it: the resend is acknowledged with it, and only then is it delivered, once."""
    steered.after = failing_once(Unavailable("the answer was lost"))
    with pytest.raises(Unavailable):
        changer.edit(alice, message, "one", client_id="lost")
    assert now(steered, message).message == "one" and changer.delivered == []
    again = changer.edit(alice, message, "two", client_id="lost")
    assert again.number == 1 and again.message == now(steered, message) and again.message.message == "one"
    assert changer.delivered == [(1, again.message.as_json())]
    changer.edit(alice, message, "one", client_id="lost")
    assert len(changer.delivered) == 1, "delivered once"


def test_ids_that_only_a_look_tells(steered, changer, alice, message, monkeypatch):
    """As in a cluster. Rows that are locked at that look are stored all the same: the resend gives the change, and delivers it."""
    insert = steered.insert
    monkeypatch.setattr(steered, "insert", lambda *arguments, **options: insert(*arguments, **options) and None)
    look, failure, gate = Change.find_duplicates, failing_once(Locked("its rows are locked")), Gate(steered)
    monkeypatch.setattr(Change, "find_duplicates", lambda database, drafts: len(drafts) == 2 and failure(None) or look(database, drafts))
    first = changer.in_background(alice, message, EDIT, "first")
    assert gate.reached.wait(PATIENCE)
    both = []
    for number, text in enumerate(["one", "two"], 1):
        both.append(changer.in_background(alice, message, EDIT, text, client_id=text))
        wait_for_queue(changer, number)
    gate.opened.set()
    assert first.outcome().number == 1
    for each in both:
        with pytest.raises(Unavailable):
            each.outcome()
    assert [changer.edit(alice, message, text, client_id=text).number for text in ("one", "two")] == [2, 3]
    assert [number for number, _message in changer.delivered] == [1, 2, 3]


def test_a_lost_answer_to_what_is_refused_by_now(steered, changer, alice, message):
    steered.after = failing_once(Unavailable("the answer was lost"))
    with pytest.raises(Unavailable):
        changer.edit(alice, message, "secret", client_id="lost")
    changer.change(alice, message, DELETE)
    assert changer.edit(alice, message, "secret", client_id="lost").number == 1
    assert [number for number, _message in changer.delivered] == [2, 1] and "secret" not in str(changer.delivered)


def test_a_change_after_a_lost_answer_takes_the_next_number(steered, changer, alice, message):
    steered.after = failing_once(Unavailable("the answer was lost"))
    with pytest.raises(Unavailable):
        changer.edit(alice, message, "one")
    assert changer.edit(alice, message, "two").number == 2


@pytest.mark.parametrize("error", [ValueError("the driver cannot encode it"), Locked("its rows are locked")])
def test_a_change_that_cannot_be_stored_does_not_take_its_batch_along(steered, changer, alice, bob, message, error):
    def refuse(params):
        if "poison" in params:
            raise error
    gate = Gate(steered)
    first = changer.in_background(alice, message, PIN)
    assert gate.reached.wait(PATIENCE)
    calls = []
    for count, client_id in enumerate(["good", "poison", "better"], 1):
        calls.append(changer.in_background(alice, message, EDIT, client_id, client_id=client_id))
        wait_for_queue(changer, count)
    steered.before = refuse
    gate.opened.set()
    good, bad, better = calls
    assert (first.outcome().number, good.outcome().number, better.outcome().number) == (1, 2, 3)
    with pytest.raises(Unavailable):
        bad.outcome()
    assert numbers(steered, message) == [1, 2, 3] and now(steered, message).message == "better"


def test_a_delivery_that_fails_keeps_nothing_from_the_others(steered, changer, alice, bob, message):
    deliver = changer.writer.deliver

    def stumble(change, origin):
        if change.number == 2:
            raise RuntimeError("a client that nobody expected")
        deliver(change, origin)
    changer.writer.deliver = stumble
    calls = in_one_batch(steered, changer, (alice, message, PIN), *(asked(bob, message, REACT, emoji=emoji) for emoji in "🚀🦄"))
    assert [call.outcome().number for call in calls] == [2, 3]
    changer.change(alice, message, UNPIN)
    assert [number for number, _message in changer.delivered] == [1, 3, 4]


# --- memory -----------------------------------------------------------------------------------------------------------------------------


def test_what_is_remembered_is_bounded_and_may_be_forgotten(steered, changer, alice, monkeypatch):
    monkeypatch.setattr(module, "MAX_REMEMBERED", 2)
    messages = [Sender(steered).send(alice, person(steered), "first") for _n in range(5)]
    for number in range(1, 4):
        for message in messages:
            assert changer.edit(alice, message, f"text {number}").number == number
    assert len(changer.writer.last_numbers) == 2


def test_the_fates_that_are_open_are_bounded(steered, changer, alice, message, monkeypatch):
    monkeypatch.setattr(module, "MAX_IN_DOUBT", 3)

    def fail(_params):
        raise Unavailable("away")
    steered.before = fail
    for _n in range(5):
        with pytest.raises(Unavailable):
            changer.edit(alice, message)
    assert len(changer.writer.in_doubt) == 3
    assert not changer.writer.queue and changer.writer.idle()

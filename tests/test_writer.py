"""The writer: what it promises of one message, and how it commits many together. No server, threads alone."""
import threading

import pytest

from chat.conversations import batch_writer as module
from chat.conversations.conversation import Conversation
from chat.errors import Locked, Unavailable
from chat.conversations.message import Message
from tests.databases import (PATIENCE, RecordingDatabase, Sender, alice, beside, bob, database, draft, person,  # noqa: F401
                             start_thread)
from tests.waiting import wait_for


class Steered(RecordingDatabase):
    """Calls `before` and `after` around each INSERT of messages; both may wait, or raise."""

    def __init__(self, engine):
        super().__init__(engine)
        self.before = self.after = lambda params: None
        self.batches = []       # how many messages each INSERT had

    def insert(self, sql, params, rows, then=None):
        self.before(params)
        self.batches.append(rows)
        ids = super().insert(sql, params, rows, then)
        self.after(params)
        return ids


@pytest.fixture
def steered(database):
    return Steered(database.engine)


@pytest.fixture
def sender(steered):
    return Sender(steered)


class Gate:
    """Holds the first INSERT until it is opened."""

    def __init__(self, steered):
        self.reached, self.opened = threading.Event(), threading.Event()
        steered.before = self

    def __call__(self, _params):
        if not self.reached.is_set():
            self.reached.set()
            assert self.opened.wait(PATIENCE)


def failing_once(error):
    left = [error]

    def fail(_params):
        if left:
            raise left.pop()
    return fail


def stored(database, one, other):
    """All messages of two people, in order."""
    conversation = Conversation.between(database, one.id, other.id)
    return Message.page(database, conversation.id, after=0, limit=200) if conversation else []


def texts(database, one, other):
    return [message.message for message in stored(database, one, other)]


def seqs(database, one, other):
    return [message.seq for message in stored(database, one, other)]


def wait_for_queue(sender, length):
    """Wait until so many messages are waiting for the next batch."""
    for _n in range(PATIENCE * 1000):
        if len(sender.writer.queue) == length:
            return
        threading.Event().wait(0.001)
    raise AssertionError(f"{len(sender.writer.queue)} wait, not {length}")


def test_it_works(steered, sender, alice, bob):
    message = sender.send(alice, bob, "bonjour", origin="a tab")
    assert (message.seq, message.sender_id, message.receiver_id, message.message) == (1, alice.id, bob.id, "bonjour")
    assert stored(steered, alice, bob) == [message], "what the sender is told is what is stored: id and time too"
    assert sender.delivered == [(message, "a tab")]


def test_what_arrives_during_a_commit_goes_together_in_one_insert(steered, sender, alice, bob):
    gate = Gate(steered)
    first = sender.send_in_background(alice, bob, "0")
    assert gate.reached.wait(PATIENCE)
    others = []
    for number in range(1, 8):
        others.append(sender.send_in_background(*((alice, bob) if number % 2 else (bob, alice)), str(number)))
        wait_for_queue(sender, number)
    gate.opened.set()
    assert [background_call.outcome().seq for background_call in (first, *others)] == list(range(1, 9))
    assert steered.batches == [1, 7]
    assert texts(steered, alice, bob) == [str(number) for number in range(8)]
    assert wait_for(sender.writer.idle, PATIENCE), "a sender is told before all are delivered"
    assert [message.seq for message, _origin in sender.delivered] == list(range(1, 9))


def test_a_batch_is_bounded(steered, sender, alice, bob, monkeypatch):
    monkeypatch.setattr(module, "MAX_BATCH", 3)
    gate = Gate(steered)
    background_calls = [sender.send_in_background(alice, bob, "first")]
    assert gate.reached.wait(PATIENCE)
    background_calls += [sender.send_in_background(alice, bob) for _n in range(7)]
    wait_for_queue(sender, 7)
    gate.opened.set()
    assert sorted(background_call.outcome().seq for background_call in background_calls) == list(range(1, 9))
    assert steered.batches == [1, 3, 3, 1]


def test_nothing_is_delivered_before_the_commit(steered, sender, alice, bob):
    gate = Gate(steered)
    background_call = sender.send_in_background(alice, bob)
    assert gate.reached.wait(PATIENCE)
    assert not background_call.thread.join(0.05) and background_call.thread.is_alive(), "nor acknowledged"
    assert sender.delivered == [] and stored(steered, alice, bob) == []
    gate.opened.set()
    assert background_call.outcome().seq == 1
    assert len(sender.delivered) == 1


# --- resends ---------------------------------------------------------------------------------------------------


def test_a_resend_gives_the_first_row_and_stores_nothing(steered, sender, alice, bob):
    first = sender.send(alice, bob, "one", client_id="resend")
    sender.send(alice, bob, "between")
    again = sender.send(alice, bob, "two", client_id="resend")
    assert again == first
    assert texts(steered, alice, bob) == ["one", "between"]
    assert [message.message for message, _origin in sender.delivered] == ["one", "between"]
    assert sender.send(alice, bob, "after").seq == 3, "no number is lost"


def test_a_resend_to_somebody_else_gives_the_first_row_too(steered, sender, alice, bob):
    charlie = person(steered)
    first = sender.send(alice, bob, "one", client_id="elsewhere")
    assert sender.send(alice, charlie, "one", client_id="elsewhere") == first
    assert stored(steered, alice, charlie) == []


def test_two_people_may_use_the_same_client_id(sender, alice, bob):
    assert sender.send(alice, bob, "from alice", client_id="same") != sender.send(bob, alice, "from bob", client_id="same")


def test_a_resend_in_the_same_batch(steered, sender, alice, bob):
    gate = Gate(steered)
    background_calls = [sender.send_in_background(alice, bob, "first")]
    assert gate.reached.wait(PATIENCE)
    for number, client_id in enumerate(["twice", "other", "twice"], 1):
        background_calls.append(sender.send_in_background(alice, bob, f"text {number}", client_id))
        wait_for_queue(sender, number)
    gate.opened.set()
    _first, one, other, again = [background_call.outcome() for background_call in background_calls]
    assert one == again and (one.seq, one.message, other.seq) == (2, "text 1", 3)
    assert texts(steered, alice, bob) == ["first", "text 1", "text 2"]
    assert len(sender.delivered) == 3


def test_a_resend_does_not_hold_up_the_rest_of_its_batch(steered, sender, alice, bob):
    first = sender.send(alice, bob, "one", client_id="again")
    gate = Gate(steered)
    background_calls = [sender.send_in_background(alice, bob, "two")]
    assert gate.reached.wait(PATIENCE)
    for number, client_id in enumerate(["new", "again", "newer"], 1):
        background_calls.append(sender.send_in_background(alice, bob, client_id, client_id=client_id))
        wait_for_queue(sender, number)
    gate.opened.set()
    _two, new, again, newer = [background_call.outcome() for background_call in background_calls]
    assert (again, new.seq, newer.seq) == (first, 3, 4)
    assert seqs(steered, alice, bob) == [1, 2, 3, 4]


# --- several processes -------------------------------------------------------------------------------------------


def test_another_process_was_faster(steered, sender, alice, bob):
    other = Sender(beside(steered))
    for number in range(1, 6):
        assert (sender.send(alice, bob).seq, other.send(bob, alice).seq) == (2 * number - 1, 2 * number)
    assert seqs(steered, alice, bob) == list(range(1, 11))


def test_the_same_message_by_two_processes_at_once_is_one_row(steered, sender, alice, bob):
    other = Sender(beside(steered))
    gate = Gate(steered)
    late = sender.send_in_background(alice, bob, "by one", "both")
    assert gate.reached.wait(PATIENCE)
    first = other.send(alice, bob, "by the other", "both")
    gate.opened.set()
    assert late.outcome() == first
    assert texts(steered, alice, bob) == ["by the other"]
    assert sender.delivered == [] and len(other.delivered) == 1


def test_many_threads_over_three_processes(database):
    senders = [Sender(beside(database)) for _n in range(3)]
    people = [person(database) for _n in range(4)]
    pairs = [(one, other) for one in people for other in people if one != other]
    told = {(one.id, other.id): [] for one, other in pairs}

    def talk(one, other, sender):
        while len(told[one.id, other.id]) < 10:
            try:
                told[one.id, other.id].append(sender.send(one, other, f"{len(told[one.id, other.id])}"))
            except Unavailable:
                pass    # too many at once: tried again, as a client does
    threads = [start_thread(lambda p=pair, n=number: talk(*p, senders[n % 3])) for number, pair in enumerate(pairs)]
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    for one, other in pairs:
        both = stored(database, one, other)
        assert [message.seq for message in both] == list(range(1, 21))
        mine = [message for message in both if message.sender_id == one.id]
        assert mine == told[one.id, other.id], "each sender's own order, and what each was told"
        assert [message.message for message in mine] == [str(number) for number in range(10)]
    assert sum(len(sender.delivered) for sender in senders) == 10 * len(pairs)
    assert all(sender.writer.idle() for sender in senders)


def test_a_writer_that_is_always_too_late_says_so(steered, sender, alice, bob):
    other = Sender(beside(steered))
    steered.before = lambda _params: other.send(bob, alice)
    with pytest.raises(Unavailable):
        sender.send(alice, bob)
    steered.before = lambda _params: None
    assert sender.send(alice, bob).seq == module.MAX_NUMBERING_ATTEMPTS + 1


def test_a_conversation_that_others_are_always_faster_in_does_not_hold_up_the_rest(steered, sender, alice, bob, database):
    carol, other = person(database), Sender(beside(steered))
    gate = Gate(steered)
    first = sender.send_in_background(carol, bob, "first")
    assert gate.reached.wait(PATIENCE)
    background_calls = []
    for number, (author, text) in enumerate([(alice, "overtaken"), (carol, "second")], 1):
        background_calls.append(sender.send_in_background(author, bob, text))
        wait_for_queue(sender, number)
    steered.before = lambda params: other.send(bob, alice) if "overtaken" in params else None
    gate.opened.set()
    overtaken, second = background_calls
    assert (first.outcome().seq, second.outcome().seq) == (1, 2)
    with pytest.raises(Unavailable):
        overtaken.outcome()


# --- failures ------------------------------------------------------------------------------------------------------


def test_a_lost_answer(steered, sender, alice, bob):
    """The INSERT is committed, and nobody learns it: the resend gives the row, and only then is it delivered."""
    steered.after = failing_once(Unavailable("the answer was lost"))
    with pytest.raises(Unavailable):
        sender.send(alice, bob, "one", "lost")
    assert texts(steered, alice, bob) == ["one"] and sender.delivered == []
    again = sender.send(alice, bob, "one", "lost", origin="a tab")
    assert sender.delivered == [(again, "a tab")] and again.seq == 1
    sender.send(alice, bob, "one", "lost")
    assert len(sender.delivered) == 1, "delivered once"
    assert sender.send(alice, bob, "two").seq == 2


def test_ids_that_only_a_look_tells(steered, sender, alice, bob, monkeypatch):
    """As in a cluster. Rows that are locked at that look are stored all the same: the resend gives the row, and delivers it."""
    insert = steered.insert
    monkeypatch.setattr(steered, "insert", lambda *arguments, **options: insert(*arguments, **options) and None)
    look, failure, gate = Message.find_duplicates, failing_once(Locked("its rows are locked")), Gate(steered)
    monkeypatch.setattr(Message, "find_duplicates", lambda database, drafts: len(drafts) == 2 and failure(None) or look(database, drafts))
    first = sender.send_in_background(alice, bob, "first")
    assert gate.reached.wait(PATIENCE)
    background_calls = []
    for number, text in enumerate(["one", "two"], 1):
        background_calls.append(sender.send_in_background(alice, bob, text, text))
        wait_for_queue(sender, number)
    gate.opened.set()
    assert first.outcome().seq == 1
    for background_call in background_calls:
        with pytest.raises(Unavailable):
            background_call.outcome()
    for text in ("one", "two"):
        sender.send(alice, bob, text, text)
    assert [message for message, _origin in sender.delivered] == stored(steered, alice, bob)


def test_a_message_after_a_lost_answer_takes_the_next_number(steered, sender, alice, bob):
    steered.after = failing_once(Unavailable("the answer was lost"))
    with pytest.raises(Unavailable):
        sender.send(alice, bob, "one")
    assert sender.send(alice, bob, "two").seq == 2


def test_a_database_that_is_away_is_told_to_everyone_in_the_batch(steered, sender, alice, bob):
    gate = Gate(steered)
    first = sender.send_in_background(alice, bob, "first")
    assert gate.reached.wait(PATIENCE)
    background_calls = [sender.send_in_background(alice, bob, str(number), f"away-{number}") for number in range(5)]
    wait_for_queue(sender, 5)
    steered.before = failing_once(Unavailable("away"))
    gate.opened.set()
    assert first.outcome().seq == 1
    for background_call in background_calls:
        with pytest.raises(Unavailable):
            background_call.outcome()
    assert texts(steered, alice, bob) == ["first"] and len(sender.delivered) == 1
    assert [sender.send(alice, bob, str(number), f"away-{number}").seq for number in range(5)] == [2, 3, 4, 5, 6]
    assert len(sender.delivered) == 6


def poison(error):
    """Refuse each INSERT that contains the poisoned message."""
    def refuse(params):
        if "poison" in params:
            raise error
    return refuse


@pytest.mark.parametrize("error", [ValueError("the driver cannot encode it"), Locked("its rows are locked")])
def test_a_message_that_cannot_be_stored_does_not_take_its_batch_along(steered, sender, alice, bob, error):
    gate = Gate(steered)
    first = sender.send_in_background(alice, bob, "first")
    assert gate.reached.wait(PATIENCE)
    background_calls = []
    for number, text in enumerate(["good", "poison", "better"], 1):
        background_calls.append(sender.send_in_background(alice, bob, text))
        wait_for_queue(sender, number)
    steered.before = poison(error)
    gate.opened.set()
    good, bad, better = background_calls
    assert (first.outcome().seq, good.outcome().seq, better.outcome().seq) == (1, 2, 3)
    with pytest.raises(Unavailable):
        bad.outcome()
    assert texts(steered, alice, bob) == ["first", "good", "better"]


def test_a_failure_while_the_conversation_is_opened(steered, sender, alice, bob, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(steered, "transaction", lambda _statements: failing_once(Unavailable("away"))(None))
        with pytest.raises(Unavailable):
            sender.send(alice, bob, "one", "opening")
    assert sender.send(alice, bob, "one", "opening").seq == 1
    assert len(sender.delivered) == 1


def test_a_sender_does_not_wait_for_ever(steered, sender, alice, bob, monkeypatch):
    monkeypatch.setattr(module, "STORE_TIMEOUT", 0.1)
    gate = Gate(steered)
    first = sender.send_in_background(alice, bob, "first")
    assert gate.reached.wait(PATIENCE)
    with pytest.raises(Unavailable):
        sender.send(alice, bob, "one", "slow")
    monkeypatch.undo()
    again = sender.send_in_background(alice, bob, "one", "slow")
    wait_for_queue(sender, 2)
    gate.opened.set()
    assert (first.outcome().seq, again.outcome().seq) == (1, 2)
    assert texts(steered, alice, bob) == ["first", "one"] and len(sender.delivered) == 2


def test_a_delivery_that_fails_keeps_nothing_from_the_others(steered, sender, alice, bob):
    gate = Gate(steered)
    background_calls = [sender.send_in_background(alice, bob, "first")]
    assert gate.reached.wait(PATIENCE)
    background_calls += [sender.send_in_background(alice, bob) for _n in range(3)]
    wait_for_queue(sender, 3)
    deliver = sender.writer.deliver

    def stumble(message, origin):
        if message.seq == 2:
            raise RuntimeError("a client that nobody expected")
        deliver(message, origin)
    sender.writer.deliver = stumble
    gate.opened.set()
    assert sorted(background_call.outcome().seq for background_call in background_calls) == [1, 2, 3, 4]
    sender.send(alice, bob, "and the next")
    assert [message.seq for message, _origin in sender.delivered] == [1, 3, 4, 5]


def test_a_writer_whose_task_could_not_start_goes_on_with_the_next_message(steered, sender, alice, bob):
    start = sender.writer.start_task
    sender.writer.start_task = failing_once(RuntimeError("can't start new thread"))
    gate = Gate(steered)
    first = sender.send_in_background(alice, bob, "first")
    assert gate.reached.wait(PATIENCE)
    left = sender.send_in_background(alice, bob, "left")
    wait_for_queue(sender, 1)
    gate.opened.set()
    assert first.outcome().seq == 1 and sender.writer.idle()
    sender.writer.start_task = start
    assert sender.send(alice, bob, "next").seq == 3
    assert left.outcome().seq == 2


def test_who_comes_alone_is_served_without_a_task(steered, sender, alice, bob):
    sender.writer.start_task = failing_once(AssertionError("a task, for one message"))
    assert [sender.send(alice, bob).seq for _n in range(3)] == [1, 2, 3]
    assert sender.writer.task is None


# --- memory ----------------------------------------------------------------------------------------------------------


def test_what_is_remembered_is_bounded_and_may_be_forgotten(steered, sender, alice, bob, monkeypatch):
    monkeypatch.setattr(module, "MAX_REMEMBERED", 2)
    others = [bob, *(person(steered) for _n in range(4))]
    for round_number in range(1, 4):
        for other in others:
            assert sender.send(alice, other).seq == round_number
    assert len(sender.writer.last_numbers) == len(sender.writer.conversations) == 2


def test_the_fates_that_are_open_are_bounded(steered, sender, alice, bob, monkeypatch):
    monkeypatch.setattr(module, "MAX_IN_DOUBT", 3)

    def fail(_params):
        raise Unavailable("away")
    steered.before = fail
    for _n in range(5):
        with pytest.raises(Unavailable):
            sender.send(alice, bob)
    assert len(sender.writer.in_doubt) == 3

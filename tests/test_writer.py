"""The writer: what it promises of one message, and how it commits many together. No server, threads alone."""
import threading

import pytest

from chat.conversations import writer as module
from chat.conversations.conversation import Conversation
from chat.errors import Locked, Unavailable
from chat.conversations.message import Message
from tests.databases import (PATIENCE, Post, RecordingDatabase, beside, database, draft, person,  # noqa: F401
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
def post(steered):
    return Post(steered)


@pytest.fixture
def alice(database):
    return person(database)


@pytest.fixture
def bob(database):
    return person(database)


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


def wait_for_queue(post, length):
    """Wait until so many messages are waiting for the next batch."""
    for _n in range(PATIENCE * 1000):
        if len(post.writer.queue) == length:
            return
        threading.Event().wait(0.001)
    raise AssertionError(f"{len(post.writer.queue)} wait, not {length}")


def test_it_works(steered, post, alice, bob):
    message = post.send(alice, bob, "bonjour", origin="a tab")
    assert (message.seq, message.sender_id, message.receiver_id, message.message) == (1, alice.id, bob.id, "bonjour")
    assert stored(steered, alice, bob) == [message], "what the sender is told is what is stored: id and time too"
    assert post.delivered == [(message, "a tab")]


def test_what_arrives_during_a_commit_goes_together_in_one_insert(steered, post, alice, bob):
    gate = Gate(steered)
    first = post.send_aside(alice, bob, "0")
    assert gate.reached.wait(PATIENCE)
    others = []
    for number in range(1, 8):
        others.append(post.send_aside(*((alice, bob) if number % 2 else (bob, alice)), str(number)))
        wait_for_queue(post, number)
    gate.opened.set()
    assert [aside.outcome().seq for aside in (first, *others)] == list(range(1, 9))
    assert steered.batches == [1, 7]
    assert texts(steered, alice, bob) == [str(number) for number in range(8)]
    assert wait_for(post.writer.idle, PATIENCE), "a sender is told before all are delivered"
    assert [message.seq for message, _origin in post.delivered] == list(range(1, 9))


def test_a_batch_is_bounded(steered, post, alice, bob, monkeypatch):
    monkeypatch.setattr(module, "MAX_BATCH", 3)
    gate = Gate(steered)
    asides = [post.send_aside(alice, bob, "first")]
    assert gate.reached.wait(PATIENCE)
    asides += [post.send_aside(alice, bob) for _n in range(7)]
    wait_for_queue(post, 7)
    gate.opened.set()
    assert sorted(aside.outcome().seq for aside in asides) == list(range(1, 9))
    assert steered.batches == [1, 3, 3, 1]


def test_nothing_is_delivered_before_the_commit(steered, post, alice, bob):
    gate = Gate(steered)
    aside = post.send_aside(alice, bob)
    assert gate.reached.wait(PATIENCE)
    assert not aside.thread.join(0.05) and aside.thread.is_alive(), "nor acknowledged"
    assert post.delivered == [] and stored(steered, alice, bob) == []
    gate.opened.set()
    assert aside.outcome().seq == 1
    assert len(post.delivered) == 1


# --- resends ---------------------------------------------------------------------------------------------------


def test_a_resend_gives_the_first_row_and_stores_nothing(steered, post, alice, bob):
    first = post.send(alice, bob, "one", client_id="resend")
    post.send(alice, bob, "between")
    again = post.send(alice, bob, "two", client_id="resend")
    assert again == first
    assert texts(steered, alice, bob) == ["one", "between"]
    assert [message.message for message, _origin in post.delivered] == ["one", "between"]
    assert post.send(alice, bob, "after").seq == 3, "no number is lost"


def test_a_resend_to_somebody_else_gives_the_first_row_too(steered, post, alice, bob):
    charlie = person(steered)
    first = post.send(alice, bob, "one", client_id="elsewhere")
    assert post.send(alice, charlie, "one", client_id="elsewhere") == first
    assert stored(steered, alice, charlie) == []


def test_two_people_may_use_the_same_client_id(post, alice, bob):
    assert post.send(alice, bob, "from alice", client_id="same") != post.send(bob, alice, "from bob", client_id="same")


def test_a_resend_in_the_same_batch(steered, post, alice, bob):
    gate = Gate(steered)
    asides = [post.send_aside(alice, bob, "first")]
    assert gate.reached.wait(PATIENCE)
    for number, client_id in enumerate(["twice", "other", "twice"], 1):
        asides.append(post.send_aside(alice, bob, f"text {number}", client_id))
        wait_for_queue(post, number)
    gate.opened.set()
    _first, one, other, again = [aside.outcome() for aside in asides]
    assert one == again and (one.seq, one.message, other.seq) == (2, "text 1", 3)
    assert texts(steered, alice, bob) == ["first", "text 1", "text 2"]
    assert len(post.delivered) == 3


def test_a_resend_does_not_hold_up_the_rest_of_its_batch(steered, post, alice, bob):
    first = post.send(alice, bob, "one", client_id="again")
    gate = Gate(steered)
    asides = [post.send_aside(alice, bob, "two")]
    assert gate.reached.wait(PATIENCE)
    for number, client_id in enumerate(["new", "again", "newer"], 1):
        asides.append(post.send_aside(alice, bob, client_id, client_id=client_id))
        wait_for_queue(post, number)
    gate.opened.set()
    _two, new, again, newer = [aside.outcome() for aside in asides]
    assert (again, new.seq, newer.seq) == (first, 3, 4)
    assert seqs(steered, alice, bob) == [1, 2, 3, 4]


# --- several processes -------------------------------------------------------------------------------------------


def test_another_process_was_faster(steered, post, alice, bob):
    other = Post(beside(steered))
    for number in range(1, 6):
        assert (post.send(alice, bob).seq, other.send(bob, alice).seq) == (2 * number - 1, 2 * number)
    assert seqs(steered, alice, bob) == list(range(1, 11))


def test_the_same_message_by_two_processes_at_once_is_one_row(steered, post, alice, bob):
    other = Post(beside(steered))
    gate = Gate(steered)
    late = post.send_aside(alice, bob, "by one", "both")
    assert gate.reached.wait(PATIENCE)
    first = other.send(alice, bob, "by the other", "both")
    gate.opened.set()
    assert late.outcome() == first
    assert texts(steered, alice, bob) == ["by the other"]
    assert post.delivered == [] and len(other.delivered) == 1


def test_many_threads_over_three_processes(database):
    posts = [Post(beside(database)) for _n in range(3)]
    people = [person(database) for _n in range(4)]
    pairs = [(one, other) for one in people for other in people if one != other]
    told = {(one.id, other.id): [] for one, other in pairs}

    def talk(one, other, post):
        while len(told[one.id, other.id]) < 10:
            try:
                told[one.id, other.id].append(post.send(one, other, f"{len(told[one.id, other.id])}"))
            except Unavailable:
                pass    # too many at once: tried again, as a client does
    threads = [start_thread(lambda p=pair, n=number: talk(*p, posts[n % 3])) for number, pair in enumerate(pairs)]
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    for one, other in pairs:
        both = stored(database, one, other)
        assert [message.seq for message in both] == list(range(1, 21))
        mine = [message for message in both if message.sender_id == one.id]
        assert mine == told[one.id, other.id], "each sender's own order, and what each was told"
        assert [message.message for message in mine] == [str(number) for number in range(10)]
    assert sum(len(post.delivered) for post in posts) == 10 * len(pairs)
    assert all(post.writer.idle() for post in posts)


def test_a_writer_that_is_always_too_late_says_so(steered, post, alice, bob):
    other = Post(beside(steered))
    steered.before = lambda _params: other.send(bob, alice)
    with pytest.raises(Unavailable):
        post.send(alice, bob)
    steered.before = lambda _params: None
    assert post.send(alice, bob).seq == module.MAX_NUMBERING_ATTEMPTS + 1


def test_a_conversation_that_others_are_always_faster_in_does_not_hold_up_the_rest(steered, post, alice, bob, database):
    carol, other = person(database), Post(beside(steered))
    gate = Gate(steered)
    first = post.send_aside(carol, bob, "first")
    assert gate.reached.wait(PATIENCE)
    asides = []
    for number, (sender, text) in enumerate([(alice, "overtaken"), (carol, "second")], 1):
        asides.append(post.send_aside(sender, bob, text))
        wait_for_queue(post, number)
    steered.before = lambda params: other.send(bob, alice) if "overtaken" in params else None
    gate.opened.set()
    overtaken, second = asides
    assert (first.outcome().seq, second.outcome().seq) == (1, 2)
    with pytest.raises(Unavailable):
        overtaken.outcome()


# --- failures ------------------------------------------------------------------------------------------------------


def test_a_lost_answer(steered, post, alice, bob):
    """The INSERT is committed, and nobody learns it: the resend gives the row, and only then is it delivered."""
    steered.after = failing_once(Unavailable("the answer was lost"))
    with pytest.raises(Unavailable):
        post.send(alice, bob, "one", "lost")
    assert texts(steered, alice, bob) == ["one"] and post.delivered == []
    again = post.send(alice, bob, "one", "lost", origin="a tab")
    assert post.delivered == [(again, "a tab")] and again.seq == 1
    post.send(alice, bob, "one", "lost")
    assert len(post.delivered) == 1, "delivered once"
    assert post.send(alice, bob, "two").seq == 2


def test_ids_that_only_a_look_tells(steered, post, alice, bob, monkeypatch):
    """As in a cluster. Rows that are locked at that look are stored all the same: the resend gives the row, and delivers it."""
    insert = steered.insert
    monkeypatch.setattr(steered, "insert", lambda *arguments, **options: insert(*arguments, **options) and None)
    look, failure, gate = Message.find_duplicates, failing_once(Locked("its rows are locked")), Gate(steered)
    monkeypatch.setattr(Message, "find_duplicates", lambda database, drafts: len(drafts) == 2 and failure(None) or look(database, drafts))
    first = post.send_aside(alice, bob, "first")
    assert gate.reached.wait(PATIENCE)
    asides = []
    for number, text in enumerate(["one", "two"], 1):
        asides.append(post.send_aside(alice, bob, text, text))
        wait_for_queue(post, number)
    gate.opened.set()
    assert first.outcome().seq == 1
    for aside in asides:
        with pytest.raises(Unavailable):
            aside.outcome()
    for text in ("one", "two"):
        post.send(alice, bob, text, text)
    assert [message for message, _origin in post.delivered] == stored(steered, alice, bob)


def test_a_message_after_a_lost_answer_takes_the_next_number(steered, post, alice, bob):
    steered.after = failing_once(Unavailable("the answer was lost"))
    with pytest.raises(Unavailable):
        post.send(alice, bob, "one")
    assert post.send(alice, bob, "two").seq == 2


def test_a_database_that_is_away_is_told_to_everyone_in_the_batch(steered, post, alice, bob):
    gate = Gate(steered)
    first = post.send_aside(alice, bob, "first")
    assert gate.reached.wait(PATIENCE)
    asides = [post.send_aside(alice, bob, str(number), f"away-{number}") for number in range(5)]
    wait_for_queue(post, 5)
    steered.before = failing_once(Unavailable("away"))
    gate.opened.set()
    assert first.outcome().seq == 1
    for aside in asides:
        with pytest.raises(Unavailable):
            aside.outcome()
    assert texts(steered, alice, bob) == ["first"] and len(post.delivered) == 1
    assert [post.send(alice, bob, str(number), f"away-{number}").seq for number in range(5)] == [2, 3, 4, 5, 6]
    assert len(post.delivered) == 6


def poison(error):
    """Refuse each INSERT that contains the poisoned message."""
    def refuse(params):
        if "poison" in params:
            raise error
    return refuse


@pytest.mark.parametrize("error", [ValueError("the driver cannot encode it"), Locked("its rows are locked")])
def test_a_message_that_cannot_be_stored_does_not_take_its_batch_along(steered, post, alice, bob, error):
    gate = Gate(steered)
    first = post.send_aside(alice, bob, "first")
    assert gate.reached.wait(PATIENCE)
    asides = []
    for number, text in enumerate(["good", "poison", "better"], 1):
        asides.append(post.send_aside(alice, bob, text))
        wait_for_queue(post, number)
    steered.before = poison(error)
    gate.opened.set()
    good, bad, better = asides
    assert (first.outcome().seq, good.outcome().seq, better.outcome().seq) == (1, 2, 3)
    with pytest.raises(Unavailable):
        bad.outcome()
    assert texts(steered, alice, bob) == ["first", "good", "better"]


def test_a_failure_while_the_conversation_is_opened(steered, post, alice, bob, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(steered, "transaction", lambda _statements: failing_once(Unavailable("away"))(None))
        with pytest.raises(Unavailable):
            post.send(alice, bob, "one", "opening")
    assert post.send(alice, bob, "one", "opening").seq == 1
    assert len(post.delivered) == 1


def test_a_sender_does_not_wait_for_ever(steered, post, alice, bob, monkeypatch):
    monkeypatch.setattr(module, "STORE_TIMEOUT", 0.1)
    gate = Gate(steered)
    first = post.send_aside(alice, bob, "first")
    assert gate.reached.wait(PATIENCE)
    with pytest.raises(Unavailable):
        post.send(alice, bob, "one", "slow")
    monkeypatch.undo()
    again = post.send_aside(alice, bob, "one", "slow")
    wait_for_queue(post, 2)
    gate.opened.set()
    assert (first.outcome().seq, again.outcome().seq) == (1, 2)
    assert texts(steered, alice, bob) == ["first", "one"] and len(post.delivered) == 2


def test_a_delivery_that_fails_keeps_nothing_from_the_others(steered, post, alice, bob):
    gate = Gate(steered)
    asides = [post.send_aside(alice, bob, "first")]
    assert gate.reached.wait(PATIENCE)
    asides += [post.send_aside(alice, bob) for _n in range(3)]
    wait_for_queue(post, 3)
    deliver = post.writer.deliver

    def stumble(message, origin):
        if message.seq == 2:
            raise RuntimeError("a client that nobody expected")
        deliver(message, origin)
    post.writer.deliver = stumble
    gate.opened.set()
    assert sorted(aside.outcome().seq for aside in asides) == [1, 2, 3, 4]
    post.send(alice, bob, "and the next")
    assert [message.seq for message, _origin in post.delivered] == [1, 3, 4, 5]


def test_a_writer_whose_task_could_not_start_goes_on_with_the_next_message(steered, post, alice, bob):
    start = post.writer.start_task
    post.writer.start_task = failing_once(RuntimeError("can't start new thread"))
    gate = Gate(steered)
    first = post.send_aside(alice, bob, "first")
    assert gate.reached.wait(PATIENCE)
    left = post.send_aside(alice, bob, "left")
    wait_for_queue(post, 1)
    gate.opened.set()
    assert first.outcome().seq == 1 and post.writer.idle()
    post.writer.start_task = start
    assert post.send(alice, bob, "next").seq == 3
    assert left.outcome().seq == 2


def test_who_comes_alone_is_served_without_a_task(steered, post, alice, bob):
    post.writer.start_task = failing_once(AssertionError("a task, for one message"))
    assert [post.send(alice, bob).seq for _n in range(3)] == [1, 2, 3]
    assert post.writer.task is None


# --- memory ----------------------------------------------------------------------------------------------------------


def test_what_is_remembered_is_bounded_and_may_be_forgotten(steered, post, alice, bob, monkeypatch):
    monkeypatch.setattr(module, "MAX_REMEMBERED", 2)
    others = [bob, *(person(steered) for _n in range(4))]
    for round_number in range(1, 4):
        for other in others:
            assert post.send(alice, other).seq == round_number
    assert len(post.writer.last_seqs) == len(post.writer.conversations) == 2


def test_the_fates_that_are_open_are_bounded(steered, post, alice, bob, monkeypatch):
    monkeypatch.setattr(module, "MAX_IN_DOUBT", 3)

    def fail(_params):
        raise Unavailable("away")
    steered.before = fail
    for _n in range(5):
        with pytest.raises(Unavailable):
            post.send(alice, bob)
    assert len(post.writer.in_doubt) == 3

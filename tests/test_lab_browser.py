"""The browser users of the fault-injection suite: what they write and see is noted, and browser faults lose nothing."""
import threading
import time

import pytest

from lab.browser import Browsers
from lab.conversations import DirectConversation
from lab.record import Record, room_name
from lab.page_observer import SentMessages, Row, PageObserver
from tests.people import Person
from tests.server import Server

pytestmark = pytest.mark.browser

PATIENCE_SECONDS = 20       # on a machine that does other work as well
LAST_EVENTS = 20            # shown if an awaited event does not come
HOUR = 3600                 # seconds


class Log(Record):
    """A record whose events can be awaited."""

    def __init__(self):
        super().__init__()
        self.news = threading.Condition()

    def note(self, kind, **fields):
        event = super().note(kind, **fields)
        with self.news:
            self.news.notify_all()
        return event

    def wait_until(self, is_so):
        """Wait until the function returns something true, and return that. It is called after each event."""
        until = time.monotonic() + PATIENCE_SECONDS
        with self.news:
            while not (found := is_so()):
                assert self.news.wait(until - time.monotonic()), self.events[-LAST_EVENTS:]
        return found

    def wait_for(self, kind, **fields):
        """Wait for an event with those fields; an earlier event counts too."""
        return self.wait_until(lambda: next((e for e in self.of(kind) if fields.items() <= e.items()), None))


class Room:
    """A chat with Carla at two tabs and Bert at one, on a network without WebSockets. Nobody writes on their own."""

    def __init__(self, server, record, browsers):
        self.server, self.record, self.browsers = server, record, browsers
        carla, bert = Person(server.url, "carla"), Person(server.url, "bert")
        for person in (carla, bert):
            person.register()
        self.carla = browsers.open(carla, bert, tabs=2)
        self.bert = browsers.open(bert, carla, websockets=False)

    def stored(self):
        """The stored messages, by clientId."""
        page = self.carla.person.history(self.bert.person, "?limit=200")
        return {message["clientId"]: message for message in page["messages"]}

    def write(self, browser_user, *arguments, **options):
        """Have somebody write; return the clientId. If no page accepts the message in time, on a busy machine, write again."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not (client_id := browser_user.write(*arguments, **options).result()):
            assert time.monotonic() < until
        return client_id

    def expect_sent(self, client_id):
        """Wait until its writer has seen the acknowledgement; return the stored message."""
        assert client_id
        answer = self.record.wait_for("answered", clientId=client_id)
        stored = self.stored()[client_id]
        assert (answer["outcome"], answer["message"].get("seq", stored["seq"])) == ("acknowledged", stored["seq"])
        return stored

    def expect_all_see(self, seq):
        """Wait until every tab shows the conversation up to that seq, without a gap or a repeat."""
        heads = [(browser_user, tab) for browser_user in (self.carla, self.bert) for tab in browser_user.tabs]
        self.record.wait_until(lambda: all(browser_user.last_seq(tab) >= seq for browser_user, tab in heads))
        assert all(window["run"] for window in self.record.of("window"))


class Writer:
    """Stands for a Person where there is no browser."""

    id, username = 1, "carla"


@pytest.fixture
def sent_messages():
    """One message that was typed into a page that is gone now."""
    sent_messages = SentMessages(Record(), Writer, DirectConversation(1, 2, "bert"))
    observer = PageObserver(sent_messages.record, sent_messages, "carla/1.0")
    sent_messages.typed(sent_messages.next_text(), observer)
    observer.end(draft="carla 1")
    return sent_messages


@pytest.fixture(scope="module")
def room():
    record = Log()
    with Server() as server, Browsers(record, seed=1) as browsers:
        yield Room(server, record, browsers)
    assert record.of("vanished") == []


@pytest.fixture
def carla(room):
    return room.carla


@pytest.fixture
def bert(room):
    return room.bert


def test_it_works(room, carla, bert):
    begun = len(room.record.of("written"))
    carla.rate = bert.rate = 8
    room.record.wait_until(lambda: len(room.record.of("written")) >= begun + 20)
    carla.rate = bert.rate = 0
    last = [room.write(browser_user) for browser_user in (carla, bert)]
    room.expect_all_see(max(room.expect_sent(client_id)["seq"] for client_id in last))
    written = {event["clientId"]: event["text"] for event in room.record.of("written")}
    assert written == {client_id: message["message"] for client_id, message in room.stored().items()}
    assert {event["tab"].split(".")[0] for event in room.record.of("written")} == {*carla.tabs, *bert.tabs}
    assert carla.unsent().result() == bert.unsent().result() == []


def test_two_tabs_show_the_same(room, carla):
    sent = [room.expect_sent(room.write(carla, tab)) for tab in carla.tabs * 2]
    room.expect_all_see(max(message["seq"] for message in sent))
    for tab in carla.tabs:
        seen = {(e["seq"], e["text"]) for e in room.record.of("shown") if e["tab"].startswith(f"{tab}.")}
        assert {(message["seq"], message["message"]) for message in sent} <= seen


@pytest.mark.parametrize("browser_fault", ["reload", "crash", "kill_browser"])
def test_a_saved_message_survives_a_browser_fault(room, bert, browser_fault):
    """It has never left the page, so only the outbox can send it."""
    client_id = room.write(bert, block_sending=True)
    assert client_id not in room.stored()
    assert client_id in bert.unsent().result()
    getattr(bert, browser_fault)().result()
    room.expect_sent(client_id)


@pytest.mark.parametrize("browser_fault", ["reload", "crash"])
def test_a_browser_fault_during_a_send_loses_nothing(room, bert, browser_fault):
    """A message that the page has not saved yet is in its text field again."""
    for _n in range(3):
        assert room.write(bert)             # there is a page, and the fate of every message is known
        begun = len(room.record.of("browser_fault"))
        getattr(bert, browser_fault)().result()
        text = room.record.of("browser_fault")[begun]["text"]
        fates = room.record.wait_until(
            lambda: [e for e in room.record.of("written", "lost_before_kept") if e["text"] == text])
        fate = fates[-1]
        if fate["kind"] == "written":
            assert room.expect_sent(fate["clientId"])["message"] == text
        else:
            assert fate["draft"]


def test_each_load_of_a_tab_has_its_own_name(room, bert):
    seq = room.expect_sent(room.write(bert))["seq"]
    before = [event["tab"] for event in room.record.of("opened")]
    bert.reload().result()
    opened = room.record.wait_until(lambda: room.record.of("opened")[len(before):])[0]
    assert opened["tab"] not in before and opened["tab"].startswith(f"{bert.tabs[0]}.")
    assert opened["last"] >= seq


def test_a_page_is_asked_for_until_it_comes(room, carla):
    client_id = room.write(carla, block_sending=True)
    begun = len(room.record.of("opened"))
    room.server.kill()
    carla.crash()
    room.record.wait_until(lambda: carla.last_seq() == 0)
    room.server.start()
    room.record.wait_until(lambda: [e for e in room.record.of("opened")[begun:] if e["tab"].startswith(carla.tabs[0])])
    room.expect_sent(client_id)


def test_a_page_whose_script_did_not_come_is_loaded_again(room, bert):
    begun = len(room.record.of("opened"))
    bert.evaluate("void document.querySelector('script[src]').dispatchEvent(new Event('error'))").result()
    assert "app.js did not come" in room.record.wait_for("broken", tab=bert.tabs[0])["text"]
    room.record.wait_until(lambda: room.record.of("opened")[begun:])
    room.expect_sent(room.write(bert))


def test_a_tab_on_the_login_page_comes_back(room, carla):
    """The message waited in the outbox."""
    room.expect_sent(room.write(carla))
    carla.offline(True).result()
    client_id = carla.write().result()
    begun = len(room.record.of("away"))
    carla.logs_in = False
    carla.person.log_out()
    carla.offline(False).result()
    room.record.wait_until(lambda: {e["tab"].split(".")[0] for e in room.record.of("away")[begun:]} == set(carla.tabs))
    carla.logs_in = True
    carla.person.log_in()
    room.expect_sent(client_id)
    assert room.record.of("logged_in")


def test_offline_nothing_leaves(room, bert):
    room.expect_sent(room.write(bert))
    bert.offline(True).result()
    room.record.wait_until(lambda: any("You are offline." in event["banner"] for event in room.record.of("window")))
    client_id = bert.write().result()
    assert client_id not in room.stored()
    bert.offline(False).result()
    room.expect_sent(client_id)


def test_the_clock_of_the_pages_can_be_moved(room, bert):
    bert.set_clock(-HOUR).result()
    assert bert.evaluate("Date.now()").result() / 1000 == pytest.approx(time.time() - HOUR, abs=60)
    bert.reload().result()
    assert bert.evaluate("new Date().getTime()").result() / 1000 == pytest.approx(time.time() - HOUR, abs=60)
    assert bert.evaluate("new Date('2026-01-15T00:00:00Z').toISOString()").result() == "2026-01-15T00:00:00.000Z"
    bert.set_clock(0).result()
    assert bert.evaluate("Date.now()").result() / 1000 == pytest.approx(time.time(), abs=60)


def test_without_websockets_everything_is_polled(room, carla, bert):
    sockets = "performance.getEntriesByType('resource').filter(({name}) => name.includes('transport=polling')).length"
    counts = {}
    for browser_user in (carla, bert):
        room.expect_sent(room.write(browser_user))
        before = browser_user.evaluate(sockets).result()
        room.expect_sent(room.write(browser_user))
        counts[browser_user] = browser_user.evaluate(sockets).result() - before
    assert counts[carla] == 0 < counts[bert]


def test_a_tab_can_be_closed_and_another_opened(room, carla):
    name = carla.open_tab().result()
    room.expect_all_see(room.expect_sent(room.write(carla, name))["seq"])
    carla.close_tab(name).result()
    assert name not in carla.tabs
    room.expect_sent(room.write(carla))


def test_a_tab_in_a_room_shows_it_while_its_person_is_a_member(room, carla):
    """It writes there too. What happens to the members stands in the list, with a number of its own."""
    owner, dirk = carla.person, Person(room.server.url, "dirk")
    dirk.register()
    room_id = owner.make_room("physics", dirk)
    dirk = room.browsers.open(dirk, owner, rooms=[room_id])
    tab = dirk.tabs[1]

    def say(client_id):
        return owner.ask(f"/conversations/{room_id}/messages", clientId=client_id, message="said").json()["seq"]

    def expect_shown(seq):
        room.record.wait_until(lambda: dirk.last_seq(tab) >= seq)
    room.write(dirk, tab)
    expect_shown(say("to-both"))
    assert room.record.wait_for("written", conversation=room_name(room_id))["text"] == f"dirk in {room_name(room_id)} 1"
    assert owner.ask(f"/rooms/{room_id}/members/dirk/remove").status_code == 200
    room.record.wait_until(lambda: not dirk.last_seq(tab))
    without_him = say("without-him")
    asked_at = time.monotonic()
    assert owner.ask(f"/rooms/{room_id}/members", username="dirk").status_code == 200
    heard = room.record.wait_for("heard", sender=owner.id, clientId="without-him")
    assert heard["t"] > asked_at and heard["tab"].startswith(f"{tab}.") and heard["conversation"] == room_name(room_id)
    expect_shown(max(without_him, say("to-both-again")))
    assert all(window["run"] for window in room.record.of("window"))


def fates(sent_messages):
    """What was noted, as (kind, text or outcome)."""
    return [(event["kind"], event.get("outcome") or event["text"]) for event in sent_messages.record.events]


def test_what_the_outbox_has_was_written(sent_messages):
    assert sent_messages.has_unconfirmed("carla/1") and not sent_messages.has_unconfirmed("carla/11")
    assert sent_messages.find_missing([{"message": "carla 1", "clientId": "a"}], set()) == set()
    assert fates(sent_messages) == [("written", "carla 1")]
    assert not sent_messages.has_unconfirmed("carla/1")


def test_what_is_nowhere_twice_running_is_lost(sent_messages):
    assert sent_messages.find_missing([], set()) == set()
    sent_messages.mark_lost(sent_messages.find_missing([], set()), [], "carla/1.1")
    assert fates(sent_messages) == [("lost_before_kept", "carla 1")]
    assert sent_messages.record.events[0]["draft"]
    sent_messages.on_shown(Row(7, "a", True, "sent", "carla 1"), "carla/1.1")      # it was stored after all
    assert fates(sent_messages)[1:] == [("written", "carla 1"), ("answered", "acknowledged")]
    assert sent_messages.record.events[1]["late"]


def test_what_the_server_has_is_not_lost(sent_messages):
    sent_messages.find_missing([], set())
    sent_messages.mark_lost(sent_messages.find_missing([], set()), [[7, "a", "carla 1"]], "carla/1.1")
    assert fates(sent_messages) == [("written", "carla 1"), ("answered", "acknowledged")]


def test_what_was_written_and_is_nowhere_has_vanished(sent_messages, monkeypatch):
    sent_messages.accepted("carla 1", "a")
    assert sent_messages.find_missing([], set()) == sent_messages.find_missing([], set()) == set()        # it may still be under way
    monkeypatch.setattr("lab.page_observer.MIN_AGE_SECONDS", 0)
    assert sent_messages.find_missing([], {"a"}) == sent_messages.find_missing([], set()) == set()
    sent_messages.mark_lost(sent_messages.find_missing([], set()), [], "carla/1.1")
    assert fates(sent_messages) == [("written", "carla 1"), ("vanished", "carla 1")]
    assert sent_messages.find_missing([], set()) == set()


def test_a_refusal_is_an_end(sent_messages):
    sent_messages.accepted("carla 1", "a")
    sent_messages.on_shown(Row(None, "a", True, "pending", "carla 1"), "carla/1.1")
    sent_messages.on_shown(Row(None, "a", True, "failed", "carla 1", "Not sent: too long"), "carla/1.1")
    assert fates(sent_messages) == [("written", "carla 1"), ("answered", "refused")]
    assert sent_messages.record.events[1]["text"] == "Not sent: too long"
    assert not sent_messages.unanswered

"""The claims of docs/scale.md on presence and fan-out, each checked by a seeded simulation."""
import pytest

from bench.simulation import fan_out, frame_bytes, presence_bytes

HERE, AWAY = 1800, 1800     # seconds: half of the people are online, and each of them changes once in half an hour
SECONDS = 120


def test_it_is_repeatable():
    assert presence_bytes(200, HERE, AWAY, SECONDS, 1) == presence_bytes(200, HERE, AWAY, SECONDS, 1) > 0
    assert fan_out(3, 50, 500, 2, 1) == fan_out(3, 50, 500, 2, 1) != fan_out(3, 50, 500, 2, 2)


def test_a_frame_is_as_long_as_what_is_sent():
    sent = '42["updateOnlineUsers",{"snapshot":false,"online":[7,12],"offline":[3]}]'
    assert frame_bytes({12, 7}, {3}) == len(sent)
    assert frame_bytes(set(), set()) == 0


def test_what_each_receives_of_presence_grows_with_the_people():
    """So what all of them receive grows with the square of their number: the first thing that reaches its limit."""
    envelope = frame_bytes({1}, set()) - len("1")       # sent once a second, with any number of changes
    few, many = (presence_bytes(people, HERE, AWAY, SECONDS, 1) - envelope for people in (20_000, 80_000))
    assert 3.6 < many / few < 4.4


def test_changes_within_a_second_share_a_frame():
    """At 40,000 people there are 22 changes per second; a frame for each would cost six times as much."""
    changes_a_second = 40_000 / HERE
    alone = changes_a_second * frame_bytes({12345}, set())
    assert presence_bytes(40_000, HERE, AWAY, SECONDS, 1) < alone / 6


def test_who_watches_a_page_of_people_receives_the_same_among_any_number():
    few, many = (presence_bytes(people, HERE, AWAY, 1200, 1, watched=50) for people in (1_000, 16_000))
    assert many == pytest.approx(few, rel=0.25)
    assert many < presence_bytes(16_000, HERE, AWAY, SECONDS, 1) / 10


@pytest.mark.parametrize("is_broadcast", [False, True])
@pytest.mark.parametrize("processes", [1, 2, 4, 16])
def test_every_message_is_delivered_to_every_tab_once(processes, is_broadcast):
    outcome = fan_out(processes, 1_000, 5_000, 2, processes, is_broadcast)
    assert outcome.stored.total() == 5_000
    assert outcome.delivered.total() == 5_000 * 3, "both of the receiver's tabs and the sender's other one"


@pytest.mark.parametrize("processes", [1, 2, 4, 16])
def test_a_message_is_heard_at_most_once_and_only_where_it_is_delivered(processes):
    """With n processes, one pair in n is at the same process; then no other process receives the message."""
    outcome = fan_out(processes, people=1_000, messages=5_000, tabs=2, seed=processes)
    assert outcome.received.total() == pytest.approx(5_000 * (1 - 1 / processes), rel=0.02)
    assert all(outcome.delivered[process] >= 2 * received for process, received in outcome.received.items()), "both of the receiver's tabs are there"
    assert fan_out(processes, 1_000, 5_000, 2, processes, is_broadcast=True).received.total() == 5_000 * (processes - 1)


COSTS = {"store_us": 100, "receive_us": 15, "deliver_us": 20}


def test_more_processes_do_more():
    """A process pays for what its own people write and receive, and the busiest of 64 not much more than its share."""
    needed = [fan_out(n, 20_000, 20_000, 1, 1).busiest_us(**COSTS) for n in (1, 4, 16, 64)]
    assert needed[0] / needed[1] > 3.5 and needed[2] / needed[3] > 3
    assert needed[3] < COSTS["receive_us"] / 5, "far below what hearing everything would cost alone"


def test_hearing_everything_would_bound_it():
    """If every process receives all messages, the costs approach those of receiving: 1 / receive_us, with any number of processes."""
    needed = [fan_out(n, 20_000, 20_000, 1, 1, is_broadcast=True).busiest_us(**COSTS) for n in (1, 4, 16, 64)]
    assert needed == sorted(needed, reverse=True), "each step still brings something"
    assert 2.5 < needed[0] / needed[1] < 3.5 and needed[2] / needed[3] < 2
    assert needed[3] > COSTS["receive_us"]

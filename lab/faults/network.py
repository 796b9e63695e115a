"""The network is cut, resets connections, loses packets or repeats a request; or a client never reads."""
import threading
import time
import uuid

from tests.waiting import wait_for

from .. import namespace
from ..slow_consumer import SlowConsumer
from .registry import TIMES_SLOW, fault

CUT_SECONDS, LONG_CUT_SECONDS = 10, 60
LOSS_SECONDS, LOSS_PERCENT = 10, 30
BURST = 50                  # messages at once over long polling
WAIT_SECONDS = 5


def cut(environment, seconds):
    for proxy in environment.proxies.values():
        proxy.cut()
    time.sleep(seconds)
    for proxy in environment.proxies.values():
        proxy.heal()


@fault("network cut 10 s")
def cut_short(environment):
    cut(environment, CUT_SECONDS)


@fault("network cut 60 s", times=TIMES_SLOW)
def cut_long(environment):
    cut(environment, LONG_CUT_SECONDS)


@fault("connections reset")
def reset(environment):
    environment.write_at_each_tab()
    for proxy in environment.proxies.values():
        proxy.reset()


@fault("30 % of packets lost", needs=lambda environment: namespace.loss_possible())
def lossy(environment):
    loss = namespace.Loss([proxy.port for proxy in environment.proxies.values()], LOSS_PERCENT)
    loss.begin()
    time.sleep(LOSS_SECONDS)
    loss.end()


@fault("the same POST twice at once")
def repeated(environment):
    """The proxy repeats the POST of a form. Then the same JSON is sent over two connections at the same time."""
    eva = environment.log_in("eva")
    happened = environment.proxies["eva"].repeat(b"POST /messages/")
    post(environment, eva, "repeated by the proxy", uuid.uuid4().hex)
    happened.wait(WAIT_SECONDS)
    client_id = uuid.uuid4().hex
    twins = [threading.Thread(target=post, args=(environment, twin, "sent twice", client_id)) for twin in (eva, environment.log_in("eva"))]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    eva.log_out()


def post(environment, sender, text, client_id):
    """Send a message to Anna over HTTP."""
    anna, tab = environment.accounts["anna"], f"form {client_id[:6]}"
    environment.note_written(sender, anna, text, client_id, tab)
    answer = sender.send(anna, text, client_id)
    if answer.status_code == 201:
        environment.note_acknowledged(sender, answer.json(), tab)


@fault("a burst of 50 over polling")
def burst(environment):
    for n in range(BURST):
        environment.bert.write(environment.accounts["anna"].id, f"burst {n} {uuid.uuid4().hex[:6]}")
    wait_for(lambda: not environment.bert.pending_count(), WAIT_SECONDS)


@fault("a client that never reads")
def slow_consumer(environment):
    """The server must disconnect it, and it must not use memory or delay others."""
    with SlowConsumer(environment.log_in("bert"), environment.server.url) as listener:
        before = environment.footprint()["memory"]
        listener.flood(environment)
        cost = environment.footprint()["memory"] - before
        environment.record.note("slow_consumer", cost=cost, dropped=listener.wait_until_disconnected())

"""The network is cut, resets, loses packets, or brings something twice; or a client never reads."""
import threading
import time
import uuid

from .. import namespace
from ..deaf import Deaf
from .registry import SELDOM, fault

CUT_SECONDS, LONG_CUT_SECONDS = 10, 60
LOSS_SECONDS, LOSS_PERCENT = 10, 30
BURST = 50                  # messages at once over polling
WAIT_SECONDS = 5


def cut(world, seconds):
    for proxy in world.proxies.values():
        proxy.cut()
    time.sleep(seconds)
    for proxy in world.proxies.values():
        proxy.heal()


@fault("network cut 10 s")
def cut_short(world):
    cut(world, CUT_SECONDS)


@fault("network cut 60 s", times=SELDOM)
def cut_long(world):
    cut(world, LONG_CUT_SECONDS)


@fault("connections reset")
def reset(world):
    for tab in world.tabs:
        tab.write(world.dice.choice(list(tab.peers)))
    for proxy in world.proxies.values():
        proxy.reset()


@fault("30 % of packets lost", needs=lambda world: namespace.loss_possible())
def lossy(world):
    loss = namespace.Loss([proxy.port for proxy in world.proxies.values()], LOSS_PERCENT)
    loss.begin()
    time.sleep(LOSS_SECONDS)
    loss.end()


@fault("the same POST twice at once")
def repeated(world):
    """The proxy repeats a form's POST; and the same JSON goes by two connections at the same time."""
    eva = world.guest("eva")
    happened = world.proxies["eva"].repeat(b"POST /messages/")
    post(world, eva, "repeated by the proxy", uuid.uuid4().hex)
    happened.wait(WAIT_SECONDS)
    client_id = uuid.uuid4().hex
    twins = [threading.Thread(target=post, args=(world, twin, "sent twice", client_id)) for twin in (eva, world.guest("eva"))]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    eva.log_out()


def post(world, sender, text, client_id):
    """Send a message to Anna without a socket."""
    anna, tab = world.accounts["anna"], f"form {client_id[:6]}"
    world.note_written(sender, anna, text, client_id, tab)
    answer = sender.send(anna, text, client_id)
    if answer.status_code == 201:
        world.note_acknowledged(sender, answer.json(), tab)


@fault("a burst of 50 over polling")
def burst(world):
    for n in range(BURST):
        world.bert.write(world.accounts["anna"].id, f"burst {n} {uuid.uuid4().hex[:6]}")
    until = time.monotonic() + WAIT_SECONDS
    while world.bert.waiting() and time.monotonic() < until:
        time.sleep(0.02)


@fault("a client that never reads")
def deaf(world):
    """It is dropped, and costs neither memory nor anybody else's time."""
    with Deaf(world.guest("bert"), world.server.url) as listener:
        before = world.footprint()["memory"]
        listener.flood(world)
        cost = world.footprint()["memory"] - before
        world.record.note("deaf", cost=cost, dropped=listener.wait_until_dropped())

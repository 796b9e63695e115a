"""A session ends while its tabs are connected: its key is deleted, or the person logs out elsewhere."""
import time
import uuid

from .registry import fault

CLOSED_SECONDS = 2          # after which nothing is delivered or stored any more
LOOK_SECONDS = 1.5          # how long one watches after that
STEP_SECONDS = 0.05


@fault("session deleted while connected")
def session_deleted(world):
    """The tab is closed within two seconds; after the login its outbox goes on."""
    tab = world.dice.choice(world.tabs)
    for _n in range(3):
        tab.write(world.dice.choice(list(tab.peers)))
    lost = tab.lost
    delete_session(world, tab.person)
    if not lost.wait(CLOSED_SECONDS + 0.5):
        world.record.note("breach", promise="P8", text=f"{tab.name} was still connected {CLOSED_SECONDS} s after its session")


def delete_session(world, person):
    session_id = next(cookie.value for cookie in person.http.cookies if cookie.name == "session")
    if world.redis:
        with world.redis.connect() as client:
            client.delete(f"session:{session_id}")
    else:
        from chat.storage.session_stores import FileSessions
        FileSessions(world.disk / "instance" / "sessions").delete(session_id)


@fault("logout elsewhere while sending")
def logout(world):
    """Eva's tab goes on sending, and Anna goes on writing to it, after Eva logged out over HTTP."""
    anna, eva = world.accounts["anna"], world.accounts["eva"]
    tab = world.sit_scripted("eva/" + str(world.count("eva")), [anna], lapses=())
    tab.logs_in = False
    tab.connected.wait(5)
    tab.write(anna.id)
    time.sleep(0.2)
    tab.person.log_out()
    world.record.note("logged_out", tab=tab.name, person=eva.id)
    until = time.monotonic() + CLOSED_SECONDS + LOOK_SECONDS
    while time.monotonic() < until:
        tab.write(anna.id)
        send(world, world.anna, eva)
        time.sleep(STEP_SECONDS)
    tab.close()


def send(world, tab, receiver):
    """Send somebody a message past the outbox, from a tab that has no conversation with them."""
    client_id = uuid.uuid4().hex
    world.note_written(tab.person, receiver, "to whom has left", client_id, tab.name)
    answer = tab.ask("sendMessage", {"clientId": client_id, "receiverId": receiver.id, "message": "to whom has left"})
    if answer and answer["ok"]:
        world.note_acknowledged(tab.person, answer["message"], tab.name)

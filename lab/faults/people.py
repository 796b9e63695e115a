"""A session ends while its tabs are connected: it is deleted from the store, or the person logs out elsewhere."""
import time
import uuid

from .registry import fault

CLOSED_SECONDS = 2          # after which nothing may be delivered or stored
WATCH_SECONDS = 1.5         # how long this is watched
STEP_SECONDS = 0.05


@fault("session deleted while connected")
def session_deleted(environment):
    """The tab must be closed within two seconds. After a new login its outbox continues."""
    tab = environment.rng.choice(environment.tabs)
    for _n in range(3):
        tab.write(environment.rng.choice(list(tab.peers)))
    lost = tab.disconnected
    delete_session(environment, tab.person)
    if not lost.wait(CLOSED_SECONDS + 0.5):
        environment.note_violation("P8", f"{tab.name} was still connected {CLOSED_SECONDS} s after its session")


def delete_session(environment, person):
    session_id = next(cookie.value for cookie in person.http.cookies if cookie.name == "session")
    if environment.redis:
        with environment.redis.connect() as client:
            client.delete(f"session:{session_id}")
    else:
        from chat.storage.session_stores import FileSessions
        FileSessions(environment.disk / "instance" / "sessions").delete(session_id)


@fault("logout elsewhere while sending")
def logout(environment):
    """Eva logs out over HTTP. Her tab goes on sending, and Anna goes on writing to it."""
    anna, eva = environment.accounts["anna"], environment.accounts["eva"]
    tab = environment.open_scripted_tab("eva/" + str(environment.count("eva")), [anna], omissions=())
    tab.logs_in = False
    tab.connected.wait(5)
    tab.write(anna.id)
    time.sleep(0.2)
    tab.person.log_out()
    environment.record.note("logged_out", tab=tab.name, person=eva.id)
    until = time.monotonic() + CLOSED_SECONDS + WATCH_SECONDS
    while time.monotonic() < until:
        tab.write(anna.id)
        send(environment, environment.anna, eva)
        time.sleep(STEP_SECONDS)
    tab.close()


def send(environment, tab, receiver):
    """Send a message without the outbox, from a tab that has no conversation with the receiver."""
    client_id = uuid.uuid4().hex
    environment.note_written(tab.person, receiver, "to whom has left", client_id, tab.name)
    answer = tab.call("sendMessage", {"clientId": client_id, "receiverId": receiver.id, "message": "to whom has left"})
    if answer and answer["ok"]:
        environment.note_acknowledged(tab.person, answer["message"], tab.name)

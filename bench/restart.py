"""A rolling restart while people write: how long each was disconnected, and what became of the messages."""
import contextlib
import signal
import time

from .load import Load, LoadError

PROCESSES = 3                           # in the cluster that is restarted
PEOPLE, RATE = 500, 200                 # people, messages per second of all of them
BEFORE_SECONDS, AFTER_SECONDS = 2, 2    # of load before and after the restart
SETTLE_SECONDS = 30                     # for everything to be acknowledged


def rolling(subject, scope):
    """Restart the processes one after the other. Return the messages lost, doubled and out of order, and the longest disconnection."""
    people = subject.people(min(PEOPLE, scope.many))
    with Load() as load:
        load("connect", url=subject.url, who=people, kind="reconnecting")
        load("write", rate=RATE)
        time.sleep(BEFORE_SECONDS)
        begun = time.monotonic()
        subject.server.process.send_signal(signal.SIGHUP)
        for n in range(1, subject.processes + 1):
            subject.server.line_with(f"process {n} is restarted")
        seconds = time.monotonic() - begun
        time.sleep(AFTER_SECONDS)
        load("stopWriting")
        tally = _settled(load)
        load("leave")
    return {"messages": tally["written"], "breaks": tally["breaks"], "longest_break_s": tally["longestBreak"] / 1000,
            "restart_s": seconds, "messages_s": tally["written"] / tally["seconds"], **_kept(subject, tally)}


def _settled(load):
    until = time.monotonic() + SETTLE_SECONDS
    while (tally := load("tally"))["pending"]:
        if tally["refused"] or time.monotonic() > until:
            raise LoadError(f"{tally['pending']} messages have no answer; refused: {tally['refused']}")
        time.sleep(0.1)
    return tally


def _kept(subject, tally):
    """Compare the acknowledged messages with the stored ones."""
    with contextlib.closing(subject.services.mariadb.connect(database=subject.database_name)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT client_id, conversation_id, seq, sender_id FROM messages WHERE client_id LIKE %s"
                           " ORDER BY conversation_id, seq", (tally["run"] + "-%",))
            rows = cursor.fetchall()
            cursor.execute("SELECT COUNT(*) FROM (SELECT conversation_id, COUNT(*) AS n, MAX(seq) AS last_seq FROM messages"
                           " GROUP BY conversation_id HAVING n <> last_seq) gaps")
            gaps = cursor.fetchone()[0]
    stored = [client_id for client_id, *_rest in rows]
    latest, disordered = {}, 0
    for client_id, conversation, _seq, sender in rows:
        number = int(client_id.partition("-")[2])
        disordered += number < latest.get((conversation, sender), 0)
        latest[conversation, sender] = number
    return {"lost": len(set(tally["acknowledged"]) - set(stored)), "doubled": len(stored) - len(set(stored)),
            "out_of_order": disordered + gaps}

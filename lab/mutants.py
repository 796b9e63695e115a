"""Mutants: the chat or its client without the mechanism behind one invariant. The checkers must notice each of them."""
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """`server` names a change of the server, `omissions` what the scripted tabs leave out; `fault` makes the difference visible."""

    name: str
    invariant: str
    fault: str
    mode: str = "embedded"
    server: str = ""
    omissions: tuple = ()
    needs_clock: bool = False       # the wall clock must be moved, which not every machine can


MUTANTS = [
    Mutant("acknowledges before COMMIT", "P1", "killed before COMMIT", server="acknowledge_early"),
    Mutant("no unique key of (sender, clientId)", "P2", "killed before the answer", server="no_unique_key"),
    Mutant("a cursor over id", "P4", "a late COMMIT of another process", mode="server", omissions=("cursor",)),
    Mutant("no heartbeat", "P4", "a push lost", omissions=("heartbeat",)),
    Mutant("no fetch of gaps", "P4", "connections reset", omissions=("gaps",)),
    Mutant("shows as sent what was not answered", "P1", "killed before COMMIT", omissions=("patience",)),
    Mutant("sessions are not watched", "P8", "session deleted while connected", server="blind_watch"),
    Mutant("stores what it refuses", "P5", "killed before COMMIT", server="store_refused"),
    Mutant("who left a room still hears it", "P13", "removed from a room in which others write", server="leaves_nothing"),
    Mutant("a removal whose answer was lost is forgotten", "P13", "the answer to a removal is lost", mode="server", server="settles_nothing"),
    # A heartbeat would fetch what is missing before the run ends.
    Mutant("a newcomer does not hear the room", "P13", "joins a room in which others write", server="enters_nothing", omissions=("heartbeat",)),
    Mutant("unread messages of one sender", "P13", "joins a room in which others write", server="unread_by_sender"),
    Mutant("a change is pushed before its COMMIT", "P11", "killed before COMMIT of a change", server="push_change_early"),
    Mutant("the payload of a change is a diff", "P11", "deleted while it is answered and changed", server="diff_payload"),
    Mutant("changes are caught up by time", "P11", "changes while somebody is away and the clock is set back", server="changed_after_time",
           needs_clock=True),
    Mutant("no fetch of changes that are missing", "P11", "250 changes while somebody is away", omissions=("change gaps",)),
    Mutant("no unique key of (actor, clientId)", "P11", "killed before the answer to a change", server="change_counts_twice"),
    Mutant("a resend of a change is refused", "P11", "killed before the answer to a change", server="forgets_changes"),
    Mutant("two changes of one number", "P11", "killed after COMMIT of a change", server="no_unique_number"),
    Mutant("a deleted text stays in its row", "P12", "deleted while it is answered and changed", server="keeps_deleted_text"),
    Mutant("a deleted text stays in a quote", "P12", "deleted while it is answered and changed", server="quotes_deleted_text"),
    Mutant("a quote is what it was when it was written", "P12", "deleted while an answer to it is being stored", server="quotes_early"),
    Mutant("a pin survives its message", "P12", "deleted while it is answered and changed", server="keeps_pins"),
    # A heartbeat would fetch what is missing.
    Mutant("changes of other processes are not caught up", "P11", "changed by another process while Redis is not heard", mode="server",
           server="no_cursor_over_changes", omissions=("heartbeat",)),
    Mutant("a file is known before its content is kept", "P14", "killed before the answer to an upload", server="row_before_content"),
    Mutant("an upload that is sent again is another file", "P14", "killed before the answer to an upload", server="upload_counts_twice"),
    Mutant("an upload goes on one byte before its end", "P14", "an upload cut by the network", server="goes_on_one_byte_before"),
    Mutant("a content goes though another file has it", "P14", "deleted while the same file is sent again", server="removes_what_others_hold"),
    Mutant("a deleted message keeps its files", "P14", "deleted while the same file is sent again", server="keeps_files_of_deleted"),
    Mutant("presence without an end of leases", "P6", "killed while somebody leaves", mode="server", server="endless_lease"),
]


def install_in_server(name):
    """Apply a mutant to the server that is about to start; an empty name changes nothing."""
    if name:
        from . import change_mutants, file_mutants
        (globals().get(name) or getattr(change_mutants, name, None) or getattr(file_mutants, name))()


def acknowledge_early():
    from chat.conversations.batch_writer import Pending
    from chat.conversations.writer import Writer

    def store(self, draft, sender_sid=None):
        with self.lock:
            self.queue.append(Pending(draft, sender_sid, self.new_event()))
            nobody_commits, self.committing = not self.committing, True
        if nobody_commits:
            self._release()
        return draft
    Writer.store = store


def change_schema(change):
    """Let the server start with another schema."""
    from chat.storage import database
    file = Path(tempfile.mkdtemp()) / "schema.sql"
    file.write_text(change(database.SCHEMA.read_text(encoding="utf-8")), encoding="utf-8")
    database.SCHEMA = file


def no_unique_key():
    change_schema(lambda schema: schema.replace("    UNIQUE (conversation_id, seq),\n    UNIQUE (sender_id, client_id)\n",
                                                "    UNIQUE (conversation_id, seq)\n"))


def blind_watch():
    from chat.storage.session_stores import FileSessions, RedisSessions
    FileSessions.ended = RedisSessions.ended = lambda self, session_ids: set()


def store_refused():
    from chat.errors import Invalid
    from chat.conversations.messaging import Messaging
    send = Messaging.send

    def refuse(self, *arguments, **options):
        send(self, *arguments, **options)
        raise Invalid("No.")
    Messaging.send = refuse


def leaves_nothing():
    from chat.live.connections import Connections
    Connections.leave_room = lambda self, user_id, room_id: None


def settles_nothing():
    from chat.conversations.rooms import Rooms
    Rooms._settle_later = lambda self, *_change: None


def enters_nothing():
    from chat.live.connections import Connections
    Connections.enter_room = lambda self, user_id, room_id: None


def unread_by_sender():
    """Counts what the sender of the last message wrote, as in a conversation of two."""
    from chat.conversations import room_list
    count = room_list._unread

    def of_last_sender(database, user_id, rows):
        counts = count(database, user_id, rows)
        for row in rows:
            found = database.query("SELECT COUNT(*) AS unread FROM messages WHERE conversation_id = %s AND seq > %s AND sender_id = %s"
                                   " AND kind = 'text'", (row["id"], row["read_seq"], row["sender_id"]))
            counts[row["id"]] = found[0]["unread"], counts[row["id"]][1]
        return counts
    room_list._unread = of_last_sender


def endless_lease():
    from chat.live import presence
    presence.LEASE_SECONDS = 1_000_000


# --- without a guard against attackers: `prove --hostile --mutant NAME` must then fail

def no_packet_budget():
    from chat.live.transports import Transport
    Transport.take_token = lambda self: True


def sid_is_a_key():
    from chat.live.guard import Guard
    Guard._answer_other_session = lambda self, environ, start_response: self.application(environ, start_response)


def no_deadlines():
    from chat.live.deadlines import Deadlines
    Deadlines.sweep = lambda self: None


def endless_guessing():
    from chat.accounts.auth_controller import AuthController
    AuthController._login_limits = staticmethod(lambda username, device_id: [])


def entries_stay():
    from chat.live.transports import Transports
    Transports._remove_leftovers = lambda self, eio_sid: None
    Transports.closed = lambda self, eio_sid, reason: self.server._handle_eio_disconnect(eio_sid, reason)


# --- defects that the fuzzer must find: `manage.py fuzz` with LAB_MUTANT=NAME in the environment

def handler_error():
    """An event handler that fails on a field of another type."""
    from chat.live import events
    require_int = events.require_int
    events.require_int = lambda value, name: require_int(value + 0, name)


def slow_refusal():
    """A refusal that uses the processor for half a second."""
    from chat.live import events, sockets
    from chat.live.runtime import Runtime
    require_fields, sleep = events.require_fields, Runtime(os.environ["ASYNC_MODE"]).thread_sleep

    def slow(payload, *names, **options):
        if not isinstance(payload, dict):
            sleep(0.5)
        return require_fields(payload, *names, **options)
    events.require_fields = sockets.require_fields = slow


def leaked_session():
    """The entry of a transport stays after its client has disconnected."""
    from chat.live.transports import Transports
    closed = Transports.closed

    def forgetful(self, eio_sid, reason):
        closed(self, eio_sid, reason)
        if reason == "client disconnect":
            self.guard.sessions[eio_sid] = None
    Transports.closed = forgetful


def fatal_packet():
    """A packet that ends the process."""
    from chat.live.packets import TextPacket
    decode = TextPacket.decode

    def fatal(self, encoded_packet):
        if encoded_packet[:1] in tuple("3456"):      # no client of the chat sends these: acknowledgements, errors, binary packets
            os._exit(3)
        return decode(self, encoded_packet)
    TextPacket.decode = fatal


def closes_everybody():
    """A refused packet that closes everybody's connections."""
    from chat.live.transports import Transports
    close = Transports.close

    def close_all(self, eio_sid):
        for sid in list(self.opened):
            close(self, sid)
    Transports.close = close_all

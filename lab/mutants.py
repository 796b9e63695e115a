"""What a checker must catch: the chat, or its client, with one promise's mechanism taken out."""
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """`server` names a change to the server, `lapses` what the scripted tabs leave out; `fault` brings it to light."""

    name: str
    promise: str
    fault: str
    mode: str = "embedded"
    server: str = ""
    lapses: tuple = ()


MUTANTS = [
    Mutant("acknowledges before COMMIT", "P1", "killed before COMMIT", server="acknowledge_early"),
    Mutant("no unique key of (sender, clientId)", "P2", "killed before the answer", server="no_unique_key"),
    Mutant("a cursor over id", "P4", "a COMMIT beside ours, late", mode="server", lapses=("cursor",)),
    Mutant("no heartbeat", "P4", "a push lost", lapses=("heartbeat",)),
    Mutant("no fetch of gaps", "P4", "connections reset", lapses=("gaps",)),
    Mutant("shows as sent what was not answered", "P1", "killed before COMMIT", lapses=("patience",)),
    Mutant("sessions are not watched", "P8", "session deleted while connected", server="blind_watch"),
    Mutant("stores what it refuses", "P5", "killed before COMMIT", server="store_refused"),
    Mutant("presence without an end of leases", "P6", "killed while somebody leaves", mode="server", server="endless_lease"),
]


def install_in_server(name):
    """Take a mechanism out of the server that is about to start; an empty name leaves it whole."""
    if name:
        globals()[name]()


def acknowledge_early():
    from chat.conversations.writer import PendingMessage, Writer

    def store(self, draft, sender_sid=None):
        with self.lock:
            self.queue.append(PendingMessage(draft, sender_sid, self.new_event()))
            nobody_commits, self.committing = not self.committing, True
        if nobody_commits:
            self._release()
        return draft
    Writer.store = store


def no_unique_key():
    from chat.storage import database
    schema = database.SCHEMA.read_text(encoding="utf-8").replace("    UNIQUE (conversation_id, seq),\n    UNIQUE (sender_id, client_id)\n",
                                                                 "    UNIQUE (conversation_id, seq)\n")
    file = Path(tempfile.mkdtemp()) / "schema.sql"
    file.write_text(schema, encoding="utf-8")
    database.SCHEMA = file


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


def endless_lease():
    from chat.live import presence
    presence.LEASE_SECONDS = 1_000_000


# --- guards against attackers: `prove --hostile --mutant NAME` shows that their rows turn red

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
    AuthController._hit_login_limits = lambda self, username, device_id: (0, lambda: None)


def entries_stay():
    from chat.live.transports import Transports
    Transports._forget = lambda self, eio_sid: None
    Transports.closed = lambda self, eio_sid, reason: self.server._handle_eio_disconnect(eio_sid, reason)

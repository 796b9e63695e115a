"""What every run has: the chat with its database, the accounts of the people, and the tabs at which they write."""
import contextlib
import time
from pathlib import Path

from tests.services import MariaDB, Redis
from tests.waiting import wait_for

from .server import SECRET_KEY
from .store import mariadb_store, sqlite_store

SETTLE_SECONDS = 30         # for every message to be acknowledged or refused
PATIENCE_SECONDS = 60       # longest wait for every tab to catch up; longer is a violation
POLL_SECONDS = 0.05


class Environment(contextlib.ExitStack):
    """A context manager. A subclass starts the server and opens the tabs in `set_up`."""

    def __init__(self, mode, rng, record, directory):
        super().__init__()
        self.mode, self.rng, self.record, self.directory = mode, rng, record, Path(directory)
        self.mariadb = self.redis = None
        self.tabs = []              # scripted tabs
        self.browser_users = {}     # name -> BrowserUser; empty in a run without real browsers
        self.accounts = {}          # name -> Person
        self.rooms = []             # the ids of the rooms that people may join
        self.speed = 0              # messages per second of all scripted tabs together

    def __enter__(self):
        super().__enter__()
        with contextlib.ExitStack() as undo:        # if the set-up fails, end what it has started
            undo.push(self)
            self.set_up()
            undo.pop_all()
        return self

    def use_sqlite(self, instance):
        """Store everything in that instance folder; return the server's settings."""
        self.store = sqlite_store(instance)
        return {"INSTANCE_PATH": str(instance)}

    def use_mariadb_and_redis(self, parent=None):
        """Start both, MariaDB with its data in the folder `parent`; return the server's settings."""
        self.mariadb, self.redis = self.enter_context(MariaDB(parent)), self.enter_context(Redis())
        self.store = mariadb_store(self.mariadb)
        return {"DATABASE_URL": self.mariadb.url, "REDIS_URL": self.redis.url, "SECRET_KEY": SECRET_KEY}

    def start(self, server):
        """Start the server; it ends with this environment."""
        self.server = server
        self.callback(server.__exit__)
        server.start()

    def kept_contents(self):
        """Return the names of what the folder of files holds: each is the SHA-256 of its content."""
        return {path.name for path in Path(self.server.settings["INSTANCE_PATH"]).glob("files/**/*")} if "INSTANCE_PATH" in self.server.settings else set()

    def register(self, person):
        """Give a person an account, and return the person."""
        person.register()
        person.id       # noqa: B018 - read now, because later the server may be down
        return person

    # --- what is not done yet

    def pending_count(self):
        """Return how many messages and changes were neither acknowledged nor refused yet."""
        return (sum(tab.pending_count() for tab in self.tabs)
                + sum(len(user.unsent().result(PATIENCE_SECONDS)) + user.unanswered_count for user in self.browser_users.values()))

    def lagging(self, last_seqs, last_changes, members, since):
        """Return, in words, the tabs that do not show the last seqs and changes, and what is pending since before `since`.

        `members` says who is in which room; others need not show it.
        """
        shown = [(view.tab, tab.person, tab.conversations[key], view.last, tab.versions[key].known)
                 for tab in self.tabs for key, view in tab.views.items()]
        shown += [(tab, user.person, user.conversation(tab), user.last_seq(tab), None)
                  for user in self.browser_users.values() for tab in user.tabs]
        shown = [(tab, conversation.name, last, known) for tab, person, conversation, last, known in shown
                 if not conversation.is_room or person.id in members.get(conversation.name, ())]
        found = [f"{tab} shows {last} of {last_seqs[name]} in {name}" for tab, name, last, _known in shown if last < last_seqs.get(name, 0)]
        found += [f"{tab} knows {known} of {last_changes[name]} changes in {name}" for tab, name, _last, known in shown
                  if known is not None and known < last_changes.get(name, 0)]
        return found + [f"{tab.name} waits for {tab.pending_count(since)} answers" for tab in self.tabs if tab.pending_count(since)]

    def catch_up(self, since, patience=PATIENCE_SECONDS):
        """Wait until every tab shows what is stored now; return the seconds it took, and what was lagging last."""
        begun = time.monotonic()
        stands = self.store.last_seqs(), self.store.last_changes(), self.store.members()
        latest = []
        while (lagging := self.lagging(*stands, since)) and time.monotonic() < begun + patience:
            latest = lagging
            time.sleep(POLL_SECONDS)
        return time.monotonic() - begun, lagging or latest

    def settle(self, seconds=SETTLE_SECONDS):
        """Wait until no message is pending and every tab shows what is stored; return as `catch_up` does."""
        wait_for(lambda: not self.pending_count(), seconds)
        return self.catch_up(time.monotonic(), seconds)

"""Both databases without a server around them: a fixture, people in it, and a Database that notes what it is asked."""
import contextlib
import itertools
import threading
import uuid
from pathlib import Path

import pytest

from chat.storage import migrations
from chat.storage.database import SCHEMA, Database, MySQLEngine, SQLiteEngine, open_database
from chat.storage.schema import statements
from chat.conversations.message import Message
from chat.accounts.user import User
from chat.web.metrics import Metrics
from chat.conversations.writer import Writer

VERSION_1 = migrations.files()[1]       # the tables as they were before versions were recorded
PATIENCE = 30       # seconds that a test waits for what must come
_numbers = itertools.count(1)


def call(function, *arguments):
    return function(*arguments)


class RecordingDatabase(Database):
    """Notes each statement with its parameters."""

    def __init__(self, engine):
        super().__init__(engine)
        self.statements = []

    def query(self, sql, params=(), callback=dict):
        self.statements.append((sql, tuple(params)))
        return super().query(sql, params, callback)

    def transaction(self, statements):
        self.statements += [(sql, tuple(params)) for sql, params in statements]
        return super().transaction(statements)

    def insert(self, sql, params, rows, then=None):
        self.statements.append((sql, tuple(params)))
        return super().insert(sql, params, rows, then)

    def asked_by(self, function, *arguments, **options):
        """Return the statements that a call makes."""
        self.statements.clear()
        function(*arguments, **options)
        return list(self.statements)


BESIDE = []         # what is open beside the database of a file of tests, to be closed with it


def open_sqlite(directory, **options):
    return open_database({"DATABASE_URL": "", "INSTANCE_PATH": str(directory)}, call, **options)


def open_mariadb(server, **options):
    """A database of its own on that server, made by the chat itself."""
    return open_database({"DATABASE_URL": server.url.replace("/chat", f"/test_{uuid.uuid4().hex[:12]}")}, call, **options)


def settings_of(database):
    """Return the settings by which a Database is opened."""
    if isinstance(database.engine, SQLiteEngine):
        return {"DATABASE_URL": "", "INSTANCE_PATH": str(Path(database.engine.path).parent)}
    (host, port), = database.engine.hosts
    return {"DATABASE_URL": f"mysql://root@{host}:{port}/{database.engine.name}"}


def create_first_tables(database, path=VERSION_1):
    """Make the tables of version 1, as its program did."""
    database.transaction([(statement, ()) for statement in statements(path)])


@contextlib.contextmanager
def server_with(server, **variables):
    """Change global variables of the server for a while: sessions that begin meanwhile have them."""
    with server.connect() as root, root.cursor() as cursor:
        before = {}
        for name, value in variables.items():
            cursor.execute(f"SELECT @@GLOBAL.{name}")
            before[name], = cursor.fetchone()
            cursor.execute(f"SET GLOBAL {name} = %s", (value,))
        try:
            yield
        finally:
            for name, value in before.items():
                cursor.execute(f"SET GLOBAL {name} = %s", (value,))


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def database(request, tmp_path_factory):
    """The chat's tables in each engine, one database for all tests of a file."""
    if request.param == "sqlite":
        database = open_sqlite(tmp_path_factory.mktemp("sqlite"))
    else:
        database = open_mariadb(request.getfixturevalue("mariadb"))
    recording = RecordingDatabase(database.engine)
    recording.name = request.param
    yield recording
    while BESIDE:
        BESIDE.pop().engine.close()
    database.engine.close()


@pytest.fixture
def alice(database):
    return person(database)


@pytest.fixture
def bob(database):
    return person(database)


def beside(database):
    """A second Database over the same data, as another process has it."""
    if isinstance(database.engine, SQLiteEngine):
        path = database.query("PRAGMA database_list")[0]["file"]
        BESIDE.append(Database(SQLiteEngine(path, call)))
        return BESIDE[-1]
    (host, port), = database.engine.hosts
    return Database(MySQLEngine(f"mysql://{database.engine.options['user']}@{host}:{port}/{database.engine.name}"))


def person(database, name=None):
    """Store somebody and return them."""
    return User.register(database, name or f"person{next(_numbers)}", "$2b$04$no hash")


def draft(sender, receiver, text="bonjour", client_id=None):
    return Message.draft(sender, receiver.id, text, client_id or uuid.uuid4().hex)


def start_thread(target):
    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    return thread


class Sender:
    """A writer on threads, and what it delivered as (message, origin)."""

    def __init__(self, database):
        self.delivered = []
        self.writer = Writer(database, lambda *what: self.delivered.append(what), threading.Event, start_thread, Metrics())

    def send(self, *arguments, origin=None, **options):
        """Store and return a message; arguments as of `draft`."""
        return self.writer.store(draft(*arguments, **options), origin)

    def send_in_background(self, *arguments, origin=None, **options):
        """Begin to store a message in another thread; `outcome()` of what is returned waits for it."""
        return BackgroundCall(lambda: self.send(*arguments, origin=origin, **options))


class BackgroundCall:
    """A call in a thread of its own; `outcome()` returns what it returned, or raises what it raised."""

    def __init__(self, function):
        self.result = self.error = None
        self.thread = start_thread(lambda: self._run(function))

    def _run(self, function):
        try:
            self.result = function()
        except Exception as error:
            self.error = error

    def outcome(self):
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), "it still waits"
        if self.error:
            raise self.error
        return self.result

"""Removing what no message holds, while somebody uploads the same content: whatever comes first, no file is without its content."""
import contextlib
import uuid
from datetime import datetime, timedelta, timezone

import pytest

from chat.conversations import file as file_module
from chat.conversations.file import File
from chat.conversations.file_removal import FileSweeper
from chat.conversations.uploads import Uploads
from chat.budgets import Budgets
from chat.errors import NotFound, Unavailable
from chat.storage.database import Database
from chat.storage.file_store import PREVIEW, FolderStore
from chat.storage.limits import MemoryLimits
from chat.storage.sqlite import SQLiteEngine
from config import load
from tests.databases import call, database, person     # noqa: F401: a fixture
from tests.uploads import TEXT, picture

PAUSE = lambda _seconds: None   # noqa: E731
THEN = "2024-07-07 15:04:17.601"


class Runtime:
    run_blocking = run_image_work = staticmethod(call)


@pytest.fixture
def parts(database, tmp_path):     # noqa: F811
    """Uploads and a sweeper on one folder, as two processes have them."""
    settings, limits = load({"INSTANCE_PATH": str(tmp_path)}), MemoryLimits()
    store = FolderStore(tmp_path / "files", call)
    uploads = Uploads(database, store, Budgets(settings, limits, limits), Runtime(), settings)
    return uploads, uploads.sweeper, store


def upload(uploads, user, content=None, client_id=None):
    content = content or uuid.uuid4().bytes
    client_id = client_id or uuid.uuid4().hex
    with uploads.transfers.begin(user.id, client_id) as transfer:
        path = uploads.transfers.receive(user.id, client_id, [content], transfer)
    return uploads.finish(user.id, client_id, path, "a")


def make_due(database, file, age=timedelta(days=700)):     # noqa: F811
    """Have a file unheld since so long ago."""
    at = f"{datetime.now(timezone.utc) - age:%Y-%m-%d %H:%M:%S}.000"
    database.execute("UPDATE files SET unheld_since = %s WHERE id = %s", (at, file.id))


def test_it_works(parts, database):     # noqa: F811
    uploads, sweeper, store = parts
    user = person(database)
    old, young = upload(uploads, user, picture(color=(9, 9, 9))), upload(uploads, user)
    make_due(database, old)
    sweeper.sweep()
    assert store.size(old.hash) is None and store.size(old.hash + PREVIEW) is None and not File.by_id(database, old.id)
    assert store.size(young.hash) and File.by_id(database, young.id)
    assert database.query("SELECT * FROM content_removals") == []


def test_the_content_of_another_file_stays(parts, database):     # noqa: F811
    uploads, sweeper, store = parts
    old, other = upload(uploads, person(database), TEXT), upload(uploads, person(database), TEXT)
    make_due(database, old)
    sweeper.sweep()
    assert not File.by_id(database, old.id) and store.size(other.hash) == len(TEXT)


def test_a_file_that_is_being_sent_is_left_alone(parts, database):     # noqa: F811
    uploads, sweeper, store = parts
    user = person(database)
    file = upload(uploads, user)
    make_due(database, file, timedelta(hours=23, minutes=59))
    assert File.claim(database, user.id, [file.id])[0].id == file.id
    assert File.by_id(database, file.id).unheld_since > file.unheld_since and not file.delete(database)
    sweeper.sweep()
    assert store.size(file.hash) and File.by_id(database, file.id)


@pytest.mark.parametrize("age", [timedelta(days=1, seconds=-15), timedelta(days=1, seconds=5)], ids=["soon", "now"])
def test_a_released_file_is_not_kept_by_a_message_that_is_sent_again(parts, database, age):     # noqa: F811
    uploads, sweeper, store = parts
    user = person(database)
    file = upload(uploads, user)
    make_due(database, file, age)
    with pytest.raises(NotFound):
        File.claim(database, user.id, [file.id])
    make_due(database, file, age + timedelta(seconds=20))
    sweeper.sweep()
    assert store.size(file.hash) is None and not File.by_id(database, file.id)


def test_one_sweep_removes_all_and_what_was_deleted_last_first(parts, database, monkeypatch):     # noqa: F811
    uploads, sweeper, store = parts
    monkeypatch.setattr("chat.conversations.file_removal.BATCH", 2)
    user, removed, real = person(database), [], FileSweeper._remove_content
    monkeypatch.setattr(FileSweeper, "_remove_content", lambda self, content_hash: (removed.append(content_hash), real(self, content_hash)))
    files = [upload(uploads, user) for _n in range(5)]
    for n, file in enumerate(files):
        make_due(database, file, timedelta(hours=30 - n))
    sweeper.sweep()
    assert File.due(database, 10) == [] and set(removed) == {file.hash for file in files}
    assert removed[0] == files[4].hash


def test_what_was_removed_counts_for_its_day_still(parts, database):     # noqa: F811
    uploads, sweeper, store = parts
    user = person(database)
    upload(uploads, user, b"x" * 700, "first")
    uploads.cancel(user.id, "first")
    make_due(database, upload(uploads, user, b"y" * 300))
    database.execute("UPDATE files SET unheld_since = %s WHERE user_id = %s", (THEN, user.id))
    sweeper.sweep()
    told = uploads.quotas.as_json(user.id)
    assert (told["usedToday"], told["usedInAll"]) == (1000, 0)
    old = upload(uploads, user, b"z" * 500)
    database.execute("UPDATE files SET created_at = %s, unheld_since = %s WHERE id = %s", (THEN, THEN, old.id))
    sweeper.sweep()
    assert uploads.quotas.as_json(user.id)["usedToday"] == 1000


def test_a_sweep_ends_where_another_process_does_it(parts, database):     # noqa: F811
    uploads, sweeper, store = parts
    file = upload(uploads, person(database))
    make_due(database, file)
    assert sweeper._announce(file.hash)
    sweeper.sweep()
    assert File.by_id(database, file.id)
    sweeper._done(file.hash)
    sweeper.sweep()
    assert not File.by_id(database, file.id)


@pytest.mark.parametrize("moment", ["before the row is deleted", "after the row is deleted", "after the content is removed", "after all"])
def test_an_upload_of_the_same_content_at_every_moment(parts, database, monkeypatch, moment):     # noqa: F811
    """The upload is refused and works when it is sent again, or it has its content."""
    uploads, sweeper, store = parts
    user, content = person(database), picture(color=(1, 2, 3))
    old = upload(uploads, user, content)
    make_due(database, old)
    outcome = []

    def send():
        try:
            outcome.append(upload(uploads, user, content))
        except Unavailable as error:
            outcome.append(error)
    hooks = {"before the row is deleted": (File, "delete", True), "after the row is deleted": (File, "delete", False),
             "after the content is removed": (FileSweeper, "_remove_content", False), "after all": (FileSweeper, "_done", False)}
    owner, name, is_before = hooks[moment]
    real = getattr(owner, name)

    def hooked(*arguments):
        if is_before:
            send()
        result = real(*arguments)
        if not is_before:
            send()
        return result
    monkeypatch.setattr(owner, name, hooked)
    sweeper.sweep()
    monkeypatch.undo()
    [told] = outcome
    file = told if isinstance(told, File) else upload(uploads, user, content)
    assert store.size(file.hash) and store.size(file.hash + PREVIEW)
    sweeper.sweep()
    assert store.size(file.hash) and store.size(file.hash + PREVIEW)


@pytest.mark.parametrize("step", ["save", "insert"])
def test_a_removal_between_the_steps_of_an_upload(parts, database, monkeypatch, step):     # noqa: F811
    uploads, sweeper, store = parts
    user, content = person(database), picture(color=(3, 2, 1))
    old = upload(uploads, user, content)
    make_due(database, old)
    owner = {"save": (FolderStore, "save"), "insert": (File, "insert")}[step]
    real, done = getattr(*owner), []

    def hooked(*arguments):
        if step == "insert":
            sweeper.sweep()
        result = real(*arguments)
        if step == "save" and not done:     # between the preview and the content
            done.append(True)
            sweeper.sweep()
        return result
    monkeypatch.setattr(*owner, hooked)
    try:
        file = upload(uploads, user, content)
    except Unavailable:
        monkeypatch.undo()
        file = upload(uploads, user, content)
    assert store.size(file.hash) and store.size(file.hash + PREVIEW)


def test_what_a_killed_process_left_is_ended(parts, database):     # noqa: F811
    uploads, sweeper, store = parts
    file = upload(uploads, person(database))
    make_due(database, file)
    database.insert("INSERT INTO content_removals (hash, at) VALUES (%s, %s)", (file.hash, THEN), rows=1)
    File.by_id(database, file.id).delete(database)
    sweeper.sweep()
    assert store.size(file.hash) is None and database.query("SELECT * FROM content_removals") == []


def test_a_content_without_a_row_is_found(parts, database, monkeypatch):     # noqa: F811
    uploads, sweeper, store = parts
    file, other = upload(uploads, person(database)), upload(uploads, person(database))
    database.execute("DELETE FROM files WHERE id = %s", (file.id,))
    sweeper.tidy(PAUSE)
    assert store.size(file.hash), "it may belong to an upload that is under way"
    monkeypatch.setattr("chat.conversations.file_removal.TIDY_AFTER_SECONDS", -1)
    sweeper.tidy(PAUSE)
    assert store.size(file.hash) is None and store.size(other.hash)
    assert file_module.KEPT_HOURS == 24


@pytest.mark.parametrize("is_marked", [True, False])
def test_another_database_removes_nothing(parts, database, tmp_path, monkeypatch, is_marked):     # noqa: F811
    """A chat is started once with another database, as by a slip in DATABASE_URL: all its files are still there afterwards."""
    uploads, sweeper, store = parts
    file = upload(uploads, person(database))
    if is_marked:
        sweeper.tidy(PAUSE)
    monkeypatch.setattr("chat.conversations.file_removal.TIDY_AFTER_SECONDS", -1)
    settings, limits = load({"INSTANCE_PATH": str(tmp_path / "elsewhere")}), MemoryLimits()
    with contextlib.closing(SQLiteEngine(str(tmp_path / "other.sqlite3"), call)) as engine:
        other = Database(engine)
        other.create_tables()
        other_sweeper = Uploads(other, store, Budgets(settings, limits, limits), Runtime(), settings).sweeper
        for somebody_registers in (False, True):
            if somebody_registers:
                person(other)
            other_sweeper.tidy(PAUSE)
            assert store.size(file.hash)
    sweeper.tidy(PAUSE)
    assert store.size(file.hash)


def test_many_contents_are_looked_up_together(parts, database, monkeypatch):     # noqa: F811
    uploads, sweeper, _store = parts
    user, pauses = person(database), []
    for _n in range(5):
        upload(uploads, user)
    monkeypatch.setattr("chat.conversations.file_removal.TIDY_AFTER_SECONDS", -1)
    monkeypatch.setattr("chat.conversations.file_removal.TIDY_BATCH", 2)
    sweeper.tidy(pauses.append)
    assert pauses == [0, 0, 0]

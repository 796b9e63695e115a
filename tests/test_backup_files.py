"""Backups with files: the contents come along, and nothing that a file says of them is believed."""
import base64
import gzip
import hashlib
import json
import os
import subprocess
import sys

import pytest

from chat.storage.file_store import FolderStore
from tests.databases import call, open_sqlite
from tests.server import ROOT
from tests.uploads import HTML, TEXT, picture, send_files, uploaded
from tools import backup_contents
from tools.backup import BackupError, backup, restore

pytestmark = pytest.mark.slow
LARGE = bytes(range(256)) * 2000        # more than two lines


def run(command, file, **settings):
    return subprocess.run([sys.executable, "-m", "tools.backup", command, str(file)], cwd=ROOT, env={**os.environ, **settings},
                          capture_output=True, text=True, timeout=60)


@pytest.fixture
def saved(start_server, arrive, tmp_path):
    """A server with files, its backup, and what was in it: (file, {id: content}, photo)."""
    instance = tmp_path / "instance"
    server = start_server(INSTANCE_PATH=str(instance))
    alice, bob = arrive(server), arrive(server)
    photo, large, text, empty = uploaded(alice, picture(), "a.png"), uploaded(alice, LARGE), uploaded(alice, TEXT), uploaded(alice, b"")
    send_files(alice, bob, photo, large, text, empty)
    contents = {file["id"]: alice.get(f"/files/{file['id']}").content for file in (photo, large, text, empty)}
    told = run("backup", tmp_path / "chat.gz", INSTANCE_PATH=str(instance), DATABASE_URL="", REDIS_URL="")
    assert told.returncode == 0 and "Files: 4." in told.stdout, told.stderr
    return tmp_path / "chat.gz", contents, photo, alice, bob


def test_it_works(saved, start_server, tmp_path):
    file, contents, photo, alice, bob = saved
    other = str(tmp_path / "other")
    told = run("restore", file, INSTANCE_PATH=other, DATABASE_URL="", REDIS_URL="")
    assert told.returncode == 0, told.stderr
    server = start_server(INSTANCE_PATH=other)
    bob.url, alice.url = server.url, server.url
    assert bob.log_in().status_code == 302
    assert {file_id: bob.get(f"/files/{file_id}").content for file_id in contents} == contents
    assert bob.get(f"/files/{photo['id']}/preview").headers["Content-Type"] == "image/webp"
    assert [file["id"] for file in bob.history(alice)["messages"][-1]["files"]] == list(contents)
    assert oct(os.stat(next((tmp_path / "other" / "files").rglob("*" * 1 + "[0-9a-f]" * 3 + "*"))).st_mode)[-2:] == "00"


def lines_of(file):
    return [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]


def write(file, lines):
    file.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))


def other_content(lines, at):
    lines[at + 1] = base64.b64encode(HTML.ljust(lines[at]["size"], b"x")[:lines[at]["size"]]).decode()


def other_name(lines, at):
    lines[at]["content"] = "../../../../tmp/evil"


def name_of_another(lines, at):
    lines[at]["content"] = "0" * 64


def longer(lines, at):
    lines[at]["size"] += 1


def no_base64(lines, at):
    lines[at + 1] = "!!!!"


def a_row_of_another_hash(lines, _at):
    for line in lines:
        if isinstance(line, list) and len(line) == 15:
            line[3] = "../../etc/passwd"


def lose_one(lines, at):
    del lines[at:at + 2]


def too_many(lines, _at):
    lines[-1]["contents"] += 1


@pytest.mark.parametrize("damage", [other_content, other_name, name_of_another, longer, no_base64, a_row_of_another_hash, lose_one, too_many])
def test_a_file_that_somebody_made_changes_nothing(saved, tmp_path, damage):
    lines = lines_of(saved[0])
    content = hashlib.sha256(TEXT).hexdigest()
    damage(lines, next(at for at, line in enumerate(lines) if isinstance(line, dict) and line.get("content") == content))
    write(saved[0], lines)
    database, store = open_sqlite(tmp_path / "empty"), FolderStore(tmp_path / "empty" / "files", call)
    with pytest.raises(BackupError):
        restore(database, saved[0], store=store, folder=tmp_path / "empty" / "uploads")
    database.engine.close()
    assert list(store.keys()) == [] and not database_has_rows(tmp_path / "empty")


def database_has_rows(folder):
    database = open_sqlite(folder)
    try:
        return bool(database.query("SELECT 1 FROM users"))
    finally:
        database.engine.close()


def test_a_content_that_is_gone_is_left_out(tmp_path):
    store = FolderStore(tmp_path / "files", call)
    path = tmp_path / "x"
    path.write_bytes(TEXT)
    key = hashlib.sha256(TEXT).hexdigest()
    store.save(path, key)
    lines = list(backup_contents.lines_of(store, ["0" * 64, key]))
    assert lines == [{"content": key, "size": len(TEXT)}, base64.b64encode(TEXT).decode()]
    assert b"".join(backup_contents.read(lines[0], iter(lines[1:]))) == TEXT
    assert backup

"""The file store: what is kept is there, once, and nothing of a name reaches the disk. In a folder, and in a server that speaks S3."""
import hashlib
import importlib.util
import os
import stat

import pytest

from chat.errors import Unavailable
from chat.storage import file_store
from chat.storage.file_store import PREVIEW, FolderStore
from config import ConfigError
from tests.databases import call
from tests.uploads import TEXT, picture, send_files, uploaded

CONTENT = bytes(range(256)) * 1000
KEY = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="session")
def s3_server():
    if not importlib.util.find_spec("boto3"):
        pytest.skip("boto3 is not installed")
    from tests import s3_server
    if not s3_server.program():
        pytest.skip("SeaweedFS has no package for this machine")
    with s3_server.S3() as server:
        yield server


@pytest.fixture(params=["folder", "s3"])
def store(request, tmp_path, monkeypatch):
    if request.param == "folder":
        return FolderStore(tmp_path / "files", call)
    server = request.getfixturevalue("s3_server")
    from tests.s3_server import ACCESS
    for name, value in ACCESS.items():
        monkeypatch.setenv(name, value)
    found = file_store.open_file_store({"FILES_URL": server.url.replace("s3://files", f"s3://files/{tmp_path.name}")}, call)
    return found


def save(store, tmp_path, content=CONTENT, key=None):
    path = tmp_path / "incoming"
    path.write_bytes(content)
    store.save(path, key or hashlib.sha256(content).hexdigest())
    assert not path.exists(), "it was moved"


def test_it_works(store, tmp_path):
    assert store.size(KEY) is None
    save(store, tmp_path)
    assert store.size(KEY) == len(CONTENT)
    assert b"".join(store.open(KEY)) == CONTENT
    chunks = list(store.open(KEY, 1000, 150_000))
    assert b"".join(chunks) == CONTENT[1000:151_000] and max(map(len, chunks)) <= file_store.CHUNK_BYTES
    assert list(store.open(KEY, 5, 0)) == []


def test_the_same_content_is_kept_once(store, tmp_path):
    for _n in range(2):
        save(store, tmp_path)
    save(store, tmp_path, b"small", KEY + PREVIEW)
    assert sorted(store.keys()) == [KEY, KEY + PREVIEW]
    assert list(store.keys(older_than_seconds=3600)) == []


def test_what_is_removed_is_gone(store, tmp_path):
    save(store, tmp_path)
    for _n in range(2):
        store.remove(KEY)
    assert store.size(KEY) is None and list(store.keys()) == []
    with pytest.raises(FileNotFoundError):
        store.open(KEY)


@pytest.mark.parametrize("key", ["", "..", "../" + KEY[3:], KEY.upper(), KEY[:-1], KEY + "/", KEY + ".exe", "a" * 63 + "\n"])
def test_only_hashes_are_keys(store, tmp_path, key):
    (tmp_path / "x").write_bytes(b"x")
    for use in (lambda: store.save(tmp_path / "x", key), lambda: store.open(key), lambda: store.size(key), lambda: store.remove(key)):
        with pytest.raises(ValueError):
            use()


def test_only_the_owner_reads_the_folder(tmp_path):
    store, mask = FolderStore(tmp_path / "files", call), os.umask(0)
    try:
        save(store, tmp_path)
    finally:
        os.umask(mask)
    for path in (tmp_path / "files").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_content_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr(file_store.os, "fsync", lambda _file: order.append("fsync"))
    replace = os.replace
    monkeypatch.setattr(file_store.os, "replace", lambda *paths: (order.append("replace"), replace(*paths)))
    save(FolderStore(tmp_path / "files", call), tmp_path)
    assert order == ["fsync", "replace", "fsync", "fsync"], "the content, its name, and the name of the new folder in which it is"


def test_an_s3_that_does_not_answer(s3_server, store, tmp_path):
    if isinstance(store, FolderStore):
        pytest.skip("of S3")
    save(store, tmp_path)
    s3_server.pause()
    try:
        store.client.meta.config.read_timeout = 1
        from chat.storage import s3_store
        impatient = s3_store.boto3.client("s3", endpoint_url=s3_server.endpoint, region_name="us-east-1", config=s3_store.Config(
            read_timeout=0.3, connect_timeout=0.3, retries={"total_max_attempts": 1}))
        store.client = impatient
        with pytest.raises(Unavailable):
            store.size(KEY)
    finally:
        s3_server.resume()


@pytest.mark.parametrize("url", ["s3://", "s3://files?region=x&secret=1"])
def test_a_url_that_is_none(s3_server, url):
    with pytest.raises(ConfigError, match="FILES_URL"):
        file_store.open_file_store({"FILES_URL": url}, call)


@pytest.mark.parametrize("mode", ["eventlet", "gevent", "threading"])
def test_a_chat_keeps_its_files_in_s3(s3_server, start_server, arrive, monkeypatch, mode):
    from tests.s3_server import ACCESS
    server = start_server(ASYNC_MODE=mode, FILES_URL=s3_server.url.replace("s3://files", f"s3://files/{mode}"), **ACCESS)
    alice, bob = arrive(server), arrive(server)
    photo, text = uploaded(alice, picture(), "a.png"), uploaded(alice, TEXT)
    send_files(alice, bob, photo, text)
    assert bob.get(f"/files/{text['id']}").content == TEXT
    assert bob.get(f"/files/{text['id']}", headers={"Range": "bytes=8-15"}).content == TEXT[8:16]
    assert bob.get(f"/files/{photo['id']}/preview").content.startswith(b"RIFF")

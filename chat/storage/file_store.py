"""The file store: contents under their hash, in a folder of the instance or in S3.

Two verbs serve the chat, `save` and `open`; the others are for the sweep, for backups and for doctor. A key is the SHA-256 of the content in
hexadecimal, or that with PREVIEW after it: the small picture that was made of an image. No name of a user reaches the disk.
"""
import contextlib
import hashlib
import os
import re
import time
from pathlib import Path

from .private_files import private_file, private_folder

PREVIEW = ".preview"
OWNER = "owner"             # the name of the note that says to which database the contents belong
KEY = re.compile(r"[0-9a-f]{64}(?:\.preview)?", re.ASCII)
CHUNK_BYTES = 128 * 1024    # read at once: what a slow reader holds of a file
HASH_BYTES = 1024 * 1024    # read at once to hash


def open_file_store(settings, run_blocking):
    """Return the store that the settings name. Raises ConfigError if it cannot be used."""
    if settings["FILES_URL"]:
        from .s3_store import S3Store     # its package is installed only where it is used
        return S3Store(settings["FILES_URL"])
    return FolderStore(Path(settings["INSTANCE_PATH"]) / "files", run_blocking)


def content_hash(path):
    """Return the hash of a file's content."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(HASH_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


class FolderStore:
    """Contents as files of a folder. `run_blocking(function, *arguments)` runs what waits for the disk, while the others go on."""

    def __init__(self, folder, run_blocking):
        self.folder = Path(folder)
        self.run_blocking = run_blocking

    def save(self, path, key):
        """Move a finished file into the store; if it has the content already, only delete the file. Returns once it survives a power cut."""
        self.run_blocking(self._save, Path(path), key)

    def _save(self, path, key):
        target = self._path(key)
        if target.exists():
            path.unlink()
            return
        is_first = not target.parent.exists()
        private_folder(self.folder)
        private_folder(target.parent)
        flush(path)
        os.chmod(path, 0o600)
        os.replace(path, target)
        flush(target.parent)
        if is_first:
            flush(self.folder)

    def open(self, key, start=0, length=None):
        """Return an iterator over the content from byte `start` on, in chunks. Raises FileNotFoundError."""
        file = self.run_blocking(self._open, key, start)
        return self._chunks(file, length)

    def _open(self, key, start):
        file = open(self._path(key), "rb", buffering=0)     # from Python 3.14 on a buffer is as large as a chunk
        file.seek(start)
        return file

    def _chunks(self, file, length):
        with file:
            while length is None or length > 0:
                chunk = self.run_blocking(file.read, CHUNK_BYTES if length is None else min(CHUNK_BYTES, length))
                if not chunk:
                    return
                length = None if length is None else length - len(chunk)
                yield chunk

    def size(self, key):
        """Return how many bytes the content has, or None if it is not there."""
        try:
            return self.run_blocking(self._path(key).stat).st_size
        except FileNotFoundError:
            return None

    def owner(self):
        """Return what `set_owner` has noted, or None."""
        try:
            return self.run_blocking((self.folder / OWNER).read_text, "ascii")
        except FileNotFoundError:
            return None

    def set_owner(self, owner):
        """Note whose contents these are, a line of ASCII."""
        private_folder(self.folder)
        private_file(self.folder / OWNER)
        self.run_blocking((self.folder / OWNER).write_text, owner, "ascii")

    def remove(self, key):
        """Remove a content, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self.run_blocking(self._path(key).unlink)

    def keys(self, older_than_seconds=0):
        """Yield the keys of what has been there for so long."""
        newest = time.time() - older_than_seconds
        for folder in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                with contextlib.suppress(FileNotFoundError):
                    if KEY.fullmatch(path.name) and path.stat().st_mtime <= newest:
                        yield path.name

    def _path(self, key):
        if not KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key of the file store")
        return self.folder / key[:2] / key


def flush(path):
    """Have the system write a file, or the names in a folder, to the disk. Windows cannot do it for a folder."""
    with contextlib.suppress(PermissionError):
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            os.fsync(descriptor)
        except OSError:
            if os.name != "nt":     # Windows flushes only what was opened for writing
                raise
        finally:
            os.close(descriptor)

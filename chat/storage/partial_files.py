"""Uploads that are not complete: what has arrived of each is kept in a folder, so that it can go on where it was cut.

A partial file is named by its user and a hash of the id that the browser has given it. Where several machines share no INSTANCE_PATH, one
that does not have it begins again from 0: the client asks where to go on.
"""
import contextlib
import hashlib
import os
import secrets
import shutil
import time
from pathlib import Path

from .private_files import FILE_MODE, private_folder

try:
    import fcntl
except ImportError:     # Windows, where one process alone uses the folder
    fcntl = None

PARTIAL, INCOMING = ".partial", ".incoming"     # endings: can go on; belongs to one request
MAX_PARTIALS = 20       # of one user
KEPT_SECONDS = 24 * 3600
RESERVED_BYTES = 256 * 1024 * 1024      # of the disk that uploads leave free for the database; of a small disk …
RESERVED_SHARE = 20     # … one part in so many


class PartialFiles:
    """The folder. Its methods block; `max_bytes` is how much one user may have there."""

    def __init__(self, folder, max_bytes):
        self.folder = Path(folder)
        self.max_bytes = max_bytes

    def path(self, user_id, client_id):
        """Return where the partial file of an upload is."""
        return self.folder / str(user_id) / (hashlib.sha256(client_id.encode()).hexdigest()[:32] + PARTIAL)

    def size(self, user_id, client_id):
        """Return how many bytes of an upload have arrived, 0 of an unknown one."""
        with contextlib.suppress(FileNotFoundError):
            return self.path(user_id, client_id).stat().st_size
        return 0

    def incoming(self, user_id):
        """Create a file for one request alone; return its path."""
        private_folder(self.folder)
        path = private_folder(self.folder / str(user_id)) / (secrets.token_hex(16) + INCOMING)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
        return path

    def keep(self, path, user_id, client_id):
        """Keep what a request has received as the partial file of an upload, unless there is a longer one or another request writes on it."""
        file = self.open_locked(user_id, client_id)
        with file or contextlib.nullcontext():
            if file and path.stat().st_size > os.fstat(file.fileno()).st_size:
                self._close_to_rename(file)
                with contextlib.suppress(PermissionError):      # on Windows: another request has it open
                    os.replace(path, self.path(user_id, client_id))
        path.unlink(missing_ok=True)

    def take(self, user_id, client_id, file):
        """Take a complete upload, open and locked as `file`, out of the partial files; return its new path, or None if it is gone."""
        partial, path = self.path(user_id, client_id), self.incoming(user_id)
        written = os.fstat(file.fileno())
        self._close_to_rename(file)
        try:
            os.replace(partial, path)
        except FileNotFoundError:
            path.unlink()
            return None
        if not os.path.samestat(written, path.stat()):      # it was removed, and another request has begun a new one under its name
            os.replace(path, partial)
            return None
        return path

    @staticmethod
    def _close_to_rename(file):
        if not fcntl:       # Windows renames and removes nothing that is open
            file.close()

    def remove(self, user_id, client_id):
        """Forget what has arrived of an upload."""
        with contextlib.suppress(FileNotFoundError):
            self.path(user_id, client_id).unlink()

    def open_locked(self, user_id, client_id):
        """Open the partial file of an upload to write on, for this process alone; return it, or None while another one writes."""
        private_folder(self.folder)
        private_folder(self.folder / str(user_id))
        return self._open_locked(self.path(user_id, client_id))

    @staticmethod
    def _open_locked(path):
        file = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE), "r+b", buffering=0)
        try:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_there = os.path.samestat(os.fstat(file.fileno()), path.stat())
        except (BlockingIOError, FileNotFoundError):
            is_there = False
        if not is_there:        # another one writes, or has just finished and taken it away
            file.close()
            return None
        return file

    def make_room(self, user_id, client_id, wanted):
        """Remove the oldest partial files of a user until there is room for `wanted` bytes more of one upload, and for its file.

        That file stays, and so do those that are being written.
        """
        own = self.path(user_id, client_id)
        with contextlib.suppress(FileNotFoundError):
            others = sorted((entry.stat().st_mtime, entry.stat().st_size, entry.name) for entry in os.scandir(self.folder / str(user_id))
                            if entry.name.endswith(PARTIAL) and entry.name != own.name)
            number, room = len(others), self.max_bytes - wanted - self.size(user_id, client_id) - sum(size for _at, size, _name in others)
            for _at, size, name in others:
                if number < MAX_PARTIALS and room >= 0:
                    return
                file = self._open_locked(own.with_name(name))
                if file:
                    with file, contextlib.suppress(PermissionError):        # on Windows: another request has it open
                        self._close_to_rename(file)
                        own.with_name(name).unlink(missing_ok=True)
                    number, room = number - 1, room + size

    def has_room_on_disk(self, size):
        """Tell whether the disk takes so many bytes more, and stays usable."""
        private_folder(self.folder)
        disk = shutil.disk_usage(self.folder)
        return disk.free - size >= min(RESERVED_BYTES, disk.total // RESERVED_SHARE)

    def sweep(self):
        """Remove what was left for a day: the folder has nothing else, whoever wrote it and was killed."""
        oldest = time.time() - KEPT_SECONDS
        for found in self.folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                if found.is_file() and found.stat().st_mtime < oldest:
                    found.unlink()

"""Transfers: what requests send of files is written while it arrives, by one request at a time, and kept where it is cut."""
import contextlib
import os
import threading
import time
from pathlib import Path

from flask_babel import lazy_gettext as _

from ..budgets import UPLOADS
from ..errors import Conflict, RateLimited, TooLarge, Unavailable
from ..storage.partial_files import PartialFiles
from ..web.streamed_form import BodyCut
from .file import File
from .file_words import size_words

WRITE_BYTES = 512 * 1024    # written at once, or what has come in WRITE_SECONDS: each write changes threads
WRITE_SECONDS = 0.5
PARTIALS_PER_PERSON = 10    # files of the maximum size that one person may have half sent
TAKE_OVER_SECONDS = 2       # without a byte, after which another request goes on with an upload
BUSY_SECONDS = 20           # that a request waits for another one that sends the same file
POLL_SECONDS = 0.2


class Transfer:
    """One request that writes an upload. Whoever takes the upload over sets `is_superseded` while holding the lock; then it writes no more."""

    def __init__(self, file=None):
        self.file = file
        self.lock = threading.Lock()
        self.is_superseded = False
        self.progressed_at = time.monotonic()


class Transfers:
    """The requests of this process that send files. `runtime` runs what blocks."""

    def __init__(self, database, budgets, runtime, settings):
        self.database = database
        self.budgets = budgets
        self.runtime = runtime
        self.max_bytes = settings["MAX_FILE_BYTES"]
        self.partials = PartialFiles(Path(settings["INSTANCE_PATH"]) / "uploads", PARTIALS_PER_PERSON * self.max_bytes)
        self.active = {}        # (user id, client id) -> its Transfers
        self.counts = {}        # user id -> how many

    @contextlib.contextmanager
    def begin(self, user_id, client_id, file=None):
        """Note that a request sends a file. Raises RateLimited if its user sends too many at once."""
        if self.budgets.is_spent(UPLOADS, self.counts.get(user_id, 0)):
            raise RateLimited(_("Too many uploads at once. Wait until one is done."), retry_after=1)
        transfer, key = Transfer(file), (user_id, client_id)
        self.counts[user_id] = self.counts.get(user_id, 0) + 1
        self.active.setdefault(key, []).append(transfer)
        try:
            yield transfer
        finally:
            self.active[key].remove(transfer)
            if not self.active[key]:
                del self.active[key]
            self.counts[user_id] -= 1
            if not self.counts[user_id]:
                del self.counts[user_id]

    def require_size(self, size):
        if size > self.max_bytes:
            raise TooLarge(_("A file can have at most %(most)s.", most=size_words(self.max_bytes)))

    def receive(self, user_id, client_id, chunks, transfer, keeps_part=True):
        """Write what a request sends into a file of its own; return its path. What has arrived of one that is cut is kept."""
        path = self._on_disk(self.partials.incoming, user_id)
        try:
            with open(path, "r+b", buffering=0) as file:
                self._write(file, chunks, 0, transfer)
        except BodyCut:
            if keeps_part:
                self.runtime.run_blocking(self.partials.make_room, user_id, client_id, path.stat().st_size)
                self.runtime.run_blocking(self.partials.keep, path, user_id, client_id)
            path.unlink(missing_ok=True)
            raise
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def resume(self, user_id, client_id, offset, length, chunks):
        """Write the rest of an upload, `length` bytes from byte `offset` on; return the path of the complete file.

        Raises Conflict with the offset to go on at, where it is another one, or where another request sends the file as well.
        """
        self.require_size(offset + length)
        self.runtime.run_blocking(self.partials.make_room, user_id, client_id, length)
        file = self._open_partial(user_id, client_id)
        with file, self.begin(user_id, client_id, file) as transfer:
            stored = os.fstat(file.fileno()).st_size
            if stored != offset:
                raise wrong_offset(stored)
            file.seek(stored)
            try:
                self._write(file, chunks, stored, transfer)
            except BodyCut:     # it goes on there
                raise
            except (TooLarge, Unavailable):     # what cannot be completed takes no room
                self.runtime.run_blocking(self.partials.remove, user_id, client_id)
                raise
            with transfer.lock:
                if transfer.is_superseded:
                    raise wrong_offset(self.partials.size(user_id, client_id))
                path = self._on_disk(self.partials.take, user_id, client_id, file)
        if not path:        # it was removed meanwhile, by a cancellation
            raise wrong_offset(0)
        return path

    def _open_partial(self, user_id, client_id):
        """Return the partial file, opened and locked. Raises Conflict if another request goes on sending it."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            file = self._on_disk(self.partials.open_locked, user_id, client_id)
            if file:
                return file
            for other in self.active.get((user_id, client_id), ()):
                if other.file and time.monotonic() - other.progressed_at > TAKE_OVER_SECONDS:
                    with other.lock:
                        other.is_superseded, file, other.file = True, other.file, None
                    if file:
                        return os.fdopen(os.dup(file.fileno()), "r+b", buffering=0)
            if time.monotonic() > deadline or File.by_client_id(self.database, user_id, client_id):
                raise wrong_offset(self.partials.size(user_id, client_id))
            time.sleep(POLL_SECONDS)

    def _write(self, file, chunks, size, transfer):
        """Write chunks into a file that has `size` bytes. Raises TooLarge, BodyCut, Unavailable where the disk is full, or Conflict."""
        waiting, written_at = [], 0
        try:
            for chunk in chunks:
                now_at = transfer.progressed_at = time.monotonic()
                size += len(chunk)
                self.require_size(size)
                waiting.append(chunk)
                if sum(map(len, waiting)) >= WRITE_BYTES or now_at - written_at > WRITE_SECONDS:
                    self._flush(file, waiting, transfer)
                    written_at = now_at
        except BodyCut:
            self._flush(file, waiting, transfer)
            raise
        self._flush(file, waiting, transfer)

    def _flush(self, file, waiting, transfer):
        with transfer.lock:
            if transfer.is_superseded:
                raise wrong_offset(os.fstat(file.fileno()).st_size)
            if waiting:
                self._on_disk(_write_all, file, b"".join(waiting))
                waiting.clear()

    def _on_disk(self, function, *arguments):
        try:
            return self.runtime.run_blocking(function, *arguments)
        except OSError as error:
            raise Unavailable(_("The server has no room for files at the moment.")) from error

    def cancel(self, user_id, client_id):
        """Forget what has arrived of an upload, and have requests that send it write no more."""
        for transfer in self.active.get((user_id, client_id), ()):
            with transfer.lock:
                transfer.is_superseded = True
        self.runtime.run_blocking(self.partials.remove, user_id, client_id)


def wrong_offset(stored):
    """Return the error that says where an upload stands."""
    return Conflict(_("This upload goes on at byte %(offset)s.", offset=stored), details={"offset": stored})


def _write_all(file, data):
    view = memoryview(data)
    while view:
        view = view[file.write(view):]

"""Uploads: takes files in, whole or in parts, and makes Files of them.

    POST  ->  a file of this request alone  ->  finish
    PUT   ->  the partial file, locked      ->  finish, once it is complete
    finish:   type by content, images checked, hashed, into the store, then the row: a File's content can always be fetched

The same client id gives the same File, however often and from where it is sent: UNIQUE(user_id, client_id) decides.
"""
import contextlib
import os
import secrets
import threading
import time
from pathlib import Path

from flask_babel import lazy_gettext as _
from werkzeug.exceptions import BadRequest

from ..budgets import FILES, UPLOADS
from ..clock import now
from ..errors import Conflict, Duplicate, Invalid, RateLimited, TooLarge, Unavailable
from ..storage.file_store import PREVIEW, content_hash
from ..storage.partial_files import PartialFiles
from ..web.streamed_form import BodyCut
from . import images, metadata
from .file import MAX_FILES, File
from .file_names import clean_name
from .file_removal import FileSweeper, is_being_removed
from .file_types import CHECKED_IMAGES, HEAD_BYTES, type_of
from .quotas import Quotas

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


class Uploads:
    """`runtime` runs what blocks. `quotas` says what a person may still upload, `sweeper` removes what no message holds."""

    def __init__(self, database, store, budgets, runtime, settings):
        self.database = database
        self.store = store
        self.quotas = Quotas(database, settings)
        self.budgets = budgets
        self.runtime = runtime
        self.max_bytes = settings["MAX_FILE_BYTES"]
        self.partials = PartialFiles(Path(settings["INSTANCE_PATH"]) / "uploads", PARTIALS_PER_PERSON * self.max_bytes)
        self.sweeper = FileSweeper(database, store, self.partials, runtime)
        self.transfers = {}     # (user id, client id) -> the Transfers of this process
        self.counts = {}        # user id -> how many Transfers

    # --- what arrives

    @contextlib.contextmanager
    def transfer(self, user_id, client_id, file=None):
        """Note that a request sends a file. Raises RateLimited if its user sends too many at once."""
        if self.budgets.is_spent(UPLOADS, self.counts.get(user_id, 0)):
            raise RateLimited(_("Too many uploads at once. Wait until one is done."), retry_after=1)
        transfer, key = Transfer(file), (user_id, client_id)
        self.counts[user_id] = self.counts.get(user_id, 0) + 1
        self.transfers.setdefault(key, []).append(transfer)
        try:
            yield transfer
        finally:
            self.transfers[key].remove(transfer)
            if not self.transfers[key]:
                del self.transfers[key]
            self.counts[user_id] -= 1
            if not self.counts[user_id]:
                del self.counts[user_id]

    def begin(self, user_id, size):
        """Count a new upload of about `size` bytes. Raises TooLarge, RateLimited, OverQuota or Unavailable with the reason."""
        self.require_size(size)
        self.quotas.require(user_id, size)
        wait = self.budgets.hit(FILES, user_id)
        if wait:
            raise RateLimited(_("Too many files. Wait %(seconds)s seconds.", seconds=wait), retry_after=wait)
        if not self.runtime.run_blocking(self.partials.has_room_on_disk, size):
            raise Unavailable(_("The server has no room for files at the moment."))

    def require_size(self, size):
        if size > self.max_bytes:
            raise TooLarge(_("A file can have at most %(most)s MB.", most=round(self.max_bytes / 1_000_000, 1)))

    def receive(self, user_id, client_id, chunks, transfer, keeps_part=True):
        """Write what a request sends into a file of its own; return its path. What has arrived of one that is cut is kept."""
        path = self._on_disk(self.partials.incoming, user_id)
        try:
            with open(path, "r+b", buffering=0) as file:
                self._write(file, chunks, 0, transfer)
        except BodyCut:
            if keeps_part:
                self.runtime.run_blocking(self.partials.make_room, user_id, path.stat().st_size)
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
        self.runtime.run_blocking(self.partials.make_room, user_id, length)
        file = self._open_partial(user_id, client_id)
        with file, self.transfer(user_id, client_id, file) as transfer:
            stored = os.fstat(file.fileno()).st_size
            if stored != offset:
                raise wrong_offset(stored)
            file.seek(stored)
            try:
                self._write(file, chunks, stored, transfer)
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
            for other in self.transfers.get((user_id, client_id), ()):
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

    # --- what has arrived

    def finish(self, user_id, client_id, path, name, alt=None, duration=None):
        """Make a File of what has arrived in `path`, or return the one that there is already. The path is gone afterwards."""
        preview_path = path.with_name(path.name + PREVIEW)
        try:
            size = path.stat().st_size
            self.quotas.require(user_id, size)
            with open(path, "rb") as content:
                kind = type_of(content.read(HEAD_BYTES))
            file = File(user_id, client_id, "", clean_name(name), kind, size, alt=alt, duration=duration)
            if kind in CHECKED_IMAGES:
                facts = self.runtime.run_image_work(images.prepare, path, kind, preview_path)
                file.width, file.height, file.is_animated, file.has_preview = facts.width, facts.height, facts.is_animated, facts.has_preview
            elif kind in metadata.OVERWRITTEN:
                self.runtime.run_blocking(_strip, path, kind)
            file.size = path.stat().st_size
            file.hash = self.runtime.run_blocking(content_hash, path)
            return self._store(file, path, preview_path)
        except OSError as error:
            raise Unavailable(_("The server has no room for files at the moment.")) from error
        finally:
            path.unlink(missing_ok=True)
            preview_path.unlink(missing_ok=True)

    def _store(self, file, path, preview_path):
        """Store the content, then the row."""
        if file.has_preview:
            self.store.save(preview_path, file.hash + PREVIEW)
        self.store.save(path, file.hash)
        file.created_at = now()
        try:
            file.insert(self.database)
        except Duplicate:
            return File.by_client_id(self.database, file.user_id, file.client_id)
        # The same content may have been removed between the two, for the last message that held it was deleted. It is sent again then.
        keys = [file.hash, file.hash + PREVIEW][:1 + file.has_preview]
        if is_being_removed(self.database, file.hash) or None in map(self.store.size, keys):
            File.release(self.database, file.user_id, file.client_id)
            raise Unavailable(_("The file could not be kept. Try again in a moment."))
        self.quotas.note(file.size)
        self.runtime.run_blocking(self.partials.remove, file.user_id, file.client_id)
        return file

    @contextlib.contextmanager
    def of_form(self, user_id, form):
        """Take in the files of a message's form, if it has some; lend the Files. Those that no message holds then are given up."""
        files = []
        try:
            if form:
                form.body.discardable = 2 * self.max_bytes
            for _field, name, chunks in form.files() if form else ():
                if len(files) == MAX_FILES:
                    raise Invalid(_("A message can have at most %(most)s files.", most=MAX_FILES))
                if name:
                    files.append(self._of_form(user_id, name, chunks, form.body.left))
                else:       # no file was chosen
                    for _chunk in chunks:
                        pass
            yield files
        except BodyCut:
            raise BadRequest() from None
        finally:
            for file in files:
                File.release(self.database, user_id, file.client_id)

    def _of_form(self, user_id, name, chunks, left):
        client_id = secrets.token_urlsafe(16)
        self.begin(user_id, min(left, self.max_bytes))
        with self.transfer(user_id, client_id) as transfer:
            path = self.receive(user_id, client_id, chunks, transfer, keeps_part=False)
        return self.finish(user_id, client_id, path, name)

    # --- where an upload stands

    def find(self, user_id, client_id):
        """Return (how many bytes have arrived, the File once it is complete or None)."""
        file = File.by_client_id(self.database, user_id, client_id)
        return (file.size, file) if file else (self.partials.size(user_id, client_id), None)

    def cancel(self, user_id, client_id):
        """Forget an upload, or a file that no message holds. Raises Conflict if one does."""
        for transfer in self.transfers.get((user_id, client_id), ()):
            with transfer.lock:
                transfer.is_superseded = True
        self.runtime.run_blocking(self.partials.remove, user_id, client_id)
        if not File.release(self.database, user_id, client_id) and File.by_client_id(self.database, user_id, client_id):
            raise Conflict(_("A message holds this file."))


def wrong_offset(stored):
    """Return the error that says where an upload stands."""
    return Conflict(_("This upload goes on at byte %(offset)s.", offset=stored), details={"offset": stored})


def _write_all(file, data):
    view = memoryview(data)
    while view:
        view = view[file.write(view):]


def _strip(path, kind):
    try:
        metadata.strip(path, kind)
    except metadata.Malformed as error:
        raise Invalid(_("This file is damaged or not complete.")) from error

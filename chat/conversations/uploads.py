"""Uploads: takes files in, whole or in parts, and makes Files of them.

    POST  ->  a file of this request alone  ->  finish
    PUT   ->  the partial file, locked      ->  finish, once it is complete
    finish:   type by content, images checked, hashed, into the store, then the row: a File's content can always be fetched

The same client id gives the same File, however often and from where it is sent: UNIQUE(user_id, client_id) decides.
"""
import contextlib
import secrets

from flask_babel import lazy_gettext as _

from ..budgets import FILES
from ..clock import now
from ..errors import Conflict, Duplicate, Invalid, RateLimited, Unavailable
from ..storage.file_store import PREVIEW, content_hash
from ..web.languages import waiting_time
from . import images, metadata
from .file import MAX_FILES, File
from .file_names import clean_name
from .file_removal import FileSweeper, is_being_removed
from .file_types import CHECKED_IMAGES, HEAD_BYTES, type_of
from .quotas import Quotas
from .transfers import Transfers


class Uploads:
    """`transfers` are the requests that send something, `runtime` runs what blocks.

    `quotas` says what a person may still upload, `sweeper` removes what no message holds.
    """

    def __init__(self, database, store, budgets, runtime, settings):
        self.database = database
        self.store = store
        self.quotas = Quotas(database, budgets.limits, settings)
        self.budgets = budgets
        self.runtime = runtime
        self.max_bytes = settings["MAX_FILE_BYTES"]
        self.transfers = Transfers(database, budgets, runtime, settings)
        self.partials = self.transfers.partials
        self.sweeper = FileSweeper(database, store, self.partials, runtime, self.quotas)

    def begin(self, user_id, size):
        """Count a new upload of about `size` bytes. Raises TooLarge, RateLimited, OverQuota or Unavailable with the reason."""
        self.transfers.require_size(size)
        self.quotas.require(user_id, size)
        wait = self.budgets.hit(FILES, user_id)
        if wait:
            raise RateLimited(_("Too many files. Wait %(time)s.", time=waiting_time(wait)), retry_after=wait)
        self.require_disk(size)

    def require_disk(self, size):
        """Raise Unavailable if so many bytes more would leave the disk without its reserve."""
        if not self.runtime.run_blocking(self.partials.has_room_on_disk, size):
            raise Unavailable(_("The server has no room for files at the moment."))

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
                form.body.accept(discardable=2 * self.max_bytes)
            for _field, name, chunks in form.files() if form else ():
                if len(files) == MAX_FILES:
                    raise Invalid(_("A message can have at most %(most)s files.", most=MAX_FILES))
                if name:
                    files.append(self._of_form(user_id, name, chunks, form.body.left))
                else:       # no file was chosen
                    for _chunk in chunks:
                        pass
            yield files
        finally:
            for file in files:
                File.release(self.database, user_id, file.client_id)

    def _of_form(self, user_id, name, chunks, left):
        client_id = secrets.token_urlsafe(16)
        self.begin(user_id, min(left, self.max_bytes))
        with self.transfers.begin(user_id, client_id) as transfer:
            path = self.transfers.receive(user_id, client_id, chunks, transfer, keeps_part=False)
        return self.finish(user_id, client_id, path, name)

    # --- where an upload stands

    def find(self, user_id, client_id):
        """Return (how many bytes have arrived, the File once it is complete or None)."""
        file = File.by_client_id(self.database, user_id, client_id)
        return (file.size, file) if file else (self.partials.size(user_id, client_id), None)

    def cancel(self, user_id, client_id):
        """Forget an upload, or a file that no message holds. Raises Conflict if one does."""
        self.transfers.cancel(user_id, client_id)
        if not File.release(self.database, user_id, client_id) and File.by_client_id(self.database, user_id, client_id):
            raise Conflict(_("A message holds this file."))


def _strip(path, kind):
    try:
        metadata.strip(path, kind)
    except metadata.Malformed as error:
        raise Invalid(_("This file is damaged or not complete.")) from error

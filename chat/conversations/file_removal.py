"""Removes what no message holds: the row of a file, and its content if no other file has the same one.

Somebody may upload the same content at that moment. So the removal is announced in `content_removals` first, and only then it is asked who
else has the content. The uploader does it the other way around: first the row, then the question whether the content is being removed. One
of the two sees the other.
"""
import hashlib
import logging
from datetime import datetime, timedelta, timezone

from ..clock import now, to_db
from ..errors import ChatError, Duplicate
from ..storage.file_store import PREVIEW
from .file import File

SWEEP_INTERVAL = 10         # seconds: with RELEASE_SECONDS of file.py, what a deleted message held is gone within half a minute
TIDY_INTERVAL = 3600        # seconds between two searches for contents without a row, which a crash may leave
TIDY_AFTER_SECONDS = 24 * 3600
STALE_SECONDS = 60          # after which another process takes a removal over
BATCH = 100                 # files at once
TIDY_BATCH = 500            # contents that are looked up by one statement

log = logging.getLogger(__name__)


def is_being_removed(database, content_hash):
    """Tell whether some process is removing a content."""
    return bool(database.query("SELECT 1 FROM content_removals WHERE hash = %s", (content_hash,)))


class FileSweeper:
    """Every process has one; they do not get in each other's way."""

    def __init__(self, database, store, partials, runtime, quotas):
        self.database = database
        self.store = store
        self.partials = partials
        self.runtime = runtime
        self.quotas = quotas
        self.removed = 0

    def loop(self, sleep):
        until_tidying = 0
        while True:
            try:
                self.sweep()
                if until_tidying <= 0:
                    self.tidy(sleep)
                    until_tidying = TIDY_INTERVAL
            except ChatError:
                pass        # the database does not answer, which is logged where it is noticed; later it may
            except Exception:
                log.exception("files could not be swept")
            sleep(SWEEP_INTERVAL)
            until_tidying -= SWEEP_INTERVAL

    def sweep(self):
        """Remove the files that no message has held for a day, or whose last message was deleted, and end what a killed process began."""
        for content_hash in self.database.query("SELECT hash FROM content_removals WHERE at < %s", (_stale(),), lambda row: row["hash"]):
            if self._announce(content_hash):
                self._remove_content(content_hash)
                self._done(content_hash)
        while any([self._remove(file) for file in File.due(self.database, BATCH)]):
            pass

    def _remove(self, file):
        """Remove a file whose time is over; return whether it was this process that did."""
        is_removed = False
        if self._announce(file.hash):
            is_removed = file.delete(self.database)
            if is_removed:
                self._remove_content(file.hash)
            self._done(file.hash)
        if is_removed:
            self.quotas.note_removal(file)
        return is_removed

    def tidy(self, sleep):
        """Remove contents that no file has, and uploads that were never completed."""
        self.runtime.run_blocking(self.partials.sweep)
        keys = self.runtime.run_blocking(lambda: list(self.store.keys(TIDY_AFTER_SECONDS)))
        hashes = sorted({key.removesuffix(PREVIEW) for key in keys})
        parts = [hashes[start:start + TIDY_BATCH] for start in range(0, len(hashes), TIDY_BATCH)]
        if not self._owns_store(parts):
            return
        for part in parts:
            for content_hash in set(part) - File.hashes_among(self.database, part):
                if self._announce(content_hash):
                    self._remove_content(content_hash)
                    self._done(content_hash)
            sleep(0)        # the others go on

    def _owns_store(self, parts):
        """Tell whether the contents of the store belong to this database: else nothing that it does not know may be removed.

        A chat that is started once with another database would lose all its files. The first user tells databases apart: nobody is
        ever deleted, and a backup has them too. A store without a mark belongs to the database that knows some of its contents, if it has any.
        """
        first = self.database.query("SELECT created_at FROM users ORDER BY id LIMIT 1")
        if not first:
            return False
        owner = hashlib.sha256(str(first[0]["created_at"]).encode()).hexdigest()
        marked = self.store.owner()
        if marked is None and (not parts or any(File.hashes_among(self.database, part) for part in parts)):
            self.store.set_owner(owner)
            marked = owner
        if marked not in (None, owner):
            log.warning("the stored files belong to another database: those that this one does not know are kept")
        return marked == owner

    def _remove_content(self, content_hash):
        if not File.with_hash(self.database, content_hash):
            self.store.remove(content_hash)
            self.store.remove(content_hash + PREVIEW)
            self.removed += 1

    def _announce(self, content_hash):
        """Announce a removal; return whether this process does it."""
        try:
            self.database.insert("INSERT INTO content_removals (hash, at) VALUES (%s, %s)", (content_hash, to_db(now())), rows=1)
            return True
        except Duplicate:       # another process does, or was killed while it did
            return bool(self.database.execute("UPDATE content_removals SET at = %s WHERE hash = %s AND at < %s", (to_db(now()), content_hash, _stale())))

    def _done(self, content_hash):
        self.database.execute("DELETE FROM content_removals WHERE hash = %s", (content_hash,))


def _stale():
    return (datetime.now(timezone.utc) - timedelta(seconds=STALE_SECONDS)).strftime("%Y-%m-%d %H:%M:%S.000")

"""Where sessions are kept: in files, or in Redis. JSON only; nothing is ever unpickled."""
import itertools
import os
import threading
import time

import msgspec
from cachelib import FileSystemCache
from flask_session.base import Serializer

from .private_files import private_folder

PREFIX = "session:"
USER = "_user_id"           # where Flask-Login keeps the id of who is logged in
MAX_ID_DIGITS = 10          # of a user's id
SWEEP_EVERY = 3600          # seconds between clean-ups of the session files
MAX_FILES_SWEPT = 20        # at each writing: a whole sweep would make everybody wait


class JsonSerializer(Serializer):
    """Turns a session into JSON; what has not the form of somebody's session is none."""

    def encode(self, session):
        return msgspec.json.encode(dict(session))

    def decode(self, serialized_data):
        try:
            session = msgspec.json.decode(serialized_data, type=dict[str, str | bool])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return session if user_id_in(session) else None

    # cachelib's files are written through the same two, under other names.
    def dump(self, value, file):
        file.write(self.encode(value))

    def load(self, file):
        return self.decode(file.read())


def user_id_in(session):
    """Return the id of who is logged in by a session, or None."""
    user_id = session.get(USER)
    is_id = isinstance(user_id, str) and user_id.isascii() and user_id.isdigit() and len(user_id) <= MAX_ID_DIGITS
    return int(user_id) if is_id else None


class JsonFiles(FileSystemCache):
    """cachelib's files, with JSON in them; `threshold=0` because its own limit evicts sessions that are in use."""

    serializer = JsonSerializer()

    def __init__(self, directory):
        super().__init__(directory, threshold=0, mode=0o600)
        self.swept_at = time.time()
        self.sweep = None           # the files that the clean-up under way has still to look at
        self.lock = threading.Lock()

    def _prune(self):
        if not self.lock.acquire(blocking=False):
            return      # another thread looks at the next few
        try:
            if not self.sweep and time.time() - self.swept_at > SWEEP_EVERY:
                self.swept_at, self.sweep = time.time(), os.scandir(self._path)
            if self.sweep:
                self._remove_expired(time.time())
        finally:
            self.lock.release()

    def _list_dir(self):
        """Return the next few files of the clean-up that is under way."""
        files = list(itertools.islice(self.sweep, MAX_FILES_SWEPT))
        if len(files) < MAX_FILES_SWEPT:
            self.sweep.close()
            self.sweep = None
        return [file.path for file in files if not self._is_mgmt(file.name)]

    def _update_count(self, delta=None, value=None):
        """The count serves the threshold alone: without one, it would be one more file to write."""


class FileSessions:
    """Sessions of the embedded mode: one file each."""

    def __init__(self, directory):
        self.files = JsonFiles(str(private_folder(directory)))
        self.config = {"SESSION_TYPE": "cachelib", "SESSION_CACHELIB": self.files}

    def read(self, session_id):
        return self.files.get(PREFIX + session_id)

    def delete(self, session_id):
        self.files.delete(PREFIX + session_id)

    def ended(self, session_ids):
        """Return those of the ids that are no session any more."""
        return {session_id for session_id in session_ids if not self.files.has(PREFIX + session_id)}


class RedisSessions:
    """Sessions of the server mode: one Redis key each."""

    def __init__(self, client):
        self.client = client
        self.config = {"SESSION_TYPE": "redis", "SESSION_REDIS": client}

    def read(self, session_id):
        stored = self.client.get(PREFIX + session_id)
        return JsonFiles.serializer.decode(stored) if stored else None

    def delete(self, session_id):
        self.client.delete(PREFIX + session_id)

    def ended(self, session_ids):
        session_ids = list(session_ids)
        if not session_ids or self.client.exists(*(PREFIX + s for s in session_ids)) == len(session_ids):
            return set()
        found = self.client.mget(PREFIX + s for s in session_ids)
        return {session_id for session_id, session in zip(session_ids, found) if session is None}

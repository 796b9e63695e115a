"""The stores of sessions: files, or Redis. Sessions are JSON; nothing is ever unpickled."""
import itertools
import os
import threading
import time

from cachelib import FileSystemCache

from . import typed_json     # before Flask-Session, which needs what stands in for msgspec where there is none
from .private_files import private_folder

from flask_session import Session       # noqa: E402, F401: from here to all others
from flask_session.base import Serializer       # noqa: E402

PREFIX = "session:"
USER = "_user_id"           # the key under which Flask-Login stores the id of the user
MAX_ID_DIGITS = 10          # of a user's id
SWEEP_INTERVAL = 3600       # seconds between two sweeps, which remove the expired files
MAX_FILES_SWEPT = 20        # at each write: a whole sweep at once would make everybody wait


class JsonSerializer(Serializer):
    """Turns a session into JSON and back. Anything but the session of a logged-in user is decoded as None."""

    def encode(self, session):
        return typed_json.encode(dict(session))

    def decode(self, serialized_data):
        try:
            session = typed_json.decode(serialized_data, dict[str, str | bool])
        except typed_json.DECODE_ERRORS:
            return None
        return session if user_id_in(session) else None

    # cachelib calls the same two methods by other names.
    def dump(self, value, file):
        file.write(self.encode(value))

    def load(self, file):
        return self.decode(file.read())


def user_id_in(session):
    """Return the id of the user of a session, or None."""
    user_id = session.get(USER)
    is_id = isinstance(user_id, str) and user_id.isascii() and user_id.isdigit() and len(user_id) <= MAX_ID_DIGITS
    return int(user_id) if is_id else None


class JsonFiles(FileSystemCache):
    """cachelib's files, with JSON inside. `threshold=0`, because cachelib's limit would remove sessions that are in use."""

    serializer = JsonSerializer()

    def __init__(self, directory):
        super().__init__(directory, threshold=0, mode=0o600)
        self.swept_at = time.time()
        self.sweep = None           # an iterator over the files that the current sweep has not checked yet
        self.lock = threading.Lock()

    def _prune(self):
        if not self.lock.acquire(blocking=False):
            return      # another thread is sweeping
        try:
            if not self.sweep and time.time() - self.swept_at > SWEEP_INTERVAL:
                self.swept_at, self.sweep = time.time(), os.scandir(self._path)
            if self.sweep:
                self._remove_expired(time.time())
        finally:
            self.lock.release()

    def _list_dir(self):
        """Return the next few files of the current sweep; cachelib removes the expired ones among them."""
        files = list(itertools.islice(self.sweep, MAX_FILES_SWEPT))
        if len(files) < MAX_FILES_SWEPT:
            self.sweep.close()
            self.sweep = None
        return [file.path for file in files if not self._is_mgmt(file.name)]

    def _update_count(self, delta=None, value=None):
        """Do nothing: cachelib counts files for its threshold only, and the count would be one more file to write."""


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
        """Return those of the ids whose session has ended."""
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

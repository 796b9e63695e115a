"""The lock of the instance folder. Without Redis, a server would not know of another one's events, so it has the folder to itself.

Servers with Redis share the folder, and only with each other.
"""
import errno
import os
from pathlib import Path

from config import ConfigError

from .private_files import private_file, private_folder

if os.name == "nt":
    import msvcrt
else:
    import fcntl

TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)     # on Windows it is one of the last two

SHARES = 256        # bytes of the file. Windows has no shared lock: a server with Redis locks one byte, a server without Redis locks all

_held = []      # files that stay open while the process lives; when it ends, in any way, the system releases their locks


def hold_instance(path, is_shared):
    """Lock the instance folder for this process; `is_shared` with others that share it. Raises ConfigError if it is locked already."""
    try:
        lock = private_folder(path) / "server.lock"
        private_file(lock)
        file = open(lock, "a+b")
    except OSError as error:
        raise ConfigError(f"The folder {path} cannot be used: {error.strerror or error}. INSTANCE_PATH names another.") from error
    try:
        (_lock_on_windows if os.name == "nt" else _lock)(file, is_shared)
    except OSError as error:
        if error.errno in TAKEN:
            file.close()
            raise ConfigError(f"A chat runs already with the folder {Path(path)}: end that one, or give this one a folder of its own"
                              " by INSTANCE_PATH. Several may run where each of them has the same REDIS_URL.") from error
        # any other error: this file system has no locks, so a second server is not noticed
    _held.append(file)


def _lock(file, is_shared):
    fcntl.flock(file, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _lock_on_windows(file, is_shared):
    """Lock one byte, the first that is free, or all of them. Raises OSError if there is none."""
    for place in range(SHARES if is_shared else 1):
        try:
            file.seek(place)
            return msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1 if is_shared else SHARES)
        except OSError as error:
            if error.errno not in TAKEN or place == SHARES - 1 or not is_shared:
                raise

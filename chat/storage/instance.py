"""The lock of the instance folder. Without Redis, two servers in one folder would not know of each other's events."""
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

_held = []      # files that stay open while the process lives; when it ends, in any way, the system releases their locks


def hold_instance(path):
    """Lock the instance folder for this process. Raises ConfigError if another process has locked it."""
    try:
        lock = private_folder(path) / "server.lock"
        private_file(lock)
        file = open(lock, "a+b")
    except OSError as error:
        raise ConfigError(f"The folder {path} cannot be used: {error.strerror or error}. INSTANCE_PATH names another.") from error
    try:
        _lock(file)
    except OSError as error:
        if error.errno in TAKEN:
            file.close()
            raise ConfigError(f"A chat runs already with the folder {Path(path)}: end that one, or give this one a folder of its own"
                              " by INSTANCE_PATH. With a Redis several may run.") from error
        # any other error: this file system has no locks, so a second server is not noticed
    _held.append(file)


def _lock(file):
    if os.name == "nt":
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

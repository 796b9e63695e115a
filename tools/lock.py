"""Allows only one set-up at a time, because two terminals may start the project at once."""

import contextlib
import errno
import os

from tools import ROOT
from tools.children import end_with_this_process

if os.name == "nt":
    import msvcrt
else:
    import fcntl


UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextlib.contextmanager
def setup_lock(path=ROOT / ".setup.lock"):
    """Hold the lock; wait for another set-up to end. The system releases the lock when the process dies.

    If the folder cannot be written, no set-up is possible there, so no lock is needed.
    """
    # Children do not inherit the lock on Windows. A pip left running would disturb the next set-up, so end it with this process.
    if os.name == "nt":
        end_with_this_process()
    try:
        lock_file = open(path, "a+", encoding="utf-8")
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        yield
        return
    with lock_file as file:
        # The steps inherit the lock: if this process is killed, they hold it until they end.
        os.set_inheritable(file.fileno(), True)
        if not _try_lock(file):
            print("Another set-up is running; waiting for it to end ...", flush=True)
            _wait_for_lock(file)
        yield


def _try_lock(file):
    try:
        if os.name == "nt":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _wait_for_lock(file):
    if os.name != "nt":
        fcntl.flock(file, fcntl.LOCK_EX)
        return
    # LK_LOCK gives up after ten seconds.
    while True:
        with contextlib.suppress(OSError):
            return msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)

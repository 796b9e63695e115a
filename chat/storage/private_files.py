"""Files and folders that only the account which runs the chat can read, whatever its umask is."""
import contextlib
import os
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600


def private_folder(path):
    """Create a folder that only its owner can open; an existing one gets the same mode. Raises OSError."""
    path = Path(path)
    path.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):      # another account owns it, and has chosen its mode
        path.chmod(FOLDER_MODE)
    return path


def private_file(path):
    """Create an empty file that only its owner can open; an existing one gets the same mode. Raises OSError."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE))
    with contextlib.suppress(PermissionError):
        os.chmod(path, FILE_MODE)

"""Files that only the account which runs the chat may read, whatever its umask is."""
import contextlib
import os
from pathlib import Path

FOLDER_MODE, FILE_MODE = 0o700, 0o600


def private_folder(path):
    """Make a folder for its owner alone, and take it from the others where it is there already. Raises OSError."""
    path = Path(path)
    path.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):      # somebody else's, who has decided
        path.chmod(FOLDER_MODE)
    return path


def private_file(path):
    """Make an empty file for its owner alone, and take it from the others where it is there already. Raises OSError."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE))
    with contextlib.suppress(PermissionError):
        os.chmod(path, FILE_MODE)

"""The key that signs the form tokens."""
import contextlib
import os
import secrets
from pathlib import Path

from config import ConfigError


def secret_key(settings):
    """Return SECRET_KEY; in the embedded mode one is made once and kept, readable by its owner alone."""
    if settings["SECRET_KEY"]:
        return settings["SECRET_KEY"]
    path = Path(settings["INSTANCE_PATH"]) / "secret_key"
    try:
        with contextlib.suppress(FileExistsError):
            with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
                file.write(secrets.token_hex())
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise ConfigError(f"The secret key cannot be kept: {error}") from error

"""The key that signs CSRF tokens and cookies."""
import os
import secrets

from config import SECRET_KEY_BYTES, ConfigError

from .private_files import private_folder

UNWRITTEN = b"\0" * 4       # blocks that a crash left unwritten are full of zeros
MIN_DIFFERENT_BYTES = 8     # of a key: one that was made has 16 different digits


def secret_key(settings):
    """Return SECRET_KEY. If it is not set, a key is made once and kept in the instance folder. Raises ConfigError."""
    if settings["SECRET_KEY"]:
        return settings["SECRET_KEY"]
    try:
        path = private_folder(settings["INSTANCE_PATH"]) / "secret_key"
        if not path.exists():
            _write_whole(path, secrets.token_hex())
        key = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"The secret key cannot be kept: {error}") from error
    if len(key.strip()) < SECRET_KEY_BYTES:
        raise ConfigError(f"{path} is damaged: it holds fewer than {SECRET_KEY_BYTES} bytes. Delete it, and a new key is made.")
    if UNWRITTEN in key or len(set(key)) < MIN_DIFFERENT_BYTES:
        raise ConfigError(f"{path} is damaged: most of its bytes are the same. Delete it, and a new key is made.")
    return key.decode("latin-1")


def _write_whole(path, text):
    """Write a file atomically: after a crash or on a full disk there is no half of a key. Raises OSError."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():       # otherwise another process was faster, and its key is used
            os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)

"""The contents of files in a backup: after the rows, each as a line with its hash and its size, and lines of Base64.

`{"content": hash, "size": n}`, then texts of CONTENT_LINE_BYTES each, the last one with the rest. No name from the file reaches the disk: a
content is stored under the hash that it really has, and refused if that is not the one in the line. Previews are made again.
"""
import base64
import binascii
import hashlib
import re
import secrets
from pathlib import Path

from chat.conversations import images
from chat.conversations.file_types import CHECKED_IMAGES, HEAD_BYTES, type_of
from chat.errors import Invalid
from chat.storage.file_store import PREVIEW
from chat.storage.private_files import private_file, private_folder

CONTENT_LINE_BYTES = 192 * 1024     # of a content in one line: 256 KiB of Base64
MAX_CONTENT_BYTES = 2**31 - 1
HASH = re.compile("[0-9a-f]{64}", re.ASCII)


def lines_of(store, hashes):
    """Yield what stands for the contents with these hashes, as JSON values. One that is gone, because its message was deleted, is left out."""
    for content_hash in hashes:
        size = store.size(content_hash)
        if size is None:
            continue
        yield {"content": content_hash, "size": size}
        waiting = bytearray()
        for chunk in store.open(content_hash):
            waiting += chunk
            while len(waiting) >= CONTENT_LINE_BYTES:
                yield base64.b64encode(waiting[:CONTENT_LINE_BYTES]).decode()
                del waiting[:CONTENT_LINE_BYTES]
        if waiting:
            yield base64.b64encode(waiting).decode()


def is_content(line):
    """Tell whether a line begins a content."""
    return (isinstance(line, dict) and line.keys() == {"content", "size"} and isinstance(line["content"], str) and bool(HASH.fullmatch(line["content"]))
            and type(line["size"]) is int and 0 <= line["size"] <= MAX_CONTENT_BYTES)


def read(head, lines):
    """Yield the chunks of the content that a line begins. Raises ValueError if they are not what it says."""
    left, digest = head["size"], hashlib.sha256()
    while left:
        line = next(lines, None)
        chunk = base64.b64decode(line, validate=True) if isinstance(line, str) else b""
        if len(chunk) != min(left, CONTENT_LINE_BYTES):
            raise ValueError("a content is not whole")
        left -= len(chunk)
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != head["content"]:
        raise ValueError("a content is not what its hash says")


class Restoring:
    """Puts contents into a store; `undo` takes out again what was not there before."""

    def __init__(self, store, folder):
        self.store = store
        self.folder = Path(folder)
        self.added = []

    def add(self, head, lines):
        """Store the content that a line begins, and its preview if it is an image."""
        content_hash = head["content"]
        private_folder(self.folder)
        path = self.folder / f"{secrets.token_hex(16)}.incoming"
        preview_path = path.with_name(path.name + PREVIEW)
        private_file(path)
        try:
            with open(path, "wb") as file:
                for chunk in read(head, lines):
                    file.write(chunk)
            with open(path, "rb") as file:
                kind = type_of(file.read(HEAD_BYTES))
            has_preview = kind in CHECKED_IMAGES and _has_preview(path, kind, preview_path)
            for key, source in ((content_hash + PREVIEW, preview_path), (content_hash, path)):
                if (key == content_hash or has_preview) and self.store.size(key) is None:
                    self.store.save(source, key)
                    self.added.append(key)
        finally:
            path.unlink(missing_ok=True)
            preview_path.unlink(missing_ok=True)

    def undo(self):
        for key in self.added:
            self.store.remove(key)


def _has_preview(path, kind, preview_path):
    """Write the preview of an image, if one can be made; the content stays as it is."""
    try:
        return images.preview(path, kind, preview_path)
    except Invalid:
        return False


ERRORS = (ValueError, binascii.Error)

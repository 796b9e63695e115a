"""Stamps: whether a generated directory is up to date with its inputs."""

import hashlib
import json


def digest(*parts):
    """Return a hash of texts and files; for a file, of its name and its content."""
    total = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part.name.encode() + b"\0" + part.read_bytes()
        total.update(len(content).to_bytes(8, "big") + content)
    return total.hexdigest()


class Stamp:
    """A small file in a generated directory. It is written last, so an incomplete directory has none."""

    def __init__(self, path):
        self.path = path

    def read(self):
        """Return the digests by name; empty if there is no readable stamp."""
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return {}

    def write(self, digests):
        self.path.write_text(json.dumps(digests), encoding="utf-8")

    def remove(self):
        self.path.unlink(missing_ok=True)

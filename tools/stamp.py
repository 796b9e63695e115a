"""Stamps tell whether a made thing still matches what it was made from."""

import hashlib
import json


def digest(*parts):
    """A hash over texts and files; a file counts with its name and its bytes."""
    total = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part.name.encode() + b"\0" + part.read_bytes()
        total.update(len(content).to_bytes(8, "big") + content)
    return total.hexdigest()


class Stamp:
    """A small file inside a made directory. It is written last, so what was interrupted has none."""

    def __init__(self, path):
        self.path = path

    def read(self):
        """The digests by name; empty when there is no readable stamp."""
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return {}

    def write(self, digests):
        self.path.write_text(json.dumps(digests), encoding="utf-8")

    def remove(self):
        self.path.unlink(missing_ok=True)

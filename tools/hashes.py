"""`python3 -m tools.hashes`: writes each requirements*.txt from its .in file, with the hash of every wheel of each pin.

Then pip refuses every other file, whichever server sent it.
"""

import itertools
import re
import sys
from concurrent.futures import ThreadPoolExecutor

from tools import ROOT, pins
from tools.package_index import PackageIndex, Unreachable, normalize

MAX_REQUESTS = 6            # in parallel
HEADER = "# Written by `python3 -m tools.hashes` from {}: edit that one. The hashes are those of all wheels of each version.\n"


def main():
    """Write all files. Returns the exit code."""
    index = PackageIndex.of_pip()
    try:
        with ThreadPoolExecutor(MAX_REQUESTS) as pool:
            wanted = pins.python_pins(ROOT)
            hashes = dict(zip(wanted, pool.map(lambda pin: wheel_hashes(index, pin), wanted)))
    except Unreachable as error:
        print(f"Nothing was written: {error}.", file=sys.stderr)
        return 1
    for source in pins.sources(ROOT):
        source.with_suffix(".txt").write_text(with_hashes(source, hashes), encoding="utf-8", newline="\n")
        print(f"{source.with_suffix('.txt').name} is written.")
    return 0


def wheel_hashes(index, pin):
    """Return the sorted SHA-256 hashes of all wheels of a pin. Raises Unreachable if there is none."""
    found = {file["hashes"]["sha256"] for file in index.files(pin.name) if _is_wheel_of(file["filename"], pin)}
    if not found:
        raise Unreachable(f"the index has no wheel of {pin.name} {pin.version}")
    return sorted(found)


def _is_wheel_of(filename, pin):
    name, _dash, rest = filename.partition("-")
    return filename.endswith(".whl") and normalize(name) == normalize(pin.name) and rest.partition("-")[0] == pin.version


def with_hashes(source, hashes):
    """Return the text of a requirements.txt: its source, line by line, with the hashes of each pin."""
    lines = [HEADER.format(source.name)]
    # The comment at the top is for people who edit the source.
    body = itertools.dropwhile(lambda line: line.startswith("#"), source.read_text(encoding="utf-8").splitlines())
    for line in body:
        pin = pins.read_pin(line)
        if pin:
            line = " \\\n".join([line.partition(" #")[0].rstrip(), *(f"    --hash=sha256:{each}" for each in hashes[pin])])
        elif line.startswith("-r "):
            line = re.sub(r"\.in$", ".txt", line)
        lines.append(line + "\n")
    return "".join(lines)


if __name__ == "__main__":
    sys.exit(main())

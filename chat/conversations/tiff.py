"""TIFF; DNG and many raw formats are TIFF too. A file has directories of entries that point to their values.

Its parts know each other's position, so nothing is moved but the entries behind one that goes. Only what tells a place or an author goes: to
draw the picture, some programs need the rest, the maker's notes above all.
"""
from .boxes import Malformed, number

SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}      # bytes of a value by its type; 1 of all others
DIRECTORIES = {0x014A, 0x8769}      # tags whose values are the positions of further ones: smaller pictures, EXIF
GPS = 0x8825                # the position of a directory with the place
REMOVED = {GPS, 0x02BC, 0x83BB, 0x8649, 0x013B, 0xA430}     # … XMP, IPTC, Photoshop's, the artist, the camera's owner
ENTRY = 12                  # bytes: a tag, a type, the number of values, and the values, or where they are if they have more than 4 bytes
MAX_DIRECTORIES = 1000      # of a file
MAX_ENTRIES = 10_000


def overwrite(data):
    """Take the metadata out of a file, in place. Raises Malformed."""
    Tiff(data).clean()


class Tiff:
    """One file. What it may cost is bounded, for directories and values may lie upon one another."""

    def __init__(self, data):
        self.data = data
        self.order = "little" if data[:2] == b"II" else "big"
        self.entries_left, self.bytes_left = MAX_ENTRIES, len(data)

    def clean(self):
        waiting, seen = [self._number(4, 4)], {0}
        while waiting:
            at = waiting.pop()
            if at not in seen:
                seen.add(at)
                waiting += self._clean_directory(at)
            if len(waiting) + len(seen) > MAX_DIRECTORIES:
                raise Malformed("too many directories")

    def _clean_directory(self, at):
        """Take out of one directory the entries that go; return where further ones are."""
        start, number_of_entries = at + 2, self._number(at, 2)
        end, further, kept = start + number_of_entries * ENTRY, [], b""
        following = bytes(self.data[end:end + 4])       # where the next directory is, with which some files end
        for entry in self._entries(at):
            tag = self._number(entry, 2)
            if tag in REMOVED:
                self._blank(entry, tag)
                continue
            if tag in DIRECTORIES:
                further += self._positions(entry)
                if len(further) > MAX_DIRECTORIES:
                    raise Malformed("too many directories")
            kept += bytes(self.data[entry:entry + ENTRY])
        if len(kept) < end - start:
            self.data[start:end + len(following)] = (kept + following).ljust(end - start + len(following), b"\0")
            self.data[at:start] = (len(kept) // ENTRY).to_bytes(2, self.order)
        return [*further, int.from_bytes(following, self.order)]

    def _entries(self, at):
        """Return where the entries of a directory are."""
        length = self._number(at, 2)
        self.entries_left -= length
        if self.entries_left < 0 or at + 2 + length * ENTRY > len(self.data):
            raise Malformed("a directory is cut, or there are too many")
        return range(at + 2, at + 2 + length * ENTRY, ENTRY)

    def _positions(self, entry):
        start, length = self._values(entry)
        if length > 4 * MAX_DIRECTORIES:
            raise Malformed("too many directories")
        return [self._number(place, 4) for place in range(start, start + length - 3, 4)]

    def _values(self, entry):
        """Return (where the values of an entry are, how many bytes they have)."""
        length = SIZES.get(self._number(entry + 2, 2), 1) * self._number(entry + 4, 4)
        start = entry + 8 if length <= 4 else self._number(entry + 8, 4)
        if start + length > len(self.data):
            raise Malformed("values are cut")
        return start, length

    def _blank(self, entry, tag):
        """Overwrite the values of an entry, and those of the directory that it leads to."""
        start, length = self._values(entry)
        if tag == GPS and length == 4:
            for inner in self._entries(self._number(start, 4)):
                self._zero(*self._values(inner))
                self._zero(inner, ENTRY)
        self._zero(start, length)

    def _zero(self, start, length):
        self.bytes_left -= length
        if self.bytes_left < 0:
            raise Malformed("values lie upon one another")
        self.data[start:start + length] = bytes(length)

    def _number(self, at, size):
        return number(self.data, at, size, self.order)

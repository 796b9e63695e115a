"""The family of MP4, of which HEIC and AVIF are: boxes with a length, a name, and often boxes inside. Their metadata is overwritten in place."""

MOVIE_METADATA = {b"udta", b"meta", b"uuid"}
EMPTY_EXIF = b"\0\0\0\0II*\0\x08\0\0\0\0\0"      # without any entry: zeros alone would be refused by what decodes the picture
MAX_ITEMS = 10_000          # of a HEIC or AVIF file
MAX_BOXES = 100_000


class Malformed(ValueError):
    """The parts of a file do not fit together."""


def overwrite(data):
    """Overwrite the metadata of a file. Raises Malformed."""
    for name, start, body, end in _boxes(data, 0, len(data)):
        if name == b"meta":         # of a picture: it also says where the picture is
            _overwrite_items(data, body + 4, end)
        elif name == b"moov":
            _overwrite_movie(data, body, end)
        elif name in MOVIE_METADATA:
            _blank(data, start, body, end)


def _overwrite_movie(data, start, end):
    for name, box_start, body, box_end in _boxes(data, start, end):
        if name in MOVIE_METADATA:
            _blank(data, box_start, body, box_end)
        elif name == b"trak":
            _overwrite_movie(data, body, box_end)


def _blank(data, start, body, end):
    """Make a box of zeros that is called free: players skip it."""
    data[start + 4:start + 8] = b"free"
    data[body:end] = bytes(end - body)


def _boxes(data, at, end):
    """Yield (name, start, where its content begins, end) of the boxes between two positions."""
    for _count in range(MAX_BOXES):
        if at + 8 > end:
            return
        size, name, body = number(data, at, 4), bytes(data[at + 4:at + 8]), at + 8
        if size == 1:
            size, body = number(data, at + 8, 8), at + 16
        if not size:
            size = end - at
        if size < body - at or at + size > end:
            raise Malformed("a box is cut")
        yield name, at, body, at + size
        at += size
    raise Malformed("too many boxes")


def _overwrite_items(data, start, end):
    """Overwrite the items of a picture that are metadata: EXIF and XMP."""
    places, types, idat = {}, {}, None
    for name, box_start, body, box_end in _boxes(data, start, end):
        if name == b"iinf":
            types = _item_types(data, body, box_end)
        elif name == b"iloc":
            places = _item_places(data, body, box_end)
        elif name == b"idat":
            idat = body
        elif name in (b"uuid", b"udta"):
            _blank(data, box_start, body, box_end)
    for item, kind in types.items():
        if kind in (b"Exif", b"mime", b"uri "):
            for method, offset, length in places.get(item, ()):
                offset += 0 if method == 0 else idat if method == 1 and idat is not None else len(data)
                if offset + length > len(data):
                    raise Malformed("an item is elsewhere")
                data[offset:offset + length] = (EMPTY_EXIF if kind == b"Exif" else b"")[:length].ljust(length, b"\0")


def _item_types(data, body, end):
    """Return {item: type} of an iinf box."""
    found, version = {}, data[body]
    for name, _start, inner, inner_end in _boxes(data, body + (6 if version == 0 else 8), end):
        if name == b"infe" and len(found) < MAX_ITEMS:
            wide = data[inner] >= 3
            at = inner + 4
            item = number(data, at, 4 if wide else 2)
            at += (4 if wide else 2) + 2
            if data[inner] >= 2 and at + 4 <= inner_end:
                found[item] = bytes(data[at:at + 4])
    return found


def _item_places(data, body, end):
    """Return {item: [(method, offset, length)]} of an iloc box. Method 0: in the file; 1: in the idat box."""
    version, sizes = data[body], number(data, body + 4, 2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    wide = 4 if version == 2 else 2
    reader = Reader(data, body + 6, end)
    found = {}
    for _count in range(min(reader.number(wide), MAX_ITEMS)):
        item = reader.number(wide)
        method = reader.number(2) & 15 if version in (1, 2) else 0
        reader.number(2)        # in which file: 0, this one
        base = reader.number(base_size)
        extents = []
        for _extent in range(min(reader.number(2), MAX_ITEMS)):
            reader.number(index_size)
            offset, length = base + reader.number(offset_size), reader.number(length_size)
            extents.append((method, offset, length))
        found[item] = extents
    return found


class Reader:
    """Reads numbers one after the other."""

    def __init__(self, data, at, end):
        self.data, self.at, self.end = data, at, end

    def number(self, size):
        self.at += size
        if self.at > self.end:
            raise Malformed("a box is cut")
        return number(self.data, self.at - size, size)


def number(data, at, size, order="big"):
    """Return a number of so many bytes. Raises Malformed if the data ends before."""
    found = data[at:at + size]
    if len(found) < size:
        raise Malformed("the file is cut")
    return int.from_bytes(found, order)

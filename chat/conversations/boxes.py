"""The family of MP4, of which HEIC and AVIF are: boxes with a length, a name, and often boxes inside. Their metadata is overwritten in place."""

MOVIE_METADATA = {b"udta", b"meta", b"uuid"}
EMPTY_EXIF = b"\0\0\0\0II*\0\x08\0\0\0\0\0"      # without any entry: zeros alone would be refused by what decodes the picture
MAX_ITEMS = 10_000          # of a HEIC or AVIF file
MAX_EXTENTS = 10_000        # of all its items: an extent may take no byte
MAX_BOXES = 100_000         # of a file
MAX_DEPTH = 8               # of tracks in one another, which no player asks for


class Malformed(ValueError):
    """The parts of a file do not fit together."""


def overwrite(data):
    """Overwrite the metadata of a file. Raises Malformed."""
    boxes = Boxes(data)
    for name, start, body, end in boxes.between(0, len(data)):
        if name == b"meta":         # of a picture: it also says where the picture is
            _overwrite_items(boxes, body + 4, end)
        elif name == b"moov":
            _overwrite_movie(boxes, body, end)
        elif name in MOVIE_METADATA:
            _blank(data, start, body, end)


def _overwrite_movie(boxes, start, end, depth=0):
    if depth > MAX_DEPTH:
        raise Malformed("tracks are nested too deep")
    for name, box_start, body, box_end in boxes.between(start, end):
        if name in MOVIE_METADATA:
            _blank(boxes.data, box_start, body, box_end)
        elif name == b"trak":
            _overwrite_movie(boxes, body, box_end, depth + 1)


def _blank(data, start, body, end):
    """Make a box of zeros that is called free: players skip it."""
    data[start + 4:start + 8] = b"free"
    data[body:end] = bytes(end - body)


class Boxes:
    """The boxes of a file, MAX_BOXES of them at most, however they are nested."""

    def __init__(self, data):
        self.data = data
        self.left = MAX_BOXES

    def between(self, at, end):
        """Yield (name, start, where its content begins, end) of the boxes between two positions."""
        data = self.data
        while at + 8 <= end:
            self.left -= 1
            if self.left < 0:
                raise Malformed("too many boxes")
            size, name, body = number(data, at, 4), bytes(data[at + 4:at + 8]), at + 8
            if size == 1:
                size, body = number(data, at + 8, 8), at + 16
            if not size:
                size = end - at
            if size < body - at or at + size > end:
                raise Malformed("a box is cut")
            yield name, at, body, at + size
            at += size


def _overwrite_items(boxes, start, end):
    """Overwrite the items of a picture that are metadata: EXIF and XMP."""
    places, types, idat, data = {}, {}, None, boxes.data
    for name, box_start, body, box_end in boxes.between(start, end):
        if name == b"iinf":
            types = _item_types(boxes, body, box_end)
        elif name == b"iloc":
            places = _item_places(data, body, box_end)
        elif name == b"idat":
            idat = body
        elif name in (b"uuid", b"udta"):
            _blank(data, box_start, body, box_end)
    left = len(data)        # bytes to overwrite: no two extents of a sound file share one
    for item, kind in types.items():
        if kind in (b"Exif", b"mime", b"uri "):
            for method, offset, length in places.get(item, ()):
                offset += 0 if method == 0 else idat if method == 1 and idat is not None else len(data)
                left -= length
                if offset + length > len(data) or left < 0:
                    raise Malformed("an item is elsewhere")
                data[offset:offset + length] = (EMPTY_EXIF if kind == b"Exif" else b"")[:length].ljust(length, b"\0")


def _item_types(boxes, body, end):
    """Return {item: type} of an iinf box."""
    found, data = {}, boxes.data
    is_short = number(data, body, 1) == 0
    for name, _start, inner, inner_end in boxes.between(body + (6 if is_short else 8), end):
        if name == b"infe" and len(found) < MAX_ITEMS:
            version = number(data, inner, 1)
            wide = version >= 3
            at = inner + 4
            item = number(data, at, 4 if wide else 2)
            at += (4 if wide else 2) + 2
            if version >= 2 and at + 4 <= inner_end:
                found[item] = bytes(data[at:at + 4])
    return found


def _item_places(data, body, end):
    """Return {item: [(method, offset, length)]} of an iloc box. Method 0: in the file; 1: in the idat box."""
    version, sizes = number(data, body, 1), number(data, body + 4, 2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    wide = 4 if version == 2 else 2
    reader = Reader(data, body + 6, end)
    found, left = {}, MAX_EXTENTS
    for _count in range(min(reader.number(wide), MAX_ITEMS)):
        item = reader.number(wide)
        method = reader.number(2) & 15 if version in (1, 2) else 0
        reader.number(2)        # in which file: 0, this one
        base = reader.number(base_size)
        extents, count = [], reader.number(2)
        left -= count
        if left < 0:
            raise Malformed("too many extents")
        for _extent in range(count):
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

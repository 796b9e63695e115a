"""Takes out of pictures and videos what cameras and programs write into them: the place, the device, the author, earlier versions.

Nothing is decoded and encoded again, so no picture gets worse. A picture is copied part by part, and only parts that are needed to draw it are
copied; what follows its end is not. In containers of the family of MP4, where parts know each other's position, they are overwritten instead.
"""
import mmap
import os
import re

from .file_types import AVIF, HEIC

JPEG_DRAWN = {*range(0xC0, 0xD0), 0xDB, 0xDC, 0xDD}     # frames, Huffman tables, quantization tables, lines, restarts
JPEG_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
PNG_DRAWN = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"bKGD", b"acTL", b"fcTL", b"fdAT"}
GIF_APPLICATIONS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")     # how often an animation is repeated
WEBP_DRAWN = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
WEBP_EXIF_AND_XMP = 0x08 | 0x04     # flags of VP8X
MOVIE_METADATA = {b"udta", b"meta", b"uuid"}
EMPTY_EXIF = b"\0\0\0\0II*\0\x08\0\0\0\0\0"      # without any entry: zeros alone would be refused by what decodes the picture
MAX_ITEMS = 10_000          # of a HEIC or AVIF file
MAX_BOXES = 100_000


class Malformed(ValueError):
    """The parts of a file do not fit together."""


def strip(path, kind):
    """Take the metadata out of a file of that type, in place. Raises Malformed. Other types are left as they are."""
    if kind in COPIERS:
        target = path.with_name(path.name + ".clean")
        try:
            with open(path, "rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data, open(target, "wb") as clean:
                os.chmod(target, 0o600)
                COPIERS[kind](data, clean)
            os.replace(target, path)
        except (IndexError, OverflowError) as error:
            raise Malformed(str(error)) from error
        finally:
            target.unlink(missing_ok=True)
    elif kind in OVERWRITTEN:
        with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as data:
            _overwrite(data)


def _copy_jpeg(data, clean):
    """Segments: FF, a marker, and a length of two bytes."""
    at = 2
    clean.write(b"\xff\xd8")
    while True:
        while data[at:at + 2] == b"\xff\xff":   # a filler
            at += 1
        if data[at] != 0xFF:
            raise Malformed("no marker")
        marker = data[at + 1]
        if marker == 0xD9:
            clean.write(b"\xff\xd9")
            return
        end = at + 2 + _number(data, at + 2, 2)
        segment = data[at:end]
        if end < at + 4 or len(segment) < end - at:
            raise Malformed("a segment is cut")
        if marker == 0xDA:      # what is drawn follows, up to the next marker
            found = JPEG_NEXT_MARKER.search(data, end)
            if not found:
                raise Malformed("no end")
            end = found.start()
            clean.write(data[at:end])
        elif marker in JPEG_DRAWN or marker == 0xE2 and segment[4:16] == b"ICC_PROFILE\0" or marker == 0xEE and segment[4:9] == b"Adobe":
            clean.write(segment)
        elif marker == 0xE0 and segment[4:9] == b"JFIF\0" and len(segment) >= 18:
            clean.write(b"\xff\xe0\0\x10" + segment[4:16] + b"\0\0")      # without its small picture
        at = end


def _copy_png(data, clean):
    """Chunks: a length of four bytes, a name, the data, a checksum."""
    clean.write(data[:8])
    at = 8
    while True:
        name, end = data[at + 4:at + 8], at + 12 + _number(data, at, 4)
        if end > len(data):
            raise Malformed("a chunk is cut")
        if name in PNG_DRAWN:
            clean.write(data[at:end])
        if name == b"IEND":
            return
        at = end


def _copy_gif(data, clean):
    """A header with a table of colours, then blocks: 2C a picture, 21 an extension, 3B the end."""
    at = 13 + _gif_colors(data[10])
    clean.write(data[:at])
    while data[at] != 0x3B:
        if data[at] == 0x2C:
            end = _gif_blocks_end(data, at + 11 + _gif_colors(data[at + 9]))
            clean.write(data[at:end])
        elif data[at] == 0x21:
            end = _gif_blocks_end(data, at + 2)
            if data[at + 1] == 0xF9 or data[at + 1] == 0xFF and data[at + 3:at + 14] in GIF_APPLICATIONS:
                clean.write(data[at:end])
        else:
            raise Malformed("no block")
        at = end
    clean.write(b"\x3b")


def _gif_colors(flags):
    """Return how many bytes the table of colours has."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_blocks_end(data, at):
    """Return where a list of blocks ends, each with its length before it."""
    while data[at]:
        at += 1 + data[at]
    return at + 1


def _copy_webp(data, clean):
    """Chunks: a name, a length of four bytes, the data, and a byte more where its length is odd."""
    at, end_of_all = 12, min(len(data), 8 + _number(data, 4, 4, "little"))
    clean.write(data[:12])
    while at + 8 <= end_of_all:
        name, length = data[at:at + 4], _number(data, at + 4, 4, "little")
        end = at + 8 + length + length % 2
        if at + 8 + length > len(data):
            raise Malformed("a chunk is cut")
        if name in WEBP_DRAWN:
            chunk = data[at:at + 8 + length] + b"\0" * (length % 2)
            if name == b"VP8X":
                chunk = chunk[:8] + bytes([chunk[8] & ~WEBP_EXIF_AND_XMP]) + chunk[9:]
            clean.write(chunk)
        at = end
    size = clean.tell()
    clean.seek(4)
    clean.write((size - 8).to_bytes(4, "little"))


COPIERS = {"image/jpeg": _copy_jpeg, "image/png": _copy_png, "image/gif": _copy_gif, "image/webp": _copy_webp}
OVERWRITTEN = {AVIF, HEIC, "video/mp4", "video/quicktime", "audio/mp4"}


# --- the family of MP4: boxes with a length, a name, and often boxes inside ---------------------------------------------

def _overwrite(data):
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
        size, name, body = _number(data, at, 4), bytes(data[at + 4:at + 8]), at + 8
        if size == 1:
            size, body = _number(data, at + 8, 8), at + 16
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
            item = _number(data, at, 4 if wide else 2)
            at += (4 if wide else 2) + 2
            if data[inner] >= 2 and at + 4 <= inner_end:
                found[item] = bytes(data[at:at + 4])
    return found


def _item_places(data, body, end):
    """Return {item: [(method, offset, length)]} of an iloc box. Method 0: in the file; 1: in the idat box."""
    version, sizes = data[body], _number(data, body + 4, 2)
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
        return _number(self.data, self.at - size, size)


def _number(data, at, size, order="big"):
    found = data[at:at + size]
    if len(found) < size:
        raise Malformed("the file is cut")
    return int.from_bytes(found, order)

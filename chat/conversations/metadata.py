"""Takes out of pictures and videos what cameras and programs write into them: the place, the device, the author, earlier versions.

Nothing is decoded and encoded again, so no picture gets worse. A picture is copied part by part, and only parts that are needed to draw it are
copied; what follows its end is not. In containers of the family of MP4, and in TIFF, where parts know each other's position, they are
overwritten instead.
"""
import contextlib
import mmap
import os
import re

from PIL import Image

from . import boxes, tiff
from .boxes import Malformed, number
from .file_types import AVIF, HEIC, TIFF

SCAN = 0xDA                 # the marker of a JPEG after which something is drawn
JPEG_DRAWN = {*range(0xC0, 0xD0), SCAN, 0xDB, 0xDC, 0xDD}       # frames, Huffman tables, quantization tables, lines, restarts
JPEG_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
ORIENTATION = 0x0112        # the tag in EXIF
# An EXIF segment of a JPEG with one entry, up to its value: a short integer that says how the picture lies.
ORIENTATION_ALONE = b"\xff\xe1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0" + ORIENTATION.to_bytes(2, "little") + b"\x03\0\x01\0\0\0"
PNG_DRAWN = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"bKGD", b"acTL", b"fcTL", b"fdAT"}
GIF_APPLICATIONS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")     # how often an animation is repeated
WEBP_DRAWN = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
WEBP_EXIF_AND_XMP = 0x08 | 0x04     # flags of VP8X


def strip(path, kind):
    """Take the metadata out of a file of that type, in place. Raises Malformed. Other types are left as they are.

    What a JPEG says of how it lies is left: one that can be turned has been turned before.
    """
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
            OVERWRITTEN[kind](data)


def jpeg_scans(path):
    """Return how many scans a JPEG has: a progressive one is drawn over about ten times. Raises Malformed."""
    with open(path, "rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return sum(marker == SCAN for marker, _start, _end in _jpeg_segments(data))


def gif_frames(path, limit):
    """Return how many pictures a GIF has, counted up to `limit`; one that is cut has those that are whole."""
    frames = 0
    with open(path, "rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data, contextlib.suppress(IndexError, Malformed):
        for is_picture, _at, _end in _gif_blocks(data):
            frames += is_picture
            if frames == limit:
                break
    return frames


def png_exif(path):
    """Return the EXIF of a PNG, which may stand before or after the picture, or no bytes. Raises Malformed."""
    with open(path, "rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return next((data[start + 8:end - 4] for name, start, end in _png_chunks(data) if name == b"eXIf"), b"")


def _jpeg_segments(data, is_head=False):
    """Yield (marker, start, end) of the segments: FF, a marker, and a length of two bytes. To a scan belongs what is drawn.

    With `is_head` the first scan is the end, before all that is drawn is looked through.
    """
    at = 2
    while True:
        while data[at:at + 2] == b"\xff\xff":   # a filler
            at += 1
        if data[at] != 0xFF:
            raise Malformed("no marker")
        marker = data[at + 1]
        if marker == 0xD9 or is_head and marker == SCAN:
            return
        end = at + 2 + number(data, at + 2, 2)
        if end < at + 4 or end > len(data):
            raise Malformed("a segment is cut")
        if marker == SCAN:      # what is drawn follows, up to the next marker
            found = JPEG_NEXT_MARKER.search(data, end)
            if not found:
                raise Malformed("no end")
            end = found.start()
        yield marker, at, end
        at = end


def _copy_jpeg(data, clean):
    clean.write(b"\xff\xd8")
    orientation = _jpeg_orientation(data)
    if orientation in range(2, 9):
        clean.write(ORIENTATION_ALONE + orientation.to_bytes(2, "little") + bytes(6))
    for marker, at, end in _jpeg_segments(data):
        begin = data[at + 4:min(end, at + 18)]
        if marker in JPEG_DRAWN or marker == 0xE2 and begin.startswith(b"ICC_PROFILE\0") or marker == 0xEE and begin.startswith(b"Adobe"):
            clean.write(data[at:end])
        elif marker == 0xE0 and begin.startswith(b"JFIF\0") and end >= at + 18:
            clean.write(b"\xff\xe0\0\x10" + begin[:12] + b"\0\0")      # without its small picture
    clean.write(b"\xff\xd9")


def _jpeg_orientation(data):
    """Return how a JPEG lies, from 1 to 8, as its EXIF says; 1 where nobody can read that."""
    found = Image.Exif()
    exif = next((data[at + 4:end] for marker, at, end in _jpeg_segments(data, is_head=True)
                 if marker == 0xE1 and data[at + 4:at + 10] == b"Exif\0\0"), b"")
    try:
        found.load(exif)
        orientation = found.get(ORIENTATION, 1)
    except Exception:       # Pillow fails in many ways, and whatever is damaged here is left out of the copy
        return 1
    return orientation if isinstance(orientation, int) else 1


def _png_chunks(data):
    """Yield (name, start, end) of the chunks up to the last one: a length of four bytes, a name, the data, a checksum."""
    name, at = b"", 8
    while name != b"IEND":
        name, end = data[at + 4:at + 8], at + 12 + number(data, at, 4)
        if end > len(data):
            raise Malformed("a chunk is cut")
        yield name, at, end
        at = end


def _copy_png(data, clean):
    clean.write(data[:8])
    for name, at, end in _png_chunks(data):
        if name in PNG_DRAWN:
            clean.write(data[at:end])


def _copy_gif(data, clean):
    clean.write(data[:_gif_head_end(data)])
    for is_picture, at, end in _gif_blocks(data):
        if is_picture or data[at + 1] == 0xF9 or data[at + 1] == 0xFF and data[at + 3:at + 14] in GIF_APPLICATIONS:
            clean.write(data[at:end])
    clean.write(b"\x3b")


def _gif_head_end(data):
    """Return where the header ends, with the table of colours of all pictures."""
    return 13 + _gif_colors(data[10])


def _gif_blocks(data):
    """Yield (is a picture, begin, end) of the blocks behind the header: 2C a picture, 21 an extension, 3B the end. Raises Malformed."""
    at = _gif_head_end(data)
    while data[at] != 0x3B:
        is_picture = data[at] == 0x2C
        if not is_picture and data[at] != 0x21:
            raise Malformed("no block")
        end = _gif_blocks_end(data, at + 11 + _gif_colors(data[at + 9]) if is_picture else at + 2)
        yield is_picture, at, end
        at = end


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
    at, end_of_all = 12, min(len(data), 8 + number(data, 4, 4, "little"))
    clean.write(data[:12])
    while at + 8 <= end_of_all:
        name, length = data[at:at + 4], number(data, at + 4, 4, "little")
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
OVERWRITTEN = {**dict.fromkeys((AVIF, HEIC, "video/mp4", "video/quicktime", "audio/mp4"), boxes.overwrite), TIFF: tiff.overwrite}

"""The type of a file, by its content and never by its name: a name can say anything.

The table is short on purpose. What is shown inline has to be in it; all the rest is downloaded, so it needs no exact type.
"""
import re

from . import webm

HEAD_BYTES = 64 * 1024      # of a file that are looked at
TEXT, UNKNOWN = "text/plain", "application/octet-stream"
PDF, ZIP = "application/pdf", "application/zip"
HEIC, AVIF, TIFF = "image/heic", "image/avif", "image/tiff"

SIGNATURES = (              # (pattern at the beginning, type); the first one that fits
    (rb"\xff\xd8\xff", "image/jpeg"), (rb"\x89PNG\r\n\x1a\n", "image/png"), (rb"GIF8[79]a", "image/gif"),
    (rb"RIFF....WEBP", "image/webp"), (rb"....ftypavi[fs]", AVIF), (rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", HEIC),
    (rb"II\*\x00|MM\x00\*", TIFF), (rb"BM....\x00{4}", "image/bmp"),
    (rb"%PDF-\d", PDF),
    (rb"ID3[\x02-\x04]|\xff[\xfb\xf3\xf2\xfa]", "audio/mpeg"), (rb"\xff[\xf1\xf9]", "audio/aac"), (rb"fLaC", "audio/flac"),
    (rb"RIFF....WAVE", "audio/wav"),
    (rb"....ftypqt  |[\0\1]...(?:moov|mdat|wide|free|skip|pnot)", "video/quicktime"), (rb"....ftypM4[AB] ", "audio/mp4"),
    (rb"....ftyp(?:isom|iso[2-9a-z]|mp4[12]|avc1|M4V[ HP]|dash|3g[2a-z].|mmp4|MSNV|XAVC|[Ff]4[Vv] |cmf[a-z])", "video/mp4"),
    (rb"PK(?:\x03\x04|\x05\x06)", ZIP), (rb"\x1f\x8b", "application/gzip"), (rb"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
COMPILED = tuple((re.compile(pattern, re.S), kind) for pattern, kind in SIGNATURES)

CHECKED_IMAGES = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP", AVIF: "AVIF"}    # type -> Pillow's name
INLINE = {*CHECKED_IMAGES, PDF, "audio/mpeg", "audio/aac", "audio/flac", "audio/wav", "audio/ogg", "audio/mp4", "audio/webm",
          "video/mp4", "video/quicktime", "video/webm", "video/ogg"}      # shown in the browser
BINARY = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")     # what no text has; 1b begins the colours of a terminal


def type_of(head):
    """Return the type of a file that begins with these bytes, HEAD_BYTES of them or all."""
    for pattern, kind in COMPILED:
        if pattern.match(head):
            return kind
    if head.startswith(b"\x1a\x45\xdf\xa3"):    # Matroska: WebM is a kind of it
        if b"webm" not in head[:64]:
            return "video/x-matroska"
        return "video/webm" if webm.has_video(head) else "audio/webm"
    if head.startswith(b"OggS"):
        return "video/ogg" if b"\x80theora" in head[:512] else "audio/ogg"
    return TEXT if _is_text(head) else UNKNOWN


def _is_text(head):
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:     # else the last character is cut
            return False
    return bool(head) and not BINARY.search(head)

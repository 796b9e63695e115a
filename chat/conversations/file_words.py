"""What is said of files in words: their kind, their size, and what stands in a list or a quote in place of a text."""
from decimal import ROUND_HALF_UP, Decimal

from flask_babel import format_decimal
from flask_babel import gettext as _
from flask_babel import ngettext

from .file import MAX_COUNTED
from .file_types import PDF, TEXT, ZIP

SHOWN_SIZE = (280, 200)     # pixels of an image in a bubble, of which its preview has twice as many; file-words.js has the same
PHONE_SIZE = (236, 240)     # the same on a phone; file-size.js and file-parts.css have both too
UNITS = (1_000_000_000, 1_000_000, 1000)
TENTH, ONE = Decimal("0.1"), Decimal(1)     # to which sizes are rounded, halves upwards, as the browser does
MAX_ENDING_LENGTH = 5       # characters of a name's ending that is shown as its kind
KINDS = {PDF: "PDF", ZIP: "ZIP", "image/gif": "GIF"}


def kind_words(file):
    """Return what a file is, for people. The ending of its name is believed here, where it changes nothing."""
    family = file.type.partition("/")[0]
    if file.type in KINDS and family != "image":
        ending = _ending(file.name)
        return ending if file.type == ZIP and ending else KINDS[file.type]
    if file.is_image:
        return KINDS.get(file.type, _("Photo"))
    if family in ("audio", "video"):
        return _("Audio") if family == "audio" else _("Video")
    return _ending(file.name) or (_("Text") if file.type == TEXT else _("File"))


def _ending(name):
    stem, _dot, ending = name.rpartition(".")
    return ending.upper() if stem and ending.isalnum() and ending.isascii() and len(ending) <= MAX_ENDING_LENGTH else ""


def size_words(size):
    """Return a size for people: `3.4 MB`."""
    for unit, words in zip(UNITS, (_("%(size)s GB"), _("%(size)s MB"), _("%(size)s KB"))):
        if size >= unit:
            return words % {"size": format_decimal((Decimal(size) / unit).quantize(TENTH if size < 10 * unit else ONE, ROUND_HALF_UP))}
    return ngettext("%(num)s byte", "%(num)s bytes", size)


def preview_words(files):
    """Return what stands for the files of a message that has no text: `Photo`, `3 files`, or the name of one."""
    if not files:
        return ""
    photos = all(file.is_image for file in files)
    if len(files) > 1:
        return ngettext("%(num)s photo", "%(num)s photos", len(files)) if photos else ngettext("%(num)s file", "%(num)s files", len(files))
    [file] = files
    if file.type.startswith("audio/") and file.duration:
        return _("Voice message")
    return kind_words(file) if photos or file.type.startswith("video/") else file.name


def shared_words(images, others):
    """Return how much was shared in a conversation: `18 images, 6 files`."""
    if images + others >= MAX_COUNTED:
        return _("%(number)s and more", number=format_decimal(MAX_COUNTED))
    words = [ngettext("%(num)s image", "%(num)s images", images)] * bool(images) + [ngettext("%(num)s file", "%(num)s files", others)] * bool(others)
    return ", ".join(words)


def duration_words(milliseconds):
    """Return a duration as a player shows it: `1:05`."""
    seconds = (milliseconds + 500) // 1000
    return f"{seconds // 60}:{seconds % 60:02}"


def shown_size(file):
    """Return the width and height of an image as a bubble shows it: within SHOWN_SIZE, and no larger than it is."""
    scale = min(1, SHOWN_SIZE[0] / file.width, SHOWN_SIZE[1] / file.height)
    return max(1, int(file.width * scale + 0.5)), max(1, int(file.height * scale + 0.5))


def filled_side(file):
    """Return which side of PHONE_SIZE an image fills, `width` or `height`; nothing for one that is smaller."""
    is_tall = file.width * PHONE_SIZE[1] <= file.height * PHONE_SIZE[0]
    if is_tall:
        return "height" if file.height >= PHONE_SIZE[1] else ""
    return "width" if file.width >= PHONE_SIZE[0] else ""


WORDS = {"kind_words": kind_words, "size_words": size_words, "files_in_words": preview_words, "duration_words": duration_words,
         "shared_words": shared_words, "shown_size": shown_size, "filled_side": filled_side}      # for the templates

"""Images that people upload: checked by decoding them, turned upright, freed of what cameras write into them, and made small.

Pillow decodes what strangers send, so it gets few formats, a bounded number of pixels, and runs beside the event loop, one image at a time.
"""
import os
import struct
import warnings
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import get_sampling

from ..errors import Invalid
from . import metadata
from .file_types import CHECKED_IMAGES

MAX_PIXELS = 50_000_000         # of an image: a camera of today has 12 to 50 million
MAX_DECODED_PIXELS = 16_000_000     # that are decoded at full size, 4 bytes each; a JPEG is decoded at a fraction of its size
MAX_SCANS = 100             # of a JPEG: a progressive one has about ten, and each is decoded at full size
MAX_SCANNED_PIXELS = 320_000_000    # of a JPEG that has several scans, times their number
MAX_TURNED_PIXELS = 24_000_000  # of a JPEG that is turned; a larger one is kept at half its size then
MAX_FRAMES = 2000               # of an animated image
PREVIEW_SIZE = (560, 480)       # pixels
PREVIEW_QUALITY = 80
TURNED = ("image/jpeg", "image/png", "image/webp")      # which may say in their metadata that they lie on their side
TURNED_QUALITY = 92

Image.MAX_IMAGE_PIXELS = None   # checked here, and refused in words


@dataclass(slots=True)
class ImageFacts:
    """What is known of an image after it was checked; `has_preview` says that a small one was written."""

    width: int
    height: int
    is_animated: bool = False
    has_preview: bool = False


def prepare(path, kind, preview_path):
    """Make an image fit to be kept, in place, and write its preview; return its ImageFacts.

    Raises Invalid for a damaged one and for too many pixels.
    """
    def work():
        if not _turn(path, kind):
            metadata.strip(path, kind)
        with Image.open(path, formats=[CHECKED_IMAGES[kind]]) as image:
            return _check(image, path, kind, preview_path)
    return _guarded(work)


def preview(path, kind, preview_path):
    """Write the preview of an image that is kept already; return whether there is one. Raises Invalid for a damaged image."""
    def work():
        with Image.open(path, formats=[CHECKED_IMAGES[kind]]) as image:
            return _check(image, path, kind, preview_path).has_preview
    return _guarded(work)


def _guarded(work):
    """Return what Pillow makes of an image, and turn the many ways in which it fails into words."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return work()
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, ZeroDivisionError, OverflowError, MemoryError, RuntimeError,
            struct.error, Image.DecompressionBombError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise       # the disk, and not the image
        raise Invalid(_("This image is damaged or not complete.")) from error


def _turn(path, kind):
    """Turn an image upright that says that it lies on its side; return whether it did, and so wrote it without any metadata."""
    with Image.open(path, formats=[CHECKED_IMAGES[kind]]) as image:
        is_decoded = _is_decoded(image, path, kind)
        if not is_decoded or kind not in TURNED or _orientation(image, path, kind) not in range(2, 9):
            return False
        if kind != "image/jpeg" and _frames(image, path, kind) > 1:
            return False
        options = {"icc_profile": image.info.get("icc_profile")}
        if kind == "image/jpeg":
            # Its own quantization tables: hardly anything is lost.
            options.update(qtables=image.quantization, subsampling=max(0, get_sampling(image)), optimize=True)
            if image.size[0] * image.size[1] > MAX_TURNED_PIXELS:
                image.draft(None, (image.size[0] // 2, image.size[1] // 2))
        elif kind == "image/webp":
            options.update(quality=TURNED_QUALITY)
        turned = ImageOps.exif_transpose(image)
    if turned.mode == "CMYK":
        turned, options["icc_profile"] = turned.convert("RGB"), None
    turned.info.clear()
    target = path.with_name(path.name + ".turned")
    try:
        turned.save(target, CHECKED_IMAGES[kind], exif=b"", **options)
        os.chmod(target, 0o600)
        os.replace(target, path)
    finally:
        target.unlink(missing_ok=True)
    return True


def _orientation(image, path, kind):
    """Return how an image lies, from 1 to 8."""
    if kind == "image/png":     # Pillow would decode all of it, to find what follows the picture
        image.info["exif"] = metadata.png_exif(path) or image.info.get("exif")
    return Image.Image.getexif(image).get(metadata.ORIENTATION, 1)


def _frames(image, path, kind):
    """Return how many frames an image has, MAX_FRAMES + 1 at most of a GIF: Pillow would walk through all of them."""
    return metadata.gif_frames(path, MAX_FRAMES + 1) if kind == "image/gif" else getattr(image, "n_frames", 1)


def _is_decoded(image, path, kind):
    """Tell whether an image is small enough to be decoded; a larger one is kept as it is. Raises Invalid for one that is not kept."""
    pixels = image.size[0] * image.size[1]
    if pixels > MAX_PIXELS:
        raise Invalid(_("This image has too many pixels: at most %(most)s million.", most=MAX_PIXELS // 1_000_000))
    if _frames(image, path, kind) > MAX_FRAMES:
        raise Invalid(_("This image has too many frames: at most %(most)s.", most=MAX_FRAMES))
    if kind != "image/jpeg":
        return pixels <= MAX_DECODED_PIXELS
    scans = metadata.jpeg_scans(path)
    if scans > MAX_SCANS:
        raise Invalid(_("This image is drawn in too many steps: at most %(most)s.", most=MAX_SCANS))
    return scans <= 1 or pixels <= MAX_DECODED_PIXELS and pixels * scans <= MAX_SCANNED_PIXELS


def _check(image, path, kind, preview_path):
    is_on_its_side = kind == "image/jpeg" and _orientation(image, path, kind) >= 5     # one that was too large to be turned
    facts = ImageFacts(*(reversed(image.size) if is_on_its_side else image.size), is_animated=_frames(image, path, kind) > 1)
    if not _is_decoded(image, path, kind):
        return facts
    image.draft("RGB", PREVIEW_SIZE)        # of a JPEG: decode at up to an eighth of its size
    if image.size[0] * image.size[1] > MAX_DECODED_PIXELS:      # a long strip is not made smaller
        return facts
    image.load()
    _write_preview(image, preview_path)
    facts.has_preview = True
    return facts


def _write_preview(image, path):
    has_alpha = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    small = image.convert("RGBA" if has_alpha else "RGB")
    small.thumbnail(PREVIEW_SIZE)
    small.info.clear()
    small.save(path, "WEBP", quality=PREVIEW_QUALITY, method=4, exif=b"", icc_profile=image.info.get("icc_profile"))
    os.chmod(path, 0o600)

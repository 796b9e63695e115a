"""Images that people upload: checked by decoding them, turned upright, freed of what cameras write into them, and made small.

Pillow decodes what strangers send, so it gets few formats, a bounded number of pixels, and runs beside the event loop, one image at a time.
"""
import warnings
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import Invalid
from .file_types import CHECKED_IMAGES

MAX_PIXELS = 50_000_000         # of an image: a camera of today has 12 to 50 million
MAX_DECODED_PIXELS = 16_000_000     # that are decoded at full size, 4 bytes each; a JPEG is decoded at a fraction of its size
MAX_FRAMES = 2000               # of an animated image
PREVIEW_SIZE = (560, 480)       # pixels
PREVIEW_QUALITY = 80

Image.MAX_IMAGE_PIXELS = None   # checked here, and refused in words


@dataclass(slots=True)
class ImageFacts:
    """What is known of an image after it was checked; `has_preview` says that a small one was written."""

    width: int
    height: int
    is_animated: bool = False
    has_preview: bool = False


def check(path, kind, preview_path):
    """Check an image of that type and write its preview; return its ImageFacts. Raises Invalid for a damaged one and for too many pixels."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=[CHECKED_IMAGES[kind]]) as image:
                return _check(image, preview_path)
    except Invalid:
        raise
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, EOFError, IndexError, TypeError, ZeroDivisionError, OverflowError, MemoryError,
            Image.DecompressionBombError) as error:
        raise Invalid(_("This image is damaged or not complete.")) from error


def _check(image, preview_path):
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Invalid(_("This image has too many pixels: at most %(most)s million.", most=MAX_PIXELS // 1_000_000))
    frames = getattr(image, "n_frames", 1)
    if frames > MAX_FRAMES:
        raise Invalid(_("This image has too many frames: at most %(most)s.", most=MAX_FRAMES))
    facts = ImageFacts(width, height, is_animated=frames > 1)
    image.draft("RGB", PREVIEW_SIZE)        # of a JPEG: decode at up to an eighth of its size
    if image.size[0] * image.size[1] > MAX_DECODED_PIXELS:
        return facts
    image.load()
    turned = ImageOps.exif_transpose(image)
    if turned is not image and image.getexif().get(0x0112, 1) in (5, 6, 7, 8):
        facts.width, facts.height = height, width
    _write_preview(turned, preview_path)
    facts.has_preview = True
    return facts


def _write_preview(image, path):
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    small = image.convert("RGBA" if has_alpha else "RGB")
    small.thumbnail(PREVIEW_SIZE)
    small.save(path, "WEBP", quality=PREVIEW_QUALITY, method=4)

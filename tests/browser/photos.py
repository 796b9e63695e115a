"""Files that look like what people send: photographs, drawn with Pillow, of any size in pixels and in bytes."""
import io
import os

from PIL import Image, ImageDraw, ImageFilter

HILLS = ((46, 52, 86), (31, 38, 66), (18, 23, 43))


def photo(size=(1200, 800), kind="JPEG", at_least=0, **options):
    """Return a picture of an evening as bytes, `at_least` so many of them: what follows the end of a JPEG is not looked at."""
    width, height = size
    sky = Image.new("RGB", (1, 3))
    sky.putdata([(62, 74, 142), (232, 128, 122), (255, 196, 140)])
    image = sky.resize(size, Image.BICUBIC)
    draw = ImageDraw.Draw(image)
    draw.ellipse((width * 0.62, height * 0.38, width * 0.74, height * 0.38 + width * 0.12), fill=(255, 236, 200))
    for number, color in enumerate(HILLS):
        top = height * (0.6 + 0.12 * number)
        points = [(width * x / 12, top + height * 0.07 * ((x * (number + 3)) % 4 - 1.5)) for x in range(13)]
        draw.polygon([*points, (width, height), (0, height)], fill=color)
    image = image.filter(ImageFilter.GaussianBlur(max(1, width // 600)))
    out = io.BytesIO()
    image.save(out, kind, **options)
    content = out.getvalue()
    return content + os.urandom(max(0, at_least - len(content)))


def board(size=(1400, 620)):
    """Return a picture of a whiteboard with a diagram on it."""
    image = Image.new("RGB", size, (236, 238, 236))
    draw = ImageDraw.Draw(image)
    width, height = size
    for n, (x, y) in enumerate(((0.08, 0.25), (0.42, 0.2), (0.76, 0.3))):
        box = (width * x, height * y, width * (x + 0.18), height * (y + 0.42))
        draw.rectangle(box, outline=(40, 40, 48), width=6)
        draw.line((box[0], box[1] + height * 0.12, box[2], box[1] + height * 0.12), fill=(40, 40, 48), width=6)
        for line in range(3):
            at = box[1] + height * (0.18 + 0.07 * line)
            draw.line((box[0] + 24, at, box[2] - 24 - 18 * line, at), fill=(120, 120, 130), width=5)
        if n < 2:
            draw.line((box[2] + 10, height * 0.5, width * (x + 0.32), height * 0.46), fill=(200, 40, 50), width=7)
    draw.line((width * 0.08, height * 0.1, width * 0.4, height * 0.1), fill=(70, 90, 200), width=10)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()

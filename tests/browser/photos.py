"""Files that look like what people send: photographs, drawn with Pillow, of any size in pixels and in bytes."""
import io
import os

from PIL import Image, ImageDraw, ImageFilter, ImageFont

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


def whiteboard(size=(1120, 480)):
    """Return a picture of a whiteboard with the tables of a chat on it, as a PNG."""
    width, height = size
    image = Image.new("RGB", size, (242, 241, 236))
    draw = ImageDraw.Draw(image)
    title, head, text = (ImageFont.load_default(points) for points in (48, 32, 27))
    draw.text((60, 28), "MCD - chat v2", (74, 96, 190), title)
    draw.line((60, 88, 380, 84), fill=(74, 96, 190), width=4)
    for x, y, name, columns in ((70, 190, "USERS", ["id", "username", "password"]), (430, 150, "MESSAGES", ["id, client_id", "conv_id, seq", "sender_id", "timestamp"]),
                                (790, 190, "MEMBERS", ["user_id", "conv_id", "read_seq"])):
        box = (x, y, x + 250, y + 66 + 42 * len(columns))
        draw.rectangle(box, outline=(40, 42, 52), width=5)
        draw.line((x, y + 52, x + 250, y + 50), fill=(40, 42, 52), width=4)
        draw.text((x + 20, y + 8), name, (40, 42, 52), head)
        for line, column in enumerate(columns):
            draw.text((x + 20, y + 62 + 40 * line), column, (90, 92, 104), text)
    for x1, y1, x2, y2 in ((320, 300, 430, 270), (680, 270, 790, 290)):
        draw.line((x1, y1, x2, y2), fill=(206, 42, 48), width=6)
    draw.ellipse((796, 328, 946, 384), outline=(38, 140, 84), width=6)
    draw.text((700, 40), "UNIQUE (conv, seq)", (38, 140, 84), head)
    draw.text((700, 84), "1, 2, 3 ... sans trou", (38, 140, 84), text)
    shade = Image.linear_gradient("L").resize(size).point(lambda value: 255 - value // 7)
    out = io.BytesIO()
    Image.composite(image, Image.new("RGB", size, (196, 200, 206)), shade).save(out, "PNG")
    return out.getvalue()

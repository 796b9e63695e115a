"""Images as they are kept: upright, without what cameras write into them, with a preview, and none that is damaged or a bomb."""
import io
import os
import random
import struct
import zlib

import pytest
from PIL import Image, ImageChops, ImageCms, ImageOps
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile, PngInfo

from chat.conversations import images, metadata
from chat.conversations.file_types import HEAD_BYTES, type_of
from chat.errors import Invalid
from tests.uploads import HTML, PDF, SVG, TEXT, animation, picture

PLACE = "48.8584 N secret place"
SECRETS = (b"secret place", b"Exif", b"http://ns.adobe.com/xap", b"Pomme 17")
KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif", "GIF": "image/gif"}
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">secret place</x:xmpmeta>'


def exif(orientation=None):
    found = Image.Exif()
    found[0x010F], found[0x010E] = "Pomme 17", PLACE
    found.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    if orientation:
        found[0x0112] = orientation
    return found.tobytes()


def quarters(size=(320, 200)):
    """Four colours, so that it shows how it was turned."""
    image = Image.new("RGB", size)
    for n, color in enumerate([(220, 30, 30), (30, 200, 30), (30, 30, 220), (230, 230, 40)]):
        image.paste(color, (n % 2 * size[0] // 2, n // 2 * size[1] // 2, (n % 2 + 1) * size[0] // 2, (n // 2 + 1) * size[1] // 2))
    return image


def written(kind, **options):
    out = io.BytesIO()
    quarters().save(out, kind, **options)
    return out.getvalue()


@pytest.fixture
def prepare(tmp_path):
    """Return a function that prepares a content: (facts, content as it is kept, its preview or None)."""
    def run(content, kind=None):
        path, preview = tmp_path / "content", tmp_path / "content.preview"
        path.write_bytes(content)
        preview.unlink(missing_ok=True)
        facts = images.prepare(path, kind or type_of(content[:HEAD_BYTES]), preview)
        assert set(os.listdir(tmp_path)) <= {"content", "content.preview"}, "nothing half-made is left"
        return facts, path.read_bytes(), Image.open(io.BytesIO(preview.read_bytes())) if facts.has_preview else None
    return run


def test_it_works(prepare):
    facts, kept, preview = prepare(picture("JPEG", (1200, 900)))
    assert (facts.width, facts.height, facts.is_animated) == (1200, 900, False)
    assert (preview.format, preview.size) == ("WEBP", (560, 420))
    assert kept.startswith(b"\xff\xd8") and kept.endswith(b"\xff\xd9")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_no_place_is_kept(prepare, kind):
    content = written(kind, exif=exif(), **({"xmp": XMP} if kind != "PNG" else {}))
    assert b"Pomme 17" in content
    _facts, kept, _preview = prepare(content)
    with Image.open(io.BytesIO(kept)) as image:
        assert not image.getexif() and not image.info.get("xmp", b"").strip(b"\0")
        assert image.convert("RGB").tobytes() == Image.open(io.BytesIO(content)).convert("RGB").tobytes(), "not a pixel is another"
    assert [secret for secret in SECRETS[:1] + SECRETS[3:] if secret in kept] == []


def test_no_text_in_a_png_or_a_gif_is_kept(prepare):
    texts = PngInfo()
    for add in (texts.add_text, texts.add_itxt):
        add("Comment", PLACE)
    texts.add_text("Long", PLACE * 50, zip=True)
    _facts, kept, _preview = prepare(written("PNG", pnginfo=texts))
    assert b"secret" not in kept and b"tEXt" not in kept and b"zTXt" not in kept and b"iTXt" not in kept
    _facts, kept, _preview = prepare(written("GIF", comment=PLACE.encode()))
    assert b"secret" not in kept
    Image.open(io.BytesIO(kept)).load()


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_it_is_turned_upright(prepare, kind, orientation):
    content = written(kind, exif=exif(orientation))
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
    facts, kept, _preview = prepare(content)
    image = Image.open(io.BytesIO(kept))
    assert image.size == expected.size == (facts.width, facts.height) == ((320, 200) if orientation < 5 else (200, 320))
    assert not image.getexif() and b"secret" not in kept
    difference = ImageChops.difference(image.convert("RGB").resize((8, 8)), expected.resize((8, 8)))
    assert max(most for _least, most in difference.getextrema()) < 12


def test_a_color_profile_is_kept(prepare):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in ("JPEG", "PNG", "WEBP"):
        for orientation in (1, 6):
            _facts, kept, _preview = prepare(written(kind, exif=exif(orientation), icc_profile=profile))
            assert Image.open(io.BytesIO(kept)).info.get("icc_profile") == profile, (kind, orientation)


def test_what_follows_the_end_is_not_kept(prepare):
    for kind in ("JPEG", "PNG", "GIF", "WEBP"):
        _facts, kept, _preview = prepare(written(kind) + b"PK\x03\x04" + HTML)
        assert b"<script>" not in kept, kind


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_stays_one(prepare, kind):
    content = animation(kind)
    facts, kept, preview = prepare(content)
    assert facts.is_animated and Image.open(io.BytesIO(kept)).n_frames == 3
    assert getattr(preview, "n_frames", 1) == 1


def test_a_progressive_jpeg(prepare):
    content = written("JPEG", progressive=True, comment=PLACE.encode())
    _facts, kept, _preview = prepare(content)
    assert b"secret" not in kept
    assert Image.open(io.BytesIO(kept)).tobytes() == Image.open(io.BytesIO(content)).tobytes()


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16", "CMYK"])
def test_images_of_every_mode(prepare, mode):
    out = io.BytesIO()
    kind = "JPEG" if mode == "CMYK" else "PNG"
    Image.new("L", (40, 30), 99).convert("I;16" if mode == "I;16" else mode).save(out, kind)
    facts, _kept, preview = prepare(out.getvalue())
    assert (facts.width, facts.height, preview.size) == (40, 30, (40, 30))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(width, height, rows=b""):
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


@pytest.mark.parametrize("size", [(100_000, 100_000), (2**31 - 1, 1), (8000, 7000)])
def test_a_bomb_is_refused_in_words(prepare, size):
    with pytest.raises(Invalid) as refused:
        prepare(png_of(*size))
    assert "pixels" in str(refused.value.message)


def test_a_large_one_is_kept_without_a_preview(prepare):
    out = io.BytesIO()
    Image.new("1", (5000, 5000)).save(out, "PNG")
    facts, _kept, preview = prepare(out.getvalue())
    assert (facts.width, facts.height, preview) == (5000, 5000, None)


def decoded(monkeypatch, plugin):
    """Return the list to which the size of each image is added that Pillow decodes from now on."""
    sizes, real = [], plugin.load_prepare

    def load_prepare(image):
        if image.tile:
            sizes.append(image.size)
        return real(image)
    monkeypatch.setattr(plugin, "load_prepare", load_prepare)
    return sizes


def test_a_png_is_decoded_once_and_a_large_one_never(prepare, monkeypatch):
    sizes = decoded(monkeypatch, PngImageFile)
    out = io.BytesIO()
    Image.new("RGBA", (5000, 5000), (1, 2, 3, 4)).save(out, "PNG")
    assert prepare(out.getvalue())[0].width == 5000 and sizes == []
    assert prepare(written("PNG"))[0].has_preview and sizes == [(320, 200)]


def test_what_turns_a_png_may_follow_the_picture(prepare):
    content = written("PNG")
    late = content[:-12] + chunk(b"eXIf", exif(6).removeprefix(b"Exif\0\0")) + content[-12:]
    assert prepare(late)[0].height == 320


def scans_of(content, number):
    """Return a progressive JPEG whose last scan comes `number` times."""
    last, end = content.rindex(b"\xff\xda"), content.rindex(b"\xff\xd9")
    return content[:last] + content[last:end] * number + content[end:]


def test_a_jpeg_of_too_many_scans_is_refused_before_it_is_decoded(prepare, monkeypatch):
    content = written("JPEG", progressive=True)
    assert prepare(scans_of(content, 3))[0].has_preview
    sizes = decoded(monkeypatch, JpegImageFile)
    with pytest.raises(Invalid) as refused:
        prepare(scans_of(content, 300))
    assert "steps" in str(refused.value.message) and sizes == []


@pytest.mark.parametrize("limit", ["MAX_DECODED_PIXELS", "MAX_SCANNED_PIXELS"])
def test_a_large_progressive_jpeg_is_kept_without_a_preview(prepare, monkeypatch, limit):
    """It is decoded at full size, whatever size is asked for."""
    monkeypatch.setattr(images, limit, 320 * 200 - 1)
    sizes = decoded(monkeypatch, JpegImageFile)
    facts, kept, _preview = prepare(written("JPEG", progressive=True, exif=exif(6)))
    assert not facts.has_preview and sizes == [] and b"secret" not in kept
    monkeypatch.undo()
    with Image.open(io.BytesIO(kept)) as image:
        assert dict(image.getexif()) == {0x0112: 6}, "it was not turned, so it still says how it lies, and nothing else"
        assert (facts.width, facts.height) == (200, 320)


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage of some program", b"Exif\0\0II*\0", b"Exif\0\0", b"Exif\0\0MM\0*\0\0\xff\xff"])
def test_a_jpeg_whose_exif_nobody_can_read_is_kept_without_it(prepare, exif):
    facts, kept, _preview = prepare(written("JPEG", exif=exif))
    assert (facts.width, facts.height, facts.has_preview) == (320, 200, True) and b"Exif" not in kept


@pytest.mark.parametrize("kind", [5, 11], ids=["a fraction", "a floating point number"])
def test_an_orientation_that_is_no_whole_number_is_none(prepare, monkeypatch, kind):
    monkeypatch.setattr(images, "MAX_DECODED_PIXELS", 320 * 200 - 1)
    value = {5: (6).to_bytes(4, "little") + (1).to_bytes(4, "little"), 11: struct.pack("<f", 6)}[kind]
    place = (26).to_bytes(4, "little") if len(value) > 4 else value
    block = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + (0x0112).to_bytes(2, "little") + kind.to_bytes(2, "little") + (1).to_bytes(4, "little") + place + bytes(4) + value
    facts, kept, _preview = prepare(written("JPEG", progressive=True, exif=block))
    assert (facts.width, facts.height) == (320, 200) and b"Exif" not in kept


def test_too_many_frames(prepare, monkeypatch):
    monkeypatch.setattr(images, "MAX_FRAMES", 2)
    with pytest.raises(Invalid):
        prepare(animation())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.7, 0.97])
def test_a_truncated_one_is_refused(prepare, kind, share):
    noise = Image.frombytes("RGB", (160, 120), random.Random(1).randbytes(160 * 120 * 3))
    out = io.BytesIO()
    noise.save(out, kind)
    content = out.getvalue()[:int(len(out.getvalue()) * share)]
    with pytest.raises(Invalid):
        prepare(content, KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_ones_are_refused_or_kept_but_never_fail(prepare, kind):
    dice, content = random.Random(kind), written(kind)
    outcomes = set()
    for _round in range(150):
        damaged = bytearray(content)
        for _hit in range(dice.randint(1, 12)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            prepare(bytes(damaged), KINDS[kind])
            outcomes.add("kept")
        except Invalid:
            outcomes.add("refused")
    assert "refused" in outcomes


# --- videos ------------------------------------------------------------------------------------------------------------

def box(name, *content):
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + name + body


def test_a_video_tells_no_place(tmp_path):
    place = box(b"udta", box(b"\xa9xyz", b"\0\x12\x15\xc7+48.8584+002.2945/"))
    video = box(b"ftyp", b"isom\0\0\2\0isommp41") + box(b"moov", box(b"mvhd", bytes(100)), place, box(b"trak", box(b"tkhd", bytes(84)), place),
                                                       box(b"meta", bytes(4), b"+48.8584")) + box(b"mdat", b"picture") + box(b"uuid", b"x" * 16, b"+48.8584")
    path = tmp_path / "video"
    path.write_bytes(video)
    assert type_of(video) == "video/mp4"
    metadata.strip(path, "video/mp4")
    kept = path.read_bytes()
    assert len(kept) == len(video) and b"48.8584" not in kept and b"picture" in kept and kept.count(b"free") == 4


@pytest.mark.parametrize("content", [b"\0\0\0\x10ftypisom\0\0\2\0" + b"\xff\xff\xff\xffmoov", box(b"ftyp", b"isom\0\0\2\0") + b"\0\0\0\1moov" + b"\xff" * 8,
                                     box(b"ftyp", b"isom\0\0\2\0") + struct.pack(">I", 3) + b"moovxxxx"])
def test_boxes_that_do_not_fit(tmp_path, content):
    path = tmp_path / "video"
    path.write_bytes(content)
    with pytest.raises(metadata.Malformed):
        metadata.strip(path, "video/mp4")


def tiff(order, *tags):
    """Return a TIFF with a picture of one pixel: {tag: (type, number, bytes)} in its directory and, under None, in the one of its place."""
    mark, (main, place) = {"<": b"II", ">": b"MM"}[order], tags
    out = bytearray(mark + struct.pack(order + "HI", 42, 8) + bytes(400))
    free = [200]

    def directory(at, entries, following):
        for n, (tag, (kind, number, value)) in enumerate(sorted(entries.items())):
            if len(value) > 4:
                out[free[0]:free[0] + len(value)] = value
                value, free[0] = struct.pack(order + "I", free[0]), free[0] + len(value)
            out[at + 2 + 12 * n:at + 14 + 12 * n] = struct.pack(order + "HHI", tag, kind, number) + value.ljust(4, b"\0")
        out[at:at + 2] = struct.pack(order + "H", len(entries))
        out[at + 2 + 12 * len(entries):at + 6 + 12 * len(entries)] = struct.pack(order + "I", following)
    directory(8, {**main, 0x8825: (4, 1, struct.pack(order + "I", 120))}, 160)
    directory(120, place, 0)
    directory(160, {0x010E: (2, 4, b"two\0"), 0x8825: (4, 1, struct.pack(order + "I", 120))}, 0)
    return bytes(out)


@pytest.mark.parametrize("order", "<>")
def test_a_tiff_tells_no_place_and_keeps_the_rest(tmp_path, order):
    content = tiff(order, {0x0100: (3, 1, struct.pack(order + "H", 7)), 0x02BC: (1, 12, b"secret place"), 0x9C9F: (2, 8, b"subject\0")},
                   {1: (2, 2, b"N\0"), 2: (5, 3, struct.pack(order + "6I", 48, 1, 51, 1, 30, 1))})
    path = tmp_path / "photo.dng"
    path.write_bytes(content)
    assert type_of(content) == "image/tiff"
    metadata.strip(path, "image/tiff")
    kept = path.read_bytes()
    assert len(kept) == len(content) and b"secret" not in kept and struct.pack(order + "2I", 48, 1) not in kept and b"subject" in kept
    found = Image.Exif()
    found.load(kept)
    assert (dict(found), found.get_ifd(0x8825)) == ({0x0100: 7, 0x9C9F: "subject"}, {})
    assert struct.unpack(order + "I", kept[8 + 2 + 24:8 + 6 + 24]) == (160,), "the next directory is known"
    assert struct.unpack(order + "HH", kept[160:164]) == (1, 0x010E)


@pytest.mark.parametrize("content", [b"II*\0", b"II*\0" + b"\xff" * 8, b"II*\0" + struct.pack("<IH", 8, 9), b"MM\0*" + struct.pack(">IHHHII", 8, 1, 0x8825, 4, 1, 9999),
                                     b"II*\0" + struct.pack("<IH", 8, 4) + struct.pack("<HHII", 0x02BC, 1, 50, 62) * 4 + bytes(54)])
def test_directories_that_do_not_fit(tmp_path, content):
    path = tmp_path / "photo"
    path.write_bytes(content)
    with pytest.raises(metadata.Malformed):
        metadata.strip(path, "image/tiff")


def test_directories_that_lead_in_a_circle(tmp_path):
    path = tmp_path / "photo"
    path.write_bytes(b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x014A, 4, 1, 8, 8))
    metadata.strip(path, "image/tiff")


# --- types ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("content, kind", [
    (HTML, "text/plain"), (SVG, "text/plain"), (TEXT, "text/plain"), (PDF, "application/pdf"), (b" %PDF-1.4", "text/plain"), (b"", "application/octet-stream"),
    (b"\0\1\2", "application/octet-stream"), (b"PK\x03\x04word/document.xml", "application/zip"), ("é".encode()[:1], "text/plain"),
    (b"MZ\x90\0", "application/octet-stream"), (b"OggS" + bytes(30), "audio/ogg"), (b"The wide road", "text/plain"),
    (b"\0\0\0\x18ftypM4VP\0\0\0\0", "video/mp4"), (b"\0\0\0\x18ftyp3g2a\0\0\0\0", "video/mp4"), (b"\0\0\0\x08wide\0\1\2\3mdat", "video/quicktime"),
    (b"\xff\xfe<\0s\0", "application/octet-stream"), (picture("BMP"), "image/bmp"),
    (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"), (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav")])
def test_the_type_is_that_of_the_content(content, kind):
    assert type_of(content) == kind


def element(number, *content):
    """Return an element of a WebM file, of a known length."""
    body = b"".join(content)
    return number + struct.pack(">I", 0x10000000 | len(body)) + body


def webm_of(*types, length=None):
    """Return the beginning of a WebM file with tracks of these types, and behind them bytes that look like one of video."""
    tracks = element(b"\x16\x54\xae\x6b", *(element(b"\xae", element(b"\xd7", b"\1"), element(b"\x83", kind)) for kind in types))
    content = element(b"\xec", b"\x83\x81\x01") + tracks + element(b"\x1f\x43\xb6\x75", b"\x83\x81\x01")
    segment = b"\x18\x53\x80\x67" + (length or struct.pack(">I", 0x10000000 | len(content))) + content
    return element(b"\x1a\x45\xdf\xa3", element(b"\x42\x82", b"webm")) + segment


@pytest.mark.parametrize("length", [None, b"\x01" + b"\xff" * 7, b"\xff"], ids=["known", "live", "short"])
def test_a_webm_is_video_if_it_has_a_track_of_video(length):
    assert type_of(webm_of(b"\2", length=length)) == "audio/webm"
    assert type_of(webm_of(b"\2", b"\1", length=length)) == type_of(webm_of(b"\0\1", length=length)) == "video/webm"
    assert type_of(webm_of(length=length)) == "video/webm", "nobody knows; a video player plays sound too"


@pytest.mark.parametrize("content", [webm_of(b"\2")[:n] for n in (16, 24, 40, 50)] + [b"\x1a\x45\xdf\xa3webm" + bytes(50), b"\x1a\x45\xdf\xa3webm" + b"\xff" * 50])
def test_a_webm_that_is_cut(content):
    assert type_of(content) in ("video/webm", "audio/webm", "video/x-matroska")

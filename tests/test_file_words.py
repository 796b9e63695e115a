"""What is said of files: the server and the browser use the same words."""
import json
import random
import subprocess

from flask import Flask
from flask_babel import Babel

from chat.conversations import file_words
from chat.conversations.file import File
from chat.conversations.file_types import CHECKED_IMAGES
from tools import ROOT, node

NODE_SECONDS = 60
TYPES = [*CHECKED_IMAGES, "image/heic", "image/tiff", "image/bmp", "image/svg+xml", "audio/mpeg", "video/mp4", "application/pdf", "application/zip", "text/plain",
         "application/octet-stream"]
NAMES = ["a", "a.heic", ".bmp", "a.b.TIFF", "a.é", "a.longer", "été.zip"]


def file_of(name, kind, duration=None):
    """Return a file as it is stored: of the images that are shown the size is known."""
    size = {"width": 1000, "height": 750} if kind in CHECKED_IMAGES else {}
    return File(1, "c", "hash", name, kind, 1, duration=duration, **size)


def test_the_browser_says_the_same():
    rng = random.Random(3)
    files = [file_of(name, kind, duration) for name in NAMES for kind in TYPES for duration in (None, 2500)]
    sizes = [0, 1, 2, 999, 1000, 12_500_000, 1_050, 1_150_000, 9_950, 9_949, 9_950_000, 10_500, 999_499, 999_500, 999_950, 2_500_000_000,
             *(int(10 ** rng.uniform(0, 12)) for _n in range(1000)), *(rng.randint(1, 2000) * 50 * 10 ** rng.randint(0, 7) for _n in range(1000))]
    milliseconds = [0, 499, 500, 1500, 2500, 59_500, 3_599_500, *(rng.randint(0, 10_000) * 100 for _n in range(1000))]
    images = [(rng.randint(1, 5000), rng.randint(1, 5000)) for _n in range(1000)] + [(560, 5), (5, 400), (112, 1000), (1, 50_000)]
    asked = {"files": [file.as_json() for file in files], "sizes": sizes, "seconds": [each / 1000 for each in milliseconds],
             "images": [{"width": width, "height": height} for width, height in images]}
    result = subprocess.run([*node.node_command(), str(ROOT / "tests" / "js" / "file-words.mjs")], input=json.dumps(asked), capture_output=True, text=True,
                            encoding="utf-8", timeout=NODE_SECONDS)
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout)
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        pairs = [("kinds", files, file_words.kind_words), ("previews", files, lambda file: file_words.preview_words([file])),
                 ("pairs", files, lambda file: file_words.preview_words([file, file])), ("sizes", sizes, file_words.size_words),
                 ("seconds", milliseconds, file_words.duration_words),
                 ("images", images, lambda size: list(file_words.shown_size(File(1, "c", "hash", "a", "image/png", 1, *size))))]
        different = [(about, one, words(one), theirs) for about, ours, words in pairs for one, theirs in zip(ours, said[about]) if words(one) != theirs]
    assert different == []

"""Style sheets, scripts and icons: built by `manage.py`, and served under a path that changes with their content."""
import functools
import hashlib
import re
from pathlib import Path

from flask import Blueprint, Response, abort, request, send_from_directory
from markupsafe import Markup

from .headers import FOR_EVER

FOLDER = Path(__file__).parent.parent / "static"
BUILT = FOLDER / "build"
SERVED = (".css", ".js", ".svg", ".json", ".png")
COMPRESSED = {".css": "text/css", ".js": "text/javascript", ".json": "application/json"}

# For a page that was open across an upgrade: a module that it loads only now would not fit those that it has. Drafts and unsent
# messages are in the browser's storage.
RELOAD = "location.reload();\nawait new Promise(() => {});\n"

assets = Blueprint("assets", __name__)


@functools.cache
def version():
    """Return one hash of all files. It is a part of the path, because ES modules import each other by relative paths."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file() and path.suffix in SERVED:
            digest.update(path.relative_to(FOLDER).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def asset(path):
    """Return the URL of a static file."""
    return f"/static/{version()}/{path}"


@functools.cache
def icon(name, **attributes):
    """Return an icon as inline SVG, with a `class` if one is given. Screen readers skip it: there is always a label beside it."""
    classes = f"icon {attributes.get('class', '')}".strip()
    svg = (BUILT / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r'\sclass="[^"]*"', "", svg, count=1)
    svg = re.sub(r"\s+", " ", svg).replace("> <", "><")     # a list has an icon in each of its lines
    return Markup(svg.replace("<svg", f'<svg class="{classes}" aria-hidden="true" focusable="false"', 1).strip())


@assets.get("/static/<hashed>/<path:name>")
def static_file(hashed, name):
    if Path(name).suffix not in SERVED:
        abort(404)
    if name.startswith("js/") and hashed != version():
        return Response(RELOAD, mimetype="text/javascript", headers={"Cache-Control": "no-cache"})
    # Scripts are served minified, from the folder of the build.
    folder = BUILT if name.startswith("js/") else FOLDER
    response = _compressed(folder / name) or send_from_directory(folder, name)
    response.headers["Cache-Control"] = FOR_EVER if hashed == version() else "no-cache"
    response.headers["Vary"] = "Accept-Encoding"
    return response


def _compressed(path):
    """Return the compressed copy of a file, if the build has made one and the browser accepts it; else None."""
    copy = _copies().get(path)
    if not copy or "gzip" not in request.headers.get("Accept-Encoding", ""):
        return None
    return Response(copy.read_bytes(), mimetype=COMPRESSED[path.suffix], headers={"Content-Encoding": "gzip"})


@functools.cache
def _copies():
    """Return {file: its .gz}. No name from a request reaches the disk unless it is in here."""
    return {path.with_suffix(""): path for path in BUILT.rglob("*.gz")}

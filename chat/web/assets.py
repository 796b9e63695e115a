"""Styles, scripts and icons: made by `manage.py`, served from this site under a name that changes with them."""
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

assets = Blueprint("assets", __name__)


@functools.cache
def version():
    """Return a hash of all files: ES modules import each other by relative paths, so that it stands in the path."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file() and path.suffix in SERVED:
            digest.update(path.relative_to(FOLDER).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def asset(path):
    """Return the address of a static file."""
    return f"/static/{version()}/{path}"


@functools.cache
def icon(name, **attributes):
    """Return an icon as inline SVG, with a `class` if one is given; hidden from screen readers: words stand beside it."""
    classes = f"icon {attributes.get('class', '')}".strip()
    svg = (BUILT / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r'\sclass="[^"]*"', "", svg, count=1)
    return Markup(svg.replace("<svg", f'<svg class="{classes}" aria-hidden="true" focusable="false"', 1).strip())


@assets.get("/static/<hashed>/<path:name>")
def static_file(hashed, name):
    if Path(name).suffix not in SERVED:
        abort(404)
    # Scripts are served as the build has minified them, beside what they import from there.
    folder = BUILT if name.startswith("js/") else FOLDER
    response = _compressed(folder / name) or send_from_directory(folder, name)
    response.headers["Cache-Control"] = FOR_EVER if hashed == version() else "no-cache"
    response.headers["Vary"] = "Accept-Encoding"
    return response


def _compressed(path):
    """Return the file as the build has compressed it, if there is such a copy and the browser takes it."""
    copy = _copies().get(path)
    if not copy or "gzip" not in request.headers.get("Accept-Encoding", ""):
        return None
    mimetype = "text/css" if path.suffix == ".css" else "text/javascript"
    return Response(copy.read_bytes(), mimetype=mimetype, headers={"Content-Encoding": "gzip"})


@functools.cache
def _copies():
    """Return {file: its .gz}; what is not among them is never read from the disk by a name that came from outside."""
    return {path.with_suffix(""): path for path in BUILT.rglob("*.gz")}

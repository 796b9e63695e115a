"""How a file is sent: in small pieces, by ranges, and so that a browser runs nothing of it."""
from flask import Response, request
from flask_babel import gettext as _
from werkzeug.http import parse_if_range_header

from ..errors import NotFound
from ..storage.file_store import PREVIEW
from .file_names import content_disposition
from .file_types import INLINE, UNKNOWN

CACHE = "private, max-age=60"      # seconds. A browser shows a deleted file at most this long; after that an unchanged file costs a 304
POLICY = "sandbox; default-src 'none'"
PREVIEW_TYPE = "image/webp"


def content(store, file, key):
    """Return the answer with a file; `?download` has the browser save it, whatever it is."""
    is_inline = file.type in INLINE and "download" not in request.args
    return _answer(store, key, file.type if file.type in INLINE else UNKNOWN, content_disposition("inline" if is_inline else "attachment", file.name))


def preview(store, file):
    return _answer(store, file.hash + PREVIEW, PREVIEW_TYPE, "inline")


def _answer(store, key, kind, disposition):
    size = store.size(key)
    if size is None:
        raise NotFound(_("File not found."))
    etag = key[:32] + key[64:]
    response = Response(mimetype=kind, headers={
        "Content-Disposition": disposition, "Content-Security-Policy": POLICY, "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": CACHE, "Vary": "Cookie", "Accept-Ranges": "bytes"})
    response.headers["Content-Type"] = kind     # without a charset
    response.set_etag(etag)
    if request.if_none_match.contains(etag):
        response.status_code = 304
        return response
    start, length = 0, size
    asked = request.range
    if asked and asked.units == "bytes" and len(asked.ranges) == 1 and _still_the_same(etag):      # several at once: the whole is sent
        found = asked.range_for_length(size)
        if not found:
            response.status_code = 416
            response.headers["Content-Range"] = f"bytes */{size}"
            return response
        start, length = found[0], found[1] - found[0]
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {start}-{found[1] - 1}/{size}"
    response.content_length = length
    if request.method != "HEAD" and length:
        response.response = store.open(key, start, length)
    return response


def _still_the_same(etag):
    """Tell whether the range is asked of what is there: of another version, the whole is sent."""
    if_range = parse_if_range_header(request.headers.get("If-Range"))
    return if_range is None or if_range.etag is None and if_range.date is None or if_range.etag == etag

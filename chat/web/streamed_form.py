"""Bodies that are read while they arrive: a file of 25 MB is never in memory as a whole.

Flask would read the form of such a request before the view runs, because the CSRF check looks into it. Here `request.form` has the fields that
come before the first file, so the token has to be among them, or in a header. The view reads the rest, with `files()`.
"""
from flask import abort, g, request
from flask_babel import lazy_gettext as _
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import BLANK_LINE_RE, Data, Field, File, MultipartDecoder, NeedData, State

from ..errors import Unavailable
from .forms import MAX_FIELDS, MAX_HEAD_BYTES, STREAMED, PartHeads

PIECE_BYTES = 64 * 1024             # read at once, at most
MAX_BUFFER_BYTES = 256 * 1024       # of the decoder
MAX_FIELDS_BYTES = 128 * 1024       # of all fields together


class BodyCut(Unavailable):
    """A body that did not arrive as a whole: its sender was cut off, or sent nothing more for too long. The same may arrive later."""

    def __init__(self):
        super().__init__(_("What you sent did not arrive as a whole. Try again."))


def install(app):
    """Prepare such requests. To be called before anything that reads forms is installed."""
    @app.before_request
    def read_first_fields():
        body = request.environ.get(STREAMED)
        if body is None:
            return
        request.form = request.files = ImmutableMultiDict()
        boundary = request.mimetype_params.get("boundary", "")
        if request.mimetype == "multipart/form-data":
            if not boundary or not boundary.isascii():
                abort(400)
            g.streamed_form = StreamedForm(body, boundary.encode())
            g.streamed_form.read_first_fields()
            request.form = ImmutableMultiDict(g.streamed_form.fields)


class StreamedForm:
    """A multipart form that is read part by part. `fields` has the texts that have come so far."""

    def __init__(self, body, boundary):
        self.body = body
        self.decoder = MultipartDecoder(boundary, MAX_BUFFER_BYTES, max_parts=MAX_FIELDS)
        self.heads = PartHeads()
        self.fields = {}
        self.fields_bytes = 0
        self.file = None        # the part of a file whose content comes next
        self.is_over = False

    def read_first_fields(self):
        """Read up to the first file."""
        self._read_fields()

    def files(self):
        """Yield (field name, file name, chunks) for each file. Its chunks have to be read before the next one comes."""
        while self._read_fields():
            part, self.file = self.file, None
            yield part.name, part.filename, self._chunks()

    def _read_fields(self):
        """Read up to the next file; return whether there is one."""
        while not self.file and not self.is_over:
            event = self._next_event()
            if isinstance(event, Field):
                self._read_field(event)
            elif isinstance(event, File):
                self.file = event
        return bool(self.file)

    def _read_field(self, part):
        value = bytearray()
        for chunk in self._chunks():
            value += chunk
            if self.fields_bytes + len(value) > MAX_FIELDS_BYTES:
                abort(413)
        self.fields_bytes += len(value)
        try:
            self.fields.setdefault(part.name or "", value.decode())
        except UnicodeDecodeError:
            abort(400)

    def _chunks(self):
        while True:
            event = self._next_event()
            if not isinstance(event, Data):
                abort(400)
            if event.data:
                yield event.data
            if not event.more_data:
                return

    def _next_event(self):
        while True:
            try:
                self._check_head()
                event = self.decoder.next_event()
            except RequestEntityTooLarge:
                abort(413)
            except ValueError:      # it is no multipart form
                abort(400)
            if not isinstance(event, NeedData):
                return event
            if self.decoder.state in (State.EPILOGUE, State.COMPLETE):
                self.is_over = True
                return event
            piece = self.body.read(PIECE_BYTES)
            if not piece:
                abort(400)      # the form ends before its last boundary
            self.decoder.receive_data(piece)

    def _check_head(self):
        """Look at the head of a part as soon as it is whole, or longer than any."""
        begun = self.decoder.buffer
        if self.decoder.state == State.PART and (len(begun) > MAX_HEAD_BYTES or BLANK_LINE_RE.search(begun)):
            self.heads.check(begun)

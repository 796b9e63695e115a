"""The bodies of requests: they are read before the application runs, or while they arrive, and each has its time."""
import io
import re
import time

from ..web.forms import STREAMED
from ..web.headers import with_security_headers
from ..web.streamed_form import PIECE_BYTES, BodyCut

BODY_SECONDS = 10           # that every body has
BODY_BYTES_PER_SECOND = 16 * 1024   # a body has one second more for each of these bytes
STALL_SECONDS = 20          # without a byte, after which an upload is cut
UPLOAD_SECONDS = 60         # that every upload has: a body that is read while it arrives
UPLOAD_BYTES_PER_SECOND = 1024      # an upload has one second more for each of these bytes that has come
MAX_DISCARDED = 1024 * 1024     # bytes of a body that is too large: they are read so that its sender gets the answer
MAX_LENGTH_DIGITS = 12      # of a Content-Length


class Bodies:
    """WSGI middleware around the application: it reads the body of a request before the application runs, within a deadline.

    A body without a Content-Length is refused: no browser sends one, and the servers would read its chunk sizes without a limit.
    One of more than `max_bytes` is read and forgotten, a piece at a time, and its sender is told that it is too large.
    Requests to `guarded_path` are left alone: the guard reads their bodies. Uploads get a PacedBody, which the view reads.
    """

    def __init__(self, application, runtime, max_bytes, https=False, guarded_path="/socket.io"):
        self.application = application
        self.runtime = runtime
        self.max_bytes = max_bytes
        self.https = https
        self.guarded_path = guarded_path

    def __call__(self, environ, start_response):
        length = environ.get("CONTENT_LENGTH") or "0"
        if "HTTP_TRANSFER_ENCODING" in environ:
            return self._refuse("400 Bad Request", "A body needs a Content-Length.", environ, start_response)
        if not (length.isascii() and length.isdigit() and len(length) <= MAX_LENGTH_DIGITS):
            return self._refuse("400 Bad Request", "Content-Length is a number.", environ, start_response)
        is_read_by_guard = environ["REQUEST_METHOD"] == "POST" and environ.get("PATH_INFO", "").startswith(self.guarded_path)
        if is_streamed(environ):
            return self._serve_streamed(environ, start_response, int(length))
        if int(length) > self.max_bytes and not is_read_by_guard:
            PacedBody(self.runtime, environ, int(length)).discard_rest()
            environ["wsgi.input"] = io.BytesIO()    # Flask refuses it by its Content-Length alone
        elif int(length) and not is_read_by_guard:
            size = int(length)
            try:
                body = self.runtime.read_in_time(environ, size, BODY_SECONDS + size / BODY_BYTES_PER_SECOND)
            except OSError:
                self.runtime.stop_reading(environ)
                return self._refuse("408 Request Timeout", "The body did not arrive in time.", environ, start_response)
            if len(body) < size:
                return self._refuse("400 Bad Request", "The body is not whole.", environ, start_response)
            environ["wsgi.input"] = io.BytesIO(body)
        return self.application(environ, start_response)

    def _serve_streamed(self, environ, start_response, length):
        body = environ["wsgi.input"] = environ[STREAMED] = PacedBody(self.runtime, {**environ}, length)
        try:
            return self.application(environ, start_response)
        finally:
            body.discard_rest()

    def _refuse(self, status, reason, environ, start_response):
        self.runtime.close_after_answer(environ)
        with_security_headers(start_response, environ, self.https)(status, [
            ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(reason))), ("Connection", "close")])
        return [reason.encode()]


UPLOADS = "/files"
STREAMED_FORMS = re.compile(r"/messages/[^/]+|/conversations/\d+/messages", re.ASCII)


def is_streamed(environ):
    """Tell whether a body is read while it arrives: a file that is uploaded, or a message in a form that can have files."""
    method, path = environ["REQUEST_METHOD"], "/" + environ.get("PATH_INFO", "").lstrip("/")     # as Flask understands it
    if method in ("POST", "PUT") and (path == UPLOADS or path.startswith(UPLOADS + "/")):
        return True
    is_multipart = environ.get("CONTENT_TYPE", "").lower().startswith("multipart/form-data")
    return method == "POST" and is_multipart and bool(STREAMED_FORMS.fullmatch(path))


class PacedBody:
    """The body of an upload. Its deadline moves on with what arrives, and who sends nothing more is cut.

    Until the view calls `accept`, and after a refusal, it has the time of any other body. In between it has that of an upload: a slow phone may
    take minutes.
    """

    def __init__(self, runtime, environ, length):
        self.runtime = runtime
        self.environ = environ      # as the server made it: with its own `wsgi.input`
        self.left = length
        self._begin(BODY_SECONDS, BODY_BYTES_PER_SECOND)
        self.discardable = MAX_DISCARDED        # bytes that are read after a refusal, so that its sender gets the answer

    def _begin(self, seconds, bytes_per_second):
        self.began_at, self.received, self.seconds, self.bytes_per_second = time.monotonic(), 0, seconds, bytes_per_second

    def accept(self, discardable):
        """Wait for it as long as an upload may take, and read so many bytes after a refusal too: its sender is to read why."""
        self._begin(UPLOAD_SECONDS, UPLOAD_BYTES_PER_SECOND)
        self.discardable = discardable

    def read(self, size=PIECE_BYTES):
        """Return the next piece, or no bytes at the end. Raises BodyCut."""
        size = min(size if size > 0 else PIECE_BYTES, PIECE_BYTES, self.left)
        if not size:
            return b""
        time_left = self.began_at + self.seconds + self.received / self.bytes_per_second - time.monotonic()
        if time_left <= 0:
            raise self._cut()
        try:
            piece = self.runtime.read_some(self.environ, size, min(time_left, STALL_SECONDS))
        except (OSError, ValueError) as error:
            raise self._cut() from error
        if not piece:
            raise self._cut()
        self.left -= len(piece)
        self.received += len(piece)
        return piece

    def _cut(self):
        self.left, self.discardable = 1, 0      # nothing more is read: the connection is closed after the answer
        self.runtime.stop_reading(self.environ)
        return BodyCut()

    def discard_rest(self):
        """Read what was not read, or close the connection after the answer."""
        self._begin(BODY_SECONDS, BODY_BYTES_PER_SECOND)
        try:
            while self.left and self.discardable > 0:
                self.discardable -= len(self.read())
        except BodyCut:
            pass
        if self.left:
            self.runtime.close_after_answer(self.environ)

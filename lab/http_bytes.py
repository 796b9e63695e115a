"""What the bytes of an HTTP connection say, for the parts of the lab that work on bare sockets."""
import http.client
import io
import re
import types

HEAD_END = b"\r\n\r\n"
REQUEST_LINE = re.compile(rb"[A-Z]{3,7} /")
CONTENT_LENGTH = re.compile(rb"^content-length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)


def begins_request(data):
    """Tell whether these bytes look like the beginning of a request."""
    return REQUEST_LINE.match(data) is not None


def body_length(head):
    """Return the Content-Length of a request's head; 0 if it has none."""
    found = CONTENT_LENGTH.search(head)
    return int(found.group(1)) if found else 0


def status_of(response):
    """Return the status of a response, as far as it has arrived; 0 if there is none."""
    words = response.partition(b"\r\n")[0].split()
    return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit() else 0


def is_complete_response(response, ended=False):
    """Tell whether the whole response has arrived. `ended`: the connection has ended, and with it a body without a length."""
    if HEAD_END not in response:
        return False
    parsed = http.client.HTTPResponse(types.SimpleNamespace(makefile=lambda _mode: io.BytesIO(response)))
    try:
        parsed.begin()
        has_length = parsed.chunked or parsed.length is not None
        parsed.read()
    except http.client.HTTPException:
        return False
    return has_length or ended

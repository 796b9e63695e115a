"""A package registry on this machine: answers what a test lays down, and nothing else."""

import contextlib
import http.server
import json
import threading
from urllib.parse import urlsplit

from tests.waiting import LOOK_SECONDS


class Handler(http.server.BaseHTTPRequestHandler):
    """GET and POST alike: the address decides. A function is called with the body that came."""

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        found = self.server.answers.get(urlsplit(self.path).path)
        content = found(json.loads(body)) if callable(found) else found
        status, content = (200, content) if not isinstance(content, int) and content is not None else (content or 404, b"")
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = answer

    def log_message(self, *_arguments):
        pass


@contextlib.contextmanager
def registry(answers):
    """Serve {path: JSON, bytes, a status or a function}; the server's `url` is its address, `asked` what came."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.answers, server.asked = answers, []
        server.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(LOOK_SECONDS,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()

"""What every answer says to the browser about safety."""
from urllib.parse import urlsplit

from flask import request

POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:", "connect-src 'self'",
    "font-src 'self'", "manifest-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"))
PROTECTION = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
A_YEAR = 365 * 24 * 3600        # seconds
HSTS = f"max-age={A_YEAR}"
FOR_EVER = f"public, max-age={A_YEAR}, immutable"      # as Cache-Control


def install(app, https):
    @app.after_request
    def protect(response):
        response.headers.update(PROTECTION)
        if https or request.is_secure:
            response.headers["Strict-Transport-Security"] = HSTS
        # What names no caching of its own is a page of a person.
        response.headers.setdefault("Cache-Control", "no-store")
        if not (response.location or "/").startswith("/"):
            # Flask's own redirects name the Host that was sent, which may be anybody's.
            response.location = path_of(response.location)
            response.set_data(b"")
        return response


def path_of(address):
    """Return what of an address is on this site: its path, its query and its fragment."""
    parts = urlsplit(address)
    return parts._replace(scheme="", netloc="", path="/" + parts.path.lstrip("/\\")).geturl()


def protected(start_response):
    """Give the answers of /socket.io, which Flask never sees, the headers of all others."""
    def start(status, headers, *exc_info):
        return start_response(status, [*headers, *PROTECTION.items()], *exc_info)
    return start

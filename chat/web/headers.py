"""The security headers of every answer."""
from urllib.parse import urlsplit

from flask import request

POLICY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:", "connect-src 'self'",
    "font-src 'self'", "media-src 'self' blob:", "manifest-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"))
SECURITY_HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
YEAR_SECONDS = 365 * 24 * 3600
HSTS = f"max-age={YEAR_SECONDS}"
FOR_EVER = f"public, max-age={YEAR_SECONDS}, immutable"      # for Cache-Control


def install(app, https):
    @app.after_request
    def protect(response):
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)        # a file has a policy of its own
        if https or request.is_secure:
            response.headers["Strict-Transport-Security"] = HSTS
        # An answer without a Cache-Control of its own is a page for one user.
        response.headers.setdefault("Cache-Control", "no-store")
        if not (response.location or "/").startswith("/"):
            # Flask's own redirects contain the Host header of the request, which may name any site.
            response.location = path_of(response.location)
            response.set_data(b"")
        return response


def path_of(address):
    """Return a URL without scheme and host: its path, query and fragment."""
    parts = urlsplit(address)
    return parts._replace(scheme="", netloc="", path="/" + parts.path.lstrip("/\\")).geturl()


def with_security_headers(start_response, environ, https):
    """Return a `start_response` that adds the security headers, for answers that Flask never sees. They are in nobody's cache."""
    added = {**SECURITY_HEADERS, "Cache-Control": "no-store"}
    if https or environ["wsgi.url_scheme"] == "https":
        added["Strict-Transport-Security"] = HSTS

    def start(status, headers, *exc_info):
        return start_response(status, [*headers, *added.items()], *exc_info)
    return start

"""The Origin of a request: browsers name the site whose page sends it, and it has to be this one."""
from urllib.parse import urlsplit

from flask import request
from flask_babel import lazy_gettext as _

from ..errors import Invalid

DEFAULT_PORTS = {"http": 80, "https": 443}
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def install(app, https):
    """Refuse a form of another site, or of this one without TLS. The token alone decides where there is no TLS, or no Origin."""
    @app.before_request
    def refuse_foreign():
        origin = request.headers.get("Origin")
        is_checked = (https or request.is_secure) and request.method not in SAFE_METHODS and origin is not None
        if is_checked and not is_this_site(origin, request.environ, https):
            raise Invalid(_("This form has expired or comes from another site. Go back, reload the page and try again."))


def is_this_site(origin, environ, https=False):
    """Tell whether an Origin is the site that a request was sent to, as the browser sees it.

    `https` says that people reach the site by HTTPS, although a proxy that ends TLS reaches this server by HTTP.
    """
    try:
        parts = urlsplit(origin)
        default = DEFAULT_PORTS.get(parts.scheme)
        host = urlsplit("//" + environ.get("HTTP_HOST", ""))
        schemes = ("https",) if https or environ["wsgi.url_scheme"] == "https" else ("http", "https")
        return parts.scheme in schemes and (parts.hostname, parts.port or default) == (host.hostname, host.port or default)
    except ValueError:
        return False

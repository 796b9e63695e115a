"""Refuses requests from a page of another user: a tab may be open from before somebody else logged in."""
from flask import request
from flask_babel import lazy_gettext as _
from flask_login import current_user

from ..errors import Unauthorized

HEADER = "X-User-Id"        # scripts send it with each request; a live connection sends `userId` instead


def install(app):
    @app.before_request
    def refuse_page_of_another():
        owner = request.headers.get(HEADER)
        if owner is not None and not (current_user.is_authenticated and owner == current_user.get_id()):
            raise Unauthorized(_("This page belongs to another user. Reload it."))


def refuse_connection_of_another(auth, user):
    """Raise Unauthorized if the page that opens a live connection belongs to another user."""
    if isinstance(auth, dict) and auth.get("userId", user.id) != user.id:
        raise Unauthorized(_("This page belongs to another user. Reload it."))

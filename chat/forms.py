"""The two forms, and where a visitor may be sent after them."""
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField


class AccountForm(FlaskForm):
    """Username and password, for registering and for logging in."""

    username = StringField(_("Username"))
    password = PasswordField(_("Password"))
    next = HiddenField()


def safe_path(target):
    """Return the target if it is a path of this site, else `/`."""
    target = target or ""
    if not target.startswith("/") or target.startswith("//"):
        return "/"
    # Browsers read a backslash as a slash, and drop control characters before they look.
    if "\\" in target or any(ord(c) <= 32 or ord(c) == 127 for c in target):
        return "/"
    return target

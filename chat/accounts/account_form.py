"""The form for registering and for logging in, as HTML or as JSON."""
from flask import request
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.datastructures import ImmutableMultiDict
from wtforms import HiddenField, PasswordField, StringField


class AccountForm(FlaskForm):
    """Username and password, for registering and for logging in."""

    username = StringField(_("Username"))
    password = PasswordField(_("Password"))
    next = HiddenField()

    class Meta(FlaskForm.Meta):
        def wrap_formdata(self, form, _formdata):
            """Accept only text as the value of a field: the library would accept a file, or JSON of any type."""
            return _texts() if form.is_submitted() else None


def _texts():
    if request.form or not request.is_json:
        return request.form
    sent = request.get_json(silent=True)
    return ImmutableMultiDict({name: value for name, value in sent.items() if isinstance(value, str) and _is_unicode(value)}
                              if isinstance(sent, dict) else {})


def _is_unicode(text):
    try:
        return text.encode() is not None
    except UnicodeEncodeError:      # half of a surrogate pair
        return False

"""Devices: browsers from which a user has logged in before. Each has its own login attempts, so an attacker cannot lock the user out.

After the device cookies of OWASP: https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""
import secrets
from datetime import timedelta

from flask import current_app as app
from flask import request
from itsdangerous import BadSignature, URLSafeSerializer

LIFETIME = timedelta(days=365)
MAX_PEOPLE = 20     # that one browser remembers: the computers of a classroom have many users


def known_device(user):
    """Return the id of this browser if the user has logged in from it before, else None. `user` may be None."""
    device_id, people = _read()
    return device_id if user and user.id in people else None


def remember(answer, user):
    """Set the cookie that proves that the user has logged in from this browser."""
    device_id, people = _read()
    people = [user.id, *(user_id for user_id in people if user_id != user.id)][:MAX_PEOPLE]
    answer.set_cookie(_name(), _signer().dumps([device_id or secrets.token_urlsafe(16), people]), max_age=LIFETIME,
                      httponly=True, secure=app.config["SESSION_COOKIE_SECURE"], samesite="Lax")
    return answer


def _read():
    try:
        return _signer().loads(request.cookies.get(_name(), ""))
    except BadSignature:
        return None, []


def _signer():
    return URLSafeSerializer(app.secret_key, salt="device")


def _name():
    # A name of its own for each chat: another chat on the same host would overwrite the cookie.
    return app.session_cookie.second_name.replace("session", "device")

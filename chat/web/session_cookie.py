"""The session cookie: its name, and whether a value was made by this chat.

Browsers send a cookie to every port of a host, and `session` is the name that Flask gives it: two programs on one host would log each
other's people out. If a cookie of another program has the usual name, this chat leaves it alone and uses a second name, which is derived
from its key.
"""
import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode

from itsdangerous import BadSignature, URLSafeSerializer

VISITOR_KEYS = {"csrf_token": str, "_permanent": bool}      # all that the session of a visitor has
MARK_BYTES = 8          # of a session id: they tell which chat made it; the other 24 make it unguessable


class SessionCookie:
    """Makes and reads the cookie: it holds the id of a session, or the signed session of a visitor who is not logged in."""

    def __init__(self, secret_key, https):
        key = secret_key.encode() if isinstance(secret_key, str) else secret_key
        self.key = hashlib.sha256(b"session id" + key).digest()
        self.signer = URLSafeSerializer(secret_key, salt="visitor")
        self.name = "__Host-session" if https else "session"
        self.second_name = f"{self.name}-{hashlib.sha256(b'cookie' + key).hexdigest()[:8]}"

    def new_id(self, _length=None):
        """Return a new session id: 32 random characters, and 11 that mark it as this chat's."""
        chosen = secrets.token_urlsafe(24)
        return chosen + self._mark(chosen)

    def name_in(self, cookies):
        """Return the name of the cookie to set in a browser that has these cookies."""
        taken = cookies.get(self.name, "")
        is_foreign = taken and not self._is_own(taken)      # whatever it looks like: programs sign in many forms
        return self.second_name if is_foreign or self.second_name in cookies else self.name

    def value_in(self, cookies):
        """Return the value of this chat's cookie, or an empty string."""
        return cookies.get(self.name_of_value(cookies), "")

    def name_of_value(self, cookies):
        """Return the name of the cookie that `value_in` reads. A session of an earlier version has the usual name and no mark."""
        return self.second_name if cookies.get(self.second_name) else self.name

    def known_of_visitor(self, value):
        """Return the session in a signed value; None for an id, or for a value that this chat has not signed.

        The signature alone makes nobody a user: whoever has read the key could otherwise sign the id of any of them.
        """
        try:
            signed = self.signer.loads(value) if "." in value else None
        except BadSignature:
            return None
        if not isinstance(signed, dict):
            return None
        return {key: signed[key] for key, kind in VISITOR_KEYS.items() if isinstance(signed.get(key), kind)}

    def is_own_id(self, value):
        return "." not in value and self._is_own(value)

    def _is_own(self, value):
        if "." in value:
            return self.known_of_visitor(value) is not None
        return hmac.compare_digest(self._mark(value[:32]).encode(), value[32:].encode())

    def _mark(self, chosen):
        digest = hmac.digest(self.key, chosen.encode(), "sha256")[:MARK_BYTES]
        return urlsafe_b64encode(digest).decode().rstrip("=")

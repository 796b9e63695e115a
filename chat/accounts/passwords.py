"""Passwords: which are accepted, how they are kept, how they are compared."""
import base64
import functools
import hashlib
import unicodedata

import bcrypt
from flask_babel import lazy_gettext as _
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from ..errors import Invalid

MIN_LENGTH = 8              # characters
MAX_LENGTH = 1000           # characters
MIN_GUESSES = 3_000         # a password that is found with fewer is refused
MAX_ESTIMATED_LENGTH = 32   # characters; no longer password is among those that are tried first
MAX_MIXED_LENGTH = 16       # characters, where letters, digits and signs are mixed: the estimate of l33t is exponential, 1.6 s for 32

COMMON = frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= MIN_LENGTH)


def check(password):
    """Raise Invalid with the reason for a password that is too short, too long or among the most used. Takes up to 20 ms."""
    if len(password) < MIN_LENGTH:
        raise Invalid(_("A password has %(least)s characters or more.", least=MIN_LENGTH))
    if len(password) > MAX_LENGTH:
        raise Invalid(_("A password has at most %(most)s characters.", most=MAX_LENGTH))
    password = normalized(password)      # the form in which it is compared
    if password.casefold() in COMMON or _is_guessed_at_once(password):
        raise Invalid(_("This password is one of the most used. Choose another."))


def hash_password(password, rounds):
    """Return the bcrypt hash as text; `rounds` is its cost as a power of two. Takes 250 ms at 12."""
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(rounds)).decode()


def matches(password, hashed, rounds):
    """Tell whether the password belongs to the hash; without a hash (nobody of that name) takes as long, for no."""
    if len(password) > MAX_LENGTH:     # nobody's; the length is looked at before anything is computed from it
        password, hashed = "", None
    same = bcrypt.checkpw(_digest(password), (hashed or _nobodys(rounds)).encode())
    return same and hashed is not None


def _is_guessed_at_once(password):
    # Lists leave out what programs try first: a name, a word, 87654321, aaaaaaaa.
    # What is not ASCII they do not try, and the estimate does not know.
    most = MAX_ESTIMATED_LENGTH if password.isalpha() or password.isdigit() else MAX_MIXED_LENGTH
    return len(password) <= most and password.isascii() and zxcvbn(password)["guesses"] < MIN_GUESSES


def normalized(password):
    """Return the form in which passwords are compared: the same one typed on another system is the same."""
    return unicodedata.normalize("NFKC", password)


def _digest(password):
    # bcrypt reads 72 bytes and refuses more: a digest of all of them has 44, and no zero byte among them.
    text = normalized(password).encode("utf-8", "surrogatepass")
    return base64.b64encode(hashlib.sha256(text).digest())


@functools.lru_cache
def _nobodys(rounds):
    return hash_password("nobody", rounds)

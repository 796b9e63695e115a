"""Passwords: which are accepted, and how they are hashed and verified."""
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
MIN_GUESSES = 3_000         # a password that is found with fewer guesses is refused
MAX_ESTIMATED_LENGTH = 32   # characters; no longer password is among those that are guessed first
MAX_MIXED_LENGTH = 16       # characters, where letters, digits and signs are mixed: the estimate of l33t is exponential, 1.6 s for 32

COMMON = frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= MIN_LENGTH)


def validate(password):
    """Raise Invalid with the reason if a password is too short, too long, or one of the most used. Takes up to 44 ms, so it runs off the event loop."""
    if len(password) < MIN_LENGTH:
        raise Invalid(_("A password must have at least %(least)s characters.", least=MIN_LENGTH))
    if len(password) > MAX_LENGTH:
        raise Invalid(_("A password can have at most %(most)s characters.", most=MAX_LENGTH))
    password = normalized(password)
    if password.casefold() in COMMON or _is_guessed_at_once(password):
        raise Invalid(_("This password is too common. Choose another."))


def hash_password(password, rounds):
    """Return the bcrypt hash as text. `rounds` is the cost, as a power of two; at 12 it takes 250 ms."""
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(rounds)).decode()


def verify(password, hashed, rounds):
    """Tell whether the password belongs to the hash. Without a hash (no such user) the answer is no, after the same time."""
    if len(password) > MAX_LENGTH:      # it is nobody's, and normalising it could take seconds
        password, hashed = "", None
    is_same = bcrypt.checkpw(_digest(password), (hashed or _dummy_hash(rounds)).encode())
    return is_same and hashed is not None


def _is_guessed_at_once(password):
    # The lists leave out what programs guess first: names, words, 87654321, aaaaaaaa. zxcvbn finds them, in ASCII only; the
    # programs do not guess other characters first either.
    max_length = MAX_ESTIMATED_LENGTH if password.isalpha() or password.isdigit() else MAX_MIXED_LENGTH
    return len(password) <= max_length and password.isascii() and zxcvbn(password)["guesses"] < MIN_GUESSES


def normalized(password):
    """Return the form in which passwords are compared: another keyboard may type the same characters as other code points."""
    return unicodedata.normalize("NFKC", password)


def _digest(password):
    # bcrypt accepts 72 bytes at most. The digest of any password has 44 in Base64, and no zero byte, which would end it.
    text = normalized(password).encode("utf-8", "surrogatepass")
    return base64.b64encode(hashlib.sha256(text).digest())


@functools.lru_cache
def _dummy_hash(rounds):
    return hash_password("nobody", rounds)

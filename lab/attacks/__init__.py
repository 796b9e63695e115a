"""The attacks of `manage.py prove --hostile`, one small class each. Most of them need no account."""
from . import forms, requests, transports   # noqa: F401 - importing them fills the list
from .registry import ATTACKS               # noqa: F401

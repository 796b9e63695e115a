"""The attacks of `manage.py prove --hostile`: what anybody may send, with or without an account, as small classes."""
from . import forms, requests, transports       # noqa: F401 - each puts its attacks into the list
from .registry import ATTACKS       # noqa: F401

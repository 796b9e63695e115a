"""English and French: which one a request gets, and the words that JavaScript needs."""
import contextlib
import functools
import json

from flask import request
from flask_babel import Babel, force_locale, get_locale
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from .assets import BUILT

LANGUAGES = ("en", "fr")
MAX_ACCEPTED = 1000         # characters that are looked at of what a browser says it understands


def install(app):
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, locale_selector=lambda: understood(request.environ))
    app.context_processor(lambda: {"lang": language(), "strings": script_words(language())})


def understood(environ):
    """Return the language that suits a WSGI environ best: a live connection has no request."""
    return parse_accept_header(environ.get("HTTP_ACCEPT_LANGUAGE", "")[:MAX_ACCEPTED], LanguageAccept).best_match(LANGUAGES, LANGUAGES[0])


def speaker(app):
    """Return `speaking(language)`: a context in which words are in that language, outside of any request."""
    @contextlib.contextmanager
    def speaking(language):
        with app.app_context(), force_locale(language):
            yield
    return speaking


def language():
    """Return the language of this request, `en` or `fr`."""
    return str(get_locale() or LANGUAGES[0])


@functools.cache
def script_words(language):
    """Return {English: translation} for JavaScript; empty for English itself."""
    path = BUILT / f"i18n-{language}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

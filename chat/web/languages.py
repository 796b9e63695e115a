"""English and French: which one a request gets, how another is chosen, and the words that JavaScript needs."""
import contextlib
import functools
import json

from flask import Blueprint, redirect, request
from flask_babel import Babel, force_locale, get_locale
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header, parse_cookie

from .assets import BUILT
from .forms import safe_path

NAMES = {"en": "English", "fr": "Français"}
LANGUAGES = tuple(NAMES)
COOKIE = "language"             # of whoever wants another language than the browser's
KEPT = 365 * 24 * 60 * 60       # seconds
MAX_ACCEPTED = 1000             # characters that are looked at of what a browser says it understands

choosing = Blueprint("languages", __name__)


def install(app):
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, locale_selector=lambda: understood(request.environ))
    app.context_processor(lambda: {"lang": language(), "languages": NAMES, "strings": script_words(language())})
    app.register_blueprint(choosing)


@choosing.post("/language")
def choose():
    """Keep the language that was chosen in a cookie, and lead back to the page."""
    answer = redirect(safe_path(request.form.get("next")))
    if request.form.get("language") in LANGUAGES:
        answer.set_cookie(COOKIE, request.form["language"], max_age=KEPT, samesite="Lax", secure=request.is_secure)
    return answer


def understood(environ):
    """Return the language of a WSGI environ, which may be a live connection's: the chosen one, else what suits best."""
    chosen = parse_cookie(environ).get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
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

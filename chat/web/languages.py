"""English and French: which one a request gets, how a user chooses, and the translations that JavaScript needs."""
import contextlib
import functools
import json
from datetime import time, timedelta

from babel import Locale, UnknownLocaleError
from babel.dates import format_time
from flask import Blueprint, g, redirect, request
from flask import current_app as app
from flask_babel import Babel, force_locale, format_decimal, format_timedelta, get_locale, get_translations
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header, parse_cookie

from .assets import BUILT
from .forms import safe_path

NAMES = {"en": "English", "fr": "Français"}
LANGUAGES = tuple(NAMES)
COOKIE = "language"             # set when a user chooses another language than the browser's
SECURE_COOKIE = "__Host-language"       # its name under https; an earlier version had the other one there too
COOKIE_SECONDS = 365 * 24 * 3600
MAX_HEADER_LENGTH = 1000        # characters of Accept-Language that are parsed
MINUTES_OF_DAY = 24 * 60
MINUTE, HOUR = 60, 3600         # seconds
NARROW_SPACE = "\u202f"         # what the data of Unicode has before AM, where browsers write a plain space

choosing = Blueprint("languages", __name__)


def install(app):
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, locale_selector=lambda: reader_language(request.environ))
    app.jinja_env.globals.update(_=translated, gettext=translated, ngettext=translated_plural)
    app.context_processor(lambda: {"lang": language(), "languages": NAMES, "strings": script_translations(language())})
    app.add_template_filter(hour)
    app.register_blueprint(choosing)


@choosing.post("/language")
def choose():
    """Store the chosen language in a cookie, and redirect back to the page."""
    answer = redirect(safe_path(request.form.get("next")))
    if request.form.get("language") in LANGUAGES:
        https = app.config["SESSION_COOKIE_SECURE"]
        answer.set_cookie(SECURE_COOKIE if https else COOKIE, request.form["language"], max_age=COOKIE_SECONDS, samesite="Lax", httponly=True,
                          secure=https)
    return answer


def reader_language(environ):
    """Return the language of a WSGI environ (a request's or a live connection's): the chosen one, else the best match."""
    cookies = parse_cookie(environ)
    chosen = cookies.get(SECURE_COOKIE) or cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return _accepted(environ.get("HTTP_ACCEPT_LANGUAGE", "")).best_match(LANGUAGES, LANGUAGES[0])


def _accepted(header):
    return parse_accept_header(header[:MAX_HEADER_LENGTH], LanguageAccept)


def locale_context_of(app):
    """Return `locale_context(language)`: a context in which texts are in that language, outside of any request."""
    @contextlib.contextmanager
    def locale_context(language):
        with app.app_context(), force_locale(language):
            yield
    return locale_context


def language():
    """Return the language of this request, `en` or `fr`."""
    return str(get_locale() or LANGUAGES[0])


def translated(text, /, **variables):
    """Return a text of a template in the language of this request, as HTML, with the variables in it escaped.

    Flask-Babel's own asks for the language at each text again, and a page has two hundred: a quarter of its time.
    """
    phrase = _phrase(_catalogue(), text)
    return phrase % variables if variables else phrase


def translated_plural(one, many, number, /, **variables):
    """Return what `translated` does, of the form that fits the number; `num` in it is the number, or what is to be shown for it."""
    if "num" not in variables:
        variables["num"] = format_decimal(number)
    return Markup(_catalogue().ungettext(one, many, number)) % variables


def _catalogue():
    if "catalogue" not in g:
        g.catalogue = get_translations()
    return g.catalogue


@functools.cache
def _phrase(catalogue, text):
    return Markup(catalogue.ugettext(text))


def hour(timestamp):
    """Return the time of day of a timestamp, in UTC, in the format of the reader's region.

    The browser converts it to the reader's time zone. In the same format it keeps its width, and the page does not move.
    """
    return _hour_in(_regional(language(), request.headers.get("Accept-Language", "")[:MAX_HEADER_LENGTH]), timestamp[11:16])


@functools.lru_cache(maxsize=256)
def _regional(language, header):
    """Return the locale of the first tag of the language in an Accept-Language, such as `en_GB`. i18n.js chooses the same tag."""
    tag = next((tag for tag in _accepted(header).values() if tag.lower().startswith(language)), language)
    try:
        locale = Locale.parse(tag, sep="-")     # one alone: to parse an unknown tag takes half a millisecond
    except (ValueError, UnknownLocaleError):
        return language
    return str(locale) if locale.language == language else language


@functools.lru_cache(maxsize=4 * MINUTES_OF_DAY)
def _hour_in(locale, clock):
    return format_time(time.fromisoformat(clock), "short", locale=locale).replace(NARROW_SPACE, " ") if clock else ""


def waiting_time(seconds):
    """Return how long to wait, in words: `40 seconds`, or for longer whole minutes or hours, rounded up.

    The words are made when they are shown, in the language of their reader: a refused event is put into words by its answer.
    """
    unit = HOUR if seconds > HOUR else MINUTE if seconds > MINUTE else 1
    return LazyString(format_timedelta, timedelta(seconds=-(-seconds // unit) * unit), granularity="second")


@functools.cache
def script_translations(language):
    """Return {English: translation} for JavaScript; empty for English itself."""
    path = BUILT / f"i18n-{language}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

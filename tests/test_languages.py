"""The language of a page, and the format of its hours: by Accept-Language, at a cost that does not grow with it."""
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from flask import Flask, render_template_string

from chat.web import languages
from chat.web.languages import MAX_HEADER_LENGTH

FRENCH = Path(languages.__file__).parents[1] / "translations" / "fr" / "LC_MESSAGES" / "messages.po"
MANY_TAGS = {",".join(["zz"] * 333): "en", ",".join(["de-AT"] * 160) + ",en-GB": "en_GB", ",".join(["en-ZZ"] * 160): "en_US"}


@pytest.mark.parametrize("header, locale", MANY_TAGS.items())
def test_of_many_tags_one_is_parsed(monkeypatch, header, locale):
    parsed, parse = [], languages.Locale.parse
    monkeypatch.setattr(languages.Locale, "parse", lambda tag, **options: parsed.append(tag) or parse(tag, **options))
    assert languages._regional.__wrapped__("en", header[:MAX_HEADER_LENGTH]) == locale
    assert len(parsed) == 1


@pytest.fixture(scope="module")
def render():
    """Return a function that renders a template as a page of the chat does."""
    app = Flask("chat")
    languages.install(app)

    def render_in(language, template, **values):
        with app.test_request_context("/", headers={"Accept-Language": language}):
            return render_template_string(template, **values)
    return render_in


def test_each_page_is_in_the_language_of_its_reader(render):
    assert [render(language, "{{ _('You') }} {{ gettext('Send') }}") for language in ("en", "fr", "en")] == ["You Send", "Vous Envoyer", "You Send"]


@pytest.mark.parametrize("language, shown", [("en", "You: &lt;b&gt; 5 %"), ("fr", "Vous\xa0: &lt;b&gt; 5 %")])
def test_what_stands_in_a_text_is_escaped(render, language, shown):
    assert render(language, "{{ _('You: %(message)s', message=message) }}", message="<b> 5 %") == shown


@pytest.mark.parametrize("number, shown", [(0, "0 membre"), (1, "1 membre"), (2, "2 membres")])
def test_the_form_of_a_text_fits_its_number(render, number, shown):
    assert render("fr", "{{ ngettext('%(num)s member', '%(num)s members', number) }}", number=number) == shown


def test_another_word_for_the_number_is_escaped_too(render):
    assert render("en", "{{ ngettext('%(num)s unread', '%(num)s unread', 100, num=shown) }}", shown="<99+>") == "&lt;99+&gt; unread"


def test_the_language_is_looked_up_once_for_a_page(render, monkeypatch):
    looked_up, look_up = [], languages.get_translations
    monkeypatch.setattr(languages, "get_translations", lambda: looked_up.append(1) or look_up())
    assert render("fr", "{{ _('You') }} {{ _('Send') }}{{ ngettext('%(num)s member', '%(num)s members', 2) }}").startswith("Vous Envoyer")
    assert len(looked_up) == 1


WAITS = {("en", 1): "1 second", ("en", 40): "40 seconds", ("en", 61): "2 minutes", ("en", 3601): "2 hours", ("en", 41_237): "12 hours",
         ("fr", 1): "1\xa0seconde", ("fr", 41_237): "12\xa0heures"}


@pytest.mark.parametrize("language, seconds", WAITS)
def test_a_wait_is_told_in_units_that_people_count_in(render, language, seconds):
    assert render(language, "{{ wait }}", wait=languages.waiting_time(seconds)) == WAITS[language, seconds]


def test_a_count_is_written_as_its_reader_writes_it(render):
    shown = [render(language, "{{ ngettext('%(num)s member', '%(num)s members', 1000) }}") for language in ("en", "fr")]
    assert shown == ["1,000 members", "1\u202f000 membres"]


def test_in_french_no_line_begins_with_a_sign():
    with open(FRENCH, "rb") as file:
        texts = [text for message in read_po(file, locale="fr") for text in ((message.string,) if isinstance(message.string, str) else message.string)]
    assert len(texts) > 100 and [text for text in texts if re.search(" [:;!?»]|« ", text)] == []

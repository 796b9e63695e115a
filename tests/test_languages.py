"""The format of hours: chosen by Accept-Language, at a cost that does not grow with it."""
import pytest

from chat.web import languages
from chat.web.languages import MAX_HEADER_LENGTH

MANY_TAGS = {",".join(["zz"] * 333): "en", ",".join(["de-AT"] * 160) + ",en-GB": "en_GB", ",".join(["en-ZZ"] * 160): "en_US"}


@pytest.mark.parametrize("header, locale", MANY_TAGS.items())
def test_of_many_tags_one_is_parsed(monkeypatch, header, locale):
    parsed, parse = [], languages.Locale.parse
    monkeypatch.setattr(languages.Locale, "parse", lambda tag, **options: parsed.append(tag) or parse(tag, **options))
    assert languages._regional.__wrapped__("en", header[:MAX_HEADER_LENGTH]) == locale
    assert len(parsed) == 1

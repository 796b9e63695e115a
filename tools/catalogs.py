"""The message catalogues. Needs Babel, so it runs in the environment's Python:

python -m tools.catalogs compile DIRECTORY    messages.mo beside each catalogue, i18n-LANG.json in DIRECTORY
python -m tools.catalogs update               add new messages of the sources to the catalogues
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tools import ROOT
from tools.assets import TRANSLATIONS, catalogs

SCRIPTS = "chat/static/js/"
KEYWORDS = ["_", "gettext", "ngettext:1,2", "lazy_gettext"]


def compile_all(directory):
    """Write the files for the server (.mo) and for the scripts (JSON) for each language."""
    for path in catalogs():
        language = path.parts[-3]
        with path.open("rb") as file:
            catalog = read_po(file, locale=language, abort_invalid=True)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)
        words = json.dumps(script_messages(catalog), ensure_ascii=False, sort_keys=True)
        (directory / f"i18n-{language}.json").write_text(words, encoding="utf-8")


def script_messages(catalog):
    """Return the translations that the scripts need: {msgid: msgstr}, or [one, many] for a plural."""
    return {
        message.id[0] if message.pluralizable else message.id: message.string
        for message in catalog
        if message.id and not message.fuzzy and any(place.startswith(SCRIPTS) for place, _line in message.locations)
        if all(message.string if message.pluralizable else [message.string])
    }


def extract(template):
    """Write the messages of the sources to the file `template`, without translations."""
    keywords = [f"--keywords={keyword}" for keyword in KEYWORDS]
    options = ["-F", "babel.cfg", "--no-default-keywords", *keywords, "--add-location=file", "--omit-header"]
    _pybabel("extract", *options, "-o", str(template), ".")


def update():
    """Add new messages of the sources to each catalogue, without a translation."""
    with tempfile.TemporaryDirectory() as directory:
        template = Path(directory) / "messages.pot"
        extract(template)
        _pybabel("update", "--no-fuzzy-matching", "--ignore-obsolete", "-i", str(template), "-d", str(TRANSLATIONS))


def _pybabel(command, *arguments):
    program = [sys.executable, "-m", "babel.messages.frontend", "--quiet", command]
    subprocess.run([*program, *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    if sys.argv[1] == "compile":
        compile_all(Path(sys.argv[2]))
    else:
        update()

"""The browser assets and the message catalogues."""

import ast
import gzip
import re

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from tools import ROOT, assets, catalogs, console


def test_the_build_holds_what_the_pages_need():
    names = {path.relative_to(assets.BUILD).as_posix() for path in assets.BUILD.rglob("*")}
    scripts = {"js/app.js", "js/app.js.gz", "js/auth.js", "js/auth.js.gz"}
    emoji = {f"emoji-{language}.json{ending}" for language in ("en", "fr") for ending in ("", ".gz")}
    sheets = {f"{name}.css{ending}" for name in ("app", "files", "formatted", "later") for ending in ("", ".gz")}
    assert scripts | emoji | sheets | {"icons/moon.svg", "i18n-fr.json"} <= names


def test_compressed_copies_hold_the_same():
    for path in assets.BUILD.rglob("*.gz"):
        assert gzip.decompress(path.read_bytes()) == path.with_suffix("").read_bytes()


def test_a_script_is_bundled_with_its_imports_and_what_is_loaded_later_is_a_file_of_its_own():
    sources = "".join(path.read_text(encoding="utf-8") for path in (assets.STATIC / "js").glob("*.js"))
    later = {path.rpartition("/")[2] for path in re.findall(r"import\('(?:\.|@highlightjs)/([\w/.-]+\.js)'\)", sources)}
    built = {path.name: path.read_text(encoding="utf-8") for path in (assets.BUILD / "js").glob("*.js")}
    shared = set(built) - {"app.js", "auth.js"} - later
    imported = {name: set(re.findall(r"from ?[\"']([^\"']+)[\"']", code)) for name, code in built.items() if not name.endswith(".min.js")}
    assert later < set(built) and all(sum(f"./{name}" in names for names in imported.values()) > 1 for name in shared)
    assert imported["app.js"] == imported["auth.js"] == set()
    assert set().union(*(imported.get(name, set()) for name in later)) <= {"./app.js", *(f"./{name}" for name in later | shared)}
    licensed = {name for name, code in built.items() if re.search(r"/\*[^/]*\*/", code)}
    assert licensed == {"app.js", "highlighter.js", *(name for name in later if name.endswith(".min.js"))}  # of Socket.IO and highlight.js


def test_socket_io_is_in_the_bundle_without_what_the_chat_never_uses():
    code = (assets.BUILD / "js" / "app.js").read_text(encoding="utf-8")
    assert code.startswith("/*! Socket.IO 4.")
    assert "XMLHttpRequest" in code and "WebSocket" in code
    assert not [name for name in ("WebTransport", "_placeholder", "queryKey") if name in code]     # names of the files that are left out


def test_the_build_fails_loudly_without_an_input(monkeypatch, tmp_path):
    monkeypatch.setattr(assets, "STATIC", tmp_path)
    monkeypatch.setattr(assets, "TRANSLATIONS", tmp_path)
    with pytest.raises(console.SetupError, match="app.css, chat/static/js/app.js, .*messages.po"):
        assets._require_inputs()


@pytest.fixture
def built(monkeypatch, tmp_path):
    """A folder that is served and a new one beside it, in both of which is one file."""
    monkeypatch.setattr(assets, "BUILD", tmp_path / "build")
    monkeypatch.setattr(assets, "PLACING_REST", 0)
    for name in ("build", "build.new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.css").write_text(name)
    return tmp_path


def in_use(monkeypatch, which, times):
    """Let a folder refuse to be renamed so many times, as Windows does while a file in it is open."""
    rename, left = assets.os.replace, [times]

    def replace(source, target):
        if source.name == which and left[0]:
            left[0] -= 1
            raise PermissionError(13, "Access is denied")
        rename(source, target)
    monkeypatch.setattr(assets.os, "replace", replace)


@pytest.mark.parametrize("which", ["build", "build.new"])
@pytest.mark.parametrize("times", [0, 1, assets.PLACING_TRIES - 1])
def test_new_assets_take_the_place_of_those_that_somebody_loads(built, monkeypatch, which, times):
    in_use(monkeypatch, which, times)
    assets._put_in_place(built / "build.new")
    assert {path.name: (path / "app.css").read_text() for path in built.iterdir()} == {"build": "build.new"}


@pytest.mark.parametrize("which", ["build", "build.new"])
def test_assets_that_stay_in_use_stay_whole(built, monkeypatch, which):
    in_use(monkeypatch, which, assets.PLACING_TRIES)
    with pytest.raises(console.SetupError, match="end the chat that runs"):
        assets._put_in_place(built / "build.new")
    assert (built / "build" / "app.css").read_text() == "build"


def test_an_unknown_icon_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(assets, "wanted_icons", lambda: ["moon", "no-such-icon"])
    with pytest.raises(console.SetupError, match="no-such-icon"):
        assets._copy_icons(tmp_path)


def test_only_the_translated_messages_of_the_scripts_reach_the_browser():
    catalog = Catalog(locale="fr")
    script, template = [("chat/static/js/page.js", None)], [("chat/templates/base.html", None)]
    catalog.add("Send", "Envoyer", locations=script)
    catalog.add("Logout", "Se déconnecter", locations=template)
    catalog.add("Retry", "", locations=script)
    catalog.add("Delete", "Effacer ?", locations=script, flags=["fuzzy"])
    catalog.add(("%(num)s new", "%(num)s new ones"), ("%(num)s nouveau", "%(num)s nouveaux"), locations=script)
    assert catalogs.script_messages(catalog) == {
        "Send": "Envoyer",
        "%(num)s new": ("%(num)s nouveau", "%(num)s nouveaux"),
    }


@pytest.mark.parametrize("path", assets.catalogs(), ids=lambda path: path.parts[-3])
def test_every_message_of_the_sources_is_translated(path, tmp_path):
    catalogs.extract(tmp_path / "messages.pot")
    with open(tmp_path / "messages.pot", "rb") as file:
        wanted = {message.id for message in read_po(file) if message.id}
    with path.open("rb") as file:
        catalog = read_po(file)
    translated = {message.id for message in catalog if message.id and all(_strings(message)) and not message.fuzzy}
    assert wanted - translated == set()
    assert translated - wanted == set()
    assert [error for message in catalog for error in message.check(catalog)] == []
    twice = [text for message in catalog if message.id for text in _strings(message) if re.fullmatch(r"(.{9,}?)\s*\1", text)]
    assert twice == [], "a translation that was pasted in twice"


def test_no_message_stands_inside_an_f_string():
    """What extracts the messages reads no f-strings: that one would never be translated."""
    names = {keyword.partition(":")[0] for keyword in catalogs.KEYWORDS}

    def hidden(source):
        strings = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr)]
        calls = [node for string in strings for node in ast.walk(string) if isinstance(node, ast.Call)]
        return [ast.unparse(call) for call in calls if isinstance(call.func, ast.Name) and call.func.id in names]
    assert hidden('f"**{_(\'bold\')}**"') == ["_('bold')"]
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "chat").rglob("*.py")}
    assert {str(path): hidden(source) for path, source in sources.items() if hidden(source)} == {}


def _strings(message):
    return message.string if message.pluralizable else [message.string]

"""The documents name what is there: files, settings, commands."""
import re
from pathlib import Path

import pytest

from tools import parser

ROOT = Path(__file__).parent.parent
DOCUMENTS = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
ATTACKS = (ROOT / "docs/attacks.md").read_text(encoding="utf-8")


MAX_TOUR_LINES = 1500       # of Python: what one reads in an hour
TEXT_FILES = (".py", ".js", ".css", ".html", ".sql", ".po", ".md")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def section(document, title):
    """Return what stands under a heading, up to the next one."""
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", (ROOT / document).read_text(encoding="utf-8"), re.S | re.M)[1]


def steps(text):
    """Return the items of the numbered lists in a text, each with the lines that continue it."""
    return re.findall(r"^\d+\. .*(?:\n +.*)*", text, re.M)


def names_in_files(text):
    """Yield (path, name) for each identifier in backticks that follows a link, until the next link."""
    for step in steps(text):
        for target, said in re.findall(r"\]\(([^)#]+)[^)]*\)(.*?)(?=\]\(|\Z)", step, re.S):
            yield from ((target, name) for name in re.findall(r"`([^`]+)`", said) if IDENTIFIER.fullmatch(name))


def stands_in(path, name):
    """Tell whether a file, or one of a folder, has a name; `Class.method` has to be a class and a method there."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.suffix in TEXT_FILES]
    owner, _dot, method = name.partition(".")
    patterns = (rf"^class {owner}\b", rf"^    def {method}\(") if method and owner[0].isupper() else (rf"\b{re.escape(name)}\b",)
    return any(all(re.search(pattern, file.read_text(encoding="utf-8"), re.M) for pattern in patterns) for file in files)


def test_it_works():
    assert "README.md" in DOCUMENTS and "docs/tour.md" in DOCUMENTS


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document):
    path = ROOT / document
    for target in re.findall(r"(?:\]\(|src=\")([^)#\"]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{document} links to {target}"


def test_every_test_that_security_names_exists():
    named = re.findall(r"`(tests/[\w./]+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert len(named) > 5 and not [name for name in named if not (ROOT / name).exists()]


def test_every_attack_has_a_row():
    files = {path.name for path in (ROOT / "tests/attacks").glob("test_[0-9][0-9]_*.py")}
    assert len(files) > 20 and files - set(re.findall(r"`(test_\w+\.py)`", ATTACKS)) == set()
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", ATTACKS, re.M)] == [*range(1, 24), *range(30, 37)]


def test_every_test_that_the_attacks_name_exists():
    named = re.findall(r"`([\w/]*test_\w+\.py)`", ATTACKS)
    assert [name for name in named if not (ROOT / name).exists() and not (ROOT / "tests/attacks" / name).exists()] == []


def test_what_stops_an_attack_is_where_the_attacks_say():
    """They name the package, and what is defined in it: `chat.web`: `LogStream`, `printable`."""
    found = re.findall(r"`((?:chat|tools)[\w.]*)`: (`\w+`(?:, `\w+`)*)", ATTACKS)
    assert len(found) > 30
    for package, names in found:
        path = ROOT / package.replace(".", "/")
        files = [*path.rglob("*.py"), *path.rglob("*.js")] or [path.with_suffix(".py")]
        source = "\n".join(file.read_text(encoding="utf-8") for file in files)
        for name in re.findall(r"\w+", names):
            defined = rf"^\s*(?:export )?(?:def|class|function\*?) {name}\b|^{name} = "
            assert re.search(defined, source, re.M), f"{name} is not in {package}"


def test_every_file_of_the_tree_exists():
    tree = re.search(r"## The tree\n\n```\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S).group(1)
    folder = ROOT
    for line in tree.splitlines():
        names = re.findall(r"[\w/]+/[\w.]*|\w+\.(?:py|sql)", line)
        if not line.startswith(" "):        # what is indented below a folder lies in it
            folder = ROOT / Path(names[0]) if names and names[0].endswith("/") else ROOT / "chat"
        for name in names:
            assert (ROOT / name).exists() or (folder / name).exists() or (ROOT / "chat" / name).exists(), name


def test_every_command_is_one_that_manage_knows():
    known = {name for name, _summary, _reads_options in parser.COMMANDS}
    for document in DOCUMENTS:
        for command in re.findall(r"python3 manage\.py (\w+)", (ROOT / document).read_text(encoding="utf-8")):
            assert command in known, f"{document}: manage.py {command}"


def test_the_readme_says_what_each_command_does():
    named = set(re.findall(r"`(?:python3 manage\.py )?(\w+)[^`]*`", section("README.md", "Two commands"))) \
        | set(re.findall(r"manage\.py (\w+)", section("README.md", "Two commands")))
    assert {name for name, _summary, _reads_options in parser.COMMANDS} - named == set()


def test_the_class_diagram_stands_in_the_readme_and_in_the_tour():
    for document in ("README.md", "docs/tour.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for name in ("User", "Message", "Socket", "ChatController", "AuthController", "Database"):
            assert re.search(rf"\b{name}\b", text), f"{name} in {document}"


def test_the_hour_of_the_tour_is_one():
    linked = [re.search(r"\]\(\.\./([^)]+)\)", step)[1] for step in steps(section("docs/tour.md", "The hour"))]
    assert len(linked) >= 10 and all(path.endswith(".py") for path in linked)
    source = {path: (ROOT / path).read_text(encoding="utf-8") for path in linked}
    for name in ("User", "Message", "Socket", "ChatController", "AuthController", "Database", "Conversation", "Writer"):
        assert any(re.search(rf"^class {name}\b", text, re.M) for text in source.values()), name
    lines = {path: text.count("\n") for path, text in source.items()}
    assert sum(lines.values()) <= MAX_TOUR_LINES, lines


@pytest.mark.parametrize("document", ["docs/tour.md", "CONTRIBUTING.md"])
def test_what_a_step_names_stands_in_the_file_that_it_names(document):
    path = ROOT / document
    named = list(names_in_files(path.read_text(encoding="utf-8")))
    assert len(named) > 15
    assert [(target, name) for target, name in named if not stands_in(path.parent / target, name)] == []


def test_the_statements_of_the_scale_are_where_it_says():
    rows = [line.split(" | ") for line in section("docs/scale.md", "Each statement, and how it shards").splitlines() if line.startswith("| ")][2:]
    sources = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "chat").rglob("*.py")}
    assert len(rows) > 10
    for _statement, where, _sharded in rows:
        owner = None
        for name in re.findall(r"`([\w.]+)`", where):
            owner, name = name.split(".") if "." in name else (owner, name)
            text = sources.get(owner) or next(text for text in sources.values() if re.search(rf"^class {owner}\b", text, re.M))
            assert re.search(rf"^ *def {name}\(", text, re.M), f"{owner}.{name}"

"""The documents name what is there: files, settings, commands."""
import re
from pathlib import Path

import pytest

from tools import parser

ROOT = Path(__file__).parent.parent
DOCUMENTS = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


def test_it_works():
    assert "README.md" in DOCUMENTS and "docs/tour.md" in DOCUMENTS


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document):
    path = ROOT / document
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{document} links to {target}"


def test_every_test_that_security_names_exists():
    named = re.findall(r"`(tests/[\w./]+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert len(named) > 5 and not [name for name in named if not (ROOT / name).exists()]


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


def test_the_class_diagram_stands_in_the_readme_and_in_the_tour():
    for document in ("README.md", "docs/tour.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for name in ("User", "Message", "Socket", "ChatController", "AuthController", "Database"):
            assert re.search(rf"\b{name}\b", text), f"{name} in {document}"

"""The packages of the chat import downwards only, and each says what it is for."""
import ast
import re
from pathlib import Path

import pytest

CHAT = Path(__file__).parent.parent / "chat"
FLOORS = ["storage", "web", "accounts", "conversations", "live"]     # each may import itself and those before it
FOUNDATION = {"errors", "clock", "budgets"}                         # import nothing of the chat, so everybody may import them
FILES = sorted(CHAT.rglob("*.py"))
HIDDEN = {"eventlet": {"eventlet_server.py", "select_hub.py"}, "gevent": {"gevent_server.py"}}      # library -> who may import it


def imported(path, chat):
    """Yield (line, package or module of the chat) for each import of the chat in a file, those inside functions too."""
    inside = path.relative_to(chat).parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = ["chat", *inside[:-1]][:len(inside) + 1 - node.level] if node.level else []
            base = ".".join([*package, *filter(None, [node.module])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((node.lineno, name.split(".")[1]) for name in names if name.startswith("chat."))


def pointing_up(path, chat=CHAT):
    """Return the lines of a file that import what stands above it."""
    package = path.relative_to(chat).parts[0]
    allowed = FOUNDATION | set(FLOORS[:FLOORS.index(package) + 1]) if package in FLOORS else set()
    return [f"{path.relative_to(chat)}:{line} imports {name}" for line, name in imported(path, chat) if name not in allowed]


def test_it_works(tmp_path):
    (tmp_path / "web").mkdir()
    module = tmp_path / "web" / "pages.py"
    module.write_text("from ..storage import limits\nfrom ..errors import Invalid\nfrom . import headers\ndef late():\n    from ..live.sockets import Socket\n")
    assert pointing_up(module, tmp_path) == ["web/pages.py:5 imports live"]


@pytest.mark.parametrize("path", [path for path in FILES if path != CHAT / "__init__.py"], ids=lambda path: str(path.relative_to(CHAT)))
def test_imports_point_down(path):
    assert pointing_up(path) == []


@pytest.mark.parametrize("library", HIDDEN)
def test_a_concurrency_library_is_imported_by_its_own_file_alone(library):
    importing = re.compile(rf"^\s*(?:import|from) {library}\b", re.M)
    assert {path.name for path in FILES if importing.search(path.read_text(encoding="utf-8"))} == HIDDEN[library]


@pytest.mark.parametrize("package", FLOORS)
def test_each_package_says_what_it_is_for(package):
    document = ast.get_docstring(ast.parse((CHAT / package / "__init__.py").read_text(encoding="utf-8")))
    assert document and "Start reading at" in document


def test_there_is_no_other_package():
    assert {path.name for path in CHAT.iterdir() if any(path.glob("*.py"))} == set(FLOORS)
    assert {path.stem for path in CHAT.glob("*.py")} == FOUNDATION | {"__init__"}

"""manage.py on the command line, and the set-up of a fresh copy."""

import ast
import os
import re
import shutil
import subprocess
import sys

import pytest

import manage
from tools import ROOT

MANAGE = [sys.executable, str(ROOT / "manage.py")]
MADE = (".git", ".venv", "node_modules", "build", "*.mo", ".setup.*", "__pycache__", "instance")
COMMANDS = ("run", "test", "prove", "fuzz", "bench", "audit", "doctor", "backup", "restore", "migrate", "build", "translate")


def manage_py(*arguments, **options):
    return subprocess.run([*MANAGE, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)


def test_without_a_command_it_prints_a_short_help(tmp_path):
    answer = manage_py(cwd=tmp_path)
    assert answer.returncode == 0
    assert all(f"\n  {command} " in answer.stdout for command in COMMANDS)
    assert len(answer.stdout.splitlines()) < 18, "it is seen at a glance"


def test_an_unknown_command_is_an_error():
    answer = manage_py("fly")
    assert answer.returncode == 2
    assert "Usage" in answer.stderr


def test_an_error_is_one_sentence():
    answer = manage_py("build", "everything")
    assert answer.returncode == 1
    assert answer.stderr == "This command takes no arguments: everything\n"


def test_it_answers_in_a_bare_environment():
    answer = manage_py(env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
    assert answer.returncode == 0


def test_an_older_python_gets_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(manage, "OLDEST_PYTHON", (99, 0))
    assert manage.main(["help"]) == 1
    assert capsys.readouterr().err.startswith("Python 99.0 or a newer one is needed")


def test_on_windows_the_command_has_another_name(monkeypatch, capsys):
    manage.main(["help"])       # what is imported here must not think that it is on Windows
    capsys.readouterr()
    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        code = manage.main(["help"])
    assert code == 0
    assert capsys.readouterr().out.startswith("Usage: py manage.py COMMAND\n")


# bench/report.py writes a document, which is the same on every system.
SOURCES = sorted({*ROOT.glob("*.py"), *(path for name in ("bench", "chat", "lab", "tools") for path in (ROOT / name).rglob("*.py")
                                        if "node_modules" not in path.parts)} - {ROOT / "bench" / "report.py"})


def test_no_text_names_the_command_of_one_system_alone():
    found = []
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documented = (ast.Module, ast.FunctionDef, ast.ClassDef)
        documents = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented)}
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        found += [(path.name, text) for text in texts - documents if re.search(r"python3 (manage|-c)", text)]
    assert len(SOURCES) > 50 and not found


@pytest.mark.slow
def test_a_fresh_copy_sets_itself_up_and_then_rests(tmp_path):
    copy = tmp_path / "a fresh copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*MADE))
    env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "CI": "true"}

    def build(**more):
        command = [sys.executable, str(copy / "manage.py"), "build"]
        return subprocess.run(command, cwd="/", env={**env, **more}, capture_output=True, text=True, check=True)

    assert "Installing the Python packages of requirements.txt" in build().stdout
    # Whoever wanted the network now would fail.
    no_network = {"PIP_NO_INDEX": "1", "npm_config_offline": "true"}
    assert build(**no_network).stdout == ""
    (copy / "chat" / "static" / "build" / ".stamp").unlink()
    assert build(**no_network).stdout.startswith("Building the style sheet")

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
MADE = (".git", ".venv", "node_modules", "build", "*.mo", ".setup.*", "__pycache__", "instance", ".hypothesis", ".pytest_cache")
COMMANDS = ("run", "test", "prove", "fuzz", "bench", "audit", "doctor", "backup", "restore", "migrate", "build", "translate")


def manage_py(*arguments, **options):
    return subprocess.run([*MANAGE, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)


def test_without_a_command_it_prints_a_short_help(tmp_path):
    answer = manage_py(cwd=tmp_path)
    assert answer.returncode == 0
    assert all(f"\n    {command} " in answer.stdout for command in COMMANDS)
    assert len(answer.stdout.splitlines()) < 30, "it is seen at a glance"


def test_an_unknown_command_is_an_error():
    answer = manage_py("fly")
    assert answer.returncode == 2
    assert answer.stderr.startswith("usage:") and "fly" in answer.stderr


@pytest.mark.parametrize("arguments, reason", [
    (["build", "everything"], "unrecognized arguments: everything"), (["backup"], "required: FILE"), (["backup", "a", "b"], "unrecognized"),
    (["run", "--processes", "0"], "N is from 1 to 64, not 0"), (["run", "--process", "2"], "unrecognized"), (["migrate", "2"], "unrecognized")])
def test_a_wrong_command_line_is_refused_before_anything_is_done(arguments, reason, tmp_path):
    answer = manage_py(*arguments, cwd=tmp_path)
    assert answer.returncode == 2 and answer.stdout == ""
    assert answer.stderr.startswith(f"usage: python3 manage.py {arguments[0]} ") and reason in answer.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["backup", "--help"], ["help", "backup"], ["doctor", "-h"], ["test", "--help"], ["run", "--help"]])
def test_each_command_has_a_help(arguments, tmp_path):
    """None is taken for an argument: `backup --help` would write a backup into a file of this name."""
    answer = manage_py(*arguments, cwd=tmp_path)
    assert answer.returncode == 0 and answer.stdout.startswith("usage: python3 manage.py ")
    assert list(tmp_path.iterdir()) == []


def test_it_answers_in_a_bare_environment():
    answer = manage_py(env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
    assert answer.returncode == 0


def test_an_older_python_gets_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(manage, "OLDEST_PYTHON", (99, 0))
    assert manage.main(["help"]) == 1
    assert capsys.readouterr().err.startswith("Python 99.0 or a newer one is needed")


def test_on_windows_the_command_has_another_name(monkeypatch, capsys):
    def help_text():
        with pytest.raises(SystemExit) as ended:
            manage.main(["help"])
        assert not ended.value.code
        return capsys.readouterr().out
    assert help_text().startswith("usage: python3 manage.py ")     # what is imported here must not think that it is on Windows
    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        assert help_text().startswith("usage: py manage.py ")


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

"""manage.py on the command line, and the set-up of a fresh copy."""

import os
import shutil
import subprocess
import sys

import pytest

import manage
from tools import ROOT

MANAGE = [sys.executable, str(ROOT / "manage.py")]
MADE = (".git", ".venv", "node_modules", "build", "*.mo", ".setup.*", "__pycache__", "instance")
COMMANDS = ("run", "test", "prove", "fuzz", "bench", "doctor", "backup", "restore", "build", "translate")


def manage_py(*arguments, **options):
    return subprocess.run([*MANAGE, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)


def test_without_a_command_it_prints_a_short_help(tmp_path):
    answer = manage_py(cwd=tmp_path)
    assert answer.returncode == 0
    assert all(f"\n  {command} " in answer.stdout for command in COMMANDS)
    assert len(answer.stdout.splitlines()) < 15


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


@pytest.mark.parametrize("oldest, newest", [((99, 0), (99, 1)), ((1, 0), (2, 7))])
def test_another_python_gets_one_sentence(monkeypatch, capsys, oldest, newest):
    monkeypatch.setattr(manage, "OLDEST_PYTHON", oldest)
    monkeypatch.setattr(manage, "NEWEST_PYTHON", newest)
    assert manage.main(["help"]) == 1
    assert capsys.readouterr().err.startswith("Python %d.%d to %d.%d is needed" % (oldest + newest))


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

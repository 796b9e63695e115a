"""The commands of manage.py."""

import contextlib
import os
import subprocess
import sys

import config
from tools import ROOT, assets, environment, node, programs
from tools.children import end_with_this_process
from tools.console import SetupError, StepFailed, step
from tools.lock import setup_lock

IF_POSSIBLE = "if possible"


def run(options):
    """Set up what is missing, then become the server, or the supervisor of several behind HAProxy."""
    if options.processes == 1:
        _set_up("requirements.txt", gevent=_chosen_mode() == "gevent")
        return _hand_over([str(ROOT / "wsgi.py")])
    _set_up("requirements.txt", gevent=_chosen_mode() == "gevent", needed=[programs.HAPROXY], purpose="run several processes")
    os.chdir(ROOT)
    return _hand_over(["-m", "tools.cluster", str(options.processes)])


def _chosen_mode():
    """What ASYNC_MODE says, unchecked: the server itself has a word for what is none."""
    with contextlib.suppress(config.ConfigError):
        return {**config.read_env_file(), **os.environ}.get("ASYNC_MODE", "").strip()


def test(arguments):
    """Set up what the tests need too, then become pytest, in several processes; tests/scheduling.py says how many."""
    _set_up("requirements.txt", "requirements-dev.txt", needed=programs.ALL + programs.FRONT + programs.PROVE,
            benchmark=sys.platform == "linux", gevent=IF_POSSIBLE)
    os.chdir(ROOT)
    return _hand_over(["-m", "pytest", "-n", "auto", *arguments])


def prove(arguments):
    """Set up what the tests need too, then become the fault laboratory."""
    _set_up("requirements.txt", "requirements-dev.txt", needed=(*programs.ALL, *programs.PROVE, programs.HAPROXY))
    os.chdir(ROOT)
    return _hand_over(["-m", "lab", *arguments])


def fuzz(arguments):
    """Set up what the tests need too, then become the fuzzer."""
    _set_up("requirements.txt", "requirements-dev.txt")
    os.chdir(ROOT)
    return _hand_over(["-W", "ignore", "-m", "lab.fuzz", *arguments])


def bench(arguments):
    """Set up the peer and the load generator too, then become the benchmark."""
    if sys.platform != "linux":
        raise SetupError("The benchmark reads CPU time and memory as Linux tells them: run it there.")
    _set_up("requirements.txt", "requirements-dev.txt", needed=(*programs.ALL, programs.HAPROXY), benchmark=True)
    os.chdir(ROOT)
    return _hand_over(["-W", "ignore", "-m", "bench", *arguments])


def audit(_options):
    """Make the environment, whose pip and npm know where their packages come from, then compare the pins with the advisories."""
    with setup_lock():
        environment.ensure_venv()
        node.npm_command()
    os.chdir(ROOT)
    return _hand_over(["-m", "tools.audit"])


def doctor(options):
    """Set up what the server needs, then visit it."""
    _set_up("requirements.txt")
    os.chdir(ROOT)
    return _hand_over(["-W", "ignore", "-m", "tools.doctor", *filter(None, [options.url])])


def backup(options):
    """Set up what the server needs, then write a backup."""
    return _with_file(options)


def restore(options):
    """Set up what the server needs, then read a backup."""
    return _with_file(options)


def migrate(options):
    """Set up what the server needs, then bring the database up to this version."""
    _set_up("requirements.txt")
    os.chdir(ROOT)
    return _hand_over(["-m", "tools.migrate", *(["--list"] if options.list else [])])


def _with_file(options):
    file = os.path.abspath(options.file)
    _set_up("requirements.txt")
    os.chdir(ROOT)
    return _hand_over(["-m", "tools.backup", options.command, file])


def build(_options):
    """Make the browser assets alone."""
    _set_up("requirements.txt")
    return 0


def translate(_options):
    """Bring the message catalogues up to date with the sources."""
    _set_up("requirements.txt")
    try:
        step("Updating the catalogues", [str(environment.python()), "-m", "tools.catalogs", "update"])
    except StepFailed as failure:
        raise SetupError(f"The catalogues could not be updated: {failure.reason} (all of it: .setup.log)") from None
    return 0


def _set_up(*requirements, needed=(), purpose="run the tests", benchmark=False, gevent=False):
    with setup_lock():
        programs.ensure(needed, purpose)
        environment.ensure_venv()
        for file in requirements:
            environment.ensure_packages(file)
        if gevent:
            _install_gevent(is_optional=gevent == IF_POSSIBLE)
        assets.ensure()
        if benchmark:
            node.ensure_packages(ROOT / "bench", "packages of the benchmark")


def _install_gevent(is_optional):
    try:
        environment.ensure_packages("requirements-gevent.txt")
    except environment.NoWheel as error:
        if not is_optional:
            raise SetupError(f"ASYNC_MODE=gevent cannot run here, eventlet and threading can. {error}") from None
        print(f"What is about gevent is left out. {error}")


def _hand_over(arguments):
    """Become the environment's Python, so that signals and the exit code are its own."""
    command = [str(environment.python()), *arguments]
    # Messages hold every script of the world, whatever the locale of the terminal is.
    os.environ.setdefault("PYTHONUTF8", "1")
    # What the terminal has no character for is escaped: the first emoji would end the printing.
    encoding = os.environ.get("PYTHONIOENCODING", "").partition(":")[0]
    os.environ["PYTHONIOENCODING"] = f"{encoding}:backslashreplace"
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    end_with_this_process()
    process = subprocess.Popen(command)
    while True:
        with contextlib.suppress(KeyboardInterrupt):        # it had Ctrl+C too, and ends politely
            return process.wait()

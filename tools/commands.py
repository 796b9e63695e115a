"""The commands of manage.py."""

import contextlib
import os
import subprocess
import sys

import config
from tools import ROOT, assets, environment, node, programs
from tools.console import SetupError, StepFailed, step
from tools.lock import setup_lock

IF_POSSIBLE = "if possible"
SILENT = ("-W", "ignore")   # Python options: print no warnings


def run(options):
    """Set up what is missing, then become the server, or the supervisor of several processes behind HAProxy."""
    if options.processes == 1:
        _set_up("requirements.txt", gevent=_chosen_mode() == "gevent")
        return _hand_over([str(ROOT / "wsgi.py")])
    _set_up("requirements.txt", gevent=_chosen_mode() == "gevent", needed=[programs.HAPROXY], purpose="run several processes")
    return _run_module("tools.cluster", str(options.processes))


def _chosen_mode():
    """Return ASYNC_MODE without checking it: the server itself reports a wrong value."""
    return _chosen("ASYNC_MODE")


def _chosen(name):
    with contextlib.suppress(config.ConfigError):
        return {**config.read_env_file(), **os.environ}.get(name, "").strip()


def test(arguments):
    """Set up what the tests need too, then become pytest, in several processes; tests/scheduling.py says how many."""
    _set_up("requirements.txt", "requirements-dev.txt", needed=programs.ALL + programs.FRONT + programs.PROVE,
            benchmark=sys.platform == "linux", gevent=IF_POSSIBLE, headless_chromium=True)
    return _run_module("pytest", "-n", "auto", *arguments)


def prove(arguments):
    """Set up what the tests need, then become the fault-injection suite."""
    _set_up("requirements.txt", "requirements-dev.txt", needed=(*programs.ALL, *programs.PROVE, programs.HAPROXY))
    return _run_module("lab", *arguments, options=SILENT)


def fuzz(arguments):
    """Set up what the tests need, then become the fuzzer."""
    _set_up("requirements.txt", "requirements-dev.txt")
    return _run_module("lab.fuzz", *arguments, options=SILENT)


def bench(arguments):
    """Set up the peer and the load generator too, then become the benchmark."""
    if sys.platform != "linux":
        raise SetupError("The benchmark reads CPU time and memory from /proc: run it on Linux.")
    _set_up("requirements.txt", "requirements-dev.txt", needed=(*programs.ALL, programs.HAPROXY), benchmark=True)
    return _run_module("bench", *arguments, options=SILENT)


def audit(_options):
    """Create the environment, whose pip and npm know their registries, then compare the pins with the advisories."""
    with setup_lock():
        environment.ensure_venv()
        node.npm_command()
    return _run_module("tools.audit")


def doctor(options):
    """Set up what the server needs, then check the chat from outside."""
    _set_up("requirements.txt")
    return _run_module("tools.doctor", *filter(None, [options.url]), options=SILENT)


def backup(options):
    """Set up what the server needs, then write a backup."""
    return _with_file(options)


def restore(options):
    """Set up what the server needs, then restore a backup."""
    return _with_file(options)


def migrate(options):
    """Set up what the server needs, then upgrade the database."""
    _set_up("requirements.txt")
    return _run_module("tools.migrate", *(["--list"] if options.list else []))


def _with_file(options):
    file = os.path.abspath(options.file)
    _set_up("requirements.txt")
    return _run_module("tools.backup", options.command, file)


def build(_options):
    """Build the browser assets only."""
    _set_up("requirements.txt")
    return 0


def translate(_options):
    """Add new messages of the sources to the message catalogues."""
    _set_up("requirements.txt")
    try:
        step("Updating the catalogues", [str(environment.python()), "-m", "tools.catalogs", "update"])
    except StepFailed as failure:
        raise SetupError(f"The catalogues could not be updated: {failure.reason} (all of it: .setup.log)") from None
    return 0


def _set_up(*requirements, needed=(), purpose="run the tests", benchmark=False, gevent=False, headless_chromium=False):
    with setup_lock():
        programs.ensure(needed, purpose)
        if headless_chromium:
            programs.ensure_headless_chromium()
        environment.ensure_venv()
        for file in requirements:
            environment.ensure_packages(file)
        if _chosen("FILES_URL") or "requirements-dev.txt" in requirements:
            environment.ensure_packages("requirements-s3.txt")
        if gevent:
            _install_gevent(is_optional=gevent == IF_POSSIBLE)
        assets.ensure()
        if benchmark:
            node.ensure_packages(ROOT / "bench", "packages of the benchmark")


def _install_gevent(is_optional):
    try:
        environment.ensure_packages("requirements-gevent.txt", optional=())     # gevent needs greenlet
    except environment.NoWheel as error:
        if not is_optional:
            raise SetupError(f"ASYNC_MODE=gevent cannot run here, threading can. {error}") from None
        print(f"The tests with gevent are skipped. {error}")


def _run_module(module, *arguments, options=()):
    """Replace this process by the environment's Python, running a module in the project's folder."""
    os.chdir(ROOT)
    return _hand_over([*options, "-m", module, *arguments])


def _hand_over(arguments):
    """Replace this process by the environment's Python, so that signals and the exit code are its own."""
    command = [str(environment.python()), *arguments]
    # Messages contain characters of every script, whatever the locale of the terminal is.
    os.environ.setdefault("PYTHONUTF8", "1")
    # Escape characters that the terminal lacks. Otherwise the first emoji would raise an error.
    encoding = os.environ.get("PYTHONIOENCODING", "").partition(":")[0]
    os.environ["PYTHONIOENCODING"] = f"{encoding}:backslashreplace"
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    # It ends with this process: setup_lock has seen to that for every child.
    process = subprocess.Popen(command)
    while True:
        with contextlib.suppress(KeyboardInterrupt):        # the child has received Ctrl+C too, and shuts down
            return process.wait()

"""Steps, stamps, the lock and the programs that the set-up is made of."""

import contextlib
import ctypes
import errno
import io
import os
import re
import select
import subprocess
import sys
from types import SimpleNamespace

import pytest

from tests.fake_programs import make_program
from tools import ROOT, children, console, debian, lock, programs, stamp

NOTHING_COMES_SECONDS = 0.5


# --- Steps --------------------------------------------------------------------------------------------


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(console, "LOG", tmp_path / "log")


def test_a_step_is_one_line(log, capfd):
    console.step("Counting", [sys.executable, "-c", "print('one, two')"])
    assert re.fullmatch(r"Counting \.\.\. \d+ s\n", capfd.readouterr().out)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in the file system")
def test_on_a_terminal_a_step_tells_how_far_it_is(log, tmp_path, monkeypatch):
    pipe, screen = tmp_path / "pipe", io.StringIO()
    os.mkfifo(pipe)
    screen.isatty = lambda: True
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(console, "shutil", SimpleNamespace(get_terminal_size=lambda: os.terminal_size((23, 80))))     # pytest asks for its own too

    def progress(output):
        if pipe.exists():
            pipe.write_text("end")
            pipe.unlink()
        return output.strip()

    console.step("Counting", [sys.executable, "-c", f"print('half of it', flush=True); open({str(pipe)!r}).read()"], progress=progress)
    *_before, longest, last = screen.getvalue().split("\r")
    assert re.fullmatch(r"Counting \.\.\. \d+ s, half?", longest), "cut where the terminal ends"
    assert re.fullmatch(r"Counting \.\.\. \d+ s +\n", last) and len(last) == len(longest) + 1, "no control code, which older Windows would print"


def test_a_failed_step_keeps_what_the_program_said(log):
    script = "import sys; print('first'); print('npm error code 7', file=sys.stderr); sys.exit('last')"
    with pytest.raises(console.StepFailed) as failure:
        console.step("Failing", [sys.executable, "-c", script])
    assert failure.value.reason == "npm error code 7"
    assert {"first", "last"} <= set(failure.value.output.split("\n"))


@pytest.mark.parametrize(
    "output, reason",
    [
        ("", "it printed nothing"),
        ("so\nit ends\n\n", "it ends"),
        ("\x1b[31mError:\x1b[39m\n\u250c\n\x1b[2m\u2502\x1b[22m Error: no such class\n\u2514", "Error: no such class"),
    ],
)
def test_a_reason_is_found_in_any_output(output, reason):
    assert console.StepFailed(output).reason == reason


# --- Stamps and the lock ------------------------------------------------------------------------------


def test_a_digest_depends_on_names_contents_and_borders(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("text")
    two.write_text("text")
    before = stamp.digest(one)
    assert before == stamp.digest(one)
    assert before != stamp.digest(two)
    one.write_text("other text")
    assert before != stamp.digest(one)
    assert stamp.digest("ab", "c") != stamp.digest("a", "bc")


@pytest.mark.parametrize("content", [None, "", "{half"])
def test_a_stamp_that_is_missing_or_half_written_counts_as_none(tmp_path, content):
    path = tmp_path / "stamp"
    if content is not None:
        path.write_text(content)
    assert stamp.Stamp(path).read() == {}


def test_a_second_set_up_waits_for_the_first(tmp_path):
    path = tmp_path / "lock"
    script = f"from tools.lock import setup_lock\nwith setup_lock({str(path)!r}): print('inside', flush=True)"
    with contextlib.ExitStack() as stack:
        with lock.setup_lock(path):
            second = stack.enter_context(
                subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            )
            assert second.stdout.readline() == "Another set-up is running; waiting for it to end ...\n"
            assert not select.select([second.stdout], [], [], NOTHING_COMES_SECONDS)[0]
        assert second.stdout.readline() == "inside\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows does not share a lock with child processes")
def test_a_step_whose_set_up_was_killed_still_holds_the_lock(tmp_path):
    path, pipe = tmp_path / "lock", tmp_path / "pipe"
    os.mkfifo(pipe)
    waiting = f"open({str(pipe)!r}, 'w').close(); open({str(pipe)!r}).read()"
    script = (
        "import sys\nfrom pathlib import Path\nfrom tools import console, lock\n"
        f"console.LOG = Path({str(tmp_path / 'log')!r})\n"
        f"with lock.setup_lock({str(path)!r}): console.step('Waiting', [sys.executable, '-c', {waiting!r}])"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.DEVNULL) as killed:
        pipe.read_text()
        killed.kill()
    with path.open("a") as file:
        assert not lock._try_lock(file)
        pipe.write_text("end")
        lock._wait_for_lock(file)


# --- Debian packages and programs ---------------------------------------------------------------------


NOWHERE = programs.Program(("no-such-program",), ("no-such-package",), "no-such-formula")


def test_without_rights_the_exact_command_is_named(monkeypatch):
    monkeypatch.setattr(debian, "is_debian", lambda: True)
    monkeypatch.setattr(debian, "_root_prefix", lambda: None)
    with pytest.raises(console.SetupError, match="apt-get install -y --no-install-recommends no-such-package$"):
        programs.ensure([NOWHERE], "run the tests")


def test_elsewhere_the_command_of_homebrew_is_named(monkeypatch, tmp_path):
    make_program(tmp_path, "brew", "")
    monkeypatch.setattr(debian, "is_debian", lambda: False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(console.SetupError, match="run: brew install no-such-formula$"):
        programs.ensure([NOWHERE], "run the tests")


def test_a_program_that_is_still_missing_is_an_error(monkeypatch):
    monkeypatch.setattr(debian, "is_debian", lambda: True)
    monkeypatch.setattr(debian, "install", lambda packages, purpose: None)
    with pytest.raises(console.SetupError, match="no-such-program"):
        programs.ensure([NOWHERE], "run the tests")


@pytest.mark.parametrize("has_it", [True, False])
def test_without_rights_the_whole_chromium_serves(monkeypatch, tmp_path, has_it):
    monkeypatch.setattr(debian, "has_headless_chromium", lambda: has_it)
    monkeypatch.setattr(debian, "_root_prefix", lambda: None)
    monkeypatch.setattr(programs, "SERVER_DIRECTORIES", [])
    monkeypatch.setenv("PATH", str(tmp_path))
    make_program(tmp_path, "chromium", "")
    programs.ensure_headless_chromium()
    assert programs.headless_chromium() == str(tmp_path / "chromium")


@pytest.mark.parametrize("release, has_it", [({"ID": "debian", "VERSION_ID": "12"}, True), ({"ID": "debian"}, True),
                                             ({"ID": "debian", "VERSION_ID": "11"}, False), ({"ID": "ubuntu", "VERSION_ID": "24.04"}, False)])
def test_debian_has_the_lighter_chromium_from_12_on(monkeypatch, release, has_it):
    monkeypatch.setattr(debian, "is_debian", lambda: True)
    monkeypatch.setattr(debian.platform, "freedesktop_os_release", lambda: release)
    assert debian.has_headless_chromium() is has_it


def test_an_ordinary_user_may_use_sudo_without_a_password_only(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert debian._root_prefix() is None
    make_program(tmp_path, "sudo", "exit 1")
    assert debian._root_prefix() is None
    make_program(tmp_path, "sudo", "exit 0")
    assert debian._root_prefix() == ["sudo", "-n"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_needs_no_lock(tmp_path, monkeypatch, number):
    def refuse(*_arguments, **_options):
        raise OSError(number, os.strerror(number))
    monkeypatch.setattr("builtins.open", refuse)
    with lock.setup_lock(tmp_path / "lock"):
        monkeypatch.undo()
        assert not (tmp_path / "lock").exists()


# --- Windows ------------------------------------------------------------------------------------------


def test_children_end_with_a_process_that_is_killed_on_windows():
    """The system ends what shares a job with it, and does so only where its structure is just as long as Windows'."""
    calls = []

    class Kernel32:
        def __getattr__(self, name):
            def call(*arguments):
                calls.append((name, *(getattr(argument, "value", argument) for argument in arguments)))
                return {"CreateJobObjectW": 11, "GetCurrentProcess": 22}.get(name, 1)
            setattr(self, name, call)
            return call
    children.end_with_this_process(Kernel32())
    (create, limit, _process, assign) = calls
    assert create == ("CreateJobObjectW", None, None) and assign == ("AssignProcessToJobObject", 11, 22)
    assert limit[:3] == ("SetInformationJobObject", 11, 9) and limit[3]._obj.flags == 0x2000
    assert limit[4] == {8: 144, 4: 112}[ctypes.sizeof(ctypes.c_void_p)]


def test_on_windows_the_steps_end_with_the_set_up(monkeypatch, tmp_path):
    """They inherit no lock there, so it begins before the first of them."""
    calls = []
    monkeypatch.setattr(lock, "end_with_this_process", lambda: calls.append("children"))
    monkeypatch.setattr(lock, "_try_lock", lambda _file: calls.append("lock") or True)
    with lock.setup_lock(tmp_path / "here"):
        assert calls == ["lock"]
    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        with lock.setup_lock(str(tmp_path / "there")):
            calls.append("step")
    assert calls == ["lock", "children", "lock", "step"]

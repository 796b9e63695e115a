"""Settings and the process: every error is one sentence, and the end is clean."""
import os
import re
import signal
import socket
import subprocess
import sys

import pytest
import websocket

import config
from tests import services
from tests.conftest import MODES, SECRET_KEY
from tests.people import ANSWER_SECONDS
from tests.server import OWN_SETTINGS, ROOT, START_SECONDS

END_SECONDS = 4     # well within the 10 that a service manager gives; connections that stayed open would take 5
EXAMPLE = ROOT / ".env.example"


# --- reading --------------------------------------------------------------------------------------------------

def test_it_works():
    settings = config.load({})
    assert settings["EMBEDDED"] and settings["LOG_MESSAGES"] and not settings["DEBUG"]
    assert (settings["HOST"], settings["PORT"], settings["BCRYPT_ROUNDS"]) == ("127.0.0.1", 5000, 12)
    assert settings["INSTANCE_PATH"] == str(ROOT / "instance") and settings["ASYNC_MODE"] == "eventlet"
    assert {s.name for s in config.SETTINGS} <= set(settings)


def test_an_empty_value_is_the_default():
    assert config.load({s.name: " " for s in config.SETTINGS}) == config.load({})


def test_the_port_is_fixed_where_somebody_asks_at_it():
    assert not config.load({})["PORT_FIXED"] and not config.load({"PORT": " "})["PORT_FIXED"]
    assert config.load({"PORT": "5000"})["PORT_FIXED"] and config.load({"PROXIES": "1"})["PORT_FIXED"]


@pytest.mark.parametrize("name, value", [
    ("PORT", "http"), ("PORT", "65536"), ("PORT", "-1"), ("PORT", "5000.5"), ("PORT", "٥٠٠٠"),
    ("DATABASE_URL", "root@127.0.0.1/chat"), ("DATABASE_URL", "postgres://127.0.0.1/chat"), ("REDIS_URL", "127.0.0.1:6379"),
    ("REDIS_URL", "http://127.0.0.1"), ("ASYNC_MODE", "asyncio"), ("ASYNC_MODE", "Eventlet"), ("BCRYPT_ROUNDS", "3"),
    ("BCRYPT_ROUNDS", "17"), ("RATELIMIT_ENABLED", "maybe"), ("LOG_MESSAGES", "2"), ("HTTPS", "https"), ("PROXIES", "9"),
    ("PROXIES", "nginx"), ("DEBUG", "x")])
def test_a_wrong_value_is_told_in_one_sentence(name, value):
    with pytest.raises(config.ConfigError) as told:
        config.load({name: value})
    sentence = str(told.value)
    shown = f"with {value.partition('://')[0]}://" if "://" in value else "begins with" if name.endswith("_URL") else repr(value)
    assert sentence.startswith(name) and shown in sentence and sentence.endswith(".") and "\n" not in sentence


@pytest.mark.parametrize("value, read", [("1", True), ("true", True), ("YES", True), ("on", True),
                                         ("0", False), ("False", False), ("no", False), ("off", False)])
def test_a_switch_has_the_usual_words(value, read):
    assert config.load({"HTTPS": value})["HTTPS"] is read


@pytest.mark.parametrize("where", [{"DATABASE_URL": "mysql://root@127.0.0.1/chat"}, {"REDIS_URL": "redis://127.0.0.1"}])
@pytest.mark.parametrize("key", ["", "too short", "x" * 31])
def test_outside_the_embedded_mode_a_secret_key_is_needed(where, key):
    with pytest.raises(config.ConfigError, match="SECRET_KEY must be set to 32 bytes or more"):
        config.load({**where, "SECRET_KEY": key})
    if key:
        with pytest.raises(config.ConfigError, match="^SECRET_KEY must be set to 32 bytes or more.*a key with # stands in quotes"):
            config.load({"SECRET_KEY": key})
    settings = config.load({**where, "SECRET_KEY": "é" * 16})
    assert not settings["EMBEDDED"] and not settings["LOG_MESSAGES"]


def test_the_text_of_messages_is_logged_only_where_it_is_asked_for():
    where = {"REDIS_URL": "redis://127.0.0.1", "SECRET_KEY": SECRET_KEY}
    assert config.load({**where, "LOG_MESSAGES": "1"})["LOG_MESSAGES"] is True
    assert config.load({"LOG_MESSAGES": "0"})["LOG_MESSAGES"] is False


def test_the_env_file_is_read_and_the_environment_wins(tmp_path, monkeypatch):
    file = tmp_path / ".env"
    file.write_text(f"# PORT=1\nPORT=5001\nexport HOST = '0.0.0.0'\nSECRET_KEY=\"{SECRET_KEY}=\"\n\nno value\n", encoding="utf-8")
    values = config.read_env_file(file)
    assert values == {"PORT": "5001", "HOST": "0.0.0.0", "SECRET_KEY": f"{SECRET_KEY}="}
    assert config.read_env_file(tmp_path / "nothing") == {}
    for name in OWN_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(config, "read_env_file", lambda: values)
    monkeypatch.setenv("PORT", "5002")
    settings = config.load()
    assert (settings["HOST"], settings["PORT"]) == ("0.0.0.0", 5002)


@pytest.mark.parametrize("line, value", [
    ("PORT=5001 # mine", "5001"), ("PORT=5001\t# mine", "5001"), ("PORT=# none", ""),
    ("PORT = 5001 ", "5001"), ("PORT='5001' # mine", "5001"),
    ("PORT=a#b", "a#b"), ("PORT='a #b'", "a #b"), ('PORT="a # b"', "a # b"), ('PORT="it\'s"', "it's"), ("PORT='a'b'", "a'b"),
    ('PORT="a" # "b"', "a"), ("PORT=''", ""), ("PORT=a'b'", "a'b'"), ("PORT=a=b", "a=b"), ("PORT=", "")])
def test_quotes_and_comments_in_the_env_file(tmp_path, line, value):
    (tmp_path / ".env").write_text(f"{line}\nHOST=::1\n", encoding="utf-8")
    assert config.read_env_file(tmp_path / ".env") == {"PORT": value, "HOST": "::1"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_first_line_of_an_env_file_by_any_editor(tmp_path, encoding, end):
    (tmp_path / ".env").write_bytes(f"PORT=5001{end}SECRET_KEY=é{end}".encode(encoding))
    assert config.read_env_file(tmp_path / ".env") == {"PORT": "5001", "SECRET_KEY": "é"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_an_env_file_that_is_not_utf_8_says_so(tmp_path, encoding):
    (tmp_path / ".env").write_bytes("PORT=5001\nSECRET_KEY=é\n".encode(encoding))
    with pytest.raises(config.ConfigError, match="is not in UTF-8: save it again"):
        config.read_env_file(tmp_path / ".env")


def test_a_quote_that_is_not_closed(tmp_path):
    (tmp_path / ".env").write_text("HOST=::1\nPORT='5001\n")
    with pytest.raises(config.ConfigError, match="^Line 2 of .* begins a value with ' and does not end it so.$"):
        config.read_env_file(tmp_path / ".env")


@pytest.mark.parametrize("password", ["a#b", "a/b", "a?b", "#", "a#b@c", "p[ss", "p]", "[::1]"])
def test_a_password_that_is_no_part_of_a_url(password):
    for name, url in (("DATABASE_URL", "mysql://root:{}@127.0.0.1/chat"), ("REDIS_URL", "redis://:{}@127.0.0.1/0")):
        with pytest.raises(config.ConfigError, match=f"^{name} .*write %23 for #.*%5B for") as told:
            config.load({name: url.format(password), "SECRET_KEY": SECRET_KEY})
        assert password not in str(told.value).partition(": write")[0]
    config.load({"DATABASE_URL": "mysql://root:a@b:c%23@[::1]:3306,127.0.0.1/chat", "SECRET_KEY": SECRET_KEY})
    config.load({"REDIS_URL": "unix:///tmp/a@b.sock?db=1", "SECRET_KEY": SECRET_KEY})


@pytest.mark.parametrize("url", [
    "mysql://root:hidden", "mysql://root:hidden@127.0.0.1:hidden/chat", "root:hidden@127.0.0.1/chat", "hidden://root:hidden@127.0.0.1",
    "mysql://root@[hidden/chat", "mysql://127.0.0.1,root:hidden", "mysql:hidden"])
def test_no_sentence_shows_a_part_of_a_password(url):
    for scheme in ("mysql", "redis"):
        name = {"mysql": "DATABASE_URL", "redis": "REDIS_URL"}[scheme]
        with pytest.raises(config.ConfigError, match=f"^{name} (begins|has)") as told:
            config.load({name: url.replace("mysql", scheme), "SECRET_KEY": SECRET_KEY})
        assert "hidden" not in str(told.value).replace("with hidden://", "")


@pytest.mark.parametrize("line, is_cut", [
    ("DATABASE_URL=mysql://root:12 #34@127.0.0.1/chat", True), ("REDIS_URL=redis://:pa #ss@127.0.0.1", True),
    ("DATABASE_URL='mysql://root:12 #34@127.0.0.1/chat'", False), ("REDIS_URL=redis://127.0.0.1 # of bob@example.org", False),
    ("DATABASE_URL=mysql://root:12@127.0.0.1 #bob@example.org", False), ("HOST=::1 #bob@example.org", False)])
def test_a_password_that_the_env_file_would_cut_off(tmp_path, line, is_cut):
    (tmp_path / ".env").write_text(f"PORT=5001\n{line}\n", encoding="utf-8")
    if not is_cut:
        assert len(config.read_env_file(tmp_path / ".env")) == 2
        return
    with pytest.raises(config.ConfigError, match="^Line 2 of .* put the whole value in quotes") as told:
        config.read_env_file(tmp_path / ".env")
    assert "12" not in str(told.value).replace(str(tmp_path), "") and "pa #" not in str(told.value)


def test_the_example_lists_every_setting_with_its_meaning_and_its_default():
    text = EXAMPLE.read_text(encoding="utf-8")
    for setting in config.SETTINGS:
        assert f"# {setting.meaning}\n# {setting.name}={setting.default}\n" in text, setting.name
    assert re.findall(r"^# ([A-Z_]+)=", text, re.M) == [s.name for s in config.SETTINGS]
    assert config.read_env_file(EXAMPLE) == {}, "all of it is commented out"


# --- starting -------------------------------------------------------------------------------------------------

def start_in_vain(tmp_path, **settings):
    """Start the server with settings that it cannot use; return its exit code and what it says."""
    environ = {k: v for k, v in os.environ.items() if k not in OWN_SETTINGS}
    done = subprocess.run([sys.executable, "wsgi.py"], cwd=ROOT, text=True, encoding="utf-8", timeout=START_SECONDS,
                          env={**environ, "PORT": "0", "INSTANCE_PATH": str(tmp_path), **settings}, capture_output=True)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def taken_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield str(taken.getsockname()[1])


@pytest.fixture
def closed_port():
    """A port that nobody listens on, kept from others while the test needs it."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


def assert_one_sentence(code, said, *words):
    assert code == 1
    assert said.startswith("chat: ") and said.count("\n") == 1, said
    for word in words:
        assert word in said


@pytest.mark.slow
@pytest.mark.parametrize("mode", config.ASYNC_MODES)
def test_a_port_that_is_taken(tmp_path, taken_port, mode):
    code, said = start_in_vain(tmp_path, PORT=taken_port, ASYNC_MODE=mode)
    assert_one_sentence(code, said, f"cannot listen on 127.0.0.1:{taken_port}", "in use", "PORT=5001")


@pytest.mark.slow
def test_an_address_that_is_not_this_machines(tmp_path):
    assert_one_sentence(*start_in_vain(tmp_path, HOST="192.0.2.1"), "cannot listen on 192.0.2.1")
    assert_one_sentence(*start_in_vain(tmp_path, HOST="no.such.host.invalid"), "cannot listen on no.such.host.invalid")


@pytest.mark.slow
def test_a_database_that_is_away(tmp_path, closed_port):
    url = f"mysql://root@127.0.0.1:{closed_port}/chat"
    assert_one_sentence(*start_in_vain(tmp_path, DATABASE_URL=url, SECRET_KEY=SECRET_KEY),
                        "The database cannot be used")


@pytest.mark.slow
def test_a_database_that_refuses(tmp_path, mariadb):
    url = mariadb.url.replace("root@", "nobody:wrong@")
    assert_one_sentence(*start_in_vain(tmp_path, DATABASE_URL=url, SECRET_KEY=SECRET_KEY), "The database cannot be used")


@pytest.mark.slow
def test_a_redis_that_is_away(tmp_path, closed_port):
    url = f"redis://127.0.0.1:{closed_port}/0"
    assert_one_sentence(*start_in_vain(tmp_path, REDIS_URL=url, SECRET_KEY=SECRET_KEY), "Redis cannot be used")


@pytest.mark.slow
@pytest.mark.parametrize("settings", [
    {"DATABASE_URL": "mysql://root@127.0.0.1:port/chat"}, {"DATABASE_URL": "mysql://root@[127.0.0.1/chat"},
    {"REDIS_URL": "redis://127.0.0.1:port/0"}, {"REDIS_URL": "redis://[127.0.0.1"}])
def test_a_url_that_cannot_be_read(tmp_path, settings):
    assert_one_sentence(*start_in_vain(tmp_path, SECRET_KEY=SECRET_KEY, **settings), *settings, "host or a port")


def test_no_secret_key(tmp_path):
    assert_one_sentence(*start_in_vain(tmp_path, REDIS_URL="redis://127.0.0.1"), "SECRET_KEY", "secrets.token_hex()")


@pytest.mark.parametrize("mode", ["wrong", "asyncio"])
def test_an_unknown_mode(tmp_path, mode):
    assert_one_sentence(*start_in_vain(tmp_path, ASYNC_MODE=mode), "eventlet, gevent, threading")


def test_a_mode_whose_library_is_missing(tmp_path):
    (tmp_path / "gevent.py").write_text("raise ModuleNotFoundError('gevent')", encoding="utf-8")
    answer = start_in_vain(tmp_path, ASYNC_MODE="gevent", PYTHONPATH=str(tmp_path))
    assert_one_sentence(*answer, "gevent, which is not installed", "manage.py run")


@pytest.mark.slow
def test_a_folder_that_cannot_be_made(tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert_one_sentence(*start_in_vain(tmp_path, INSTANCE_PATH=str(file / "folder")), "cannot be used")


@pytest.mark.parametrize("mode", sorted(set(MODES.values()) | {"gevent"}))
def test_the_first_line_is_the_address(start_server, mode):
    server = start_server(ASYNC_MODE=mode)
    assert server.seen[0].startswith("The chat is at "), server.seen


# --- ending ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("mode", sorted(set(MODES.values()) | {"gevent"}))
def test_both_signals_end_it_cleanly(start_server, arrive, mode, number):
    server = start_server(ASYNC_MODE=mode)
    alice, bob = arrive(server), arrive(server)
    live, polling = alice.tab(), bob.tab(transports=["polling"])
    assert live.send(bob, "before the end")["ok"]
    silent = websocket.create_connection(server.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket",
                                         origin=server.url, timeout=ANSWER_SECONDS)
    server.process.send_signal(number)
    assert server.process.wait(END_SECONDS) == 0
    assert live.ended.wait(ANSWER_SECONDS) and polling.ended.wait(ANSWER_SECONDS)
    silent.shutdown()
    server.reader.join()
    assert not [line for line in server.seen if "Traceback" in line or "Error" in line]


def test_what_was_acknowledged_before_the_end_is_there_after_it(start_server, arrive, tmp_path):
    first = start_server(INSTANCE_PATH=str(tmp_path))
    alice, bob = arrive(first), arrive(first)
    alice.tab().send(bob, "kept")
    assert first.stop() == 0
    second = start_server(INSTANCE_PATH=str(tmp_path), PORT=first.settings["PORT"])
    assert second.url == first.url
    assert [m["message"] for m in bob.history(alice)["messages"]] == ["kept"], "the session was kept too"


@pytest.mark.slow
def test_ready_names_what_is_away(start_server, arrive):
    with services.MariaDB() as database, services.Redis() as redis_server:
        server = start_server(DATABASE_URL=database.url, REDIS_URL=redis_server.url, SECRET_KEY=SECRET_KEY)
        visitor = arrive(server)
        assert _ready(visitor) == (200, [])
        redis_server.stop()
        assert _ready(visitor) == (503, ["redis"])
        assert visitor.get("/healthz").status_code == 200
        for path in ("/", "/login"):
            page = visitor.get(path)
            assert page.status_code == 503 and "Service unavailable" in page.text and "Traceback" not in page.text
        redis_server.start()
        database.stop()
        assert _ready(visitor) == (503, ["database"])
        assert visitor.log_in().status_code == 503
        redis_server.stop()
        assert _ready(visitor) == (503, ["database", "redis"])
        database.start()
        redis_server.start()
        assert _ready(visitor) == (200, [])
        assert visitor.get("/").status_code in (200, 302), "Redis forgot the session; the page is there again"


def _ready(visitor):
    answer = visitor.get("/readyz")
    return answer.status_code, answer.json()["unavailable"]


@pytest.mark.slow
def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    for settings in ({}, {"REDIS_URL": ""}):
        code, said = start_in_vain(tmp_path, INSTANCE_PATH=str(tmp_path / "file" / "instance"), **settings)
        assert code == 1 and said.startswith("chat: ") and "listen" not in said

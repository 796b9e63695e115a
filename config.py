"""Every setting, from the environment or from the file `.env`, each with its meaning and unit.

This module imports nothing that opens sockets or starts threads: `wsgi.py` reads ASYNC_MODE here before it
patches the standard library, and whatever is imported earlier stays unpatched.
"""
import os
import re
from collections import namedtuple
from pathlib import Path

from tools import python_name

ROOT = Path(__file__).resolve().parent

ASYNC_MODES = ("eventlet", "gevent", "threading")
SECRET_KEY_BYTES = 32
URL_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.ASCII)
URL_HOST = re.compile(r"(?:\[[^\[\]]*\]|[^:\[\]]*)(?::[0-9]*)?")       # a name or an address, and perhaps a port


class ConfigError(Exception):
    """A setting that the server cannot start with; its text is one sentence for the person at the terminal."""


# --- typed readers: text in, value out, or a ConfigError that names the setting -------------------------------

def text(name, value):
    return value


def switch(name, value):
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if value.lower() not in words:
        raise ConfigError(f"{name} is 1 or 0, not {value!r}.")
    return words[value.lower()]


def number(lowest, highest):
    def read(name, value):
        if not value.isascii() or not value.isdigit() or not lowest <= int(value) <= highest:
            raise ConfigError(f"{name} is a number from {lowest} to {highest}, not {value!r}.")
        return int(value)
    return read


def one_of(*choices):
    def read(name, value):
        if value not in choices:
            raise ConfigError(f"{name} is one of {', '.join(choices)}, not {value!r}.")
        return value
    return read


def url(*schemes):
    """Read a URL. It may hold a password, so no sentence shows more of it than its scheme."""
    def read(name, value):
        scheme, separator, _rest = value.partition("://")
        if value and scheme not in schemes:
            found = f", not with {scheme}://" if separator and URL_SCHEME.fullmatch(scheme) else ""
            raise ConfigError(f"{name} begins with {' or '.join(s + '://' for s in schemes)}{found}.")
        # urlsplit would take what follows one of these for a path or a port, and print it.
        place, rest = re.fullmatch("(?:[^/]*://)?([^/?#]*)(.*)", value, re.S).groups()
        user, _at, hosts = place.rpartition("@")
        if "#" in rest or place and "@" in rest or set(user) & set("[]"):
            raise ConfigError(f"{name} has a character in its password that means something else in a URL: write %23 for #, %2F for /,"
                              " %3F for ?, %40 for @, %5B for [ and %5D for ].")
        if not all(URL_HOST.fullmatch(host.strip()) for host in hosts.split(",")):
            raise ConfigError(f"{name} has a host or a port that cannot be read. If a password was cut off there, put the whole value in"
                              " quotes in .env, and write %23 for #.")
        return value
    return read


def folder(name, value):
    return str((ROOT / Path(value).expanduser()).resolve())


# --- the settings ---------------------------------------------------------------------------------------------

Setting = namedtuple("Setting", "name default read meaning")

SETTINGS = (
    Setting("HOST", "127.0.0.1", text, "Address that the server listens on; 0.0.0.0 for the whole network."),
    Setting("PORT", "5000", number(0, 65535),
            "TCP port that the server listens on; where none is set and 5000 is taken, the next one that is free."),
    Setting("DATABASE_URL", "", url("mysql", "mariadb"),
            "MySQL or MariaDB, as mysql://root@127.0.0.1:3306/chat, or host:port,host:port for the nodes of a cluster; empty: a SQLite file in INSTANCE_PATH."),
    Setting("REDIS_URL", "", url("redis", "rediss", "unix", "redis+sentinel"),
            "Redis for sessions, presence and the limits that processes share, as redis://127.0.0.1:6379/0 or redis+sentinel://host:26379,host:26379/mymaster/0; empty: files and memory."),
    Setting("SECRET_KEY", "", text,
            "Signs the form tokens, 32 bytes or more, with # in quotes; needed as soon as one of the two above is set."),
    Setting("INSTANCE_PATH", "instance", folder, "Folder of this server: the database file, sessions, secret key, files, uploads, address, lock and HAProxy's configuration."),
    Setting("ASYNC_MODE", "eventlet", one_of(*ASYNC_MODES), "Concurrency: eventlet, gevent or threading."),
    Setting("BCRYPT_ROUNDS", "12", number(4, 16), "Cost of a password hash, as a power of two."),
    Setting("RATELIMIT_ENABLED", "1", switch, "0 lifts every limit of rate and count, and the quotas of bytes; for measuring only."),
    Setting("ROOMS_A_DAY", "50", number(1, 1_000_000), "Rooms that one person may make in a day."),
    Setting("ADDRESS_FAILURES", "20", number(1, 1_000_000), "Wrong passwords that one address may send in a minute."),
    Setting("ADDRESS_REGISTRATIONS", "120", number(1, 1_000_000), "Tries to register that one address has in ten minutes."),
    Setting("REGISTRATIONS", "600", number(1, 1_000_000), "Tries to register that all have together in ten minutes."),
    Setting("ADDRESS_TRANSPORTS", "500", number(1, 1_000_000),
            "Live connections of one address by which nobody has logged in yet; those who have count by person."),
    Setting("MAX_FILE_BYTES", "25000000", number(1, 2_000_000_000), "Bytes of a file that one may upload."),
    Setting("FILES_A_DAY", "500", number(1, 1_000_000), "Files that one person may upload in a day."),
    Setting("FILE_BYTES_A_DAY", "500000000", number(1, 10**15), "Bytes of files that one person may upload in a day."),
    Setting("FILE_BYTES_A_PERSON", "5000000000", number(1, 10**15), "Bytes of files that one person may have in all."),
    Setting("FILE_BYTES", "50000000000", number(1, 10**15), "Bytes of files that all people may have together."),
    Setting("FILES_URL", "", url("s3"),
            "Where files are kept, as s3://bucket?endpoint=https://host; empty: the folder files in INSTANCE_PATH."),
    Setting("LOG_MESSAGES", "", text,
            "1 prints each stored message on the terminal, 0 does not; empty: only in the embedded mode."),
    Setting("HTTPS", "0", switch, "1 when people reach the site by https: cookies are Secure, HSTS is sent."),
    Setting("PROXIES", "0", number(0, 8), "How many reverse proxies stand in front; their X-Forwarded-For and -Proto are believed. They pass Host on."),
    Setting("METRICS_TOKEN", "", text, "Shows /metrics to who sends it as a Bearer token; empty: to this machine alone."),
    Setting("SHORTCUTS", "1", switch, "0 leaves eventlet and Engine.IO as they are: see chat/live/fast_engineio.py."),
    Setting("DEBUG", "0", switch, "1 answers an unforeseen error with its traceback; never on a machine that others reach."),
)


ENV_VALUE = re.compile(r"""(["'])(.*?)\1\s*(?:\#.*)?""")        # in quotes, and perhaps a comment
ENV_COMMENT = re.compile(r"(?:^|\s)#.*")
CUT_URL = re.compile(r"[^@]*://[^@]*\s#\S*@.*")       # what begins a comment here was meant for a part of the password


def read_env_file(path=ROOT / ".env"):
    """Return the `NAME=value` lines of a file as a dict.

    A value may stand in quotes; outside of them ` #` begins a comment, and so does # at the beginning of a line.
    By hand and not by python-dotenv: manage.py reads the file before any package is installed, and that one keeps a byte order mark.
    """
    values = {}
    for number, line in enumerate(_env_lines(path), 1):
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            value = value.strip()
            quoted = ENV_VALUE.fullmatch(value)
            if not quoted and value[:1] in ("'", '"'):
                raise ConfigError(f"Line {number} of {path} begins a value with {value[0]} and does not end it so.")
            if not quoted and CUT_URL.fullmatch(value):
                raise ConfigError(f"Line {number} of {path} has a # that begins a comment: put the whole value in quotes, and write %23 for #.")
            values[name.removeprefix("export ").strip()] = quoted[2] if quoted else ENV_COMMENT.sub("", value).strip()
    return values


def _env_lines(path):
    try:
        text = path.read_text(encoding="utf-8-sig")     # Windows' editors begin a file with a byte order mark
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:        # UTF-16 without its mark
        raise ConfigError(f"{path} is not in UTF-8: save it again, and choose UTF-8 as its encoding.")
    return text.splitlines()


def load(environ=None):
    """Return {name: value} for all settings; the environment wins over `.env`.

    Raises ConfigError with one sentence where a value cannot be used.
    """
    given = {**read_env_file(), **os.environ} if environ is None else environ
    settings = {s.name: s.read(s.name, given.get(s.name, "").strip() or s.default) for s in SETTINGS}
    settings["PORT_FIXED"] = bool(given.get("PORT", "").strip() or settings["PROXIES"])     # a proxy asks at one port alone
    settings["ASYNC_MODE_FIXED"] = bool(given.get("ASYNC_MODE", "").strip())
    settings["EMBEDDED"] = not settings["DATABASE_URL"] and not settings["REDIS_URL"]
    settings["LOG_MESSAGES"] = switch("LOG_MESSAGES", settings["LOG_MESSAGES"] or str(int(settings["EMBEDDED"])))
    if not (settings["EMBEDDED"] and not settings["SECRET_KEY"]) and len(settings["SECRET_KEY"].encode()) < SECRET_KEY_BYTES:
        where = "" if settings["EMBEDDED"] else "With DATABASE_URL or REDIS_URL set, "
        raise ConfigError(
            f"{where}SECRET_KEY must be set to {SECRET_KEY_BYTES} bytes or more: "
            f"{python_name()} -c \"import secrets; print(secrets.token_hex())\" makes one. In .env, a key with # stands in quotes.")
    return settings

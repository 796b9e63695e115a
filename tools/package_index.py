"""The package index that pip uses, queried for JSON."""

import ast
import base64
import contextlib
import http.client
import json
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from urllib.parse import unquote, urlsplit, urlunsplit

DEFAULT_INDEX = "https://pypi.org/simple"
# Where pip's settings may come from; later ones win: https://pip.pypa.io/en/stable/topics/configuration/
PRECEDENCE = ("global", "install", ":env:")
TIMEOUT_SECONDS = 30
MAX_ANSWER_BYTES = 64 * 1024 * 1024     # the longest list of releases has a few MB


class Unreachable(Exception):
    """An address has given no usable answer; the text says why in one sentence."""


class NotServed(Unreachable):
    """The server answers, but does not have what was requested."""


class PackageIndex:
    """An index with the layout of PyPI. Its address may contain a name and a password, as pip's may."""

    def __init__(self, url, certificates=None):
        self.url = url.rstrip("/")
        self.certificates = certificates

    @classmethod
    def of_pip(cls):
        """Return the index that the environment or pip's configuration names."""
        settings = pip_settings()
        return cls(settings.get("index-url") or DEFAULT_INDEX, settings.get("cert"))

    def files(self, name):
        """Return the files of all releases of a package, as PEP 691 describes them."""
        answer = fetch_json(f"{self.url}/{normalize(name)}/", self.certificates,
                            headers={"Accept": "application/vnd.pypi.simple.v1+json"})
        return _member(answer, "files", list)

    def release(self, name, version=None):
        """Return the answer of PyPI's JSON API for a release; without a version, for the newest one."""
        root = re.sub(r"/\+?simple$", "", self.url)
        path = "/".join([normalize(name), *([version] if version else []), "json"])
        return fetch_json(f"{root}/pypi/{path}", self.certificates)

    def release_or_newest(self, name, version):
        """Return the answer for a release. Some indexes serve only the newest one; then the answer names its version."""
        try:
            return self.release(name, version)
        except NotServed:
            return self.release(name)


def normalize(name):
    """Return the normalized name of a package, as in addresses (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pip_settings():
    """Return pip's settings by name, from its files and the environment."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^(global|install|:env:)\.([\w-]+)=(.*)$", listed, re.M)
    return {name: ast.literal_eval(value) for _kind, name, value in sorted(found, key=lambda each: PRECEDENCE.index(each[0]))}


def fetch_json(url, certificates=None, headers=(), body=None):
    """Return the JSON answer of an address. Raises Unreachable; NotServed if there is no such thing."""
    parts = urlsplit(url)
    shown = f"{parts.hostname}{parts.path}"
    try:
        bare, authorization = _without_credentials(parts)
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(bare, data, {"Accept": "application/json", **dict(headers), **authorization})
        if data is not None:
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS, context=_tls(certificates)) as answer:
            text = answer.read(MAX_ANSWER_BYTES + 1)
    except urllib.error.HTTPError as error:
        error.close()
        kind = NotServed if error.code in (404, 405, 410, 501) else Unreachable
        raise kind(f"{shown} answers with {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{shown} cannot be reached: {getattr(error, 'reason', None) or error}") from None
    try:
        if len(text) > MAX_ANSWER_BYTES:
            raise ValueError("too long")
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Unreachable(f"{shown} answers with something that is no JSON") from None


def _member(answer, name, kind):
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, kind):
        raise Unreachable(f"the index answers without `{name}`")
    return value


def _without_credentials(parts):
    """Return the address without name and password, and the header that carries them instead."""
    if parts.username is None:
        return urlunsplit(parts), {}
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if parts.port is None else f"{host}:{parts.port}"
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    header = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    return urlunsplit(parts._replace(netloc=netloc)), header


def _tls(certificates):
    if certificates:
        return ssl.create_default_context(cafile=certificates)
    context = ssl.create_default_context()
    # python.org's Python for macOS has no certificates until somebody installs them, so pip's are used.
    with contextlib.suppress(ImportError, OSError):
        from pip._vendor import certifi
        context.load_verify_locations(certifi.where())
    return context

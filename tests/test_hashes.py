"""Every pin has hashes, and what has another hash is not installed."""

import base64
import hashlib
import io
import json
import re
import sys
import tarfile
import zipfile

import pytest

from tests.fake_registry import registry
from tools import ROOT, console, environment, hashes, node, package_index, pins, stamp

pytestmark = pytest.mark.slow

WHEEL = "tiny-1.0-py3-none-any.whl"


# --- The files of this project ------------------------------------------------------------------------


@pytest.mark.parametrize("source", pins.sources(), ids=lambda path: path.name)
def test_a_requirements_file_is_its_source_with_hashes(source):
    text = source.with_suffix(".txt").read_text(encoding="utf-8")
    written = {pin: re.findall(r"--hash=sha256:([0-9a-f]{64})\b", part) for pin, part in _parts(text)}
    assert written and all(written.values())
    assert text == hashes.with_hashes(source, written), "python3 -m tools.hashes brings it up to date"


def _parts(text):
    """Each pin of a requirements.txt, and the lines that go with it."""
    for part in re.split(r"(?<!\\)\n", text):
        if pin := pins.read_pin(part.partition("\n")[0]):
            yield pin, part


@pytest.mark.parametrize("folder", [ROOT, ROOT / "bench"], ids=["pages", "benchmark"])
def test_each_npm_package_has_a_sha512(folder):
    packages = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    fetched = {path: package for path, package in packages.items() if path and not package.get("inBundle")}
    assert fetched
    assert not [path for path, package in fetched.items() if not package.get("integrity", "").startswith("sha512-")]
    # What another package bundles comes inside its file, whose hash is among the ones above.
    bundled = [path for path, package in packages.items() if package.get("inBundle")]
    assert all(path.rpartition("/node_modules/")[0] in packages for path in bundled)


# --- Writing them -------------------------------------------------------------------------------------


@pytest.mark.parametrize("line, pin", [
    ("Flask==3.1.3", pins.Pin("Flask", "3.1.3")),
    ("Flask==3.1.3 \\", pins.Pin("Flask", "3.1.3")),
    ('a.b-c_d==2.0rc1 ; sys_platform == "win32"  # why', pins.Pin("a.b-c_d", "2.0rc1", 'sys_platform == "win32"')),
    ("# Flask==3", None), ("-r requirements.in", None), ("--only-binary :all:", None), ("Flask>=3", None), ("", None),
])
def test_a_pin_is_read(line, pin):
    assert pins.read_pin(line) == pin


def release(*names):
    return {"files": [{"filename": name, "hashes": {"sha256": hashlib.sha256(name.encode()).hexdigest()}} for name in names]}


def test_the_hashes_are_those_of_all_wheels_of_the_version(tmp_path):
    names = ("tiny-1.0-py3-none-any.whl", "tiny-1.0-cp314-cp314-win32.whl", "tiny-1.0.1-py3-none-any.whl", "tiny-1.0.tar.gz")
    with registry({"/simple/tiny/": release(*names)}) as server:
        found = hashes.wheel_hashes(package_index.PackageIndex(server.url + "/simple/"), pins.Pin("Tiny", "1.0"))
    assert found == sorted(hashlib.sha256(name.encode()).hexdigest() for name in names[:2])


@pytest.mark.parametrize("answer", [release(), release("tiny-1.0.tar.gz"), {"files": None}, [], b"<html>", 500, None])
def test_without_a_wheel_nothing_is_written(monkeypatch, tmp_path, capsys, answer):
    (tmp_path / "requirements.in").write_text("tiny==1.0\n", encoding="utf-8")
    monkeypatch.setattr(hashes, "ROOT", tmp_path)
    with registry({"/simple/tiny/": answer}) as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.url + "/simple")
        assert hashes.main() == 1
    assert capsys.readouterr().err.startswith("Nothing was written: ")
    assert not (tmp_path / "requirements.txt").exists()


def test_the_files_are_written(monkeypatch, tmp_path):
    (tmp_path / "requirements.in").write_text("# For who edits it\n\n# Small\ntiny==1.0 ; os_name != 'nt'\n", encoding="utf-8")
    (tmp_path / "requirements-dev.in").write_text("-r requirements.in\nother==2\n", encoding="utf-8")
    monkeypatch.setattr(hashes, "ROOT", tmp_path)
    with registry({"/simple/tiny/": release(WHEEL), "/simple/other/": release("other-2-py3-none-any.whl")}) as server:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://name:pass%2Fword@{server.url.removeprefix('http://')}/simple/")
        assert hashes.main() == 0
    lines = (tmp_path / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines[1:] == ["", "# Small", "tiny==1.0 ; os_name != 'nt' \\", f"    --hash=sha256:{release(WHEEL)['files'][0]['hashes']['sha256']}"]
    assert "-r requirements.txt" in (tmp_path / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    secret = "Basic " + base64.b64encode(b"name:pass/word").decode()
    assert {headers["Authorization"] for _method, _path, headers in server.asked} == {secret}


def test_the_index_is_the_one_that_pip_uses(monkeypatch, tmp_path):
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = http://a/simple\ncert = /b\n[install]\nindex-url = http://c/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.delenv("PIP_CERT", raising=False)
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    found = package_index.PackageIndex.of_pip()
    assert (found.url, found.certificates) == ("http://c/simple", "/b")
    monkeypatch.setenv("PIP_INDEX_URL", "http://d/simple/")
    assert package_index.PackageIndex.of_pip().url == "http://d/simple"


# --- What was changed is refused ----------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder with one wheel, the pin of it, and a pip that looks there alone and installs nothing for good."""
    with zipfile.ZipFile(tmp_path / WHEEL, "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    digest = hashlib.sha256((tmp_path / WHEEL).read_bytes()).hexdigest()
    (tmp_path / "requirements.txt").write_text(f"tiny==1.0 \\\n    --hash=sha256:{digest}\n", encoding="utf-8")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "STAMP", stamp.Stamp(tmp_path / "installed.json"))
    monkeypatch.setattr(environment, "python", lambda: sys.executable)
    monkeypatch.setattr(console, "LOG", tmp_path / "log")
    only_here = ["--dry-run", "--no-index", "--find-links", str(tmp_path)]
    monkeypatch.setattr(environment, "step", lambda title, command, **how: console.step(title, [*command, *only_here], **how))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return tmp_path


def test_the_wheel_that_was_pinned_is_installed(shelf):
    environment.ensure_packages("requirements.txt")
    assert environment.STAMP.read()


def test_a_package_without_a_wheel_here_is_left_out_if_it_is_optional(shelf, monkeypatch, capsys):
    """pip itself says so, and takes the others by their hashes."""
    text = (shelf / "requirements.txt").read_text(encoding="utf-8")
    (shelf / "requirements.txt").write_text(f"--only-binary :all:\nlacking==2.0 \\\n    --hash=sha256:{'0' * 64}\n{text}", encoding="utf-8")
    (shelf / "lacking-2.0-cp310-cp310-win32.whl").write_bytes(b"of another machine")
    with pytest.raises(environment.NoWheel):
        environment.ensure_packages("requirements.txt")
    monkeypatch.setitem(environment.OPTIONAL, "lacking", (("lacking",), "nothing serves in its place"))
    capsys.readouterr()
    environment.ensure_packages("requirements.txt", optional=("lacking",))
    assert re.search(r"^There is no ready-made wheel of lacking 2.0 for .*: nothing serves in its place\.$", capsys.readouterr().out, re.M)
    assert environment.left_out() == ["lacking"] and environment.STAMP.read()["requirements.txt"]


def test_a_changed_byte_in_a_wheel_is_refused_in_one_sentence(shelf):
    content = bytearray((shelf / WHEEL).read_bytes())
    content[len(content) // 2] ^= 1
    (shelf / WHEEL).write_bytes(content)
    with pytest.raises(console.SetupError, match=r"^tiny==1\.0 was refused and nothing was installed: .*\.whl$"):
        environment.ensure_packages("requirements.txt")
    assert not environment.STAMP.read()


def test_a_pin_without_a_hash_is_refused(shelf):
    (shelf / "requirements.txt").write_text("tiny==1.0\n", encoding="utf-8")
    with pytest.raises(console.SetupError, match="Hashes are required"):
        environment.ensure_packages("requirements.txt")


@pytest.mark.parametrize("is_changed", [False, True], ids=["as locked", "changed"])
def test_npm_refuses_a_changed_package(monkeypatch, tmp_path, is_changed):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        manifest = b'{"name": "tiny", "version": "1.0.0"}'
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(manifest)
        archive.addfile(entry, io.BytesIO(manifest))
    locked = "sha512-" + base64.b64encode(hashlib.sha512(content.getvalue()).digest()).decode()
    served = content.getvalue() + b"\0" * is_changed
    package = {"version": "1.0.0", "integrity": locked}
    lock = {"name": "user", "lockfileVersion": 3, "packages": {"": {"dependencies": {"tiny": "1.0.0"}}, "node_modules/tiny": package}}
    (tmp_path / "package.json").write_text('{"name": "user", "dependencies": {"tiny": "1.0.0"}}', encoding="utf-8")
    (tmp_path / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    monkeypatch.setattr(console, "LOG", tmp_path / "log")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with registry({"/tiny/-/tiny-1.0.0.tgz": served}) as server:
        monkeypatch.setenv("npm_config_registry", server.url)
        version = {"name": "tiny", "version": "1.0.0", "dist": {"tarball": server.url + "/tiny/-/tiny-1.0.0.tgz"}}
        server.answers["/tiny"] = {"name": "tiny", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
        if is_changed:
            with pytest.raises(console.SetupError, match="^One of the browser packages was refused, for its hash"):
                node.ensure_packages(tmp_path)
        else:
            node.ensure_packages(tmp_path)
    assert (tmp_path / "node_modules" / "installed.json").exists() is not is_changed

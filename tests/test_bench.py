"""The benchmark: a quick run works, its table marks a missed limit, and what it reads from the system is right."""
import shutil
import subprocess
import sys

import pytest

from tests.laboratory import MOST_SECONDS, printed_by

pytestmark = [pytest.mark.slow, pytest.mark.timeout(MOST_SECONDS), pytest.mark.skipif(sys.platform != "linux", reason="it reads what Linux tells")]

BENCHMARKED = ("talk", "crowd", "store", "rooms", "changes", "writing", "cluster")      # every part that needs no browser


def test_it_works():
    """Every part that needs no browser, with the peer and the baseline."""
    said = printed_by("bench", "--quick", *(argument for part in BENCHMARKED for argument in ("--only", part)))
    from bench.rows import CHANGES, CLUSTER, ROOMS, ROWS, WRITING
    for row in ROWS + ROOMS + CHANGES + WRITING + CLUSTER:
        assert row.title in said


def results(**medians):
    """Return figures as a run records them: `saturated_chat={"cpu_us": 100}`."""
    from bench.results import Results
    return Results({name.replace("_", " ", 1): [figures] for name, figures in medians.items()})


def test_a_row_that_misses_its_limit_says_so():
    from bench.report import as_text, lines, table
    from bench.rows import ROWS
    figures = results(saturated_chat={"cpu_us": 71, "messages_s": 130}, saturated_peer={"cpu_us": 100, "messages_s": 100})
    found = {row.title: (value, is_met) for row, value, _detail, is_met in lines(ROWS, figures)}
    assert found[ROWS[0].title] == (0.71, False), "at most 0.7"
    assert found[ROWS[2].title] == (1.3, True), "at least 1.3"
    assert len(found) == 2, "rows that were not results are left out"
    assert "NO" in as_text(lines(ROWS, figures)) and "0.71 **(missed)**" in table(ROWS, [figures])


def test_the_report_has_every_row_that_was_measured(monkeypatch):
    from bench import plots, report
    from bench.rows import CHANGES, CLUSTER, ROOMS, ROWS, WEIGHT, WRITING
    monkeypatch.setattr(plots, "draw", lambda _results: None)
    for name in ("shares", "load_line"):
        monkeypatch.setattr(report, name, lambda _results: "")
    monkeypatch.setattr(report.Results, "has", lambda *_names: True)
    monkeypatch.setattr(report.Results, "median", lambda *_names: 1.0)
    told = report.as_markdown([{"at": "now", "seconds": 60, "rounds": {}}])
    assert [row.title for row in (*ROWS, *ROOMS, *CHANGES, *WRITING, *WEIGHT, *CLUSTER) if row.title not in told] == []


def test_what_one_of_several_runs_did_not_measure_is_an_empty_cell():
    from bench.report import table
    from bench.rows import ROWS
    whole = results(saturated_chat={"cpu_us": 50, "messages_s": 1}, saturated_peer={"cpu_us": 100, "messages_s": 1})
    assert "| ≤ 0.7 |  | 0.5 |" in table(ROWS, [results(), whole])


def test_the_bottleneck_is_named_if_it_was_measured():
    from bench.report import load_line
    known = {"cpu_us": 90, "load_percent": 61.2, "messages_s": 10_000, "parts": {"server": 95, "database": 9}}
    assert "chat 61 % and 95 %" in load_line(results(saturated_chat=known, saturated_peer={"cpu_us": 100}))
    assert load_line(results(saturated_peer={"cpu_us": 100})) == ""


def test_a_run_names_its_commit_if_it_has_one():
    from bench.report import commit_text
    assert commit_text({"commit": "8c9ee6f with changes"}) == ", commit 8c9ee6f with changes"
    assert commit_text({"commit": ""}) == commit_text({}) == ""


@pytest.mark.skipif(not shutil.which("git"), reason="this machine has no git")
def test_the_commit_is_that_of_git(monkeypatch, tmp_path):
    from bench import report
    monkeypatch.setattr(report, "ROOT", tmp_path)

    def git(*arguments):
        who = ("-c", "user.name=one", "-c", "user.email=one@example.org")
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert report.commit() == ""
    git("init")
    git("commit", "--allow-empty", "-m", "first")
    first = report.commit()
    assert 4 <= len(first) <= 12 and " " not in first
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "performance.md").write_text("of the run before")
    assert report.commit() == first, "what the report itself writes is no change"
    (tmp_path / "changed.py").write_text("")
    assert report.commit() == f"{first} with changes"


def test_the_median_of_three_rounds_counts():
    from bench.results import Results
    rounds = Results()
    for cpu in (300, 100, 120):
        rounds.add("saturated", "chat", {"cpu_us": cpu})
    assert rounds.median("saturated", "chat", "cpu_us") == 120


def test_the_cpu_of_children_is_counted():
    from tools.processes import cpu_seconds
    busy = "import time\nwhile time.process_time() < 0.6: pass"     # longer than the assertion needs: CPU time is counted in ticks of 10 ms
    script = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {busy!r}]); print('done', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        assert 0.5 <= cpu_seconds(process.pid) < 2
        process.kill()


@pytest.mark.parametrize("stack, owner", [
    (["main (eventlet/greenthread.py:1)", "_run (chat/conversations/writer.py:9)", "execute (pymysql/cursors.py:3)", "translate (codecs.py:2)"],
     "PyMySQL: the statement and its answer"),
    (["main (eventlet/greenthread.py:1)", "send_message (chat/live/sockets.py:9)"], "the chat: messages and their checks"),
    (["<module> (wsgi.py:1)"], "Python itself")])
def test_a_sample_belongs_to_the_innermost_that_is_anybodys(stack, owner):
    from bench.profile import owner_of
    assert owner_of(stack) == owner


def test_a_name_of_the_full_town_is_a_key_and_its_own_search():
    """The people that are inserted by SQL are the same as if the chat had registered them."""
    from bench.seed_data import _name
    from chat.accounts import usernames
    names = [_name(n) for n in range(2_000)]
    assert len(set(names)) == len(names)
    assert all(usernames.canonical(name) == usernames.search_key(name) == name for name in names)


def test_the_rows_of_an_upgrade_are_compared(capfd):
    from bench import upgrade
    assert upgrade.measure("sqlite", 2_000)
    said = capfd.readouterr().out
    assert "messages: 2,000 rows, as before" in said and "The database is of version" in said

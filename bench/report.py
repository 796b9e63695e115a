"""docs/performance.md, written from the figures of the latest runs."""
import json
import os
import platform
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path

from tools import ROOT, node, programs, tables

from .results import Results
from .rows import CHANGES, CLUSTER, ROOMS, ROWS, WEIGHT, WRITING

REPORT = ROOT / "docs" / "performance.md"
STEPS = ROOT / "docs" / "performance-steps.md"  # the effect of each optimisation, written by hand
RUNS = ROOT / "docs" / "performance.json"       # the figures of the latest runs
KEPT = 3                    # runs in the report
VERSIONS = ("flask-socketio", "python-socketio", "python-engineio", "eventlet", "PyMySQL", "orjson")
SERVERS = (("MariaDB", programs.MARIADB, "--version"), ("Redis", programs.REDIS, "--version"), ("HAProxy", programs.HAPROXY, "-v"))
OF_THE_PEER = (("Express", "express"), ("Socket.IO", "socket.io"), ("mysql2", "mysql2"))    # as pinned in bench/package.json
SATURATED = ("chat", "peer", "baseline", "embedded")

PREFACE = """\
Written by `python3 manage.py bench`. The chat is compared with a *peer*, which uses the report's own stack (Express, Socket.IO,
mysql2 with a pool, one INSERT per message), and with a *baseline*, a relay over bare eventlet WebSockets without Socket.IO and
database. The sources are [bench/peer/server.mjs](../bench/peer/server.mjs) and [bench/baseline.py](../bench/baseline.py). All use
the same MariaDB, which flushes at each commit, and are measured in turns: chat, peer, baseline, chat, peer, baseline. Figures are
medians. CPU is the CPU time of the whole process tree, of the database and of Redis, as the operating system counts it.
"""


def lines(rows, results):
    """Return (row, value, detail, whether the limit is met) for each row that was measured."""
    able = [row for row in rows if all(results.has(*need) for need in row.needs)]
    return [(row, row.value(results), row.detail(results), row.is_met(results)) for row in able]


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def limit_text(row, results):
    return f"{row.sign} {number(row.limit(results))}{' ' + row.unit if row.unit else ''}"


def as_text(found):
    """Return the table for a terminal."""
    return tables.as_text([(row.title, number(value), "yes" if is_met else "NO", detail) for row, value, detail, is_met in found], right=(1,))


def commit():
    """Return the current commit, and whether the sources were changed since; "" without git."""
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    try:
        # docs is excluded: each run changes the report there, and nothing in docs is measured.
        return git("rev-parse", "--short", "HEAD") + (" with changes" if git("status", "--porcelain", "--", ".", ":(exclude)docs") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def write(results, seconds, of_commit):
    """Add a run to the latest ones, and write the report of them."""
    runs = json.loads(RUNS.read_text(encoding="utf-8")) if RUNS.exists() else []
    at = f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M}"
    runs = [*runs, {"at": at, "seconds": seconds, "commit": of_commit, "rounds": dict(results.rounds)}][-KEPT:]
    RUNS.write_text(json.dumps(runs, indent=1), encoding="utf-8")
    REPORT.write_text(as_markdown(runs), encoding="utf-8")


def as_markdown(runs):
    from . import plots     # imported here because pygal hooks into Python's imports
    all_measured = [Results(run["rounds"]) for run in runs]
    latest = all_measured[-1]
    plots.draw(latest)
    times = ", ".join(f"{run['at']} UTC ({run['seconds'] / 60:.0f} minutes{commit_text(run)})" for run in runs)
    return "\n".join([
        "# How fast it is\n",
        PREFACE,
        f"{machine()} Runs: {times}.\n",
        "## Compared with the peer and the baseline\n", table(ROWS, all_measured), load_line(latest),
        "## Rooms\n",
        "The peer's room is a room of Socket.IO: it stores a message by one INSERT and sends it to each member by a call of its own. The"
        " chat stores and sends together what comes while it is busy.\n",
        table(ROOMS, all_measured),
        "## Messages that change\n", table(CHANGES, all_measured),
        "## Formatted messages and files\n", table(WRITING, all_measured),
        "## What a page weighs\n", table(WEIGHT, all_measured),
        "## Four processes\n",
        "Against one, and against four of the peer's. Behind HAProxy, on the same database and Redis and on the same two cores. So this shows what more processes cost, not what"
        " they bring. The rolling restart has three processes.\n",
        table(CLUSTER, all_measured),
        "## In pictures\n",
        *(f"![{title}](performance/{name}.svg)\n" for name, title in plots.PICTURES),
        "## Where the time goes\n",
        "The server process at saturation, sampled from outside by py-spy. A sample counts for the owner of its innermost frame.\n",
        shares(latest),
        STEPS.read_text(encoding="utf-8") if STEPS.exists() else "",
    ])


def table(rows, runs):
    lines = []
    for row in rows:
        able = [results for results in runs if all(results.has(*need) for need in row.needs)]
        if able:
            cells = [f"{number(row.value(m))}{'' if row.is_met(m) else ' **(missed)**'}" if m in able else "" for m in runs]
            lines.append([row.title, limit_text(row, able[-1]), *cells, row.detail(able[-1])])
    names = [f"run {n}" for n in range(1, len(runs) + 1)]
    return tables.as_markdown(["", "limit", *names, "details"], lines, right=range(2, 2 + len(runs)))


def commit_text(run):
    return f", commit {run['commit']}" if run.get("commit") else ""


def load_line(results):
    """Return a sentence on the CPU use of the load generator and of the server at saturation."""
    known = [who for who in SATURATED if results.has("saturated", who) and "load_percent" in results.rounds[f"saturated {who}"][0]]
    parts = (f"{who} {results.median('saturated', who, 'load_percent'):.0f} % and {server_percent(results, who):.0f} %" for who in known)
    return ("CPU use of the load generator and of the server at saturation, in the latest run, in percent of one core:"
            f" {', '.join(parts)}. The load generator would be the bottleneck near 100 %.\n") if known else ""


def server_percent(results, who):
    return results.part("saturated", who, "server") * results.median("saturated", who, "messages_s") / 1e4


def shares(results):
    figures = results.rounds.get("profile chat", [{}])[-1]
    return tables.as_markdown(["", "%"], [[owner, f"{share:.1f}"] for owner, share in figures.items()], right=(1,))


def machine():
    from importlib.metadata import version
    lines_of_cpu = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines_of_cpu if "model name" in line), "?")
    node_version = subprocess.run([*node.node_command(), "--version"], capture_output=True, text=True).stdout.strip()
    packages = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    pinned = json.loads((ROOT / "bench" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    peer = ", ".join(f"{name} {pinned[package]}" for name, package in OF_THE_PEER)
    servers = ", ".join(f"{name} {version_of(program, option)}" for name, program, option in SERVERS)
    return (f"The machine: {os.cpu_count()} cores of {model}, {platform.system()} {platform.release()},"
            f" Python {platform.python_version()}, Node {node_version}; {servers};"
            f" {packages}; the peer's {peer}.")


def version_of(program, option):
    said = subprocess.run([program.path(), option], capture_output=True, text=True).stdout
    found = re.search(r"\d+\.\d+\.\d+", said)
    return found.group() if found else "?"

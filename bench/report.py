"""docs/performance.md: the tables of the latest runs, written by them."""
import json
import os
import platform
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path

from tools import ROOT, node, programs

from .measured import Measured
from .rows import CLUSTER, ROWS, WEIGHT

REPORT = ROOT / "docs" / "performance.md"
STEPS = ROOT / "docs" / "performance-steps.md"      # how each step moved the numbers, written by hand
RUNS = ROOT / "docs" / "performance.json"           # the figures of the latest runs
KEPT = 3                    # runs that the report shows
VERSIONS = ("flask-socketio", "python-socketio", "python-engineio", "eventlet", "PyMySQL", "orjson")
SERVERS = (("MariaDB", programs.MARIADB, "--version"), ("Redis", programs.REDIS, "--version"), ("HAProxy", programs.HAPROXY, "-v"))
OF_THE_PEER = (("Express", "express"), ("Socket.IO", "socket.io"), ("mysql2", "mysql2"))    # as bench/package.json pins them
SATURATED = ("chat", "peer", "floor", "embedded")

PREFACE = """\
Written by `python3 manage.py bench`. The chat and its peer, the report's own stack (Express, Socket.IO, mysql2 with a pool,
one INSERT a message), run on the same MariaDB, which flushes at each commit, in turns: chat, peer, floor, chat, peer, floor.
Figures are medians; CPU is the operating system's account of the whole process tree, of the database and of Redis. The floor
is a relay over bare eventlet WebSockets, with neither Socket.IO nor database. The peer's source is
[bench/peer/server.mjs](../bench/peer/server.mjs), the floor's [bench/floor.py](../bench/floor.py).
"""


def lines(rows, measured):
    """Return (row, value, told, whether it holds) for each row that was measured."""
    able = [row for row in rows if all(measured.has(*need) for need in row.needs)]
    return [(row, row.value(measured), row.told(measured), row.holds(measured)) for row in able]


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def bar_of(row, measured):
    return f"{row.sign} {number(row.bar(measured))}{' ' + row.unit if row.unit else ''}"


def as_text(found):
    """Return the table for a terminal."""
    width = max((len(row.title) for row, *_rest in found), default=0)
    return "\n".join(f"{row.title:<{width}}  {number(value):>8} {'yes' if holds else 'NO ':3} {told}"
                     for row, value, told, holds in found)


def commit():
    """Return the commit that runs, and whether it was changed since; "" where there is no git."""
    def git(*arguments):
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    try:
        # The report itself, in docs, changes with each run, and nothing that is measured is there.
        return git("rev-parse", "--short", "HEAD") + (" with changes" if git("status", "--porcelain", "--", ".", ":(exclude)docs") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def write(measured, seconds, of_commit):
    """Add a run to those that are kept, and write the report of them all."""
    runs = json.loads(RUNS.read_text(encoding="utf-8")) if RUNS.exists() else []
    at = f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M}"
    runs = [*runs, {"at": at, "seconds": seconds, "commit": of_commit, "rounds": dict(measured.rounds)}][-KEPT:]
    RUNS.write_text(json.dumps(runs, indent=1), encoding="utf-8")
    REPORT.write_text(as_markdown(runs), encoding="utf-8")


def as_markdown(runs):
    from . import plots     # late: pygal hooks into Python's imports
    all_measured = [Measured(run["rounds"]) for run in runs]
    latest = all_measured[-1]
    plots.draw(latest)
    times = ", ".join(f"{run['at']} UTC ({run['seconds'] / 60:.0f} minutes{told_commit(run)})" for run in runs)
    return "\n".join([
        "# How fast it is\n",
        PREFACE,
        f"{machine()} Runs: {times}.\n",
        "## Against the peer, and against ourselves\n", table(ROWS, all_measured), load_line(latest),
        "## What a page weighs\n", table(WEIGHT, all_measured),
        "## Four processes against one\n",
        "Behind HAProxy, on the same database and Redis, on the same two cores: what more processes cost, not what they bring."
        " The rolling restart is one of three processes.\n",
        table(CLUSTER, all_measured),
        "## In pictures\n",
        *(f"![{title}](performance/{name}.svg)\n" for name, title in plots.PICTURES),
        "## Where the time goes\n",
        "The server process at saturation, sampled from outside by py-spy: a sample belongs to whoever owns its innermost frame.\n",
        shares(latest),
        STEPS.read_text(encoding="utf-8") if STEPS.exists() else "",
    ])


def table(rows, runs):
    heads = [f"run {n}" for n in range(1, len(runs) + 1)]
    out = [f"| | bar | {' | '.join(heads)} | of which |", "| --- | --- |" + " ---: |" * len(runs) + " --- |"]
    for row in rows:
        able = [measured for measured in runs if all(measured.has(*need) for need in row.needs)]
        if able:
            cells = [f"{number(row.value(m))}{'' if row.holds(m) else ' **(missed)**'}" if m in able else "" for m in runs]
            out.append(f"| {row.title} | {bar_of(row, able[-1])} | {' | '.join(cells)} | {row.told(able[-1])} |")
    return "\n".join(out) + "\n"


def told_commit(run):
    return f", commit {run['commit']}" if run.get("commit") else ""


def load_line(measured):
    """Return what the load generator used while it saturated each subject, and what the server did."""
    known = [who for who in SATURATED if measured.has("saturated", who) and "load_percent" in measured.rounds[f"saturated {who}"][0]]
    parts = (f"{who} {measured.median('saturated', who, 'load_percent'):.0f} % and {server_percent(measured, who):.0f} %" for who in known)
    return ("The load generator, which would be the bottleneck near 100 %, and the server, shares of one core at saturation in the latest"
            f" run: {', '.join(parts)}.\n") if known else ""


def server_percent(measured, who):
    return measured.part("saturated", who, "server") * measured.median("saturated", who, "messages_s") / 1e4


def shares(measured):
    figures = measured.rounds.get("profile chat", [{}])[-1]
    rows = (f"| {owner} | {share:.1f} |" for owner, share in figures.items())
    return "\n".join(["| | % |", "| --- | ---: |", *rows]) + "\n"


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

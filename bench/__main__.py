"""`python3 manage.py bench`: everything side by side and in turns, a table, and docs/performance.md."""
import argparse
import sys
import time
from dataclasses import replace

from tools import command_line, programs

from . import crowd, pages, profile, report, restart, store, talk
from .measured import Measured
from .rows import CLUSTER, ROWS, WEIGHT
from .scope import TASTE, WHOLE
from .subjects import Chat, Cluster, Floor, Grounds, Peer

PARTS = ("talk", "crowd", "store", "pages", "cluster", "profile")


def parse(arguments):
    parser = argparse.ArgumentParser(prog=command_line("bench"),
                                     description="Measure the chat against the report's own stack.")
    parser.add_argument("--quick", action="store_true",
                        help="a taste of everything in two minutes: its figures mean little, and no report is written")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part alone; no report is written")
    parser.add_argument("--rounds", type=int, help="how often each subject has its turn")
    return parser.parse_args(arguments)


class Run:
    """One run: says each step as it begins and what came of it, and notes the figures."""

    def __init__(self, scope):
        self.scope, self.measured, self.begun, self.commit = scope, Measured(), time.monotonic(), report.commit()

    def note(self, what, who, measure, *arguments):
        print(f"[{time.monotonic() - self.begun:4.0f} s] {what}, {who} ...", end="", flush=True)
        figures = measure(*arguments)
        self.measured.add(what, who, figures)
        told = (f"{name} {value:,.1f}" for name, value in figures.items() if isinstance(value, (int, float)))
        print(f" {', '.join(told)}", flush=True)


def measure_talk(run, grounds):
    scope = run.scope
    with Chat(grounds) as chat, Peer(grounds) as peer, Floor() as floor, Chat() as embedded:
        for _round in range(scope.rounds):
            for who, subject in (("chat", chat), ("peer", peer), ("floor", floor), ("embedded", embedded)):
                run.note("saturated", who, talk.saturated, subject, scope)
            for what, who, subject in (("paced", "chat", chat), ("paced", "peer", peer), ("logins", "chat", chat)):
                run.note(what, who, talk.paced, subject, scope, what == "logins")
            for who, subject in (("chat", chat), ("peer", peer)):
                run.note("polling", who, talk.saturated, subject, scope, "polling")


def measure_crowd(run, grounds):
    with Chat(grounds, "memory") as chat, Peer(grounds) as peer:
        run.note("memory", "chat", crowd.memory, chat, run.scope)
        run.note("memory", "peer", crowd.memory, peer, run.scope)
    with Chat(grounds, "crowd") as chat:
        for _round in range(run.scope.rounds):
            run.note("storm", "few", crowd.storm, chat, run.scope.many // 10)
            run.note("storm", "many", crowd.storm, chat, run.scope.many)


def measure_store(run, grounds):
    with Chat(grounds, "history") as chat:
        run.note("history", "chat", store.history, chat, run.scope)
    with Chat(grounds, "full") as full, Chat(grounds, "empty") as empty:
        run.note("home", "chat", store.home, full, empty, run.scope)
        run.note("search", "chat", store.search, full, run.scope)


def measure_pages(run, grounds):
    with Chat(grounds, "pages") as chat:
        run.note("browser", "chat", pages.feel, chat)
        run.note("pages", "chat", pages.audit, chat)


def measure_cluster(run, grounds):
    for _round in range(run.scope.rounds):
        for who, kind in (("one process", Chat), ("four processes", Cluster)):
            with kind(grounds, "cluster") as subject:   # the other has ended: two on one Redis would tell each other everything
                run.note("saturated", who, talk.saturated, subject, run.scope)
                run.note("paced", who, talk.paced, subject, run.scope)
    with Cluster(grounds, "cluster", restart.PROCESSES) as three:
        run.note("restart", "three processes", restart.rolling, three, run.scope)


def measure_profile(run, grounds):
    with Chat(grounds) as chat:
        run.note("profile", "chat", profile.at_saturation, chat, run.scope)


def main(arguments=None):
    asked = parse(arguments)
    scope = TASTE if asked.quick else WHOLE
    if asked.rounds:
        scope = replace(scope, rounds=asked.rounds)
    run = Run(scope)
    measures = {"talk": measure_talk, "crowd": measure_crowd, "store": measure_store, "pages": measure_pages, "cluster": measure_cluster,
                "profile": measure_profile}
    with Grounds() as grounds:
        for part in asked.only or PARTS:
            measures[part](run, grounds)
    lines = report.lines(ROWS + WEIGHT + CLUSTER, run.measured)
    print("\n" + report.as_text(lines))
    if not asked.quick and not asked.only:
        report.write(run.measured, time.monotonic() - run.begun, run.commit)
        print(f"\nWritten: {report.REPORT}")
    return 0


if __name__ == "__main__":
    programs.ensure((*programs.ALL, programs.HAPROXY), "run the benchmark")
    sys.exit(main())

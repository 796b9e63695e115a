"""`python3 manage.py bench`: measures everything in turns, prints a table, and writes docs/performance.md."""
import argparse
import functools
import sys
import time
from dataclasses import replace

from tools import command_line, programs

from . import changes, crowd, pages, profile, report, restart, rooms, store, talk, writing
from .peers import Baseline, Peer, PeerCluster
from .results import Results
from .rows import CHANGES, CLUSTER, ROOMS, ROWS, WEIGHT, WRITING
from .scope import FULL, QUICK
from .subjects import Chat, Cluster, FormerChat, SharedServices

BEFORE_ROOMS = "0b7a6b1"    # the last commit without rooms
BEFORE_CHANGES = "7bc5140"  # the last commit in which a message stayed what it was
BEFORE_FILES = "6984f28"    # the last commit in which a message was its text alone
PARTS = ("talk", "crowd", "store", "pages", "rooms", "changes", "writing", "cluster", "profile")


def parse(arguments):
    parser = argparse.ArgumentParser(prog=command_line("bench"),
                                     description="Measure the chat against the report's own stack.")
    parser.add_argument("--quick", action="store_true",
                        help="a short run of everything in two minutes: its figures mean little, and it writes no report")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part; writes no report")
    parser.add_argument("--rounds", type=int, help="how often each subject is measured")
    return parser.parse_args(arguments)


class Run:
    """One run: prints each measurement with its figures, and keeps the figures."""

    def __init__(self, scope):
        self.scope, self.results, self.begun, self.commit = scope, Results(), time.monotonic(), report.commit()

    def note(self, what, who, measure, *arguments):
        print(f"[{time.monotonic() - self.begun:4.0f} s] {what}, {who} ...", end="", flush=True)
        figures = measure(*arguments)
        self.results.add(what, who, figures)
        detail = (f"{name} {value:,.1f}" for name, value in figures.items() if isinstance(value, (int, float)))
        print(f" {', '.join(detail)}", flush=True)


def measure_talk(run, services):
    scope = run.scope
    with Chat(services) as chat, Peer(services) as peer, Baseline() as baseline, Chat() as embedded:
        for _round in range(scope.rounds):
            for who, subject in (("chat", chat), ("peer", peer), ("baseline", baseline), ("embedded", embedded)):
                run.note("saturated", who, talk.saturated, subject, scope)
            for what, who, subject in (("paced", "chat", chat), ("paced", "peer", peer), ("logins", "chat", chat)):
                run.note(what, who, talk.paced, subject, scope, what == "logins")
            for who, subject in (("chat", chat), ("peer", peer)):
                run.note("polling", who, talk.saturated, subject, scope, "polling")


def measure_crowd(run, services):
    with Chat(services, "memory") as chat, Peer(services) as peer:
        run.note("memory", "chat", crowd.memory, chat, run.scope)
        run.note("memory", "peer", crowd.memory, peer, run.scope)
    with Chat(services, "crowd") as chat:
        for _round in range(run.scope.rounds):
            run.note("storm", "few", crowd.storm, chat, run.scope.many // 10)
            run.note("storm", "many", crowd.storm, chat, run.scope.many)


def measure_store(run, services):
    with Chat(services, "history") as chat:
        run.note("history", "chat", store.history, chat, run.scope)
    with Chat(services, "full") as full, Chat(services, "empty") as empty:
        run.note("home", "chat", store.home, full, empty, run.scope)
        run.note("search", "chat", store.search, full, run.scope)


def measure_pages(run, services):
    with Chat(services, "pages") as chat:
        run.note("browser", "chat", pages.feel, chat)
        run.note("pages", "chat", pages.audit, chat)


def measure_rooms(run, services):
    scope = run.scope
    with Chat(services, "rooms") as chat, Peer(services) as peer:
        for _round in range(scope.rounds):
            for who, subject in (("chat", chat), ("peer", peer)):
                run.note("room", who, rooms.saturated, subject, scope)
        rate = rooms.half_rate(run.results)
        for _round in range(scope.rounds):
            for who, subject in (("chat", chat), ("peer", peer)):
                run.note("beside", who, rooms.beside, subject, scope, rate)
    with Cluster(services, "rooms") as four, PeerCluster(services) as four_peers:
        for _round in range(scope.rounds):
            for who, subject in (("four processes", four), ("four peers", four_peers)):
                run.note("room", who, rooms.saturated, subject, scope)
    with Chat(services, "room_storm") as chat:
        for _round in range(scope.rounds):
            for who in ("with", "without"):
                run.note("room storm", who, rooms.storm, chat, scope, who == "with")
    with Chat(services, "room_pages") as chat:
        run.note("rooms home", "chat", rooms.home, chat, scope)
        run.note("room history", "chat", rooms.history, chat, scope)
    compare_with_former(run, services, "direct", "before rooms", BEFORE_ROOMS)


def measure_changes(run, services):
    scope = run.scope
    with Chat(services, "reactions") as chat:
        run.note("reactions", "chat", changes.pages, chat, scope)
        run.note("catching up", "chat", changes.catching_up, chat, scope)
    for _round in range(scope.rounds):
        with Chat(services, "changes") as chat:
            for what, kind in (("edited", "edit"), ("reacted", "react")):
                run.note(what, "chat", changes.saturated, chat, scope, kind)
    compare_with_former(run, services, "unchanged", "before changes", BEFORE_CHANGES)


def measure_writing(run, services):
    with Chat(services, "writing") as chat:
        run.note("formatted", "chat", writing.pages, chat, run.scope)
    with Chat(services, "uploads") as chat, Peer(services) as peer:
        for _round in range(run.scope.rounds):
            for who, subject in (("chat", chat), ("peer", peer)):
                run.note("upload", who, writing.uploads, subject, run.scope)
    compare_with_former(run, services, "plain", "before files", BEFORE_FILES)


def compare_with_former(run, services, what, before, commit):
    """Measure messages between two with the chat of now and, in turns, with that of an earlier commit."""
    subjects = [("chat", Chat)]
    if FormerChat.has(commit):
        subjects.append((before, functools.partial(FormerChat, commit=commit)))
    else:
        print(f"Git does not know the commit {commit}: the chat is not compared with it.")
    for _round in range(run.scope.rounds):
        for who, kind in subjects:      # One at a time: two on one Redis would exchange all events.
            with kind(services, who.replace(" ", "_")) as subject:
                run.note(what, who, talk.saturated, subject, run.scope)


def measure_cluster(run, services):
    for _round in range(run.scope.rounds):
        for who, kind in (("one process", Chat), ("four processes", Cluster), ("four peers", lambda services, _name: PeerCluster(services))):
            with kind(services, "cluster") as subject:   # only one at a time: two on one Redis would exchange all events
                run.note("saturated", who, talk.saturated, subject, run.scope)
                if who != "one process":
                    run.note("crowded", who, functools.partial(talk.saturated, in_flight=talk.MANY_IN_FLIGHT), subject, run.scope)
                run.note("paced", who, talk.paced, subject, run.scope)
    with Cluster(services, "cluster", restart.PROCESSES) as three:
        run.note("restart", "three processes", restart.rolling, three, run.scope)


def measure_profile(run, services):
    with Chat(services) as chat:
        run.note("profile", "chat", profile.at_saturation, chat, run.scope)


def main(arguments=None):
    asked = parse(arguments)
    scope = QUICK if asked.quick else FULL
    if asked.rounds:
        scope = replace(scope, rounds=asked.rounds)
    run = Run(scope)
    measures = {"talk": measure_talk, "crowd": measure_crowd, "store": measure_store, "pages": measure_pages, "rooms": measure_rooms, "changes": measure_changes,
                "writing": measure_writing, "cluster": measure_cluster, "profile": measure_profile}
    with SharedServices() as services:
        for part in asked.only or PARTS:
            measures[part](run, services)
    lines = report.lines(ROWS + ROOMS + CHANGES + WRITING + WEIGHT + CLUSTER, run.results)
    print("\n" + report.as_text(lines))
    if not asked.quick and not asked.only:
        report.write(run.results, time.monotonic() - run.begun, run.commit)
        print(f"\nWritten: {report.REPORT}")
    return 0


if __name__ == "__main__":
    programs.ensure((*programs.ALL, programs.HAPROXY), "run the benchmark")
    sys.exit(main())

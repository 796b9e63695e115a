"""`python3 manage.py prove`: both modes, a table each, and docs/delivery-report.md."""
import argparse
import functools
import multiprocessing
import random
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor

from tools import command_line

from . import cluster, fake_clock, namespace, report
from .hostile import command as hostile
from .mutation_test import try_mutants
from .run import log_line, run

QUICK_MINUTES = 4


def parse(arguments):
    parser = argparse.ArgumentParser(prog=command_line("prove"), description="Inject faults into the chat and check its delivery invariants.",
                                     epilog="--hostile and --soak attack it instead; for their options: prove --hostile --help")
    parser.add_argument("--quick", action="store_true", help="each short fault once, without browsers and with longer time limits:"
                                                             f" about {QUICK_MINUTES} minutes; writes no report")
    parser.add_argument("--hours", type=float, default=0, help="go on for so long; by default every fault runs as often as planned,"
                                                               " and more often until enough messages were written")
    parser.add_argument("--seed", type=int, help="repeat the run with that seed")
    parser.add_argument("--mode", choices=["embedded", "server"], action="append", help="only this mode")
    parser.add_argument("--only", action="append", default=[], metavar="FAULT",
                        help="only this fault, by its name in the table; with --mutants only this mutant")
    parser.add_argument("--cluster", action="store_true",
                        help="three processes behind HAProxy, three database nodes, Redis with Sentinels; each of these parts fails")
    parser.add_argument("--mutants", action="store_true", help="only check that each mutant is caught")
    return parser.parse_args(arguments)


def start(mode, **options):
    """Run one mode in a process of its own; return the Future of its outcome."""
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    outcome = pool.submit(run, mode, log=functools.partial(log_line, mode), **options)
    pool.shutdown(wait=False)
    return outcome


def main(arguments=None):
    if hostile.is_requested(sys.argv[1:] if arguments is None else arguments):
        return hostile.main(sys.argv[1:] if arguments is None else arguments)
    asked = parse(arguments)
    namespace.enter([sys.executable, "-W", "ignore", "-m", "lab", *(sys.argv[1:] if arguments is None else arguments)])
    if asked.mutants:
        return 0 if all(found["caught_by"] for found in try_mutants(print, asked.only)) else 1
    seed = asked.seed if asked.seed is not None else random.randrange(10 ** 6)
    modes = ["cluster"] if asked.cluster else asked.mode or ["embedded", "server"]
    if asked.cluster and cluster.why_not():
        raise SystemExit(f"The cluster cannot run here: {cluster.why_not()}.")
    command = command_line("prove") + " --cluster" * asked.cluster + " --quick" * asked.quick + f" --hours {asked.hours:g}" * bool(asked.hours)
    print(f"{command} --seed {seed}", flush=True)
    directory = tempfile.mkdtemp(prefix="chat-prove-")
    begin = functools.partial(start, seed=seed, directory=directory, quick=asked.quick, hours=asked.hours, only=asked.only)
    if asked.quick:     # both modes in parallel, with longer time limits; a full run uses the machine for one mode at a time
        outcomes = [outcome.result() for outcome in [begin(mode) for mode in modes]]
    else:
        outcomes = [begin(mode).result() for mode in modes]
    for outcome in outcomes:
        print(f"\n{report.NAMES[outcome['mode']]}\n{report.as_text(outcome)}")
        print("Not injected here: " + (", ".join(outcome["not_injected"]) or "nothing"))
    if not asked.quick and not asked.only:
        path = report.CLUSTER_REPORT if asked.cluster else report.REPORT
        mutants = () if asked.cluster else try_mutants(print)
        report.write(outcomes, command + f" --seed {seed}", [] if asked.cluster else namespace.missing() + fake_clock.missing(), mutants, path)
        print(f"\nWritten: {path}")
    for outcome in outcomes:    # last: of a long output the end is what people read
        for invariant, texts in outcome["violations"].items():
            print(f"VIOLATED {invariant}, {report.NAMES[outcome['mode']]}:", *texts[:10], sep="\n  ")
    if any(outcome["violations"] for outcome in outcomes):
        print(f"\nTo repeat it: {command} --seed {seed}" + "".join(f" --only {name!r}" for name in asked.only)
              + f"\nThe logs: {' '.join(outcome['log'] for outcome in outcomes)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

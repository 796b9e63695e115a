"""`python3 manage.py audit`: compares every pin with the advisories of PyPI and npm.

Exit code 0: everything was compared and there is no advisory. 1: there is an advisory. 2: something could not be compared, so
the audit has not passed.
"""

import datetime
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from tools import ROOT, advisories, node, pins
from tools.console import SetupError
from tools.package_index import PackageIndex, Unreachable

CLEAN, FOUND, NOT_COMPARED = 0, 1, 2
IGNORE_FILE = "audit-ignore.txt"
IGNORED = re.compile(r"(\S+)\s+(\d{4}-\d\d-\d\d)\s+(\S.*)")
MAX_IGNORE_DAYS = 180
MAX_REQUESTS = 6            # in parallel


def main(root=ROOT, today=None):
    """Compare, print the findings, and return the exit code."""
    today = today or datetime.date.today()
    try:
        ignored = read_ignored(root / IGNORE_FILE, today)
    except ValueError as error:
        print(error, file=sys.stderr)
        return NOT_COMPARED
    found, missed = compare_python(pins.python_pins(root))
    for lock in (root / "package-lock.json", root / "bench" / "package-lock.json"):
        more, also_missed = compare_npm(lock, lock.relative_to(root))
        found, missed = found + more, missed + also_missed
    return report(sorted(set(found)), missed, ignored, today)


def compare_python(wanted):
    """Return the advisories for the Python pins, and a sentence for each pin that was not compared."""
    index = PackageIndex.of_pip()
    wanted = [*wanted, advisories.KNOWN_PYTHON]

    def look(pin):
        try:
            return advisories.of_pin(index, pin), None
        except Unreachable as error:
            return [], str(error)
    with ThreadPoolExecutor(MAX_REQUESTS) as pool:
        answers = dict(zip(wanted, pool.map(look, wanted)))
    known, why_unknown = answers.pop(advisories.KNOWN_PYTHON)
    missed = [f"{pin.name} {pin.version}: {why}" for pin, (_found, why) in answers.items() if why]
    print(f"PyPI: {len(answers) - len(missed)} of {len(answers)} pins were compared.")
    if not known:
        example = "{0.name} {0.version}".format(advisories.KNOWN_PYTHON)
        missed.append(f"Whether this index knows advisories at all: it shows none for {example}, which has some"
                      + (f" ({why_unknown})" if why_unknown else ""))
    return [each for found, _why in answers.values() for each in found], missed


def compare_npm(lock, shown):
    """The same for the packages of an npm lock file, including development packages."""
    packages = pins.npm_packages(lock)
    count = sum(map(len, packages.values()))
    try:
        found = advisories.of_npm(_npm_setting("registry"), packages, _npm_setting("cafile"))
    except (Unreachable, SetupError) as error:
        print(f"npm: 0 of {count} packages of {shown} were compared.")
        return [], [f"the packages of {shown}: {error}"]
    print(f"npm: {count} of {count} packages of {shown} were compared.")
    return found, []


def _npm_setting(name):
    command = [*node.npm_command(), "config", "get", name]
    answer = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    value = answer.stdout.strip()
    if answer.returncode:
        raise Unreachable(f"npm does not tell its {name}")
    return None if value in ("", "null", "undefined") else value


def read_ignored(path, today):
    """Return {id: (last day, reason)} of the ignore file. Raises ValueError with a sentence if a line is wrong."""
    ignored = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else [], 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = IGNORED.fullmatch(line.strip())
        try:
            until = datetime.date.fromisoformat(match[2])
        except (TypeError, ValueError):
            raise ValueError(f"{path.name}, line {number}: an advisory's id, a date as 2026-12-31 and a reason belong there.") from None
        if (until - today).days > MAX_IGNORE_DAYS:
            raise ValueError(f"{path.name}, line {number}: {until} is more than {MAX_IGNORE_DAYS} days away.")
        ignored[match[1]] = until, match[3]
    return ignored


def report(found, missed, ignored, today):
    """Print what was found and what was not compared; return the exit code."""
    used, open_ones = set(), []
    for advisory in found:
        name = next((name for name in (advisory.id, *advisory.aliases) if name in ignored), None)
        used.add(name)
        if name and ignored[name][0] >= today:
            print(f"Ignored until {ignored[name][0]}: {advisory} Reason: {ignored[name][1]}")
        else:
            open_ones.append(advisory)
            print(f"ADVISORY: {advisory}" + (f" It was ignored until {ignored[name][0]}." if name else ""))
    for sentence in missed:
        print(f"NOT COMPARED: {sentence}.")
    if not missed:
        for name in sorted(set(ignored) - used):
            print(f"{IGNORE_FILE} names {name}, which concerns no pin any more.")
    if open_ones:
        print(("1 advisory concerns" if len(open_ones) == 1 else f"{len(open_ones)} advisories concern") + " pinned versions" + (", and not all was compared." if missed else "."))
        return FOUND
    if missed:
        print("Not everything could be compared with the advisories: this is no pass.")
        return NOT_COMPARED
    print("No advisory concerns a pinned version.")
    return CLEAN


if __name__ == "__main__":
    sys.exit(main())

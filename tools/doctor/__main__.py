"""`python3 manage.py doctor [URL]`: prints the findings; ends with 1 if one of them needs a fix."""
import itertools
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

import config
from tools import command_line, environment
from tools.addresses import noted, url
from tools.pins import read_pins

from .checks import Finding, run_checks

ROOT = Path(__file__).parents[2]
USAGE = f"Usage: {command_line('doctor')} [URL]     for example https://chat.example.org"


def packages():
    """Yield the differences between the installed packages and the pins. Some machines have no wheel of all of them."""
    differing, left_out = [], environment.left_out()
    for pin in read_pins(ROOT / "requirements.in"):
        try:
            if not pin.marker and version(pin.name) != pin.version:
                differing.append(f"{pin.name} {version(pin.name)} instead of {pin.version}")
        except PackageNotFoundError:
            if pin.name not in left_out:
                differing.append(f"{pin.name} is missing")
    if differing:
        yield Finding(f"The packages here are not those that were tested: {', '.join(differing)}.",
                      "Remove the folder .venv and run this again.")
    else:
        yield Finding(f"Python {sys.version.split()[0]} with the packages that were tested.")


def own_address():
    """Return the address that the server here has noted, or the one in the settings of this machine."""
    settings = config.load()
    found = None if settings["PORT_FIXED"] else noted(settings["INSTANCE_PATH"])
    return found if found and is_address(found) else url(settings["HOST"], settings["PORT"])


def is_address(text):
    """Tell whether the address is valid. Otherwise a wrong host or port would only be noticed while connecting."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:
        return False


def main(arguments):
    try:
        asked = arguments[0] if arguments else own_address()
    except config.ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    if len(arguments) > 1 or not is_address(asked):
        print(USAGE, file=sys.stderr)
        return 2
    print(f"Two test users visit {asked}. Their accounts will stay there.\n")
    failed = 0
    for finding in itertools.chain(packages(), run_checks(asked)):
        failed += bool(finding.fix)
        print(f"  {'FAIL' if finding.fix else 'ok  '}  {finding.words}", flush=True)
        if finding.fix:
            print(f"        Fix: {finding.fix}")
    print(f"\n{failed} finding{'s' if failed > 1 else ''} to fix." if failed else "\nAll is well.")
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))

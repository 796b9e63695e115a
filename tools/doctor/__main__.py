"""`python3 manage.py doctor [URL]`: prints what it finds; ends with 1 where something needs a cure."""
import itertools
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

import config
from tools import command_line
from tools.pins import read_pins

from .examination import Finding, examine

ROOT = Path(__file__).parents[2]
USAGE = f"Usage: {command_line('doctor')} [URL]     for example https://chat.example.org"


def packages():
    """Yield what differs between the packages here and those that are pinned."""
    differing = []
    for pin in read_pins(ROOT / "requirements.in"):
        try:
            if not pin.marker and version(pin.name) != pin.version:
                differing.append(f"{pin.name} {version(pin.name)} instead of {pin.version}")
        except PackageNotFoundError:
            differing.append(f"{pin.name} is missing")
    if differing:
        yield Finding(f"The packages here are not those that were tested: {', '.join(differing)}.",
                      "Remove the folder .venv and run this again.")
    else:
        yield Finding(f"Python {sys.version.split()[0]} with the packages that were tested.")


def own_address():
    """Return the address that the settings of this machine name."""
    settings = config.load()
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings["HOST"], settings["HOST"])
    return f"http://{host}:{settings['PORT']}"


def is_address(url):
    """Tell whether a visitor can go there; a host or a port that is none would be noticed on the way only."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:
        return False


def main(arguments):
    try:
        url = arguments[0] if arguments else own_address()
    except config.ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    if len(arguments) > 1 or not is_address(url):
        print(USAGE, file=sys.stderr)
        return 2
    print(f"Two visitors go to {url}. They register there, and stay among its people.\n")
    ill = 0
    for finding in itertools.chain(packages(), examine(url)):
        ill += bool(finding.cure)
        print(f"  {'ILL ' if finding.cure else 'well'}  {finding.words}", flush=True)
        if finding.cure:
            print(f"        Cure: {finding.cure}")
    print(f"\n{ill} finding{'s' if ill > 1 else ''} to cure." if ill else "\nAll is well.")
    return 1 if ill else 0


sys.exit(main(sys.argv[1:]))

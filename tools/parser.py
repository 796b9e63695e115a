"""The command line of manage.py: its commands, their options, and their help."""

import argparse

from tools import command_line, commands

MAX_PROCESSES = 64
TEST_EPILOG = "Anything else goes to pytest: files, -k NAME, -x, --durations 20; -n 0 runs one test after the other."

# Name, summary, and whether the command reads its options itself, after its packages are installed.
COMMANDS = (
    ("run", "set up what is missing, then serve on http://127.0.0.1:5000 (HOST, PORT)", False),
    ("test", "set up what the tests need too, then run them", False),
    ("prove", "inject faults into the chat, or attack it, and check the delivery invariants", True),
    ("fuzz", "send the chat malformed input, and check that nobody else is harmed", True),
    ("bench", "measure the chat against the report's own stack", True),
    ("audit", "compare every pinned package with the known advisories", False),
    ("doctor", "check a running chat from outside, and say how to fix what does not work", False),
    ("backup", "write all stored data into one file, while the chat runs", False),
    ("restore", "restore such a file into an empty database of either engine", False),
    ("migrate", "upgrade a database of an earlier version without a server, or list its versions", False),
    ("build", "build the browser assets only", False),
    ("translate", "add new messages of the sources to the message catalogues", False),
)
READ_OPTIONS_THEMSELVES = {name for name, _summary, reads_options in COMMANDS if reads_options}


def parse(arguments):
    """Return (function, its argument) for a command line. Ends the process after help, and with 2 if the command line is wrong."""
    parser, parsers = _parsers()
    if not arguments or arguments == ["help"]:
        arguments = ["--help"]
    elif arguments[0] == "help":
        arguments = [*arguments[1:], "--help"]
    if arguments[0] in READ_OPTIONS_THEMSELVES:
        return getattr(commands, arguments[0]), arguments[1:]
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "test":
        parsers[options.command].error(f"unrecognized arguments: {' '.join(rest)}")
    # argparse does not keep the order of pytest's options.
    return getattr(commands, options.command), arguments[1:] if options.command == "test" else options


def _parsers():
    parser = argparse.ArgumentParser(prog=command_line(), usage=f"{command_line()} COMMAND [...]", allow_abbrev=False,
                                     epilog=f"{command_line('help')} COMMAND shows its options.")
    # The metavar is as long as the longest name, otherwise the help would wrap it.
    subparsers = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND [...]", required=True)
    parsers = {name: subparsers.add_parser(name, prog=command_line(name), help=summary, description=f"{summary[0].upper()}{summary[1:]}.",
                                           allow_abbrev=False, epilog=TEST_EPILOG if name == "test" else None)
               for name, summary, _reads_options in COMMANDS}
    parsers["run"].add_argument("--processes", type=_process_count, default=1, metavar="N",
                                help="number of processes; more than one run behind HAProxy on one address")
    parsers["test"].add_argument("--fast", action="store_true", help="a part of them, in about two minutes, for while you work")
    parsers["doctor"].add_argument("url", nargs="?", metavar="URL", help="address of the chat, for example https://chat.example.org")
    for name in ("backup", "restore"):
        parsers[name].add_argument("file", metavar="FILE", help="for example chat.backup.gz")
    parsers["migrate"].add_argument("--list", action="store_true", help="change nothing: list the versions and their state in the database")
    return parser, parsers


def _process_count(text):
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PROCESSES:
        raise argparse.ArgumentTypeError(f"N is from 1 to {MAX_PROCESSES}, not {text}")
    return int(text)

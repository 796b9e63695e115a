#!/usr/bin/env python3
"""The project's commands. Needs nothing but Python: what else is missing, the commands install."""

import os
import sys

OLDEST_PYTHON = (3, 10)

USAGE = """\
Usage: {} COMMAND

  run [--processes N]  set up what is missing, then serve on http://127.0.0.1:5000 (HOST, PORT)
  test [--fast] [...]  set up what the tests need too, then run them; the rest goes to pytest
  prove [--quick] [..] break the chat in every way and check what it promises
  prove --hostile [..] send everything at once that an attacker may, and measure what people notice
  fuzz [--seed N] [..] send the chat what no client would, and watch who takes harm
  bench [--quick] [..] measure the chat against the report's own stack
  audit                compare every pinned package with the known advisories
  doctor [URL]         visit the chat as two people do, and say what is wrong with the way there
  backup FILE          write everything that is stored into one file, of one moment, while the chat runs
  restore FILE         put such a file into an empty database, of either kind
  migrate [--list]     bring a database of an earlier version up without a server, or show its versions
  build                make the browser assets alone
  translate            bring the message catalogues up to date with the sources
"""


def main(arguments):
    """Run the command that the arguments name and return the exit code."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        sys.stderr.write("Python %d.%d or a newer one is needed; this is %s.\n" % (OLDEST_PYTHON + (sys.version.split()[0],)))
        return 1
    # Imported late: an older Python could not even read these modules.
    from tools import command_line, commands
    from tools.console import SetupError

    command = {
        "run": commands.run,
        "test": commands.test,
        "prove": commands.prove,
        "fuzz": commands.fuzz,
        "bench": commands.bench,
        "audit": commands.audit,
        "doctor": commands.doctor,
        "backup": commands.backup,
        "restore": commands.restore,
        "migrate": commands.migrate,
        "build": commands.build,
        "translate": commands.translate,
    }.get(arguments[0] if arguments else None)
    if command is None:
        asked_for_help = not arguments or arguments[0] in ("help", "-h", "--help")
        (sys.stdout if asked_for_help else sys.stderr).write(USAGE.format(command_line()))
        return 0 if asked_for_help else 2
    try:
        return command(arguments[1:])
    except (SetupError, OSError) as error:
        sys.stderr.write("%s\n" % error)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

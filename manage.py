#!/usr/bin/env python3
"""The project's commands. Needs nothing but Python: what else is missing, the commands install."""

import sys

OLDEST_PYTHON = (3, 10)


def main(arguments):
    """Run the command that the arguments name and return the exit code."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        sys.stderr.write("Python %d.%d or a newer one is needed; this is %s.\n" % (OLDEST_PYTHON + (sys.version.split()[0],)))
        return 1
    # Imported late: an older Python could not even read these modules.
    from tools.console import SetupError
    from tools.parser import parse

    try:
        command, options = parse(arguments)
        return command(options)
    except (SetupError, OSError) as error:
        sys.stderr.write("%s\n" % error)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

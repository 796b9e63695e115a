"""`python3 manage.py migrate` brings the database up to this version without a server; `--list` shows how it got where it is."""
import argparse
import logging
import sys

import config
from chat.accounts import name_index
from chat.storage.database import Database, open_database
from chat.errors import Unavailable
from chat.storage.migrations import listing, newest
from tools import command_line


def parsed(arguments):
    """Return the options; ends the process where they are none."""
    parser = argparse.ArgumentParser(prog=command_line("migrate"), description="Bring the database up to this version of the chat.")
    parser.add_argument("--list", action="store_true", help="change nothing: show the versions, and how the database came to each")
    return parser.parse_args(arguments)


def show(database):
    """Print each version that there is, and what the database has of it."""
    rows = [("version", "name", "state", "at (UTC)"), *((str(row[0]), *row[1:]) for row in listing(database.inspect_schema()))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(value.ljust(width) for value, width in zip(row, widths)).rstrip())


def main(arguments):
    options = parsed(arguments)
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    prepare, complete = (show, lambda database: None) if options.list else (Database.create_tables, name_index.complete)
    try:
        database = open_database(config.load(), lambda function, *arguments: function(*arguments), complete, prepare)
        database.engine.close()
    except (config.ConfigError, Unavailable, OSError) as error:
        print(error.__cause__ if isinstance(error, Unavailable) and error.__cause__ else error, file=sys.stderr)
        return 1
    if not options.list:
        print(f"The database is of version {newest()}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python3 manage.py migrate` upgrades the database without a server; `--list` shows which migrations were run."""
import argparse
import logging
import sys

import config
from chat.accounts import name_index
from chat.storage.database import Database, open_database
from chat.errors import Unavailable
from chat.storage.migrations import listing, newest
from tools import command_line, tables


def parsed(arguments):
    """Return the options; ends the process if they are wrong."""
    parser = argparse.ArgumentParser(prog=command_line("migrate"), description="Upgrade the database to this version of the chat.")
    parser.add_argument("--list", action="store_true", help="change nothing: list the versions and their state in the database")
    return parser.parse_args(arguments)


def show(database):
    """Print each version with its state in this database."""
    rows = [("version", "name", "state", "at (UTC)"), *((str(row[0]), *row[1:]) for row in listing(database.inspect_schema()))]
    print(tables.as_text(rows))


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

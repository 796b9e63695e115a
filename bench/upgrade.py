"""`.venv/bin/python -m bench.upgrade`: how long a large database of version 1 takes to upgrade. Run it by hand.

It fills a temporary database by SQL, upgrades it as `python3 manage.py migrate` does, and compares every row with what was there
before. docs/upgrading.md has its figures.
"""
import argparse
import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import time

from chat.storage import schema
from chat.storage.database import open_database
from tests.databases import VERSION_1, call, create_first_tables
from tests.services import MariaDB
from tools import ROOT
from tools.backup_file import LAYOUTS, RENAMED

from .subjects import SECRET_KEY

PEERS = 199                 # of the first person, who talks with each of them
MARK_EVERY = 20             # messages
BATCH_ROWS = 500            # of an INSERT
AT = "2024-07-07 15:04:17.601"
ENGINES = {"sqlite": contextlib.nullcontext, "mariadb": MariaDB}


def rows_of_version_1(messages):
    """Yield (table, its rows): one person who talks with all others in turns."""
    pairs = [(peer, 1, peer) for peer in range(2, PEERS + 2)]       # the id of a conversation is its peer's
    length = messages // PEERS
    yield "users", ((n, f"user{n}", f"user{n}", "$2b$04$no hash", AT) for n in range(1, PEERS + 2))
    yield "conversations", ((id_, "direct", lower, higher) for id_, lower, higher in pairs)
    yield "members", ((id_, user_id, length) for id_, *both in pairs for user_id in both)
    yield "marks", ((id_, user_id, kind, seq, AT) for id_, *both in pairs for user_id in both
                    for kind in ("delivered", "read") for seq in range(1, length + 1, MARK_EVERY))
    yield "messages", ((n + 1, *_message(n), AT, f"client{n}") for n in range(messages))


def _message(n):
    peer, seq = 2 + n % PEERS, 1 + n // PEERS
    sender, receiver = (1, peer) if seq % 2 else (peer, 1)
    return peer, seq, sender, receiver, f"What was said as number {seq}, at some length, été comme hiver."


def batches(tables):
    """Yield the INSERTs of all rows as (sql, params)."""
    for table, rows in tables:
        rows = iter(rows)
        while batch := [row for _n, row in zip(range(BATCH_ROWS), rows)]:
            places = f"({', '.join(['%s'] * len(batch[0]))})"
            yield f"INSERT INTO {table} VALUES {', '.join([places] * len(batch))}", [value for row in batch for value in row]


def digests(database, is_upgraded):
    """Return {table of version 1: (number of its rows, a digest of them)}, wherever they are now."""
    found = {}
    for table, columns in schema.tables(VERSION_1).items():
        name = RENAMED[1].get(table, table) if is_upgraded else table
        if RENAMED[1].get(table, table):        # the other ones are made anew
            with database.engine.snapshot() as cursor:
                cursor.execute(f"SELECT {', '.join(columns)} FROM {name} ORDER BY {LAYOUTS[1][table]}")
                number, digest = 0, hashlib.sha256()
                for number, row in enumerate(cursor, 1):
                    digest.update(repr(row).encode())
            found[table] = number, digest.hexdigest()
    return found


@contextlib.contextmanager
def opened(settings):
    """Lend the database as it is: nothing is upgraded."""
    database = open_database(settings, call, prepare=lambda database: None)
    try:
        yield database
    finally:
        database.engine.close()


def measure(engine, messages):
    """Upgrade so many messages in one engine; print how long it takes. Return whether all rows are as before."""
    with tempfile.TemporaryDirectory() as folder, ENGINES[engine]() as server:
        settings = {"INSTANCE_PATH": folder, "DATABASE_URL": server.url.replace("/chat", "/upgrade") if server else "",
                    "SECRET_KEY": SECRET_KEY}
        with opened(settings) as database:
            create_first_tables(database)
            database.bulk_load(batches(rows_of_version_1(messages)))
            before = digests(database, is_upgraded=False)
        began = time.monotonic()
        subprocess.run([sys.executable, "-W", "ignore", "-m", "tools.migrate"], cwd=ROOT, env={**os.environ, **settings}, check=True)
        seconds = time.monotonic() - began
        with opened(settings) as database:
            after = digests(database, is_upgraded=True)
    for table, (number, digest) in before.items():
        print(f"  {table}: {number:,} rows, {'as before' if after[table] == (number, digest) else 'CHANGED'}")
    print(f"{engine}: {messages:,} messages in {seconds:.1f} s", flush=True)
    return before == after


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Measure the upgrade of a database of version 1.")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="only this one")
    parser.add_argument("--messages", type=int, default=1_000_000)
    options = parser.parse_args(arguments)
    are_equal = [measure(engine, options.messages) for engine in options.engine or ENGINES]
    return 0 if all(are_equal) else 1


if __name__ == "__main__":
    sys.exit(main())

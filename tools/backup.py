"""`python3 manage.py backup FILE` and `restore FILE`: all stored data in one compressed file of JSON lines.

The file does not depend on the engine, so it can also move the data from the embedded mode to MariaDB and back.
Its first line names the version of the database: `chat-backup-1` for version 1. A backup does not upgrade an old database, so
the old program can restore the file. This program restores files of every version up to its own.
From version 6 on the contents of files follow the rows: see backup_contents.py. The last line counts both, so an incomplete file is not
restored. Sessions are not included: people log in again.
"""
import contextlib
import gzip
import json
import os
import sqlite3
import sys
from pathlib import Path

import pymysql

import config
from chat.accounts import name_index
from chat.storage.database import Database, open_database
from chat.storage.file_store import flush, open_file_store
from chat.conversations.file import File
from chat.errors import Duplicate, Unavailable
from chat.web.log_stream import printable
from tools import backup_contents, command_line
from tools.backup_file import FIRST_WITH_FILES, LAYOUTS, NEWEST, ROWS_AT_ONCE, BackupError, batches_of, counts_of

PROGRESS_EVERY = 100_000        # rows
CONTENT_LEVEL = 1               # of gzip: pictures get no smaller by more


def backup(database, path, say=print, store=None):
    """Write all tables as they are at one moment, and the contents of `store`; return {table: rows}.

    An older file is replaced once this one is complete. Raises BackupError if an upgrade of the database was interrupted.
    """
    found = database.inspect_schema()
    if not found.is_complete:
        raise BackupError(f"An upgrade of the database is not finished: `{command_line('migrate')}` goes on with it.")
    unfinished = path.with_name(path.name + ".part")
    counts = {}
    with contextlib.suppress(FileNotFoundError):
        unfinished.unlink()     # left by an interrupted backup
    hashes, written, end = [], set(), {"rows": counts}
    with _private(unfinished) as raw:
        with database.engine.snapshot() as cursor, gzip.open(raw, "wt", encoding="utf-8") as lines:
            lines.write(json.dumps({"format": f"chat-backup-{found.version}"}) + "\n")
            for table, order in LAYOUTS[found.version].items():
                counts[table] = _write_table(cursor, table, order, lines, say)
            if found.version >= FIRST_WITH_FILES:
                cursor.execute("SELECT DISTINCT hash FROM files ORDER BY hash")
                hashes, end = [row[0] for row in cursor.fetchall()], {"rows": counts, "contents": 0}
        with gzip.open(raw, "wt", CONTENT_LEVEL, encoding="utf-8") as lines:
            for line in backup_contents.lines_of(store, hashes) if store else ():
                if isinstance(line, dict):
                    end["contents"] += 1
                    written.add(line["content"])
                lines.write(json.dumps(line) + "\n")
            lines.write(json.dumps(end) + "\n")
    flush(unfinished)       # else a power cut might leave an empty file in the place of the last good one
    os.replace(unfinished, path)
    flush(path.parent)
    missing = [content_hash for content_hash in hashes if store and content_hash not in written]
    if missing and File.hashes_among(database, missing[:ROWS_AT_ONCE]):     # others were deleted meanwhile
        raise BackupError(f"{path} is written, but the store has no content for {len(missing):,} of {len(hashes):,} files in it."
                          " Are INSTANCE_PATH and FILES_URL those of the server?")
    return counts


def _write_table(cursor, table, order, lines, say):
    """Write all rows of a table; return how many they are."""
    cursor.execute(f"SELECT * FROM {table} ORDER BY {order}")
    lines.write(json.dumps({"table": table, "columns": [column[0] for column in cursor.description]}) + "\n")
    count = 0
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        lines.writelines(json.dumps(row, default=str, ensure_ascii=False) + "\n" for row in rows)
        count += len(rows)
        if count % PROGRESS_EVERY == 0:
            say(f"  {count:,} {table} ...")
    return count


def _private(path):
    """Open a file that only its owner can read, because it contains every message."""
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def restore(database, path, say=print, store=None, folder=None):
    """Restore a file into an empty database, in one transaction, and its contents into `store`; return {table: rows}.

    `folder` is where contents are checked before.

    The file is read twice. Raises BackupError without any change if the file is incomplete or not a backup of the chat, or if
    the database is not empty.
    """
    expected = counts_of(path)
    for table in LAYOUTS[NEWEST]:
        if database.query(f"SELECT 1 FROM {table} LIMIT 1"):
            raise BackupError(f"The database is not empty: there is something in {table}. Name a new one in DATABASE_URL.")
    counts = dict.fromkeys(expected, 0)
    contents = backup_contents.Restoring(store, folder) if store else None
    try:
        database.bulk_load(_checked(_inserts(path, database.max_statement_bytes, counts, say, contents), path, counts, expected))
    except BaseException:
        if contents:
            contents.undo()
        raise
    try:
        name_index.complete(database)
    except (Duplicate, Unavailable):    # everything is stored, and every start of the chat does this as well
        say("The database did not take what searches and sorts names: the chat stores that when it starts.")
    return counts


def _checked(inserts, path, counts, expected):
    """Yield the INSERTs. Raises BackupError before the end of their transaction unless the file still holds what was counted."""
    yield from inserts
    if counts != expected:
        raise BackupError(f"{path} was changed while it was read.")


def _inserts(path, max_bytes, counts, say, contents):
    """Yield the INSERTs of the file as (sql, params), and count their rows."""
    for table, target, columns, rows in batches_of(path, max_bytes, contents):
        one = f"({', '.join(['%s'] * len(columns))})"
        if target:
            yield (f"INSERT INTO {target} ({', '.join(columns)}) VALUES {', '.join([one] * len(rows))}",
                   [value for row in rows for value in row])
        before, counts[table] = counts[table], counts[table] + len(rows)
        if counts[table] // PROGRESS_EVERY > before // PROGRESS_EVERY:
            say(f"  {counts[table]:,} {table} ...")


def _leave_as_it_is(database):
    """A backup upgrades nothing; an empty database gets its tables."""
    if database.inspect_schema().version is None:
        database.create_tables()


def _call(function, *arguments):
    return function(*arguments)


def main(command, file):
    path = Path(file)
    try:
        prepare = {"backup": _leave_as_it_is, "restore": Database.create_tables}[command]
        settings = config.load()
        store = open_file_store(settings, _call)
        database = open_database(settings, _call, prepare=prepare)
        with contextlib.closing(database.engine):
            if command == "backup":
                counts = backup(database, path, store=store)
            else:
                counts = restore(database, path, store=store, folder=Path(settings["INSTANCE_PATH"]) / "uploads")
    except (BackupError, config.ConfigError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except Unavailable as error:
        print(f"The database stopped answering: {error.__cause__ or error}", file=sys.stderr)
        return 1
    except (Duplicate, pymysql.MySQLError, sqlite3.Error) as error:
        print(f"The {command} broke off: {printable(str(error.args[-1] if error.args else error))}", file=sys.stderr)
        return 1
    done = f"{path} holds" if command == "backup" else "The database holds"
    print(f"{done} people: {counts['users']:,}, conversations: {counts['conversations']:,}, messages: {counts['messages']:,}."
          + (f" Files: {counts['files']:,}." if counts.get("files") else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

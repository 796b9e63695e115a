"""`python3 manage.py backup FILE` and `restore FILE`: everything that is stored, in one compressed file of JSON lines.

The file is the same whichever engine it came from, so it is also the way from the embedded mode to MariaDB and back.
Its last line counts the rows: a file that was cut off is not restored. Sessions are not part of it: people log in again.
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
from chat import name_index
from chat.database import open_database
from chat.errors import Duplicate, Unavailable

FORMAT = "chat-backup-1"
TABLES = {      # name -> the columns that order it; people before what they wrote
    "users": "id", "name_endings": "user_id, ending", "conversations": "id", "members": "conversation_id, user_id",
    "messages": "id", "marks": "conversation_id, user_id, kind, seq",
}       # name_order and name_skeletons are made of the usernames: no file of an older version has them either
ROWS_AT_ONCE = 200          # in one INSERT
PROGRESS_EVERY = 100_000    # rows


class BackupError(Exception):
    """What keeps a backup from being made or restored, in one sentence."""


def backup(database, path, say=print):
    """Write all tables as they are at one moment; return {table: rows}. An older file is replaced when this one is whole."""
    unfinished = path.with_name(path.name + ".part")
    counts = {}
    with contextlib.suppress(FileNotFoundError):
        unfinished.unlink()     # of a backup that was broken off
    with database.engine.snapshot() as cursor, _private(unfinished) as raw, gzip.open(raw, "wt", encoding="utf-8") as lines:
        lines.write(json.dumps({"format": FORMAT}) + "\n")
        for table, order in TABLES.items():
            cursor.execute(f"SELECT * FROM {table} ORDER BY {order}")
            lines.write(json.dumps({"table": table, "columns": [column[0] for column in cursor.description]}) + "\n")
            counts[table] = 0
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                lines.writelines(json.dumps(row, default=str, ensure_ascii=False) + "\n" for row in rows)
                counts[table] += len(rows)
                if counts[table] % PROGRESS_EVERY == 0:
                    say(f"  {counts[table]:,} {table} ...")
        lines.write(json.dumps({"rows": counts}) + "\n")
    os.replace(unfinished, path)
    return counts


def _private(path):
    """Open a file that only its owner can read: it holds every message."""
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def restore(database, path, say=print):
    """Read such a file into an empty database; return {table: rows}.

    Raises BackupError with nothing changed where the file is not whole or the database not empty: the file is read twice.
    """
    expected = _counts(path)
    for table in TABLES:
        if database.query(f"SELECT 1 FROM {table} LIMIT 1"):
            raise BackupError(f"The database is not empty: there is something in {table}. Name a new one in DATABASE_URL.")
    counts = dict.fromkeys(TABLES, 0)
    for table, columns, rows in _batches(path):
        one = f"({', '.join(['%s'] * len(columns))})"
        database.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * len(rows))}",
                         [value for row in rows for value in row])
        counts[table] += len(rows)
        if counts[table] % PROGRESS_EVERY == 0:
            say(f"  {counts[table]:,} {table} ...")
    for table in TABLES:
        there = database.query(f"SELECT COUNT(*) AS there FROM {table}")[0]["there"]
        if there != expected[table]:
            raise BackupError(f"{there} rows of {expected[table]} came into {table}.")
    name_index.complete(database)
    return counts


def _lines(path):
    """Yield the file's JSON values."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except FileNotFoundError:
        raise BackupError(f"There is no file {path}.") from None
    except (EOFError, gzip.BadGzipFile, OSError, ValueError) as error:
        raise BackupError(f"{path} cannot be read: {error}.") from error


def _counts(path):
    """Return {table: rows} as the file says at its end, having counted them."""
    lines = _lines(path)
    if next(lines, None) != {"format": FORMAT}:
        raise BackupError(f"{path} is no backup of the chat, or of another version.")
    counts, table, said = {}, None, None
    for line in lines:
        if isinstance(line, list):
            counts[table] += 1
        elif "table" in line:
            table = line["table"]
            counts[table] = 0
        else:
            said = line.get("rows")
    if said != counts or set(counts) != set(TABLES):
        raise BackupError(f"{path} is not whole.")
    return counts


def _batches(path):
    """Yield (table, columns, rows) with a bounded number of rows each."""
    table, columns, rows = None, (), []
    for line in _lines(path):
        is_row = isinstance(line, list)
        if is_row:
            rows.append(line)
        if rows and (not is_row or len(rows) == ROWS_AT_ONCE):
            yield table, columns, rows
            rows = []
        if not is_row and "table" in line:
            table, columns = line["table"], line["columns"]


def main(command, file):
    path = Path(file)
    try:
        database = open_database(config.load(), lambda function, *arguments: function(*arguments))
        with contextlib.closing(database.engine):
            counts = {"backup": backup, "restore": restore}[command](database, path)
    except (BackupError, config.ConfigError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except Unavailable as error:
        print(f"The database stopped answering: {error.__cause__ or error}", file=sys.stderr)
        return 1
    except (Duplicate, pymysql.MySQLError, sqlite3.Error) as error:
        print(f"The {command} broke off: {error.args[-1] if error.args else error}", file=sys.stderr)
        return 1
    done = f"{path} holds" if command == "backup" else "The database holds"
    print(f"{done} people: {counts['users']:,}, conversations: {counts['conversations']:,}, messages: {counts['messages']:,}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

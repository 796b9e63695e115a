"""`python3 manage.py backup FILE` and `restore FILE`: all stored data in one compressed file of JSON lines.

The file does not depend on the engine, so it can also move the data from the embedded mode to MariaDB and back.
Its first line names the version of the database: `chat-backup-1` for version 1. A backup does not upgrade an old database, so
the old program can restore the file. This program restores files of every version up to its own.
The last line counts the rows, so an incomplete file is not restored. Sessions are not included: people log in again.
"""
import contextlib
import gzip
import json
import os
import re
import sqlite3
import sys
import zlib
from pathlib import Path

import pymysql

import config
from chat.accounts import name_index
from chat.storage import schema
from chat.storage.database import SCHEMA, Database, open_database
from chat.errors import Duplicate, Unavailable
from chat.conversations.message import MAX_CHARACTER_BYTES
from chat.web.log_stream import printable
from tools import command_line

FORMAT = re.compile(r"chat-backup-([1-9]\d{0,3})", re.ASCII)      # with the version of the database
LAYOUTS = {                 # version -> {table: the columns that order it}; users before the rows that refer to them
    1: {"users": "id", "name_endings": "user_id, ending", "conversations": "id", "members": "conversation_id, user_id",
        "messages": "id", "marks": "conversation_id, user_id, kind, seq"},
    2: {"users": "id", "conversations": "id", "members": "conversation_id, user_id", "messages": "id",
        "receipts": "conversation_id, user_id, kind, seq"},
    3: {"users": "id", "conversations": "id", "members": "conversation_id, user_id", "messages": "id",
        "receipts": "conversation_id, user_id, kind, seq"},
    4: {"users": "id", "conversations": "id", "members": "conversation_id, user_id", "messages": "id",
        "receipts": "conversation_id, user_id, kind, seq", "mentions": "user_id, conversation_id, seq"},
    5: {"users": "id", "conversations": "id", "members": "conversation_id, user_id", "messages": "id",
        "receipts": "conversation_id, user_id, kind, seq", "mentions": "user_id, conversation_id, seq", "changes": "id",
        "reactions": "conversation_id, seq, user_id, emoji", "pins": "conversation_id, seq"},
    6: {"users": "id", "conversations": "id", "members": "conversation_id, user_id", "messages": "id",
        "receipts": "conversation_id, user_id, kind, seq", "mentions": "user_id, conversation_id, seq", "changes": "id",
        "reactions": "conversation_id, seq, user_id, emoji", "pins": "conversation_id, seq", "files": "id",
        "message_files": "conversation_id, seq, position"},
}
NEWEST = max(LAYOUTS)
RENAMED = {1: {"marks": "receipts", "name_endings": None}}     # version -> {table: its new name}; None: its rows are not restored
LEFT_OUT = {"username_skeletons", "username_sort_keys", "username_suffixes",    # name_index derives them from the usernames
            "schema_migrations",        # maintained by the database's own code
            "content_removals"}         # what a process does just now
ROWS_AT_ONCE = 200              # in one INSERT
MAX_LINE_BYTES = 512 * 1024     # per row: the longest text has 64 KB, and JSON may need six bytes for one
MAX_VALUE_BYTES = 16            # of a number in SQL, or of the syntax around a text
PROGRESS_EVERY = 100_000        # rows


class BackupError(Exception):
    """Why a backup cannot be made or restored, in one sentence."""


def backup(database, path, say=print):
    """Write all tables as they are at one moment; return {table: rows}. An older file is replaced once this one is complete.

    Raises BackupError if an upgrade of the database was interrupted.
    """
    found = database.inspect_schema()
    if not found.is_complete:
        raise BackupError(f"An upgrade of the database is not finished: `{command_line('migrate')}` goes on with it.")
    unfinished = path.with_name(path.name + ".part")
    counts = {}
    with contextlib.suppress(FileNotFoundError):
        unfinished.unlink()     # left by an interrupted backup
    with database.engine.snapshot() as cursor, _private(unfinished) as raw, gzip.open(raw, "wt", encoding="utf-8") as lines:
        lines.write(json.dumps({"format": f"chat-backup-{found.version}"}) + "\n")
        for table, order in LAYOUTS[found.version].items():
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
    """Open a file that only its owner can read, because it contains every message."""
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def restore(database, path, say=print):
    """Restore a file into an empty database, in one transaction; return {table: rows}.

    The file is read twice. Raises BackupError without any change if the file is incomplete or not a backup of the chat, or if
    the database is not empty.
    """
    expected = _counts(path)
    for table in LAYOUTS[NEWEST]:
        if database.query(f"SELECT 1 FROM {table} LIMIT 1"):
            raise BackupError(f"The database is not empty: there is something in {table}. Name a new one in DATABASE_URL.")
    counts = dict.fromkeys(expected, 0)
    database.bulk_load(_inserts(path, database.max_statement_bytes, counts, say))
    if counts != expected:
        raise BackupError(f"{path} was changed while it was read: restore it into a new database.")
    name_index.complete(database)
    return counts


def _inserts(path, max_bytes, counts, say):
    """Yield the INSERTs of the file as (sql, params), and count their rows."""
    for table, target, columns, rows in _batches(path, max_bytes):
        one = f"({', '.join(['%s'] * len(columns))})"
        if target:
            yield (f"INSERT INTO {target} ({', '.join(columns)}) VALUES {', '.join([one] * len(rows))}",
                   [value for row in rows for value in row])
        before, counts[table] = counts[table], counts[table] + len(rows)
        if counts[table] // PROGRESS_EVERY > before // PROGRESS_EVERY:
            say(f"  {counts[table]:,} {table} ...")


def _lines(path):
    """Yield the file's JSON values. Only one line is in memory at a time, however large the unpacked file is."""
    try:
        with gzip.open(path, "rb") as lines:
            while line := lines.readline(MAX_LINE_BYTES + 1):
                if len(line) > MAX_LINE_BYTES:
                    raise BackupError(f"{path} is no backup of the chat: it has a line of more than {MAX_LINE_BYTES:,} bytes.")
                yield json.loads(line.decode())
    except FileNotFoundError:
        raise BackupError(f"There is no file {path}.") from None
    except RecursionError:
        raise BackupError(f"{path} is no backup of the chat: it is nested too deeply.") from None
    except (EOFError, zlib.error, OSError, ValueError) as error:
        raise BackupError(f"{path} cannot be read: {error}.") from error


def _rows(path):
    """Yield (table, target, columns, row) for each row of a valid file, and at the end (None, None, None, counts).

    `target` is the table to restore into; None if its rows are derived from others. `counts` is {table: rows}.

    Names and values are used in SQL, and the file may come from anywhere, so everything is checked. Raises BackupError.
    """
    lines = _lines(path)
    version = _version(path, next(lines, None))
    layout = list(LAYOUTS[version])
    counts, table, target, names, columns = {}, None, None, (), ()
    for number, line in enumerate(lines, 2):
        if isinstance(line, list) and table:
            if target and (len(line) != len(columns) or not all(column.holds(value) for column, value in zip(columns, line))):
                raise BackupError(f"{path} is no backup of the chat: line {number} is no row of {table}.")
            counts[table] += 1
            yield table, target, names, line
        elif isinstance(line, dict) and line.keys() == {"table", "columns"}:
            table, names = line["table"], line["columns"]
            is_known = layout[len(counts):len(counts) + 1] == [table]
            target = RENAMED.get(version, {}).get(table, table) if is_known else None
            known = schema.tables(SCHEMA)[target] if target else {}
            if not is_known or target and not _are_columns(names, known, version == NEWEST):
                raise BackupError(f"{path} is no backup of the chat: line {number} names a table or columns that the chat does not have.")
            columns = [known[name] for name in names] if target else []
            counts[table] = 0
        elif line == {"rows": counts} and len(counts) == len(layout) and next(lines, None) is None:
            yield None, None, None, counts
            return
        else:
            break
    raise BackupError(f"{path} is not whole.")


def _version(path, first_line):
    """Return the version of the database from which the file was made."""
    is_header = isinstance(first_line, dict) and first_line.keys() == {"format"} and isinstance(first_line["format"], str)
    match = is_header and FORMAT.fullmatch(first_line["format"])
    if not match:
        raise BackupError(f"{path} is no backup of the chat.")
    if int(match[1]) not in LAYOUTS:
        raise BackupError(f"{path} was written by a newer version of the chat: this one knows backups up to chat-backup-{NEWEST}.")
    return int(match[1])


def _are_columns(names, columns, all_of_them):
    """Tell whether these are the table's columns. A file of an earlier version may lack columns that have a default."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        return False
    needed = {name for name, column in columns.items() if all_of_them or not (column.nullable or column.has_default)}
    return needed <= set(names) <= columns.keys()


def _counts(path):
    """Return {table: rows} of a complete file."""
    for *_table, row in _rows(path):
        pass
    return row


def _batches(path, max_bytes):
    """Yield (table, target, columns, rows), with as many rows as fit into one INSERT."""
    rows, size, of = [], 0, (None, None, None)
    for table, target, columns, row in _rows(path):
        row_bytes = sum(MAX_VALUE_BYTES + (MAX_CHARACTER_BYTES * len(value) if isinstance(value, str) else 0) for value in row or ())
        if rows and (of != (table, target, columns) or len(rows) == ROWS_AT_ONCE or size + row_bytes > max_bytes):
            yield (*of, rows)
            rows, size = [], 0
        of, size = (table, target, columns), size + row_bytes
        rows.append(row)


def _leave_as_it_is(database):
    """A backup upgrades nothing; an empty database gets its tables."""
    if database.inspect_schema().version is None:
        database.create_tables()


def main(command, file):
    path = Path(file)
    try:
        prepare = {"backup": _leave_as_it_is, "restore": Database.create_tables}[command]
        database = open_database(config.load(), lambda function, *arguments: function(*arguments), prepare=prepare)
        with contextlib.closing(database.engine):
            counts = {"backup": backup, "restore": restore}[command](database, path)
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
    print(f"{done} people: {counts['users']:,}, conversations: {counts['conversations']:,}, messages: {counts['messages']:,}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

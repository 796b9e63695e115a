"""Reads the file of a backup, and believes nothing in it: backup.py has the format."""
import gzip
import json
import re
import zlib

from chat.conversations.message import MAX_CHARACTER_BYTES
from chat.storage import schema
from chat.storage.database import SCHEMA
from tools import backup_contents

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
LAYOUTS[7] = LAYOUTS[6]     # only what is left out was made anew
NEWEST = max(LAYOUTS)
FIRST_WITH_FILES = 6
RENAMED = {1: {"marks": "receipts", "name_endings": None}}     # version -> {table: its new name}; None: its rows are not restored
LEFT_OUT = {"username_skeletons", "username_sort_keys", "username_suffixes",    # name_index derives them from the usernames
            "schema_migrations",        # maintained by the database's own code
            "content_removals"}         # what a process does just now
ROWS_AT_ONCE = 200              # in one INSERT
MAX_LINE_BYTES = 512 * 1024     # per row: the longest text has 64 KB, and JSON may need six bytes for one
MAX_VALUE_BYTES = 16            # of a number in SQL, or of the syntax around a text


class BackupError(Exception):
    """Why a backup cannot be made or restored, in one sentence."""


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


def _rows(path, contents=None):
    """Yield (table, target, columns, row) for each row of a valid file, and at the end (None, None, None, counts).

    `target` is the table to restore into; None if its rows are derived from others. `counts` is {table: rows}.

    Names and values are used in SQL, and the file may come from anywhere, so everything is checked. Raises BackupError. The contents of
    files, which follow the rows, are added to `contents`, or only checked.
    """
    lines = _lines(path)
    version = _version(path, next(lines, None))
    layout = list(LAYOUTS[version])
    counts, table, target, names, columns, end = {}, None, None, (), (), {}
    for number, line in enumerate(lines, 2):
        if isinstance(line, list) and table:
            if target and not _is_row(line, names, columns):
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
        elif backup_contents.is_content(line) and len(counts) == len(layout) and version >= FIRST_WITH_FILES:
            table = None
            end["contents"] = end.get("contents", 0) + 1
            _read_content(path, line, lines, contents)
        elif len(counts) == len(layout) and line == _end_of(version, counts, end) and next(lines, None) is None:
            yield None, None, None, counts
            return
        else:
            break
    raise BackupError(f"{path} is not whole.")


def _is_row(line, names, columns):
    """Tell whether these values are a row of a table; a content is named by its hash alone."""
    return (len(line) == len(columns) and all(column.holds(value) for column, value in zip(columns, line))
            and ("hash" not in names or bool(backup_contents.HASH.fullmatch(line[names.index("hash")]))))


def _end_of(version, counts, end):
    """Return the last line that a whole file has."""
    return {"rows": counts, "contents": 0, **end} if version >= FIRST_WITH_FILES else {"rows": counts}


def _read_content(path, head, lines, contents):
    try:
        if contents:
            contents.add(head, lines)
        else:
            for _chunk in backup_contents.read(head, lines):
                pass
    except backup_contents.ERRORS as error:
        raise BackupError(f"{path} cannot be read: {error}.") from error


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


def counts_of(path):
    """Return {table: rows} of a complete file."""
    for *_table, row in _rows(path):
        pass
    return row


def batches_of(path, max_bytes, contents):
    """Yield (table, target, columns, rows), with as many rows as fit into one INSERT."""
    rows, size, of = [], 0, (None, None, None)
    for table, target, columns, row in _rows(path, contents):
        row_bytes = sum(MAX_VALUE_BYTES + (MAX_CHARACTER_BYTES * len(value) if isinstance(value, str) else 0) for value in row or ())
        if rows and (of != (table, target, columns) or len(rows) == ROWS_AT_ONCE or size + row_bytes > max_bytes):
            yield (*of, rows)
            rows, size = [], 0
        of, size = (table, target, columns), size + row_bytes
        rows.append(row)

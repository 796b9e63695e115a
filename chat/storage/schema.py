"""Reads the SQL files: their statements, the type of each column, and the steps of a migration."""
import functools
import re
from dataclasses import dataclass
from datetime import datetime

TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+) \((.*)\)", re.S)
COLUMN = re.compile(r"\s*([a-z]\w*)\s+(INTEGER|VARCHAR\((\d+)\)|TEXT|DATETIME\(3\))(.*)")      # a constraint begins with a capital
TIMESTAMP = re.compile(r"[1-9]\d{3}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", re.ASCII)       # a DATETIME(3) as both engines return it
CONDITION = re.compile(r"-- if (.+)")
BATCHES = re.compile(r"-- in batches of (\w+)\.(\w+)")
MAX_ID = 2**31 - 1          # of a user, a message or a seq: INTEGER holds it in all engines
MAX_TEXT_BYTES = 65535      # of a TEXT column in MySQL


@dataclass(frozen=True)
class Column:
    """A column. `kind` is INTEGER, VARCHAR, TEXT or DATETIME, `size` the characters of a VARCHAR, `minimum` that of an INTEGER."""

    kind: str
    size: int
    minimum: int
    nullable: bool
    has_default: bool

    def holds(self, value):
        """Tell whether every engine stores this value unchanged."""
        if value is None:
            return self.nullable
        if self.kind == "INTEGER":
            return type(value) is int and self.minimum <= value <= MAX_ID       # not a bool
        if not isinstance(value, str) or "\0" in value:
            return False
        if self.kind == "DATETIME":
            return _is_timestamp(value)
        if self.kind == "VARCHAR" and len(value) > self.size:
            return False
        try:
            return len(value.encode()) <= MAX_TEXT_BYTES
        except UnicodeEncodeError:      # half a surrogate pair
            return False


@dataclass(frozen=True)
class Step:
    """A statement of a migration, when it is run, and by which number of which table it is divided into batches, if it is."""

    statement: str
    condition: str = ""
    batches: tuple = ()     # (table, column)


def _is_timestamp(text):
    try:
        return bool(TIMESTAMP.fullmatch(text) and datetime.fromisoformat(text))
    except ValueError:      # such as February 30
        return False


@functools.cache
def statements(path):
    """Return the statements of a file, without comments."""
    text = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
    return tuple(statement for statement in text.split(";") if statement.strip())


@functools.cache
def tables(path):
    """Return {table: {column: Column}} of a file, in its order."""
    found = {}
    for statement in statements(path):
        name, body = TABLE.search(statement).groups()
        found[name] = {match[1]: _column(*match.groups()[1:]) for line in body.splitlines() if (match := COLUMN.match(line))}
    return found


def _column(kind, size, rest):
    # 0 is valid only where it is the default: in an AUTO_INCREMENT column MySQL would replace it by the next number.
    return Column(kind.partition("(")[0], int(size or 0), 0 if "DEFAULT 0" in rest else 1, "NOT NULL" not in rest, "DEFAULT" in rest)


@functools.cache
def steps(path):
    """Return the Steps of a migration."""
    found, condition, batches, lines = [], "", (), []
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := CONDITION.fullmatch(line.strip()):
            condition = match[1]
        if match := BATCHES.fullmatch(line.strip()):
            batches = match.groups()
        lines.append(line.partition("--")[0].rstrip())
        if lines[-1].endswith(";"):
            found.append(Step("\n".join(lines).strip().rstrip(";"), condition, batches))
            condition, batches, lines = "", (), []
    return tuple(found)


def holds(condition, tables):
    """Tell whether a condition such as `receipts and no members.role` is true of {table: its columns}."""
    for term in condition.split(" and ") if condition else ():
        table, _dot, column = term.removeprefix("no ").partition(".")
        exists = table in tables and (not column or column in tables[table])
        if exists == term.startswith("no "):
            return False
    return True

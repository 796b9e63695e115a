"""Brings a database of an earlier version up: each file of sql/migrations once, by whichever process is first.

Not by yoyo-migrations: the lock of a process that was killed stays until somebody removes it by hand, and a file that broke
off in MySQL begins again at its first statement, done or not.
"""
import logging
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from config import ConfigError

from ..clock import now, to_db
from . import schema

FOLDER = Path(__file__).parent.parent.parent / "sql" / "migrations"
RECORDS = "schema_migrations"
FIRST = 1                   # the version of a database that was made before versions were recorded
FROM_SCHEMA = "schema.sql"  # the name of a record: the database was empty
LEASE = 0                   # of schema_migrations.version, no version: see chat/storage/lease.py

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """What a database has: {table: its columns}, and what is recorded as {version: {name, state, at}}."""

    tables: dict
    records: dict
    version: int | None     # None: it has no table of the chat
    is_whole: bool          # nothing was broken off


def files():
    """Return {version: path} in order."""
    return {int(path.name.partition("_")[0]): path for path in sorted(FOLDER.glob("[0-9]*.sql"))}


def newest():
    """Return the version that `sql/schema.sql` is."""
    return max(files())


def look(engine, schema_path):
    """Return what the database has, unchanged. Raises ConfigError where it is not the chat's, or a newer one."""
    found = engine.run(lambda cursor: _look(engine, cursor, schema_path))
    _refuse_others(found, schema_path)
    return found


def bring_up(engine, schema_path):
    """Make the tables, or what they lack; where there is nothing to do nothing is locked. Raises ConfigError as `look` does."""
    found = look(engine, schema_path)
    if found.version != newest() or not found.is_whole or schema.tables(schema_path).keys() - found.tables.keys():
        with engine.exclusive(_making(RECORDS, schema_path)) as (cursor, still_mine):
            _bring_up(engine, schema_path, cursor, still_mine)
        found = look(engine, schema_path)
    for table, columns in schema.tables(schema_path).items():
        if found.tables.get(table) != columns.keys():
            raise ConfigError(f"The database cannot be used: its table {table} is not as version {newest()} of the chat has it, but with"
                              f" the columns {_listed(found.tables.get(table, ()))}.")


def listing(found):
    """Return (version, name, state, at) of each version, what is still to come among them."""
    rows = []
    for version in sorted({*files(), *found.records}):
        record = found.records.get(version)
        name = record["name"] if record else files()[version].stem
        if record:
            rows.append((version, name, record["state"], record["at"]))
        elif found.records and version <= (found.version or 0):
            rows.append((version, name, "not needed", ""))      # the database began with a later one
        else:
            rows.append((version, name, "found" if version == found.version else "to come", ""))
    return rows


def _look(engine, cursor, schema_path):
    tables, records = _tables(engine, cursor), {}
    if tables.get(RECORDS) == schema.tables(schema_path)[RECORDS].keys():
        cursor.execute(f"SELECT version, name, state, at FROM {RECORDS} ORDER BY version")
        records = {version: {"name": name, "state": state, "at": at} for version, name, state, at in cursor.fetchall() if version != LEASE}
    finished = [version for version, record in records.items() if record["state"] != "running"]
    if not records:
        finished = [FIRST] if (_known(schema_path).keys() - {RECORDS}) & tables.keys() else []
    return Found(tables, records, max(finished, default=None), len(finished) == len(records) or not records)


def _known(schema_path):
    """Return {table: [its columns]}, in the first version and in the newest one."""
    known = defaultdict(list)
    for path in (files()[FIRST], schema_path):
        for table, columns in schema.tables(path).items():
            known[table].append(columns.keys())
    return known


def _refuse_others(found, schema_path):
    if max(found.records, default=0) > newest():
        raise ConfigError(f"The database is of version {max(found.records)} and this program knows versions up to {newest()}: start the"
                          " newer program, or restore a backup from before the upgrade into a database of its own.")
    if found.records:
        return
    for table, versions in _known(schema_path).items():
        columns = found.tables.get(table)
        # One that was imported by hand may be of a version in between.
        if columns and not set.intersection(*map(set, versions)) <= columns <= set.union(*map(set, versions)):
            raise ConfigError(f"The database cannot be used: its table {table} is another program's, with the columns"
                              f" {_listed(columns)}. Name a database of the chat's own, which is made if it is not there.")


def _listed(columns):
    return ", ".join(sorted(columns)) or "none"


def _bring_up(engine, schema_path, cursor, still_mine):
    found = _look(engine, cursor, schema_path)      # again: another process may have been faster, a newer one even
    _refuse_others(found, schema_path)
    is_making = any(record["name"] == FROM_SCHEMA and record["state"] == "running" for record in found.records.values())
    if is_making or found.version is None and not found.records:
        _record(engine, cursor, newest(), FROM_SCHEMA, "running")
        _make_tables(cursor, schema_path, still_mine)
        _record(engine, cursor, newest(), FROM_SCHEMA, "done")
        return
    if not found.records:
        _record(engine, cursor, FIRST, files()[FIRST].stem, "found")
    for version, path in files().items():
        if version > found.version:
            log.warning("the database is brought to version %s: %s", version, path.name)
            _record(engine, cursor, version, path.stem, "running")
            _apply(engine, cursor, path, still_mine)
            _record(engine, cursor, version, path.stem, "done")
    if schema.tables(schema_path).keys() - _tables(engine, cursor).keys():
        _make_tables(cursor, schema_path, still_mine)       # one was lost, or an import by hand broke off


def _tables(engine, cursor):
    """Return {table: its columns} of all that the database has, other programs' among them."""
    tables = defaultdict(set)
    for table, column in engine.columns(cursor):
        tables[table].add(column)
    return dict(tables)


def _apply(engine, cursor, path, still_mine):
    """Run the steps whose condition holds at their turn: of one that broke off, those that are left."""
    for condition, statement in schema.steps(path):
        still_mine()
        if schema.holds(condition, _tables(engine, cursor)):
            cursor.execute(statement)


def _make_tables(cursor, schema_path, still_mine):
    for statement in schema.statements(schema_path):
        still_mine()
        cursor.execute(statement)


def _making(table, schema_path):
    return next(statement for statement in schema.statements(schema_path) if f" {table} (" in statement)


def _record(engine, cursor, version, name, state):
    values = (name, state, to_db(now()), version)
    cursor.execute(engine.placeholders(f"UPDATE {RECORDS} SET name = %s, state = %s, at = %s WHERE version = %s"), values)
    if not cursor.rowcount:
        cursor.execute(engine.placeholders(f"INSERT INTO {RECORDS} (name, state, at, version) VALUES (%s, %s, %s, %s)"), values)

"""Upgrades a database of an earlier version: each file of sql/migrations runs once, in whichever process is first.

yoyo-migrations would not do: the lock of a killed process stays until somebody removes it by hand, and after a crash in MySQL a
file starts again at its first statement, whether that is done or not.
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
FIRST = 1                   # the version of a database from before versions were recorded
FROM_SCHEMA = "schema.sql"  # the name in the record of a database that was empty
BATCH_ROWS = 50_000         # at a time, of a step that goes through a whole table
LEASE = 0                   # in schema_migrations.version: this row is the lease of chat/storage/lease.py

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SchemaState:
    """What a database has: `tables` as {table: its columns}, `records` as {version: {name, state, at}}."""

    tables: dict
    records: dict
    version: int | None     # None if it has no table of the chat
    is_complete: bool       # no migration was interrupted


def files():
    """Return {version: path of its migration}, in order."""
    return {int(path.name.partition("_")[0]): path for path in sorted(FOLDER.glob("[0-9]*.sql"))}


def newest():
    """Return the version of `sql/schema.sql`."""
    return max(files())


def inspect(engine, schema_path):
    """Return the SchemaState of the database. Raises ConfigError if it is another program's, or of a newer version."""
    state = engine.run(lambda cursor: _inspect(engine, cursor, schema_path))
    _check_owner(state, schema_path)
    return state


def upgrade(engine, schema_path):
    """Create the tables, or run the missing migrations. If there is nothing to do, nothing is locked.

    Raises ConfigError as `inspect` does.
    """
    state = inspect(engine, schema_path)
    if state.version != newest() or not state.is_complete or schema.tables(schema_path).keys() - state.tables.keys():
        with engine.exclusive(_create_statement(RECORDS, schema_path)) as (cursor, check_lease):
            _upgrade(engine, schema_path, cursor, check_lease)
        state = inspect(engine, schema_path)
    for table, columns in schema.tables(schema_path).items():
        if state.tables.get(table) != columns.keys():
            raise ConfigError(f"The database cannot be used: its table {table} is not as version {newest()} of the chat has it, but with"
                              f" the columns {_listed(state.tables.get(table, ()))}.")


def listing(state):
    """Return (version, name, state, at) of each version, those that are still to come included."""
    rows = []
    for version in sorted({*files(), *state.records}):
        record = state.records.get(version)
        name = record["name"] if record else files()[version].stem
        if record:
            rows.append((version, name, record["state"], record["at"]))
        elif state.records and version <= (state.version or 0):
            rows.append((version, name, "not needed", ""))      # the database was created with a later version
        else:
            rows.append((version, name, "found" if version == state.version else "to come", ""))
    return rows


def _inspect(engine, cursor, schema_path):
    tables, records = _tables(engine, cursor), {}
    if tables.get(RECORDS) == schema.tables(schema_path)[RECORDS].keys():
        cursor.execute(f"SELECT version, name, state, at FROM {RECORDS} ORDER BY version")
        records = {version: {"name": name, "state": state, "at": at} for version, name, state, at in cursor.fetchall() if version != LEASE}
    if records:
        finished = [version for version, record in records.items() if record["state"] != "running"]
        return SchemaState(tables, records, version=max(finished, default=None), is_complete=len(finished) == len(records))
    # Versions were not recorded at first: a database that has tables of the chat, but no records, has the first version.
    has_chat_tables = bool((_known(schema_path).keys() - {RECORDS}) & tables.keys())
    return SchemaState(tables, records, version=FIRST if has_chat_tables else None, is_complete=True)


def _known(schema_path):
    """Return {table: its columns in the first version and in the newest one, as a list of key views}."""
    known = defaultdict(list)
    for path in (files()[FIRST], schema_path):
        for table, columns in schema.tables(path).items():
            known[table].append(columns.keys())
    return known


def _check_owner(state, schema_path):
    if max(state.records, default=0) > newest():
        raise ConfigError(f"The database is of version {max(state.records)} and this program knows versions up to {newest()}: start the"
                          " newer program, or restore a backup from before the upgrade into a database of its own.")
    if state.records:
        return
    for table, versions in _known(schema_path).items():
        columns = state.tables.get(table)
        # Tables that were imported by hand may be of a version in between.
        if columns and not set.intersection(*map(set, versions)) <= columns <= set.union(*map(set, versions)):
            raise ConfigError(f"The database cannot be used: its table {table} is another program's, with the columns"
                              f" {_listed(columns)}. Name a database of the chat's own, which is made if it is not there.")


def _listed(columns):
    return ", ".join(sorted(columns)) or "none"


def _upgrade(engine, schema_path, cursor, check_lease):
    state = _inspect(engine, cursor, schema_path)      # again: another process, perhaps of a newer version, may have been faster
    _check_owner(state, schema_path)
    is_creating = any(record["name"] == FROM_SCHEMA and record["state"] == "running" for record in state.records.values())
    if is_creating or state.version is None and not state.records:
        _record(engine, cursor, newest(), FROM_SCHEMA, "running")
        _create_tables(cursor, schema_path, check_lease)
        _record(engine, cursor, newest(), FROM_SCHEMA, "done")
        return
    if not state.records:
        _record(engine, cursor, FIRST, files()[FIRST].stem, "found")
    for version, path in files().items():
        if version > state.version:
            log.warning("the database is brought to version %s: %s", version, path.name)
            _record(engine, cursor, version, path.stem, "running")
            _apply(engine, cursor, path, check_lease)
            _record(engine, cursor, version, path.stem, "done")
    if schema.tables(schema_path).keys() - _tables(engine, cursor).keys():
        _create_tables(cursor, schema_path, check_lease)       # a table was dropped, or an import by hand was interrupted


def _tables(engine, cursor):
    """Return {table: its columns} for every table of the database, other programs' included."""
    tables = defaultdict(set)
    for table, column in engine.columns(cursor):
        tables[table].add(column)
    return dict(tables)


def _apply(engine, cursor, path, check_lease):
    """Run the steps whose condition holds when it is their turn. After a crash these are the steps that are left."""
    for step in schema.steps(path):
        check_lease()
        if schema.holds(step.condition, _tables(engine, cursor)):
            if step.batches:
                _apply_in_batches(engine, cursor, step, check_lease)
            else:
                cursor.execute(step.statement)


def _apply_in_batches(engine, cursor, step, check_lease):
    """Run a step for so many rows at a time, and say how far it is: it takes a while where there are a million."""
    table, column = step.batches
    cursor.execute(f"SELECT MIN({column}), MAX({column}) FROM {table}")
    first, last = cursor.fetchone()
    for start in range(first - 1, last, BATCH_ROWS) if last else ():
        check_lease()
        cursor.execute(engine.placeholders(step.statement), (start, min(start + BATCH_ROWS, last)))
        if start + BATCH_ROWS < last:
            log.warning("  %s up to number %s of %s", table, f"{start + BATCH_ROWS:,}", f"{last:,}")


def _create_tables(cursor, schema_path, check_lease):
    for statement in schema.statements(schema_path):
        check_lease()
        cursor.execute(statement)


def _create_statement(table, schema_path):
    return next(statement for statement in schema.statements(schema_path) if f" {table} (" in statement)


def _record(engine, cursor, version, name, state):
    values = (name, state, to_db(now()), version)
    cursor.execute(engine.placeholders(f"UPDATE {RECORDS} SET name = %s, state = %s, at = %s WHERE version = %s"), values)
    if not cursor.rowcount:
        cursor.execute(engine.placeholders(f"INSERT INTO {RECORDS} (name, state, at, version) VALUES (%s, %s, %s, %s)"), values)

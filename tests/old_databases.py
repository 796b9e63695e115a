"""Databases of version 1 with people and messages in them, and what a database consists of."""
from chat.storage import migrations, schema
from chat.storage.database import SCHEMA
from tests.databases import create_first_tables

AT = "2024-07-07 15:04:17.{:03}"
NAMES = ["Anna", "Émile", "日本語", "O’Brien", "zoe_1"]
TEXTS = ["bonjour", "two\nlines", "\\ ' \" %s %; --", "🎉 é", "/* -- if marks */", "x" * 4000]
ORDER = {"users": "id", "conversations": "id", "members": "conversation_id, user_id", "messages": "id",
         "marks": "conversation_id, user_id, kind, seq", "receipts": "conversation_id, user_id, kind, seq",
         "mentions": "user_id, conversation_id, seq",
         "username_skeletons": "skeleton", "username_sort_keys": "user_id", "username_suffixes": "user_id, suffix"}
UNMARKED_TABLES = """
CREATE TABLE name_skeletons (skeleton VARCHAR(128) NOT NULL PRIMARY KEY, user_id INTEGER NOT NULL, UNIQUE (user_id, skeleton));
CREATE TABLE name_order (sort_key VARCHAR(128) NOT NULL, user_id INTEGER NOT NULL, PRIMARY KEY (sort_key, user_id), UNIQUE (user_id))"""


def create_filled(database):
    """Make version 1 and store people who talk, by its own statements."""
    create_first_tables(database)
    statements = []
    for number, name in enumerate(NAMES, 1):
        key = name.casefold()
        statements.append(("INSERT INTO users VALUES (%s, %s, %s, '$2b$04$no hash', %s)", (number, name, key, AT.format(number))))
        for ending in {key[start:] for start in range(len(key))}:
            statements.append(("INSERT INTO name_endings (ending, user_id) VALUES (%s, %s)", (ending, number)))
    message_id = 0
    for other in range(2, len(NAMES) + 1):
        statements.append(("INSERT INTO conversations VALUES (%s, 'direct', 1, %s)", (other, other)))
        for user_id in (1, other):
            statements.append(("INSERT INTO members VALUES (%s, %s, %s)", (other, user_id, user_id)))
            for kind in ("delivered", "read"):
                for seq in sorted({1, 3, other}):
                    statements.append(("INSERT INTO marks VALUES (%s, %s, %s, %s, %s)", (other, user_id, kind, seq, AT.format(seq))))
        for seq, text in enumerate(TEXTS, 1):
            message_id += 2     # ids jump, as in a cluster
            sender, receiver = (1, other) if seq % 2 else (other, 1)
            statements.append(("INSERT INTO messages VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                               (message_id, other, seq, sender, receiver, text, AT.format(seq), f"client {message_id}")))
    database.transaction(statements)      # one COMMIT: each waits for the disk


def create_tried_out(database):
    """Make version 1 with the tables that were tried out before versions were recorded."""
    create_filled(database)
    for statement in UNMARKED_TABLES.split(";"):
        database.execute(statement)
    database.execute("INSERT INTO name_order VALUES ('old', 1)")
    database.execute("INSERT INTO name_skeletons VALUES ('old', 1)")


def rows(database, *tables):
    """Return {table: its rows}, of all tables that are ordered here where none is named."""
    return {table: [tuple(row.values()) for row in database.query(f"SELECT * FROM {table} ORDER BY {ORDER[table]}")] for table in tables}


def records(database):
    """Return (version, name, state) of all that is recorded."""
    return [tuple(row.values()) for row in database.query("SELECT version, name, state FROM schema_migrations ORDER BY version")]


def shape(database):
    """Return the columns with their types and the keys of all tables, whatever the order of the columns."""
    return sqlite_shape(database) if hasattr(database.engine, "path") else mysql_shape(database)


def sqlite_shape(database):
    found = {}
    for table in [row["name"] for row in database.query("SELECT name FROM sqlite_master WHERE type = 'table'")]:
        columns = {(row["name"], row["type"], row["notnull"], row["dflt_value"], row["pk"])
                   for row in database.query(f"PRAGMA table_info({table})")}
        keys = {(row["unique"], row["origin"], tuple(column["name"] for column in database.query(f"PRAGMA index_info({row['name']})")))
                for row in database.query(f"PRAGMA index_list({table})")}
        found[table] = columns, keys
    return found


def mysql_shape(database):
    columns = database.query(
        "SELECT table_name, column_name, column_type, is_nullable, column_default, extra, collation_name"
        " FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY 1, 2")
    keys = database.query(
        "SELECT table_name, index_name, seq_in_index, column_name, non_unique"
        " FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY 1, 2, 3")
    tables = database.query("SELECT table_name, engine, table_collation FROM information_schema.tables"
                            " WHERE table_schema = DATABASE() ORDER BY 1")
    return [[tuple(row.values()) for row in part] for part in (columns, keys, tables)]


def by_migrations_alone(database):
    """Run the files one after the other and nothing else."""
    create_first_tables(database)
    with database.engine.exclusive(migrations._create_statement(migrations.RECORDS, SCHEMA)) as (cursor, check_lease):
        for version, path in migrations.files().items():
            if version > migrations.FIRST:
                migrations._apply(database.engine, cursor, path, check_lease)


def tables_of_schema():
    return set(schema.tables(SCHEMA))

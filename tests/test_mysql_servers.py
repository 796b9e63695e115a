"""The servers that students have: MySQL 8 and 9 with a password, and what a server's own settings may be."""
import contextlib
import sqlite3
import uuid

import pymysql
import pytest

from chat.storage.database import open_database
from chat.errors import Unavailable
from config import ConfigError
from tests.conftest import SECRET_KEY
from tests.databases import Sender, call, open_mariadb, person, server_with
from tests.mysql_login import PASSWORD, MySQLLogin


@pytest.fixture
def mysql(mariadb, tmp_path):
    with MySQLLogin(mariadb, tmp_path) as login:
        yield login


def open_at(url):
    return open_database({"DATABASE_URL": url}, call)


# --- the password of MySQL 8 and 9 ------------------------------------------------------------------------------

def test_the_password_of_mysql_8_and_9(mysql):
    """It is sent through TLS, and known then: PyMySQL's other way needs a package that the chat does not have."""
    database = open_at(mysql.url())
    assert person(database).id
    assert mysql.logins[:2] == ["full, plain", "full, encrypted"] and "plain" not in "".join(mysql.logins[2:])
    database.engine.close()


def test_a_server_that_knows_the_password_and_one_that_has_forgotten_it(mysql):
    """caching_sha2_password forgets with each restart of the server, while the chat runs on."""
    open_at(mysql.url()).engine.close()
    database = open_at(mysql.url())
    assert mysql.logins[-1] == "fast, plain"
    mysql.knows_password = False
    database.engine.close()     # its connections have ended, as they do with a restart
    assert database.query("SELECT 1 AS one") == [{"one": 1}]
    assert mysql.logins[-1] == "full, encrypted"
    database.engine.close()


@pytest.mark.parametrize("known", [True, False])
def test_a_wrong_password_is_one_sentence(mysql, known):
    mysql.knows_password = known
    with pytest.raises(ConfigError, match=r"^The database cannot be used: Access denied for user 'anna'@'localhost'[^\n]*$"):
        open_at(mysql.url("wrong"))


def test_a_server_without_tls_is_one_sentence(mariadb, tmp_path):
    with MySQLLogin(mariadb, tmp_path, tls=False) as login:
        with pytest.raises(ConfigError, match=r"^The database cannot be used: the password of 'anna' must be sent through TLS[^\n]*$"):
            open_at(login.url())
        login.knows_password = True
        database = open_at(login.url())
        login.knows_password = False
        database.engine.close()
        with pytest.raises(Unavailable):
            database.query("SELECT 1")


@pytest.mark.parametrize("mode", ["eventlet", "gevent", "threading"])
def test_the_chat_starts_with_it(mysql, start_server, arrive, mode):
    server = start_server(DATABASE_URL=mysql.url(PASSWORD), SECRET_KEY=SECRET_KEY, ASYNC_MODE=mode)
    alice, bob = arrive(server), arrive(server)
    assert alice.tab().send(bob, "bonjour")["ok"]
    assert "encrypted" in mysql.logins[-1]


# --- the server's own settings ----------------------------------------------------------------------------------

@pytest.mark.parametrize("mode", ["", "ORACLE", "ANSI", "MSSQL", "NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT,IGNORE_SPACE",
                                  "ONLY_FULL_GROUP_BY,STRICT_ALL_TABLES,NO_UNSIGNED_SUBTRACTION", "NO_ZERO_IN_DATE,NO_ZERO_DATE"])
def test_any_sql_mode(mariadb, mode):
    text = "\\ ' \" \n %s `x` || \\' \\\\"
    with server_with(mariadb, sql_mode=mode):
        database = open_mariadb(mariadb)
        sender, alice, bob = Sender(database), person(database), person(database)
        sender.send(alice, bob, text)
        assert [row["message"] for row in database.query("SELECT message FROM messages")] == [text]
        with pytest.raises(pymysql.DataError):      # a server that is not strict would cut it off
            database.execute("INSERT INTO username_suffixes (suffix, user_id) VALUES (%s, 1)", ("x" * 200,))
        database.engine.close()


@pytest.mark.parametrize("packet", [1024 * 1024, 64 * 1024], ids=["XAMPP", "less still"])
def test_300_large_messages_at_once_on_a_server_that_takes_small_statements(mariadb, packet):
    """Those that wait for the commit before them go together, but no more of them than the server takes."""
    with server_with(mariadb, max_allowed_packet=packet):
        database = open_mariadb(mariadb)
        sender, alice, bob = Sender(database), person(database), person(database)
        background_calls = [sender.send_in_background(alice, bob, text) for text in ["\U0001f600" * 4000, "'" * 4000] * 150]
        assert sorted(background_call.outcome().seq for background_call in background_calls) == list(range(1, 301))
        database.engine.close()


def test_a_server_that_does_not_take_one_message(mariadb):
    """A long message would be refused, and sent again and again."""
    with server_with(mariadb, max_allowed_packet=16 * 1024):
        with pytest.raises(ConfigError, match=r"^The database cannot be used: [^\n]*set its max_allowed_packet to 65536 or more$"):
            open_mariadb(mariadb)


# --- somebody else's database -----------------------------------------------------------------------------------

SOMEBODY_ELSES = "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(64))"


def test_another_programs_users_table_in_mariadb(mariadb):
    name = f"shop_{uuid.uuid4().hex[:8]}"
    with mariadb.connect() as root, root.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute(SOMEBODY_ELSES.replace("users", f"{name}.users"))
        with pytest.raises(ConfigError, match=r"^The database cannot be used: its table users is another program's[^\n]*email, id[^\n]*$"):
            open_at(mariadb.url.replace("/chat", f"/{name}"))
        cursor.execute(f"SHOW TABLES IN {name}")
        assert cursor.fetchall() == (("users",),), "nothing was added to it"


def test_another_programs_users_table_in_sqlite(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "chat.sqlite3")) as connection:
        connection.execute(SOMEBODY_ELSES)
    with pytest.raises(ConfigError, match="its table users is another program's"):
        open_database({"DATABASE_URL": "", "INSTANCE_PATH": str(tmp_path)}, call)


def test_another_programs_other_tables_are_no_hindrance(mariadb):
    database = open_mariadb(mariadb)
    database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    open_at(mariadb.url.replace("/chat", f"/{database.engine.name}")).engine.close()
    database.engine.close()

"""The servers that students have: MySQL 8 and 9 with a password, and what a server's own settings may be."""
import pytest

from chat.database import open_database
from chat.errors import Unavailable
from config import ConfigError
from tests.conftest import SECRET_KEY
from tests.databases import call, person
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

"""The private servers of the tests, which everything else here relies on."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pymysql
import pytest

from tests.services import MariaDB, Redis
from tools import ROOT

pytestmark = pytest.mark.slow

HOLDER = """
from tests.services import {name}
service = {name}().start()
print(service.pid, service.directory, flush=True)
input()
"""


@pytest.fixture(scope="module")
def private_mariadb():
    """A server that no other test uses: it is killed here."""
    with MariaDB() as server:
        yield server


def test_mariadb_is_like_xampps(private_mariadb):
    with private_mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_USER(), @@innodb_flush_log_at_trx_commit")
        assert cursor.fetchone() == ("root@127.0.0.1", 1)


def test_mariadb_shares_no_temporary_files_with_other_servers(private_mariadb):
    with private_mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@tmpdir")
        assert cursor.fetchone() == (str(private_mariadb.directory),)


def test_mariadb_keeps_what_was_stored_when_it_is_killed(private_mariadb):
    with private_mariadb.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE kept")
    port = private_mariadb.port
    private_mariadb.kill()
    with pytest.raises(pymysql.OperationalError):
        private_mariadb.connect()
    private_mariadb.start()
    assert private_mariadb.port == port
    with private_mariadb.connect(database="kept") as connection:
        connection.ping()


def test_redis_forgets_when_it_is_restarted():
    with Redis() as redis:
        with redis.connect() as client:
            client.set("key", "value")
        redis.restart()
        with redis.connect() as client:
            assert client.get("key") is None


def test_a_frozen_server_can_be_stopped():
    with Redis() as redis:
        process = redis.process
        redis.pause()
        redis.stop()
        assert process.returncode == 0
        redis.start()
        with redis.connect() as client:
            assert client.ping()


def test_a_taken_port_is_left_alone():
    with Redis() as first:
        second = Redis()
        second.port = first.port
        with pytest.raises(RuntimeError, match="did not start"):
            second.__enter__()
        with first.connect() as client:
            assert client.ping()


def test_nothing_is_left_after_the_context():
    with Redis() as redis:
        directory, pid = redis.directory, redis.pid
    assert not directory.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
@pytest.mark.parametrize("name", ["MariaDB", "Redis"])
def test_a_server_dies_with_the_tests(name):
    command = [sys.executable, "-c", HOLDER.format(name=name)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        pid, directory = holder.stdout.readline().split()
        server = os.pidfd_open(int(pid))
        holder.kill()
    # The descriptor becomes readable when the process ends.
    assert select.select([server], [], [], 10)[0]
    os.close(server)
    with Redis():
        assert not Path(directory).exists()

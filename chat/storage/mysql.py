"""MySQL or MariaDB through PyMySQL: one server, or a cluster whose nodes all take writes."""
import contextlib
import time

import pymysql
import pymysql.cursors
from pymysql.constants import CLIENT, CR, ER, FIELD_TYPE
from pymysql.converters import conversions

from ..errors import Duplicate, Locked, unavailable
from .hosts import parsed
from .lease import Lease
from .pool import ANSWER_TIMEOUT, LOCK_ERRORS, Pool

LOCK_TIMEOUT = 1            # second; waiting for another session's row lock
LOCK_TRIES = 3              # a deadlock's victim, or a lock that was not had in time, tries again
CHECK_EVERY = 1             # second; a connection that rested longer is asked whether it lives, a node whether it is in step
NEXT_NODE_AFTER = 1         # second until a node that does not take a connection is passed over
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SYNCED = "4"                # of wsrep_local_state: the others donate, join, or are cut off from most of the cluster
MAX_STATEMENT_BYTES = 256 * 1024    # of an INSERT of several rows; a server may take less: see max_statement_bytes
MIN_PACKET_BYTES = 64 * 1024        # of max_allowed_packet: the longest message and the endings of the longest name fit in
STEP_TIMEOUT = 6 * 3600     # seconds; one statement of a migration may write a large table anew
BULK_TIMEOUT = 600          # seconds; the COMMIT of a whole backup may wait for the disk
# Whatever the server's own is: strict, so that nothing is cut off in silence, and with MySQL's usual quotes and escapes.
SQL_MODE = "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"


class Connection(pymysql.connections.Connection):
    """PyMySQL's, whose TLS context is made once and not for each connection: it takes 25 ms of CPU."""

    tls_context = None

    def _create_ssl_ctx(self, options):
        if Connection.tls_context is None:
            Connection.tls_context = super()._create_ssl_ctx(options)
        return Connection.tls_context


class MySQLEngine:
    """A small pool of connections that throws away what has failed."""

    def __init__(self, url):
        address = parsed(url, "127.0.0.1", 3306)
        self.name = address.path or "chat"
        self.hosts = address.hosts
        self.place = 0              # of the node in use: everybody writes to one, so that they seldom conflict
        self.tls_on_loopback = False
        self.max_statement_bytes = MAX_STATEMENT_BYTES
        self.options = {
            "user": address.username or "root", "password": address.password.encode(),   # PyMySQL would make Latin-1 of it
            "charset": "utf8mb4", "autocommit": True,
            "connect_timeout": ANSWER_TIMEOUT if len(self.hosts) == 1 else NEXT_NODE_AFTER,
            "read_timeout": ANSWER_TIMEOUT, "write_timeout": ANSWER_TIMEOUT,
            "init_command": f"SET SESSION sql_mode='{SQL_MODE}', innodb_lock_wait_timeout={LOCK_TIMEOUT}, time_zone='+00:00'",
            # rowcount tells the rows that a WHERE found, as SQLite does, and not only those that it altered
            "client_flag": CLIENT.FOUND_ROWS,
            # a timestamp stays the text that SQLite gives too
            "conv": {kind: how for kind, how in conversions.items() if kind != FIELD_TYPE.DATETIME},
        }
        self.pool = Pool(self._connect, self._check)

    @staticmethod
    def placeholders(sql):
        return sql

    @staticmethod
    def new_ids(cursor, rows):
        if rows == 1:
            return [cursor.lastrowid]
        step = cursor.connection.id_step
        return step and range(cursor.lastrowid, cursor.lastrowid + rows * step, step)    # MySQL names the first one

    def run(self, work, writes=0):
        place = None
        for last_try in (False,) * (LOCK_TRIES - 1) + (True,):
            try:
                with self.pool.connection() as connection, connection.cursor() as cursor:
                    place = connection.place
                    if writes < 2:      # one statement is a transaction of its own
                        return work(cursor)
                    connection.begin()
                    result = work(cursor)
                    connection.commit()
                    return result
            except pymysql.IntegrityError as error:
                raise Duplicate(str(error)) from error
            except pymysql.OperationalError as error:
                if error.args[0] not in LOCK_ERRORS:
                    self._pass_over(place)
                    raise unavailable(error) from error
                if last_try:
                    raise unavailable(error, Locked) from error
            except (pymysql.InterfaceError, OSError) as error:
                raise unavailable(error) from error

    @contextlib.contextmanager
    def snapshot(self):
        """Lend a cursor of its own, all of whose SELECTs see the same moment; rows come as they are read."""
        with self._connect() as connection:
            connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            yield connection.cursor(pymysql.cursors.SSCursor)

    @contextlib.contextmanager
    def bulk_load(self):
        """Lend a cursor of its own: what it writes is stored at the end, all of it, or nothing where an error is raised."""
        with self._connect(read_timeout=BULK_TIMEOUT) as connection:
            connection.begin()
            yield connection.cursor()
            connection.commit()

    @contextlib.contextmanager
    def exclusive(self, prepare):
        """Lend a cursor of its own, and a call that raises once that is over, to one process at a time; the others wait.

        Each statement is committed by itself: MySQL takes back no change of a table. `prepare` makes the table of the lease.
        """
        with self._connect(read_timeout=STEP_TIMEOUT) as connection, connection.cursor() as cursor:
            cursor.execute(prepare)
            with Lease(self.run) as lease:
                yield cursor, lease.check

    @staticmethod
    def columns(cursor):
        """Return (table, column) for all columns in the database."""
        cursor.execute("SELECT IF(@@lower_case_table_names, LOWER(table_name), table_name), column_name"
                       " FROM information_schema.columns WHERE table_schema = DATABASE()")
        return cursor.fetchall()

    def _connect(self, **options):
        """Return a connection to the node in use, or to the next one that takes it. Raises pymysql.OperationalError."""
        for tries_left in reversed(range(len(self.hosts))):
            place = self.place
            try:
                connection = self._connect_to(*self.hosts[place], **{"database": self.name, **options})
                connection.place = place
                return connection
            except pymysql.OperationalError as error:
                if not tries_left or error.args[0] == ER.BAD_DB_ERROR:
                    raise
                self._pass_over(place)

    def _pass_over(self, place):
        """Go on to the next node, unless somebody has done so already."""
        if self.place == place:
            self.place = (place + 1) % len(self.hosts)

    def _connect_to(self, host, port, **options):
        connection = self._log_in(host, port, {**self.options, **options})
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT @@auto_increment_increment, @@max_allowed_packet")
                step, max_packet = cursor.fetchone()
                if max_packet < MIN_PACKET_BYTES:
                    raise pymysql.OperationalError(
                        ER.NET_PACKET_TOO_LARGE, f"the server at {host}:{port} takes statements of {max_packet} bytes, and one message"
                        f" may need more: set its max_allowed_packet to {MIN_PACKET_BYTES} or more")
                self.max_statement_bytes = min(MAX_STATEMENT_BYTES, max_packet // 2)
                # A cluster changes the step from one statement to the next, whenever a node comes or goes.
                connection.checked_at = time.monotonic()
                connection.id_step = None if _join_cluster(cursor, f"{host}:{port}") else step
            return connection
        except BaseException:
            connection._force_close()
            raise

    def _log_in(self, host, port, options):
        """Return a connection that nothing was asked over. Raises pymysql.OperationalError.

        Nobody listens on the loopback address, so TLS is left out there until it is needed: the accounts of MySQL 8 and 9
        send their password itself, through TLS, when the server has not seen it since it started. (PyMySQL's other way
        would be RSA, by a compiled package of 4 MB.)
        """
        plain = host in LOOPBACK and not self.tls_on_loopback
        try:
            return Connection(host=host, port=port, ssl_disabled=plain, **options)
        except RuntimeError:        # the connection is not encrypted, and PyMySQL has no RSA
            if not plain:
                raise pymysql.OperationalError(CR.CR_SSL_CONNECTION_ERROR, f"the password of {options['user']!r} must be sent"
                                               f" through TLS, which the server at {host}:{port} does not offer") from None
        self.tls_on_loopback = True
        return self._log_in(host, port, options)

    def _check(self, connection, rested):
        """Ask a connection that rested whether it lives, and a node of a cluster whether it is in step. Raises what PyMySQL does."""
        now = time.monotonic()
        try:
            if connection.id_step is None and now - connection.checked_at > CHECK_EVERY:
                with connection.cursor() as cursor:
                    _join_cluster(cursor, connection.host)
                connection.checked_at = now
            elif rested > CHECK_EVERY:
                connection.ping(reconnect=False)
        except Exception:
            if time.monotonic() - now > NEXT_NODE_AFTER:    # it hangs, and would once more for as long
                self._pass_over(connection.place)
            raise

    def create_database(self):
        """Make the database that the URL names if the server does not have it."""
        try:
            self._connect().close()
        except pymysql.OperationalError as error:
            if error.args[0] != ER.BAD_DB_ERROR:
                raise
            with self._connect(database=None) as connection, connection.cursor() as cursor:
                name = self.name.replace("`", "``")
                cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4")

    def close(self):
        self.pool.clear()


def _join_cluster(cursor, node):
    """Tell whether the server is a node of a Galera cluster, and see that it is in step. Raises pymysql.OperationalError."""
    cursor.execute("SHOW GLOBAL STATUS LIKE 'wsrep_local_state'")
    state = cursor.fetchone()       # not there, or without a value, on a server that stands alone
    if not state or not state[1] or state[1] == "0":
        return False
    if state[1] != SYNCED:
        raise pymysql.OperationalError(ER.UNKNOWN_COM_ERROR, f"{node} is not in step with its cluster")
    # What another node has committed, and somebody was told of, is there for the one who asks this node.
    cursor.execute("SET SESSION wsrep_sync_wait=1")
    return True

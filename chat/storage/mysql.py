"""MySQL or MariaDB through PyMySQL: one server, or a Galera cluster, all of whose nodes accept writes."""
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
LOCK_ATTEMPTS = 3           # at a statement that a deadlock has ended, or that did not get its lock in time
CHECK_INTERVAL = 1          # second; a connection that was idle for longer is checked, and a node of a cluster whether it is synced
FAILOVER_TIMEOUT = 1        # second; a node that accepts no connection within this time is skipped
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SYNCED = "4"                # of wsrep_local_state; in any other state a node donates, joins, or is cut off from most of the cluster
MAX_STATEMENT_BYTES = 256 * 1024    # of an INSERT of several rows; a server may accept less: see max_statement_bytes
MIN_PACKET_BYTES = 64 * 1024        # of max_allowed_packet: the longest message fits in, and the suffixes of the longest name
STEP_TIMEOUT = 6 * 3600     # seconds; one statement of a migration may rewrite a large table
BULK_TIMEOUT = 600          # seconds; the COMMIT of a restored backup may wait for the disk
# Not the server's own: strict, so that no value is cut off silently, and with MySQL's usual quotes and escapes.
SQL_MODE = "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"


class Connection(pymysql.connections.Connection):
    """PyMySQL's connection with one TLS context for all: to make one takes 25 ms of CPU."""

    tls_context = None

    def _create_ssl_ctx(self, options):
        if Connection.tls_context is None:
            Connection.tls_context = super()._create_ssl_ctx(options)
        return Connection.tls_context


class MySQLEngine:
    """A pool of connections to one node; after a failure, the next node is used."""

    def __init__(self, url):
        address = parsed(url, "127.0.0.1", 3306)
        self.name = address.path or "chat"
        self.hosts = address.hosts
        self.node_index = 0         # in `hosts`: all processes write to the same node, so that conflicts are rare
        self.tls_on_loopback = False
        self.max_statement_bytes = MAX_STATEMENT_BYTES
        self.options = {
            "user": address.username or "root", "password": address.password.encode(),   # PyMySQL would encode a str in Latin-1
            "charset": "utf8mb4", "autocommit": True,
            "connect_timeout": ANSWER_TIMEOUT if len(self.hosts) == 1 else FAILOVER_TIMEOUT,
            "read_timeout": ANSWER_TIMEOUT, "write_timeout": ANSWER_TIMEOUT,
            "init_command": f"SET SESSION sql_mode='{SQL_MODE}', innodb_lock_wait_timeout={LOCK_TIMEOUT}, time_zone='+00:00'",
            # rowcount counts the rows that the WHERE has matched, as in SQLite, not only those whose values have changed
            "client_flag": CLIENT.FOUND_ROWS,
            # a timestamp stays text, as in SQLite
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
        return step and range(cursor.lastrowid, cursor.lastrowid + rows * step, step)    # MySQL returns the first id

    def run(self, work, writes=0):
        node_index = None
        for attempt in range(1, LOCK_ATTEMPTS + 1):
            try:
                with self.pool.connection() as connection, connection.cursor() as cursor:
                    node_index = connection.node_index
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
                    self._fail_over(node_index)
                    raise unavailable(error) from error
                if attempt == LOCK_ATTEMPTS:
                    raise unavailable(error, Locked) from error
            except (pymysql.InterfaceError, OSError) as error:
                raise unavailable(error) from error

    @contextlib.contextmanager
    def snapshot(self):
        """Lend a cursor on a connection of its own, whose SELECTs all see the same moment. Rows are streamed."""
        with self._connect() as connection:
            connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            yield connection.cursor(pymysql.cursors.SSCursor)

    @contextlib.contextmanager
    def bulk_load(self):
        """Lend a cursor on a connection of its own, in one transaction: an error rolls everything back."""
        with self._connect(read_timeout=BULK_TIMEOUT) as connection:
            connection.begin()
            yield connection.cursor()
            connection.commit()

    @contextlib.contextmanager
    def exclusive(self, prepare):
        """Lend a cursor on a connection of its own to one process at a time, and `check_lease()`; the others wait.

        `check_lease` raises LeaseLost once another process has taken over. MySQL commits each change of a table at once and
        cannot roll it back. `prepare` is the statement that creates the table of the lease.
        """
        with self._connect(read_timeout=STEP_TIMEOUT) as connection, connection.cursor() as cursor:
            cursor.execute(prepare)
            with Lease(self.run) as lease:
                yield cursor, lease.check

    @staticmethod
    def columns(cursor):
        """Return (table, column) for every column in the database."""
        cursor.execute("SELECT IF(@@lower_case_table_names, LOWER(table_name), table_name), column_name"
                       " FROM information_schema.columns WHERE table_schema = DATABASE()")
        return cursor.fetchall()

    def _connect(self, **options):
        """Return a connection to the node in use, or to the next one that accepts it. Raises pymysql.OperationalError."""
        for attempt in range(1, len(self.hosts) + 1):
            node_index = self.node_index
            try:
                connection = self._connect_to(*self.hosts[node_index], **{"database": self.name, **options})
                connection.node_index = node_index
                return connection
            except pymysql.OperationalError as error:
                if attempt == len(self.hosts) or error.args[0] == ER.BAD_DB_ERROR:
                    raise
                self._fail_over(node_index)

    def _fail_over(self, node_index):
        """Use the next node from now on, unless another task has done it already."""
        if self.node_index == node_index:
            self.node_index = (node_index + 1) % len(self.hosts)

    def _connect_to(self, host, port, **options):
        connection = self._log_in(host, port, {**self.options, **options})
        try:
            with connection.cursor() as cursor:
                # Its UPDATEs lock what their subqueries read, as SQLite's do. A server may have been told another default.
                cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute("SELECT @@auto_increment_increment, @@max_allowed_packet")
                step, max_packet = cursor.fetchone()
                if max_packet < MIN_PACKET_BYTES:
                    raise pymysql.OperationalError(
                        ER.NET_PACKET_TOO_LARGE, f"the server at {host}:{port} takes statements of {max_packet} bytes, and one message"
                        f" may need more: set its max_allowed_packet to {MIN_PACKET_BYTES} or more")
                self.max_statement_bytes = min(MAX_STATEMENT_BYTES, max_packet // 2)
                # In a cluster the step is not known: it changes between two statements when a node joins or leaves.
                connection.checked_at = time.monotonic()
                connection.id_step = None if _join_cluster(cursor, f"{host}:{port}") else step
            return connection
        except BaseException:
            connection._force_close()
            raise

    def _log_in(self, host, port, options):
        """Return a new connection. Raises pymysql.OperationalError.

        On the loopback address nobody can listen in, so there is no TLS there until it is needed: in MySQL 8 and 9 the client
        sends the password itself, through TLS, if the server has not seen it since its start. (PyMySQL could use RSA instead,
        but that needs a compiled package of 4 MB.)
        """
        without_tls = host in LOOPBACK and not self.tls_on_loopback
        try:
            return Connection(host=host, port=port, ssl_disabled=without_tls, **options)
        except RuntimeError:        # the password must be encrypted, and there is neither TLS nor RSA
            if not without_tls:
                raise pymysql.OperationalError(CR.CR_SSL_CONNECTION_ERROR, f"the password of {options['user']!r} must be sent"
                                               f" through TLS, which the server at {host}:{port} does not offer") from None
        self.tls_on_loopback = True
        return self._log_in(host, port, options)

    def _check(self, connection, idle_seconds):
        """Check that an idle connection is alive, and that its node is synced with its cluster. Raises the errors of PyMySQL."""
        now = time.monotonic()
        try:
            if connection.id_step is None and now - connection.checked_at > CHECK_INTERVAL:
                with connection.cursor() as cursor:
                    _join_cluster(cursor, connection.host)
                connection.checked_at = now
            elif idle_seconds > CHECK_INTERVAL:
                connection.ping(reconnect=False)
        except Exception:
            if time.monotonic() - now > FAILOVER_TIMEOUT:    # the node hangs, and the next connection to it would take as long
                self._fail_over(connection.node_index)
            raise

    def create_database(self):
        """Create the database that the URL names if the server does not have it."""
        try:
            self._connect().close()
        except pymysql.OperationalError as error:
            if error.args[0] != ER.BAD_DB_ERROR:
                raise
            with self._connect(database=None) as connection, connection.cursor() as cursor:
                name = self.name.replace("`", "``")
                cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4")

    def erase_log(self):
        """Nothing: how long a server keeps its logs is its operator's choice."""

    def close(self):
        self.pool.clear()


def _join_cluster(cursor, node):
    """Tell whether the server is a node of a Galera cluster. Raises pymysql.OperationalError if it is one and not synced."""
    cursor.execute("SHOW GLOBAL STATUS LIKE 'wsrep_local_state'")
    state = cursor.fetchone()       # None, or without a value, on a server that is in no cluster
    if not state or not state[1] or state[1] == "0":
        return False
    if state[1] != SYNCED:
        raise pymysql.OperationalError(ER.UNKNOWN_COM_ERROR, f"{node} is not synced with its cluster")
    # Each query waits until this node has applied what the others have committed before it.
    cursor.execute("SET SESSION wsrep_sync_wait=1")
    return True

"""The Redis client: for one server, or for the master that Sentinels name. It raises the chat's own errors."""
import contextlib
import logging

import redis
from redis.sentinel import Sentinel, SentinelConnectionPool

from ..errors import Unavailable
from .hosts import parsed

log = logging.getLogger(__name__)

SENTINELS = "redis+sentinel"
SENTINEL_PORT, SENTINEL_NAME = 26379, "mymaster"    # Redis' own defaults
ANSWER_TIMEOUT = 2      # seconds
SENTINEL_TIMEOUT = 0.5  # seconds until the next Sentinel is asked
MAX_CONNECTIONS = 20    # to Redis; a thousand people who reconnect at once share them
POOL_TIMEOUT = 3        # seconds to wait for one of these connections
TIMEOUTS = {"socket_timeout": ANSWER_TIMEOUT, "socket_connect_timeout": ANSWER_TIMEOUT}
# Redis 3.0 to 8 and Valkey work with these. The client's defaults need HELLO, of Redis 6, and CLIENT SETINFO, of Redis 7.2.
EVERY_SERVER = {"protocol": 2, "driver_info": None}
POOL = {"max_connections": MAX_CONNECTIONS, "timeout": POOL_TIMEOUT, **TIMEOUTS, **EVERY_SERVER}


@contextlib.contextmanager
def _own_errors():
    try:
        yield
    except redis.exceptions.NoScriptError:      # redis-py handles it: it loads the script and runs it again
        raise
    except (redis.RedisError, OSError) as error:
        log.warning("Redis does not answer: %s", error)
        raise Unavailable() from error


class Client(redis.Redis):
    """redis.Redis, which raises Unavailable in place of its own errors."""

    def execute_command(self, *arguments, **options):
        with _own_errors():
            return super().execute_command(*arguments, **options)


class DedicatedConnection:
    """A connection that never reconnects by itself: its commands arrive in order, or an error is raised."""

    def __init__(self, client):
        self.pool = client.connection_pool
        with _own_errors():
            self.connection = self.pool.get_connection()
        self.unanswered = 0

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.connection.disconnect()
        self.pool.release(self.connection)

    def send(self, *command):
        """Send a command without waiting for the reply. Raises Unavailable."""
        with _own_errors():
            self.connection.send_command(*command)
        self.unanswered += 1

    def request(self, *command):
        """Return the reply to a command, after reading those to earlier commands. Raises Unavailable, for these too."""
        self.send(*command)
        while self.unanswered:
            reply = self.read_reply()
            self.unanswered -= 1
        return reply

    def read_reply(self):
        """Return the next reply or push message. Raises Unavailable if it takes longer than ANSWER_TIMEOUT."""
        with _own_errors():
            return self.connection.read_response(push_request=True)


class SentinelPool(SentinelConnectionPool, redis.BlockingConnectionPool):
    """Connections to the current master, with a limit to their number, which the Sentinels' own pool does not have."""


def open_client(url):
    """Return the client for `redis://…`, or `redis+sentinel://:password@host:port,host:port/name/database`.

    Raises redis.RedisError or OSError if it does not answer, and ValueError for an invalid URL.
    """
    if url.partition("://")[0] == SENTINELS:
        client = _behind_sentinels(parsed(url, "127.0.0.1", SENTINEL_PORT))
    else:
        client = Client(connection_pool=redis.BlockingConnectionPool.from_url(url, **POOL))
    redis.Redis(connection_pool=client.connection_pool).ping()      # with redis-py's own errors, which say more than Unavailable
    return client


def _behind_sentinels(address):
    name, _slash, database = address.path.partition("/")
    quick = {"socket_timeout": SENTINEL_TIMEOUT, "socket_connect_timeout": SENTINEL_TIMEOUT, **EVERY_SERVER}
    sentinels = Sentinel(address.hosts, sentinel_kwargs=quick)
    return sentinels.master_for(name or SENTINEL_NAME, redis_class=Client, connection_pool_class=SentinelPool,
                                db=int(database or 0), username=address.username or None, password=address.password or None, **POOL)

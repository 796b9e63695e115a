"""The client of Redis: one server, or whichever its Sentinels name; its errors are the chat's own."""
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
SENTINEL_TIMEOUT = 0.5  # seconds until the next one is asked: a lost machine must not keep people waiting for each
MAX_CONNECTIONS = 20    # to Redis; a thousand people who reconnect at once share them
POOL_TIMEOUT = 3        # seconds to wait for one of these connections
TIMEOUTS = {"socket_timeout": ANSWER_TIMEOUT, "socket_connect_timeout": ANSWER_TIMEOUT}
# Redis 3.0 to 8 and Valkey know these: HELLO came with Redis 6 and CLIENT SETINFO with 7.2.
EVERY_SERVER = {"protocol": 2, "driver_info": None}
POOL = {"max_connections": MAX_CONNECTIONS, "timeout": POOL_TIMEOUT, **TIMEOUTS, **EVERY_SERVER}


@contextlib.contextmanager
def _own_errors():
    try:
        yield
    except redis.exceptions.NoScriptError:      # the scripts' own sign: load me first
        raise
    except (redis.RedisError, OSError) as error:
        log.warning("Redis does not answer: %s", error)
        raise Unavailable() from error


class Client(redis.Redis):
    """Redis whose errors are the chat's own, so that nobody else has to know them."""

    def execute_command(self, *arguments, **options):
        with _own_errors():
            return super().execute_command(*arguments, **options)


class DedicatedConnection:
    """A connection that never reconnects by itself: commands arrive in order, or an error is raised."""

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
        """Return the reply to a command; those to earlier ones are read first. Raises Unavailable, for them too."""
        self.send(*command)
        while self.unanswered:
            reply = self.read_reply()
            self.unanswered -= 1
        return reply

    def read_reply(self):
        """Return what Redis sends next. Raises Unavailable where that takes longer than ANSWER_TIMEOUT."""
        with _own_errors():
            return self.connection.read_response(push_request=True)


class SentinelPool(SentinelConnectionPool, redis.BlockingConnectionPool):
    """Connections to the server that the Sentinels name at the time, and a bound to them: Sentinel's own pool has none."""


def open_client(url):
    """Return the client for `redis://…`, or `redis+sentinel://:password@host:port,host:port/name/database`.

    Raises redis.RedisError, OSError or ValueError where it does not answer.
    """
    if url.partition("://")[0] == SENTINELS:
        client = _behind_sentinels(parsed(url, "127.0.0.1", SENTINEL_PORT))
    else:
        client = Client(connection_pool=redis.BlockingConnectionPool.from_url(url, **POOL))
    redis.Redis(connection_pool=client.connection_pool).ping()      # by its own words
    return client


def _behind_sentinels(address):
    name, _slash, database = address.path.partition("/")
    quick = {"socket_timeout": SENTINEL_TIMEOUT, "socket_connect_timeout": SENTINEL_TIMEOUT, **EVERY_SERVER}
    sentinels = Sentinel(address.hosts, sentinel_kwargs=quick)
    return sentinels.master_for(name or SENTINEL_NAME, redis_class=Client, connection_pool_class=SentinelPool,
                                db=int(database or 0), username=address.username or None, password=address.password or None, **POOL)

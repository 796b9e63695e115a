"""The one place that knows whether there is a Redis: sessions, presence and limits in it, or in files and memory."""
import logging
import secrets
from dataclasses import dataclass
from pathlib import Path

import redis

from config import ConfigError

from .errors import Unavailable
from .limits import MemoryLimits, RedisLimits
from .presence import MemoryBoard, Presence, RedisBoard
from .sessions import FileSessions, RedisSessions

log = logging.getLogger(__name__)

ANSWER_TIMEOUT = 2      # seconds
MOST_CONNECTIONS = 20   # to Redis; a thousand people who come back at once share them
TURN_TIMEOUT = 3        # seconds until one of these connections is free


class Client(redis.Redis):
    """Redis whose errors are the chat's own, so that nobody else has to know them."""

    def execute_command(self, *arguments, **options):
        try:
            return super().execute_command(*arguments, **options)
        except redis.exceptions.NoScriptError:      # its scripts' own sign: load me first
            raise
        except redis.RedisError as error:
            log.warning("Redis does not answer: %s", error)
            raise Unavailable() from error


@dataclass
class Stores:
    """What is kept beside the database, each in the same shape in both modes."""

    sessions: object
    presence: Presence
    limits: object              # of guessing passwords: shared by all processes
    local_limits: MemoryLimits  # of sending: asking Redis for each message would cost more than storing it
    ping: object                # raises Unavailable where Redis does not answer


def open_stores(settings):
    """Return the stores that the settings name. Raises ConfigError where Redis does not answer."""
    enabled = settings["RATELIMIT_ENABLED"]
    local_limits = MemoryLimits(enabled)
    if not settings["REDIS_URL"]:
        try:
            sessions = FileSessions(str(Path(settings["INSTANCE_PATH"]) / "sessions"))
        except OSError as error:
            raise ConfigError(f"Sessions cannot be kept: {error}") from error
        return Stores(sessions, Presence(MemoryBoard()), local_limits, local_limits, ping=lambda: True)
    try:
        timeouts = {"socket_timeout": ANSWER_TIMEOUT, "socket_connect_timeout": ANSWER_TIMEOUT}
        redis.Redis.from_url(settings["REDIS_URL"], **timeouts).ping()
    except (redis.RedisError, ValueError, OSError) as error:
        raise ConfigError(f"Redis cannot be used: {error}") from error
    client = Client(connection_pool=redis.BlockingConnectionPool.from_url(
        settings["REDIS_URL"], max_connections=MOST_CONNECTIONS, timeout=TURN_TIMEOUT, **timeouts))
    return Stores(RedisSessions(client), Presence(RedisBoard(client, secrets.token_hex(8))),
                  RedisLimits(client, enabled), local_limits, ping=client.ping)
